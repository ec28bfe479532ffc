"""The book file: what anyone may read in it, and which files are refused."""

import os
import sqlite3
from pathlib import Path

import pytest

from arbees.errors import ConfigurationError, VenueOutcomeUnknown
from arbees.venues.paper.book import PaperBook
from tests.venues.paper.rig import ASKS, BIDS, START_NS, Rig, make_quote, micro

ORDERS = (
    "client_order_id order_id platform market_id side action quantity limit_price "
    "time_in_force status filled_quantity created_ns updated_ns"
)
FILLS = "trade_id order_id quantity price fee created_ns"


def open_book(path: Path, owner: str = "a") -> PaperBook:
    """Open or begin a book."""
    return PaperBook(path, owner=owner, starting_balance=micro("10"), now_ns=START_NS)


async def test_orders_and_fills_have_exactly_the_published_columns(rig: Rig) -> None:
    """The tables of the interface page, in millionths and lower-case states."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    await rig.accept("a", size="5", price="0.51")
    for table, columns in (("orders", ORDERS), ("fills", FILLS)):
        found = rig.rows(f"SELECT name FROM pragma_table_info('{table}')")  # noqa: S608 - fixed
        assert [row[0] for row in found] == columns.split()
    (order,) = rig.rows("SELECT * FROM orders")
    assert order[2:11] == (
        *("Kalshi", "KXNBAGAME-26JAN28LALBOS-BOS", "Yes", "Buy"),
        *(5_000_000, 510_000, "IOC", "filled", 5_000_000),
    )
    fills = rig.rows("SELECT trade_id, order_id, quantity, price, fee, created_ns FROM fills")
    assert fills[1] == ("a-2", order[1], 1_000_000, 510_000, 17_500, START_NS)
    await rig.exchange.close()


def test_every_commit_is_synced(tmp_path: Path) -> None:
    """The writer runs in WAL with synchronous=FULL."""
    book = open_book(tmp_path / "paper.db")
    assert book._connection.pragma("journal_mode") == "wal"
    assert book._connection.pragma("synchronous") == 2
    book.close()


def test_another_owners_book_refuses(tmp_path: Path) -> None:
    """A book belongs to one account and environment for ever."""
    open_book(tmp_path / "paper.db").close()
    with pytest.raises(ConfigurationError, match="'a'"):
        open_book(tmp_path / "paper.db", owner="b")
    open_book(tmp_path / "paper.db").close()


def test_a_file_that_is_no_paper_book_refuses_unchanged(tmp_path: Path) -> None:
    """Other databases, other files and directories without permission are left alone."""
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be looked at\n" * 30)
    for path in (other, text):
        before = path.read_bytes()
        with pytest.raises(ConfigurationError, match="PAPER_BOOK_PATH"):
            open_book(path)
        assert path.read_bytes() == before
    with pytest.raises(ConfigurationError, match="PAPER_BOOK_PATH"):
        open_book(text / "below" / "paper.db")


def test_a_begun_but_empty_file_becomes_a_book(tmp_path: Path) -> None:
    """A crash before the first commit leaves an empty file, which is begun again."""
    path = tmp_path / "deep" / "paper.db"
    path.parent.mkdir()
    path.touch()
    book = open_book(path)
    assert {account.cash for account in book.load().accounts.values()} == {micro("10")}
    book.close()


def test_the_lock_goes_with_the_process(tmp_path: Path) -> None:
    """A second writer refuses while the first lives; a fork that ended holds nothing."""
    path = tmp_path / "paper.db"
    child = os.fork()
    if child == 0:
        open_book(path)
        os._exit(0)
    os.waitpid(child, 0)
    book = open_book(path)
    with pytest.raises(ConfigurationError, match="no other process"):
        open_book(path)
    book.close()


def test_after_a_refused_commit_every_later_one_fails(tmp_path: Path) -> None:
    """A commit that the database refuses poisons the book; nothing of it is in the file."""
    book = open_book(tmp_path / "paper.db")
    good = "INSERT INTO meta VALUES (?, ?)"
    with pytest.raises(VenueOutcomeUnknown, match="refused a commit"):
        book.commit([(good, [("x", "y")]), ("INSERT INTO nowhere VALUES (?)", [(1,)])])
    with pytest.raises(VenueOutcomeUnknown):
        book.commit([(good, [("x", "y")])])
    book.close()
    again = open_book(tmp_path / "paper.db")
    assert again._connection.execute("SELECT name FROM meta").fetchall() == [("owner",)]
    again.close()
