"""Faults of what is read: each while something is held, rests, is unknown, or nothing is.

Guarantees that the whole gateway, live, ends with the exchange's own positions, orders and cash to
the micro-dollar once all is well again, that no limit is exceeded in the exchange's worst case, and
that no opening order was sent on a quote which nobody renewed. Meanwhile the smallest order asks
whether `refuses` says the truth. A row that breaks one is named.
"""

import asyncio
import contextlib
from collections.abc import Callable
from enum import StrEnum

import msgspec

from arbees.core import events
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform, TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.server import OWNER
from verification.live.run import ANSWER_SECONDS, FATAL, SETTINGS
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)
from verification.live.truth import Truth

STANDS_SECONDS = 20.0
BOUND_SECONDS = 12.0
"""A quote is too old by then: 10 s, and what a decision takes."""
EVIDENCE_SECONDS = 1_200.0
READY_SECONDS = 60.0
WELL_SECONDS = 400.0
"""A market that was refused again and again is asked for every five minutes."""
STEP_SECONDS = 0.5
ALWAYS = 1_000_000


class Situation(StrEnum):
    """What there is when it begins."""

    NOTHING = "nothing"
    HELD = "position held"
    RESTING = "order resting"
    UNKNOWN = "order unknown"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of what is read."""

    name: str
    begin: Callable[[KalshiScene], None]
    is_blinding: bool = False
    """Whether no quote of the market can be renewed while it stands."""
    is_apart: bool = False
    """Whether it is about something else: orders of the market must go on being sent."""


def _fault(kind: FaultKind, **more: object) -> Callable[[KalshiScene], None]:
    def begin(scene: KalshiScene) -> None:
        scene.server.fault(kind, **more)

    return begin


def _both(*begins: Callable[[KalshiScene], None]) -> Callable[[KalshiScene], None]:
    def begin(scene: KalshiScene) -> None:
        for each in begins:
            each(scene)

    return begin


def _by_hand(scene: KalshiScene) -> None:
    """Let a person decrease the first order that rests, and amend the next."""
    for place, order in enumerate(scene.exchange.resting(OWNER)[:2]):
        if place:
            scene.exchange.by_hand.amend(order, order.count + MICRO, order.price + 10_000)
        else:
            scene.exchange.by_hand.decrease(order, order.remaining // 2)


def _cancel_by_hand(scene: KalshiScene) -> None:
    for order in scene.exchange.resting(OWNER):
        scene.exchange.cancel(OWNER, order.order_id)


def _trade(scene: KalshiScene) -> None:
    """Let somebody take a part of all that rests."""
    for order in scene.exchange.resting(OWNER):
        scene.trade(order)


def _follow_other(scene: KalshiScene) -> None:
    scene.assembly.gateway.desk.market_data[Platform.KALSHI].watch(OTHER)


def _pause(scene: KalshiScene) -> None:
    scene.exchange.lifecycle.deactivate(MARKET)


def _charge(scene: KalshiScene) -> None:
    scene.exchange.lifecycle.charge(MARKET.rpartition("-")[0], "quadratic_with_maker_fees")


def _odd_row(scene: KalshiScene) -> None:
    scene.server.fault(
        FaultKind.EDITED,
        path="/portfolio/orders",
        count=ALWAYS,
        edits={"orders/*/created_time": None, "orders/*/last_update_time": None},
    )


def _stranger(scene: KalshiScene) -> None:
    """Let another program place an order without a name, far from the book, and take it back."""
    order = scene.exchange.by_hand.order(OWNER, OTHER, is_bid=True, price=10_000, count=MICRO)
    scene.exchange.create(order)
    scene.exchange.cancel(OWNER, order.order_id)


_CUT = _fault(FaultKind.STREAM_CLOSED)
_BYTES = {"count": ALWAYS, "status": 200, "hex": "636166e9", "for_seconds": 8.0}
READINGS = (
    Reading(name="subscription lost", begin=_fault(FaultKind.SUBSCRIPTION_LOST)),
    Reading(
        name="subscription lost for good",
        begin=_both(
            _fault(FaultKind.REFUSED_TICKER, ticker=MARKET), _fault(FaultKind.SUBSCRIPTION_LOST)
        ),
        is_blinding=True,
    ),
    Reading(
        name="subscription late",
        begin=_both(_fault(FaultKind.LATE_SUBSCRIPTION, seconds=6.0), _CUT),
    ),
    Reading(
        name="another market refused",
        begin=_both(_follow_other, _fault(FaultKind.REFUSED_TICKER, ticker=OTHER), _CUT),
        is_apart=True,
    ),
    Reading(
        name="channel refused",
        begin=_both(_fault(FaultKind.REFUSED_CHANNEL, channel="order_group_updates"), _CUT),
        is_apart=True,
    ),
    Reading(
        name="book in prices of No",
        begin=_both(_fault(FaultKind.YES_PRICE_IGNORED), _CUT),
        is_blinding=True,
    ),
    Reading(name="stream error 17", begin=_fault(FaultKind.STREAM_ERROR, code=17), is_apart=True),
    Reading(name="stream error 25", begin=_fault(FaultKind.STREAM_ERROR, code=25)),
    Reading(
        name="too many commands",
        begin=_fault(FaultKind.COMMAND_REFUSED, call="any", count=5),
    ),
    Reading(
        name="gap in the numbers",
        begin=_fault(FaultKind.SEQUENCE_GAP, call="orderbook_delta"),
    ),
    Reading(
        name="message twice",
        begin=_fault(FaultKind.REPEATED_MESSAGE, call="orderbook_delta", count=3),
    ),
    Reading(
        name="own stream loses messages",
        begin=_both(
            _fault(FaultKind.SEQUENCE_GAP, call="user_orders", count=9),
            _fault(FaultKind.SEQUENCE_GAP, call="fill", count=9),
            _trade,
        ),
    ),
    Reading(name="fills hidden", begin=_fault(FaultKind.HIDDEN_FILLS)),
    Reading(name="orders hidden", begin=_fault(FaultKind.HIDDEN, call="any", seconds=15.0)),
    Reading(
        name="orders hidden for minutes",
        begin=_both(
            _fault(FaultKind.HIDDEN, call="any", seconds=200.0),
            _fault(FaultKind.SEQUENCE_GAP, call="user_orders", count=99),
        ),
    ),
    Reading(name="odd rows", begin=_odd_row, is_apart=True),
    Reading(name="order of a stranger", begin=_stranger, is_apart=True),
    Reading(
        name="bytes that are no text",
        begin=_fault(FaultKind.ANSWERED_INSTEAD, path="/portfolio/*", method="GET", **_BYTES),
    ),
    Reading(
        name="limits refused",
        begin=_fault(FaultKind.ANSWERED_ONLY, path="/account/limits", count=ALWAYS),
        is_apart=True,
    ),
    Reading(name="decreased and amended by hand", begin=_by_hand),
    Reading(name="cancelled by hand", begin=_cancel_by_hand),
    Reading(name="market paused", begin=_pause),
    Reading(name="fee changed", begin=_charge, is_apart=True),
    Reading(
        name="another shard paused",
        begin=_fault(FaultKind.TRADING_PAUSE, shard=0),
        is_apart=True,
    ),
    Reading(
        name="money moved between shards",
        begin=lambda scene: scene.exchange.money.transfer(0, 3, 5 * MICRO),
        is_apart=True,
    ),
)


class ReadingCell(msgspec.Struct, frozen=True):
    """One combination; its fault by name, so that it can be sent to another process."""

    fault: str
    situation: Situation
    is_killed: bool

    @property
    def name(self) -> str:
        """All of it, in one line."""
        return f"{self.fault} x {self.situation}{', killed' if self.is_killed else ''}"

    @property
    def reading(self) -> Reading:
        """The fault."""
        return next(each for each in READINGS if each.name == self.fault)


class Believed(msgspec.Struct, kw_only=True):
    """What a run came to."""

    cell: ReadingCell
    seed: int
    lies: int = 0
    """What was refused and not said within 2 s, or said and not refused."""
    sent: int = 0
    """Orders that the exchange took."""
    stale: int = 0
    """Opening orders that were sent on a quote past its bound."""
    breaches: int = 0
    lost_fills: int = 0
    evidence_seconds: float = 0.0
    failures: list[str] = []

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.stale or self.breaches or self.lost_fills or self.failures)


def reading_cells() -> list[ReadingCell]:
    """Return all of them."""
    return [
        ReadingCell(each.name, situation, is_killed)
        for each in READINGS
        for situation in Situation
        for is_killed in (False, True)
    ]


async def _set_up(scene: KalshiScene, situation: Situation) -> None:
    if situation is Situation.HELD:
        await scene.send(scene.request("3", "0.40"))
    elif situation is Situation.RESTING:
        await scene.rest(2)
    elif situation is Situation.UNKNOWN:
        scene.server.fault(FaultKind.HIDDEN, seconds=10.0)
        scene.server.fault(FaultKind.LOST_AFTER)
        scene.server.fault(FaultKind.SEQUENCE_GAP, call="user_orders")  # nor does the stream tell
        await scene.send(scene.request("2", "0.20", TimeInForce.GTC), 0.2)


async def _live_on(scene: KalshiScene, cell: ReadingCell, found: Believed, truth: Truth) -> None:
    """Let the fault stand while a client asks for more, and look at what was sent meanwhile."""
    began_ns, tasks = scene.clock.now_ns(), list[asyncio.Task[object]]()
    bound_ns = began_ns + int(BOUND_SECONDS * NS_PER_SECOND)
    steps = round(STANDS_SECONDS / STEP_SECONDS)
    for step in range(steps):
        scene.show(bid=38 + step % 2, ask=40 + step % 2)
        if step == steps // 4 and cell.is_killed:
            await scene.restart(waits=False)
        elif step % 8 == 4:
            tasks.append(asyncio.create_task(scene.send(scene.request("1", "0.41"), 0.5)))
        elif step % 4 == 2:
            await truth.ask()
        truth.look()
        await scene.pass_time(STEP_SECONDS)
    late = sum(
        order.ticker == MARKET and order.created_ns > bound_ns and bool(order.client_order_id)
        for order in scene.exchange.orders.values()
    )
    found.stale = late if cell.reading.is_blinding else 0
    if cell.reading.is_apart and cell.situation is not Situation.UNKNOWN:
        found.failures += await _go_on(scene)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5.0):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _go_on(scene: KalshiScene) -> list[str]:
    """Ask for one more order as soon as the gateway is ready; return what keeps it from being."""
    before = len(scene.exchange.orders)
    with contextlib.suppress(TimeoutError):
        await scene.until(lambda: scene.is_ready, READY_SECONDS)
    scene.show()
    await scene.pass_time(STEP_SECONDS)
    result = await scene.send(scene.request("0.5", "0.40"), 1.0)
    if len(scene.exchange.orders) > before:
        return []
    reason = "undecided" if result is None else result.code or result.status
    return [f"it is about something else, and an order of the market is kept out: {reason}"]


async def _well(scene: KalshiScene, truth: Truth) -> list[str]:
    """Ask a last time; where nothing is in dispute any more, nothing may be said to be refused."""
    book = scene.assembly.gateway.desk.book
    scene.show()
    with contextlib.suppress(TimeoutError):
        await scene.until(lambda: book.breaks or not truth.look(), WELL_SECONDS)
    await truth.ask()
    said = truth.look()
    with contextlib.suppress(TimeoutError):
        await scene.until(lambda: scene.is_settled, READY_SECONDS)
    return [] if book.breaks or not said else [f"all is well, and `refuses` says {sorted(said)}"]


def _given_up(scene: KalshiScene) -> list[str]:
    """Return the orders that were held for absent, and worked all the while."""
    new_events = (
        events.decode(each.body) for each in scene.assembly.gateway.desk.journal.records(0)
    )
    return [
        f"{each.client_order_id} was given up, and works: {each.message}"
        for each in new_events
        if isinstance(each, events.OrderReopened)
    ]


async def run_reading(cell: ReadingCell, seed: int) -> Believed:
    """Run a cell once."""
    found = Believed(cell=cell, seed=seed)
    async with kalshi_stage(SETTINGS, seed=seed, answer_seconds=ANSWER_SECONDS) as scene:
        await _set_up(scene, cell.situation)
        cell.reading.begin(scene)
        truth = Truth(scene)
        await _live_on(scene, cell, found, truth)
        scene.server.heal()
        if scene.exchange.markets[MARKET].status == "inactive":
            scene.exchange.lifecycle.activate(MARKET)
        began_ns = scene.clock.now_ns()
        try:
            await scene.until(lambda: scene.is_ready, EVIDENCE_SECONDS)
            asked = asyncio.create_task(scene.assembly.gateway.reconcile())
            await scene.until(lambda: asked.done() and scene.is_settled, EVIDENCE_SECONDS)
        except TimeoutError:
            found.failures.append(f"no agreement within {EVIDENCE_SECONDS:g} s")
        found.evidence_seconds = (scene.clock.now_ns() - began_ns) / NS_PER_SECOND
        found.failures += await _well(scene, truth)
        found.lies = len(lies := await truth.lies())
        found.failures += lies
        found.sent = len(scene.exchange.orders)
        compared = scene.compare()
        found.failures += compared.differences + scene.watch.breaches
        found.lost_fills, found.breaches = compared.lost_fills, len(scene.watch.breaches)
        found.failures += [text for name, text in scene.alerts if name in FATAL]
        found.failures += _given_up(scene)
    return found
