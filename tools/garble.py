"""Garble what Kalshi says, and read it: `python -m tools.garble --items 1000000`.

Guarantees that genuine answers and messages of the simulated exchange, changed in bytes, types,
numbers, nulls, names, orders of keys and encodings, by a seed, reach every reader of the adapter;
that a reader returns a value or fails by `VenueError` and by nothing else; and that no fill which
is reported contradicts what a fill can be, and no answer to a create is taken for another order's.
It prints how many were read and how many refused, and exits 1 with the first finding.
"""

import argparse
import asyncio
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from arbees.core.outcomes import (
    _SEAL,
    Accepted,
    ApprovedOrder,
    BreakerTripped,
    Filled,
    OrderClosed,
    OrderSeen,
    Report,
)
from arbees.core.quote import Quote
from arbees.core.units import MICRO, NS_PER_SECOND
from arbees.core.words import Action, Platform, Side, TimeInForce
from arbees.errors import VenueError
from arbees.runtime.clock import SystemClock
from arbees.runtime.supervisor import Supervisor
from arbees.testing.kalshi.server import KalshiServer
from arbees.venues.kalshi.answers import Asked, cancel_outcome, create_outcome
from arbees.venues.kalshi.api import KalshiApi
from arbees.venues.kalshi.connection import Account, Connection
from arbees.venues.kalshi.keys import SigningKey
from arbees.venues.kalshi.markets import KalshiMarketData
from arbees.venues.kalshi.shapes import FILL_MOST, read
from arbees.venues.kalshi.socket import Message
from arbees.venues.kalshi.venue import KalshiVenue
from arbees.venues.wire import Answer

TICKER = "KXNBAGAME-26JAN28HOUBOS-BOS"
SHOWN_MAX = 2_000
STATUSES = (200, 200, 200, 201, 204, 302, 400, 403, 404, 409, 429, 500, 502)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7.5, -0.0, 1e300, 2**63, -(2**70), 10**400),
    *("", "NaN", "Infinity", "-1.00", "1e9", "0.0000001", "99999999999999999999", "\u0665", "\x00"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "yes", "caf\u00e9", "x" * 5_000),
    *([], {}, [[]], [None], {"a": {"b": [1]}}),
)


class Finding(Exception):  # noqa: N818 - what a tool is for
    """A reader did something that none may do; its text says what, and with what."""


class Garbler:
    """Changes texts, by a seed."""

    def __init__(self, seed: int) -> None:
        """Begin with a seed."""
        self.random = random.Random(seed)

    def garble(self, genuine: bytes) -> bytes:
        """Return a text that is like another one."""
        draw = self.random
        body = genuine
        for _ in range(draw.choice((1, 1, 1, 1, 2))):
            kind = draw.random()
            if kind < 0.6:
                body = self._structure(body)
            elif kind < 0.9:
                body = self._bytes(body)
            else:
                body = self._encoding(body)
        return body

    def _structure(self, body: bytes) -> bytes:
        """Change one value, name or row of a JSON text."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return self._bytes(body)
        places = list(_places(found))
        if not places:
            return json.dumps(self.random.choice(VALUES)).encode()
        holder, key = self.random.choice(places)
        kind = self.random.random()
        if kind < 0.5:
            holder[key] = self.random.choice(VALUES)
        elif kind < 0.65:
            del holder[key]
        elif kind < 0.8 and isinstance(holder, list):
            holder.append(holder[key])
        elif kind < 0.9 and isinstance(holder, dict):
            holder[f"{key}_new"] = holder.pop(key)
        elif isinstance(holder, dict):
            items = list(holder.items())
            self.random.shuffle(items)
            holder.clear()
            holder.update(items)
        try:
            return json.dumps(found, ensure_ascii=self.random.random() < 0.5).encode(
                "utf-8", "surrogatepass"
            )
        except ValueError:
            return body

    def _bytes(self, body: bytes) -> bytes:
        """Change some bytes of a text."""
        draw, made = self.random, bytearray(body)
        at = draw.randrange(len(made) + 1)
        kind = draw.randrange(5)
        if kind == 0:
            made[at:at] = draw.choice((b"\xe9", b"\xff\xfe", b"\x00", b'"', b"}", b"[" * 2_000))
        elif kind == 1:
            del made[at : at + draw.randrange(1, 20)]
        elif kind == 2:
            del made[at:]
        elif kind == 3 and made:
            made[draw.randrange(len(made))] = draw.randrange(256)
        else:
            made += made[at:]
        return bytes(made)

    def _encoding(self, body: bytes) -> bytes:
        """Say the same in another encoding, or say something else altogether."""
        text = body.decode("utf-8", "replace")
        return self.random.choice(
            (
                text.encode("utf-16"),
                b"\xef\xbb\xbf" + body,
                gzip.compress(body[:1_000]),
                b"<html><body>502 Bad Gateway</body></html>",
                b"",
                b"null",
                body + body,
            )
        )


def _places(found: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Return every place of a JSON value: what holds it, and where there."""
    places: list[tuple[Any, Any]] = []
    left = [found]
    while left:
        each = left.pop()
        keys: list[Any] = []
        if isinstance(each, dict):
            keys = list(each)
        elif isinstance(each, list):
            keys = list(range(len(each)))
        for key in keys:
            places.append((each, key))
            left.append(each[key])
    return places


class GarbledApi(KalshiApi):
    """Asks the exchange while it learns; then answers by itself, garbled."""

    garbler: Garbler | None = None
    """Who garbles; None = the exchange's own answers are heard and kept."""
    learnt: dict[tuple[str, str], bytes]
    said: bytes = b""
    """What was said last."""

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        **more: Any,
    ) -> Answer:
        """Answer a call."""
        place = (method, path)
        if self.garbler is None:
            answer = await super().call(method, path, query, body, **more)
            self.learnt.setdefault(place, answer.body)
            return answer
        genuine = self.learnt.get(place, b"{}")
        draw = self.garbler.random
        is_odd = draw.random() < 0.6
        self.said = self.garbler.garble(genuine) if is_odd else genuine
        return Answer(draw.choice(STATUSES) if is_odd else 200, {}, self.said)


class Bench:
    """The readers of one account, and what they are given."""

    def __init__(self, seed: int) -> None:
        """Prepare."""
        self.garbler = Garbler(seed)
        self.counts: Counter[str] = Counter()
        self.reports: list[Report] = []
        self.said = b""

    async def run(self, items: int) -> None:
        """Read so many things. Raises Finding."""
        key, clock = ed25519.Ed25519PrivateKey.generate(), SystemClock()
        server = KalshiServer(key_id="key", public_key=key.public_key(), now_ns=clock.now_ns)
        server.rest.set_limits((1e6, 1e6), (1e6, 1e6))
        addresses = await server.start()
        account = Account(
            key=SigningKey(key),
            key_id="key",
            base_url=addresses.rest,
            ws_url=addresses.ws,
            skew_max_ns=2 * NS_PER_SECOND,
            group_limit=1_000 * MICRO,
        )
        tasks = Supervisor(clock)
        tasks.listen(self._died, self._died, lambda _name: None)
        connection = Connection(account, clock, tasks)
        api = connection.api = _garbled(connection, clock)
        shards: dict[str, int] = {}
        venue = KalshiVenue(connection, shards)
        data = KalshiMarketData(connection, shards)
        venue.listen(self.reports.append)
        try:
            server.show(_quote(clock.now_ns()))
            await venue.start()
            await self._learn(venue, data)
            api.garbler = self.garbler
            await self._read(items, venue, data, api)
        finally:
            api.garbler = None
            await data.close()
            await venue.close()
            await tasks.stop()
            await server.stop()

    async def _learn(self, venue: KalshiVenue, data: KalshiMarketData) -> None:
        """Trade a little, and hear every answer once as the exchange gives it."""
        await data.metadata([TICKER])
        for cents, number in ((40, 1), (20, 2)):
            await venue.submit(_order(f"arb-{number}", cents), lambda: None)
        for ask in self._reads(venue, data):
            await ask()

    def _reads(
        self, venue: KalshiVenue, data: KalshiMarketData
    ) -> list[Callable[[], Awaitable[object]]]:
        """Return every read of the adapter."""
        now_ns = SystemClock().now_ns()
        return [
            venue.open_orders,
            venue.positions,
            venue.balances,
            lambda: venue.placed(now_ns - 3_600 * NS_PER_SECOND),
            lambda: venue.fills(0),
            lambda: venue.movements(0),
            lambda: venue.results([TICKER]),
            lambda: venue.find("arb-1", TICKER, now_ns),
            lambda: venue.find("arb-9", TICKER, now_ns - 3_600 * NS_PER_SECOND),
            lambda: venue.cancel("arb-2", None, TICKER),
            lambda: data.metadata([TICKER]),
            venue.api.learn_limits,
            venue.api.freshness,
        ]

    async def _read(
        self, items: int, venue: KalshiVenue, data: KalshiMarketData, api: GarbledApi
    ) -> None:
        reads, draw = self._reads(venue, data), self.garbler.random
        takes = (
            *(venue.stream._take, venue.stream._take),  # noqa: SLF001 - what a line calls
            *(data.books._take, data.lifecycle._take),  # noqa: SLF001
        )
        for number in range(items):
            if number % 4 == 0:
                await self._one(draw.choice(reads), api)
            elif number % 4 == 1:
                await self._answer()
            else:
                await self._message(draw.choice(takes))
            if number % 1_000 == 0:
                await asyncio.sleep(0)  # tasks that died are told of

    async def _one(self, ask: Callable[[], Awaitable[object]], api: GarbledApi) -> None:
        """Make one read whose answers are garbled."""
        await self._judge("reads", ask, lambda: api.said)

    async def _answer(self) -> None:
        """Classify one garbled answer to a create and to a cancel."""
        draw = self.garbler.random
        asked = Asked(
            client_order_id="arb-1",
            quantity=5 * MICRO,
            price=400_000,
            is_bid=True,
            rests=draw.random() < 0.5,
            sent_ns=1,
        )
        said = self.garbler.garble(draw.choice(ANSWERS))
        status = draw.choice((200, 201, *STATUSES))

        async def classify() -> None:
            cancel_outcome(status, said, "o-1")
            outcome = create_outcome(status, said, asked)
            self.counts[f"creates {type(outcome).__name__}"] += 1
            is_other = isinstance(outcome, Accepted) and b"arb-1" not in said
            if is_other or (isinstance(outcome, Accepted) and not outcome.venue_order_id):
                raise Finding("An answer of another order was accepted")

        await self._judge("answers", classify, lambda: said)

    async def _message(self, take: Callable[[Message], None]) -> None:
        """Give one garbled message to a reader of a stream."""
        said = self.garbler.garble(self.garbler.random.choice(MESSAGES))
        self.reports.clear()

        async def hear() -> None:
            take(read(said, Message))

        await self._judge("messages", hear, lambda: said)
        for report in self.reports:
            self.counts[f"reports {type(report).__name__}"] += 1
            if not _is_sane(report):
                raise Finding(f"{report!r} was made of {said[:SHOWN_MAX]!r}")

    async def _judge(
        self, what: str, do: Callable[[], Awaitable[object]], said: Callable[[], bytes]
    ) -> None:
        """Do something that may fail by `VenueError`. Raises Finding: by anything else."""
        (found,) = await asyncio.gather(do(), return_exceptions=True)
        if isinstance(found, VenueError):
            self.counts[f"{what} refused"] += 1
        elif isinstance(found, BaseException):
            shown = said()[:SHOWN_MAX]
            raise Finding(f"Expected a value or VenueError of {what}, was {found!r}, of {shown!r}")
        else:
            self.counts[f"{what} read"] += 1

    def _died(self, name: str, error: BaseException) -> None:
        self.counts["tasks that died"] += 1
        sys.stderr.write(f"The task {name} died: {error!r}\n")


def _is_sane(report: Report) -> bool:
    """Tell whether a report can be one of ours at all."""
    if isinstance(report, Filled):
        fill = report.fill
        is_ours = fill.client_order_id.startswith("arb-")
        return is_ours and 0 < fill.quantity <= FILL_MOST and 0 <= fill.price <= MICRO
    if isinstance(report, OrderClosed):
        return report.client_order_id.startswith("arb-") and abs(report.filled or 0) < 2**63
    if isinstance(report, OrderSeen):
        return (report.order.client_order_id or "").startswith("arb-")
    return not isinstance(report, BreakerTripped) or report.pool.startswith("Kalshi")


def _garbled(connection: Connection, clock: SystemClock) -> GarbledApi:
    """Return the calls of an account that are garbled later."""
    api = GarbledApi(
        connection.account.base_url,
        signer=connection.signer,
        venue_clock=connection.venue_clock,
        clock=clock,
        wire=connection._calls,  # noqa: SLF001 - the same connections
        urgent=connection._urgent,  # noqa: SLF001
    )
    api.learnt = {}
    return api


def _order(name: str, cents: int) -> ApprovedOrder:
    return ApprovedOrder(
        _SEAL,
        name,
        f"r-{name}",
        0,
        Platform.KALSHI,
        TICKER,
        TICKER,
        Side.YES,
        Action.BUY,
        5 * MICRO,
        cents * 10_000,
        TimeInForce.GTC,
        None,
    )


def _quote(now_ns: int) -> Quote:
    return Quote(
        ts_ns=now_ns,
        platform=Platform.KALSHI,
        market_id=TICKER,
        bids=((380_000, 1_000 * MICRO),),
        asks=((400_000, 1_000 * MICRO),),
        sport="NBA",
    )


def _message(kind: str, sid: int, seq: int | None = None, **msg: Any) -> bytes:
    frame = {"type": kind, "sid": sid, "msg": msg}
    return json.dumps(frame if seq is None else {**frame, "seq": seq}).encode()


ANSWERS = tuple(
    json.dumps(each).encode()
    for each in (
        {
            "order_id": "o-1",
            "client_order_id": "arb-1",
            "fill_count": "5.00",
            "remaining_count": "0.00",
            "average_fill_price": "0.4000",
            "average_fee_paid": "0.0168",
            "reduced_by": "5.00",
            "ts_ms": 1_795_500_000_123,
        },
        {
            "order_id": "o-1",
            "client_order_id": "arb-1",
            "fill_count": "0.00",
            "remaining_count": "5.00",
            "ts_ms": 1_795_500_000_123,
        },
        {"error": {"code": "insufficient_balance", "message": "no", "details": "x"}},
        {"code": "bad_request", "message": "no", "details": "x"},
        {"msg": "limit"},
        {"error": "too many requests"},
    )
)
_OWN: dict[str, Any] = {
    "order_id": "o-1",
    "client_order_id": "arb-1",
    "ticker": TICKER,
    "book_side": "bid",
    "outcome_side": "yes",
    "yes_price_dollars": "0.4000",
}
MESSAGES = (
    _message(
        "fill",
        1,
        **_OWN,
        trade_id="t-1",
        count_fp="5.00",
        fee_cost="0.084000",
        is_taker=True,
        ts_ms=1_795_500_000_123,
    ),
    *(
        _message(
            "user_order",
            2,
            **_OWN,
            status=status,
            initial_count_fp="5.00",
            fill_count_fp="2.00",
            remaining_count_fp="3.00",
            last_update_reason="Trade",
            created_time="2026-11-22T10:00:00Z",
        )
        for status in ("resting", "canceled", "executed")
    ),
    _message("order_group_updates", 3, 1, event_type="triggered", order_group_id="g", ts_ms=1),
    _message("subscribed", 4, channel="fill"),
    _message("error", 5, code=8, msg="no"),
    _message(
        "orderbook_snapshot",
        6,
        1,
        market_ticker=TICKER,
        yes_dollars_fp=[["0.3800", "100.00"]],
        no_dollars_fp=[["0.6000", "100.00"]],
        ts_ms=1_795_500_000_123,
    ),
    _message(
        "orderbook_delta",
        6,
        2,
        market_ticker=TICKER,
        side="yes",
        price_dollars="0.3800",
        delta_fp="-10.00",
        ts_ms=1_795_500_000_124,
    ),
    _message("market_lifecycle_v2", 7, event_type="close_date_updated", market_ticker=TICKER),
    _message("event_fee_update", 7, event_ticker="KXNBAGAME-26JAN28HOUBOS"),
    json.dumps({"type": "ok", "id": 9, "sid": 6, "seq": 2, "msg": {}}).encode(),
)
"""One of each kind, as the venue says it."""


def main(arguments: list[str] | None = None) -> int:
    """Garble, read and count."""
    parser = argparse.ArgumentParser(prog="garble", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000, help="answers and messages")
    parser.add_argument("--seed", type=int, default=1, help="of what is changed")
    asked = parser.parse_args(arguments)
    bench, began = Bench(asked.seed), time.monotonic()
    try:
        asyncio.run(bench.run(asked.items))
    except Finding as finding:
        print(f"Seed {asked.seed}: {finding}")
        return 1
    for name, count in sorted(bench.counts.items()):
        print(f"{count:>9,} {name}")
    died = bench.counts["tasks that died"]
    took = time.monotonic() - began
    said = f"{asked.items:,} answers and messages, seed {asked.seed}, {took:.0f} s"
    print(f"{said}; {died} tasks died")
    return 1 if died else 0


if __name__ == "__main__":
    sys.exit(main())
