"""The pre-flight evidence: each line is met by what was shown, and by nothing less."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from arbees.cli.commands.prove import preflight
from arbees.cli.commands.prove.evidence import EvidenceLine, examine
from arbees.cli.commands.start import host
from arbees.core import events
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.language.strict_json import parse_time
from arbees.core.language.words import Mode
from arbees.core.ports import Entry
from arbees.history.paper_days import DECISIONS_MIN
from arbees.journal import JournalReader, SqliteJournal
from arbees.rehearsal.drills.run import NAMES
from arbees.settings import Settings, load
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.log import AuditLog
from arbees.telemetry.days import day_start
from tests.telemetry.lives import DAY, SECOND, make_request

NOW = parse_time("2026-03-12T20:30:00Z")
FIRST = NOW - 8 * DAY
HERE = socket.gethostname()
LIVE = {
    "PAPER_TRADING": "0",
    "LIVE_TRADING_AUTHORIZED": "true",
    "KALSHI_API_KEY_ID": "id",
    "KALSHI_PRIVATE_KEY": "key",
    "LIVE_PLATFORMS": "Kalshi",
}


def good_clock() -> tuple[host.HostFinding, ...]:
    """Return that the clock is well."""
    return (host.ok("clock", "it is well"),)


class Desk:
    """A folder in which evidence is made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given = {
            **LIVE,
            "JOURNAL_PATH": str(folder / "arbees-{mode}.db"),
            "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
        }
        self.events: list[tuple[int, events.Event, str | None]] = []
        self.count = 0

    def settings(self, **more: str) -> Settings:
        return load(self.given | more)

    def add(self, time_ns: int, event: events.Event, request_id: str | None = None) -> int:
        """Put an event in; return its place, which `write` turns into a sequence."""
        self.events.append((time_ns, event, request_id))
        return len(self.events) - 1

    def start(self, time_ns: int, **disabled: str) -> None:
        self.add(
            time_ns,
            events.Started(version="1", settings_hash="s", settings={}, disabled=disabled),
        )

    def deny(self, time_ns: int) -> int:
        self.count += 1
        request = make_request(f"r{self.count}", created_ns=time_ns)
        denied = events.RequestDenied(
            request=request,
            findings=(events.Finding("order_size", "MAX_ORDER_SIZE", 150, 100),),
            facts=Facts(now_ns=time_ns, touch=Touch(ts_ns=time_ns)),
            received_ns=time_ns,
        )
        return self.add(time_ns, denied, request.request_id)

    def review(self, sequence: int, verdict: str = "confirmed") -> None:
        said = events.DenialReviewed(
            request_id="r", sequence=sequence, verdict=verdict, reason="r", actor="ann"
        )
        self.add(NOW - SECOND, said)

    def drill(self, name: str, time_ns: int = NOW - DAY, **more: object) -> None:
        drilled = events.Drilled(
            safeguard=name,
            is_passed=True,
            limits_hash=self.settings().limits_hash,
            settings_hash="s",
            host=HERE,
            version="1",
            actor="ann",
        )
        self.add(time_ns, msgspec.structs.replace(drilled, **more))

    def write(self, mode: Mode = Mode.PAPER) -> None:
        """Write the journal of a mode, and on paper its audit log."""
        path = self.settings().journal_path(mode)
        places = sorted(range(len(self.events)), key=lambda place: self.events[place][0])
        journal = SqliteJournal.open(
            path, account="main", environment="local", mode=mode, clock_ns=lambda: FIRST - 1
        )
        last_ns = journal.head.time_ns
        entries = []
        for place in places:
            time_ns, event, request_id = self.events[place]
            if isinstance(event, events.DenialReviewed):
                # The first record binds the journal.
                sequence = places.index(event.sequence) + 2
                event = msgspec.structs.replace(event, sequence=sequence)
            last_ns = max(last_ns + 1, time_ns)
            entries.append(Entry(last_ns, events.kind(event), events.encode(event), request_id))
        if entries:
            journal.append(entries)
        journal.close()
        if mode is Mode.PAPER:
            with JournalReader(path) as reader:
                log = AuditLog(reader, AuditFiles(self.folder / "audit.jsonl"))
                log.open()
                log.catch_up()
                log.close()

    def lines(self, **more: str) -> dict[str, EvidenceLine]:
        """Return the list by the names of its lines."""
        return {each.name: each for each in examine(self.settings(**more), NOW, good_clock)}

    def unmet(self, **more: str) -> list[str]:
        return [name for name, line in self.lines(**more).items() if not line.is_met]


def week(desk: Desk) -> list[int]:
    """Make seven days of paper trading, with twenty denials on each; return the denials."""
    desk.start(FIRST)
    return [
        desk.deny(FIRST + number * DAY + count * SECOND)
        for number in range(7)
        for count in range(DECISIONS_MIN)
    ]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a folder with nothing in it."""
    return Desk(tmp_path)


def complete(desk: Desk) -> Desk:
    """Make evidence in which nothing is missing."""
    for sequence in week(desk):
        desk.review(sequence)
    for name in NAMES:
        desk.drill(name)
    return desk


def test_complete_evidence_is_met(desk: Desk) -> None:
    """Seven days, every denial looked at, every drill of here and now, an audit log that holds."""
    complete(desk).write()
    assert desk.unmet() == []
    assert preflight.unmet(desk.settings(), NOW) == []


def test_nothing_is_no_evidence(desk: Desk) -> None:
    """Without a journal of paper trading the list says to trade on paper first."""
    lines = desk.lines()
    assert not lines["paper trading"].is_met
    assert "PAPER_TRADING=1" in lines["paper trading"].mend
    assert not desk.settings().journal_path(Mode.PAPER).exists()


def test_six_days_are_not_seven(desk: Desk) -> None:
    """A day less than asked for is missing, exactly as many are enough."""
    for sequence in week(desk):
        desk.review(sequence)
    for name in NAMES:
        desk.drill(name)
    desk.write()
    assert desk.unmet(PREFLIGHT_PAPER_DAYS="8") == ["paper trading"]
    assert desk.unmet(PREFLIGHT_PAPER_DAYS="7") == []


def spoil(desk: Desk) -> None:
    """Switch a safeguard off for a second."""
    desk.start(FIRST + 3 * DAY, balance="an experiment")
    desk.start(FIRST + 3 * DAY + 2 * SECOND)


def leave_open(desk: Desk) -> None:
    """Deny once more."""
    desk.deny(FIRST + 6 * DAY + 2 * SECOND)


def fail_drill(desk: Desk) -> None:
    """Drill again, and fail."""
    desk.drill("balance", NOW - SECOND, is_passed=False)


def drill_elsewhere(desk: Desk) -> None:
    """Let a drill be of another host."""
    desk.events = [
        (at, msgspec.structs.replace(event, host="another host"), about)
        if isinstance(event, events.Drilled) and event.safeguard == "market"
        else (at, event, about)
        for at, event, about in desk.events
    ]


def open_break(desk: Desk) -> None:
    """Find a difference to the venue."""
    opened = events.BreakOpened(
        break_id="b",
        kind="cash",
        platform="Kalshi",
        market_key=None,
        expected="1",
        observed="2",
        policy="halt",
    )
    desk.add(NOW - DAY, opened)


@pytest.mark.parametrize(
    ("harm", "names"),
    [
        (spoil, ["paper trading"]),
        (leave_open, ["denials"]),
        (fail_drill, ["drills"]),
        (drill_elsewhere, ["drills"]),
        (open_break, ["reconciliation"]),
    ],
)
def test_one_thing_amiss_is_one_line(
    desk: Desk, harm: Callable[[Desk], None], names: list[str]
) -> None:
    """Each harm is found by the line that is about it, which says what to do."""
    complete(desk)
    harm(desk)
    desk.write()
    assert desk.unmet() == names
    assert all(desk.lines()[name].mend for name in names)


def test_drills_grow_old(desk: Desk) -> None:
    """At the greatest age a drill still counts, a nanosecond later it does not."""
    for sequence in week(desk):
        desk.review(sequence)
    for name in NAMES:
        desk.drill(name, NOW - 3 * DAY)
    desk.write()
    last_ns = NOW - 3 * DAY + len(NAMES)
    settings = desk.settings(DRILL_MAX_AGE_DAYS="3")
    for moment, is_met in ((NOW, True), (last_ns + 3 * DAY, False)):
        found = {each.name: each.is_met for each in examine(settings, moment, good_clock)}
        assert (found["drills"], found["kill switch test"]) == (is_met, is_met)


def test_other_limits_void_the_drills(desk: Desk) -> None:
    """After a limit was changed everything is to be drilled anew."""
    complete(desk).write()
    assert desk.unmet(MAX_ORDER_SIZE="99") == ["drills", "kill switch test"]
    assert "drilled under other limits" in desk.lines(MAX_ORDER_SIZE="99")["drills"].text


def test_drills_in_the_live_journal_count(desk: Desk) -> None:
    """Whoever drills with live settings writes into the live journal; it is read too."""
    for sequence in week(desk):
        desk.review(sequence)
    desk.write()
    desk.events = []
    for name in NAMES:
        desk.drill(name)
    desk.write(Mode.LIVE)
    assert desk.unmet() == []


def test_a_line_missing_from_the_audit_log(desk: Desk) -> None:
    """The log is compared line by line with the journal."""
    complete(desk).write()
    path = desk.folder / "audit.jsonl"
    kept = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(kept[:-1]))
    assert desk.unmet() == ["audit log"]
    assert "1 missing" in desk.lines()["audit log"].text


def test_lines_of_the_live_journal_are_no_fault(desk: Desk) -> None:
    """Both journals write into one audit log; what is not of the paper journal is left alone."""
    complete(desk).write()
    path = desk.folder / "audit.jsonl"
    first = path.read_bytes().splitlines(keepends=True)[0]
    foreign = first.replace(b'"request_id":"r', b'"request_id":"l')
    path.write_bytes(path.read_bytes() + foreign)
    assert desk.unmet() == []


def test_a_live_journal_is_no_paper_trading(desk: Desk) -> None:
    """A journal that was bound to live trading proves no days on paper."""
    desk.given["JOURNAL_PATH"] = str(desk.folder / "one.db")
    complete(desk).write(Mode.LIVE)
    assert "paper trading" in desk.unmet()


def test_disputed_denials_are_told(desk: Desk) -> None:
    """A dispute is an answer; how many there are, and where, is told."""
    denials = week(desk)
    for sequence in denials:
        desk.review(sequence, "disputed" if sequence == denials[0] else "confirmed")
    for name in NAMES:
        desk.drill(name)
    desk.write()
    assert desk.unmet() == []
    assert "1 disputed" in desk.lines()["denials"].text


def test_credentials_and_clock(desk: Desk) -> None:
    """No credentials, and a clock that is wrong, are lines of their own."""
    complete(desk).write()
    del desk.given["KALSHI_PRIVATE_KEY"]
    assert desk.unmet() == ["credentials"]
    bad = (host.fail("clock", "it is 1970", "set it"), host.warn("ntp", "nobody keeps it", "do"))
    lines = {each.name: each for each in examine(desk.settings(), NOW, lambda: bad)}
    assert (lines["clock"].is_met, lines["ntp"].is_met) == (False, True)


def test_command_says_what_is_missing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 1, and JSON and table name every line."""
    monkeypatch.chdir(desk.folder)
    for name, text in desk.given.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("LIVE_REQUIRES_PREFLIGHT", "0")
    monkeypatch.setenv("LIVE_PREFLIGHT_OVERRIDE_REASON", "an emergency")
    assert preflight.app(["--json"], result_action="return_value") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["met"] is False
    assert told["override"] == "an emergency"
    assert {line["name"] for line in told["lines"]} >= {"paper trading", "credentials"}
    assert preflight.app([], result_action="return_value") == 1
    shown = capsys.readouterr()
    assert "MISSING" in shown.out
    assert "OVERRIDDEN: a live start does without it: an emergency" in shown.err


def test_the_days_are_those_of_the_zone() -> None:
    """The test's own days lie within the trading days that they are meant for."""
    zone = ZoneInfo("America/New_York")
    assert len({day_start(FIRST + number * DAY + SECOND, zone) for number in range(7)}) == 7
