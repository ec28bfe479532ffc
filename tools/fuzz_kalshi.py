"""A million mutated answers and stream messages: Kalshi's readers alone, and a gateway that trades.

Guarantees that no reader ended in anything but `VenueError` or returned what cannot be true, and
that of gateways whose answers and streams are spoiled while they trade no task ended, no journal
was given up, no order was booked beyond its terms, and each heard its venue again afterwards. The
same seed spoils alike. `python -m tools.fuzz_kalshi --cases 1000000` prints the counts and exits 1
with what it found; it needs no network but loopback.
"""

import argparse
import asyncio
import concurrent.futures
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, TimeInForce
from arbees.core.ports import Journal
from arbees.errors import VenueError
from arbees.interface.views import Undecided
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder
from arbees.rehearsal.kalshi.server import OWNER
from arbees.rehearsal.kalshi.streams.messages import delta_message, fill_message, order_message
from arbees.venues.http_client import HttpAnswer, Wire
from tools.garbling import Garbler
from tools.kalshi_readers import STATUSES, Tally, recorded
from verification.live.run import ANSWER_SECONDS, FATAL, SETTINGS
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

CASES = 1_000_000
SEED = 20261201
GATEWAY_PART = 50
"""One of so many cases is put before a running gateway, which takes milliseconds for each."""
PART = 25_000
"""Cases of one process, before it begins anew."""
ROUND = 250
"""Cases of one gateway: what is made up may halt it for good, as it should."""
SPOILED = 0.3
"""Part of the answers that are spoiled."""
HEARD_SECONDS = 900.0
TURN_SECONDS = 0.004


def attempt_readers(work: tuple[int, int]) -> Tally:
    """Put so many cases before the readers, by a seed, in a process of its own."""
    seed, cases = work

    async def attempt() -> Tally:
        tally = Tally()
        readers = await recorded()
        await readers.attempt(Garbler(f"readers {seed}"), tally, cases)
        return tally

    return asyncio.run(attempt())


def attempt_gateway(work: tuple[int, int]) -> Tally:
    """Put so many cases before gateways that trade, one after the other."""
    seed, cases = work
    tally, place = Tally(), 0
    while tally.answers + tally.messages < cases and not tally.findings:
        place += 1
        asyncio.run(Evening(Garbler(f"gateway {seed} {place}"), tally).play())
    return tally


# A gateway -------------------------------------------------------------------------------------


class Evening:
    """One gateway, live on stage, whose venue says what it should not."""

    def __init__(self, garbler: Garbler, tally: Tally) -> None:
        """Spoil by a garbler, and count."""
        self._garbler = garbler
        self._tally = tally
        self._is_spoiling = False
        self._given: list[bytes] = []
        self._broken: list[BaseException] = []

    async def play(self) -> None:
        """Trade, spoil, heal, and look."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_exception)
        async with kalshi_stage(SETTINGS, seed=1, answer_seconds=ANSWER_SECONDS) as scene:
            await scene.rest(2)
            await scene.send(scene.request("3", "0.40"))
            self._reach(scene)
            await self._spoil(scene)
            await self._look(scene)
        for error in self._broken:
            self._find(error)

    def _reach(self, scene: KalshiScene) -> None:
        """Stand between the gateway and its answers, those to creates among them."""
        wires = {
            id(wire): wire
            for part in (scene.venue, scene.venue.api)
            for wire in vars(part).values()
            if isinstance(wire, Wire)
        }
        for wire in wires.values():
            vars(wire)["wait"] = self._spoiling(wire.wait)

    def _spoiling(self, wait: Callable[[Any], Any]) -> Callable[[Any], Any]:
        async def spoiled(pending: "asyncio.Future[HttpAnswer]") -> HttpAnswer:
            answer: HttpAnswer = await wait(pending)
            draw = self._garbler.draw
            if not self._is_spoiling or draw.random() >= SPOILED:
                return answer
            status = draw.choice(STATUSES) if draw.random() < 0.1 else answer.status
            body = self._garbler.garbled(answer.body)
            self._tally.answers += 1
            self._given = [*self._given[-5:], body]
            return HttpAnswer(status, answer.headers, body)

        return spoiled

    async def _spoil(self, scene: KalshiScene) -> None:
        """Trade on while answers and messages are spoiled."""
        self._is_spoiling, tally = True, self._tally
        began, step, tasks = tally.answers + tally.messages, 0, set[asyncio.Task[object]]()
        while tally.answers + tally.messages - began < ROUND:
            step += 1
            if step % 10 == 0:
                scene.show(bid=38 + step % 2, ask=40 + step % 2)
                kind = self._garbler.draw.choice((TimeInForce.IOC, TimeInForce.GTC))
                request = scene.request("1", self._garbler.draw.choice(("0.20", "0.41")), kind)
                tasks.add(asyncio.create_task(self._send(scene, request)))
            if step % 25 == 0:
                tasks.add(asyncio.create_task(self._compare(scene)))
            self._say(scene)
            scene.clock.advance(0.1)
            await asyncio.sleep(TURN_SECONDS)
        self._is_spoiling = False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, scene: KalshiScene, request: Any) -> object:  # noqa: ANN401
        with contextlib.suppress(Undecided, VenueError):
            return await scene.assembly.gateway.submit(request, 0.2)
        return None

    async def _compare(self, scene: KalshiScene) -> object:
        """Look at all of the account, as the gateway does by itself now and then."""
        venue = scene.venue
        with contextlib.suppress(VenueError):
            scene.assembly.gateway.reconciler.interrupt(Platform.KALSHI)
            await venue.find(next(iter(scene.assembly.gateway.desk.book.orders), "x"), MARKET, 0)
        return None

    def _say(self, scene: KalshiScene) -> None:
        """Say something about an order, a fill or a book that is not so."""
        exchange, streams = scene.exchange, scene.server.streams
        ours = [each for each in exchange.orders.values() if each.owner == OWNER]
        fills = [each for each in exchange.fills if each.owner == OWNER]
        order: ExchangeOrder = self._garbler.draw.choice(ours)
        now_ns = scene.clock.now_ns()
        said: dict[str, tuple[str, dict[str, Any]]] = {
            "user_orders": ("user_order", order_message(order, 3)),
            "fill": ("fill", fill_message(self._garbler.draw.choice(fills), 3)),
            "orderbook_delta": (
                "orderbook_delta",
                delta_message(order, MICRO, now_ns, is_yes_priced=True),
            ),
            "market_lifecycle_v2": (
                "market_lifecycle_v2",
                {"market_ticker": OTHER, "event_type": "deactivated"},
            ),
        }
        channel = self._garbler.draw.choice(list(said))
        kind, message = said[channel]
        line = next((each for each in streams.lines if each.of(channel)), None)
        if line is None:
            return  # it comes back in a moment
        sid = next(iter(line.of(channel))).sid
        text = msgspec.json.encode({"type": kind, "sid": sid, "seq": 1 + sid, "msg": message})
        given = self._garbler.garbled(text)
        streams.say(channel, given)
        self._tally.messages += 1
        self._tally.by[f"gateway, {channel}"] = self._tally.by.get(f"gateway, {channel}", 0) + 1
        self._given = [*self._given[-5:], given]

    # What came of it ---------------------------------------------------------------------------

    async def _look(self, scene: KalshiScene) -> None:
        """Let all be well again, and look at what is left."""
        gateway = scene.assembly.gateway
        try:
            await scene.until(lambda: scene.is_ready, HEARD_SECONDS)
        except TimeoutError as error:
            self._find(error)
        for name, message in scene.alerts:
            if name in FATAL:
                self._find(RuntimeError(f"{name}: {message}"))
        for name, why in gateway.desk.supervisor.dead.items():
            self._find(RuntimeError(f"the task {name} died: {why}"))
        for text in contradictions(gateway.desk.journal):
            self._find(RuntimeError(text))

    def _on_exception(self, _loop: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._broken.append(error or RuntimeError(context["message"]))

    def _find(self, error: BaseException) -> None:
        self._tally.find("gateway", self._given, error)


def contradictions(journal: Journal) -> list[str]:
    """Return the fills of a journal that are booked beyond the terms of their orders."""
    terms: dict[str, tuple[events.OrderApproved, int, int]] = {}
    filled: dict[str, int] = {}
    found: list[str] = []
    for stored in journal.records(0):
        event = events.decode(stored.body)
        if isinstance(event, events.OrderApproved):
            name = event.client_order_id
            terms[name] = (event, event.request.size, event.limit_price)
        elif isinstance(event, events.OrderAmended):
            approved = terms[event.client_order_id][0]
            pick = max if approved.request.action is Action.BUY else min
            price = pick(approved.limit_price, event.limit_price)
            most = max(approved.request.size, event.quantity)
            terms[event.client_order_id] = (approved, most, price)
        elif isinstance(event, events.OrderFilled):
            approved, most, price = terms[event.client_order_id]
            total = filled.get(event.client_order_id, 0) + event.quantity
            filled[event.client_order_id] = total
            is_buy = approved.request.action is Action.BUY
            is_worse = event.price > price if is_buy else event.price < price
            if total > most or is_worse or event.market_key != approved.market_key:
                found.append(f"booked {total} of {most}, at {event.price} of {price}: {event}")
    return found


# The whole -------------------------------------------------------------------------------------


def attempt(cases: int, seed: int, jobs: int) -> Tally:
    """Put so many cases before readers and gateways, over some processes."""
    of_gateways = max(ROUND, cases // GATEWAY_PART)
    of_readers = cases - of_gateways
    shares = [min(PART, of_readers - first) for first in range(0, of_readers, PART)]
    tally = Tally()
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        of_one = -(-of_gateways // jobs)
        waiting = [pool.submit(attempt_gateway, (seed + each, of_one)) for each in range(jobs)]
        waiting += [
            pool.submit(attempt_readers, (seed + place, share))
            for place, share in enumerate(shares)
        ]
        for future in concurrent.futures.as_completed(waiting):
            tally.add(future.result())
    return tally


def report(tally: Tally, seconds: float) -> str:
    """Return what was done, and what was found."""
    lines = [f"  {count:>9,} {name}" for name, count in sorted(tally.by.items())]
    in_all = tally.answers + tally.messages
    lines.append(
        f"{in_all:,} cases ({tally.answers:,} answers, {tally.messages:,} messages of streams; "
        f"{tally.refused:,} ended in VenueError) in {seconds:.0f} s: {len(tally.findings)} findings"
    )
    return "\n".join([*lines, *tally.findings])


def main(arguments: Sequence[str] | None = None) -> int:
    """Try, and tell what came of it."""
    parser = argparse.ArgumentParser(prog="make fuzz-kalshi", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    tally = attempt(given.cases, given.seed, given.jobs)
    print(report(tally, time.monotonic() - began))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
