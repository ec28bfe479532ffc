"""Makes of an answer that is right one that is not: the same seed makes the same ones.

Guarantees that each of the kinds below comes up, and that most of what is made can still be read
as JSON, so that it reaches the readers' own checks: bytes (changed, lost, twice, of another
encoding), and values (of another type, other numbers, null, left out, twice, in another order).
"""

import gzip
import random
from collections.abc import Callable
from typing import Any

import msgspec

DEPTH = 2_000
"""Of brackets: more than any parser of ours follows."""
TEXTS = (
    *("", " ", "0", "-1", "0.00", "-5.00", "1e9", "NaN", "Infinity", "0x10", "1_000", "+1.00"),
    *("99999999999999999999", "0.0000001", "0.5.5", "1,00", "\u0665", "\u00bd", "\u200b1.00"),
    *("null", "true", "yes", "no", "bid", "ask", "buy", "sell", "resting", "executed", "canceled"),
    *("active", "finalized", "scalar", "void", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("2026-13-45T99:99:99Z", "2026-01-28", "arb-", "arb-1", "caf\u00e9", "\U0001f600", "\x00"),
    *("a/../b\r\nx: y", "x" * 5_000, "orderbook_delta", "user_order", "subscribed", "error", "ok"),
)
NUMBERS: tuple[object, ...] = (
    *(0, -1, 1, 2, 3, 7, 99, 100, 101, 10**9, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1),
    *(0.5, -0.0, 1e-9, 1e300, 1.0000001),
)
OTHERS: tuple[object, ...] = (None, True, False, [], {}, [None], {"": None}, [[]], "", 0, -1, 0.5)

Place = tuple[Any, Any]
"""A dictionary or list, and the key or index in it."""


class Garbler:
    """One sequence of them."""

    def __init__(self, seed: int | str) -> None:
        """Begin the sequence of a seed."""
        self.draw = random.Random(seed)
        self.counts: dict[str, int] = {}
        """How many of each kind were made."""

    def garbled(self, body: bytes) -> bytes:
        """Return a body that differs from one in JSON; now and then in several ways."""
        times = 1 if self.draw.random() < 0.8 else self.draw.randint(2, 4)
        for _ in range(times):
            is_of_bytes = self.draw.random() < 0.15
            body = self._bytes(body) if is_of_bytes else self._values(body)
        return body

    # Bytes -------------------------------------------------------------------------------------

    def _bytes(self, body: bytes) -> bytes:
        kind = self.draw.choice(_BYTES)
        self._count(kind.__name__)
        return kind(body, self.draw)

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    # Values ------------------------------------------------------------------------------------

    def _values(self, body: bytes) -> bytes:
        try:
            found = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return self._bytes(body)
        holder = [found]
        kind = self.draw.choice(_VALUES)
        self._count(kind.__name__)
        kind(self._place(holder), self.draw)
        try:
            return msgspec.json.encode(holder[0])
        except ValueError:  # half a pair of surrogates
            return body[: len(body) // 2]

    def _place(self, holder: list[Any]) -> Place:
        """Return a place somewhere below; deep ones are as likely as those at the top."""
        place: Place = (holder, 0)
        while True:
            value = place[0][place[1]]
            if not isinstance(value, dict | list) or not value or self.draw.random() < 0.1:
                return place
            names = list(value) if isinstance(value, dict) else range(len(value))
            place = (value, self.draw.choice(names))


def _changed_byte(body: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(body) + 1)
    return body[:at] + bytes([draw.randrange(256)]) + body[at + 1 :]


def _lost_bytes(body: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(body) + 1)
    return body[:at] + body[at + draw.randint(1, 8) :]


def _cut(body: bytes, draw: random.Random) -> bytes:
    return body[: draw.randrange(len(body) + 1)]


def _twice(body: bytes, _draw: random.Random) -> bytes:
    return body + body


def _other_encoding(body: bytes, draw: random.Random) -> bytes:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body[1:]
    name = draw.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32", "latin-1", "utf-7", "cp037"))
    return text.encode(name, errors="replace")


def _compressed(body: bytes, _draw: random.Random) -> bytes:
    return gzip.compress(body, compresslevel=1, mtime=0)


def _other_words(_body: bytes, draw: random.Random) -> bytes:
    words = (
        b"",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b'"x"',
        b"NaN",
        b"<html>502</html>",
        b"\xff",
        b"\x00",
    )
    return draw.choice(words)


def _latin(body: bytes, draw: random.Random) -> bytes:
    """Put a byte that is no UTF-8 into a text."""
    at = body.find(b'":"', draw.randrange(len(body) + 1))
    return body[: at + 3] + b"caf\xe9" + body[at + 3 :]


def _deep(body: bytes, draw: random.Random) -> bytes:
    at = body.find(b":", draw.randrange(len(body) + 1)) + 1
    return body[:at] + b"[" * DEPTH + b"]" * DEPTH + b"," + body[at:]


_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_changed_byte, _lost_bytes, _cut, _twice, _other_encoding, _compressed, _other_words),
    *(_latin, _deep),
)


def _null(place: Place, _draw: random.Random) -> None:
    place[0][place[1]] = None


def _other_type(place: Place, draw: random.Random) -> None:
    place[0][place[1]] = draw.choice(OTHERS)


def _other_text(place: Place, draw: random.Random) -> None:
    place[0][place[1]] = draw.choice(TEXTS)


def _other_number(place: Place, draw: random.Random) -> None:
    """Change a number, or a text that is one, a little or beyond measure; it stays what it was."""
    value = place[0][place[1]]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        place[0][place[1]] = draw.choice(NUMBERS)
    elif isinstance(value, str):
        cents = draw.choice((-1, 0, 1, 40, 41, 60, 100, 200, 300, 500, 1_000, 10**8, -500))
        place[0][place[1]] = f"{cents / 100:.{draw.choice((2, 4))}f}"
    elif isinstance(value, float):
        place[0][place[1]] = draw.choice((-value, value * 2, value / 3, 1e300))
    else:
        off = draw.choice((-1, 1, 1_000, -1_000, 10**6, -(10**6)))
        place[0][place[1]] = value + off if draw.random() < 0.7 else draw.choice(NUMBERS)


def _as_text(place: Place, _draw: random.Random) -> None:
    """Write a number as text, and a text as one."""
    value = place[0][place[1]]
    try:
        place[0][place[1]] = float(value) if isinstance(value, str) else str(value)
    except ValueError:
        place[0][place[1]] = [value]


def _left_out(place: Place, _draw: random.Random) -> None:
    if isinstance(place[0], dict):
        del place[0][place[1]]
    else:
        place[0][place[1]] = {}


def _more(place: Place, draw: random.Random) -> None:
    """Say something twice, or what nobody knows."""
    if isinstance(place[0], dict):
        name = draw.choice(("extra", "", "subaccount_number", "cursor"))
        place[0][name] = draw.choice((*NUMBERS, *OTHERS))
    else:
        place[0].append(place[0][place[1]])


def _other_order(place: Place, draw: random.Random) -> None:
    """Say it in another order, keys and rows alike."""
    value = place[0]
    if isinstance(value, dict):
        names = list(value)
        draw.shuffle(names)
        again = {name: value[name] for name in names}
        value.clear()
        value.update(again)
    else:
        draw.shuffle(value)


def _exchanged(place: Place, draw: random.Random) -> None:
    """Let two values of an object change places."""
    value = place[0]
    names = list(value) if isinstance(value, dict) else list(range(len(value)))
    other = draw.choice(names)
    value[place[1]], value[other] = value[other], value[place[1]]


_VALUES: tuple[Callable[[Place, random.Random], None], ...] = (
    *(_null, _other_type, _other_text, _other_number, _other_number, _as_text, _left_out),
    *(_more, _other_order, _exchanged),
)

KINDS = tuple(dict.fromkeys(each.__name__ for each in (*_BYTES, *_VALUES)))
"""The names of all kinds."""
