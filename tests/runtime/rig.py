"""A gateway on fakes: a journal in memory, scripted venues, a clock that the test moves.

Everything in between is the real thing, wired as the service wires it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import Fill, VenueOrder, VenuePosition
from arbees.core.deciding.verdicts import Safeguard
from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    Mode,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.interface.views import KillReply
from arbees.runtime.clock import RecordedClock
from arbees.runtime.desk import Desk, JumpingClock
from arbees.runtime.gateway import TradingGateway
from arbees.runtime.options import Options
from arbees.runtime.supervisor import Supervisor
from arbees.telemetry.alerts.board import alert_id_of
from tests.runtime.memory_journal import MemoryJournal
from tests.runtime.scripted_venue import ScriptedVenue
from tests.safeguards.build import BUFFER, KALSHI, NOW, TERMS, micro, request

TURNS = 60
"""Turns of the loop after which everything that was set off is done."""

OPTIONS: dict[str, Any] = {
    "version": "1",
    "snapshot_version": "1/shape",
    "settings_hash": "hash",
    "zone": ZoneInfo("America/New_York"),
    "max_daily_loss": 500 * MICRO,
    "daily_loss_threshold": 800_000,
    "balance_low": 100 * MICRO,
    "is_inline": True,
}


def options(**changes: Any) -> Options:
    """Return the options of the defaults, on one thread."""
    return Options(**{**OPTIONS, **changes})


class Rig:
    """One gateway and what surrounds it."""

    def __init__(
        self,
        *safeguards: Safeguard,
        journal: MemoryJournal | None = None,
        clock: JumpingClock | None = None,
        mode: Mode = Mode.PAPER,
        **changes: Any,
    ) -> None:
        """
        Wire a gateway; nothing runs yet.

        Args:
            safeguards: those that are on.
            journal: what an earlier life left; None = a new one.
            clock: None = one that stands still until it is moved.
            mode: paper or live.
            changes: of the options.
        """
        self.clock: JumpingClock = RecordedClock(NOW) if clock is None else clock
        self.journal = MemoryJournal(self.clock.now_ns()) if journal is None else journal
        self.kalshi = ScriptedVenue(Platform.KALSHI, self.clock.now_ns)
        self.polymarket = ScriptedVenue(Platform.POLYMARKET, self.clock.now_ns)
        self.alerts: list[tuple[str, str]] = []
        """Each that was raised, however often."""
        self.standing: dict[str, str] = {}
        """Messages of those that stand, by name and subject."""
        self.ended: list[str] = []
        chosen = options(**changes)
        self.desk = Desk(
            journal=self.journal,
            book=self.journal.replayed(),
            rules=commands.Rules(
                mode=mode,
                account="main",
                environment="local",
                safeguards=safeguards,
                terms=TERMS,
                balance_buffer=BUFFER,
                break_policies=dict(chosen.reconcile_policy),
                break_policy=chosen.reconcile_default,
            ),
            venues={Platform.KALSHI: self.kalshi, Platform.POLYMARKET: self.polymarket},
            simulator=None,
            clock=self.clock,
            options=chosen,
            alerts=self,
            supervisor=Supervisor(self.clock),
        )
        self.warnings: tuple[str, ...] = ()
        """Of what surrounds the gateway."""
        self.gateway = TradingGateway(
            self.desk, warnings=lambda: self.warnings, on_end=self.ended.append
        )

    def raise_(self, name: str, message: str, **data: object) -> None:
        """Remember an alert, as a new one."""
        self.alerts.append((name, message))
        self.standing[alert_id_of(name, data)] = message

    def clear(self, name: str, **data: object) -> None:
        """Forget that an alert stands."""
        self.standing.pop(alert_id_of(name, data), None)

    @property
    def book(self) -> Book:
        """Return the book."""
        return self.desk.book

    @property
    def now_ns(self) -> int:
        """Where the clock stands."""
        return self.clock.now_ns()

    # Time --------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let everything that was set off happen."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Let recorded time pass, with every timer due on the way."""
        assert isinstance(self.clock, RecordedClock)
        await self.settle()
        await self.clock.move_to(self.now_ns + round(seconds * NS_PER_SECOND), self.settle)
        await self.settle()

    # Doing -------------------------------------------------------------------------------------

    async def ask(self, key: str = "k-1", wait: float = 0, **changes: Any) -> Result:
        """Submit a request: Buy 10 Yes at 0.65 on Kalshi unless said otherwise."""
        return await self.gateway.submit(self.request(key, **changes), wait)

    def request(self, key: str = "k-1", **changes: Any) -> Request:
        """Return a request made now."""
        fields = {
            "request_id": f"r-{key}",
            "idempotency_key": key,
            "created_ns": self.now_ns,
            **changes,
        }
        return request(**fields)

    async def rest(self, key: str = "k-1", **changes: Any) -> Order:
        """Submit a request whose order works at the venue; return the order."""
        changes.setdefault("time_in_force", TimeInForce.GTC)
        await self.ask(key, **changes)
        await self.settle()
        return self.order(key)

    def order(self, key: str = "k-1") -> Order:
        """Return the open order of a key."""
        found = [each for each in self.book.orders.values() if each.idempotency_key == key]
        assert len(found) == 1, f"{key} has {len(found)} open orders"
        return found[0]

    def known(self, key: str = "k-1") -> Result:
        """Return what is known of a request."""
        found = self.gateway.reads.result(f"r-{key}")
        assert found is not None
        return found

    async def quote(self, bid: str | None = "0.64", ask: str | None = "0.66", **more: Any) -> None:
        """Quote the market, one level a side."""
        await self.gateway.feed([quote(bid, ask, **{"ts_ns": self.now_ns, **more})])

    def events(self, wanted: type[events.Event]) -> list[Any]:
        """Return the durable events of a kind."""
        return [each for each in self.journal.events if isinstance(each, wanted)]

    async def halt(self, action: str = "ENABLE", *, scope: str = "all", **more: Any) -> KillReply:
        """Pull the kill switch."""
        fields: dict[str, Any] = {"reason": "drill", "source": "http", "actor": "test", **more}
        return await self.gateway.kill_switch(action, scope=scope, **fields)


def quote(bid: str | None = "0.64", ask: str | None = "0.66", **changes: Any) -> Quote:
    """Return a quote of the market, 100 contracts a side."""
    fields: dict[str, Any] = {
        "ts_ns": NOW,
        "platform": Platform.KALSHI,
        "market_id": KALSHI,
        "bids": () if bid is None else ((micro(bid), 100 * MICRO),),
        "asks": () if ask is None else ((micro(ask), 100 * MICRO),),
        "sport": "NBA",
        "game_id": "nba_BOS@ATL",
    }
    return Quote(**{**fields, **changes})


def fill(order: Order, quantity: int, **changes: Any) -> Fill:
    """Return a fill of an order at its limit."""
    fields: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "trade_id": f"t-{order.client_order_id[-6:]}-{quantity}",
        "quantity": quantity,
        "price": order.limit_price,
        "fee": 0,
        "is_maker": True,
        "time_ns": NOW,
    }
    return Fill(**{**fields, **changes})


def listed(order: Order, **changes: Any) -> VenueOrder:
    """Return an order as the venue lists it."""
    fields: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id or "v",
        "platform": order.platform,
        "market_id": order.market_id,
        "side": order.side,
        "action": order.action,
        "quantity": order.quantity,
        "filled": order.filled,
        "limit_price": order.limit_price,
    }
    return VenueOrder(**{**fields, **changes})


def position(
    quantity: int, side: Side = Side.YES, market_id: str = KALSHI, **changes: Any
) -> VenuePosition:
    """Return a position as the venue lists it."""
    fields: dict[str, Any] = {"platform": Platform.KALSHI, **changes}
    return VenuePosition(market_id=market_id, side=side, quantity=quantity, **fields)


@asynccontextmanager
async def running(*safeguards: Safeguard, **changes: Any) -> AsyncIterator[Rig]:
    """Run a gateway that knows one market; whatever happens, leave no task behind."""
    rig = Rig(*safeguards, **changes)
    try:
        await rig.gateway.start()
        await rig.quote()
        yield rig
    finally:
        await rig.desk.supervisor.stop()


async def until(is_true: Callable[[], bool]) -> None:
    """Take turns of the loop until something is true; a thread may have to do it."""
    for _ in range(200_000):
        if is_true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")
