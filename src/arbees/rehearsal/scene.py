"""A small stage: one gateway in recorded time, to ask something of and to disturb.

For demonstrations, drills and tests. Everything goes the way that real requests go.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from arbees.core.language.payouts import won_by
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.units import NS_PER_SECOND, parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.rehearsal.evening import START_NS
from arbees.rehearsal.playback import Player
from arbees.runtime.clock import RecordedClock
from arbees.runtime.signals import Ends
from arbees.settings import load
from arbees.wiring.bootstrap import Assembly, Files, assemble

MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"


class Scene:
    """A gateway on stage; times move only when told to."""

    def __init__(self, assembly: Assembly, clock: RecordedClock) -> None:
        """Take a wired gateway whose clock this is."""
        self.assembly = assembly
        self.clock = clock
        self.player = Player(assembly, clock)
        self._count = 0

    @property
    def now_ns(self) -> int:
        """Where the clock stands."""
        return self.clock.now_ns()

    async def wait(self, seconds: float) -> None:
        """Let recorded time pass."""
        await self.player.move_to(self.now_ns + round(seconds * NS_PER_SECOND))

    async def quote(
        self,
        bid: str | None = "0.59",
        ask: str | None = "0.61",
        *,
        market: str = MARKET,
        platform: Platform = Platform.KALSHI,
        sport: str | None = "NBA",
        game: str | None = "nba_HOU@BOS",
        size: str = "1000",
        age: float = 0.0,
        start_ns: int | None = None,
    ) -> None:
        """Quote one level a side; None = that side is empty."""
        quantity = parse_micro(size)
        quote = Quote(
            ts_ns=self.now_ns - round(age * NS_PER_SECOND),
            platform=platform,
            market_id=market,
            bids=() if bid is None else ((parse_micro(bid), quantity),),
            asks=() if ask is None else ((parse_micro(ask), quantity),),
            sport=sport,
            game_id=game,
            game_start_ns=start_ns,
        )
        await self.assembly.gateway.feed([quote])
        await self.player.settle()

    async def settle(self, result: Side, *, market: str = MARKET) -> None:
        """Settle a market."""
        await self.assembly.gateway.settle(
            Settlement(
                ts_ns=self.now_ns,
                platform=Platform.KALSHI,
                market_id=market,
                payouts=won_by(result),
            )
        )
        await self.player.settle()

    def request(
        self,
        *,
        size: str = "10",
        price: str = "0.61",
        market: str = MARKET,
        side: Side = Side.YES,
        action: Action = Action.BUY,
        time_in_force: TimeInForce = TimeInForce.IOC,
        platform: Platform = Platform.KALSHI,
        age: float = 0.0,
        **more: object,
    ) -> Request:
        """Return a request of now, with a key of its own."""
        self._count += 1
        fields = {
            "request_id": f"req-{self._count}",
            "idempotency_key": f"key-{self._count}",
            "strategy": "demo",
            **more,
        }
        return Request(
            platform=platform,
            market_id=market,
            side=side,
            action=action,
            size=parse_micro(size),
            limit_price=parse_micro(price),
            time_in_force=time_in_force,
            created_ns=self.now_ns - round(age * NS_PER_SECOND),
            **fields,  # type: ignore[arg-type]
        )

    async def send(self, request: Request) -> Result:
        """Submit a request and let everything that it sets off happen."""
        first = await self.assembly.gateway.submit(request, 0)
        await self.player.settle()
        known = self.assembly.gateway.reads.result(request.request_id)
        return first if known is None or first.code in _OWN else known

    async def ask(self, **fields: object) -> Result:
        """Submit a request of now; see `request`."""
        return await self.send(self.request(**fields))  # type: ignore[arg-type]


_OWN = frozenset({"DUPLICATE_REQUEST", "DUPLICATE_SIGNAL", "IDEMPOTENCY_CONFLICT"})


@asynccontextmanager
async def stage(
    settings: Mapping[str, str] | None = None,
    *,
    toml: str = "",
    folder: Path | None = None,
    start_ns: int = START_NS,
    do_stop: bool = True,
) -> AsyncIterator[Scene]:
    """
    Set up a scene and take it down.

    Args:
        settings: by their names; everything else is at its default.
        toml: text of an arbees.toml.
        folder: where to keep the files; None = a temporary place.
        start_ns: where the clock stands at first.
        do_stop: whether to end in order at the end.
    """
    with tempfile.TemporaryDirectory(prefix="arbees-stage-") as temporary:
        place = Path(temporary) if folder is None else folder
        written = place / "arbees.toml"
        written.write_text(toml, encoding="utf-8")
        loaded = load(dict(settings or {}), None, written)
        clock = RecordedClock(start_ns)
        files = Files(place / "journal.db", place / "paper.db", place / "audit.jsonl")
        assembly = assemble(loaded, clock=clock, files=files, ends=Ends(), is_inline=True)
        scene = Scene(assembly, clock)
        try:
            await assembly.start(follow=False)
            yield scene
        finally:
            if do_stop:
                await assembly.stop("the scene is over")
            else:
                await asyncio.sleep(0)
