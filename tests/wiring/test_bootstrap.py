"""Wiring: every setting arrives where it acts, what was opened is released, live is refused."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from arbees import __version__
from arbees.core import events
from arbees.core.book.book import encode as encode_book
from arbees.core.book.book import fresh
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Mode, Platform
from arbees.errors import ConfigurationError, LeaseLost
from arbees.history.recovery import recover, snapshot_version
from arbees.journal import JournalReader
from arbees.rehearsal.scene import Scene
from arbees.runtime.clock import RecordedClock
from arbees.runtime.signals import Ends
from arbees.settings import Settings, load
from arbees.settings.loaded import AUDIT_LOG_FALLBACK
from arbees.telemetry.audit.log import AuditLog, NoAuditLog
from arbees.wiring.bootstrap import (
    Assembly,
    Files,
    assemble,
    options_of,
    rules_of,
)
from tests.runtime.memory_journal import MemoryJournal
from tests.runtime.rig import running
from tests.safeguards.build import NOW
from tests.venues.kalshi.keypairs import ed25519_key, pem_of

SECOND = NS_PER_SECOND


def files_in(folder: Path) -> Files:
    """Return the files of a gateway in a folder."""
    return Files(folder / "journal.db", folder / "paper.db", folder / "audit.jsonl")


def wired(
    folder: Path, settings: Settings | None = None, *, clock: RecordedClock | None = None
) -> Assembly:
    """Return a gateway on real files, in recorded time."""
    return assemble(
        load({}) if settings is None else settings,
        clock=RecordedClock(NOW) if clock is None else clock,
        files=files_in(folder),
        ends=Ends(),
        is_inline=True,
    )


# Settings --------------------------------------------------------------------------------------


def test_every_setting_of_the_runtime_arrives() -> None:
    """What the settings say is what monitors, reconciler and lifecycle are told."""
    settings = load(
        {
            "TRADING_DAY_TIMEZONE": "Europe/Athens",
            "MAX_DAILY_LOSS": "123.5",
            "DAILY_LOSS_ALERT_THRESHOLD": "0.7",
            "BALANCE_REFRESH_INTERVAL_SECS": "17",
            "BALANCE_LOW_THRESHOLD": "55",
            "RECONCILE_INTERVAL_SECS": "120",
            "RECONCILE_POLICY": "report",
            "VENUE_ERRORS_TO_OPEN": "3",
            "VENUE_COOLDOWN_SECS": "9",
            "CANCEL_ON_SHUTDOWN": "false",
            "LIVE_TRADING_AUTHORIZED_UNTIL": "2026-02-01T00:00:00Z",
            "DISABLED_SAFEGUARDS": "order_size",
            "DISABLED_SAFEGUARDS_REASON": "rehearsal",
        }
    )
    found = options_of(settings, is_inline=True, kill_file="/somewhere/kill")
    assert found.version == __version__
    assert found.snapshot_version == snapshot_version()
    assert found.settings_hash == settings.hash
    assert found.settings == settings.recorded()
    assert found.disabled == {"order_size": "rehearsal"}
    assert found.zone == ZoneInfo("Europe/Athens")
    assert found.kill_file == "/somewhere/kill"
    assert (found.max_daily_loss, found.daily_loss_threshold) == (123_500_000, 700_000)
    assert (found.balance_interval_ns, found.balance_low) == (17 * SECOND, 55 * MICRO)
    assert found.reconcile_interval_ns == 120 * SECOND
    assert (found.reconcile_default, found.reconcile_policy) == ("report", {})
    assert (found.errors_to_open, found.cooldown_ns) == (3, 9 * SECOND)
    assert found.cancel_on_shutdown is False
    assert found.is_inline is True
    assert found.authority_until_ns is None


def test_policies_of_single_kinds_arrive(tmp_path: Path) -> None:
    """What arbees.toml says of a kind of break is what the reconciler is told."""
    toml = tmp_path / "arbees.toml"
    toml.write_text('[reconciliation.policy]\nposition = "halt"\n')
    found = options_of(load({}, None, toml), is_inline=True, kill_file=None)
    assert found.reconcile_policy == {"position": "halt"}
    assert found.kill_file is None


def test_authority_ends_in_live_trading_only() -> None:
    """Until when orders may leave is a matter of live trading."""
    until = "2026-02-01T00:00:00Z"
    live = load(
        {
            "PAPER_TRADING": "0",
            "LIVE_TRADING_AUTHORIZED": "true",
            "LIVE_TRADING_AUTHORIZED_UNTIL": until,
        }
    )
    found = options_of(live, is_inline=False, kill_file=None)
    assert found.authority_until_ns == parse_time(until)


def test_rules_are_those_of_the_settings() -> None:
    """Mode, owner, safeguards and the fee allowance are the settings'."""
    settings = load({"ACCOUNT": "second", "ENVIRONMENT": "lab", "BALANCE_BUFFER": "0.2"})
    rules = rules_of(settings)
    assert (rules.mode, rules.account, rules.environment) == (Mode.PAPER, "second", "lab")
    assert rules.safeguards == settings.safeguards
    assert rules.balance_buffer == 200_000
    assert set(rules.terms) == set(Platform)


def test_files_are_those_of_the_settings() -> None:
    """Journal, paper book and audit log lie where the settings say; the log may be off."""
    found = Files.of(load({"JOURNAL_PATH": "a.db", "PAPER_BOOK_PATH": "b.db"}))
    assert (found.journal, found.paper_book) == (Path("a.db"), Path("b.db"))
    assert found.audit_log in {Path("/var/log/arbees/execution_audit.jsonl"), AUDIT_LOG_FALLBACK}
    assert Files.of(load({"AUDIT_LOG_PATH": "/nowhere/a.jsonl"})).audit_log == Path(
        "/nowhere/a.jsonl"
    )
    assert Files.of(load({"AUDIT_LOG_ENABLED": "false"})).audit_log is None


# A life ----------------------------------------------------------------------------------------


async def test_what_is_wired_trades(tmp_path: Path) -> None:
    """Quote in, order out, fill back, audit line written: all parts know each other."""
    clock = RecordedClock(NOW)
    assembly = wired(tmp_path, clock=clock)
    scene = Scene(assembly, clock)
    await assembly.start(follow=False)
    await scene.quote()
    result = await scene.ask()
    assert result.status == "Filled"
    assert set(assembly.gateway.desk.venues) == set(Platform)
    assert assembly.gateway.desk.simulator is assembly.exchange
    assert isinstance(assembly.audit, AuditLog)
    await assembly.stop("done")
    assert "OrderFilled" in (tmp_path / "audit.jsonl").read_text()
    assert not (tmp_path / "journal.db-wal").exists()


async def test_the_audit_log_may_be_off(tmp_path: Path) -> None:
    """Without an audit log none is written, and everything else works."""
    files = Files(tmp_path / "journal.db", tmp_path / "paper.db", None)
    assembly = assemble(
        load({}), clock=RecordedClock(NOW), files=files, ends=Ends(), is_inline=True
    )
    assert isinstance(assembly.audit, NoAuditLog)
    await assembly.start(follow=False)
    await assembly.stop("done")


async def test_a_restart_recovers_the_book(tmp_path: Path) -> None:
    """The book of the next life is that of the last: from its snapshot, and from the records."""
    first = wired(tmp_path)
    await first.start(follow=False)
    await first.gateway.kill_switch(
        "ENABLE", scope="all", reason="drill", source="command", actor="ann"
    )
    await first.stop("done")
    left = encode_book(first.gateway.desk.book)
    second = wired(tmp_path, clock=RecordedClock(NOW + SECOND))
    assert encode_book(second.gateway.desk.book) == left
    assert second.gateway.desk.journal.snapshot() is not None
    await second.stop("never started")


async def test_two_gateways_never_share_a_journal(tmp_path: Path) -> None:
    """While one writes, another refuses to start; after its end it may."""
    first = wired(tmp_path)
    with pytest.raises(LeaseLost):
        wired(tmp_path)
    await first.stop("done")
    await wired(tmp_path).stop("done")


async def test_paper_and_live_never_share_a_journal(tmp_path: Path) -> None:
    """A journal belongs to one account, environment and mode."""
    await wired(tmp_path).stop("done")
    with pytest.raises(ConfigurationError):
        wired(tmp_path, load({"ACCOUNT": "second"}))


async def test_what_was_opened_is_released_when_wiring_fails(tmp_path: Path) -> None:
    """A paper book that cannot be opened refuses the start, and lets go of the journal."""
    (tmp_path / "paper.db").write_text("no database")
    with pytest.raises(ConfigurationError):
        wired(tmp_path)
    (tmp_path / "paper.db").unlink()
    await wired(tmp_path).stop("done")


async def test_an_audit_log_that_cannot_be_written_refuses_the_start(tmp_path: Path) -> None:
    """The refusal names the setting; the stop after it ends, and lets go of everything."""
    (tmp_path / "file").touch()
    files = Files(tmp_path / "journal.db", tmp_path / "paper.db", tmp_path / "file" / "audit.jsonl")
    assembly = assemble(
        load({}), clock=RecordedClock(NOW), files=files, ends=Ends(), is_inline=True
    )
    with pytest.raises(ConfigurationError, match="AUDIT_LOG_PATH"):
        await assembly.start(follow=False)
    await assembly.stop("it failed")
    await wired(tmp_path).stop("done")


async def test_the_stop_releases_the_journal_whatever_breaks(tmp_path: Path) -> None:
    """A part that breaks on the way out does not keep the journal locked."""
    assembly = wired(tmp_path)
    await assembly.start(follow=False)

    async def break_down() -> None:
        raise RuntimeError("a bug")

    venue = assembly.gateway.desk.venues[Platform.KALSHI]
    venue.close = break_down  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await assembly.stop("done")
    await wired(tmp_path).stop("done")


async def test_what_an_operator_should_look_at(tmp_path: Path) -> None:
    """Switched-off safeguards and what is behind or stopped show as warnings of the status."""
    off = {"DISABLED_SAFEGUARDS": "order_size", "DISABLED_SAFEGUARDS_REASON": "rehearsal"}
    assembly = wired(tmp_path, load(off))
    await assembly.start(follow=False)
    assert assembly.gateway.status().warnings == ("safeguard order_size is off: rehearsal",)
    await assembly.exchange.close()
    warnings = assembly.gateway.status().warnings
    assert any("the paper exchange stopped" in each for each in warnings)
    await assembly.stop("done")


# Recovery --------------------------------------------------------------------------------------


def test_snapshots_are_of_a_version_and_a_shape() -> None:
    """A snapshot is read by the version that wrote it, for the same shape of the book."""
    version, _, shape = snapshot_version().partition("/")
    assert version == __version__
    assert len(shape) == 16
    assert snapshot_version() == snapshot_version()


async def test_recovery_reads_the_snapshot_and_what_came_after_it() -> None:
    """What a snapshot of this version says is believed, and the records behind it are applied."""
    async with running() as rig:
        await rig.halt()
        journal = rig.journal
        book = journal.replayed()
        book.version = "as the snapshot says"
        journal.write_snapshot(book.sequence, snapshot_version(), encode_book(book))
        await rig.halt(scope="sport:NBA")
    found = recover(journal)
    assert found.version == "as the snapshot says"
    assert set(found.halts) == {"http|all", "http|sport:NBA"}
    assert found.sequence == journal.head.sequence


@pytest.mark.parametrize("version", ["0.0.1/0123456789abcdef", __version__, ""])
async def test_recovery_ignores_a_snapshot_of_another_version(version: str) -> None:
    """What another version wrote is not read at all: the records are applied from the first on."""
    async with running() as rig:
        await rig.halt()
        journal = rig.journal
    journal.write_snapshot(journal.head.sequence, version, b"what another version understands")
    assert recover(journal) == journal.replayed()


def test_recovery_of_nothing() -> None:
    """A journal that was just made gives the book of its first record."""
    journal = MemoryJournal(NOW)
    found = recover(journal)
    assert (found.sequence, found.account) == (1, "main")
    assert found.orders == fresh().orders == {}


async def test_recovery_reads_what_a_service_wrote(tmp_path: Path) -> None:
    """The records of a real file give the book that was in memory."""
    assembly = wired(tmp_path)
    await assembly.start(follow=False)
    await assembly.stop("done")
    reader = JournalReader(tmp_path / "journal.db")
    kinds = [stored.kind for stored in reader.records()]
    reader.close()
    assert kinds[0] == events.Bound.__name__
    assert kinds[-1] == events.Stopped.__name__


LIVE = {"PAPER_TRADING": "0", "LIVE_TRADING_AUTHORIZED": "true", "KALSHI_API_KEY_ID": "key"}


@pytest.mark.parametrize(
    ("settings", "is_inline", "is_paused"),
    [(LIVE, False, True), ({}, True, True), ({}, False, False)],
)
async def test_whose_calendar_counts(
    tmp_path: Path, settings: dict[str, str], *, is_inline: bool, is_paused: bool
) -> None:
    """That of the venue live and in recorded time; the paper exchange trades at any hour."""
    key = {"KALSHI_PRIVATE_KEY": pem_of(ed25519_key())} if settings else {}
    thursday = parse_time("2026-01-29T08:30:00Z")
    assembly = assemble(
        load({**settings, **key}),
        clock=RecordedClock(thursday),
        files=files_in(tmp_path),
        ends=Ends(),
        is_inline=is_inline,
    )
    health = assembly.gateway.desk.facts.health(Platform.KALSHI, thursday, "Kalshi")
    assert health.is_paused is is_paused
    assert (health.reason == "Thursdays 03:00-05:00 New York") is is_paused
    assembly.gateway.desk.journal.close()
