"""The durable book of the paper exchange: one SQLite file that anyone may read.

Guarantees that a commit is on the disk (WAL, synchronous=FULL) before it returns, that two
processes never write one book, and that a book opened again is exactly what was committed. A
commit that fails is never repeated: the book is poisoned until the process starts again. A file
that is no paper book, or another owner's, refuses to open.
"""

import contextlib
import fcntl
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import apsw

from arbees.core.deciding.outcomes import Fill, Found, VenueOrder
from arbees.core.language.payouts import Payouts
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)
from arbees.errors import ConfigurationError, VenueOutcomeUnknown
from arbees.venues.paper.ledger import ExchangeChanges
from arbees.venues.paper.state import PaperAccount, PaperMarket, PaperOrder, PaperState

_APPLICATION_ID = 0x41524250
_SCHEMA_VERSION = 1
_BUSY_TIMEOUT_MS = 5_000
_MEMORY = ":memory:"

Rows = list[tuple[str, list[tuple[object, ...]]]]
"""Statements with the rows that each of them writes, in order."""

_ORDER = """
INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (client_order_id) DO UPDATE SET status = excluded.status,
    filled_quantity = excluded.filled_quantity, updated_ns = excluded.updated_ns
"""
_DETAILS = """
INSERT INTO order_details VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (client_order_id) DO UPDATE SET closed = excluded.closed, reason = excluded.reason,
    fill_count = excluded.fill_count, taken_count = excluded.taken_count,
    exact_fees = excluded.exact_fees, fees = excluded.fees
"""
_FILL = "INSERT INTO fills VALUES (?, ?, ?, ?, ?, ?)"
_MARKET = "INSERT OR REPLACE INTO markets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SETTLEMENT = "INSERT OR REPLACE INTO settlements VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ACCOUNT = "INSERT OR REPLACE INTO accounts VALUES (?, ?)"
_MOVE = "INSERT INTO cash_moves (platform, amount, created_ns) VALUES (?, ?, ?)"

_WORKING = """
SELECT o.client_order_id, o.order_id, o.platform, o.market_id, d.market_key, o.side, d.outcome,
    o.action, o.quantity, o.limit_price, o.time_in_force, d.expires_ns, o.created_ns,
    o.updated_ns, d.sequence, o.status, o.filled_quantity, d.fill_count, d.taken_count,
    d.exact_fees, d.fees
FROM order_details d JOIN orders o USING (client_order_id)
WHERE d.closed IS NULL ORDER BY d.sequence
"""
_MARKETS = """
SELECT m.platform, m.market_key, m.yes_id, m.no_id, m.tick, m.lot, m.is_open, m.yes_held, m.no_held,
    m.result, m.settled_ns, coalesce(s.yes_held, 0), coalesce(s.no_held, 0)
FROM markets m LEFT JOIN settlements s USING (platform, market_key)
ORDER BY m.platform, m.market_key
"""
_FOUND = """
SELECT o.order_id, o.created_ns, d.closed, d.taken_count
FROM orders o JOIN order_details d USING (client_order_id)
WHERE o.client_order_id = ? AND o.platform = ?
"""
_FILLS_SINCE = """
SELECT f.trade_id, f.quantity, f.price, f.fee, f.created_ns, o.client_order_id, o.order_id
FROM fills f JOIN orders o USING (order_id)
WHERE o.platform = ? AND f.created_ns >= ? ORDER BY f.rowid
"""
_PLACED_SINCE = """
SELECT client_order_id, order_id, market_id, side, action, quantity, filled_quantity, limit_price,
    status, updated_ns
FROM orders WHERE platform = ? AND created_ns >= ? ORDER BY rowid
"""
_CLOSED = frozenset({"filled", "cancelled", "expired"})
_FILLS_OF = """
SELECT trade_id, quantity, price, fee, created_ns FROM fills WHERE order_id = ? ORDER BY rowid
"""


class PaperBook:
    """The one writer of a paper book. Not thread-safe: one call at a time, from any thread."""

    def __init__(self, path: str | Path, *, owner: str, starting_balance: int, now_ns: int) -> None:
        """
        Open a book, or begin one.

        Args:
            path: of the file, or `:memory:`.
            owner: whose book this is; a book of another owner refuses.
            starting_balance: micro-dollars a venue, for a new book only.
            now_ns: when a new book begins.

        Raises:
            ConfigurationError: not a paper book, unreadable, another owner's, or already open.
        """
        self._path = str(path)
        self._lock: int | None = None
        self._is_poisoned = False
        if self._path != _MEMORY:
            self._lock = _hold(Path(self._path))
        try:
            self._connection = apsw.Connection(self._path)
            self._prepare(owner, starting_balance, now_ns)
        except apsw.Error as error:
            self._release()
            raise _refusal(self._path, f"Expected a readable paper book ({error})") from None
        except ConfigurationError:
            self._connection.close()
            self._release()
            raise

    def load(self) -> PaperState:
        """Return accounts, markets and working orders as committed. Quotes are not kept."""
        state = PaperState(accounts={})
        for platform, cash in self._connection.execute("SELECT platform, cash FROM accounts"):
            venue = Platform(str(platform))
            state.accounts[venue] = PaperAccount(platform=venue, cash=_whole(cash))
        for row in self._connection.execute(_MARKETS):
            state.list_market(_market(row))
        for row in self._connection.execute(_WORKING):
            order = _order(row)
            state.working[order.client_order_id] = order
            market = state.markets[order.platform, order.market_key]
            market.working[order.client_order_id] = order
        last = "SELECT coalesce(max(sequence), 0) FROM order_details"
        state.sequence = _whole(self._connection.execute(last).get)
        return state

    def is_spent(self, client_order_id: str) -> bool:
        """Tell whether an order under this id was ever accepted."""
        statement = "SELECT 1 FROM orders WHERE client_order_id = ?"
        return self._connection.execute(statement, (client_order_id,)).get is not None

    def find(self, client_order_id: str, platform: Platform) -> Found | None:
        """Return an order in any state with all of its fills."""
        row = self._connection.execute(_FOUND, (client_order_id, str(platform))).fetchone()
        if row is None:
            return None
        order_id, created_ns, closed, taken_count = row
        rows = self._connection.execute(_FILLS_OF, (order_id,)).fetchall()
        fills = tuple(
            Fill(
                client_order_id=client_order_id,
                trade_id=str(trade_id),
                quantity=_whole(quantity),
                price=_whole(price),
                fee=_whole(fee),
                is_maker=index >= _whole(taken_count),
                time_ns=_whole(time_ns),
            )
            for index, (trade_id, quantity, price, fee, time_ns) in enumerate(rows)
        )
        return Found(
            venue_order_id=str(order_id),
            by="client order id",
            time_ns=_whole(created_ns),
            fills=fills,
            closed=None if closed is None else str(closed),
        )

    def fills(self, platform: Platform, since_ns: int) -> Sequence[Fill]:
        """Return what filled of a venue since a moment; who made it is not told."""
        return tuple(
            Fill(
                client_order_id=str(client_order_id),
                trade_id=str(trade_id),
                quantity=_whole(quantity),
                price=_whole(price),
                fee=_whole(fee),
                is_maker=False,
                time_ns=_whole(time_ns),
                venue_order_id=str(order_id),
            )
            for trade_id, quantity, price, fee, time_ns, client_order_id, order_id in (
                self._connection.execute(_FILLS_SINCE, (str(platform), since_ns))
            )
        )

    def placed(self, platform: Platform, since_ns: int) -> Sequence[VenueOrder]:
        """Return what was placed at a venue since a moment, in all states."""
        rows = self._connection.execute(_PLACED_SINCE, (str(platform), since_ns))
        return tuple(
            VenueOrder(
                client_order_id=str(name),
                venue_order_id=str(order_id),
                platform=platform,
                market_id=str(market_id),
                side=Side(str(side)),
                action=Action(str(action)),
                quantity=_whole(quantity),
                filled=_whole(filled),
                limit_price=_whole(price),
                closed=str(status) if status in _CLOSED else None,
                time_ns=_whole(at_ns),
            )
            for name, order_id, market_id, side, action, quantity, filled, price, status, at_ns in (
                rows
            )
        )

    def commit(self, rows: Rows) -> None:
        """
        Make all rows durable, or none.

        Raises:
            VenueOutcomeUnknown: the disk or the file refused; nothing of it is known to be
                durable, and every later commit fails too.
        """
        if self._is_poisoned:
            raise VenueOutcomeUnknown(f"The paper book {self._path} is closed or has failed")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for statement, values in rows:
                self._connection.executemany(statement, values)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._is_poisoned = True
            raise VenueOutcomeUnknown(
                f"The paper book {self._path} refused a commit: {error}"
            ) from error

    def close(self) -> None:
        """Release the file; idempotent. What the log holds is durable, copied or not."""
        self._is_poisoned = True
        with contextlib.suppress(apsw.Error):
            self._connection.close(force=True)
        self._release()

    def _prepare(self, owner: str, starting_balance: int, now_ns: int) -> None:
        self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        is_new = self._connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
        if not is_new:
            self._check(owner)
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "full")
        self._connection.pragma("mmap_size", 0)
        self._connection.pragma("foreign_keys", "on")
        if is_new:
            self._begin(owner, starting_balance, now_ns)

    def _check(self, owner: str) -> None:
        application = self._connection.pragma("application_id")
        version = self._connection.pragma("user_version")
        if application != _APPLICATION_ID or version != _SCHEMA_VERSION:
            raise _refusal(self._path, f"Expected a paper book of version {_SCHEMA_VERSION}")
        was = self._connection.execute("SELECT value FROM meta WHERE name = 'owner'").get
        if was != owner:
            raise _refusal(self._path, f"Expected the paper book of {owner!r}, it is of {was!r}")

    def _begin(self, owner: str, starting_balance: int, now_ns: int) -> None:
        schema = files("arbees.venues.paper").joinpath("schema.sql").read_text("utf-8")
        with self._connection:
            self._connection.execute(schema)
            self._connection.execute("INSERT INTO meta VALUES ('owner', ?)", (owner,))
            for platform in Platform:
                self._connection.execute(_ACCOUNT, (str(platform), starting_balance))
                self._connection.execute(_MOVE, (str(platform), starting_balance, now_ns))
            self._connection.pragma("application_id", _APPLICATION_ID)
            self._connection.pragma("user_version", _SCHEMA_VERSION)

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def rows_of(changes: ExchangeChanges, state: PaperState) -> Rows:
    """Return what must be written for a batch, orders before their fills."""
    orders = changes.orders.values()
    rows: Rows = [
        (_MARKET, [_market_row(market) for market in changes.markets.values()]),
        (_ORDER, [_order_row(order) for order in orders]),
        (_DETAILS, [_details_row(order) for order in orders]),
        (_FILL, [_fill_row(order_id, fill) for order_id, fill in changes.fills]),
        (
            _SETTLEMENT,
            [
                (
                    str(entry.market.platform),
                    entry.market.key,
                    entry.market_id,
                    entry.payouts.describe(),
                    entry.yes,
                    entry.no,
                    entry.payout,
                    entry.settled_ns,
                )
                for entry in changes.settlings
            ],
        ),
        (_MOVE, [(str(move.platform), move.amount, move.created_ns) for move in changes.moves]),
        (
            _ACCOUNT,
            [(str(platform), state.accounts[platform].cash) for platform in changes.accounts],
        ),
    ]
    return [(statement, values) for statement, values in rows if values]


def _order_row(order: PaperOrder) -> tuple[object, ...]:
    return (
        order.client_order_id,
        order.order_id,
        str(order.platform),
        order.market_id,
        str(order.side),
        str(order.action),
        order.quantity,
        order.limit_price,
        str(order.time_in_force),
        str(order.status).lower(),
        order.filled,
        order.created_ns,
        order.updated_ns,
    )


def _details_row(order: PaperOrder) -> tuple[object, ...]:
    return (
        order.client_order_id,
        order.sequence,
        order.market_key,
        str(order.outcome),
        order.expires_ns,
        order.closed,
        order.reason,
        order.fill_count,
        order.taken_count,
        order.exact_fees,
        order.fees,
    )


def _fill_row(order_id: str, fill: Fill) -> tuple[object, ...]:
    return (fill.trade_id, order_id, fill.quantity, fill.price, fill.fee, fill.time_ns)


def _market_row(market: PaperMarket) -> tuple[object, ...]:
    return (
        str(market.platform),
        market.key,
        market.yes_id,
        market.no_id,
        market.tick,
        market.lot,
        int(market.is_open),
        market.yes,
        market.no,
        None if market.payouts is None else market.payouts.describe(),
        market.settled_ns,
    )


def _market(row: tuple[object, ...]) -> PaperMarket:
    platform, key, yes_id, no_id, tick, lot, is_open, yes, no, result, settled_ns, *paid = row
    return PaperMarket(
        platform=Platform(str(platform)),
        key=str(key),
        yes_id=str(yes_id),
        no_id=None if no_id is None else str(no_id),
        tick=_whole(tick),
        lot=_whole(lot),
        is_open=bool(is_open),
        yes=_whole(yes),
        no=_whole(no),
        payouts=None if result is None else Payouts.parse(str(result)),
        settled_yes=_whole(paid[0]),
        settled_no=_whole(paid[1]),
        settled_ns=None if settled_ns is None else _whole(settled_ns),
    )


def _order(row: tuple[object, ...]) -> PaperOrder:
    texts, numbers = [str(value) for value in row], row
    return PaperOrder(
        client_order_id=texts[0],
        order_id=texts[1],
        platform=Platform(texts[2]),
        market_id=texts[3],
        market_key=texts[4],
        side=Side(texts[5]),
        outcome=Side(texts[6]),
        action=Action(texts[7]),
        quantity=_whole(numbers[8]),
        limit_price=_whole(numbers[9]),
        time_in_force=TimeInForce(texts[10]),
        expires_ns=None if numbers[11] is None else _whole(numbers[11]),
        created_ns=_whole(numbers[12]),
        updated_ns=_whole(numbers[13]),
        sequence=_whole(numbers[14]),
        status=OrderStatus(texts[15].upper()),
        filled=_whole(numbers[16]),
        fill_count=_whole(numbers[17]),
        taken_count=_whole(numbers[18]),
        exact_fees=_whole(numbers[19]),
        fees=_whole(numbers[20]),
    )


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _hold(path: Path) -> int:
    """Take the writer's lock of a book; it goes with the process, however that ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _refusal(str(path), f"Expected a place to write ({error.strerror})") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise _refusal(str(path), "Expected a paper book that no other process has open") from None
    return descriptor


def _refusal(path: str, message: str) -> ConfigurationError:
    return ConfigurationError(
        message,
        setting="PAPER_BOOK_PATH",
        value=path,
        fix="Name another file, or stop what else uses it",
    )


def copy_book(source: Path, target: Path) -> None:
    """
    Copy a book, in use or not, to a new file, as of one moment.

    Raises:
        ConfigurationError: the source cannot be read, or the target is there or cannot be made.
    """
    if target.exists():
        raise _refusal(str(target), "Expected the name of a new file")
    connection = None
    try:
        connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        connection.execute("VACUUM INTO ?", (str(target),))
    except apsw.Error as error:
        target.unlink(missing_ok=True)
        raise _refusal(str(source), f"Expected a paper book that can be copied ({error})") from None
    finally:
        if connection is not None:
            connection.close()


def restore_book(source: Path, path: Path, *, kept: Path) -> None:
    """
    Put a copy in the place of a book; what was there is moved to a folder.

    Raises:
        ConfigurationError: another process has the book open, or the copy cannot be read.
    """
    lock = _hold(path)
    try:
        partial = path.with_name(path.name + ".partial")
        partial.unlink(missing_ok=True)
        copy_book(source, partial)
        for suffix in ("", "-wal", "-shm"):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(kept / old.name)
        partial.replace(path)
    finally:
        os.close(lock)
