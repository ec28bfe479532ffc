"""One venue compared with the book: asked, read, judged item by item, and put on record.

Guarantees that a difference counts only where it was seen twice, nothing moved in between, and what
was read is not older than what it is compared with. One order, row or market that moves or cannot
be told keeps no other one from being compared.
"""

import asyncio
from collections.abc import Sequence

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Fill,
    Found,
    Inconclusive,
    Lookup,
    Missing,
    VenueOrder,
)
from arbees.core.deciding.reconciliation import explained
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.units import NS_PER_SECOND, format_micro
from arbees.core.language.words import HaltSource, Platform
from arbees.core.orders.terms import agrees
from arbees.errors import VenueError
from arbees.interface.views import Undecided
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane
from arbees.runtime.watching.comparison import (
    ComparedState,
    Comparing,
    ItemComparison,
    VenueLook,
    ours,
    state_of,
)
from arbees.runtime.watching.monitors import Monitors
from arbees.runtime.watching.venue_counts import (
    claims_of,
    first_counts,
    held_there,
    missing_fills,
    proven_fills,
)

ATTEMPTS = 10
RETRY_SECONDS = 0.05
LAG_SECONDS = 0.5
"""The same, where what was read is older than what it is compared with."""
FILLS_BEFORE_NS = 300 * NS_PER_SECOND
"""Fills and orders are listed from so long before the last comparison on."""
MOVEMENTS_BEFORE_NS = 86_400 * NS_PER_SECOND
"""What moved cash may be listed long before it is done."""
KINDS = frozenset(
    {
        "position",
        "unknown_order",
        "foreign_order",
        "missing_order",
        "missing_fill",
        "contradictory_fill",
        "cash",
    }
)
"""What is compared."""


class Round:
    """One comparison of one venue: what it has told so far, item by item."""

    def __init__(self) -> None:
        self.done: dict[str, events.BreakOpened | None] = {}
        self.untold: set[str] = set()
        self.suspected: dict[str, tuple[str, str]] = {}
        """Differences of the last look that no other one confirmed yet: a read may only lag."""
        self.said: VenueLook | None = None
        self.orders: dict[str, str] = {}
        self.told: set[str] = set()
        """Orders of which a lookup was taken already."""
        self.are_movements_known = False


class VenueReconciliation:
    """Compares a desk with one venue, look after look."""

    def __init__(self, desk: Desk, monitors: Monitors, platform: Platform) -> None:
        """Compare on demand; fills are asked for from shortly before the last record on."""
        self._desk = desk
        self._monitors = monitors
        self._platform = platform
        self._gaps = 0
        """How often what the venue tells was interrupted."""
        self._still: dict[str, tuple[object, int]] = {}
        """By item: what was compared last, and since when the book has it so."""
        self._since_ns = desk.book.time_ns - FILLS_BEFORE_NS
        self._comparing = Comparing(desk, platform)

    def interrupt(self) -> None:
        """Take it that something may have happened untold: what was read before proves nothing."""
        self._gaps += 1
        self._desk.uncompared.add(self._platform)

    async def compare(self) -> Round | None:
        """Compare one venue, look after look, until every item was told; None = not all were."""
        desk, round_ = self._desk, Round()
        began_ns = desk.clock.now_ns()
        for _ in range(ATTEMPTS):
            before, gaps = self._state(), self._gaps
            asked_ns = desk.clock.now_ns()
            try:
                said = await self._ask()
                is_quiet = not self._take(said, round_) and _is_idle(desk)
                if is_quiet and gaps == self._gaps:
                    pause = await self._judge(said, before, asked_ns, round_)
                    if pause == 0:
                        return await self._finish(round_, began_ns)
                else:
                    round_.done.clear()
                    pause = RETRY_SECONDS
            except VenueError as error:
                self._monitors.note(self._platform, str(error), is_health=error.is_health)
                return None
            except Undecided:
                return None
            # Something happened in between: a difference would prove nothing. Ask again.
            await self._pause(pause)
        if round_.said is not None:
            await self._record(round_)
        return None

    async def _ask(self) -> VenueLook:
        """Ask a venue for everything. Raises VenueError, Undecided."""
        desk, venue = self._desk, self._desk.venues[self._platform]
        since_ns = self._since_ns
        settled = await venue.results(_unsettled(desk, self._platform))
        # Cash before fills: what is inside the figure is then inside the list too.
        balances = await venue.balances()
        fills = await venue.fills(since_ns)
        placed = await venue.placed(since_ns)
        orders = await venue.open_orders()
        positions = await venue.positions()
        found = await self._look_up(orders)
        # Facts that came in meanwhile are taken first.
        await desk.writer.put(commands.Record(events=()), Lane.FACTS)
        return VenueLook(
            settled=settled,
            balances=balances,
            fills=fills,
            placed=placed,
            orders=orders,
            positions=positions,
            found=found,
        )

    async def _judge(
        self,
        said: VenueLook,
        before: ComparedState,
        asked_ns: int,
        round_: Round,
    ) -> float:
        """Take what one look tells of the items that were still; return the pause, 0 = all is."""
        desk, round_.said = self._desk, said
        there = held_there(desk, self._platform, said.positions)
        proven = proven_fills(desk, self._platform, said.fills, there, said.balances)
        for command in proven:
            desk.writer.tell(command)
        if proven:
            round_.done.clear()
            return RETRY_SECONDS
        found = self._comparing.compare(said, there)
        self._halt_where_lost(said, found)
        round_.untold, round_.orders = found.untold, found.orders
        differing = any(item in found.results for item in _cash_items(found))
        if (differing and not round_.are_movements_known) and await self._explain(said):
            round_.are_movements_known = True
            return RETRY_SECONDS
        round_.are_movements_known = round_.are_movements_known or differing
        after, waiting, is_lagging = state_of(desk, self._platform), set(found.waiting), False
        as_of_ns = min((each.as_of_ns for each in said.balances), default=asked_ns)
        for item, result in found.results.items():
            place = found.places[item]
            if before.items.get(item) != after.items.get(item) or (
                place in before.moving | after.moving
            ):
                if item not in round_.done:
                    waiting.add(item)
                continue
            is_old = as_of_ns < self._still.get(item, (None, 0))[1]
            if self._is_certain(item, result, round_, is_old=is_old):
                round_.done[item] = result
            else:
                round_.done.pop(item, None)
                waiting.add(item)
                is_lagging = is_lagging or is_old
        if not waiting and (pause := self._count_first(said, found, round_, as_of_ns)):
            return pause
        if waiting:
            round_.untold = found.untold | waiting
            return LAG_SECONDS if is_lagging else RETRY_SECONDS
        return 0

    def _is_certain(
        self, item: str, result: events.BreakOpened | None, round_: Round, *, is_old: bool
    ) -> bool:
        """Tell whether a result counts: a new difference must be seen twice, and be no old news."""
        known = self._desk.book.breaks.get(item)
        if result is None or known is not None:
            round_.suspected.pop(item, None)
            return True
        if self._desk.book.accepted.get(item) == result.observed:
            return True
        figures = (result.expected, result.observed)
        is_seen = round_.suspected.get(item) == figures
        round_.suspected[item] = figures
        return is_seen and not is_old

    def _count_first(
        self, said: VenueLook, found: ItemComparison, round_: Round, as_of_ns: int
    ) -> float:
        """Begin to count the cash of pools that have no count yet, once all else agrees."""
        first = first_counts(self._desk, said.balances)
        if not first or any(each is not None for each in found.results.values()):
            return 0
        if as_of_ns < max((since for _, since in self._still.values()), default=0):
            return LAG_SECONDS
        self._desk.writer.tell(commands.Record(events=first))
        return 0

    async def _explain(self, said: VenueLook) -> bool:
        """Take what the venue's own lists say moved cash; tell whether there was news."""
        desk = self._desk
        since_ns = self._since_ns - MOVEMENTS_BEFORE_NS
        movements = await desk.venues[self._platform].movements(since_ns)
        if all(each.movement_id in desk.book.movements for each in movements):
            return False
        command = commands.TakeMovements(movements=tuple(movements), balances=tuple(said.balances))
        return bool((await desk.writer.put(command, Lane.FACTS)).records)

    async def _finish(self, round_: Round, began_ns: int) -> Round | None:
        """Record what all looks told; the venue is compared."""
        desk = self._desk
        if not await self._record(round_):
            return None
        if round_.said is not None and not round_.are_movements_known:
            await self._explain(round_.said)
        self._since_ns = began_ns - FILLS_BEFORE_NS
        desk.uncompared.discard(self._platform)
        desk.compared_ns[self._platform] = desk.clock.now_ns()
        return round_

    async def _pause(self, seconds: float) -> None:
        desk = self._desk
        await (asyncio.sleep(0) if desk.options.is_inline else desk.clock.sleep(seconds))

    def _state(self) -> ComparedState:
        """Return what is compared, and remember since when, at the latest, the book has it so."""
        state, now_ns = state_of(self._desk, self._platform), self._desk.clock.now_ns()
        for item, value in state.items.items():
            known = self._still.get(item)
            if known is None or known[0] != value:
                self._still[item] = (value, now_ns)
        self._still = {item: known for item, known in self._still.items() if item in state.items}
        return state

    async def _look_up(self, orders: Sequence[VenueOrder]) -> dict[str, Lookup]:
        """Look, each by itself, for orders that the venue acknowledged and lists no more."""
        venue, listed = self._desk.venues[self._platform], {each.client_order_id for each in orders}
        found: dict[str, Lookup] = {}
        for order in ours(self._desk, self._platform):
            name = order.client_order_id
            if order.acknowledged_ns is None or name in listed:
                continue
            sent_ns = order.sent_ns or order.created_ns
            try:
                lookup = await venue.find(name, order.market_id, sent_ns)
            except VenueError as error:
                lookup = Inconclusive(message=str(error))
            if isinstance(lookup, Missing):
                lookup = explained(self._desk.book, order, lookup)
            found[name] = lookup
        return found

    # What it says ------------------------------------------------------------------------------

    def _take(self, said: VenueLook, round_: Round) -> bool:
        """Take what happened while nobody listened; tell whether the book moves by it."""
        tell = self._desk.writer.tell
        for each in said.settled:
            # The positions are gone for a reason.
            tell(
                commands.SettleMarket(
                    platform=self._platform, market_id=each.market_id, payouts=each.payouts
                )
            )
        is_news = bool(said.settled)
        for name, lookup in said.found.items():
            if isinstance(lookup, Found):
                tell(commands.TakeLookup(client_order_id=name, lookup=lookup))
                is_news = is_news or name not in round_.told
                round_.told.add(name)
        is_news = self._show(said, round_) or is_news
        self._find_out()
        missing = missing_fills(self._desk, self._platform, said.fills)
        self._take_fills(missing)
        return is_news or bool(missing)

    def _show(self, said: VenueLook, round_: Round) -> bool:
        """Hand over each listed order of ours that the book has otherwise; tell whether is news."""
        book, shown = self._desk.book, set[str]()
        as_of_ns = min((each.as_of_ns for each in said.balances), default=0)
        for listed in said.orders:
            name = listed.client_order_id or ""
            order = book.orders.get(name)
            if not name.startswith(CLIENT_ORDER_ID_PREFIX) or agrees(order, listed):
                continue
            self._desk.writer.tell(commands.TakeVenueOrder(listed=listed, as_of_ns=as_of_ns))
            shown.add(name)
        is_news = bool(shown - round_.told)
        round_.told |= shown
        return is_news

    def _find_out(self) -> None:
        """Ask for orders that the venue never said that it has: they are not missed."""
        self._desk.dispatcher.carry_out(
            [
                commands.ResolveOrder(each.client_order_id)
                for each in ours(self._desk, self._platform)
                if each.acknowledged_ns is None
            ]
        )

    def _take_fills(self, missing: Sequence[Fill]) -> None:
        """Take fills that nobody told us of, and say so: a break that the next look closes."""
        for fill in missing:
            self._desk.writer.tell(commands.TakeFill(fill=fill))
            observed = f"{format_micro(fill.quantity)} at {format_micro(fill.price)}"
            opened = self._comparing.break_of(
                "missing_fill", fill.trade_id, "no such fill", observed
            )
            if opened.break_id not in self._desk.book.breaks:
                self._desk.writer.tell(commands.Record(events=(opened,)))

    def _halt_where_lost(self, said: VenueLook, found: ItemComparison) -> None:
        """Halt where the venue has orders of ours that the journal does not know."""
        book = self._desk.book
        for name in self._comparing.rolled_back(said):
            item = f"{self._platform}|unknown_order|{name}"
            result = found.results.get(item)
            if result is None or book.accepted.get(item) == result.observed:
                continue
            reason = (
                f"JOURNAL_ROLLED_BACK: the venue has order {name} of ours that the"
                " journal does not know"
            )
            self._monitors.halt(HaltSource.JOURNAL, reason)
            return

    async def _record(self, round_: Round) -> bool:
        """Journal what is new and what is gone; False: it failed."""
        desk, said = self._desk, round_.said
        assert said is not None
        there = held_there(desk, self._platform, said.positions)
        untold = {
            item
            for item, known in desk.book.breaks.items()
            if item in round_.untold and item not in round_.done
        }
        command = commands.TakeComparison(
            platform=self._platform,
            kinds=KINDS,
            found=tuple(each for each in round_.done.values() if each is not None),
            claims=claims_of(desk, self._platform, there, said.balances),
            untold=frozenset(untold),
        )
        try:
            await desk.writer.put(command, Lane.FACTS)
        except Undecided:
            return False
        return True


def _cash_items(found: ItemComparison) -> list[str]:
    """Return the pools whose cash differs."""
    return [
        item
        for item, result in found.results.items()
        if result is not None and result.kind == "cash"
    ]


def _unsettled(desk: Desk, platform: Platform) -> list[str]:
    """Return the markets of which something is held or open, by the venue's own name."""
    return [
        market.listing.market_id
        for market in desk.book.markets.values()
        if market.listing.platform == platform
        and not market.is_settled
        and (market.yes.quantity or market.no.quantity or market.orders)
    ]


def _is_idle(desk: Desk) -> bool:
    return desk.simulator is None or desk.simulator.is_idle
