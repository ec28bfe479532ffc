"""Folds journal records into sums of execution quality.

Guarantees that whoever folds the same records has the same sums, in one go or step by step, and
that memory is bounded: open orders are remembered, of closed ones only sums; what a late record
needs of a closed order is read again from the journal. Requests count from the record of their
decision on: a fill of an order that was decided before the first record is not counted.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from arbees.core import events
from arbees.core.book.open_order import CLOSED_STATES, Order
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    UNCLASSIFIED,
    UNNAMED,
    Action,
    OrderStatus,
    Side,
)
from arbees.core.orders import lifecycle
from arbees.core.orders.lifecycle import advance, opened
from arbees.core.ports import Stored
from arbees.telemetry.quality.tally import OrderOutcome, Stage, Tally

GROUPS_MAX = 4_096
"""Combinations of venue, sport, strategy and model that are told apart; the rest is `other`."""
VENUE_CODES_MAX = 256
"""Codes of venues that are told apart in a group; the rest is `other`."""
OTHER = "other"
NONE = "none"
"""The model version of requests that name none."""


class QualityGroup(NamedTuple):
    """By what requests are told apart."""

    venue: str
    sport: str
    strategy: str
    model_version: str


class History(Protocol):
    """Where records of a request are read again."""

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the durable records of one request, in order."""
        ...


class QualityOrder(msgspec.Struct, kw_only=True):
    """An order from its approval on."""

    group: QualityGroup
    sequence: int
    place: tuple[str, str]
    """Platform and market key."""
    received_ns: int
    decided_ns: int
    order: Order
    quote: int | None
    outcome: OrderOutcome = OrderOutcome.OPEN
    is_unknown: bool = False
    is_placed: bool = False

    @property
    def is_buy(self) -> bool:
        """Whether it buys the side that it names."""
        return self.order.action is Action.BUY


class QualityFold:
    """Sums by group, from one record of the journal on."""

    def __init__(self, history: History, after: int = 0, *, groups_max: int = GROUPS_MAX) -> None:
        """
        Begin before the first record.

        Args:
            history: where closed orders are read again.
            after: records up to this one are not counted.
            groups_max: how many groups are told apart.
        """
        self._groups_max = groups_max
        self._history = history
        self._after = after
        self.sequence = after
        """Of the last record that was taken."""
        self.tallies: dict[QualityGroup, Tally] = {}
        self._open: dict[str, QualityOrder] = {}

    def take(self, stored: Stored) -> None:
        """Take the next record."""
        self.sequence = stored.sequence
        if stored.kind not in KINDS:
            return
        event = events.decode(stored.body)
        match event:
            case events.RequestDenied():
                self._denied(stored, event)
            case events.DuplicateRefused():
                self._tally(group_of(event.request, 0)).duplicates += 1
            case events.OrderApproved():
                self._approved(stored, event)
            case events.OrderEvent():
                self._order(stored, event)

    def _denied(self, stored: Stored, event: events.RequestDenied) -> None:
        tally = self._tally(group_of(event.request, event.leg))
        names = dict.fromkeys(finding.safeguard for finding in event.findings)
        tally.denials.update(names.keys())
        headline = event.findings[0]
        tally.headlines[headline.safeguard] += 1
        tally.codes[headline.code] += 1
        tally.requests += event.leg == 0
        tally.stages[Stage.DECIDE].add(stored.time_ns - event.received_ns)
        if not event.falls_back:
            tally.denied += 1
            tally.stages[Stage.FINAL].add(stored.time_ns - event.received_ns)

    def _approved(self, stored: Stored, event: events.OrderApproved) -> None:
        order = followed(stored, event)
        order.group, tally = self._group(order.group)
        tally.requests += event.leg == 0
        tally.approved += 1
        tally.outcomes[OrderOutcome.OPEN] += 1
        tally.stages[Stage.DECIDE].add(order.decided_ns - order.received_ns)
        self._open[event.client_order_id] = order

    def _order(self, stored: Stored, event: events.OrderEvent) -> None:
        order = self._open.get(event.client_order_id)
        is_elsewhere = (
            order is not None
            and isinstance(event, events.OrderFilled | events.FillReversed)
            and order.place != (event.platform, event.market_key)
        )
        if order is None or is_elsewhere:
            order = self._as_before(stored, event)
            if order is None:
                return
            step(self._tally(order.group), order, stored.time_ns, event)
            if order.outcome is OrderOutcome.OPEN:
                self._open[event.client_order_id] = order
            return
        step(self._tally(order.group), order, stored.time_ns, event)
        if order.outcome is not OrderOutcome.OPEN:
            del self._open[event.client_order_id]

    def _as_before(self, stored: Stored, event: events.OrderEvent) -> QualityOrder | None:
        """Read a closed order again as it was before a record; None = it is not counted."""
        order: QualityOrder | None = None
        scratch = Tally()
        place: tuple[str, str] | None = None
        if isinstance(event, events.OrderFilled | events.FillReversed):
            place = (event.platform, event.market_key)
        for each in self._history.records_of(event.request_id):
            if each.sequence >= stored.sequence or each.kind not in KINDS:
                continue
            known = events.decode(each.body)
            if isinstance(known, events.OrderApproved):
                found = followed(each, known)
                if place is None or found.place == place:
                    order = found
            elif isinstance(known, events.OrderEvent) and order is not None:
                elsewhere = isinstance(
                    known, events.OrderFilled | events.FillReversed
                ) and order.place != (
                    known.platform,
                    known.market_key,
                )
                if not elsewhere:
                    step(scratch, order, each.time_ns, known)
        if order is None or order.sequence <= self._after:
            return None
        order.group, _ = self._group(order.group)
        return order

    def _group(self, group: QualityGroup) -> tuple[QualityGroup, Tally]:
        if group not in self.tallies and len(self.tallies) >= self._groups_max:
            group = group._replace(sport=OTHER, strategy=OTHER, model_version=OTHER)
        return group, self._tally(group)

    def _tally(self, group: QualityGroup) -> Tally:
        tally = self.tallies.get(group)
        if tally is None:
            if len(self.tallies) >= self._groups_max:
                group = group._replace(sport=OTHER, strategy=OTHER, model_version=OTHER)
            tally = self.tallies.setdefault(group, Tally())
        return tally


def followed(stored: Stored, event: events.OrderApproved) -> QualityOrder:
    """Return an order as it was approved."""
    request = event.request
    is_buy = request.action is Action.BUY
    model = request.model_version or NONE
    return QualityOrder(
        group=QualityGroup(event.platform, event.sport, event.strategy, model),
        sequence=stored.sequence,
        place=(event.platform, event.market_key),
        received_ns=event.received_ns,
        decided_ns=stored.time_ns,
        order=opened(event, stored.time_ns),
        quote=_quote_of(event, is_buy=is_buy),
    )


def _quote_of(event: events.OrderApproved, *, is_buy: bool) -> int | None:
    """Return the best price of the other side of the book, in terms of the order's side."""
    touch = event.facts.touch
    if touch is None:
        return None
    is_ask = is_buy is (event.side is Side.YES)
    best = touch.ask if is_ask else touch.bid
    if best is None:
        return None
    return best if event.side is Side.YES else MICRO - best


def group_of(request: Request, leg: int) -> QualityGroup:
    """Return the group of a request by what it says itself."""
    platform = request.alternates[leg - 1].platform if leg else request.platform
    sport = UNCLASSIFIED if request.sport is None else request.sport.upper()
    return QualityGroup(platform, sport, request.strategy or UNNAMED, request.model_version or NONE)


# One order -------------------------------------------------------------------------------------


_OUTCOMES = {
    OrderStatus.DENIED: OrderOutcome.STOPPED,
    OrderStatus.REJECTED: OrderOutcome.REJECTED,
    OrderStatus.NOT_SENT: OrderOutcome.NOT_SENT,
}
"""How an order without a fill ended; in all other ways it is unfilled."""


def outcome_of(order: Order) -> OrderOutcome:
    """Return what an order came to by now; with some fill it is partial however it ended."""
    if order.status not in CLOSED_STATES:
        return OrderOutcome.OPEN
    if order.filled > 0:
        return OrderOutcome.FILLED if order.filled >= order.quantity else OrderOutcome.PARTIAL
    return _OUTCOMES.get(order.status, OrderOutcome.UNFILLED)


def step(tally: Tally, followed: QualityOrder, time_ns: int, event: events.OrderEvent) -> None:
    """Take one record of an order into it, and into the sums of its group."""
    match event:
        case events.OrderAcknowledged():
            tally.stages[Stage.ACKNOWLEDGE].add(time_ns - followed.decided_ns)
            _place(tally, followed)
        case events.OrderFilled():
            _filled(tally, followed, time_ns, event)
        case events.FillReversed():
            _reversed(tally, followed, event)
        case events.OrderDenied():
            tally.denials["gate"] += 1
            tally.headlines["gate"] += 1
            tally.codes[event.code] += 1
        case events.OrderRejected():
            _count_reject(tally, followed.place[0], event.venue_code)
        case events.OrderReopened() | events.OrderCancelled() | events.OrderExpired():
            _place(tally, followed)
    order = followed.order = advance(followed.order, event, time_ns)
    is_unknown = order.status is OrderStatus.UNKNOWN
    tally.unknown += is_unknown - followed.is_unknown
    followed.is_unknown = is_unknown
    outcome = outcome_of(order)
    if (
        followed.outcome is OrderOutcome.OPEN
        and outcome is not OrderOutcome.OPEN
        and order.corrects is None
    ):
        tally.stages[Stage.FINAL].add(time_ns - followed.received_ns)
    tally.outcomes[followed.outcome] -= 1
    tally.outcomes[outcome] += 1
    followed.outcome = outcome


def _place(tally: Tally, followed: QualityOrder) -> None:
    """Count an order that the venue had, once."""
    if not followed.is_placed:
        followed.is_placed = True
        tally.placed += 1
        tally.placed_quantity += followed.order.quantity


def _filled(tally: Tally, followed: QualityOrder, time_ns: int, event: events.OrderFilled) -> None:
    """Count a fill; the order itself takes it afterwards."""
    _place(tally, followed)
    if not followed.order.filled:
        tally.stages[Stage.FIRST_FILL].add(time_ns - followed.decided_ns)
        tally.placed_with_fill += 1
    tally.fills += 1
    _add(tally, followed, event.quantity, event.value, event.fee)


def _reversed(tally: Tally, followed: QualityOrder, event: events.FillReversed) -> None:
    """Count a failed execution back; how long its order waited for it is not unlearned."""
    if event.quantity:
        tally.fills -= 1
        tally.placed_with_fill -= followed.order.filled == event.quantity
        _add(tally, followed, -event.quantity, -event.value, -event.fee)


def _add(tally: Tally, followed: QualityOrder, quantity: int, value: int, fee: int) -> None:
    """Add an execution, or what is taken back of one, to the sums."""
    sign = 1 if followed.is_buy else -1
    tally.filled_quantity += quantity
    tally.value += value
    tally.fees += fee
    limit = followed.order.limit_price
    tally.against_limit.add(quantity, sign * (value - limit * quantity))
    if followed.quote is not None:
        tally.against_quote.add(quantity, sign * (value - followed.quote * quantity))


def _count_reject(tally: Tally, platform: str, code: str) -> None:
    name = (platform, code)
    if name not in tally.rejects and len(tally.rejects) >= VENUE_CODES_MAX:
        name = (platform, OTHER)
    tally.rejects[name] += 1


KINDS = lifecycle.KINDS | {
    each.__name__ for each in (events.RequestDenied, events.DuplicateRefused, events.OrderApproved)
}
"""Kinds of records that count; others need not even be decoded."""


def tallied(fold: QualityFold, groups: Iterable[QualityGroup]) -> Tally:
    """Return the sum over some groups."""
    total = Tally()
    for group in groups:
        total.merge(fold.tallies[group])
    return total
