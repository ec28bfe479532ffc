"""Calls at an exchange, signed by the book and by nothing of the adapter's."""

import base64
import time
import uuid
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ROOT = "/trade-api/v2"
ORDERS = "/portfolio/events/orders"
GROUPS = "/portfolio/order_groups"
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: Any


class Caller:
    """Makes calls with a key of its own."""

    def __init__(self, root: str, key_id: str, key: rsa.RSAPrivateKey) -> None:
        """Take a key; `root` is that of the exchange, `http://host:port`."""
        self._root = root
        self._key_id = key_id
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open a connection."""
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    def signed(
        self, method: str, path: str, *, late_seconds: float = 0.0, key_id: str | None = None
    ) -> dict[str, str]:
        """
        Return the headers of a call.

        Args:
            method: in capitals.
            path: from the root, without a query.
            late_seconds: how long ago the timestamp says it was.
            key_id: another than the account's.
        """
        stamp = str(int((time.time() - late_seconds) * 1000))
        signature = self._key.sign(f"{stamp}{method}{path}".encode(), _PSS, hashes.SHA256())
        return {
            "KALSHI-ACCESS-KEY": key_id or self._key_id,
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """
        Make a call.

        Args:
            method: in capitals.
            path: below the root of the API.
            body: as JSON; bytes go as they are.
            query: parameters of the URL.
            headers: instead of a good signature.
        """
        assert self._session is not None
        kept = self.signed(method, ROOT + path) if headers is None else headers
        data = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            data = msgspec.json.encode(body)
        async with self._session.request(
            method, f"{self._root}{ROOT}{path}", data=data, params=query, headers=kept
        ) as answer:
            said = await answer.read()
        return Answer(answer.status, msgspec.json.decode(said) if said else None)

    async def create(self, market: str, /, **more: object) -> Answer:
        """Place an order: a bid of one contract at $0.01 that rests, unless told otherwise."""
        body = {
            "ticker": market,
            "side": "bid",
            "count": "1.00",
            "price": "0.0100",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": str(uuid.uuid4()),
            **more,
        }
        return await self.call("POST", ORDERS, body)
