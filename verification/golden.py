"""Golden journals: records of old versions that every later one must fold to the same state.

Guarantees that what a golden journal says is compared in terms that do not change with the code:
positions, open orders, money, exposure, windows, halts and breaks, as plain numbers under plain
names. A field that the book gains is not in them, so that it changes no old digest; what is in them
keeps its meaning for ever. A golden journal is recorded once and never written again.

A file is JSON lines: the first says what it is and the digest of the state at the end, each other
one is a record.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.book.market import Market, OutcomeHolding
from arbees.core.book.open_order import Order
from arbees.core.ports import Stored
from arbees.errors import ConfigurationError


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: which version wrote the journal, what happens in it, how it ends."""

    version: str
    story: str
    records: int
    digest: str
    """SHA-256 of `state_of` the book at the end."""


class GoldenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A record, its body as it was written."""

    sequence: int
    time_ns: int
    kind: str
    request_id: str | None = None
    body: msgspec.Raw


_TITLE, _LINE = msgspec.json.Decoder(Title), msgspec.json.Decoder(GoldenLine)


def write(path: Path, records: Iterable[Stored], *, version: str, story: str) -> Title:
    """
    Record a golden journal.

    Args:
        path: of a file that does not exist.
        records: of a whole journal.
        version: of the program that wrote it.
        story: what happens in it, a sentence.

    Raises:
        ConfigurationError: the file exists; golden journals are never written again.
    """
    if path.exists():
        raise ConfigurationError(f"Expected no file at {path}: golden journals are never rewritten")
    lines = [
        GoldenLine(
            sequence=stored.sequence,
            time_ns=stored.time_ns,
            kind=stored.kind,
            request_id=stored.request_id,
            body=msgspec.Raw(stored.body),
        )
        for stored in records
    ]
    title = Title(version=version, story=story, records=len(lines), digest=digest_of(fold(lines)))
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in (title, *lines)))
    return title


def read(path: Path) -> tuple[Title, list[GoldenLine]]:
    """Read a golden journal. Raises msgspec.ValidationError where it is none."""
    first, *rest = path.read_bytes().splitlines()
    return _TITLE.decode(first), [_LINE.decode(line) for line in rest]


def fold(lines: Iterable[GoldenLine]) -> Book:
    """Fold records to the book that they make."""
    book = fresh()
    for line in lines:
        apply(book, events.decode(bytes(line.body)), line.sequence, line.time_ns)
    return book


def digest_of(book: Book) -> str:
    """Return the digest of a state, in terms that do not change with the code."""
    text = json.dumps(state_of(book), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def state_of(book: Book) -> dict[str, Any]:
    """Return what a book says, as plain numbers under plain names."""
    return {
        "sequence": book.sequence,
        "time_ns": book.time_ns,
        "bound": [book.account, book.environment, book.mode],
        "markets": {key: _market(market) for key, market in book.markets.items()},
        "orders": {name: _order(order) for name, order in book.orders.items()},
        "unknown": book.unknown,
        "exposure": [book.game_worst, book.sport_worst, book.total_worst],
        "windows": [book.opened, book.reduced, _without_empty(book.opened_by)],
        "cycles": {
            f"{each.strategy}|{each.market_key}": [each.quantity, each.entries]
            for each in book.cycles.values()
        },
        "pools": {n: [p.available, p.outside, p.as_of_ns] for n, p in book.pools.items()},
        "money": [book.realized, book.fees, book.cash_moved, book.open_day_loss],
        "day": None if book.day is None else [book.day.day, book.day.baseline],
        "denials": book.denials,
        "halts": {n: [h.state, h.reason, h.since_ns] for n, h in book.halts.items()},
        "breaks": {n: [b.kind, b.market_key, b.policy] for n, b in book.breaks.items()},
        "venues": book.venue_states,
        **_later(book),
    }


def _later(book: Book) -> dict[str, Any]:
    """Return what books of the first versions did not have, where there is some of it."""
    alerts = {n: [a.name, a.count, a.since_ns, a.cleared_ns] for n, a in book.alerts.items()}
    later = {"alerts": alerts, "ledgers": dict(book.ledgers)}
    return {name: value for name, value in later.items() if value}


def _market(market: Market) -> dict[str, Any]:
    return {
        "sport": market.sport,
        "game": market.game_id,
        "open": market.is_open,
        "settled": market.is_settled,
        "yes": _holding(market.yes),
        "no": _holding(market.no),
        "losses": [market.loss_yes, market.loss_no],
        "worst": market.worst,
        "realized": market.realized,
        "fees": market.fees,
        "marks": [market.mark_yes, market.mark_no],
        "breaks": market.break_kinds,
    }


def _holding(holding: OutcomeHolding) -> list[int]:
    return [holding.quantity, holding.cost, holding.closing]


def _order(order: Order) -> dict[str, Any]:
    reserved = order.reserved
    return {
        "request": [order.request_id, order.idempotency_key, order.attempt, order.leg],
        "where": [order.platform, order.market_id, order.market_key, order.venue_order_id],
        "what": [order.side, order.action, order.quantity, order.limit_price],
        "how": [order.time_in_force, order.expires_ns, order.strategy],
        "status": order.status,
        "filled": [order.filled, order.value, order.fees, order.trades],
        "reserved": [reserved.loss_yes, reserved.loss_no, reserved.cash, reserved.closing],
        "cancel": order.cancel_reason,
    }


def _without_empty(windows: dict[str, list[int]]) -> dict[str, list[int]]:
    return {name: times for name, times in windows.items() if times}


def journals(folder: Path) -> Iterator[Path]:
    """Yield the golden journals of a folder, in order of their names."""
    yield from sorted(folder.glob("*.jsonl"))
