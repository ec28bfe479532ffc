"""A disconnect of every kind for a minute while orders work: nothing blind, nothing forgotten."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from arbees.core.language.words import TimeInForce
from arbees.core.orders.result import Result
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.server import OWNER
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

VENUE_CODES = {"VENUE_UNAVAILABLE", "VENUE_BLIND", "VENUE_HEARTBEAT_LATE", "CLOCK_SKEW"}


class NamelessLoop(asyncio.SelectorEventLoop):
    """A loop whose resolver knows no names while it is told so."""

    is_nameless = False

    async def getaddrinfo(self, *args: Any, **more: Any) -> list[Any]:
        """Resolve a name, or fail as a resolver that nobody answers."""
        if self.is_nameless:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return await super().getaddrinfo(*args, **more)


def _nameless(scene: KalshiScene) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, NamelessLoop)
    loop.is_nameless = True
    scene.server.fault(FaultKind.STREAM_CLOSED)
    # Connections that are open need no name: they end one after the other.
    scene.server.fault(FaultKind.LOST_BEFORE, call="any", count=8)


def _both(scene: KalshiScene) -> None:
    scene.server.fault(FaultKind.UNREACHABLE)
    scene.server.fault(FaultKind.STREAM_DOWN)


DISCONNECTS: dict[str, Callable[[KalshiScene], None]] = {
    "rest only": lambda scene: scene.server.fault(FaultKind.UNREACHABLE),
    "stream only": lambda scene: scene.server.fault(FaultKind.STREAM_DOWN),
    "both": _both,
    "name resolution": _nameless,
    "silent stream": lambda scene: scene.server.fault(FaultKind.STREAM_SILENT),
}


def _heal(scene: KalshiScene) -> None:
    scene.server.heal()
    loop = asyncio.get_running_loop()
    if isinstance(loop, NamelessLoop):
        loop.is_nameless = False


def _is_denied_for_the_venue(result: Result | None) -> bool:
    """Tell whether the venue's state is among the reasons; a stale quote may be the first."""
    return result is not None and bool(VENUE_CODES & {each.code for each in result.denials})


async def _a_minute(cut: Callable[[KalshiScene], None]) -> None:
    async with kalshi_stage(host="localhost") as scene:
        await scene.send(scene.request("7", "0.40"))
        await scene.rest(6, markets=(MARKET, OTHER))
        cut(scene)
        await scene.pass_time(30)
        scene.show(MARKET)
        known = set(scene.exchange.orders)
        result = await scene.send(scene.request("1", "0.40"))
        assert _is_denied_for_the_venue(result)
        # Meanwhile somebody trades with us, and one order is gone at the exchange.
        resting = scene.exchange.resting(OWNER)
        scene.trade(resting[0])
        scene.trade(resting[1], resting[1].remaining)
        scene.exchange.cancel(OWNER, resting[2].order_id)
        await scene.pass_time(15)
        result = await scene.send(scene.request("1", "0.20", TimeInForce.GTC, market=OTHER))
        assert _is_denied_for_the_venue(result)
        await scene.pass_time(15)
        assert set(scene.exchange.orders) == known
        assert len(scene.assembly.gateway.desk.book.orders) >= len(scene.exchange.resting(OWNER))
        _heal(scene)
        await scene.settled()
        await scene.until(lambda: scene.is_ready)
        assert scene.compare().is_agreed
        assert await _trades_again(scene)
        await scene.settled()


async def _trades_again(scene: KalshiScene) -> bool:
    """Tell whether an order fills again, once the book is heard again."""
    for _ in range(20):
        scene.show(MARKET)
        await scene.pass_time(2)
        result = await scene.send(scene.request("1", "0.40"))
        if result is not None and result.status == "Filled":
            return True
    return False


@pytest.mark.parametrize("kind", DISCONNECTS)
def test_a_disconnect_for_a_minute(kind: str) -> None:
    """Opening orders are denied, not sent; on return all agrees to the micro-dollar."""
    with asyncio.Runner(loop_factory=NamelessLoop) as runner:
        runner.run(_a_minute(DISCONNECTS[kind]))
