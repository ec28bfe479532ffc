"""Every check of the evidence finds what it is there for: nothing here is proved by silence."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.book.book import encode as encode_book
from arbees.core.book.book import fresh
from arbees.core.language.units import MICRO
from arbees.core.language.words import TimeInForce
from arbees.core.ports import Entry
from arbees.journal import SqliteJournal
from arbees.venues.paper.terms import TERMS
from tests.runtime.evenings import GAME, IN_FORCE, START_NS, Evening, files_in
from verification.evidence import (
    AUDIT,
    DIFFERENCE,
    DUPLICATE,
    FINAL,
    LIMIT,
    REPLAY,
    UNKNOWN,
    VERIFY,
    Evidence,
    ExposureLimits,
    examine,
)
from verification.exchange_book import highest_exposures, read_book
from verification.simulation import simulate

NAMED_TERMS = {str(platform): terms for platform, terms in TERMS.items()}
LATER_NS = START_NS + 60_000_000_000


async def _trade(evening: Evening) -> None:
    """A fill, a resting order that is cancelled at the end, and a denial."""
    await evening.quote()
    await evening.ask("filled")
    await evening.ask("rests", price=610, time_in_force=TimeInForce.GTC)
    await evening.ask("large", contracts=90)
    await evening.clock.sleep(1)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    simulate(Evening(tmp_path).live(_trade))
    return tmp_path


def look(folder: Path, limits: ExposureLimits = IN_FORCE, book: bytes | None = None) -> Evidence:
    """Examine a folder."""
    files = files_in(folder)
    return examine(
        journal=files.journal,
        paper_book=files.paper_book,
        audit_log=files.audit_log,
        limits=limits,
        terms=NAMED_TERMS,
        book=book,
    )


def at_the_exchange(folder: Path, script: str) -> None:
    """Change the exchange's own book."""
    connection = sqlite3.connect(files_in(folder).paper_book)
    connection.executescript(script)
    connection.close()


def in_the_journal(folder: Path, *new_events: events.Event) -> None:
    """Append records, as a gateway would that has lost its mind."""
    with SqliteJournal.open(
        files_in(folder).journal,
        account="main",
        environment="local",
        mode="paper",
        clock_ns=lambda: LATER_NS,
    ) as journal:
        journal.append(
            [
                Entry(
                    LATER_NS,
                    events.kind(each),
                    events.encode(each),
                    getattr(each, "request_id", None),
                )
                for each in new_events
            ]
        )


def test_a_good_life_has_no_findings(folder: Path) -> None:
    """Nothing is found where nothing is wrong, and everything was counted."""
    found = look(folder)
    assert found.findings == []
    assert (found.requests, found.passed, found.orders, found.fills) == (3, 2, 2, 1)


def flip(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of a file, wherever they stand."""
    data = path.read_bytes()
    assert data.count(old) >= 1
    path.write_bytes(data.replace(old, new))


def _edit_journal(folder: Path) -> None:
    flip(files_in(folder).journal, b'"size":10000000', b'"size":11000000')


def _lose_audit_line(folder: Path) -> None:
    path = folder / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))


def _lose_fill(folder: Path) -> None:
    at_the_exchange(folder, "DELETE FROM fills")


def _change_fee(folder: Path) -> None:
    at_the_exchange(folder, "UPDATE fills SET fee = fee + 1")


def _hold_more(folder: Path) -> None:
    at_the_exchange(folder, "UPDATE markets SET yes_held = yes_held + 1")


def _move_cash(folder: Path) -> None:
    at_the_exchange(folder, "UPDATE accounts SET cash = cash + 1 WHERE platform = 'Kalshi'")


def _keep_working(folder: Path) -> None:
    at_the_exchange(folder, "UPDATE orders SET status = 'working' WHERE filled_quantity = 0")


_COPY = """
INSERT INTO orders SELECT 'arb-other', 'paper-other', platform, market_id, side, action, quantity,
    limit_price, time_in_force, status, filled_quantity, created_ns, updated_ns
FROM orders WHERE filled_quantity > 0;
INSERT INTO order_details SELECT 'arb-other', sequence + 10, market_key, outcome, expires_ns,
    closed, reason, fill_count, taken_count, exact_fees, fees
FROM order_details WHERE fill_count > 0;
"""


def _send_twice(folder: Path) -> None:
    at_the_exchange(folder, _COPY)


def _grow(folder: Path) -> None:
    at_the_exchange(folder, "UPDATE orders SET quantity = quantity + 1")


def _filled(folder: Path) -> events.OrderFilled:
    with SqliteJournal.open(
        files_in(folder).journal,
        account="main",
        environment="local",
        mode="paper",
        clock_ns=lambda: LATER_NS,
    ) as journal:
        fills = [events.decode(r.body) for r in journal.records() if r.kind == "OrderFilled"]
    assert isinstance(fills[0], events.OrderFilled)
    return fills[0]


def _end_twice(folder: Path) -> None:
    filled = _filled(folder)
    in_the_journal(folder, filled)


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (_edit_journal, VERIFY),
        (_lose_audit_line, AUDIT),
        (_lose_fill, DIFFERENCE),
        (_change_fee, DIFFERENCE),
        (_hold_more, DIFFERENCE),
        (_move_cash, DIFFERENCE),
        (_keep_working, DIFFERENCE),
        (_send_twice, DUPLICATE),
        (_grow, DUPLICATE),
        (_end_twice, FINAL),
    ],
)
def test_harm_is_found(folder: Path, harm: Callable[[Path], None], check: str) -> None:
    """What is changed on one side alone is found by the check that is there for it."""
    harm(folder)
    assert look(folder).count(check) > 0


@pytest.mark.parametrize(
    "limits",
    [
        ExposureLimits(
            order=6_000_000, contracts=100 * MICRO, market=60 * MICRO, total=150 * MICRO
        ),
        ExposureLimits(order=40 * MICRO, contracts=9 * MICRO, market=60 * MICRO, total=150 * MICRO),
        ExposureLimits(
            order=40 * MICRO, contracts=100 * MICRO, market=12 * MICRO, total=150 * MICRO
        ),
        ExposureLimits(
            order=40 * MICRO, contracts=100 * MICRO, market=60 * MICRO, total=12 * MICRO
        ),
    ],
    ids=["order", "contracts", "market", "total"],
)
def test_a_breach_is_found(folder: Path, limits: ExposureLimits) -> None:
    """10 at 0.62 held and 10 at 0.61 resting are 12.30 dollars at stake, by the exchange's book."""
    assert look(folder, limits).count(LIMIT) > 0


def test_exposure_is_that_of_the_worst_moment(folder: Path) -> None:
    """The exposure counts while an order rests, also if it was cancelled later."""
    book = read_book(files_in(folder).paper_book)
    markets, total = highest_exposures(book, {"Kalshi": True, "Polymarket": False})
    assert markets == {GAME: 12_300_000}
    assert total == 12_300_000


def test_a_book_that_is_not_the_fold_is_found(folder: Path) -> None:
    """The book in memory must be what replay makes of the journal."""
    assert look(folder, book=encode_book(fresh())).count(REPLAY) > 0


def test_an_order_without_an_end_is_found(tmp_path: Path) -> None:
    """What still works when everything should have ended is said to be open."""

    async def leave_open(evening: Evening) -> None:
        await evening.quote()
        await evening.ask("rests", price=610, time_in_force=TimeInForce.GTC)
        evening.assembly.gateway.desk.journal.close()
        await evening.assembly.gateway.desk.supervisor.stop()
        await evening.assembly.exchange.close()
        evening.assembly.reader.close()

    async def live() -> None:
        evening = Evening(tmp_path)
        await evening.open()
        await leave_open(evening)

    simulate(live())
    assert look(tmp_path).count(UNKNOWN) == 1
