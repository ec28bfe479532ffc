"""Wires a gateway from its settings, and is the only place that does.

Guarantees that every program (the service, playback, the demonstration, tests) runs the same parts
put together the same way; what differs is the clock, the files, and whether threads are used.
"""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from arbees import __version__
from arbees.core.book import fresh
from arbees.core.commands import Rules
from arbees.core.words import HaltSource, Platform
from arbees.errors import ConfigurationError
from arbees.journal import JournalReader, SqliteJournal
from arbees.runtime.clock import RecordedClock, SystemClock
from arbees.runtime.desk import Alert, Desk, JumpingClock
from arbees.runtime.gateway import TradingGateway
from arbees.runtime.options import Options
from arbees.runtime.recovery import recover, replay, snapshot_version
from arbees.runtime.worker import Worker
from arbees.safeguards.authorization import Authorization
from arbees.safeguards.balance import Balance
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.kill_switch import KillSwitch
from arbees.safeguards.reconciliation import Reconciliation
from arbees.safeguards.venue_health import VenueHealth
from arbees.settings import Settings
from arbees.settings.authority import (
    confirm_live,
    live_platforms,
    obstacles,
    refusal,
    require_assertions,
)
from arbees.telemetry.alert_rules import AlertWatch
from arbees.telemetry.alerts import AlertBoard, AlertName, LogSink
from arbees.telemetry.audit_files import AuditFiles
from arbees.telemetry.audit_log import AuditLog, NoAuditLog
from arbees.telemetry.follower import JournalFollower
from arbees.telemetry.logs import copy_to_console, set_up
from arbees.telemetry.stream import EventStream
from arbees.venues.paper import PaperExchange
from arbees.venues.paper.terms import TERMS

ALERT_SECONDS = 5.0
LAST_EVENTS_SECONDS = 2.0
"""How long the end waits for those who follow the events to take the last ones."""
SWITCH_SECONDS = 0.000_5
"""How long a thread (audit log, verification) keeps the interpreter from the waiting loop."""


class Files:
    """Where one gateway keeps what it keeps."""

    def __init__(self, journal: Path, paper_book: Path, audit_log: Path | None) -> None:
        """Name the files; `audit_log` None = none is written."""
        self.journal = journal
        self.paper_book = paper_book
        self.audit_log = audit_log

    @classmethod
    def of(cls, settings: Settings) -> "Files":
        """Return the files that the settings name."""
        audit = settings.audit_log
        return cls(
            settings.journal_path(),
            Path(settings.gateway.paper_book_path),
            Path(audit.path) if audit.is_enabled else None,
        )


class Assembly:
    """A wired gateway with its paper exchange and audit log; `start` and `stop` are its life."""

    def __init__(
        self,
        gateway: TradingGateway,
        exchange: PaperExchange,
        audit: AuditLog | NoAuditLog,
        reader: JournalReader,
        clock: JumpingClock,
        *,
        follower: JournalFollower,
    ) -> None:
        """Hold the parts."""
        self.gateway = gateway
        self.exchange = exchange
        self.audit = audit
        self.reader = reader
        self.follower = follower
        self._clock = clock
        self._wake = asyncio.Event()

    async def start(self, *, follow: bool = True) -> None:
        """Open the audit log and start the gateway; `follow` writes audit lines as they come."""
        self.audit.open()
        self.gateway.on_durable = self._grew
        self.gateway.warnings = self._warnings
        if follow:
            self.gateway.desk.supervisor.start(
                self.audit.run(self._wake, self._clock.sleep), "audit log"
            )
            self.gateway.desk.supervisor.start(self.follower.stream.run(), "event stream")
        await self.gateway.start()

    def _grew(self) -> None:
        self._wake.set()
        self.follower.stream.grew()

    def _warnings(self) -> tuple[str, ...]:
        found: list[str] = []
        if self.audit.error is not None:
            found.append(f"the audit log is behind: {self.audit.error}")
        trouble = getattr(self.gateway.desk.journal, "trouble", None)
        if trouble is not None:
            found.append(str(trouble))
        if self.exchange.stop_reason is not None:
            found.append(f"the paper exchange stopped: {self.exchange.stop_reason}")
        found += [
            f"safeguard {name} is off: {reason}"
            for name, reason in self.gateway.desk.options.disabled.items()
        ]
        return tuple(found)

    async def stop(self, reason: str) -> None:
        """Stop in order: the gateway, the audit log up to the last record, the journal at last."""
        with contextlib.ExitStack() as closing:
            # Last: whoever closes a journal last removes its log, and a reader cannot.
            closing.callback(self.gateway.desk.journal.close)
            closing.callback(self.reader.close)
            closing.callback(self.audit.close)
            await self.gateway.stop(reason)
            await self.follower.stream.finish(LAST_EVENTS_SECONDS)
            if self.gateway.desk.options.is_inline:
                self.audit.catch_up()
            else:
                await asyncio.to_thread(self.audit.catch_up)


def rules_of(settings: Settings) -> Rules:
    """Return what decides besides the book."""
    return Rules(
        mode=settings.mode,
        account=settings.gateway.account,
        environment=settings.gateway.environment,
        safeguards=settings.safeguards,
        terms=TERMS,
        balance_buffer=settings.section(Balance).balance_buffer,
    )


def options_of(settings: Settings, *, is_inline: bool, kill_file: str | None) -> Options:
    """Return what the runtime is told by the settings."""
    loss, balance = settings.section(DailyLoss), settings.section(Balance)
    health, breaks = settings.section(VenueHealth), settings.section(Reconciliation)
    return Options(
        version=__version__,
        snapshot_version=snapshot_version(),
        settings_hash=settings.hash,
        settings=settings.recorded(),
        sheets=settings.sheets(),
        disabled=settings.disabled,
        zone=ZoneInfo(loss.trading_day_timezone),
        kill_file=kill_file,
        max_daily_loss=loss.max_daily_loss,
        daily_loss_threshold=loss.daily_loss_alert_threshold,
        balance_interval_ns=balance.balance_refresh_interval,
        balance_low=balance.balance_low_threshold,
        reconcile_interval_ns=breaks.reconcile_interval,
        reconcile_default=breaks.reconcile_policy,
        reconcile_policy=breaks.policies.of,
        errors_to_open=health.venue_errors_to_open,
        cooldown_ns=health.venue_cooldown,
        cancel_on_shutdown=settings.gateway.cancel_on_shutdown,
        authority_until_ns=(
            settings.section(Authorization).live_trading_authorized_until
            if settings.mode == "live"
            else None
        ),
        is_inline=is_inline,
    )


def assemble(
    settings: Settings,
    *,
    clock: JumpingClock,
    files: Files,
    is_inline: bool = False,
    kill_file: str | None = None,
    alert: Alert = lambda *_args, **_data: None,
    seed: int = 0,
) -> Assembly:
    """
    Wire one paper gateway; nothing runs yet.

    Args:
        settings: those in force.
        clock: the gateway's and the exchange's.
        files: where it keeps what it keeps.
        is_inline: no threads; for recorded time.
        kill_file: the kill-switch file to watch; None = none.
        alert: takes alerts; never blocks.
        seed: of the exchange's disturbances.

    Raises:
        ConfigurationError, JournalCorrupt, LeaseLost: refusals to start.
    """
    general = settings.gateway
    journal = SqliteJournal.open(
        files.journal,
        account=general.account,
        environment=general.environment,
        mode=settings.mode,
        clock_ns=clock.now_ns,
    )
    with contextlib.ExitStack() as undo:
        undo.callback(journal.close)
        exchange = PaperExchange.open(
            files.paper_book,
            clock=clock,
            starting_balance=settings.section(Balance).paper_balance,
            is_inline=is_inline,
            owner=f"{general.account}@{general.environment}",
            seed=seed,
        )
        desk = Desk(
            journal=journal,
            book=recover(journal),
            rules=rules_of(settings),
            venues={platform: exchange.venue(platform) for platform in Platform},
            simulator=exchange,
            clock=clock,
            options=options_of(settings, is_inline=is_inline, kill_file=kill_file),
            alert=alert,
        )
        reader = JournalReader(files.journal)
        audit: AuditLog | NoAuditLog = NoAuditLog()
        if files.audit_log is not None:
            days = settings.audit_log.retention_days
            audit_files = AuditFiles(files.audit_log, retention_days=days)
            is_timed = not isinstance(clock, RecordedClock)
            copies = () if is_inline else (copy_to_console,)
            audit = AuditLog(reader, audit_files, copies=copies, is_timed=is_timed)
        stream = EventStream(reader, lambda: journal.head.sequence)
        undo.pop_all()
    follower = JournalFollower(stream)
    return Assembly(TradingGateway(desk), exchange, audit, reader, clock, follower=follower)


# The service -----------------------------------------------------------------------------------


def run(settings: Settings, *, prepare: Callable[[Assembly], None] = lambda _assembly: None) -> int:
    """
    Run the gateway until it is told to stop; see `arbees run`.

    Args:
        settings: those in force.
        prepare: given what was wired, before it starts; drills switch faults of the exchange on.

    Returns:
        The exit code.

    Raises:
        ConfigurationError, JournalCorrupt, LeaseLost: refusals to start.
    """
    require_assertions()
    if settings.mode == "live":
        return _refuse_live(settings)
    import uvloop

    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, prepare))


def _refuse_live(settings: Settings) -> int:
    """Say why a live start does not go on; this version has no live venue."""
    if (facts := refusal(settings)) is not None:
        raise ConfigurationError(facts)
    if settings.section(Authorization).live_confirm and not confirm_live(
        live_platforms(settings), sys.stdin, sys.stderr, is_terminal=sys.stdin.isatty()
    ):
        return 1
    path, book = settings.journal_path(), fresh()
    if path.exists():
        with JournalReader(path) as reader:
            replay(reader.records(), book)
    found = obstacles(settings, book.authority, SystemClock().now_ns())
    raise ConfigurationError("\n".join(found))


class _Ends:
    """How a service ends: asked to by a signal, or because a part of it failed."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.exit_code = 0
        self.reason = "stopped"

    def ask(self, reason: str, exit_code: int = 0) -> None:
        if self.asked.is_set() and exit_code == 0:
            raise SystemExit(1)  # a second signal: now
        self.reason = reason
        self.exit_code = max(self.exit_code, exit_code)
        self.asked.set()


async def _serve(settings: Settings, prepare: Callable[[Assembly], None]) -> int:
    from arbees.api.server import ApiServer

    set_up(settings.gateway.log_level, settings.gateway.log_format)
    ends = _Ends()
    clock = SystemClock()
    board = AlertBoard([LogSink()])
    watch = AlertWatch(board, balance_low=settings.section(Balance).balance_low_threshold)

    def alert(name: str, message: str, **data: object) -> None:
        board.raise_(AlertName(name), message, clock.now_ns(), **data)

    general = settings.gateway
    server = ApiServer(None, general.http_host, general.http_port, now_ns=clock.now_ns)
    await server.start()
    try:
        assembly = assemble(
            settings,
            clock=clock,
            files=Files.of(settings),
            kill_file=settings.section(KillSwitch).kill_switch_file,
            alert=alert,
        )
        worker = assembly.gateway.desk.writer.worker = Worker("journal")
        try:
            prepare(assembly)
            _listen(assembly.gateway, ends, watch)
            await assembly.start()
            gc.freeze()  # what was recovered stays: no collection need walk it
            server.attach(assembly.gateway, assembly.follower)
            assembly.gateway.desk.supervisor.start(_tick(watch, clock), "alerts")
            for warning in settings.warnings:
                sys.stderr.write(f"Warning: {warning}\n")
            sys.stderr.write(f"Ready on {server.address}\n")
            sys.stderr.flush()
            await ends.asked.wait()
        finally:
            await assembly.stop(ends.reason)
            worker.close()
    finally:
        await server.stop()
    if ends.exit_code:
        sys.stderr.write(f"Ended: {ends.reason}\n")
    return ends.exit_code


def _listen(gateway: TradingGateway, ends: _Ends, watch: AlertWatch) -> None:
    """Hear signals, durable events for the alerts, and the journal's failure."""
    gateway.on_end = lambda reason: ends.ask(reason, 1)
    gateway.on_event = watch.take
    for order in gateway.desk.book.orders.values():
        if order.status == "UNKNOWN":
            watch.expect(order.client_order_id, order.request_id, order.created_ns)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ends.ask, signal.Signals(number).name)
    start = gateway.desk.supervisor.start
    loop.add_signal_handler(signal.SIGUSR1, lambda: start(_halt_by_signal(gateway), "SIGUSR1"))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


async def _tick(watch: AlertWatch, clock: SystemClock) -> None:
    """Raise and clear what only time brings about."""
    while True:
        await clock.sleep(ALERT_SECONDS)
        watch.tick(clock.now_ns())


async def _halt_by_signal(gateway: TradingGateway) -> None:
    await gateway.kill_switch(
        "ENABLE", scope="all", reason="SIGUSR1", source=HaltSource.SIGNAL, actor="signal"
    )
