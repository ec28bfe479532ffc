"""Measures a desk for the metrics: gauges of one durable moment.

Guarantees that nothing is ahead of the disk (P1): where the book runs ahead of the journal, it is
waited until the two agree, which they do after each commit. Costs nothing while nobody asks.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from arbees.core.book.book import Book
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Measured, Use
from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES
from arbees.core.language.units import to_decimal
from arbees.core.language.words import Platform, TradingState
from arbees.interface.measures import (
    Histogram,
    Measures,
    PoolMeasure,
    Used,
    VenueMeasure,
)
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane
from arbees.runtime.looking.reads import Reads
from arbees.runtime.looking.refusals import Refusing

WAIT_SECONDS = 5.0
"""A commit takes longer only where the disk hangs; then what there is is told."""


class Measuring:
    """Measures one desk."""

    def __init__(
        self, desk: Desk, reads: Reads, refusing: Refusing, is_ready: Callable[[], bool]
    ) -> None:
        """
        Prepare.

        Args:
            desk: what is measured.
            reads: its halts and state, as they are shown elsewhere.
            refusing: what would be refused.
            is_ready: whether requests are decided.
        """
        self._desk = desk
        self._reads = reads
        self._refusing = refusing
        self._is_ready = is_ready
        self._waiting: list[asyncio.Future[Measures]] = []
        self._last: Measures | None = None

    def settle(self) -> None:
        """Answer who waits; to be called right after each commit, when book and journal agree."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            found = self._look()
            for future in waiting:
                if not future.done():
                    future.set_result(found)

    async def take(self) -> Measures:
        """Return the measures of the next durable moment."""
        desk = self._desk
        if desk.book.sequence <= desk.journal.head.sequence:
            return self._look()
        future: asyncio.Future[Measures] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await future
        except TimeoutError:
            if self._last is None:
                raise
            return self._last

    def _look(self) -> Measures:
        desk, book = self._desk, self._desk.book
        options = desk.options
        games, worker = book.game_worst.values(), desk.writer.worker
        self._last = Measures(
            sequence=book.sequence,
            version=options.version,
            settings_hash=options.settings_hash,
            mode=book.mode,
            account=book.account,
            environment=book.environment,
            is_ready=self._is_ready(),
            state=TradingState(self._reads.state()),
            halts=tuple(halt.source for halt in self._reads.halts()),
            refused=tuple(
                (each.code, each.scope.partition(":")[0]) for each in self._refusing.now()
            ),
            disabled=tuple(options.disabled),
            venues=self._venues(book),
            pools=self._pools(book),
            open_orders=len(book.orders),
            unknown_orders=book.unknown,
            breaks=len(book.breaks),
            exposure=book.total_worst,
            exposure_market=max((each.worst for each in book.markets.values()), default=0),
            exposure_game=max(games, default=0),
            exposure_sports={name: amount for name, amount in book.sport_worst.items() if amount},
            pnl_today=book.pnl_today(desk.marks.unrealized),
            max_daily_loss=options.max_daily_loss,
            used=self._used(),
            queued={lane.name.lower(): len(desk.writer.lanes[lane]) for lane in Lane},
            commits=(worker.timings if worker is not None else Histogram()).timings(),
        )
        return self._last

    def _venues(self, book: Book) -> tuple[VenueMeasure, ...]:
        exposure: Counter[str] = Counter()
        for market in book.markets.values():
            exposure[market.listing.platform] += market.worst
        states = dict.fromkeys(self._desk.venues, TradingState.ACTIVE)
        for each in self._refusing.venues():
            place, state = Platform(each.platform), TradingState(each.state)
            states[place] = max(states[place], state, key=lambda one: one.rank)
        return tuple(self._venue(name, states[name], exposure[name]) for name in states)

    def _venue(self, platform: Platform, state: TradingState, exposure: int) -> VenueMeasure:
        return VenueMeasure(
            platform=platform,
            state=state,
            is_breaker_open=any(each.is_open for each in self._desk.conditions.breakers(platform)),
            exposure=exposure,
        )

    def _pools(self, book: Book) -> tuple[PoolMeasure, ...]:
        now_ns, seen_ns = self._desk.clock.now_ns(), self._desk.facts.balances_ns
        return tuple(
            PoolMeasure(
                platform=pool.platform,
                pool=name,
                available=pool.available,
                outside=pool.outside,
                age_ns=max(0, now_ns - max(seen_ns.get(name, 0), pool.as_of_ns)),
            )
            for name, pool in book.pools.items()
        )

    def _used(self) -> tuple[Used, ...]:
        """Return each limit where it is tightest, by kind of scope."""
        desk = self._desk
        facts = Facts(now_ns=desk.clock.now_ns(), unrealized=desk.marks.unrealized)
        tightest: dict[tuple[str, str, str], Use] = {}
        for safeguard in desk.rules.safeguards:
            if not isinstance(safeguard, Measured):
                continue
            for use in safeguard.used(desk.book, facts):
                name = (safeguard.name, use.code, use.scope.partition(":")[0])
                known = tightest.get(name)
                if known is None or use.limit - use.value < known.limit - known.value:
                    tightest[name] = use
        return tuple(_used(name, use) for name, use in tightest.items())


def _used(name: tuple[str, str, str], use: Use) -> Used:
    safeguard, code, scope = name
    read = Decimal if CODES[code].unit is Unit.COUNT else to_decimal
    return Used(
        safeguard=safeguard,
        code=code,
        scope=scope,
        value=read(use.value),
        limit=read(use.limit),
        headroom=read(use.limit - use.value),
    )
