"""Kalshi's readers alone: each read of the adapter and each stream, given what no venue should say.

Guarantees that answers and messages are those of the simulated exchange, recorded over the wire by
the adapter itself and then changed one at a time; that a reader may fail by `VenueError` alone; and
that what it returns could be true: no count below nothing, no price beyond a dollar, no name of
somebody else's. No socket and no wait is left in it: some ten thousand a second.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519

from arbees.core.deciding import outcomes
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.quote import Quote, is_crossed
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.core.ports import Metadata
from arbees.errors import VenueError
from arbees.rehearsal.kalshi.server import OWNER, KalshiServer
from arbees.runtime.clock import SystemClock
from arbees.runtime.supervisor import Supervisor
from arbees.venues.http_client import HttpAnswer, Wire
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import KalshiApi
from arbees.venues.kalshi.connection.connection import CREATE, KalshiAccount, KalshiConnection
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.connection.socket import KalshiSocket, Message
from arbees.venues.kalshi.markets.feed import BookFeed
from arbees.venues.kalshi.markets.lifecycle import CHANNEL as LIFECYCLE
from arbees.venues.kalshi.markets.lifecycle import LifecycleFeed
from arbees.venues.kalshi.markets.markets import KalshiMarketData
from arbees.venues.kalshi.orders.answers import CreateTerms, create_outcome
from arbees.venues.kalshi.orders.stream import (
    ASKED,
    CHANNELS,
    GROUPS,
    OwnStream,
)
from arbees.venues.kalshi.venue import KalshiVenue
from tools.garbling import Garbler

MARKET, OTHER = "KXNBAGAME-26JAN28HOUBOS-BOS", "KXNFLGAME-26SEP13DALPHI-PHI"
NAME = f"{CLIENT_ORDER_ID_PREFIX}resting"
STATUSES = (200, 201, 204, 301, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503)
FINDINGS_MAX = 20
SHOWN_MAX = 400
STEPS = 12
"""Looks of the book stream that are recorded, at moments far enough apart to ask for everything."""
STREAM_SHARE = 0.1
NOT_KNOWN = HttpAnswer(404, {}, b'{"error":{"code":"not_found","message":"not found"}}')

CREATED = msgspec.json.encode(
    {
        "ticker": MARKET,
        "client_order_id": f"{NAME}-made",
        "side": "bid",
        "count": "1.00",
        "price": "0.1200",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "exchange_index": 3,
    }
)

Read = Callable[[], Awaitable[object]]


class Impossible(Exception):  # noqa: N818 - what a check is for
    """A reader returned what cannot be true."""


class Tally(msgspec.Struct):
    """What was tried, and what came of it."""

    answers: int = 0
    messages: int = 0
    refused: int = 0
    """Of these, how many ended in `VenueError`."""
    by: dict[str, int] = {}
    """How many by the reader that they were put before."""
    findings: list[str] = []

    def add(self, other: "Tally") -> None:
        """Take what another process found."""
        self.answers += other.answers
        self.messages += other.messages
        self.refused += other.refused
        self.by = dict(Counter(self.by) + Counter(other.by))
        self.findings += other.findings

    def find(self, where: str, given: Iterable[bytes], error: BaseException) -> None:
        """Keep a finding, once for each kind."""
        said = f"{where}: {type(error).__name__}: {error}"
        is_new = not any(each.startswith(said[:60]) for each in self.findings)
        if is_new and len(self.findings) < FINDINGS_MAX:
            shown = " | ".join(repr(each[:SHOWN_MAX]) for each in given)
            self.findings.append(f"{said}\n      given {shown}")


class CannedApi(KalshiApi):
    """Answers from what was recorded; `garbler` spoils one of the answers of a read."""

    answers: dict[str, HttpAnswer]
    is_open = True
    """Whether what is not recorded yet is asked for."""
    garbler: Garbler | None = None
    spoils = 0
    """Which of the next answers is spoiled."""
    given: list[bytes]

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        **more: Any,
    ) -> HttpAnswer:
        """Return the answer to a call."""
        asked = {name: value for name, value in (query or {}).items() if name != "min_ts"}
        key = f"{method} {path} {sorted(asked.items())} {body!r}"
        if self.is_open:
            answer = await super().call(method, path, query, body, **more)
            self.answers[key] = answer
            return answer
        answer = self.answers.get(key, NOT_KNOWN)
        self.spoils -= 1
        if self.garbler is None or self.spoils != 0:
            return answer
        status, spoiled = answer.status, self.garbler.garbled(answer.body)
        if self.garbler.draw.random() < 0.1:
            status = self.garbler.draw.choice(STATUSES)
        self.given.append(spoiled)
        return HttpAnswer(status, answer.headers, spoiled)


class Readers:
    """An adapter whose venue is a record."""

    def __init__(self, connection: KalshiConnection, api: CannedApi) -> None:
        """Read by a connection that is never started."""
        connection.api = api
        shards: dict[str, int] = {MARKET: 3, OTHER: 3}
        self._connection, self._api = connection, api
        self._venue = KalshiVenue(connection, shards)
        self._data = KalshiMarketData(connection, shards)
        self.own: list[bytes] = []
        self.lifecycle: list[bytes] = []
        self.books: list[tuple[int, list[bytes]]] = []
        """Looks at the stream of books: when, and what came after it."""
        self.order_ids: list[str] = []
        """The venue's, of two orders that rest."""

    def reads(self) -> dict[str, Read]:
        """Return every read and cancel by its name."""
        venue, sent_ns = self._venue, self._connection.clock.now_ns() - 300 * NS_PER_SECOND
        working = [
            outcomes.WorkingOrder(client_order_id=each, venue_order_id=each, market_id=MARKET)
            for each in self.order_ids
        ]

        async def metadata() -> object:
            data = KalshiMarketData(self._connection, {})  # whose catalogue has kept nothing
            return await data.metadata([MARKET, OTHER])

        async def create() -> object:
            """Classify the answer to a create as the adapter does; made once, at the record."""
            asked = CreateTerms(
                client_order_id=f"{NAME}-made",
                quantity=MICRO,
                price=120_000,
                is_bid=True,
                rests=True,
                sent_ns=sent_ns,
            )
            answer = await self._api.call("POST", CREATE, body=CREATED)
            return create_outcome(answer.status, answer.body, asked)

        return {
            "create": create,
            "open orders": venue.open_orders,
            "orders since": lambda: venue.placed(0),
            "positions": venue.positions,
            "fills": lambda: venue.fills(0),
            "results": lambda: venue.results([MARKET, OTHER]),
            "balances": venue.balances,
            "movements of cash": lambda: venue.movements(0),
            "find": lambda: venue.find(NAME, MARKET, sent_ns),
            "find nothing": lambda: venue.find(f"{NAME}-not", MARKET, sent_ns),
            "cancel": lambda: venue.cancel(NAME, self.order_ids[0], MARKET),
            "cancel by name": lambda: venue.cancel(NAME, None, MARKET),
            "batch cancel": lambda: venue.cancel_many(working),
            "metadata": metadata,
            "limits": self._api.learn_limits,
            "status": lambda: self._api.get("/exchange/status", shapes.ExchangeStatus),
        }

    # Trying ------------------------------------------------------------------------------------

    async def attempt(self, garbler: Garbler, tally: Tally, cases: int) -> None:
        """Put so many spoiled answers and messages before the readers."""
        reads, calls = self.reads(), dict[str, int]()
        self._api.is_open = False
        for name, read in reads.items():
            self._api.garbler, self._api.spoils = None, 0
            await self._read(name, read, Tally())
            calls[name] = max(1, -self._api.spoils)
        self._api.garbler = garbler
        names, began = list(reads), tally.answers + tally.messages
        while tally.answers + tally.messages - began < cases and len(tally.findings) < FINDINGS_MAX:
            if garbler.draw.random() < STREAM_SHARE:
                await self._hear(garbler, tally)
                continue
            name = garbler.draw.choice(names)
            self._api.spoils, self._api.given = garbler.draw.randint(1, calls[name]), []
            await self._read(name, reads[name], tally)
            tally.answers += len(self._api.given)
            tally.by[name] = tally.by.get(name, 0) + len(self._api.given)

    async def _read(self, name: str, read: Read, tally: Tally) -> None:
        async def checked() -> None:
            check(await read())

        await self._end(name, checked(), self._api.given, tally)

    async def _end(
        self,
        name: str,
        work: Coroutine[Any, Any, None],
        given: Sequence[bytes],
        tally: Tally,
    ) -> None:
        """Let something end, and tell what it ended in: an error of any kind is a value here."""
        ends: Sequence[BaseException | None] = await asyncio.gather(work, return_exceptions=True)
        error = ends[0]
        if isinstance(error, VenueError):
            tally.refused += 1
        elif error is not None:
            tally.find(name, given, error)

    async def _hear(self, garbler: Garbler, tally: Tally) -> None:
        name = garbler.draw.choice(("own orders and fills", "market news", "books"))
        if name == "books":
            await self._books(name, garbler, tally)
            return
        connection, url = self._connection, self._connection.account.ws_url
        line = KalshiSocket(url, signer=connection.signer, clock=connection.clock)
        if name == "market news":
            news = LifecycleFeed(
                url, signer=connection.signer, clock=connection.clock, sink=_nothing
            )
            take, texts = news._take, self.lifecycle  # noqa: SLF001
        else:
            stream = OwnStream(url, signer=connection.signer, clock=connection.clock)
            stream.sink = check
            take, texts = stream._take, self.own  # noqa: SLF001
        said = [garbler.garbled(each) for each in garbler.draw.choices(texts, k=4)]
        for text in said:  # each one by itself: the first that cannot be read ends a connection
            await self._listen(name, line, take, [text], tally)

    async def _listen(
        self,
        name: str,
        line: KalshiSocket,
        take: Callable[[Message], None],
        texts: Sequence[bytes],
        tally: Tally,
    ) -> None:
        tally.messages += len(texts)
        tally.by[name] = tally.by.get(name, 0) + len(texts)
        socket = cast("aiohttp.ClientWebSocketResponse", Frames(texts))
        await self._end(name, line.listen(socket, take), texts, tally)

    async def _books(self, name: str, garbler: Garbler, tally: Tally) -> None:
        """Play the record of a stream of books with some of its messages spoiled."""
        connection = self._connection
        feed = BookFeed(lambda: 0)
        feed.sink = check
        feed.follow(MARKET)
        feed.follow(OTHER)
        line = KalshiSocket(
            connection.account.ws_url, signer=connection.signer, clock=connection.clock
        )
        for now_ns, texts in self.books:
            feed.commands(now_ns)
            for text in texts:
                is_spoiled = garbler.draw.random() < 0.4
                given = garbler.garbled(text) if is_spoiled else text
                counted = tally if is_spoiled else Tally(findings=tally.findings)
                take = partial(feed.take, now_ns=now_ns)
                await self._listen(name, line, take, [given], counted)


class Frames:
    """A connection on which these texts come, and then its end."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        """Hold them."""
        self._texts = iter(texts)

    async def receive(self) -> aiohttp.WSMessage:
        """Return the next; bytes that are no text are an error of the connection."""
        text = next(self._texts, None)
        if text is None:
            return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
        try:
            return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, text.decode(), None)
        except UnicodeDecodeError as error:
            return aiohttp.WSMessage(aiohttp.WSMsgType.ERROR, error, None)


def _nothing(_news: object) -> None:
    """Take what was told; the directory asks the venue."""


# What can be true ------------------------------------------------------------------------------


def check(found: object) -> None:
    """Raise `Impossible` where a reader's word cannot be true."""
    match found:
        case outcomes.Filled(fill=fill) | (outcomes.Fill() as fill):
            _demand(0 < fill.quantity <= shapes.FILL_MOST, fill)
            _demand(0 <= fill.price <= MICRO, fill)
            _demand(abs(fill.fee) <= fill.quantity + shapes.CENT, fill)
        case outcomes.OrderSeen(order=order) | (outcomes.VenueOrder() as order):
            _demand(0 <= order.filled <= order.quantity <= shapes.MOST, order)
            _demand(0 <= order.limit_price <= MICRO, order)
        case outcomes.OrderClosed():
            _demand(found.filled is None or 0 <= found.filled <= shapes.MOST, found)
        case outcomes.Accepted():
            _demand(bool(found.venue_order_id) and found.closed is None, found)
        case outcomes.Found():
            check(found.fills)
            check(found.listed)
        case outcomes.VenuePosition():
            _demand(0 <= found.quantity <= shapes.MOST, found)
        case outcomes.Settled():
            _demand(0 <= found.payouts.yes <= MICRO, found)
        case outcomes.PoolBalance() | outcomes.CashMovement():
            number = found.available if isinstance(found, outcomes.PoolBalance) else found.amount
            _demand(abs(number) <= shapes.MOST, found)
        case Metadata():
            listing = found.listing
            _demand(listing.tick > 0 and min(listing.taker_rate, listing.maker_rate) >= 0, found)
        case Quote():
            levels = (*found.bids, *found.asks)
            _demand(all(0 < price < MICRO and size > 0 for price, size in levels), found)
            _demand(not is_crossed(found.bids, found.asks), found)
        case dict():
            check(tuple(found.values()))
        case tuple() | list():
            for each in found:
                check(each)
        case _:
            pass


def _demand(is_so: bool, found: object) -> None:  # noqa: FBT001
    if not is_so:
        raise Impossible(str(found)[:SHOWN_MAX])


# The record ------------------------------------------------------------------------------------


def _quote(market_id: str, step: int = 0) -> Quote:
    return Quote(
        ts_ns=0,
        platform=Platform.KALSHI,
        market_id=market_id,
        bids=((370_000 + 10_000 * (step % 3), 500 * MICRO),),
        asks=((400_000, (500 - step) * MICRO),),
    )


def _set_up(server: KalshiServer) -> list[str]:
    """Let there be a bit of everything; return the ids of two orders that rest."""
    exchange = server.exchange
    server.show(_quote(MARKET))
    server.show(_quote(OTHER))
    ids: list[str] = []
    for place, (price, count) in enumerate(((410_000, 3), (200_000, 2), (210_000, 5))):
        order = exchange.by_hand.order(
            OWNER,
            MARKET,
            is_bid=True,
            price=price,
            count=count * MICRO,
            client_order_id=NAME if place == 1 else f"{NAME}-{place}",
        )
        exchange.create(order)
        ids.append(order.order_id)
    exchange.money.deposit(5 * MICRO)
    exchange.money.deposit(-2 * MICRO)
    exchange.money.transfer(0, 3, MICRO)
    exchange.money.lend(0, 2, MICRO)
    exchange.lifecycle.charge(OTHER.partition("-")[0], "quadratic_with_maker_fees")
    exchange.lifecycle.determine(OTHER, MICRO // 2)
    exchange.lifecycle.finalize(OTHER)
    return ids[1:]


async def recorded() -> Readers:
    """Set up an exchange, read everything of it once, and let it go."""
    key, clock = ed25519.Ed25519PrivateKey.generate(), SystemClock()
    server = KalshiServer(key_id="key", public_key=key.public_key(), seed=7)
    server.rest.set_limits((10_000.0, 10_000.0), (10_000.0, 10_000.0))
    ids = _set_up(server)
    addresses = await server.start()
    account = KalshiAccount(
        key=SigningKey(key),
        key_id="key",
        base_url=addresses.rest,
        ws_url=addresses.ws,
        skew_max_ns=2 * NS_PER_SECOND,
        group_limit=1_000 * MICRO,
    )
    connection, wire = KalshiConnection(account, clock, Supervisor(clock)), Wire(addresses.rest)
    api = CannedApi(
        account.base_url,
        signer=connection.signer,
        venue_clock=connection.venue_clock,
        clock=clock,
        wire=wire,
        urgent=wire,
    )
    api.answers, api.given = {}, []
    readers = Readers(connection, api)
    readers.order_ids = ids
    try:
        await api.call("GET", "/exchange/status", is_public=True)  # tells the venue's time
        await _record_streams(server, connection, readers)
        for read in readers.reads().values():
            check(await read())
    finally:
        await wire.close()
        await server.stop()
    return readers


async def _record_streams(
    server: KalshiServer, connection: KalshiConnection, readers: Readers
) -> None:
    url = connection.account.ws_url
    signed = connection.signer.sign("GET", "/trade-api/ws/v2")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, headers=signed.headers()) as socket:
            params = {"channels": [*ASKED, LIFECYCLE]}
            await socket.send_json({"id": 1, "cmd": "subscribe", "params": params})
            await _heard(socket)
            _move(server)
            for text in await _heard(socket):
                is_news = LIFECYCLE.encode() in text
                (readers.lifecycle if is_news else readers.own).append(text)
            subscribed = b'{"type":"subscribed","id":1,"msg":{"channel":"%s","sid":1}}'
            readers.own += [subscribed % each.encode() for each in CHANNELS]
            readers.lifecycle.append(subscribed % LIFECYCLE.encode())
            refused = b'{"type":"error","id":%d,"msg":{"code":8,"msg":"no such channel"}}'
            readers.own += [refused % number for number in (1, len(ASKED))]
            update = b'{"type":"%s","sid":4,"msg":{"order_group_id":"g","event_type":"triggered"}}'
            readers.own.append(update % GROUPS.encode())
        signed = connection.signer.sign("GET", "/trade-api/ws/v2")
        async with session.ws_connect(url, headers=signed.headers()) as socket:
            feed, now_ns = BookFeed(lambda: 0), time.time_ns()
            feed.follow(MARKET)
            feed.follow(OTHER)
            for step in range(STEPS):
                for command in feed.commands(now_ns):
                    await socket.send_json(command)
                if step:
                    _move(server, step)
                texts = await _heard(socket)
                for text in texts:
                    feed.take(shapes.read(text, Message), now_ns)
                readers.books.append((now_ns, texts))
                now_ns += NS_PER_SECOND


def _move(server: KalshiServer, step: int = 0) -> None:
    """Let something happen on every channel."""
    exchange = server.exchange
    server.show(_quote(MARKET, step))
    if step:
        return
    for order in exchange.resting(OWNER)[:2]:
        exchange.by_hand.trade(order, 500_000)
    made = exchange.by_hand.order(
        OWNER, MARKET, is_bid=True, price=150_000, count=MICRO, client_order_id=f"{NAME}-9"
    )
    exchange.create(made)
    exchange.cancel(OWNER, made.order_id)
    exchange.lifecycle.deactivate(MARKET)
    exchange.lifecycle.activate(MARKET)


async def _heard(socket: aiohttp.ClientWebSocketResponse) -> list[bytes]:
    """Return what comes until it is quiet."""
    found: list[bytes] = []
    try:
        while True:
            async with asyncio.timeout(0.15):
                frame = await socket.receive()
            if frame.type is aiohttp.WSMsgType.TEXT:
                found.append(frame.data.encode())
            elif frame.type is not aiohttp.WSMsgType.PING:
                return found
    except TimeoutError:
        return found
