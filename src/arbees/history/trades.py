"""What was executed: results and fills a page at a time, and profit and loss by anything.

Guarantees that everything comes from durable records alone, the newest first, that a page costs no
more than a bounded part of the journal, and that going on with the cursor leaves nothing out. A
group's profit and loss is its own cash: what its fills paid and brought, what settlements paid it,
and what it holds at the last journaled marks. It fails as reading the journal fails.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import msgspec

from arbees.core import events
from arbees.core.book.fold_markets import payouts_of
from arbees.core.language.ids import own
from arbees.core.language.payouts import Payouts
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO, div_floor, to_decimal
from arbees.core.language.words import Action, Side
from arbees.core.orders.result import Recorded, Result, fold
from arbees.core.ports import Stored
from arbees.interface.history import FillView, HistoryPage, HistoryQuery, PnlBy, PnlRow, PnlView

LOOKED_AT_MAX = 20_000
"""Records of a kind that a page looks at."""
STEP = 500
_DECIDED = ("OrderApproved", "RequestDenied")
_FILLED = ("OrderFilled",)
_MONEY = (
    *("OrderApproved", "OrderFilled", "FillReversed"),
    *("MarketSettled", "SettlementCorrected", "Marked"),
)


class TradesReader(Protocol):
    """What is needed of a journal."""

    def latest(self, kinds: Collection[str], before: int | None, limit: int) -> list[Stored]:
        """Return the last records of some kinds before a sequence, the newest first."""
        ...

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the records of one request, in order."""
        ...

    def records_of_kinds(self, kinds: Collection[str], after: int = 0) -> Iterator[Stored]:
        """Yield the records of some kinds above `after`, in order."""
        ...


class Trades:
    """Reads one journal; each call is complete in itself."""

    def __init__(self, reader: TradesReader, day_of: Callable[[int], str]) -> None:
        """Read a journal; `day_of` names the trading day of a moment."""
        self._reader = reader
        self._day_of = day_of

    def executions(self, query: HistoryQuery) -> HistoryPage[Result]:
        """Return results as known now, by when they were decided, the newest first."""
        found: dict[str, Result] = {}

        def take(stored: Stored) -> bool:
            event = events.decode(stored.body)
            assert isinstance(event, events.OrderApproved | events.RequestDenied)
            request_id = event.request.request_id
            if event.leg or request_id in found or not _is_meant(query, event):
                return False
            life = fold(_life(self._reader, request_id))
            if life is None:
                return False
            result = life.result()
            if query.status is not None and result.status != query.status:
                return False
            found[request_id] = result
            return True

        cursor, last = self._walk(_DECIDED, query, take)
        return HistoryPage(items=tuple(found.values()), cursor=cursor, sequence=last)

    def fills(self, query: HistoryQuery) -> HistoryPage[FillView]:
        """Return executions, the newest first."""
        found: list[FillView] = []
        lives: dict[str, list[Recorded]] = {}

        def take(stored: Stored) -> bool:
            event = events.decode(stored.body)
            assert isinstance(event, events.OrderFilled)
            if query.strategy is not None and event.strategy != query.strategy:
                return False
            if event.request_id not in lives:
                lives[event.request_id] = _life(self._reader, event.request_id)
            view = _fill(stored, event, lives[event.request_id])
            if view is None or query.market not in {None, view.market_id, view.market_key}:
                return False
            found.append(view)
            return True

        cursor, last = self._walk(_FILLED, query, take)
        return HistoryPage(items=tuple(found), cursor=cursor, sequence=last)

    def _walk(
        self, kinds: Collection[str], query: HistoryQuery, take: Callable[[Stored], bool]
    ) -> tuple[str | None, int]:
        """Look from the newest on until a page is full; return where to go on, and the newest."""
        before, newest, taken, looked = query.cursor, 0, 0, 0
        while page := self._reader.latest(kinds, before, STEP):
            newest = newest or page[0].sequence
            for stored in page:
                if query.since_ns is not None and stored.time_ns < query.since_ns:
                    return None, newest
                looked, before = looked + 1, stored.sequence
                if query.until_ns is None or stored.time_ns < query.until_ns:
                    taken += take(stored)
                if taken >= query.limit or looked >= LOOKED_AT_MAX:
                    return str(before), newest
        return None, newest

    def pnl(
        self, by: PnlBy, since_ns: int | None, strategy: str | None, until_ns: int | None = None
    ) -> PnlView:
        """
        Return profit and loss of the orders approved since a moment, by anything.

        Args:
            by: what tells groups apart.
            since_ns: the moment; None = ever.
            strategy: whose orders; None = everybody's.
            until_ns: records from here on are left out; None = none is.
        """
        tally = _Tally(by, since_ns, strategy, self._day_of)
        last = 0
        for stored in self._reader.records_of_kinds(_MONEY):
            if until_ns is not None and stored.time_ns >= until_ns:
                break
            tally.take(stored.time_ns, events.decode(stored.body))
            last = stored.sequence
        since = None if since_ns is None else format_time(since_ns)
        return PnlView(by=by, since=since, rows=tally.rows(), sequence=last)


class _Holding(msgspec.Struct):
    """What a group traded of one outcome."""

    quantity: int = 0
    """Bought less sold, in micro-contracts."""
    cash: int = 0
    """Received less paid, in millionths of a micro-dollar."""
    bought: int = 0
    paid: int = 0
    """For all that was bought; in millionths of a micro-dollar."""


class _Group(msgspec.Struct):
    """What the orders of one name did."""

    fees: int = 0
    fills: int = 0
    held: dict[tuple[str, Side], _Holding] = {}


class _Tally:
    """Adds up what orders paid and brought."""

    def __init__(
        self, by: PnlBy, since_ns: int | None, strategy: str | None, day_of: Callable[[int], str]
    ) -> None:
        self._by = by
        self._since_ns = since_ns
        self._strategy = strategy
        self._day_of = day_of
        self._orders: dict[str, tuple[str, Side, Action]] = {}
        """By order: its group, the side of the market's key, and whether it buys."""
        self._groups: dict[str, _Group] = {}
        self._payouts: dict[str, Payouts | None] = {}
        self._marks: dict[str, tuple[int | None, int | None]] = {}

    def take(self, time_ns: int, event: events.Event) -> None:
        """Take the next record of money."""
        if isinstance(event, events.OrderApproved):
            is_late = self._since_ns is None or time_ns >= self._since_ns
            if is_late and self._strategy in {None, event.strategy}:
                group = self._name(time_ns, event)
                self._orders[event.client_order_id] = (group, event.side, event.request.action)
        elif isinstance(event, events.OrderFilled):
            self._add(event, event.quantity, event.value, event.fee, 1)
        elif isinstance(event, events.FillReversed):
            self._add(event, -event.quantity, -event.value, -event.fee, -1)
        elif isinstance(event, events.MarketSettled | events.SettlementCorrected):
            self._payouts[event.market_key] = payouts_of(event)
        elif isinstance(event, events.Marked):
            self._marks |= event.marks

    def _name(self, time_ns: int, event: events.OrderApproved) -> str:
        if self._by == "day":
            return self._day_of(time_ns)
        if self._by == "market":
            return event.market_key
        named = {
            "strategy": event.strategy,
            "game": event.game_id,
            "sport": event.sport,
            "model_version": event.request.model_version,
        }
        return named[self._by] or ""

    def _add(
        self,
        event: events.OrderFilled | events.FillReversed,
        quantity: int,
        value: int,
        fee: int,
        count: int,
    ) -> None:
        known = self._orders.get(event.client_order_id)
        if known is None or not quantity:
            return
        name, side, action = known
        group = self._groups.setdefault(name, _Group())
        group.fees += fee
        group.fills += count
        held = group.held.setdefault((event.market_key, side), _Holding())
        sign = 1 if action is Action.BUY else -1
        held.quantity += sign * quantity
        held.cash -= sign * value
        if action is Action.BUY:
            held.bought += quantity
            held.paid += value

    def rows(self) -> tuple[PnlRow, ...]:
        """Return the groups, those with the most fills first."""
        found = [self._row(name, group) for name, group in self._groups.items()]
        return tuple(sorted(found, key=lambda row: (-row.fills, row.name)))

    def _row(self, name: str, group: _Group) -> PnlRow:
        realized, unrealized, is_known = 0, 0, True
        for (key, side), held in group.held.items():
            payouts = self._payouts.get(key)
            if payouts is not None:
                realized += held.cash + held.quantity * payouts.of(side)
                continue
            # What was bought and is held is carried at what it cost on average.
            carried = div_floor(held.paid * held.quantity, held.bought) if held.bought else 0
            realized += held.cash + carried
            if held.quantity:
                yes, no = self._marks.get(key, (None, None))
                mark = yes if side is Side.YES else no
                is_known = is_known and mark is not None
                unrealized += held.quantity * (mark or 0) - carried
        earned, open_ = div_floor(realized, MICRO), div_floor(unrealized, MICRO)
        total = earned + open_ - group.fees
        return PnlRow(
            name=name,
            realized=to_decimal(earned),
            unrealized=to_decimal(open_) if is_known else None,
            fees=to_decimal(group.fees),
            total=to_decimal(total) if is_known else None,
            fills=group.fills,
        )


def _is_meant(query: HistoryQuery, event: events.OrderApproved | events.RequestDenied) -> bool:
    request = event.request
    names = {None, request.market_id, getattr(event, "market_key", None)}
    return query.strategy in {None, request.strategy} and query.market in names


def _life(reader: TradesReader, request_id: str) -> list[Recorded]:
    return [
        (each.sequence, each.time_ns, events.decode(each.body))
        for each in reader.records_of(request_id)
    ]


def _fill(stored: Stored, event: events.OrderFilled, life: list[Recorded]) -> FillView | None:
    approved: events.OrderApproved | None = None
    for sequence, _, each in life:
        if sequence < stored.sequence and isinstance(each, events.OrderApproved):
            approved = each
    if approved is None:
        return None
    request = approved.request
    side = approved.side.opposite if approved.is_flipped else approved.side
    return FillView(
        sequence=stored.sequence,
        time=format_time(stored.time_ns),
        request_id=own(request.request_id),
        idempotency_key=own(request.idempotency_key),
        client_order_id=event.client_order_id,
        trade_id=event.trade_id,
        platform=event.platform,
        market_id=approved.market_id,
        market_key=event.market_key,
        strategy=event.strategy,
        model_version=request.model_version,
        side=side,
        action=request.action,
        quantity=to_decimal(event.quantity),
        price=to_decimal(event.price),
        fee=to_decimal(event.fee),
        is_maker=event.is_maker,
        is_reversed=any(
            isinstance(each, events.FillReversed) and each.trade_id == event.trade_id
            for _, _, each in life
        ),
    )
