"""The quality of execution, the slow and obvious way: every number by its own walk."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from arbees.core import events
from arbees.core.language.words import Action, Side
from arbees.core.ports import Stored

MICRO = 1_000_000
Told = tuple[int, int, Any]
"""Sequence, time, event."""


class Leg(NamedTuple):
    """One approved order and all that happened to it."""

    sequence: int
    time_ns: int
    approved: events.OrderApproved
    after: list[Told]

    def of(self, *kinds: type) -> list[Told]:
        return [each for each in self.after if isinstance(each[2], kinds)]

    @property
    def fills(self) -> list[Told]:
        return self.of(events.OrderFilled)

    @property
    def filled(self) -> int:
        return sum(event.quantity for _, _, event in self.fills)

    @property
    def end(self) -> Told | None:
        ended = (
            events.OrderDenied,
            events.OrderRejected,
            events.OrderNotSent,
            events.OrderCancelled,
            events.OrderExpired,
        )
        found = [
            each
            for each in self.after
            if isinstance(each[2], ended) or getattr(each[2], "is_complete", False)
        ]
        return found[0] if found else None

    @property
    def is_placed(self) -> bool:
        kinds = (
            events.OrderAcknowledged,
            events.OrderFilled,
            events.OrderCancelled,
            events.OrderExpired,
        )
        return bool(self.of(*kinds))

    @property
    def outcome(self) -> str:
        if self.end is None:
            return "open"
        if self.filled >= self.approved.request.size:
            return "filled"
        if self.filled:
            return "partial"
        names = {"OrderDenied": "stopped", "OrderRejected": "rejected", "OrderNotSent": "not_sent"}
        return names.get(type(self.end[2]).__name__, "unfilled")

    @property
    def is_unknown(self) -> bool:
        doubts = [seq for seq, _, _ in self.of(events.OrderUnknown)]
        known = [seq for seq, _, _ in self.of(events.OrderAcknowledged)]
        if self.end is not None:
            known.append(self.end[0])
        return bool(doubts) and max(known, default=0) < doubts[-1]

    @property
    def quote(self) -> int | None:
        touch, approved = self.approved.facts.touch, self.approved
        if touch is None:
            return None
        buys = approved.request.action is Action.BUY
        if approved.side is Side.YES:
            return touch.ask if buys else touch.bid
        other = touch.bid if buys else touch.ask
        return None if other is None else MICRO - other


def legs_of(records: list[Told], after: int) -> list[Leg]:
    """Return every approved order with what happened to it."""
    found: list[Leg] = []
    for sequence, time_ns, event in records:
        if isinstance(event, events.OrderApproved):
            found.append(Leg(sequence, time_ns, event, []))
        elif isinstance(event, events.OrderEvent):
            of_request = [
                leg for leg in found if leg.approved.request.request_id == event.request_id
            ]
            if isinstance(event, events.OrderFilled):
                place = (event.platform, event.market_key)
                of_request = [
                    leg
                    for leg in of_request
                    if (leg.approved.platform, leg.approved.market_key) == place
                ]
            of_request[-1].after.append((sequence, time_ns, event))
    return [leg for leg in found if leg.sequence > after]


def expected(stored: Iterable[Stored], after: int, until: int | None = None) -> dict[str, Any]:
    """Return the numbers of a row over all groups."""
    records: list[Told] = [
        (each.sequence, each.time_ns, events.decode(each.body))
        for each in stored
        if until is None or each.sequence <= until
    ]
    legs = legs_of(records, after)
    counted = [each for each in records if each[0] > after]
    denied = [each for each in counted if isinstance(each[2], events.RequestDenied)]
    placed = [leg for leg in legs if leg.is_placed]
    outcomes = Counter(leg.outcome for leg in legs)
    gated = [each for leg in legs for each in leg.of(events.OrderDenied)]
    sums: dict[str, Any] = {
        "requests": sum(event.leg == 0 for _, _, event in denied)
        + sum(leg.approved.leg == 0 for leg in legs),
        "duplicates": sum(isinstance(event, events.DuplicateRefused) for _, _, event in counted),
        "denied": sum(not event.falls_back for _, _, event in denied),
        "approved": len(legs),
        "unknown": sum(leg.is_unknown for leg in legs),
        "placed": len(placed),
        "fills": sum(len(leg.fills) for leg in legs),
        "placed_quantity": sum(leg.approved.request.size for leg in placed),
        "filled_quantity": sum(leg.filled for leg in legs),
        "placed_with_fill": sum(bool(leg.fills) for leg in legs),
        "value": sum(event.value for leg in legs for _, _, event in leg.fills),
        "fees": sum(event.fee for leg in legs for _, _, event in leg.fills),
        "limit": _slippage(legs, lambda leg: leg.approved.limit_price),
        "quote": _slippage(legs, lambda leg: leg.quote),
        "denials": Counter(
            name
            for _, _, event in denied
            for name in {finding.safeguard for finding in event.findings}
        )
        + Counter("gate" for _ in gated),
        "decide": sorted(
            [time_ns - event.received_ns for _, time_ns, event in denied]
            + [leg.time_ns - leg.approved.received_ns for leg in legs]
        ),
        "acknowledge": sorted(
            time_ns - leg.time_ns
            for leg in legs
            for _, time_ns, _ in leg.of(events.OrderAcknowledged)
        ),
        "first_fill": sorted(leg.fills[0][1] - leg.time_ns for leg in legs if leg.fills),
        "final": sorted(
            [time_ns - event.received_ns for _, time_ns, event in denied if not event.falls_back]
            + [leg.end[1] - leg.approved.received_ns for leg in legs if leg.end is not None]
        ),
    }
    names = ("open", "stopped", "not_sent", "rejected", "filled", "partial", "unfilled")
    return sums | {name: outcomes[name] for name in names}


def _slippage(legs: list[Leg], reference: Callable[[Leg], int | None]) -> tuple[int, int]:
    quantity = value = 0
    for leg in legs:
        price = reference(leg)
        for _, _, event in leg.fills if price is not None else ():
            assert price is not None
            worse = event.value - price * event.quantity
            quantity += event.quantity
            value += worse if leg.approved.request.action is Action.BUY else -worse
    return quantity, value
