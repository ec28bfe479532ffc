"""Asks of a whole journal what other rules would have decided, decision by decision.

Guarantees that each decision is judged against what really happened before it: the book is the fold
of the recorded history, never of one in which an earlier decision came out otherwise. Under the
rules of then every decision must come out the same first (P6); where one does not, it is named.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.deciding import commands
from arbees.core.deciding.redecide import (
    Judged,
    KeyFold,
    Watched,
    code_of,
    decided,
    redecide,
)
from arbees.core.deciding.verdicts import Verdict
from arbees.core.language.request import Request
from arbees.core.language.units import mul_ceil
from arbees.core.orders.order_pnl import FillTally, OrderPnl


class Turn(StrEnum):
    """How a decision comes out under other rules."""

    DENIED = "approved_to_denied"
    APPROVED = "denied_to_approved"
    HEADLINE = "other_headline"
    """Denied then and now, for another first reason."""


class ChangedDecision(msgspec.Struct, kw_only=True):
    """One decision that would come out otherwise."""

    sequence: int
    time_ns: int
    turn: Turn
    request: Request
    leg: int
    was: events.Finding | None
    """The headline of then; None = approved."""
    now: events.Finding | None
    notional: int
    """Limit price x quantity, in micro-dollars, rounded up."""
    followed: OrderPnl | None = None
    """What the order came to that would not have been sent."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that the rules of then do not make again: P6 broken, or another version."""

    sequence: int
    request_id: str
    was: str
    again: str


class Counts(msgspec.Struct, kw_only=True):
    """What a walk saw."""

    records: int = 0
    decisions: int = 0
    approved: int = 0
    denied: int = 0
    duplicates: int = 0
    unjudged: int = 0
    """Before any settings were recorded."""
    starts: int = 0
    other_findings: int = 0
    """Same headline, but not the same reasons behind it."""


Choose = Callable[[events.Started], "tuple[commands.Rules, commands.Rules]"]
"""Gives the rules of then, and the others, for the settings of a start."""


class Walk:
    """Goes through a journal; hand it every record in order, then `finish`."""

    def __init__(self, choose: Choose, names: Watched) -> None:
        """
        Start before the first record.

        Args:
            choose: asked at each start of the gateway for the rules from then on.
            names: what the journal's duplicates name, see `core.deciding.redecide.watched`.
        """
        self.book: Book = fresh()
        self.counts = Counts()
        self.worth = FillTally()
        self._choose = choose
        self._keys = KeyFold(names)
        self._rules: tuple[commands.Rules, commands.Rules] | None = None
        self._listed: tuple[events.MarketListed, int, int] | None = None
        self._due: tuple[events.Event, ...] = ()
        self._due_of: tuple[int, str] = (0, "")
        self.on_change: Callable[[ChangedDecision], None] = lambda _change: None
        """Told of each decision that would come out otherwise, at its record."""
        self.on_mismatch: Callable[[Mismatch], None] = lambda _mismatch: None

    def take(self, sequence: int, time_ns: int, event: events.Event) -> None:
        """Take the next record."""
        self.counts.records += 1
        self._check_due(sequence, event)
        if isinstance(event, Judged):
            self._judge(sequence, time_ns, event)
            self.worth.take(event)
        elif isinstance(event, events.DuplicateRefused):
            self._refuse(sequence, event)
        elif isinstance(event, events.MarketListed) and self._may_be_of_an_approval():
            self._apply_listed()
            self._listed = (event, sequence, time_ns)
            return
        self._apply_listed()
        if isinstance(event, events.Started):
            self.counts.starts += 1
            self._rules = share(*self._choose(event))
        elif isinstance(event, events.OrderFilled | events.FillReversed):
            self.worth.take(event)
        self._keys.take(event, time_ns)
        apply(self.book, event, sequence, time_ns)

    def finish(self) -> Book:
        """Return the book at the end."""
        self._apply_listed()
        return self.book

    # Judgements --------------------------------------------------------------------------------

    def _judge(self, sequence: int, time_ns: int, event: Judged) -> None:
        counts = self.counts
        counts.decisions += 1
        if isinstance(event, events.OrderApproved):
            counts.approved += 1
            if not self._is_of_listed(event):
                self._apply_listed()
        else:
            counts.denied += 1
            self._apply_listed()
        if self._rules is None:
            counts.unjudged += 1
            return
        then, others = self._rules
        again = redecide(self.book, event, then)
        new_events = again.events
        made = decided(again)
        if made != event:
            self._mismatch(sequence, event, made)
        else:
            self._due = new_events[new_events.index(made) + 1 :]
            self._due_of = (sequence, event.request.request_id)
        if others is not then:
            self._compare(sequence, time_ns, event, decided(redecide(self.book, event, others)))

    def _compare(self, sequence: int, time_ns: int, event: Judged, now: Judged) -> None:
        was_code, now_code = code_of(event), code_of(now)
        if was_code == now_code:
            if was_code is not None and _reasons(event) != _reasons(now):
                self.counts.other_findings += 1
            return
        change = ChangedDecision(
            sequence=sequence,
            time_ns=time_ns,
            turn=_turn(was_code, now_code),
            request=event.request,
            leg=event.leg,
            was=_headline(event),
            now=_headline(now),
            notional=notional_of(event),
        )
        if isinstance(event, events.OrderApproved):
            change.followed = self.worth.follow(event)
        self.on_change(change)

    def _refuse(self, sequence: int, event: events.DuplicateRefused) -> None:
        self._apply_listed()
        self.counts.duplicates += 1
        if self._rules is None:
            self.counts.unjudged += 1
        elif not self._keys.is_refused_alike(self.book, event, self._rules[0]):
            mismatch = Mismatch(
                sequence=sequence,
                request_id=event.request.request_id,
                was=event.code,
                again="not refused with the same words",
            )
            self.on_mismatch(mismatch)

    def _mismatch(self, sequence: int, event: Judged, made: Judged) -> None:
        was, again = _changed(event), _changed(made)
        if was == again:
            again = f"{again}, with other verdicts"
        name = event.request.request_id
        self.on_mismatch(Mismatch(sequence=sequence, request_id=name, was=was, again=again))

    def _check_due(self, sequence: int, event: events.Event) -> None:
        """Hold what a decision brought along (a halt) against the records after it."""
        if not self._due:
            return
        due, self._due = self._due[0], self._due[1:]
        if due != event:
            about, name = self._due_of
            self._due = ()
            again = f"{events.kind(due)} after record {about}"
            mismatch = Mismatch(
                sequence=sequence, request_id=name, was=events.kind(event), again=again
            )
            self.on_mismatch(mismatch)

    # Listings that an approval brings along ------------------------------------------------------

    def _may_be_of_an_approval(self) -> bool:
        """
        Tell whether the next record may be of the same decision.

        With the market safeguard off an unknown market is listed together with the approval; the
        decision was made before that.
        """
        return self._rules is not None and "MARKET_UNKNOWN" not in self._rules[0].owners

    def _is_of_listed(self, event: events.OrderApproved) -> bool:
        if self._listed is None or event.facts.touch is not None:
            return False
        return self._listed[0].listing.market_key == event.market_key

    def _apply_listed(self) -> None:
        if self._listed is not None:
            event, sequence, time_ns = self._listed
            self._listed = None
            apply(self.book, event, sequence, time_ns)


def notional_of(event: Judged) -> int:
    """Return limit price x quantity of the leg that was decided."""
    request = event.request
    there = request.alternates[event.leg - 1] if event.leg else request
    return mul_ceil(there.limit_price, request.size)


def _turn(was: str | None, now: str | None) -> Turn:
    if was is None:
        return Turn.DENIED
    return Turn.APPROVED if now is None else Turn.HEADLINE


def _headline(event: Judged) -> events.Finding | None:
    return None if isinstance(event, events.OrderApproved) else event.findings[0]


def _reasons(event: Judged) -> list[str]:
    return [] if isinstance(event, events.OrderApproved) else [each.code for each in event.findings]


def _changed(event: Judged) -> str:
    return code_of(event) or "approved"


# Rules that differ in part ---------------------------------------------------------------------


def share(then: commands.Rules, others: commands.Rules) -> tuple[commands.Rules, commands.Rules]:
    """
    Let the others take over what safeguards say that are the same in both.

    A safeguard is a pure function of order, book and facts: asked twice about the same it says the
    same, as long as the order is worked out alike. Returns `then` twice where nothing differs.
    """
    if _without_checks(then) == _without_checks(others):
        return then, then
    is_alike = (then.terms, then.balance_buffer) == (others.terms, others.balance_buffer)
    if not is_alike:
        return then, others
    kept: dict[str, Any] = {}
    asked = []
    for safeguard in then.safeguards:
        kept[safeguard.name] = ask = _CachedCheck(safeguard.check)
        asked.append(ask)
    same = {each.name: each for each in then.safeguards}
    answers = [
        kept[each.name].last if same.get(each.name) == each else each.check
        for each in others.safeguards
    ]
    return _with_checks(then, tuple(asked)), _with_checks(others, tuple(answers))


class _CachedCheck:
    """A safeguard's check that keeps its last answer."""

    def __init__(self, check: commands.Check) -> None:
        self._check = check
        self._said: tuple[Verdict, ...] = ()

    def __call__(self, *asked: Any) -> tuple[Verdict, ...]:
        self._said = self._check(*asked)
        return self._said

    def last(self, *_asked: Any) -> tuple[Verdict, ...]:
        """Return the answer to the question before."""
        return self._said


def _without_checks(rules: commands.Rules) -> tuple[Any, ...]:
    return (
        rules.mode,
        rules.account,
        rules.environment,
        rules.safeguards,
        rules.terms,
        rules.balance_buffer,
    )


def _with_checks(rules: commands.Rules, checks: tuple[commands.Check, ...]) -> commands.Rules:
    changed = msgspec.structs.replace(rules)
    msgspec.structs.force_setattr(changed, "checks", checks)
    return changed
