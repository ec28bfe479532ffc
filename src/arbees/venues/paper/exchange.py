"""The paper exchange: a separate exchange with a book of its own, in the gateway's process.

Guarantees that an order is accepted exactly when it is durable in the book, which knows nothing of
the gateway's journal, so that recovery and reconciliation against it are real. After a crash it is
what was committed; what was not yet committed was never answered. A commit that fails stops it.
"""

from pathlib import Path

from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.words import Platform
from arbees.core.ports import Clock
from arbees.errors import VenueRefused
from arbees.venues.paper.book import PaperBook
from arbees.venues.paper.engine import Engine
from arbees.venues.paper.faults import Faults
from arbees.venues.paper.pump import Pump
from arbees.venues.paper.stream import DropCopy
from arbees.venues.paper.venue import PaperVenue


class PaperExchange:
    """Both venues over one book file. Everything but `open` needs a running loop, unless inline."""

    def __init__(
        self,
        book: PaperBook,
        *,
        clock: Clock,
        is_inline: bool = False,
        faults: Faults | None = None,
    ) -> None:
        """
        Take over an open book.

        Args:
            book: released by `close`.
            clock: gives the time of acceptance, fills and expiries.
            is_inline: match and commit inside each call, without threads and timers, so that a
                recorded evening plays the same twice. The driver then calls `tick`.
            faults: disturbances on request; none by default.
        """
        self.faults = Faults() if faults is None else faults
        """Switches for latency, lost answers, outages and the like."""
        self._engine = Engine(book.load(), book.is_spent)
        self._stream = DropCopy(self.faults)
        self._pump = Pump(self._engine, book, self._stream, clock, is_inline=is_inline)
        self._offered: dict[tuple[Platform, str], Quote] = {}
        """Books that wait, by market: only the newest state of each is matched."""
        self._venues = {
            platform: PaperVenue(
                platform,
                engine=self._engine,
                book=book,
                pump=self._pump,
                stream=self._stream,
                faults=self.faults,
                clock=clock,
            )
            for platform in Platform
        }

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        clock: Clock,
        starting_balance: int,
        is_inline: bool = False,
        owner: str = "",
        seed: int = 0,
    ) -> "PaperExchange":
        """
        Open the book at a path, or begin one.

        Args:
            path: of the file, or `:memory:`.
            clock: gives the time of acceptance, fills and expiries.
            starting_balance: micro-dollars a venue, for a new book only.
            is_inline: see the constructor.
            owner: whose book it is (account and environment); another owner's refuses.
            seed: of the disturbances drawn at random.

        Raises:
            ConfigurationError: the file is no paper book, another owner's, or open elsewhere.
        """
        book = PaperBook(
            path, owner=owner, starting_balance=starting_balance, now_ns=clock.now_ns()
        )
        return cls(book, clock=clock, is_inline=is_inline, faults=Faults(seed))

    @property
    def is_idle(self) -> bool:
        """Whether everything asked for is durable, answered and reported."""
        return self._pump.is_idle and all(venue.is_idle for venue in self._venues.values())

    @property
    def stop_reason(self) -> str | None:
        """Why it takes nothing any more; None while it works."""
        return self._pump.stop_reason

    def venue(self, platform: Platform) -> PaperVenue:
        """Return the one venue object of a platform."""
        return self._venues[platform]

    def feed(self, quote: Quote) -> bool:
        """Take a quote as the newest of its market; False if it is full or stopped."""
        return self._pump.tell(lambda now_ns: self._engine.quote(quote, now_ns))

    def offer(self, quote: Quote) -> bool:
        """Take the newest state of a book, in place of an older one of it that waits."""
        place = (quote.platform, quote.market_id)
        is_waiting = place in self._offered
        self._offered[place] = quote
        if is_waiting:
            return True
        is_taken = self._pump.tell(
            lambda now_ns: self._engine.quote(self._offered.pop(place), now_ns)
        )
        if not is_taken:
            self._offered.pop(place, None)
        return is_taken

    def settle(self, settlement: Settlement) -> bool:
        """Settle a market for ever; False if it is full or stopped."""
        return self._pump.tell(lambda now_ns: self._engine.settle(settlement, now_ns))

    def tick(self, now_ns: int) -> bool:
        """Expire what is due at a time; False if it is full or stopped."""
        return self._pump.tell(lambda _: self._engine.expire(now_ns))

    def next_due_ns(self) -> int | None:
        """Return when the next working order expires."""
        return self._engine.next_due_ns()

    async def move_cash(self, platform: Platform, amount: int) -> None:
        """
        Deposit (> 0) or withdraw (< 0) micro-dollars.

        Raises:
            VenueRefused: a withdrawal of more than is available.
        """
        is_done = await self._pump.ask(
            lambda now_ns: self._engine.move_cash(platform, amount, now_ns)
        )
        if not is_done:
            raise VenueRefused(
                "Expected at most what is available", venue_code="insufficient_balance"
            )

    async def close(self) -> None:
        """Do what waits, then release the book file. Idempotent."""
        await self._pump.close()
