"""Write and read the rows that are looked up before a decision.

Guarantees one definition of how a row is merged into its table, used by the writer and by whoever
proves afterwards that the tables equal what the records imply. A request is kept as it was seen
first; keys, signals and orders take the newest row, but an order never forgets the venue's id. It
fails only where the database does.
"""

from collections.abc import Iterable

import apsw
import msgspec
from msgspec.structs import astuple

from arbees.core.ports import IndexRow, KeyRow, OrderRow, RequestRow, SignalRow

Value = str | int | None


class Table(msgspec.Struct, frozen=True):
    """How the rows of one kind lie on disk."""

    name: str
    row: type[IndexRow]
    key: tuple[str, ...]
    merge: str
    """What follows `ON CONFLICT`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns: the fields of the row, in their order."""
        return self.row.__struct_fields__

    def upsert(self, database: str = "main") -> str:
        """Return the statement that merges one row into the table of a database."""
        places = ", ".join("?" * len(self.columns))
        names = ", ".join(self.columns)
        return (
            f"INSERT INTO {database}.{self.name} ({names}) VALUES ({places})"  # noqa: S608 (ours)
            f" ON CONFLICT ({', '.join(self.key)}) {self.merge}"
        )


def _replace(*columns: str) -> str:
    return "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns)


TABLES = (
    Table(
        "keys",
        KeyRow,
        ("idempotency_key",),
        _replace("request_id", "attempt", "fingerprint", "outcome", "processed_ns"),
    ),
    Table("requests", RequestRow, ("request_id",), "DO NOTHING"),
    Table(
        "signals",
        SignalRow,
        ("signal_id", "market_key", "side", "action", "idempotency_key"),
        _replace("outcome"),
    ),
    Table(
        "orders",
        OrderRow,
        ("client_order_id",),
        _replace("request_id", "platform")
        + ", venue_order_id = coalesce(excluded.venue_order_id, venue_order_id)",
    ),
)
"""Every kind of row."""

_UPSERTS = {table.row: table.upsert() for table in TABLES}


def sort_by_table(rows: Iterable[IndexRow], into: dict[type, list[tuple[Value, ...]]]) -> None:
    """Add rows to the lists of their kinds, as tuples in the order of the columns."""
    for row in rows:
        into.setdefault(type(row), []).append(astuple(row))


def merge(connection: apsw.Connection, rows: dict[type, list[tuple[Value, ...]]]) -> None:
    """Merge sorted rows into the tables, inside the caller's transaction."""
    for kind, values in rows.items():
        connection.executemany(_UPSERTS[kind], values)
