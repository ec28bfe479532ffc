"""Ask the tables that are looked up before a decision, over whatever connection.

Guarantees that a question is put the same way by the writer and by whoever only reads. It fails as
the connection behind it does.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from arbees.core.ports import KeyRow, OrderRow, RequestRow, SignalRow, Stored

STORED = "SELECT sequence, time_ns, kind, body, request_id, hash FROM records "
_KEY = (
    "SELECT idempotency_key, request_id, attempt, fingerprint, outcome, processed_ns FROM keys"
    " WHERE idempotency_key = ?"
)
_REQUEST = "SELECT request_id, idempotency_key FROM requests WHERE request_id = ?"
# Sorted here and not by SQLite, which takes five times as long for none or one.
_SIGNALS = (
    "SELECT signal_id, market_key, side, action, idempotency_key, outcome FROM signals"
    " WHERE signal_id = ? AND market_key = ? AND side = ? AND action = ?"
)
_ORDER = "SELECT client_order_id, request_id, platform, venue_order_id FROM orders "
_BY_OURS = _ORDER + "WHERE client_order_id = ?"
_BY_THEIRS = (
    _ORDER + "WHERE venue_order_id = ? AND platform = ? ORDER BY client_order_id DESC LIMIT 1"
)


Values = tuple[str | int | bytes, ...]
"""What stands in the places of a query."""


class Tables(ABC):
    """What the tables say; whoever inherits this brings the connection."""

    @abstractmethod
    def ask(self, query: str, values: Values = ()) -> list[Any]:
        """Return all rows of a query. Raises JournalUnavailable, JournalCorrupt."""

    def _first(self, query: str, values: Values = ()) -> tuple[Any, ...] | None:
        rows = self.ask(query, values)
        return rows[0] if rows else None

    def key(self, idempotency_key: str) -> KeyRow | None:
        """Return the last attempt of a key."""
        row = self._first(_KEY, (idempotency_key,))
        return None if row is None else KeyRow(*row)

    def request(self, request_id: str) -> RequestRow | None:
        """Return under which key a request id was seen."""
        row = self._first(_REQUEST, (request_id,))
        return None if row is None else RequestRow(*row)

    def signals(
        self, signal_id: str, market_key: str, side: str, action: str
    ) -> Sequence[SignalRow]:
        """Return the keys under which a signal was seen for this market, side and action."""
        rows = self.ask(_SIGNALS, (signal_id, market_key, side, action))
        if len(rows) > 1:
            rows.sort()
        return [SignalRow(*row) for row in rows]

    def order(self, client_order_id: str) -> OrderRow | None:
        """Return where an order is found, by our own id."""
        row = self._first(_BY_OURS, (client_order_id,))
        return None if row is None else OrderRow(*row)

    def order_by_venue_id(self, platform: str, venue_order_id: str) -> OrderRow | None:
        """Return where an order is found, by the venue's id."""
        row = self._first(_BY_THEIRS, (venue_order_id, platform))
        return None if row is None else OrderRow(*row)

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the durable records of one request, in order."""
        rows = self.ask(STORED + "WHERE request_id = ? ORDER BY sequence", (request_id,))
        return [Stored(*row) for row in rows]
