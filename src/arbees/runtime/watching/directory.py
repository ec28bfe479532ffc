"""Markets as the venues know them: metadata and books, for what is meant to be traded or held.

Guarantees that the newest word of the venue counts, that only what it changes is recorded, and that
each word has an age which the safeguards see. Markets are asked for before a request whose facts
are old, again and again in turn while they matter, at once where the venue says that something
changed or refused an order, and at the start where something is held or open. A venue that does not
answer holds nobody up for long: what is known grows old, and past its bound opens nothing.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from arbees.core.book.market import Listing, Market
from arbees.core.deciding import commands
from arbees.core.language.payouts import Payouts
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.core.ports import MarketNotice, Metadata
from arbees.errors import VenueError
from arbees.interface.views import Undecided
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane
from arbees.runtime.watching.monitors import Monitors
from arbees.safeguards.market import MARKET_AGE_MAX_NS

METADATA_SECONDS = 3.0
"""How long a request waits for the metadata of a market that is new, or known too long ago."""
QUOTE_SECONDS = 2.0
"""How long it then waits for the first state of its book."""
RENEW_NS = 60 * NS_PER_SECOND
"""A request does not go by older facts than this, where the venue answers in time."""
RETRY_NS = 5 * NS_PER_SECOND
"""A venue that did not answer holds up no other request for the same market before this."""
ROUND_NS = 30 * NS_PER_SECOND
"""Markets that matter are asked for this often."""
SETTLED_NS = 300 * NS_PER_SECOND
"""Those that paid us are asked this often whether their result was amended,"""
AMENDABLE_NS = 72 * 3_600 * NS_PER_SECOND
"""for so long."""
IDLE_NS = 3_600 * NS_PER_SECOND
"""A market that nobody asked for since, and of which nothing is held, is not followed any more."""
LAG_NS = 5 * NS_PER_SECOND
"""How far a venue's reads may lag behind its stream."""
TICK_SECONDS = 2.5
BATCH = 20
BATCH_SECONDS = 20.0
BATCHES = 3
"""At most so many reads of so many markets at a tick, those that waited longest first."""
MISSING_SECONDS = 10.0
"""A market that a venue does not know is not asked for again before this."""
MISSING_MAX = 10_000
"""Of more names that no venue knows none is remembered: asking again does no harm."""
FLUSH_SECONDS = 0.01

Place = tuple[Platform, str]


class _Known(msgspec.Struct):
    """How fresh the venue's word on a market is; times are ours."""

    as_of_ns: int = 0
    due_ns: int = 0
    """When it is asked for again in its turn."""
    asked_ns: int = 0
    wanted_ns: int = 0
    """Of the last request that named it."""
    closed_ns: int = 0
    """When the venue's stream said that it takes no orders."""
    followed_ns: int = 0
    is_watched: bool = False
    is_told: bool = False
    """Somebody was told that the venue's word on it is too old."""


class Directory:
    """Fetches what is needed of markets; `ensure` is asked before each request."""

    def __init__(self, desk: Desk, monitors: Monitors) -> None:
        """Serve a desk; without market data of its venues there is nothing to do."""
        self._desk = desk
        self._monitors = monitors
        self._known: dict[Place, _Known] = {}
        """Markets whose metadata is in the book."""
        self._asking: dict[Place, asyncio.Task[None]] = {}
        self._missing: dict[Place, float] = {}
        self._newest: dict[Place, Quote] = {}
        self._first: dict[Place, asyncio.Event] = {}
        self._flush: asyncio.TimerHandle | None = None

    @property
    def is_needed(self) -> bool:
        """Whether any venue gives market data of its own."""
        return bool(self._desk.market_data)

    def watched(self) -> Iterator[Place]:
        """Yield the markets whose books are followed, whether one came or not."""
        return (place for place, known in self._known.items() if known.is_watched)

    async def start(self) -> None:
        """Connect, and follow what matters; a venue that does not answer is tried on."""
        for platform, data in self._desk.market_data.items():
            data.listen(self._on_quote)
            data.notify(partial(self._on_notice, platform))
            try:
                await data.start()
            except VenueError as error:
                self._monitors.note(platform, str(error), is_health=error.is_health)
        now_ns = self._desk.clock.now_ns()
        for market in self._desk.book.markets.values():
            place = (Platform(market.listing.platform), market.listing.market_id)
            if place[0] in self._desk.market_data and _is_ours(market):
                known = self._known.setdefault(place, _Known(followed_ns=now_ns))
                if not market.is_settled:
                    self._watch(place, known)
        if self.is_needed:
            self._desk.supervisor.keep(self._keep_asking, "market facts")

    async def close(self) -> None:
        """Release the sources; what was being asked is the supervisor's to end."""
        for data in self._desk.market_data.values():
            await data.close()

    # Asking ------------------------------------------------------------------------------------

    async def ensure(self, request: Request) -> None:
        """Ask for what is not known yet, or known too long ago, of a request's markets."""
        now_ns = self._desk.clock.now_ns()
        wanted = [place for place in _places(request) if self._is_wanted(place, now_ns)]
        if wanted:
            await asyncio.gather(*(self._wait(place) for place in wanted))

    def _is_wanted(self, place: Place, now_ns: int) -> bool:
        if place[0] not in self._desk.market_data:
            return False
        known = self._known.get(place)
        if known is not None:
            known.wanted_ns = now_ns
            is_old = now_ns - known.as_of_ns > RENEW_NS
            return is_old and (place in self._asking or now_ns - known.asked_ns > RETRY_NS)
        since = self._missing.get(place)
        return since is None or asyncio.get_running_loop().time() - since > MISSING_SECONDS

    async def _wait(self, place: Place) -> None:
        """Ask once for all who wait, and no longer than a moment."""
        await asyncio.wait([self._start(place)], timeout=METADATA_SECONDS + QUOTE_SECONDS)

    def _start(self, place: Place) -> "asyncio.Task[None]":
        task = self._asking.get(place)
        return task or self._begin([place], self._fetch(place), f"market {place[1]}")

    def _begin(
        self, places: Sequence[Place], work: Coroutine[Any, Any, None], name: str
    ) -> "asyncio.Task[None]":
        """Start asking for some markets; whoever wants one of them meanwhile waits along."""
        task = self._desk.supervisor.once(work, name, lambda _error: None)
        for place in places:
            self._asking[place] = task

        def over(_task: "asyncio.Task[None]") -> None:
            for place in places:
                if self._asking.get(place) is task:
                    del self._asking[place]

        task.add_done_callback(over)
        return task

    def look_up(self, platform: Platform, market_id: str) -> None:
        """Ask for a market at once: the venue refused an order in it, or says that it changed."""
        if (platform, market_id) in self._known:
            self._start((platform, market_id))

    async def _fetch(self, place: Place) -> None:
        """Ask for one market, and for the first state of its book where it is new."""
        try:
            async with asyncio.timeout(METADATA_SECONDS):
                is_answered = await self._ask(place[0], [place[1]])
        except TimeoutError:
            # Of one market: a venue that is ill fails its orders as well.
            said = f"metadata of {place[1]}: no answer"
            self._monitors.note(place[0], said, is_health=False)
            return
        known = self._known.get(place)
        if known is None and is_answered:
            self._miss(place)
        if known is None or known.is_watched:
            return
        first = self._first[place] = asyncio.Event()
        self._watch(place, known)
        try:
            async with asyncio.timeout(QUOTE_SECONDS):
                await first.wait()
        except TimeoutError:
            return  # the safeguards say QUOTE_MISSING
        finally:
            self._first.pop(place, None)

    async def _ask(self, platform: Platform, market_ids: Sequence[str]) -> bool:
        """Ask for some markets of a venue, and take what it says; tell whether it answered."""
        asked_ns = self._desk.clock.now_ns()
        for market_id in market_ids:
            known = self._known.get((platform, market_id))
            if known is not None:
                known.asked_ns, known.due_ns = asked_ns, asked_ns + ROUND_NS
        try:
            found = await self._desk.market_data[platform].metadata(market_ids)
        except VenueError as error:
            said = f"metadata of {', '.join(market_ids[:3])}: {error}"
            self._monitors.note(platform, said, is_health=False)
            return False
        for market_id in market_ids:
            if market_id in found:
                await self._take((platform, market_id), found[market_id], asked_ns)
        return True

    async def _take(self, place: Place, said: Metadata, asked_ns: int) -> None:
        """Take a venue's word on a market."""
        platform, market_id = place
        known = self._known.get(place) or _Known(asked_ns=asked_ns, wanted_ns=asked_ns)
        book = self._desk.book
        if said.payouts is not None and book.market_of(platform, market_id) is not None:
            _settle(self._desk, place, said.payouts)
            known.due_ns = asked_ns + SETTLED_NS
        else:
            # A read that was asked for right after the stream's word may be older than it.
            is_open = said.is_open and asked_ns - known.closed_ns > LAG_NS
            listed = commands.ListMarket(listing=said.listing, is_open=is_open, status=said.status)
            try:
                await self._desk.writer.put(listed, Lane.FACTS)
            except Undecided:
                return
            known.due_ns = asked_ns + (ROUND_NS if is_open == said.is_open else LAG_NS)
        known.as_of_ns = max(known.as_of_ns, said.as_of_ns)
        self._known[place] = known
        self._desk.facts.markets_ns[place] = known.as_of_ns

    def _miss(self, place: Place) -> None:
        if len(self._missing) >= MISSING_MAX:
            self._missing.clear()
        self._missing[place] = asyncio.get_running_loop().time()

    def _watch(self, place: Place, known: _Known) -> None:
        if not known.is_watched:
            known.is_watched = True
            self._desk.market_data[place[0]].watch(place[1])

    # What changes ------------------------------------------------------------------------------

    def _on_notice(self, platform: Platform, notice: MarketNotice) -> None:
        """Ask at once for what changed, and once more when reads have caught up."""
        now_ns = self._desk.clock.now_ns()
        for market_id in notice.market_ids or ():
            known = self._known.get((platform, market_id))
            if known is None:
                continue
            if notice.closed:
                known.closed_ns = now_ns
                self._shut(platform, market_id, notice.closed)
            task = self._start((platform, market_id))
            task.add_done_callback(partial(self._hasten, known))
        if notice.market_ids is None:
            for place, known in self._known.items():
                if place[0] is platform:
                    known.due_ns = min(known.due_ns, now_ns)

    def _hasten(self, known: _Known, _task: "asyncio.Task[None]") -> None:
        known.due_ns = min(known.due_ns, self._desk.clock.now_ns() + LAG_NS)

    def _shut(self, platform: Platform, market_id: str, status: str) -> None:
        """Close a market on the stream's word; only a read from after it opens it again."""
        found = self._desk.book.market_of(platform, market_id)
        if found is None or found[0].is_settled:
            return
        shut = commands.ListMarket(listing=found[0].listing, is_open=False, status=status)
        try:
            self._desk.writer.tell(shut, Lane.FACTS)
        except Undecided:
            return  # the read that follows says it too

    async def _keep_asking(self) -> None:
        """Ask for all that matter, in turn: those that waited longest first."""
        while True:
            await self._desk.clock.sleep(TICK_SECONDS)
            now_ns = self._desk.clock.now_ns()
            self._let_go(now_ns)
            self._look_at_age(now_ns)
            for platform in self._desk.market_data:
                due = sorted(
                    (known.asked_ns, place[1])
                    for place, known in self._known.items()
                    if place[0] is platform and known.due_ns <= now_ns
                )
                names = [name for _, name in due[: BATCH * BATCHES]]
                for first in range(0, len(names), BATCH):
                    batch = names[first : first + BATCH]
                    places = [(platform, name) for name in batch]
                    work = self._renew(platform, batch)
                    await asyncio.wait([self._begin(places, work, "some markets")])

    async def _renew(self, platform: Platform, market_ids: Sequence[str]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BATCH_SECONDS):
                await self._ask(platform, market_ids)

    def _look_at_age(self, now_ns: int) -> None:
        """Tell who looks which markets the venue does not answer for: what is known is a belief."""
        for place, known in self._known.items():
            found = self._desk.book.market_of(*place)
            is_over = found is None or found[0].is_settled
            since_ns = known.as_of_ns or known.followed_ns
            _say(
                self._desk,
                place,
                known,
                is_old=not is_over and now_ns - since_ns > MARKET_AGE_MAX_NS,
            )

    def _let_go(self, now_ns: int) -> None:
        """Stop following what nobody wants and nobody holds."""
        book = self._desk.book
        for place, known in list(self._known.items()):
            found = book.market_of(*place)
            if found is None:
                continue
            market = found[0]
            if market.is_settled:
                is_over = now_ns - market.settled_ns > AMENDABLE_NS or not _is_ours(market)
            else:
                is_over = now_ns - known.wanted_ns > IDLE_NS and not _is_ours(market)
            if is_over:
                _say(self._desk, place, known, is_old=False)
                self._desk.market_data[place[0]].let_go(place[1])
                del self._known[place]
                self._desk.facts.markets_ns.pop(place, None)

    # Books -------------------------------------------------------------------------------------

    def _on_quote(self, quote: Quote) -> None:
        """Keep the newest state of each book, and hand them over together."""
        self._newest[quote.platform, quote.market_id] = quote
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(FLUSH_SECONDS, self._hand_over)

    def _hand_over(self) -> None:
        self._flush = None
        newest, self._newest = self._newest, {}
        desk = self._desk
        for place, quote in newest.items():
            listed = desk.book.market_of(*place)
            if listed is None:
                continue  # its metadata is the first word on a market, not its price
            if listed[0].is_settled:
                desk.market_data[place[0]].let_go(place[1])
                continue
            try:
                desk.writer.offer(quote)
            except Undecided:
                return  # too much waits: what is left grows old, and the next states come soon
            if desk.simulator is not None:
                desk.simulator.offer(_in_full(quote, listed[0].listing))
            first = self._first.get(place)
            if first is not None:
                first.set()


def _is_ours(market: Market) -> bool:
    """Tell whether something of a market is open, held, or was paid out."""
    if market.is_settled:
        return bool(market.settled_yes or market.settled_no)
    return bool(market.orders or market.yes.quantity or market.no.quantity)


def _in_full(quote: Quote, listing: Listing) -> Quote:
    """Return a quote with the tick and lot of its market, which a book does not tell."""
    return replace(quote, tick=listing.tick, lot=listing.lot)


def _places(request: Request) -> Iterator[Place]:
    yield request.platform, request.market_id
    for alternate in request.alternates:
        yield alternate.platform, alternate.market_id


def _say(desk: Desk, place: Place, known: _Known, *, is_old: bool) -> None:
    if is_old == known.is_told:
        return
    known.is_told, (platform, market_id) = is_old, place
    fields = {"belief": f"market:{market_id}", "platform": str(platform)}
    if is_old:
        said = f"{platform} does not say how {market_id} stands: nothing opens there"
        desk.alert("BELIEF_UNVERIFIED", said, **fields)
    else:
        desk.alert_over("BELIEF_UNVERIFIED", **fields)


def _settle(desk: Desk, place: Place, payouts: Payouts) -> None:
    """Settle a market as its venue did: on paper too, which reports it like any venue."""
    platform, market_id = place
    if desk.simulator is None:
        command = commands.SettleMarket(platform=platform, market_id=market_id, payouts=payouts)
        desk.writer.tell(command, Lane.FACTS)
        return
    now_ns = desk.clock.now_ns()
    desk.simulator.settle(  # not taken: the next look comes
        Settlement(ts_ns=now_ns, platform=platform, market_id=market_id, payouts=payouts)
    )
