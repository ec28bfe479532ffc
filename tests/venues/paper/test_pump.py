"""Group commit: one commit for all that waits, nothing told before it, nothing after a failure."""

import asyncio
import threading
from pathlib import Path

import pytest

from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    CancelUnknown,
    Inconclusive,
    NotSent,
    Refused,
    Report,
    Unknown,
)
from arbees.errors import VenueError, VenueOutcomeUnknown
from arbees.venues.paper import PaperExchange
from arbees.venues.paper.book import PaperBook, Rows
from tests.venues.paper.rig import (
    GTC,
    GTD,
    IOC,
    KALSHI,
    OWNER,
    POLYMARKET,
    START_NS,
    TICKER,
    HandClock,
    Rig,
    make_order,
    make_quote,
    micro,
    passes,
)


class WatchedBook(PaperBook):
    """A book whose commits are counted, held back, or refused by the disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, owner=OWNER, starting_balance=micro("1000"), now_ns=START_NS)
        self.commits: list[int] = []
        self.is_broken = False
        self.may_commit = threading.Event()
        self.may_commit.set()

    def commit(self, rows: Rows) -> None:
        self.may_commit.wait()
        self.commits.append(sum(len(values) for _, values in rows))
        if self.is_broken:
            raise VenueOutcomeUnknown("The disk is full")
        super().commit(rows)


def gtc(name: str) -> ApprovedOrder:
    """Return an order that rests."""
    return make_order(name, size="1", price="0.30", time_in_force=GTC)


async def test_what_waits_shares_one_commit(tmp_path: Path) -> None:
    """While one commit runs, everything that arrives goes into the next one."""
    book = WatchedBook(tmp_path / "paper.db")
    exchange = PaperExchange(book, clock=HandClock())
    venue = exchange.venue(KALSHI)
    exchange.feed(make_quote([], []))
    await venue.balances()
    book.commits.clear()
    book.may_commit.clear()
    first = asyncio.create_task(venue.submit(gtc("first"), passes))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(venue.submit(gtc(f"o{n}"), passes)) for n in range(50)]
    await asyncio.sleep(0)
    assert not exchange.is_idle
    assert not first.done()
    book.may_commit.set()
    answers = await asyncio.gather(first, *others)
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert len(book.commits) == 2
    await exchange.close()


@pytest.mark.parametrize("is_inline", [True, False])
async def test_a_failed_commit_stops_the_exchange(tmp_path: Path, *, is_inline: bool) -> None:
    """Whoever waits learns that it is not known; nothing later is taken; the disk decides."""
    path = tmp_path / "paper.db"
    book = WatchedBook(path)
    exchange = PaperExchange(book, clock=HandClock(), is_inline=is_inline)
    venue = exchange.venue(KALSHI)
    reports: list[Report] = []
    venue.listen(reports.append)
    exchange.feed(make_quote([], [("0.30", "5")]))
    assert isinstance(await venue.submit(gtc("kept"), passes), Accepted)
    told = list(reports)
    book.is_broken = True
    lost = await venue.submit(gtc("lost"), passes)
    assert isinstance(lost, Unknown)
    assert "disk is full" in lost.message
    gates: list[str] = []
    later = await venue.submit(gtc("later"), lambda: gates.append("asked"))
    assert isinstance(later, NotSent)
    assert gates == []
    assert isinstance(await venue.cancel("kept", None, TICKER), CancelUnknown)
    assert isinstance(await venue.find("kept", TICKER, START_NS), Inconclusive)
    with pytest.raises(VenueError):
        await venue.balances()
    assert exchange.feed(make_quote([], [])) is False
    assert exchange.stop_reason is not None
    await exchange.close()
    assert reports[: len(told)] == told
    assert all("lost" not in str(report) for report in reports)
    again = Rig(path)
    assert set(again.order_rows()) == {"kept"}
    await again.exchange.close()


async def test_queued_orders_behind_a_failed_commit_are_unknown(tmp_path: Path) -> None:
    """What was handed over but not matched yet gets the same answer, and is not in the book."""
    path = tmp_path / "paper.db"
    book = WatchedBook(path)
    exchange = PaperExchange(book, clock=HandClock())
    venue = exchange.venue(KALSHI)
    exchange.feed(make_quote([], []))
    await venue.balances()
    book.is_broken = True
    book.may_commit.clear()
    first = asyncio.create_task(venue.submit(gtc("first"), passes))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(venue.submit(gtc("second"), passes))
    await asyncio.sleep(0)
    book.may_commit.set()
    assert [type(answer) for answer in await asyncio.gather(first, second)] == [Unknown, Unknown]
    await exchange.close()
    again = Rig(path)
    assert again.order_rows() == {}
    await again.exchange.close()


async def test_answers_and_reports_come_after_the_commit(tmp_path: Path) -> None:
    """As long as the disk has not said yes, neither the caller nor the stream hears a word."""
    book = WatchedBook(tmp_path / "paper.db")
    exchange = PaperExchange(book, clock=HandClock())
    venue = exchange.venue(KALSHI)
    heard: list[str] = []
    venue.listen(lambda _: heard.append("report"))
    exchange.feed(make_quote([], [("0.30", "5")]))
    await venue.balances()
    book.may_commit.clear()
    task = asyncio.create_task(venue.submit(gtc("a"), passes))
    task.add_done_callback(lambda _: heard.append("answer"))
    look = asyncio.create_task(venue.positions())
    for _ in range(20):
        await asyncio.sleep(0)
    assert (heard, look.done()) == ([], False)
    book.may_commit.set()
    await task
    assert [row.quantity for row in await look] == [micro("1")]
    await exchange.close()
    assert sorted(heard) == ["answer", "report"]


async def test_a_full_inbox_refuses_and_asks_no_gate(tmp_path: Path) -> None:
    """Beyond its bound the inbox refuses: not sent, undecided, the gate never asked."""
    exchange = PaperExchange(WatchedBook(tmp_path / "paper.db"), clock=HandClock())
    quote = make_quote([], [])
    fed = 0
    while exchange.feed(quote):
        fed += 1
    assert fed == 65_536
    gates: list[str] = []
    outcome = await exchange.venue(KALSHI).submit(gtc("a"), lambda: gates.append("asked"))
    assert isinstance(outcome, NotSent)
    assert gates == []
    await exchange.close()


async def test_an_expiry_comes_by_itself_when_the_clock_gets_there(tmp_path: Path) -> None:
    """Outside of playback the exchange sleeps until the next expiry, and the one after."""
    rig = Rig(tmp_path / "paper.db", is_inline=False)
    rig.exchange.feed(make_quote([], []))
    for name, seconds in (("late", 9), ("early", 5)):
        due = START_NS + seconds * 1_000_000_000
        await rig.accept(name, time_in_force=GTD, expires_ns=due)
    await rig.settle_down()
    for seconds, expected in ((5, {"early"}), (4, {"early", "late"})):
        rig.clock.advance(seconds)
        await rig.settle_down()
        await rig.available()
        rows = rig.order_rows()
        assert {name for name, row in rows.items() if row[0] == "expired"} == expected
    assert len(rig.reports) == 2
    await rig.exchange.close()


async def test_closing_does_what_waits(tmp_path: Path) -> None:
    """What was fed just before closing is in the book; closing twice is harmless."""
    rig = Rig(tmp_path / "paper.db", is_inline=False)
    for number in range(300):
        rig.exchange.feed(make_quote([], [], market_id=f"M{number}"))
    await rig.exchange.close()
    await rig.exchange.close()
    again = Rig(rig.path)
    assert again.rows("SELECT count(*) FROM markets") == [(300,)]
    assert isinstance(await rig.submit(gtc("a")), NotSent)
    await again.exchange.close()


async def test_an_abandoned_call_harms_nobody(tmp_path: Path) -> None:
    """A caller that gives up after the hand-over leaves its order in the book, and all works."""
    book = WatchedBook(tmp_path / "paper.db")
    exchange = PaperExchange(book, clock=HandClock())
    venue = exchange.venue(KALSHI)
    exchange.feed(make_quote([], []))
    await venue.balances()
    book.may_commit.clear()
    task = asyncio.create_task(venue.submit(gtc("a"), passes))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    book.may_commit.set()
    assert [order.client_order_id for order in await venue.open_orders()] == ["a"]
    assert exchange.is_idle
    await exchange.close()


async def test_one_id_twice_in_one_batch_is_one_order(tmp_path: Path) -> None:
    """Sent twice at once, at either venue, a client order id is accepted once."""
    rig = Rig(tmp_path / "paper.db", is_inline=False)
    for platform in (KALSHI, POLYMARKET):
        rig.exchange.feed(make_quote([], [], platform=platform))
    await rig.available()
    orders = [
        make_order("a", platform=platform, time_in_force=kind)
        for platform in (KALSHI, POLYMARKET)
        for kind in (IOC, GTC)
    ]
    answers = await asyncio.gather(
        *(rig.exchange.venue(order.platform).submit(order, passes) for order in orders)
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 3
    assert {answer.venue_code for answer in refused} == {"order_already_exists"}
    assert len(rig.order_rows()) == 1
    await rig.exchange.close()
