"""A barrage: quotes and requests at full speed over many connections, and what came back of it.

Guarantees that the same seed makes the same requests, that every request sent is kept with the
answer that was heard (or with none), and that a connection that breaks ends its sender, as it does
when the gateway is killed. Requests are of all kinds: IOC, FOK, GTC, Sells, far too large ones, the
same key again (also at the same time and with other economics), and further attempts.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from verification.http import HttpConnection

CONNECTIONS = 16
QUOTE_SECONDS = 0.05
MARKETS = 48
_DEPTH = 400
Body = dict[str, Any]
_SELL = {"action": "Sell", "limit_price": "0.06"}


class SentRequest(msgspec.Struct):
    """One request, and the answer that was heard; None if the connection broke before."""

    body: Body
    status: int | None = None
    answer: Body | None = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether the gateway said that it decided."""
        return self.status in {200, 202}


class Barrage:
    """Makes and sends; one for each life of a gateway."""

    def __init__(self, seed: int) -> None:
        """Draw everything from a seed."""
        self._random = random.Random(seed)
        self._count = 0
        self.sent: list[SentRequest] = []
        self.is_over = False
        """Once set, senders end after the answer that they wait for."""
        self._cents = [self._random.randint(30, 70) for _ in range(MARKETS)]

    # Quotes ------------------------------------------------------------------------------------

    def quotes(self) -> list[Body]:
        """Return the next quote of every market; prices wander by a cent."""
        return [self._quote(number) for number in range(MARKETS)]

    def _quote(self, number: int) -> Body:
        cents = self._cents[number] + self._random.choice((-1, 0, 0, 1))
        self._cents[number] = cents = min(max(cents, 20), 80)
        depth = self._random.randint(20, _DEPTH)
        quote: Body = {
            **_name(number),
            "bids": [[_dollars(cents - 1), depth], [_dollars(cents - 3), depth]],
            "asks": [[_dollars(cents + 1), depth], [_dollars(cents + 3), depth]],
            "sport": "NBA",
            "game_id": f"game-{number // 4}",
        }
        if number % 2:
            quote |= {"condition_id": f"condition-{number}", "opposite_token_id": f"no-{number}"}
        return quote

    # Requests ----------------------------------------------------------------------------------

    def _next(self) -> Body:
        draw = self._random.random()
        known = self.sent
        if known and draw < 0.08:
            return self._random.choice(known).body
        if known and draw < 0.10:
            body = self._random.choice(known).body
            return body | {"size": body["size"] + 1, "request_id": self._id("conflict")}
        if draw < 0.13:
            again = self._denied()
            if again is not None:
                return again | {
                    "request_id": self._id("again"),
                    "attempt": again.get("attempt", 1) + 1,
                }
        return self._fresh()

    def _denied(self) -> Body | None:
        """Return a recent request that was denied, so that its caller may come again."""
        for sent in reversed(self.sent[-50:]):
            answer = sent.answer
            if answer and answer.get("rejected_by") == "gateway" and "original" not in answer:
                return sent.body
        return None

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"

    def _fresh(self) -> Body:
        number = self._random.randrange(MARKETS)
        body: Body = {
            **_name(number),
            "request_id": self._id("request"),
            "side": self._random.choice(("Yes", "No")),
            "size": self._random.randint(1, 12),
            "strategy": f"strategy-{number % 3}",
        }
        body["idempotency_key"] = f"key-{body['request_id']}"
        price = self._cents[number] if body["side"] == "Yes" else 100 - self._cents[number]
        kind = self._random.random()
        bought = self._bought() if kind < 0.25 else None
        if bought is not None:
            fields = ("platform", "market_id", "side", "size")
            return body | {name: bought[name] for name in fields} | _SELL
        if kind < 0.31:
            return body | {"time_in_force": "GTC", "limit_price": _dollars(price - 2)}
        body["limit_price"] = _dollars(price + self._random.choice((1, 2, 3)))
        if kind < 0.36:
            body["time_in_force"] = "FOK"
        elif kind < 0.38:
            body["size"] = 100_000
        return body

    def _bought(self) -> Body | None:
        """Return a recent Buy that was filled, so that it may be sold."""
        for sent in self._random.sample(self.sent, min(20, len(self.sent))):
            if sent.answer and sent.answer.get("status") == "Filled" and "action" not in sent.body:
                return sent.body
        return None

    # Sending -----------------------------------------------------------------------------------

    async def send(self, port: int) -> None:
        """Send at full speed until every connection broke, or it is over."""
        senders = [self._send(port) for _ in range(CONNECTIONS)]
        await asyncio.gather(self._feed(port), *senders)

    async def _feed(self, port: int) -> None:
        try:
            async with await HttpConnection.open(port) as connection:
                while not self.is_over:
                    await connection.ask("POST", "/v1/quotes", self.quotes())
                    await asyncio.sleep(QUOTE_SECONDS)
        except OSError:
            return

    async def _send(self, port: int) -> None:
        try:
            async with await HttpConnection.open(port) as connection:
                while not self.is_over:
                    sent = SentRequest(self._next())
                    self.sent.append(sent)
                    sent.status, sent.answer = await connection.ask(
                        "POST", "/v1/executions?wait=5", sent.body
                    )
        except OSError:
            return

    def bodies(self) -> Iterator[Body]:
        """Yield every request once, in the order of their first sending."""
        seen: set[tuple[str, int]] = set()
        for sent in self.sent:
            name = sent.body["request_id"], sent.body["size"]
            if name not in seen:
                seen.add(name)
                yield sent.body


def _name(number: int) -> Body:
    if number % 2:
        return {"platform": "Polymarket", "market_id": f"yes-{number}"}
    return {"platform": "Kalshi", "market_id": f"MARKET-{number}"}


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
