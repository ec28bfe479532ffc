"""Reconciliation (R11): what the venue says against what the book says, both ways, exactly.

Guarantees that a failed or empty query is never read as flat, that an order of ours that the
journal does not know, ended or not, is found (`JOURNAL_ROLLED_BACK`), and that each difference
becomes a break with the policy of its kind. A break ends by evidence, the same comparison without
it, or by an operator who takes the venue's word. One order, row or market that moves or cannot be
told keeps no other one from being compared.
"""

import asyncio
from collections.abc import Sequence

import msgspec

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
from arbees.interface.operator import Conflict, ResolvedView
from arbees.interface.views import Undecided
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane
from arbees.runtime.watching.comparison import (
    UNSURE,
    ComparedState,
    Comparing,
    Comparison,
    VenueLook,
    ours,
    state_of,
)
from arbees.runtime.watching.monitors import Monitors
from arbees.runtime.watching.quote_listings import plain_listing
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
SOON_SECONDS = 5.0
"""Between comparisons while a venue was never compared."""
CASH_SECONDS = 60.0
"""Between comparisons while cash differs."""
UNVERIFIED_INTERVALS = 3
"""Without a comparison for so many intervals the book is a belief: somebody is told."""

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


class _Round:
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


class Reconciler:
    """Compares a desk with its venues."""

    def __init__(self, desk: Desk, monitors: Monitors) -> None:
        """Compare on demand; `watch` does it every interval."""
        self._desk = desk
        self._monitors = monitors
        self._is_catching_up = False
        self._is_asked_again = False
        self._is_coming_back = False
        self._gaps = dict.fromkeys(desk.venues, 0)
        """How often what a venue tells was interrupted."""
        self._still: dict[str, tuple[object, int]] = {}
        """By item: what was compared last, and since when the book has it so."""
        self.turn = asyncio.Lock()
        """Held while a comparison goes on, and by whoever moves what is compared."""
        self._since_ns = dict.fromkeys(desk.venues, desk.book.time_ns - FILLS_BEFORE_NS)
        self._comparing = {each: Comparing(desk, each) for each in desk.venues}
        self._began_ns = desk.clock.now_ns()
        monitors.on_reconnect = self.catch_up
        desk.dispatcher.on_unexplained = self._look_at_cash
        self._looked_ns = 0

    # When --------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Compare as soon as possible, in a task of its own: a venue is back."""
        self._is_asked_again = True
        if not self._is_catching_up:
            self._is_catching_up = True
            self._desk.supervisor.keep(self._until_compared, "reconcile after a reconnect")

    def _look_at_cash(self, _platform: Platform) -> None:
        """Compare now and then while only cash keeps an order from being absent."""
        now_ns = self._desk.clock.now_ns()
        if now_ns - self._looked_ns > 2 * SOON_SECONDS * NS_PER_SECOND:
            self._looked_ns = now_ns
            self.catch_up()

    async def _until_compared(self) -> None:
        while self._is_asked_again:
            self._is_asked_again = False
            if not await self.run():
                self._is_asked_again = True
                self._look_at_age()
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
            self._look_at_age()

    def _come_back(self) -> None:
        """Compare before the interval is over, while a difference stands that may be none."""
        breaks = self._desk.book.breaks.values()
        is_unsure = any(each.observed in UNSURE for each in breaks)
        # The venue's lists may explain cash a little later.
        if not self._is_coming_back and (is_unsure or any(each.pool for each in breaks)):
            self._is_coming_back = True
            pause = SOON_SECONDS if is_unsure else CASH_SECONDS
            self._desk.supervisor.start(self._after(pause), "reconcile what is unsure")

    async def _after(self, seconds: float) -> None:
        await self._desk.clock.sleep(seconds)
        self._is_coming_back = False
        self.catch_up()

    def _look_at_age(self) -> None:
        """Tell who looks where a venue was not compared for long: what we hold is a belief."""
        desk = self._desk
        most_ns = UNVERIFIED_INTERVALS * desk.options.reconcile_interval_ns
        for platform in desk.venues:
            since_ns = desk.compared_ns.get(platform, self._began_ns)
            fields = {"belief": "comparison", "platform": str(platform)}
            if desk.clock.now_ns() - since_ns > most_ns:
                text = f"{platform} was not compared with the book for {UNVERIFIED_INTERVALS}"
                desk.alert("BELIEF_UNVERIFIED", f"{text} intervals", **fields)
            else:
                desk.alert_over("BELIEF_UNVERIFIED", **fields)

    async def run(self) -> bool:
        """
        Reconcile all venues once.

        Returns:
            Whether everything was compared; what could not be asked keeps its breaks.
        """
        return not await self.compare_all()

    async def compare_all(self) -> tuple[str, ...]:
        """Reconcile all venues once, one comparison at a time; return those that were not."""
        async with self.turn:
            return tuple([name for name in self._desk.venues if await self._look(name) is None])

    async def adopt(self, break_id: str, *, reason: str, actor: str) -> ResolvedView | None:
        """
        Take the venue's word where it differs, by a named operator; compares anew first.

        Returns:
            What was recorded; None = no such break.

        Raises:
            Conflict: the venue agrees by now, or could not be compared.
            Undecided: the journal failed.
        """
        desk = self._desk
        platform = next((each for each in desk.venues if break_id.startswith(f"{each}|")), None)
        if platform is None or break_id not in desk.book.breaks:
            return None
        async with self.turn:
            before = desk.book.breaks[break_id]
            round_ = await self._look(platform)
            found = None if round_ is None else round_.done.get(break_id)
            if before.kind not in KINDS - {"missing_fill"}:
                found = _as_found(before)
            elif round_ is None or (found is None and break_id in round_.untold):
                raise Conflict("NOT_COMPARED", f"{platform} cannot be compared there just now")
            if found is None:
                raise Conflict("AGREES", "The venue agrees by now: the break has ended by itself")
            return await self._adopt(platform, found, round_, reason, actor)

    async def _adopt(
        self,
        platform: Platform,
        found: events.BreakOpened,
        round_: _Round | None,
        reason: str,
        actor: str,
    ) -> ResolvedView:
        desk, claim, about = self._desk, None, ""
        if round_ is not None and round_.said is not None:
            there = held_there(desk, platform, round_.said.positions)
            claims = claims_of(desk, platform, there, round_.said.balances)
            claim, about = claims.get(found.break_id), round_.orders.get(found.break_id, "")
            key = found.market_key
            if claim is not None and key is not None and key not in desk.book.markets:
                listing = plain_listing(platform, key, desk.rules.terms[platform])
                await desk.writer.put(commands.ListMarket(listing=listing), Lane.CONTROL)
        command = commands.AdoptBreak(
            found=found, reason=reason, actor=actor, claim=claim, client_order_id=about
        )
        committed = await desk.writer.put(command, Lane.CONTROL)
        if not committed.records:
            raise Conflict("NOT_COMPARED", "Something moved meanwhile; come again")
        return ResolvedView(name=found.break_id, sequence=committed.records[-1][0])

    # One venue ---------------------------------------------------------------------------------

    async def _look(self, platform: Platform) -> _Round | None:
        """Compare one venue, look after look, until every item was told; None = not all were."""
        desk, round_ = self._desk, _Round()
        began_ns = desk.clock.now_ns()
        for _ in range(ATTEMPTS):
            before, gaps = self._state(platform), self._gaps[platform]
            asked_ns = desk.clock.now_ns()
            try:
                said = await self._ask(platform)
                is_quiet = not self._take(platform, said, round_) and self._is_idle
                if is_quiet and gaps == self._gaps[platform]:
                    pause = await self._judge(platform, said, before, asked_ns, round_)
                    if pause == 0:
                        return await self._finish(platform, round_, began_ns)
                else:
                    round_.done.clear()
                    pause = RETRY_SECONDS
            except VenueError as error:
                self._monitors.note(platform, str(error), is_health=error.is_health)
                return None
            except Undecided:
                return None
            # Something happened in between: a difference would prove nothing. Ask again.
            await self._pause(pause)
        if round_.said is not None:
            await self._record(platform, round_)
        return None

    async def _ask(self, platform: Platform) -> VenueLook:
        """Ask a venue for everything. Raises VenueError, Undecided."""
        desk, venue = self._desk, self._desk.venues[platform]
        since_ns = self._since_ns[platform]
        settled = await venue.results(self._unsettled(platform))
        # Cash before fills: what is inside the figure is then inside the list too.
        balances = await venue.balances()
        fills = await venue.fills(since_ns)
        placed = await venue.placed(since_ns)
        orders = await venue.open_orders()
        positions = await venue.positions()
        found = await self._look_up(platform, orders)
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
        platform: Platform,
        said: VenueLook,
        before: ComparedState,
        asked_ns: int,
        round_: _Round,
    ) -> float:
        """Take what one look tells of the items that were still; return the pause, 0 = all is."""
        desk, round_.said = self._desk, said
        there = held_there(desk, platform, said.positions)
        proven = proven_fills(desk, platform, said.fills, there, said.balances)
        for command in proven:
            desk.writer.tell(command)
        if proven:
            round_.done.clear()
            return RETRY_SECONDS
        found = self._comparing[platform].compare(said, there)
        self._halt_where_lost(platform, said, found)
        round_.untold, round_.orders = found.untold, found.orders
        differing = any(item in found.results for item in _cash_items(found))
        if (differing and not round_.are_movements_known) and await self._explain(platform, said):
            round_.are_movements_known = True
            return RETRY_SECONDS
        round_.are_movements_known = round_.are_movements_known or differing
        after, waiting, is_lagging = state_of(desk, platform), set(found.waiting), False
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
        self, item: str, result: events.BreakOpened | None, round_: _Round, *, is_old: bool
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
        self, said: VenueLook, found: Comparison, round_: _Round, as_of_ns: int
    ) -> float:
        """Begin to count the cash of pools that have no count yet, once all else agrees."""
        first = first_counts(self._desk, said.balances)
        if not first or any(each is not None for each in found.results.values()):
            return 0
        if as_of_ns < max((since for _, since in self._still.values()), default=0):
            return LAG_SECONDS
        self._desk.writer.tell(commands.Record(events=first))
        return 0

    async def _explain(self, platform: Platform, said: VenueLook) -> bool:
        """Take what the venue's own lists say moved cash; tell whether there was news."""
        desk = self._desk
        since_ns = self._since_ns[platform] - MOVEMENTS_BEFORE_NS
        movements = await desk.venues[platform].movements(since_ns)
        if all(each.movement_id in desk.book.movements for each in movements):
            return False
        command = commands.TakeMovements(movements=tuple(movements), balances=tuple(said.balances))
        return bool((await desk.writer.put(command, Lane.FACTS)).records)

    async def _finish(self, platform: Platform, round_: _Round, began_ns: int) -> _Round | None:
        """Record what all looks told; the venue is compared."""
        desk = self._desk
        if not await self._record(platform, round_):
            return None
        if round_.said is not None and not round_.are_movements_known:
            await self._explain(platform, round_.said)
        self._since_ns[platform] = began_ns - FILLS_BEFORE_NS
        desk.uncompared.discard(platform)
        desk.compared_ns[platform] = desk.clock.now_ns()
        self._come_back()
        return round_

    async def _pause(self, seconds: float) -> None:
        desk = self._desk
        await (asyncio.sleep(0) if desk.options.is_inline else desk.clock.sleep(seconds))

    def _state(self, platform: Platform) -> ComparedState:
        """Return what is compared, and remember since when, at the latest, the book has it so."""
        state, now_ns = state_of(self._desk, platform), self._desk.clock.now_ns()
        for item, value in state.items.items():
            known = self._still.get(item)
            if known is None or known[0] != value:
                self._still[item] = (value, now_ns)
        self._still = {
            item: known
            for item, known in self._still.items()
            if item in state.items or not item.startswith(f"{platform}|")
        }
        return state

    @property
    def _is_idle(self) -> bool:
        simulator = self._desk.simulator
        return simulator is None or simulator.is_idle

    async def _look_up(self, platform: Platform, orders: Sequence[VenueOrder]) -> dict[str, Lookup]:
        """Look, each by itself, for orders that the venue acknowledged and lists no more."""
        listed = {each.client_order_id for each in orders}
        found: dict[str, Lookup] = {}
        for order in ours(self._desk, platform):
            name = order.client_order_id
            if order.acknowledged_ns is None or name in listed:
                continue
            sent_ns = order.sent_ns or order.created_ns
            try:
                lookup = await self._desk.venues[platform].find(name, order.market_id, sent_ns)
            except VenueError as error:
                lookup = Inconclusive(message=str(error))
            if isinstance(lookup, Missing):
                lookup = explained(self._desk.book, order, lookup)
            found[name] = lookup
        return found

    # What it says ------------------------------------------------------------------------------

    def _take(self, platform: Platform, said: VenueLook, round_: _Round) -> bool:
        """Take what happened while nobody listened; tell whether the book moves by it."""
        tell = self._desk.writer.tell
        for each in said.settled:
            # The positions are gone for a reason.
            tell(
                commands.SettleMarket(
                    platform=platform, market_id=each.market_id, payouts=each.payouts
                )
            )
        is_news = bool(said.settled)
        for name, lookup in said.found.items():
            if isinstance(lookup, Found):
                tell(commands.TakeLookup(client_order_id=name, lookup=lookup))
                is_news = is_news or name not in round_.told
                round_.told.add(name)
        is_news = self._show(said, round_) or is_news
        self._find_out(platform)
        missing = missing_fills(self._desk, platform, said.fills)
        self._take_fills(platform, missing)
        return is_news or bool(missing)

    def _show(self, said: VenueLook, round_: _Round) -> bool:
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

    def _find_out(self, platform: Platform) -> None:
        """Ask for orders that the venue never said that it has: they are not missed."""
        self._desk.dispatcher.carry_out(
            [
                commands.ResolveOrder(each.client_order_id)
                for each in ours(self._desk, platform)
                if each.acknowledged_ns is None
            ]
        )

    def _take_fills(self, platform: Platform, missing: Sequence[Fill]) -> None:
        """Take fills that nobody told us of, and say so: a break that the next look closes."""
        for fill in missing:
            self._desk.writer.tell(commands.TakeFill(fill=fill))
            observed = f"{format_micro(fill.quantity)} at {format_micro(fill.price)}"
            opened = self._comparing[platform].break_of(
                "missing_fill", fill.trade_id, "no such fill", observed
            )
            if opened.break_id not in self._desk.book.breaks:
                self._desk.writer.tell(commands.Record(events=(opened,)))

    def _halt_where_lost(self, platform: Platform, said: VenueLook, found: Comparison) -> None:
        """Halt where the venue has orders of ours that the journal does not know."""
        book = self._desk.book
        for name in self._comparing[platform].rolled_back(said):
            item = f"{platform}|unknown_order|{name}"
            result = found.results.get(item)
            if result is None or book.accepted.get(item) == result.observed:
                continue
            reason = (
                f"JOURNAL_ROLLED_BACK: the venue has order {name} of ours that the"
                " journal does not know"
            )
            self._monitors.halt(HaltSource.JOURNAL, reason)
            return

    def _unsettled(self, platform: Platform) -> list[str]:
        """Return the markets of which something is held or open, by the venue's own name."""
        return [
            market.listing.market_id
            for market in self._desk.book.markets.values()
            if market.listing.platform == platform
            and not market.is_settled
            and (market.yes.quantity or market.no.quantity or market.orders)
        ]

    async def _record(self, platform: Platform, round_: _Round) -> bool:
        """Journal what is new and what is gone; False: it failed."""
        desk, said = self._desk, round_.said
        assert said is not None
        there = held_there(desk, platform, said.positions)
        untold = {
            item
            for item, known in desk.book.breaks.items()
            if item in round_.untold and item not in round_.done
        }
        command = commands.TakeComparison(
            platform=platform,
            kinds=KINDS,
            found=tuple(each for each in round_.done.values() if each is not None),
            claims=claims_of(desk, platform, there, said.balances),
            untold=frozenset(untold),
        )
        try:
            await desk.writer.put(command, Lane.FACTS)
        except Undecided:
            return False
        return True


def _cash_items(found: Comparison) -> list[str]:
    """Return the pools whose cash differs."""
    return [
        item
        for item, result in found.results.items()
        if result is not None and result.kind == "cash"
    ]


def _as_found(known: object) -> events.BreakOpened:
    """Return an open break as a comparison would have it."""
    fields = msgspec.structs.asdict(known)  # type: ignore[arg-type]
    del fields["since_ns"]
    return msgspec.convert(fields, events.BreakOpened)
