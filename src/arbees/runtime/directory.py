"""Markets as the venues know them: metadata and books, fetched when somebody means to trade one.

Guarantees that a request is decided on the venue's own word of its market where that can be had in
a moment, and that a venue which does not answer holds nobody up: the safeguards then judge what is
known. Books come as fast as they change; only the newest of each waits for the writer.
"""

import asyncio
from collections.abc import Iterator

from msgspec.structs import replace

from arbees.core import commands as c
from arbees.core.market import Listing
from arbees.core.payouts import Payouts
from arbees.core.ports import MarketData
from arbees.core.quote import Quote, Settlement
from arbees.core.request import Request
from arbees.core.views import Undecided
from arbees.core.words import Platform
from arbees.errors import VenueError
from arbees.runtime.desk import Desk
from arbees.runtime.monitors import Monitors
from arbees.runtime.writer import Lane

METADATA_SECONDS = 3.0
"""How long a request waits for the metadata of a market that is new."""
QUOTE_SECONDS = 1.0
"""How long it then waits for the first state of its book."""
STATUS_SECONDS = 30.0
MISSING_SECONDS = 10.0
"""A market that a venue does not know is not asked for again before this."""
MISSING_MAX = 10_000
"""Of more names that no venue knows none is remembered: asking again does no harm."""
FLUSH_SECONDS = 0.01
FOLLOWED_MAX = 200
"""Markets whose status is asked for again and again: those with positions, orders or requests."""

Place = tuple[Platform, str]


class Directory:
    """Fetches what is needed of markets; `ensure` is asked before each request."""

    def __init__(self, desk: Desk, monitors: Monitors) -> None:
        """Serve a desk; without market data of its venues there is nothing to do."""
        self._desk = desk
        self._monitors = monitors
        self._known: set[Place] = set()
        """Markets whose metadata is in the book and whose book is followed."""
        self._asking: dict[Place, asyncio.Task[None]] = {}
        self._missing: dict[Place, float] = {}
        self._newest: dict[Place, Quote] = {}
        self._first: dict[Place, asyncio.Event] = {}
        self._flush: asyncio.TimerHandle | None = None

    @property
    def is_needed(self) -> bool:
        """Whether any venue gives market data of its own."""
        return bool(self._desk.market_data)

    async def start(self) -> None:
        """Connect, and follow what is held; a venue that does not answer is tried on."""
        for platform, data in self._desk.market_data.items():
            data.listen(self._on_quote)
            try:
                await data.start()
            except VenueError as error:
                self._monitors.note(platform, str(error), is_health=error.is_health)
        for market in list(self._desk.book.markets.values()):
            listing = market.listing
            if market.is_settled or not (market.yes.quantity or market.no.quantity):
                continue
            source = self._desk.market_data.get(Platform(listing.platform))
            if source is not None:
                source.watch(listing.market_id)
        if self.is_needed:
            self._desk.supervisor.keep(self._keep_statuses, "market statuses")

    async def close(self) -> None:
        """Release the sources; what was being asked is the supervisor's to end."""
        for data in self._desk.market_data.values():
            await data.close()

    async def ensure(self, request: Request) -> None:
        """Fetch what is not known yet of the markets that a request names."""
        unknown = [place for place in _places(request) if self._is_unknown(place)]
        if unknown:
            await asyncio.gather(*(self._wait(place) for place in unknown))

    def _is_unknown(self, place: Place) -> bool:
        if place in self._known or place[0] not in self._desk.market_data:
            return False
        since = self._missing.get(place)
        return since is None or asyncio.get_running_loop().time() - since > MISSING_SECONDS

    async def _wait(self, place: Place) -> None:
        """Ask once for all who wait, and no longer than a moment."""
        task = self._asking.get(place)
        if task is None:
            name = f"market {place[1]}"
            task = self._desk.supervisor.once(self._fetch(place), name, lambda _error: None)
            self._asking[place] = task
            task.add_done_callback(lambda _task: self._asking.pop(place, None))
        await asyncio.wait([task], timeout=METADATA_SECONDS + QUOTE_SECONDS)

    async def _fetch(self, place: Place) -> None:
        platform, market_id = place
        data = self._desk.market_data[platform]
        try:
            async with asyncio.timeout(METADATA_SECONDS):
                found = await data.metadata(market_id)
        except (VenueError, TimeoutError) as error:
            # Of one market: a venue that is ill fails its reads and orders as well.
            said = f"metadata of {market_id}: {error or 'no answer'}"
            self._monitors.note(platform, said, is_health=False)
            return
        if found is None:
            if len(self._missing) >= MISSING_MAX:
                self._missing.clear()
            self._missing[place] = asyncio.get_running_loop().time()
            return
        listed = c.ListMarket(listing=found.listing, is_open=found.is_open)
        try:
            await self._desk.writer.put(listed, Lane.FACTS)
        except Undecided:
            return
        first = self._first[place] = asyncio.Event()
        data.watch(market_id)
        self._known.add(place)
        try:
            async with asyncio.timeout(QUOTE_SECONDS):
                await first.wait()
        except TimeoutError:
            return  # the safeguards say QUOTE_MISSING
        finally:
            self._first.pop(place, None)

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

    # Statuses ----------------------------------------------------------------------------------

    async def _keep_statuses(self) -> None:
        """Ask again and again whether markets that matter are open."""
        while True:
            await self._desk.clock.sleep(STATUS_SECONDS)
            for place in list(self._followed()):
                await self._refresh(place, self._desk.market_data[place[0]])

    async def _refresh(self, place: Place, data: MarketData) -> None:
        try:
            found = await data.metadata(place[1])
        except VenueError as error:
            self._monitors.note(place[0], str(error), is_health=error.is_health)
            return
        if found is None:
            return
        if found.payouts is not None:
            self._settle(place, found.payouts)
            return
        command = c.ListMarket(listing=found.listing, is_open=found.is_open)
        self._desk.writer.tell(command, Lane.FACTS)

    def _settle(self, place: Place, payouts: Payouts) -> None:
        """Settle a market as its venue did: on paper too, which reports it like any venue."""
        platform, market_id = place
        desk = self._desk
        if desk.simulator is None:
            command = c.SettleMarket(platform=platform, market_id=market_id, payouts=payouts)
            desk.writer.tell(command, Lane.FACTS)
            return
        now_ns = desk.clock.now_ns()
        desk.simulator.settle(  # not taken: the next look comes
            Settlement(ts_ns=now_ns, platform=platform, market_id=market_id, payouts=payouts)
        )

    def _followed(self) -> Iterator[Place]:
        count = 0
        for market in self._desk.book.markets.values():
            place = (Platform(market.listing.platform), market.listing.market_id)
            is_ours = bool(market.orders or market.yes.quantity or market.no.quantity)
            if market.is_settled or place[0] not in self._desk.market_data:
                continue
            if is_ours or place in self._known:
                count += 1
                if count > FOLLOWED_MAX:
                    return
                yield place


def _in_full(quote: Quote, listing: Listing) -> Quote:
    """Return a quote with the tick and lot of its market, which a book does not tell."""
    return replace(quote, tick=listing.tick, lot=listing.lot)


def _places(request: Request) -> Iterator[Place]:
    yield request.platform, request.market_id
    for alternate in request.alternates:
        yield alternate.platform, alternate.market_id
