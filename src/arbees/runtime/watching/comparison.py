"""What a venue says, held against the book: item by item, exactly, both ways.

Guarantees that each market, order and pool is an item of its own, compared only where nothing of it
moved meanwhile, so that one that moves, cannot be read or cannot be told keeps no other one from
being compared. Reads the book and changes nothing; an item that could not be told is no agreement.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from arbees.core import events
from arbees.core.book.market import Market
from arbees.core.book.open_order import Order
from arbees.core.deciding.outcomes import (
    Fill,
    Found,
    Inconclusive,
    Lookup,
    PoolBalance,
    Settled,
    VenueOrder,
    VenuePosition,
)
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.units import format_dollars, format_micro
from arbees.core.language.words import OrderStatus, Platform, Side
from arbees.core.orders.breaks import CONTRADICTORY
from arbees.runtime.desk import Desk
from arbees.venues.registry import VENUES

NOT_TOLD = "not listed, and not found yet"
NOT_READ = "its row cannot be read"
UNSURE = frozenset({NOT_TOLD, NOT_READ})
"""Differences that may be none: the next look tells, and is not waited for long."""


_FIGURES = ("break_id", "kind", "platform", "market_key", "expected", "observed", "policy")


class VenueLook(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue said in one look."""

    settled: Sequence[Settled]
    balances: Sequence[PoolBalance]
    fills: Sequence[Fill]
    placed: Sequence[VenueOrder]
    """What was placed lately, in all states."""
    orders: Sequence[VenueOrder]
    """What works."""
    positions: Sequence[VenuePosition]
    found: dict[str, Lookup]
    """Of orders that it acknowledged once and does not list."""


class ComparedState(msgspec.Struct, frozen=True):
    """What is compared, as the book has it: by item, and where an order is on its way."""

    items: dict[str, object]
    moving: frozenset[str]
    """Market keys and pools with an order that is on its way."""


class ItemComparison(msgspec.Struct):
    """What one look says: by item the break, or None where it agrees."""

    results: dict[str, events.BreakOpened | None] = {}
    places: dict[str, str] = {}
    """By item: the market key or pool that moves it."""
    untold: set[str] = set()
    """Items of which nothing can be said, and will not in the next moment either."""
    waiting: set[str] = set()
    """Items that moved while they were read: the next look tells."""
    orders: dict[str, str] = {}
    """By item: the order of ours that it is about."""

    def take(self, item: str, place: str, found: events.BreakOpened | None) -> None:
        """Take the result of an item."""
        self.results[item], self.places[item] = found, place


def ours(desk: Desk, platform: Platform) -> list[Order]:
    """Return the open orders at a venue."""
    return [each for each in desk.book.orders.values() if each.platform is platform]


def state_of(desk: Desk, platform: Platform) -> ComparedState:
    """Return what is compared, as the book has it now."""
    items: dict[str, object] = {}
    moving: set[str] = set()
    for market in _markets(desk, platform):
        key = market.listing.market_key
        items[f"{platform}|position|{key}"] = (market.yes.quantity, market.no.quantity)
    for pool, amount in desk.book.ledgers.items():
        items[f"{platform}|cash|{pool}"] = amount
    for order in ours(desk, platform):
        name = order.client_order_id
        items[f"{platform}|missing_order|{name}"] = (order.filled, order.acknowledged_ns)
        if order.status is OrderStatus.PENDING:
            moving |= {order.market_key, pool_of(order)}
    return ComparedState(items, frozenset(moving))


def pool_of(order: Order) -> str:
    """Return the name of the pool whose cash an order takes."""
    return order.pool or order.platform


def _markets(desk: Desk, platform: Platform) -> Iterable[Market]:
    return (each for each in desk.book.markets.values() if each.listing.platform == platform)


class Comparing:
    """Compares one venue's words with a desk."""

    def __init__(self, desk: Desk, platform: Platform) -> None:
        """Compare with a venue."""
        self._desk = desk
        self._platform = platform
        self.is_exact = False
        """Cash agreed to the micro-dollar while orders rested: nothing uncertain is held."""

    def compare(self, said: VenueLook, there: Mapping[tuple[str, Side], int]) -> ItemComparison:
        """
        Hold everything that a venue said against the book.

        Args:
            said: by the venue.
            there: its positions by market key and side.
        """
        found = ItemComparison()
        self._listed(said, found)
        self._unlisted(said, found)
        self._positions(said, there, found)
        self._cash(said, found)
        self._disputed(said, found)
        return found

    # Orders ------------------------------------------------------------------------------------

    def rolled_back(self, said: VenueLook) -> dict[str, VenueOrder]:
        """Return orders of our making that the journal does not know, ended ones too, by id."""
        book, journal = self._desk.book, self._desk.journal
        rows = {each.client_order_id or "": each for each in (*said.placed, *said.orders)}
        return {
            name: row
            for name, row in rows.items()
            if name.startswith(CLIENT_ORDER_ID_PREFIX)
            and name not in book.orders
            and journal.order(name) is None
        }

    def _listed(self, said: VenueLook, found: ItemComparison) -> None:
        """Find orders that the book does not have open: ended here, lost here, or another's."""
        book, working = self._desk.book, {each.venue_order_id for each in said.orders}
        lost = self.rolled_back(said)
        for name, row in lost.items():
            works = "working at the venue" if row.venue_order_id in working else "at the venue"
            self._take_order("unknown_order", name, row, f"{row.venue_order_id} {works}", found)
        for row in said.orders:
            name = row.client_order_id or ""
            held = book.orders.get(name)
            if name in lost or (held is not None and held.platform is self._platform):
                continue
            observed = f"{row.venue_order_id} working at the venue"
            if name.startswith(CLIENT_ORDER_ID_PREFIX):
                self._take_order("unknown_order", name, row, observed, found)
            else:
                name = f"{self.key_of(row.market_id)}|{row.venue_order_id}"
                self._take_order("foreign_order", name, row, observed, found)

    def _disputed(self, said: VenueLook, found: ItemComparison) -> None:
        """Let a disputed fill stand that is listed; another is over once all else agrees."""
        listed = {each.trade_id for each in said.fills}
        for item, known in self._desk.book.breaks.items():
            if known.kind != CONTRADICTORY or known.platform != self._platform:
                continue
            key = known.market_key or ""
            market = self._desk.book.markets.get(key)
            pool = "" if market is None else market.listing.pool or self._platform
            cash, position = f"{self._platform}|cash|{pool}", f"{self._platform}|position|{key}"
            if item.rpartition("|")[2] in listed:
                again = {name: getattr(known, name) for name in _FIGURES}
                found.take(item, key, events.BreakOpened(**again))
            elif cash in found.results and not (found.results[cash] or found.results.get(position)):
                found.take(item, key, None)
            else:
                found.untold.add(item)

    def _take_order(
        self, kind: str, name: str, row: VenueOrder, observed: str, found: ItemComparison
    ) -> None:
        key = self.key_of(row.market_id)
        opened = self.break_of(kind, name, "no such order", observed, market_key=key)
        found.take(opened.break_id, key, opened)

    def _unlisted(self, said: VenueLook, found: ItemComparison) -> None:
        """Judge orders of ours that works by the book and are not listed, each by itself."""
        for order in ours(self._desk, self._platform):
            name = order.client_order_id
            item = f"{self._platform}|missing_order|{name}"
            lookup = said.found.get(name)
            found.orders[item] = name
            if lookup is None or isinstance(lookup, Found):
                found.take(item, order.market_key, None)
                continue
            is_told = not isinstance(lookup, Inconclusive)
            opened = self.break_of(
                "missing_order",
                name,
                f"{order.venue_order_id} working",
                "no such order" if is_told else NOT_TOLD,
                market_key=order.market_key,
                freezes=not is_told,
            )
            found.take(item, order.market_key, opened)

    # Positions ---------------------------------------------------------------------------------

    def _positions(
        self, said: VenueLook, there: Mapping[tuple[str, Side], int], found: ItemComparison
    ) -> None:
        held = {
            market.listing.market_key: market
            for market in _markets(self._desk, self._platform)
            if market.yes.quantity or market.no.quantity
        }
        unread = {self.key_of(each.market_id) for each in said.positions if each.trouble}
        for key in sorted({*held, *(key for key, _ in there), *unread}):
            item = f"{self._platform}|position|{key}"
            mine = [0, 0] if key not in held else [held[key].yes.quantity, held[key].no.quantity]
            theirs = [there.get((key, side), 0) for side in (Side.YES, Side.NO)]
            if key in unread:
                expected = _sides(mine, [True, True])
                opened = self.break_of(
                    "position", key, expected, NOT_READ, market_key=key, freezes=True
                )
                found.take(item, key, opened)
                continue
            dust = VENUES[self._platform].dust
            differs = [abs(one - other) > dust for one, other in zip(mine, theirs, strict=True)]
            if not any(differs):
                found.take(item, key, None)
                continue
            expected, observed = _sides(mine, differs), _sides(theirs, differs)
            opened = self.break_of("position", key, expected, observed, market_key=key)
            found.take(item, key, opened)

    def key_of(self, market_id: str) -> str:
        """Return the key of a market by the venue's name for it."""
        known = self._desk.book.market_of(self._platform, market_id)
        return market_id if known is None else known[0].listing.market_key

    # Cash --------------------------------------------------------------------------------------

    def _cash(self, said: VenueLook, found: ItemComparison) -> None:
        for figure in said.balances:
            item, counted = f"{self._platform}|cash|{figure.pool}", self._desk.book.ledgers
            mine = counted.get(figure.pool)
            if mine is None:
                continue
            if figure.total is None:
                (found.waiting if figure.is_moving else found.untold).add(item)
                continue
            gap = figure.total - mine
            if not gap or (-figure.uncertain <= gap < 0 and not self.is_exact):
                self.is_exact = self.is_exact or (not gap and figure.uncertain > 0)
                found.take(item, figure.pool, None)
            elif self._may_be_unsure(said, figure.pool, gap):
                found.untold.add(item)
            else:
                opened = self._cash_break(figure, mine, gap)
                found.take(item, figure.pool, opened)

    def _may_be_unsure(self, said: VenueLook, pool: str, gap: int) -> bool:
        """Tell whether orders whose fate is not known, or that are not listed, may explain it."""
        takes = gives = 0
        for order in ours(self._desk, self._platform):
            lookup = said.found.get(order.client_order_id)
            is_unsure = order.status is OrderStatus.UNKNOWN or isinstance(lookup, Inconclusive)
            if is_unsure and pool_of(order) == pool:
                takes += order.reserved.cash
                gives += order.reserved.closing
        return -takes <= gap <= gives and bool(takes or gives)

    def _cash_break(self, figure: PoolBalance, mine: int, gap: int) -> events.BreakOpened:
        options = self._desk.options
        policy = options.reconcile_policy.get("cash", options.reconcile_default)
        if gap > 0 and "cash" not in options.reconcile_policy and policy != "adopt":
            policy = "report"  # nothing is lost by money that came in
        there = "" if figure.total is None else format_dollars(figure.total)
        return events.BreakOpened(
            break_id=f"{self._platform}|cash|{figure.pool}",
            kind="cash",
            platform=self._platform,
            market_key=None,
            expected=format_dollars(mine),
            observed=there,
            policy=policy,
            pool=figure.pool,
            amount=gap,
        )

    def break_of(
        self,
        kind: str,
        name: str,
        expected: str,
        observed: str,
        *,
        market_key: str | None = None,
        freezes: bool = False,
    ) -> events.BreakOpened:
        """
        Return a break under the policy of its kind.

        Args:
            kind: of difference.
            name: of the market, order or fill that differs.
            expected: by the book.
            observed: at the venue.
            market_key: that it is in.
            freezes: whatever the policy says: nothing is known there.
        """
        options = self._desk.options
        policy = options.reconcile_policy.get(kind, options.reconcile_default)
        if freezes and policy != "halt":
            policy = "freeze_market"
        return events.BreakOpened(
            break_id=f"{self._platform}|{kind}|{name}",
            kind=kind,
            platform=self._platform,
            market_key=market_key,
            expected=expected,
            observed=observed,
            policy=policy,
        )


def _sides(quantities: Sequence[int], shown: Sequence[bool]) -> str:
    """Return quantities in words, of the sides that differ."""
    sides = zip((Side.YES, Side.NO), quantities, shown, strict=True)
    return ", ".join(f"{format_micro(amount)} {side}" for side, amount, is_so in sides if is_so)
