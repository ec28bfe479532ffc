"""Wires a gateway from its settings, and is the only place that does.

Guarantees that every program (the service, playback, the demonstration, tests) runs the same parts
put together the same way; what differs is the clock, the files, and whether threads are used.
"""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from arbees import __version__
from arbees.core.book.book import fresh
from arbees.core.deciding.commands import Record, Rules
from arbees.core.event import Event
from arbees.core.language.words import Mode
from arbees.core.orders.result import Recorded
from arbees.errors import ConfigurationError
from arbees.history.follower import JournalFollower
from arbees.history.recovery import recover, replay, snapshot_version
from arbees.history.trades import Trades
from arbees.journal import JournalReader, SqliteJournal
from arbees.runtime.api_keys import KEY_KINDS, has_key
from arbees.runtime.clock import RecordedClock, SystemClock
from arbees.runtime.desk import Alerts, Desk, JumpingClock, NoAlerts
from arbees.runtime.gateway import TradingGateway
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.options import Options
from arbees.runtime.signals import Ends, hear_signals
from arbees.runtime.supervisor import Supervisor
from arbees.safeguards.authorization import Authorization
from arbees.safeguards.balance import Balance
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.kill_switch import KillSwitch
from arbees.safeguards.price_reference import PriceReference
from arbees.safeguards.reconciliation import Reconciliation
from arbees.safeguards.venue_health import VenueHealth
from arbees.settings import Settings
from arbees.settings.authority import (
    Unmet,
    confirm_live,
    live_platforms,
    not_looked_at,
    obstacles,
    overridden,
    refusal,
    require_assertions,
)
from arbees.telemetry.alerts.board import (
    AlertBoard,
    AlertsNow,
    LogSink,
    Sink,
)
from arbees.telemetry.alerts.digest import DailyDigest
from arbees.telemetry.alerts.record import AlertRecord
from arbees.telemetry.alerts.rules import AlertWatch
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.log import AuditLog, Copy, NoAuditLog
from arbees.telemetry.days import day_of, day_start
from arbees.telemetry.logs import AuditConsole, set_up
from arbees.telemetry.metrics.counters import Counters
from arbees.telemetry.metrics.exposition import Metrics
from arbees.telemetry.quality.quality import Quality
from arbees.telemetry.stream.stream import EventStream
from arbees.venues.paper.terms import TERMS
from arbees.venues.registry import VENUES, pause_of
from arbees.wiring.alerting import alert_sinks, keep_alerting
from arbees.wiring.assembly import Assembly, Files, Warnings, warnings_of
from arbees.wiring.bus import bus_of
from arbees.wiring.exchanges import exchanges_of
from arbees.wiring.winding_down import left_open, winding_down

__all__ = [
    "SWITCH_SECONDS",
    "Assembly",
    "Files",
    "assemble",
    "options_of",
    "rules_of",
    "run",
    "running",
]

ALERT_SECONDS = 5.0
NO_ALERTS = NoAlerts()
LIVE_TERMS = {platform: spec.terms for platform, spec in VENUES.items()}
SWITCH_SECONDS = 0.000_5
"""How long a thread (audit log, verification) keeps the interpreter from the waiting loop."""


def rules_of(settings: Settings) -> Rules:
    """Return what decides besides the book."""
    return Rules(
        mode=settings.mode,
        account=settings.gateway.account,
        environment=settings.gateway.environment,
        safeguards=settings.safeguards,
        terms=TERMS if settings.mode is Mode.PAPER else LIVE_TERMS,
        balance_buffer=settings.section(Balance).balance_buffer,
        break_policies=settings.section(Reconciliation).policies.of,
        break_policy=settings.section(Reconciliation).reconcile_policy,
    )


def options_of(settings: Settings, *, is_inline: bool, kill_file: str | None) -> Options:
    """Return what the runtime is told by the settings."""
    loss, balance = settings.section(DailyLoss), settings.section(Balance)
    health, breaks = settings.section(VenueHealth), settings.section(Reconciliation)
    return Options(
        version=__version__,
        snapshot_version=snapshot_version(),
        settings_hash=settings.hash,
        limits_hash=settings.limits_hash,
        settings=settings.recorded(),
        sheets=settings.sheets(),
        disabled=settings.disabled,
        overridden=overridden(settings),
        zone=ZoneInfo(loss.trading_day_timezone),
        kill_file=kill_file,
        max_daily_loss=loss.max_daily_loss,
        daily_loss_threshold=loss.daily_loss_alert_threshold,
        max_mark_age_ns=loss.max_mark_age,
        max_quote_age_ns=settings.section(PriceReference).max_quote_age,
        does_loss_reduce=loss.daily_loss_action == "reduce",
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
    ends: Ends,
    is_inline: bool = False,
    kill_file: str | None = None,
    alerts: Alerts = NO_ALERTS,
    board: AlertBoard | None = None,
    worker: Worker | None = None,
    warnings: Sequence[Warnings] = (),
    seed: int = 0,
    copies: Sequence[Copy] = (),
) -> Assembly:
    """
    Wire one gateway; nothing runs yet.

    Args:
        settings: those in force.
        clock: the gateway's and the exchange's.
        files: where it keeps what it keeps.
        ends: asked for an end with exit code 1 once the gateway cannot go on.
        is_inline: no threads; for recorded time.
        kill_file: the kill-switch file to watch; None = none.
        alerts: takes alerts.
        board: the alerts, for the metrics; None = there are none.
        worker: where commits run; None = in a thread of the loop's own.
        warnings: who else has something that an operator should look at.
        seed: of the exchange's disturbances.
        copies: who else gets each audit line.

    Raises:
        ConfigurationError, JournalCorrupt, LeaseLost: refusals to start.
    """
    journal = _journal(settings, files, clock)
    with contextlib.ExitStack() as undo:
        undo.callback(journal.close)
        supervisor = Supervisor(clock)
        exchanges = exchanges_of(
            settings, clock=clock, files=files, tasks=supervisor, is_inline=is_inline, seed=seed
        )
        desk = Desk(
            journal=journal,
            book=recover(journal),
            rules=rules_of(settings),
            venues=exchanges.venues,
            simulator=exchanges.paper,
            market_data=exchanges.market_data,
            pauses=pause_of if is_inline or settings.mode is Mode.LIVE else None,
            clock=clock,
            options=options_of(settings, is_inline=is_inline, kill_file=kill_file),
            alerts=alerts,
            supervisor=supervisor,
            worker=worker,
        )
        reader = JournalReader(files.journal)
        is_timed = not isinstance(clock, RecordedClock)
        audit = _audit_log(settings, files, reader, () if is_inline else copies, is_timed=is_timed)
        stream = EventStream(reader, lambda: journal.head.sequence)
        undo.pop_all()
    gateway = TradingGateway(
        desk,
        warnings=partial(warnings_of, desk, exchanges.paper, audit, warnings),
        on_end=partial(ends.ask, exit_code=1),
    )
    metrics = Metrics(
        gateway.measuring.take, Counters(), audit_sequence=_sequence_of(audit), board=board
    )
    follower = _follower(stream, reader, metrics, clock, desk.options.zone)
    return Assembly(gateway, exchanges.paper, audit, reader, clock, follower=follower)


def _journal(settings: Settings, files: Files, clock: JumpingClock) -> SqliteJournal:
    general = settings.gateway
    return SqliteJournal.open(
        files.journal,
        account=general.account,
        environment=general.environment,
        mode=settings.mode,
        clock_ns=clock.now_ns,
    )


def _sequence_of(audit: AuditLog | NoAuditLog) -> Callable[[], int | None]:
    """Return what tells the last record in the audit log; None = there is no log."""
    return lambda: None if isinstance(audit, NoAuditLog) else audit.sequence


def _follower(
    stream: EventStream,
    reader: JournalReader,
    metrics: Metrics,
    clock: JumpingClock,
    zone: ZoneInfo,
) -> JournalFollower:
    """Return what reads the journal at length."""
    return JournalFollower(
        stream,
        Quality(reader),
        Trades(reader, partial(day_of, zone=zone)),
        metrics,
        lambda: day_start(clock.now_ns(), zone),
    )


def _audit_log(
    settings: Settings,
    files: Files,
    reader: JournalReader,
    copies: Sequence[Copy],
    *,
    is_timed: bool,
) -> AuditLog | NoAuditLog:
    if files.audit_log is None:
        return NoAuditLog()
    audit_files = AuditFiles(files.audit_log, retention_days=settings.audit_log.retention_days)
    return AuditLog(reader, audit_files, copies=copies, is_timed=is_timed)


# The service -----------------------------------------------------------------------------------


def run(
    settings: Settings,
    *,
    prepare: Callable[[Assembly], None] = lambda _assembly: None,
    unmet: Unmet = not_looked_at,
) -> int:
    """
    Run the gateway until it is told to stop; see `arbees run`.

    Args:
        settings: those in force.
        prepare: given what was wired, before it starts; drills switch faults of the exchange on.
        unmet: looks at the pre-flight evidence, which a live start needs.

    Returns:
        The exit code.

    Raises:
        ConfigurationError, JournalCorrupt, LeaseLost: refusals to start.
    """
    require_assertions()
    if settings.mode == "live" and not _may_go_live(settings, unmet):
        return 1
    import uvloop

    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, prepare))


def _may_go_live(settings: Settings, unmet: Unmet) -> bool:
    """
    Tell whether a live start goes on; false = the typed confirmation was not given.

    Raises:
        ConfigurationError: everything that is missing, in the order to deal with it.
    """
    if (facts := refusal(settings)) is not None:
        raise ConfigurationError(facts)
    if settings.section(Authorization).live_confirm and not confirm_live(
        live_platforms(settings), sys.stdin, sys.stderr, is_terminal=sys.stdin.isatty()
    ):
        return False
    path, book = settings.journal_path(), fresh()
    if path.exists():
        with JournalReader(path) as reader:
            replay(reader.records(), book)
    found = obstacles(settings, book.authority, SystemClock().now_ns(), unmet)
    if found:
        raise ConfigurationError("\n".join(found))
    return True


def _is_keyed(journal: Path) -> bool:
    """Tell whether an API key is in force, before anything listens."""
    if not journal.exists():
        return False
    with JournalReader(journal) as reader:
        return has_key(reader.records_of_kinds(KEY_KINDS))


async def _serve(settings: Settings, prepare: Callable[[Assembly], None]) -> int:
    from arbees.api.http.access import NO_KEYS_YET, is_closed
    from arbees.api.http.guard import is_loopback
    from arbees.api.http.server import ApiServer

    set_up(settings.gateway.log_level, settings.gateway.log_format)
    ends = Ends()
    clock = SystemClock()

    def ready(assembly: Assembly) -> None:
        prepare(assembly)
        hear_signals(assembly.gateway, ends)

    general = settings.gateway
    server = ApiServer(
        None,
        general.http_host,
        general.http_port,
        now_ns=clock.now_ns,
        is_keyed=not is_loopback(general.http_host) and _is_keyed(settings.journal_path()),
    )
    await server.start()
    try:
        files = Files.of(settings)
        left = left_open(settings)
        bus = bus_of(settings, clock)
        queued = alert_sinks(settings, clock.now_ns)
        sinks: list[Sink] = [LogSink(), *queued, *([] if bus is None else [bus.alerts])]
        async with running(
            settings,
            clock=clock,
            files=files,
            ends=ends,
            ready=ready,
            sinks=sinks,
            warnings=() if left is None else (left.warnings,),
        ) as assembly:
            keep_alerting(settings, assembly.gateway, queued, clock)
            gc.freeze()  # what was recovered stays: no collection need walk it
            if bus is not None:
                await bus.start(assembly)
            server.attach(assembly.gateway, assembly.follower)
            if is_closed(assembly.gateway):
                sys.stderr.write(f"Warning: {NO_KEYS_YET}\n")
            sys.stderr.write(f"Ready on {server.address}\n")
            sys.stderr.flush()

            def make(live: Settings, live_files: Files, worker: Worker) -> Assembly:
                return assemble(live, clock=clock, files=live_files, ends=Ends(), worker=worker)

            async with winding_down(left, assembly, make):
                await ends.asked.wait()
    finally:
        await server.stop()
    if ends.exit_code:
        sys.stderr.write(f"Ended: {ends.reason}\n")
    return ends.exit_code


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: JumpingClock,
    files: Files,
    ends: Ends,
    ready: Callable[[Assembly], None] = lambda _assembly: None,
    sinks: Sequence[Sink] = (LogSink(),),
    has_console: bool = True,
    warnings: Sequence[Warnings] = (),
) -> AsyncIterator[Assembly]:
    """
    Run one gateway, with alerts and metrics, for as long as the block lasts.

    Args:
        settings: those in force.
        clock: the gateway's and the exchange's; it runs by itself.
        files: where it keeps what it keeps.
        ends: told when it must end; gives the reason of the end.
        ready: given what was wired, before it starts.
        sinks: who is told of alerts.
        has_console: whether the audit log has a copy among the log lines.
        warnings: who else has something that an operator should look at.

    Raises:
        ConfigurationError, JournalCorrupt, LeaseLost: refusals to start.
    """
    look = settings.audit_log.console if has_console else "off"
    record = AlertRecord()
    board = AlertBoard((*sinks, record))
    watch = AlertWatch(board, balance_low=settings.section(Balance).balance_low_threshold)
    alerts = AlertsNow(board, clock.now_ns)
    with Worker("journal") as worker:
        assembly = assemble(
            settings,
            clock=clock,
            files=files,
            ends=ends,
            kill_file=settings.section(KillSwitch).kill_switch_file,
            alerts=alerts,
            board=board,
            worker=worker,
            warnings=warnings,
            copies=() if look == "off" else (AuditConsole(look),),
        )
        gateway = assembly.gateway
        try:
            ready(assembly)
            digest = assembly.follower.digest(
                alerts.raise_, gateway.desk.options.zone, gateway.desk.book.day
            )
            _observe(gateway, watch, assembly.follower.measuring.counters, digest)
            record.open(_teller(gateway))
            await assembly.start()
            gateway.desk.supervisor.keep(partial(_tick, watch, clock), "alerts")
            gateway.desk.supervisor.keep(digest.run, "daily digest")
            yield assembly
        finally:
            record.close()
            await assembly.stop(ends.reason)


def _teller(gateway: TradingGateway) -> Callable[[Event], None]:
    """Return what hands an event to the writer, from whatever thread, and never fails."""
    loop, tell = asyncio.get_running_loop(), gateway.desk.writer.tell

    def hand(event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, Record(events=(event,)))

    return hand


def _observe(
    gateway: TradingGateway, watch: AlertWatch, counters: Counters, digest: DailyDigest
) -> None:
    """Hand durable events to alerts and metrics; tell them what is open from before."""

    def take(records: Sequence[Recorded]) -> None:
        for _, time_ns, event in records:
            watch.take(time_ns, event)
            counters.take(time_ns, event)
            digest.take(event)

    gateway.listen(take)
    watch.resume(gateway.desk.book)
    for order in gateway.desk.book.orders.values():
        counters.expect(order.client_order_id, order.platform)


async def _tick(watch: AlertWatch, clock: JumpingClock) -> None:
    """Raise and clear what only time brings about."""
    while True:
        await clock.sleep(ALERT_SECONDS)
        watch.tick(clock.now_ns())
