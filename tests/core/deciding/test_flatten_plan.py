"""Plans to close: on tick and lot, inside the collar, no more than is free, and each rest named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Book, cycle_name, fresh
from arbees.core.book.book import Cycle as CycleState
from arbees.core.book.market import Listing, Market, OutcomeHolding
from arbees.core.deciding.facts import Touch
from arbees.core.deciding.flatten_plan import (
    CLOSES_MAX,
    Bounds,
    FlattenPlanned,
    plan,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import Side

KEY = "KX-1"
MILLI = MICRO // 1_000


def book_of(
    yes: int = 0,
    no: int = 0,
    *,
    closing: int = 0,
    lot: int = MICRO // 100,
    tick: int = 10 * MILLI,
    ticks: tuple[tuple[int, int, int], ...] = (),
    cycles: dict[str, int] | None = None,
) -> Book:
    """Return a book that holds something of one market."""
    book = fresh()
    listing = Listing(
        platform="Kalshi", market_id=KEY, market_key=KEY, lot=lot, tick=tick, ticks=ticks
    )
    market = Market(listing=listing, sport="NBA", game_id="g")
    market.yes, market.no = OutcomeHolding(yes, yes // 2, closing), OutcomeHolding(no, no // 2)
    book.markets[KEY] = market
    book.names[f"Kalshi|{KEY}"] = (KEY, False)
    for strategy, quantity in (cycles or {}).items():
        book.cycles[cycle_name(strategy, KEY)] = CycleState(
            strategy=strategy, market_key=KEY, quantity=quantity
        )
    return book


def planned(
    book: Book,
    bid: int | None = 590,
    ask: int | None = 610,
    *,
    scope: str = "all",
    slippage: int = 100,
    contracts: int = 100,
) -> FlattenPlanned:
    """Plan with prices in thousandths."""
    touch = Touch(1, None if bid is None else bid * MILLI, None if ask is None else ask * MILLI)
    bounds = Bounds(slippage=slippage * MILLI, contracts=contracts * MICRO)
    return plan(book, {KEY: touch}, scope, "r", bounds)


@pytest.mark.parametrize(
    ("bid", "slippage", "price"),
    [(590, 100, 490), (590, 0, 590), (595, 100, 500), (50, 100, 10), (10, 0, 10), (1, 0, 10)],
)
def test_yes_is_sold_on_a_tick_no_lower_than_the_collar(
    bid: int, slippage: int, price: int
) -> None:
    """Rounded up to the tick; never below the first one."""
    (close,) = planned(book_of(5 * MICRO), bid, 999, slippage=slippage).closes
    assert close.limit_price == price * MILLI


@pytest.mark.parametrize(
    ("ask", "slippage", "price"),
    [(610, 100, 290), (610, 0, 390), (605, 100, 300), (950, 100, 10), (990, 0, 10)],
)
def test_no_is_sold_at_the_mirror_of_a_tick(ask: int, slippage: int, price: int) -> None:
    """Ticks are those of Yes; a No is never sold for nothing."""
    (close,) = planned(book_of(no=5 * MICRO), 1, ask, slippage=slippage).closes
    assert (close.side, close.limit_price) == (Side.NO, price * MILLI)


def test_ticks_of_ranges_count() -> None:
    """Near the ends ticks are finer where the market says so."""
    ranges = ((0, 100 * MILLI, MILLI), (100 * MILLI, 900 * MILLI, 10 * MILLI))
    (close,) = planned(book_of(5 * MICRO, ticks=ranges), 153, 160).closes
    assert close.limit_price == 53 * MILLI


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [(None, 610, "nobody bids"), (None, None, "nobody bids"), (620, 610, "nobody bids")],
)
def test_what_has_no_price_is_left(bid: int | None, ask: int | None, reason: str) -> None:
    """An empty side, and a crossed book, which is no quote."""
    found = planned(book_of(5 * MICRO), bid, ask)
    assert found.closes == ()
    assert [(each.quantity, reason in each.reason) for each in found.left] == [(5 * MICRO, True)]


def test_what_an_open_order_closes_is_left() -> None:
    """It is sold by that order already; the rest is sold."""
    found = planned(book_of(5 * MICRO, closing=2 * MICRO))
    assert [each.quantity for each in found.closes] == [3 * MICRO]
    assert [(each.quantity, each.reason) for each in found.left] == [
        (2 * MICRO, "an open order closes it already")
    ]


def test_less_than_a_lot_is_left() -> None:
    """Dust cannot be sold."""
    found = planned(book_of(5 * MICRO + 3, lot=MICRO))
    assert [each.quantity for each in found.closes] == [5 * MICRO]
    assert [(each.quantity, each.reason) for each in found.left] == [(3, "less than one lot")]


def test_there_is_an_end_of_orders() -> None:
    """A plan is bounded; what is beyond is left for the next."""
    found = planned(book_of((CLOSES_MAX + 7) * MICRO), contracts=1)
    assert len(found.closes) == CLOSES_MAX
    assert [each.quantity for each in found.left] == [7 * MICRO]
    assert "ask again" in found.left[0].reason


def test_each_strategy_sells_what_it_bought() -> None:
    """As far as fills tell; what is nobody's is sold for nobody, and never more than is held."""
    cycles = {"b": 7 * MICRO, "a": 2 * MICRO, "c": -3 * MICRO, "UNNAMED": 1 * MICRO}
    found = planned(book_of(8 * MICRO, cycles=cycles))
    sold = [(each.strategy, each.quantity) for each in found.closes]
    assert sold == [("a", 2 * MICRO), ("b", 6 * MICRO)]
    found = planned(book_of(20 * MICRO, cycles=cycles))
    assert [each.strategy for each in found.closes] == ["a", "b", None]
    assert found.closes[-1].quantity == 11 * MICRO
    found = planned(book_of(20 * MICRO, cycles=cycles), scope="strategy:b")
    assert [(each.strategy, each.quantity) for each in found.closes] == [("b", 7 * MICRO)]
    found = planned(book_of(no=20 * MICRO, cycles=cycles), scope="strategy:c")
    assert [(each.side, each.quantity) for each in found.closes] == [(Side.NO, 3 * MICRO)]


@given(
    held=st.integers(1, 500 * MICRO),
    closing=st.integers(0, 500 * MICRO),
    lot=st.sampled_from([1, MICRO // 100, MICRO]),
    contracts=st.integers(1, 200),
    shares=st.lists(st.integers(-300 * MICRO, 300 * MICRO), max_size=4),
)
def test_nothing_is_sold_twice_or_forgotten(
    held: int, closing: int, lot: int, contracts: int, shares: list[int]
) -> None:
    """What is sold and what is left are together what is held; sold is at most what is free."""
    closing = min(closing, held)
    cycles = {f"s{number}": share for number, share in enumerate(shares)}
    found = planned(book_of(held, closing=closing, lot=lot, cycles=cycles), contracts=contracts)
    sold = sum(each.quantity for each in found.closes)
    assert sold + sum(each.quantity for each in found.left) == held
    assert sold <= held - closing
    assert all(0 < each.quantity <= contracts * MICRO for each in found.closes)
    assert all(each.quantity % lot == 0 for each in found.closes)
    assert len({each.request_id for each in found.closes}) == len(found.closes)
