"""What operators see of orders, positions and money: the book's figures, and only durable ones."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from arbees.core.deciding.outcomes import (
    Filled,
    Inconclusive,
    Settled,
    Unknown,
)
from arbees.core.language.payouts import YES_WON
from arbees.core.language.units import MICRO, NS_PER_SECOND, to_decimal
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.errors import JournalUnavailable
from arbees.interface.operator import Listed
from arbees.interface.views import Undecided
from tests.runtime.rig import Rig, fill, running, until
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, NOW, YES_TOKEN

LOOKS = ("orders", "positions", "balances", "touches", "safeguards", "alerts", "breaks")


async def look(rig: Rig, name: str) -> Listed[Any]:
    """Look at one thing."""
    ask: Callable[[], Awaitable[Listed[Any]]] = getattr(rig.gateway, name)
    return await ask()


async def bought(rig: Rig, key: str = "k-1", size: int = 10, **changes: Any) -> None:
    """Buy some and have them filled at the limit."""
    order = await rig.rest(key, size=size * MICRO, **changes)
    venue = rig.kalshi if order.platform is Platform.KALSHI else rig.polymarket
    venue.report(Filled(fill=fill(order, size * MICRO)))
    await rig.settle()


# Orders ----------------------------------------------------------------------------------------


async def test_an_order_as_it_was_asked_for() -> None:
    """Ids, side and price as named, what filled, and why it is to be cancelled."""
    async with running() as rig:
        order = await rig.rest(side=Side.NO, limit_price=350_000, strategy="alpha")
        rig.kalshi.report(Filled(fill=fill(order, 2_500_000)))
        await rig.settle()
        rig.kalshi.before_cancel.clear()
        await rig.gateway.cancel(order.client_order_id, reason="too slow", actor="ann")
        (seen,) = (await rig.gateway.orders()).items
        assert (seen.order_id, seen.client_order_id) == (
            order.venue_order_id,
            order.client_order_id,
        )
        assert (seen.side, seen.limit_price, seen.size) == ("No", Decimal("0.35"), Decimal(10))
        assert (seen.filled_qty, seen.status) == (Decimal("2.5"), "PARTIALLY_FILLED")
        assert (seen.strategy, seen.cancel_reason) == ("alpha", "too slow")
        assert seen.created_at == "2026-01-28T20:30:00.000Z"


async def test_what_is_on_its_way_and_unknown_is_open_too() -> None:
    """In flight and of unknown fate: both may still become positions."""
    async with running() as rig:
        rig.kalshi.answers.append(Unknown(message="timeout", sent_ns=NOW))
        rig.kalshi.lookups.extend([Inconclusive(message="?")] * 9)
        await rig.ask("lost", time_in_force=TimeInForce.GTC)
        await rig.settle()
        rig.kalshi.before_answer.clear()
        await rig.ask("sent", time_in_force=TimeInForce.GTC)
        found = (await rig.gateway.orders()).items
        assert [(each.request_id, each.status) for each in found] == [
            ("r-lost", "UNKNOWN"),
            ("r-sent", "PENDING"),
        ]
        assert [each.order_id for each in found] == [None, None]


async def test_a_token_of_the_other_outcome() -> None:
    """It is shown as it was named, not as the book turns it."""
    async with running() as rig:
        poly = {"platform": Platform.POLYMARKET, "condition_id": CONDITION}
        await rig.quote(**poly, market_id=YES_TOKEN, opposite_token_id=NO_TOKEN)
        await bought(rig, platform=Platform.POLYMARKET, market_id=NO_TOKEN, limit_price=350_000)
        await rig.rest("b", platform=Platform.POLYMARKET, market_id=NO_TOKEN, limit_price=340_000)
        (order,) = (await rig.gateway.orders()).items
        assert (order.market_id, order.side, order.limit_price) == (
            NO_TOKEN,
            "Yes",
            Decimal("0.34"),
        )
        (position,) = (await rig.gateway.positions()).items
        assert (position.market_key, position.side) == (CONDITION, "No")


# Positions -------------------------------------------------------------------------------------


async def test_a_position_at_its_mark() -> None:
    """Average cost is rounded against us; P&L is at the price at which it could be closed."""
    async with running() as rig:
        await bought(rig, "a", size=1, limit_price=650_000)
        await bought(rig, "b", size=2, limit_price=640_000)
        (seen,) = (await rig.gateway.positions()).items
        assert seen.quantity == Decimal(3)
        assert seen.avg_cost == Decimal("0.643334")
        assert seen.mark == Decimal("0.64")
        assert seen.unrealized_pnl == Decimal("-0.01")
        assert seen.worst_case_loss == Decimal("1.93")
        assert (seen.sport, seen.game_id) == ("NBA", "nba_BOS@ATL")
        await rig.quote("0.70", "0.72")
        (seen,) = (await rig.gateway.positions()).items
        assert (seen.mark, seen.unrealized_pnl) == (Decimal("0.7"), Decimal("0.17"))
        assert seen.unrealized_pnl == to_decimal(rig.desk.marks.unrealized)


async def test_nobody_quotes_it() -> None:
    """Where nobody bids, the last mark counts, and no more than what it is offered at."""
    async with running() as rig:
        await bought(rig)
        await rig.quote("0.60", "0.66")
        for ask, mark, pnl in (
            ("0.66", "0.6", "-0.5"),
            ("0.02", "0.02", "-6.3"),
            (None, "0.02", "-6.3"),
            ("0.66", "0.02", "-6.3"),
        ):
            await rig.quote(None, ask)
            (seen,) = (await rig.gateway.positions()).items
            assert (seen.mark, seen.unrealized_pnl) == (Decimal(mark), Decimal(pnl))


async def test_the_age_of_a_mark_is_shown() -> None:
    """By the time of the newest word on that book, whatever it said."""
    async with running() as rig:
        await bought(rig)
        await rig.quote("0.60", "0.66")
        await rig.wait(31)
        (seen,) = (await rig.gateway.positions()).items
        assert seen.mark_age_secs == Decimal(31)
        await rig.quote(None, None)
        (seen,) = (await rig.gateway.positions()).items
        assert (seen.mark, seen.mark_age_secs) == (Decimal("0.6"), Decimal(0))


@pytest.mark.parametrize(
    ("ahead", "age", "is_stale"),
    [
        (1, Decimal(0), False),
        (2, Decimal(0), False),
        (3, None, False),
        (120, None, False),
        (121, None, True),
    ],
)
async def test_a_quote_from_the_future_is_not_fresh(
    ahead: int, age: Decimal | None, is_stale: bool
) -> None:
    """Its age is not known; dated too far ahead it is as bad as too old, and that is said."""
    async with running() as rig:
        await bought(rig)
        await rig.quote("0.60", "0.66", ts_ns=rig.now_ns + ahead * NS_PER_SECOND)
        (seen,) = (await rig.gateway.positions()).items
        assert (seen.mark, seen.mark_age_secs) == (Decimal("0.6"), age)
        rig.gateway.monitors.look_at_prices()
        assert any(each.startswith("MARKS_STALE") for each in rig.standing) is is_stale


async def test_open_orders_are_in_the_worst_case() -> None:
    """Of the whole market, as its limit counts it; what is sold and settled is gone."""
    async with running() as rig:
        await bought(rig)
        await rig.rest("more", limit_price=600_000)
        (seen,) = (await rig.gateway.positions()).items
        assert seen.worst_case_loss == Decimal("12.5")
        await rig.gateway.cancel_all(scope="all", reason="r", actor="ann")
        await rig.settle()
        await bought(rig, "out", size=4, action=Action.SELL, limit_price=700_000)
        (seen,) = (await rig.gateway.positions()).items
        assert (seen.quantity, seen.realized_pnl) == (Decimal(6), Decimal("0.2"))
        rig.kalshi.report(
            Settled(platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON, time_ns=rig.now_ns)
        )
        await rig.settle()
        assert (await rig.gateway.positions()).items == ()


# Money -----------------------------------------------------------------------------------------


async def test_a_balance_with_what_is_reserved() -> None:
    """The venue's figure, what is not inside it, and what all of it is worth."""
    async with running() as rig:
        kalshi = (await rig.gateway.balances()).items[0]
        assert {kalshi.available, kalshi.equity} == {Decimal(10_000)}
        assert kalshi.reserved == 0
        await rig.rest()
        kalshi = (await rig.gateway.balances()).items[0]
        assert kalshi.reserved == to_decimal(rig.order().reserved.cash)
        assert kalshi.equity == Decimal(10_000)
        rig.kalshi.report(Filled(fill=fill(rig.order(), 10 * MICRO)))
        await rig.settle()
        kalshi = (await rig.gateway.balances()).items[0]
        assert (kalshi.available, kalshi.reserved) == (Decimal(10_000), Decimal("6.5"))
        assert kalshi.equity == Decimal("9999.9"), "at the bid, the fill not inside the figure"


async def test_what_orders_keep_back_is_not_lost() -> None:
    """Once the figure knows the order, its money is still ours."""
    async with running() as rig:
        await rig.rest()
        rig.kalshi.available -= 6_500_000
        await rig.wait(61)
        kalshi = (await rig.gateway.balances()).items[0]
        assert kalshi.reserved == Decimal(0)
        assert kalshi.equity == Decimal(10_000)


async def test_a_figure_that_is_too_old() -> None:
    """After three intervals without an answer nobody should trade on it; one more is fresh."""
    async with running() as rig:
        await rig.wait(150)
        kalshi = (await rig.gateway.balances()).items[0]
        assert (kalshi.stale, kalshi.as_of) == (False, "2026-01-28T20:32:00.000Z")
        rig.desk.facts.balances_ns.clear()
        kalshi = (await rig.gateway.balances()).items[0]
        assert kalshi.as_of == "2026-01-28T20:30:00.000Z"
        assert kalshi.stale is False, "150 s are less than three minutes"
        await rig.wait(29)
        rig.desk.facts.balances_ns.clear()
        assert (await rig.gateway.balances()).items[0].stale is False
        await rig.wait(2)
        rig.desk.facts.balances_ns.clear()
        assert (await rig.gateway.balances()).items[0].stale is True


# Only what is durable --------------------------------------------------------------------------


async def test_looks_wait_for_the_disk() -> None:
    """While a commit is under way nothing of it is seen; afterwards all of it, at its record."""
    async with running(is_inline=False) as rig:
        entered, may_go_on = threading.Event(), threading.Event()

        def hold(_entries: Sequence[object]) -> None:
            entered.set()
            assert may_go_on.wait(5)

        rig.journal.before_append = hold
        asked = asyncio.ensure_future(rig.ask())
        await until(entered.is_set)
        waiting = [asyncio.ensure_future(look(rig, name)) for name in LOOKS * 2]
        for _ in range(10):
            await asyncio.sleep(0)
        assert rig.book.orders
        assert not any(each.done() for each in waiting)
        before = rig.journal.head.sequence
        may_go_on.set()
        seen = await asyncio.gather(*waiting)
        await asked
        assert {each.sequence for each in seen} == {before + 1}
        assert len(seen[0].items) == 1


async def hanging(rig: Rig) -> asyncio.Event:
    """Let the book run ahead of the disk, as it does while a commit hangs."""
    rig.book.sequence += 1
    return asyncio.Event()


@pytest.mark.parametrize("name", LOOKS)
async def test_a_disk_that_hangs(name: str) -> None:
    """The look gives up within a bound; nothing that may not be true is shown."""
    async with running() as rig:
        await hanging(rig)
        rig.gateway.reads.seconds_max = 0.01
        with pytest.raises(Undecided) as error:
            await look(rig, name)
        assert error.value.code == "OVERLOADED"


@pytest.mark.parametrize("name", LOOKS)
async def test_a_journal_that_fails_while_somebody_looks(name: str) -> None:
    """Whoever waits is told at once, whoever comes later too."""
    async with running() as rig:
        await hanging(rig)
        waiting = asyncio.ensure_future(look(rig, name))
        await asyncio.sleep(0)
        rig.desk.writer.abandon("disk")
        for asked in (waiting, asyncio.ensure_future(look(rig, name))):
            with pytest.raises(Undecided) as error:
                await asked
            assert error.value.code == "JOURNAL_FAILED"


async def test_a_failed_commit_is_never_seen() -> None:
    """What was decided and lost is in no list: the order that never became durable."""
    async with running() as rig:
        await rig.rest("a")
        rig.journal.failure = JournalUnavailable("disk")
        with pytest.raises(Undecided):
            await rig.ask("b", time_in_force=TimeInForce.GTC)
        for name in LOOKS:
            with pytest.raises(Undecided):
                await look(rig, name)


async def test_who_looks_at_the_same_is_given_the_same() -> None:
    """While they wait it is worked out once."""
    async with running() as rig:
        await hanging(rig)
        taken: list[int] = []

        def take() -> int:
            taken.append(1)
            return len(taken)

        asked = [asyncio.ensure_future(rig.gateway.reads.settled("x", take)) for _ in range(5)]
        await asyncio.sleep(0)
        rig.book.sequence -= 1
        rig.gateway.reads.look()
        assert await asyncio.gather(*asked) == [1] * 5
        assert await rig.gateway.reads.settled("x", take) == 2


# Quotes ----------------------------------------------------------------------------------------


async def test_the_newest_quote_of_a_market() -> None:
    """The best prices in terms of Yes, an empty side null."""
    async with running() as rig:
        await rig.quote("0.64", "0.66")
        await rig.quote("0.60", None)
        (seen,) = (await rig.gateway.touches()).items
        assert (seen.market_id, seen.bid, seen.ask, seen.open) == (
            seen.market_key,
            Decimal("0.6"),
            None,
            True,
        )
        assert seen.ts.endswith("Z")
