"""What other settings would have decided: the part of `arbees replay` that has `--config`.

Guarantees that it names every decision of the journal that comes out otherwise, and no other: each
is judged anew, against what really happened before it and with the facts that were recorded. First
the recorded settings must give every recorded decision again; where they do not, it says so.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import monotonic_ns
from typing import Any

import msgspec

from arbees import __version__
from arbees.cli.commands.prove.rebuild import Damaged, show_damage, walk
from arbees.cli.shared.console import (
    dollars,
    out,
    pairs,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.deciding.redecide import watched
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import to_decimal
from arbees.core.orders.order_pnl import MARKED, SETTLED, UNKNOWN
from arbees.core.orders.result import Line, line
from arbees.errors import InvariantViolation, JournalCorrupt
from arbees.history.what_if import (
    ChangedDecision,
    Mismatch,
    Turn,
    Walk,
)
from arbees.journal import JournalReader
from arbees.settings.recorded import SettingChanges, restore
from arbees.wiring.bootstrap import rules_of

CHUNK = 2_000
TURNS = {
    Turn.DENIED: "approved, would be denied",
    Turn.APPROVED: "denied, would be approved",
    Turn.HEADLINE: "denied, would be for another reason",
}
NOTE = (
    "Each decision is judged against what really happened before it, not against a history in "
    "which the earlier ones had come out otherwise."
)


class PrintedDecision(msgspec.Struct, frozen=True, omit_defaults=False):
    """One decision that would come out otherwise, as it is printed."""

    sequence: int
    time: str
    request_id: str
    leg: int
    turn: str
    was: Line | None
    now: Line | None
    platform: str
    market_id: str
    side: str
    action: str
    size: Decimal
    limit_price: Decimal
    notional: Decimal
    strategy: str | None
    filled_qty: Decimal | None
    """Of the order that would not have been sent; None = it was never sent."""
    pnl: Decimal | None
    """What its fills came to, less fees; None = not known."""
    pnl_is: str | None
    """`settled`, `marked` (at the last recorded mark) or `unknown`."""


class WhatIfWalk:
    """One walk over a journal under other settings."""

    def __init__(self, changes: SettingChanges) -> None:
        self.changes = changes
        self.changed: list[ChangedDecision] = []
        self.mismatches: list[Mismatch] = []
        self.strange: dict[str, None] = {}
        self.versions: dict[str, None] = {}
        self.duration_ns = 0
        self.names: dict[str, None] = {}
        """Settings that are other than recorded at some start."""

    def choose(self, started: events.Started) -> tuple[commands.Rules, commands.Rules]:
        """Return the rules of a start, and those with the changes laid over."""
        then = restore(started.settings)
        others = restore(started.settings, self.changes)
        self.strange |= dict.fromkeys(then.strange)
        self.versions[started.version] = None
        before, after = then.settings.recorded(), others.settings.recorded()
        for name in self.changes.names:
            if before.get(name) != after.get(name):
                self.names[name] = None
        return rules_of(then.settings), rules_of(others.settings)

    def run(self, reader: JournalReader, until: int, move: Callable[[int], None]) -> Walk:
        """Walk up to a record. Raises JournalCorrupt."""
        begun_ns = monotonic_ns()
        at = 0
        try:
            duplicates = [
                event
                for stored in reader.records_of_kinds(("DuplicateRefused",))
                if isinstance(event := events.decode(stored.body), events.DuplicateRefused)
            ]
            walked = Walk(self.choose, watched(duplicates))
            walked.on_change = self.changed.append
            walked.on_mismatch = self.mismatches.append
            for stored in reader.records():
                at = stored.sequence
                if at > until:
                    break
                walked.take(at, stored.time_ns, events.decode(stored.body))
                if at % CHUNK == 0:
                    move(at)
            walked.finish()
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise JournalCorrupt(
                f"Expected an event that this version knows, was none: {error}", sequence=at
            ) from error
        except (InvariantViolation, KeyError) as error:
            raise JournalCorrupt(f"{error}", sequence=at) from error
        self.duration_ns = monotonic_ns() - begun_ns
        return walked


def ask(path: Path, changes: SettingChanges, *, lines: int, as_json: bool) -> int:
    """
    Judge every recorded decision again under other settings.

    Args:
        path: the journal.
        changes: what is set otherwise.
        lines: how many changed decisions to show to people.
        as_json: print one line a changed decision, and the summary as the last one.
    """
    asked = WhatIfWalk(changes)
    walked: list[Walk] = []
    with JournalReader(path) as reader:
        until = reader.head.sequence
        _, damaged = walk(
            path, until, "Deciding", lambda move: walked.append(asked.run(reader, until, move))
        )
    if not walked:
        return _broken(damaged, as_json=as_json)
    told = [tell(change, walked[0].book) for change in asked.changed]
    summary = summary_of(asked, walked[0], told)
    summary["intact"] = damaged is None
    if as_json:
        for each in told:
            print_json({"change": each})
        print_json({"summary": summary})
    else:
        _show(summary, told[:lines], len(told))
    if damaged is not None:
        show_damage(damaged)
        return Exit.CORRUPT
    return Exit.OK


def _broken(damaged: Damaged | None, *, as_json: bool) -> int:
    assert damaged is not None
    if as_json:
        summary = {"intact": False, "first_bad_record": damaged.first_bad}
        print_json({"summary": summary | {"findings": damaged.lines}})
    show_damage(damaged)
    return Exit.CORRUPT


def tell(change: ChangedDecision, book: Book) -> PrintedDecision:
    """Return a changed decision as it is printed, with what the order came to by now."""
    request, leg = change.request, change.leg
    there = request.alternates[leg - 1] if leg else request
    filled = pnl = sure = None
    if change.followed is not None:
        filled = to_decimal(change.followed.filled)
        sure, amount = change.followed.pnl(book)
        pnl = None if sure == UNKNOWN else to_decimal(amount)
    return PrintedDecision(
        sequence=change.sequence,
        time=format_time(change.time_ns),
        request_id=request.request_id,
        leg=leg,
        turn=change.turn,
        was=None if change.was is None else line(change.was),
        now=None if change.now is None else line(change.now),
        platform=there.platform,
        market_id=there.market_id,
        side=there.side,
        action=request.action,
        size=to_decimal(request.size),
        limit_price=to_decimal(there.limit_price),
        notional=to_decimal(change.notional),
        strategy=request.strategy,
        filled_qty=filled,
        pnl=pnl,
        pnl_is=sure,
    )


def summary_of(asked: WhatIfWalk, walked: Walk, told: list[PrintedDecision]) -> dict[str, Any]:
    """Return counts and money of a walk, and whether the recorded settings give it again."""
    counts = walked.counts
    return {
        "settings": {name: asked.changes.values[name].text for name in asked.names},
        "settings_as_recorded": [name for name in asked.changes.names if name not in asked.names],
        "records": counts.records,
        "decisions": counts.decisions,
        "approved": counts.approved,
        "denied": counts.denied,
        "duplicates": counts.duplicates,
        "unjudged": counts.unjudged,
        "starts": counts.starts,
        "baseline": {
            "same": counts.decisions
            + counts.duplicates
            - counts.unjudged
            - len({each.sequence for each in asked.mismatches}),
            "differing": asked.mismatches,
            "versions": list(asked.versions),
            "strange_settings": list(asked.strange),
        },
        "changes": len(told),
        "turns": [_turn(turn, [each for each in told if each.turn == turn]) for turn in Turn],
        "other_findings": counts.other_findings,
        "note": NOTE,
        "seconds": to_decimal(asked.duration_ns // 1_000),
    }


def _turn(turn: Turn, told: list[PrintedDecision]) -> dict[str, Any]:
    """Return one way of coming out otherwise: how often, by whom, and its money."""
    found: dict[str, Any] = {
        "turn": turn,
        "count": len(told),
        "by": _by(told),
        "notional": sum((each.notional for each in told), Decimal(0)),
    }
    if turn is Turn.DENIED:
        sent = [each for each in told if each.filled_qty]
        found["filled_orders"] = len(sent)
        found["pnl"] = {
            sure: sum((each.pnl or Decimal(0) for each in sent if each.pnl_is == sure), Decimal(0))
            for sure in (SETTLED, MARKED)
        }
        found["pnl_unknown_orders"] = sum(each.pnl_is == UNKNOWN for each in sent)
    return found


def _by(told: list[PrintedDecision]) -> list[dict[str, Any]]:
    """Return how often each code is the reason: under the other settings, else of then."""
    reasons = Counter[tuple[str, str]]()
    for each in told:
        reason = each.was if each.now is None else each.now
        assert reason is not None
        reasons[reason.safeguard, reason.code] += 1
    return [
        {"safeguard": safeguard, "code": code, "count": count}
        for (safeguard, code), count in sorted(reasons.items(), key=lambda item: -item[1])
    ]


# For people ------------------------------------------------------------------------------------


def _show(summary: dict[str, Any], told: list[PrintedDecision], total: int) -> None:
    baseline = summary["baseline"]
    changed = ", ".join(f"{name}={text}" for name, text in summary["settings"].items())
    decisions = (
        f"{summary['decisions']:,}: {summary['approved']:,} approved, {summary['denied']:,} "
        f"denied; {summary['duplicates']:,} duplicates"
    )
    pairs(
        [
            ("Records", f"{summary['records']:,}, {summary['starts']} starts of the gateway"),
            ("Decisions", decisions),
            ("Set otherwise", changed or "nothing"),
            ("Same as recorded", ", ".join(summary["settings_as_recorded"])),
        ]
    )
    _show_baseline(summary, baseline)
    if summary["settings"] or total:
        _show_turns(summary)
    if told:
        rows = [
            (
                each.sequence,
                each.time[:19],
                each.request_id,
                dollars(each.notional),
                reason_of(each),
            )
            for each in told
        ]
        table(("Record", "Time (UTC)", "Request", "Notional", "What changes"), rows)
        if total > len(told):
            out(f"and {total - len(told):,} more: --lines N shows more, --json all")
    out(NOTE, style="dim")


def _show_baseline(summary: dict[str, Any], baseline: dict[str, Any]) -> None:
    differing: list[Mismatch] = baseline["differing"]
    if not differing:
        text = f"Under the recorded settings all {baseline['same']:,} decisions come out the same."
        out(styled(text, "green"))
    else:
        say(
            f"Under the recorded settings {len(differing):,} decisions do not come out the same:",
            style="bold red",
        )
        for each in differing[:10]:
            what = f"{each.was}, is {each.again}"
            say(f"  record {each.sequence}, request {each.request_id}: was {what}", style="red")
        if baseline["versions"] != [__version__]:
            wrote = ", ".join(baseline["versions"])
            say(f"The journal was written by version {wrote}; this is {__version__}.")
    for strange in baseline["strange_settings"]:
        say(f"Note: this version cannot read the recorded setting {strange}", style="yellow")
    if summary["unjudged"]:
        say(f"Note: {summary['unjudged']:,} decisions came before any settings were recorded")


def _show_turns(summary: dict[str, Any]) -> None:
    rows = []
    for found in summary["turns"]:
        by = ", ".join(f"{each['code']} {each['count']:,}" for each in found["by"])
        rows.append((TURNS[found["turn"]], f"{found['count']:,}", dollars(found["notional"]), by))
    table(("Decision", "Count", "Notional", "By"), rows)
    denied = summary["turns"][0]
    if denied["filled_orders"]:
        pnl = denied["pnl"]
        out(
            f"Of those that would be denied {denied['filled_orders']:,} filled. Their P&L less "
            f"fees: {dollars(pnl[SETTLED])} settled, {dollars(pnl[MARKED])} at the last marks, "
            f"{denied['pnl_unknown_orders']} not known."
        )


def reason_of(told: PrintedDecision) -> str:
    """Return a change in a sentence."""
    if told.was is None:
        assert told.now is not None
        return f"denied: {told.now.message}"
    if told.now is None:
        return f"approved; was {told.was.code}"
    return f"{told.now.code} instead of {told.was.code}"
