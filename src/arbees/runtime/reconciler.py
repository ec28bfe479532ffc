"""Reconciliation (R11): what the venue says against what the book says, both ways, exactly.

Guarantees that a failed or empty query is never read as flat, that an order of ours that the
journal does not know is found (`JOURNAL_ROLLED_BACK`), and that each difference becomes a break
with the policy of its kind. A break ends by evidence: the same comparison without it.
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.order import Order
from arbees.core.orders.terms import agrees
from arbees.core.outcomes import (
    Balance,
    Fill,
    Found,
    Lookup,
    Missing,
    Settled,
    VenueOrder,
)
from arbees.core.units import NS_PER_SECOND, format_dollars, format_micro
from arbees.core.views import Undecided
from arbees.core.words import HaltSource, OrderStatus, Platform, Side
from arbees.errors import VenueError
from arbees.runtime.counting import (
    claims_of,
    first_counts,
    held_there,
    missing_fills,
    wrong_cash,
)
from arbees.runtime.desk import Desk
from arbees.runtime.monitors import Monitors
from arbees.runtime.writer import Lane

DUST = {Platform.KALSHI: 0, Platform.POLYMARKET: 10_000}
"""Differences up to this are no break (Polymarket settles in units that leave dust)."""

ATTEMPTS = 10
RETRY_SECONDS = 0.05
LAG_SECONDS = 0.5
"""The same, where what was read is older than what it is compared with."""
SOON_SECONDS = 5.0
"""Between comparisons while a venue was never compared."""

FILLS_BEFORE_NS = 300 * NS_PER_SECOND
"""Fills are listed from so long before the last comparison on."""
KINDS = frozenset(
    {"position", "unknown_order", "foreign_order", "missing_order", "missing_fill", "cash"}
)
"""What is compared."""

Breaks = dict[str, e.BreakOpened]
Lookups = dict[str, Lookup]


class Reconciler:
    """Compares a desk with its venues."""

    def __init__(self, desk: Desk, monitors: Monitors) -> None:
        """Compare on demand; `watch` does it every interval."""
        self._desk = desk
        self._monitors = monitors
        self._is_catching_up = False
        self._is_asked_again = False
        self._gaps = dict.fromkeys(desk.venues, 0)
        """How often what a venue tells was interrupted."""
        self._still: dict[Platform, tuple[list[object], int]] = {}
        """What was compared last, and since when the book has it so."""
        self.turn = asyncio.Lock()
        """Held while a comparison goes on, and by whoever moves what is compared."""
        self._fills_since_ns = dict.fromkeys(desk.venues, desk.book.time_ns - FILLS_BEFORE_NS)
        self._suspected: set[str] = set()
        """Breaks of the last look that are not recorded yet: a read may only lag."""
        monitors.on_reconnect = self.catch_up

    def catch_up(self) -> None:
        """Compare as soon as possible, in a task of its own: a venue is back."""
        self._is_asked_again = True
        if not self._is_catching_up:
            self._is_catching_up = True
            self._desk.supervisor.keep(self._until_compared, "reconcile after a reconnect")

    async def _until_compared(self) -> None:
        while self._is_asked_again:
            self._is_asked_again = False
            if not await self.run():
                self._is_asked_again = True
                await self._desk.clock.sleep(SOON_SECONDS)
            else:
                await self._monitors.refresh_balances()  # the last figure may be long stale
        self._is_catching_up = False

    def interrupt(self, platform: Platform) -> None:
        """Take it that something may have happened untold: what was read before proves nothing."""
        self._gaps[platform] += 1
        self._desk.uncompared.add(platform)

    async def watch(self) -> None:
        """Reconcile every interval; soon, where a venue was never compared or did not answer."""
        interval = self._desk.options.reconcile_interval_ns / NS_PER_SECOND
        is_done = True
        while True:
            soon = min(interval, SOON_SECONDS)
            is_due = self._desk.uncompared or not is_done
            await self._desk.clock.sleep(soon if is_due else interval)
            is_done = await self.run()

    async def run(self) -> bool:
        """
        Reconcile all venues once.

        Returns:
            Whether every query was answered; what could not be asked keeps its breaks.
        """
        return not await self.compare_all()

    async def compare_all(self) -> tuple[str, ...]:
        """Reconcile all venues once, one comparison at a time; return those that were not."""
        async with self.turn:
            return tuple([name for name in self._desk.venues if not await self._look(name)])

    async def _look(self, platform: Platform) -> bool:
        """Compare one venue at a moment at which nothing moves; tell whether there was one."""
        desk, venue = self._desk, self._desk.venues[platform]
        told: set[str] = set()
        for _ in range(ATTEMPTS):
            before, began_ns = self._state(platform), desk.clock.now_ns()
            gaps, still_ns = self._gaps[platform], self._still_since(platform, before, began_ns)
            try:
                settled = await venue.results(self._unsettled(platform))
                # Cash before fills: what is inside the figure is then inside the list too.
                balances = await venue.balances()
                fills = await venue.fills(self._fills_since_ns[platform])
                orders = await venue.open_orders()
                positions = await venue.positions()
                found = await self._look_up(platform, orders)
                # Facts that came in meanwhile are taken first.
                await desk.writer.put(c.Record(events=()), Lane.FACTS)
            except VenueError as error:
                self._monitors.note(platform, str(error), is_health=error.is_health)
                return False
            except Undecided:
                return False
            self._tell(platform, settled, found)
            as_of_ns = min((each.as_of_ns for each in balances), default=began_ns)
            shown = self._show(orders, as_of_ns)
            missing = missing_fills(desk, platform, fills)
            self._take(platform, missing)
            is_certain = all(isinstance(lookup, Missing) for lookup in found.values())
            is_quiet = not (settled or missing or shown - told) and self._is_still(platform, before)
            if is_certain and is_quiet and gaps == self._gaps[platform]:
                there = held_there(desk, platform, positions)
                breaks = self._compare(platform, orders, there, found)
                breaks |= self._cash(platform, balances)
                first = first_counts(desk, balances)
                # Reads lag: older than the book's last change they show a difference that is none.
                is_old = min((each.as_of_ns for each in balances), default=began_ns) < still_ns
                is_new = bool(first) or not breaks.keys() <= desk.book.breaks.keys()
                if self._is_news(breaks) or (is_old and is_new):
                    await self._pause(LAG_SECONDS if is_old else RETRY_SECONDS)
                    continue
                if first and not breaks:
                    desk.writer.tell(c.Record(events=first))
                claims = claims_of(desk, platform, there, balances)
                if not await self._record(platform, breaks, claims):
                    return False
                self._fills_since_ns[platform] = began_ns - FILLS_BEFORE_NS
                desk.uncompared.discard(platform)
                return True
            told |= shown
            # Something happened in between: a difference would prove nothing. Ask again.
            await self._pause(RETRY_SECONDS)
        return False

    async def _pause(self, seconds: float) -> None:
        desk = self._desk
        await (asyncio.sleep(0) if desk.options.is_inline else desk.clock.sleep(seconds))

    def _still_since(self, platform: Platform, state: list[object], now_ns: int) -> int:
        """Return since when, at the latest, the book has what is compared as it is."""
        known = self._still.get(platform)
        if known is None or known[0] != state:
            known = self._still[platform] = (state, now_ns)
        return known[1]

    def _ours(self, platform: Platform) -> list[Order]:
        return [each for each in self._desk.book.orders.values() if each.platform is platform]

    async def _look_up(self, platform: Platform, orders: Sequence[VenueOrder]) -> Lookups:
        """Look for orders that the venue acknowledged and does not list any more."""
        listed = {each.client_order_id for each in orders}
        venue = self._desk.venues[platform]
        return {
            each.client_order_id: await venue.find(
                each.client_order_id, each.market_id, each.sent_ns or each.created_ns
            )
            for each in self._ours(platform)
            if each.acknowledged_ns is not None and each.client_order_id not in listed
        }

    def _tell(self, platform: Platform, settled: Sequence[Settled], found: Lookups) -> None:
        """Take what happened while nobody listened."""
        tell = self._desk.writer.tell
        for each in settled:
            # The positions are gone for a reason.
            tell(c.SettleMarket(platform=platform, market_id=each.market_id, payouts=each.payouts))
        for name, lookup in found.items():
            if isinstance(lookup, Found):
                tell(c.TakeLookup(client_order_id=name, lookup=lookup))

    def _show(self, orders: Sequence[VenueOrder], as_of_ns: int) -> set[str]:
        """Hand over each listed order of ours that the book has otherwise; return their names."""
        book, shown = self._desk.book, set[str]()
        for listed in orders:
            name = listed.client_order_id or ""
            order = book.orders.get(name)
            if not name.startswith(CLIENT_ORDER_ID_PREFIX) or agrees(order, listed):
                continue
            self._desk.writer.tell(c.TakeVenueOrder(listed=listed, as_of_ns=as_of_ns))
            shown.add(name)
        return shown

    def _take(self, platform: Platform, missing: Sequence[Fill]) -> None:
        """Take fills that nobody told us of, and say so: a break that the next look closes."""
        for fill in missing:
            self._desk.writer.tell(c.TakeFill(fill=fill))
            observed = f"{format_micro(fill.quantity)} at {format_micro(fill.price)}"
            told = self._break(platform, "missing_fill", None, "no such fill", observed)
            name = f"{told.break_id}|{fill.trade_id}"
            if name not in self._desk.book.breaks:
                opened = msgspec.structs.replace(told, break_id=name)
                self._desk.writer.tell(c.Record(events=(opened,)))

    def _cash(self, platform: Platform, balances: Sequence[Balance]) -> Breaks:
        found: Breaks = {}
        for pool, ours, theirs in wrong_cash(self._desk, balances):
            told = self._break(platform, "cash", None, format_dollars(ours), format_dollars(theirs))
            name = f"{platform}|cash|{pool}"
            found[name] = msgspec.structs.replace(told, break_id=name)
        return found

    def _is_news(self, breaks: Breaks) -> bool:
        """Tell whether a break was not there at the last look: then look again first."""
        fresh = breaks.keys() - self._desk.book.breaks.keys()
        is_news = not fresh <= self._suspected
        self._suspected = set(fresh)
        return is_news

    def _unsettled(self, platform: Platform) -> list[str]:
        """Return the markets of which something is held or open, by the venue's own name."""
        return [
            market.listing.market_id
            for market in self._desk.book.markets.values()
            if market.listing.platform == platform
            and not market.is_settled
            and (market.yes.quantity or market.no.quantity or market.orders)
        ]

    def _state(self, platform: Platform) -> list[object]:
        """Return what is compared, as the book has it."""
        orders = [(each.client_order_id, each.filled) for each in self._ours(platform)]
        held = [
            (key, market.yes.quantity, market.no.quantity)
            for key, market in self._desk.book.markets.items()
            if market.listing.platform == platform
        ]
        return [orders, held, dict(self._desk.book.ledgers)]

    def _is_still(self, platform: Platform, before: list[object]) -> bool:
        """Tell whether nothing changed, and nothing is under way that may change something."""
        simulator = self._desk.simulator
        return (
            self._state(platform) == before
            and all(each.status is not OrderStatus.PENDING for each in self._ours(platform))
            and (simulator is None or simulator.is_idle)
        )

    def _compare(
        self,
        platform: Platform,
        orders: Sequence[VenueOrder],
        there: Mapping[tuple[str, Side], int],
        missing: Lookups,
    ) -> Breaks:
        return {
            each.break_id: each
            for each in (
                *self._orders(platform, orders),
                *(self._missing(platform, name) for name in missing),
                *self._positions(platform, there),
            )
        }

    def _missing(self, platform: Platform, client_order_id: str) -> e.BreakOpened:
        order = self._desk.book.orders[client_order_id]
        expected = f"{order.venue_order_id} working"
        return self._break(platform, "missing_order", order.market_key, expected, "no such order")

    def _orders(self, platform: Platform, orders: Sequence[VenueOrder]) -> list[e.BreakOpened]:
        book = self._desk.book
        breaks: list[e.BreakOpened] = []
        ours = {each.client_order_id for each in self._ours(platform)}
        listed: set[str] = set()
        for order in orders:
            name = order.client_order_id
            if name is not None and name in ours:
                listed.add(name)
                continue
            if name is not None and name.startswith(CLIENT_ORDER_ID_PREFIX):
                if self._desk.journal.order(name) is None:
                    self._rolled_back(name)
                kind = "unknown_order"
            else:
                kind = "foreign_order"
            found = book.market_of(platform, order.market_id)
            key = order.market_id if found is None else found[0].listing.market_key
            breaks.append(
                self._break(
                    platform,
                    kind,
                    key,
                    "no such order",
                    f"{order.venue_order_id} working at the venue",
                )
            )
        for name in sorted(ours - listed):
            if book.orders[name].acknowledged_ns is None:
                # The venue never said that it has it: find out, do not guess.
                self._desk.dispatcher.carry_out((c.ResolveOrder(name),))
        return breaks

    def _rolled_back(self, client_order_id: str) -> None:
        reason = (
            f"JOURNAL_ROLLED_BACK: the venue works order {client_order_id} of ours that the"
            " journal does not know"
        )
        self._monitors.halt(HaltSource.JOURNAL, reason)

    def _positions(
        self, platform: Platform, there: Mapping[tuple[str, Side], int]
    ) -> list[e.BreakOpened]:
        ours = {
            (key, side): market.holding(side).quantity
            for key, market in self._desk.book.markets.items()
            for side in Side
            if market.listing.platform == platform and market.holding(side).quantity
        }
        return [
            self._break(
                platform,
                "position",
                key,
                f"{format_micro(ours.get((key, side), 0))} {side}",
                f"{format_micro(there.get((key, side), 0))} {side}",
            )
            for key, side in sorted(ours.keys() | there.keys())
            if abs(ours.get((key, side), 0) - there.get((key, side), 0)) > DUST[platform]
        ]

    def _break(
        self, platform: Platform, kind: str, key: str | None, expected: str, observed: str
    ) -> e.BreakOpened:
        options = self._desk.options
        policy = options.reconcile_policy.get(kind, options.reconcile_default)
        return e.BreakOpened(
            break_id=f"{platform}|{kind}|{key}",
            kind=kind,
            platform=platform,
            market_key=key,
            expected=expected,
            observed=observed,
            policy=policy,
        )

    async def _record(self, platform: Platform, found: Breaks, claims: dict[str, c.Claim]) -> bool:
        """Journal what is new and what is gone, halt where the policy says so; False: it failed."""
        command = c.TakeComparison(
            platform=platform, kinds=KINDS, found=tuple(found.values()), claims=claims
        )
        try:
            committed = await self._desk.writer.put(command, Lane.FACTS)
        except Undecided:
            return False
        for _, _, event in committed.records:
            if isinstance(event, e.BreakOpened) and event.policy == "halt":
                text = f"{platform} {event.market_key}: expected {event.expected}"
                self._monitors.halt(HaltSource.RECONCILIATION, f"{text}, was {event.observed}")
        return True
