"""A simulated Kalshi to rehearse with: a key pair, books that move, and its addresses as one line.

Guarantees that it listens on loopback alone, that a key pair which it makes is kept and taken again
by the next start (the settings of a gateway then stay the same, and so does its authorization), and
that the same seed makes the same evening.
"""

import asyncio
import os
from itertools import groupby
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from arbees.core.language.quote import Quote, parse_recorded_quote, sound
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.rehearsal.evening import make_evening
from arbees.rehearsal.kalshi.rest.identity import PublicKey, parse_public_key
from arbees.rehearsal.kalshi.server import Addresses, KalshiServer

KEY_ID = "00000000-0000-4000-8000-00000000a4b5"
STEP_SECONDS = 1.0
"""How long one state of a generated book stands."""
GAP_MAX_SECONDS = 60.0
"""A longer pause in a recording is cut to this."""
MINUTES = 240


def key_pair(path: Path) -> PublicKey:
    """
    Return the public key of the pair at a path, which is made if there is none.

    Args:
        path: of the private key; written with mode 0600.

    Raises:
        OSError: it cannot be read or written.
        ValueError: what lies there is no key that Kalshi takes.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    private = load_pem_private_key(pem, password=None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return parse_public_key(public)


def read_quotes(path: Path) -> list[Quote]:
    """
    Read the quotes of Kalshi from a file in the form of `quotes.jsonl`, in the order of time.

    Raises:
        OSError, Malformed: it cannot be read; which field of which line.
    """
    with path.open("rb") as file:
        quotes = [sound(parse_recorded_quote(line, 0)) for line in file if line.strip()]
    found = [each for each in quotes if each.platform is Platform.KALSHI]
    return sorted(found, key=lambda quote: quote.ts_ns)


def evening(seed: int) -> list[Quote]:
    """Return the quotes of a generated evening of basketball, those of Kalshi."""
    quotes = make_evening(seed, minutes=MINUTES).quotes
    return [each for each in quotes if each.platform is Platform.KALSHI]


class Rehearsal:
    """One exchange with books that move."""

    def __init__(self, server: KalshiServer, quotes: list[Quote], *, is_recorded: bool) -> None:
        """
        Prepare.

        Args:
            server: the exchange.
            quotes: what its books show, in the order of time; again from the start at the end.
            is_recorded: keep the pauses of the recording; else one state a second.
        """
        self.server = server
        self._quotes = quotes
        self._is_recorded = is_recorded
        self._task: asyncio.Task[None] | None = None

    async def start(self, port: int) -> Addresses:
        """Show the first state of each book, listen, and let the books move."""
        first: dict[str, Quote] = {}
        for quote in self._quotes:
            first.setdefault(quote.market_id, quote)
        for quote in first.values():
            self.server.show(quote)
        addresses = await self.server.start(port)
        self._task = asyncio.create_task(self._move(), name="books")
        return addresses

    async def stop(self) -> None:
        """Stop all of it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.server.stop()

    async def _move(self) -> None:
        while self._quotes:
            before_ns: int | None = None
            for ts_ns, states in groupby(self._quotes, key=lambda quote: quote.ts_ns):
                await asyncio.sleep(self._pause(before_ns, ts_ns))
                before_ns = ts_ns
                for quote in states:
                    self.server.show(quote)

    def _pause(self, before_ns: int | None, ts_ns: int) -> float:
        if not self._is_recorded or before_ns is None:
            return STEP_SECONDS
        return min((ts_ns - before_ns) / NS_PER_SECOND, GAP_MAX_SECONDS)


def line_of(addresses: Addresses, key_file: Path | None) -> str:
    """Return the one line that says where it is."""
    told = msgspec.structs.replace(
        addresses, private_key_file=None if key_file is None else str(key_file)
    )
    return msgspec.json.encode(told).decode()
