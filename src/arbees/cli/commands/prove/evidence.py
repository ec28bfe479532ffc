"""The pre-flight evidence: everything that live trading asks for, looked up, line by line.

Guarantees that what is not shown is missing: a journal that is not there, a log that cannot be read
and a drill of other limits are no evidence. Reads only. The list is that of the design
("Pre-flight evidence"), which follows the checklist of the requirements.
"""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from arbees.cli.commands.start import host
from arbees.core.book.book import HOUR_NS
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Mode
from arbees.errors import ArbeesError, ConfigurationError
from arbees.history.paper_days import (
    DISPUTED,
    DayRules,
    DrillSeen,
    PaperDays,
    walk,
)
from arbees.journal import JournalReader
from arbees.rehearsal.drills.run import NAMES
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.price_reference import PriceReference
from arbees.settings import Settings
from arbees.settings.authority import live_platforms
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.proof import missing

DAY_NS = 86_400 * NS_PER_SECOND
LISTED_MAX = 5


class EvidenceLine(NamedTuple):
    """One line of the list."""

    name: str
    is_met: bool
    text: str
    """What was found."""
    mend: str = ""
    """What to do, where it is not met."""


Clock = Callable[[], tuple[host.HostFinding, ...]]


def this_clock() -> tuple[host.HostFinding, ...]:
    """Look at the clock of this machine."""
    return host.clock(), host.synchronization(host.kernel_clock())


def examine(settings: Settings, now_ns: int, clock: Clock = this_clock) -> list[EvidenceLine]:
    """
    Return the list.

    Args:
        settings: those of the live start, or of now.
        now_ns: UTC nanoseconds.
        clock: looks at the clock.
    """
    paper, live = settings.journal_path(Mode.PAPER), settings.journal_path(Mode.LIVE)
    zone = ZoneInfo(settings.section(DailyLoss).trading_day_timezone)
    asked = DayRules(
        up_ns=settings.exceptions.preflight_hours * HOUR_NS,
        quote_age_ns=settings.section(PriceReference).max_quote_age,
    )
    lines: list[EvidenceLine] = []
    try:
        with JournalReader(paper) as reader:
            if reader.binding.mode != Mode.PAPER:
                raise ConfigurationError(f"The journal {paper} is not one of paper trading")
            seen = walk(reader, zone, asked)
            counted = seen.days[-settings.exceptions.preflight_paper_days :]
            lines += [*_days(settings, seen, asked), _denials(seen, set(counted))]
            lines += _drills(settings, [seen, *_others(live, paper, zone, asked)], now_ns)
            lines.append(_audit_log(settings, reader, now_ns))
            lines.append(_breaks(seen))
    except (ArbeesError, OSError) as error:
        mend = "Trade on paper first: PAPER_TRADING=1, arbees run"
        lines.append(EvidenceLine("paper trading", is_met=False, text=str(error), mend=mend))
    lines += [_credentials(settings), *_clock(clock())]
    return lines


def _others(live: Path, paper: Path, zone: ZoneInfo, asked: DayRules) -> Iterator[PaperDays]:
    """Yield what the live journal shows, where there is one: drills may stand there too."""
    if live != paper and live.exists():
        with JournalReader(live) as reader:
            yield walk(reader, zone, asked)


def _days(settings: Settings, seen: PaperDays, asked: DayRules) -> Iterator[EvidenceLine]:
    days, hours = settings.exceptions.preflight_paper_days, settings.exceptions.preflight_hours
    text = (
        f"{len(seen.days)} of {days} days of paper trading with every safeguard on, each with "
        f"{hours} hours up and {asked.decisions} decisions on fresh quotes"
    )
    for day, on in list(seen.seen.items())[-LISTED_MAX:]:
        text += f"; {day}: {on.figures}"
    if seen.spoiled:
        spoiled = list(seen.spoiled.items())[-LISTED_MAX:]
        text += "; not counted: " + ", ".join(f"{day} (off: {off})" for day, off in spoiled)
    is_met = len(seen.days) >= days
    mend = "Go on trading on paper over the venue's own quotes, with every safeguard on"
    yield EvidenceLine("paper trading", is_met, text, "" if is_met else mend)
    if settings.disabled:
        off = ", ".join(settings.disabled)
        yield EvidenceLine(
            "safeguards",
            is_met=False,
            text=f"switched off now: {off}",
            mend="Remove them from DISABLED_SAFEGUARDS",
        )


def _denials(seen: PaperDays, days: set[str]) -> EvidenceLine:
    denials = seen.in_days(days)
    open_ones = [sequence for sequence, verdict in denials.items() if not verdict]
    disputed = [sequence for sequence, verdict in denials.items() if verdict == DISPUTED]
    text = f"{len(denials)} denials in these days, {len(open_ones)} not confirmed or disputed"
    if disputed:
        text += f", {len(disputed)} disputed (records {_listed(disputed)})"
    mend = ""
    if open_ones:
        mend = f"arbees replay --check-false-denials (the first is record {open_ones[0]})"
    return EvidenceLine("denials", not open_ones, text, mend)


def _listed(sequences: list[int]) -> str:
    shown = ", ".join(map(str, sequences[:LISTED_MAX]))
    return f"{shown}, ..." if len(sequences) > LISTED_MAX else shown


def _drills(settings: Settings, journals: list[PaperDays], now_ns: int) -> Iterator[EvidenceLine]:
    """Yield a line for all drills, and one for the kill switch, which the checklist asks for."""
    here, wrong = socket.gethostname(), {}
    for name in NAMES:
        seen = [each.drills[name, here] for each in journals if (name, here) in each.drills]
        newest = max(seen, key=lambda drill: drill.time_ns, default=None)
        problem = _wrong_with(newest, settings, now_ns)
        if problem is not None:
            wrong[name] = problem
    age = settings.exceptions.drill_age_days_max
    for title, names in (("drills", NAMES), ("kill switch test", ("kill_switch",))):
        bad = [f"{name} {wrong[name]}" for name in names if name in wrong]
        text = f"{len(names) - len(bad)} of {len(names)} on {here}, at most {age} days old"
        if bad:
            shown = ", ".join(bad[:LISTED_MAX])
            text += f"; {shown}" + (", ..." if len(bad) > LISTED_MAX else "")
        chosen = " ".join(names) if len(names) == 1 else "--all"
        yield EvidenceLine(title, not bad, text, f"arbees drill {chosen}" if bad else "")


def _wrong_with(drill: DrillSeen | None, settings: Settings, now_ns: int) -> str | None:
    """Return why a drill is no evidence."""
    if drill is None:
        return "never drilled"
    if drill.event.limits_hash != settings.limits_hash:
        return "drilled under other limits"
    if now_ns - drill.time_ns > settings.exceptions.drill_age_days_max * DAY_NS:
        return f"drilled on {format_time(drill.time_ns)}"
    return None if drill.event.is_passed else "FAILED"


def _audit_log(settings: Settings, reader: JournalReader, now_ns: int) -> EvidenceLine:
    name, path = "audit log", settings.audit_log_path()
    if not settings.audit_log.is_enabled:
        return EvidenceLine(
            name, is_met=False, text="it is switched off", mend="Set AUDIT_LOG_ENABLED=true"
        )
    kept_ns = now_ns - settings.audit_log.retention_days * DAY_NS
    try:
        report = missing(reader, AuditFiles(path).all(), since_ns=kept_ns)
    except OSError as error:
        return EvidenceLine(
            name, is_met=False, text=f"{path}: {error.strerror}", mend="Make it readable"
        )
    # Lines of the live journal stand in the same file: they are no fault of this one.
    is_whole = not (report.missing or report.changed or report.twice)
    text = f"{report.found} of {report.expected} lines of the journal are in {path}"
    if is_whole:
        return EvidenceLine(name, is_met=True, text=text)
    faults = f"{report.missing} missing, {report.changed} changed, {report.twice} twice"
    mend = f"arbees audit verify {reader.path} --log {path}"
    return EvidenceLine(name, is_met=False, text=f"{text}: {faults}", mend=mend)


def _breaks(seen: PaperDays) -> EvidenceLine:
    if not seen.breaks:
        return EvidenceLine("reconciliation", is_met=True, text="no break is open")
    shown = "; ".join(list(seen.breaks.values())[:LISTED_MAX])
    text = f"{len(seen.breaks)} open: {shown}"
    return EvidenceLine("reconciliation", is_met=False, text=text, mend="arbees reconcile")


def _credentials(settings: Settings) -> EvidenceLine:
    try:
        platforms = live_platforms(settings)
    except ConfigurationError as error:
        return EvidenceLine("credentials", is_met=False, text=error.message, mend=error.fix or "")
    names = ", ".join(platform.value for platform in platforms)
    return EvidenceLine("credentials", is_met=True, text=f"complete for {names}")


def _clock(found: tuple[host.HostFinding, ...]) -> Iterator[EvidenceLine]:
    for each in found:
        is_met = each.state is not host.HostState.FAIL
        yield EvidenceLine(each.name, is_met, each.text, each.mend)
