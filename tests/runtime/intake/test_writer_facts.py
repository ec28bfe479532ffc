"""The writer's facts: times, quotes and marks, as a decision sees and records them."""

from typing import Any, ClassVar

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.facts import Facts, VenueHealth
from arbees.core.deciding.outcomes import Accepted, Fill
from arbees.core.deciding.verdicts import Deny
from arbees.core.language.payouts import YES_WON
from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.runtime.intake.step import TakeQuote
from arbees.runtime.intake.writer import Lane
from tests.runtime.bench import Bench, halt, note
from tests.runtime.rig import quote, until
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, NOW, SECOND, YES_TOKEN, request

# Time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0, -SECOND, 1, SECOND])
async def test_times_of_records_strictly_increase(step: int) -> None:
    """Each record is later than the one before, though the clock stands still or goes back."""
    bench = Bench()
    async with bench.running():
        for number in range(4):
            await bench.submit(f"k-{number}")
            bench.now += step
        await bench.put(halt())
    times = [each.time_ns for each in bench.journal.stored]
    assert times == sorted(set(times))
    assert len(times) > 10


async def test_time_is_the_clocks_where_it_can_be() -> None:
    """A record has the time at which it was decided."""
    bench = Bench()
    bench.now = NOW + 7 * SECOND
    async with bench.running():
        ((_, time_ns, _),) = (await bench.put(note("a"))).records
    assert time_ns == NOW + 7 * SECOND


class Watching:
    """A safeguard that keeps the facts it is shown."""

    name: ClassVar[str] = "watching"
    codes: ClassVar[tuple[str, ...]] = ("HALTED",)

    def __init__(self) -> None:
        self.seen: list[Facts] = []

    def check(self, order: object, book: object, facts: Facts) -> tuple[Deny, ...]:
        """Keep them, and say nothing."""
        self.seen.append(facts)
        return ()


async def test_facts_of_a_decision() -> None:
    """A decision sees quote, health, marks, balance and clock as they are, and records them."""
    watching = Watching()
    bench = Bench(watching)
    late = VenueHealth(is_heartbeat_late=True)
    bench.surroundings.health_at[NOW] = late
    bench.surroundings.balance, bench.surroundings.offset = 17, 5
    async with bench.running():
        await bench.put(TakeQuote(quote()), Lane.FACTS)
        await bench.submit()
    (facts,) = watching.seen
    assert facts.touch is not None
    assert (facts.now_ns, facts.touch.bid, facts.touch.ask) == (NOW, 640_000, 660_000)
    assert (facts.venue, facts.balance_ns, facts.clock_offset_ns) == (late, 17, 5)
    approved = next(each for each in bench.journal.events if isinstance(each, events.OrderApproved))
    assert approved.facts == facts


# Quotes ----------------------------------------------------------------------------------------


async def feed(bench: Bench, *quotes: Quote) -> list[events.Event]:
    """Let the writer take quotes; return the events that they gave."""
    found: list[events.Event] = []
    for each in quotes:
        committed = await bench.put(TakeQuote(each), Lane.FACTS)
        found += [event for _, _, event in committed.records]
    return found


def token(market_id: str, bid: str = "0.60", ask: str = "0.62", **changes: Any) -> Quote:
    """Return a quote of a token of the condition."""
    fields = {"platform": Platform.POLYMARKET, "condition_id": CONDITION, **changes}
    return quote(bid, ask, market_id=market_id, **fields)


async def test_the_first_quote_lists_its_market() -> None:
    """The first word on a market is a record; further quotes of it are none."""
    bench = Bench()
    async with bench.running():
        first = await feed(bench, quote())
        later = await feed(bench, quote("0.63", "0.65", ts_ns=NOW + 1))
    assert [type(each) for each in first] == [events.MarketListed]
    assert later == []
    assert bench.writer._marks.touches[KALSHI].bid == 630_000


async def test_a_market_opens_and_closes_by_its_quotes() -> None:
    """A quote that says closed closes the market, once; one that does not opens it again."""
    bench = Bench()
    async with bench.running():
        await feed(bench, quote())
        closed = await feed(bench, quote(status="closed"), quote(status="closed"))
        opened = await feed(bench, quote())
    assert closed == [events.MarketStatusChanged(market_key=KALSHI, is_open=False)]
    assert opened == [events.MarketStatusChanged(market_key=KALSHI, is_open=True)]


async def test_a_late_quote_closes_nothing() -> None:
    """One that comes behind a newer one says neither a price nor a status."""
    bench = Bench()
    async with bench.running():
        await feed(bench, quote(), quote("0.50", "0.52", ts_ns=NOW - 1, status="closed"))
    assert bench.book.markets[KALSHI].is_open
    assert bench.writer._marks.touches[KALSHI].ask == 660_000


async def test_a_market_may_be_closed_from_the_first_quote_on() -> None:
    """A market that is closed when it is first seen is listed closed."""
    bench = Bench()
    async with bench.running():
        await feed(bench, quote(status="closed"))
    assert not bench.book.markets[KALSHI].is_open


async def test_quotes_of_a_settled_market_are_ignored() -> None:
    """After the result nothing opens a market again, and no quote marks it."""
    bench = Bench()
    settle = commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON)
    async with bench.running():
        await feed(bench, quote())
        await bench.put(settle)
        assert KALSHI not in bench.writer._marks.touches
        assert await feed(bench, quote()) == []
    assert KALSHI not in bench.writer._marks.touches
    assert not bench.book.markets[KALSHI].is_open


async def test_both_tokens_quote_one_market() -> None:
    """A quote of the token that Yes does not mean is the same book from the other side."""
    bench = Bench()
    async with bench.running():
        await feed(bench, token(YES_TOKEN, opposite_token_id=NO_TOKEN))
        assert await feed(bench, token(NO_TOKEN, "0.30", "0.33")) == []
    touch = bench.writer._marks.touches[CONDITION]
    assert (touch.bid, touch.ask) == (670_000, 700_000)


async def test_the_second_token_of_a_condition_is_its_no() -> None:
    """A condition has two tokens: one that is not the first is No, also where nobody said so."""
    bench = Bench()
    async with bench.running():
        await feed(bench, token(YES_TOKEN))
        await feed(bench, token(NO_TOKEN, "0.30", "0.33"))
    assert bench.book.names[f"Polymarket|{YES_TOKEN}"] == (CONDITION, False)
    assert bench.book.names[f"Polymarket|{NO_TOKEN}"] == (CONDITION, True)
    touch = bench.writer._marks.touches[CONDITION]
    assert (touch.bid, touch.ask) == (670_000, 700_000)


# Marks -----------------------------------------------------------------------------------------


async def test_no_more_quotes_wait_than_there_are_markets() -> None:
    """The newest state of a book takes the place of the one that waits; each market has its own."""
    bench = Bench()
    for cents in range(60, 20, -1):
        bench.writer.offer(quote(f"0.{cents}", "0.70"))
        bench.writer.offer(quote("0.50", f"0.{cents + 1}", market_id="OTHER"))
        assert len(bench.writer.lanes[Lane.FACTS]) == 2
    async with bench.running():
        await feed(bench)
        await until(lambda: not bench.writer.lanes[Lane.FACTS] and bench.writer.is_idle)
        assert bench.writer._marks.touches[KALSHI].bid == 210_000
        bench.writer.offer(quote("0.30", "0.31", ts_ns=NOW + 1))
        await until(lambda: bench.writer.is_idle)
        assert bench.writer._marks.touches[KALSHI].bid == 300_000


async def test_a_mark_that_makes_the_loss_larger_is_journaled_with_its_quote() -> None:
    """Before anybody is answered; one that makes it smaller waits for the next look."""
    bench = Bench()
    async with bench.running():
        await feed(bench, quote())
        await bench.submit()
        (order,) = bench.book.orders.values()
        bought = Fill(
            client_order_id=order.client_order_id,
            trade_id="t",
            quantity=10 * MICRO,
            price=650_000,
            fee=0,
            is_maker=False,
            time_ns=NOW,
        )
        await bench.put(commands.TakeFill(fill=bought), Lane.FACTS)
        assert marked(bench) == [{KALSHI: (640_000, 340_000)}]
        await feed(bench, quote("0.60", "0.66"))
        assert marked(bench)[-1] == {KALSHI: (600_000, 340_000)}
        await feed(bench, quote("0.63", "0.66"), quote("0.60", "0.66"), quote("0.62", "0.60"))
        assert len(marked(bench)) == 2
        await feed(bench, quote(None, "0.02"))
        assert marked(bench)[-1] == {KALSHI: (20_000, 980_000)}
        after = bench.journal.replayed()
        assert after.unrealized({}) == bench.writer._marks.unrealized == 200_000 - 6_500_000


def marked(bench: Bench) -> list[dict[str, tuple[int | None, int | None]]]:
    """Return the marks that were journaled, in order."""
    return [each.marks for each in bench.out if isinstance(each, events.Marked)]


async def test_marks_follow_fills_marks_and_settlements() -> None:
    """The sum of marks is right after whatever changes a position or its mark."""
    bench = Bench()
    marks = bench.writer._marks

    def slow() -> int:
        return bench.book.unrealized({key: marks.marks(key) for key in bench.book.markets})

    async with bench.running():
        await feed(bench, quote())
        await bench.submit()
        (order,) = bench.book.orders.values()
        trade = Fill(
            client_order_id=order.client_order_id,
            trade_id="t",
            quantity=10 * MICRO,
            price=650_000,
            fee=0,
            is_maker=False,
            time_ns=NOW,
        )
        await bench.put(
            commands.TakeOutcome(
                client_order_id=order.client_order_id,
                outcome=Accepted(venue_order_id="v", time_ns=NOW, fills=(trade,), closed="filled"),
                request=request(),
            ),
            Lane.FACTS,
        )
        assert marks.unrealized == slow() == -100_000
        await feed(bench, quote("0.70", "0.72"))
        assert marks.unrealized == slow() == 500_000
        await bench.put(commands.Record(events=(events.Marked(marks={KALSHI: (680_000, None)}),)))
        assert marks.unrealized == slow() == 500_000
        await feed(bench, quote(None, "0.72"))
        assert marks.unrealized == slow() == 500_000
        await feed(bench, quote(None, "0.69"))
        assert marks.unrealized == slow() == 400_000
        await bench.put(
            commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON)
        )
        assert marks.unrealized == slow() == 0
