"""The order under judgement: worked out once, exactly, rounded against ourselves."""

from typing import Any

import pytest

from arbees.core.book.book import Book, Subject, fresh
from arbees.core.book.market import OutcomeHolding, Terms
from arbees.core.book.open_order import Order, Reservation
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.language.request import Alternate
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from tests.safeguards.build import (
    CONDITION,
    KALSHI,
    NO_TOKEN,
    NOW,
    YES_TOKEN,
    book_with,
    listing,
    market,
    order,
    polymarket,
    request,
)

MICRO = 1_000_000
TEN = 10 * MICRO
SELL = Action.SELL
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def test_a_buy_on_kalshi() -> None:
    """Every field of it."""
    book = book_with()
    seen = Facts(now_ns=NOW, touch=Touch(NOW, 640_000, 660_000))
    asked: dict[str, Any] = {"strategy": "alpha", "model_version": "v1"}
    assert order(book, seen, **asked) == Candidate(
        request=request(**asked),
        leg=0,
        platform=Platform.KALSHI,
        market_id=KALSHI,
        side=Side.YES,
        limit_price=650_000,
        quantity=TEN,
        action=Action.BUY,
        is_buy=True,
        market=book.markets[KALSHI],
        market_key=KALSHI,
        is_known=True,
        is_flipped=False,
        key_side=Side.YES,
        sport="NBA",
        games=("nba_BOS@ATL",),
        strategy="alpha",
        subject=Subject("Kalshi", "NBA", KALSHI, KALSHI, "alpha", "v1", ("nba_BOS@ATL",), "Kalshi"),
        closable=0,
        is_reducing=False,
        notional=6_500_000,
        reserved=Reservation(0, 6_500_000, 7_150_000, 6_675_000, 0),
        rates=(70_000, 100, 100_000),
        market_worst=6_500_000,
        added_worst=6_500_000,
        reference=None,
        touch_bid=640_000,
        touch_ask=660_000,
        key_yes_price=650_000,
    )


def test_a_sell_under_the_name_of_the_no_token() -> None:
    """`Yes` of the No token is the key's No; prices stay those of the token that was named."""
    book = book_with(market(polymarket(), no="30", no_cost="9", mark_no=330_000))
    seen = Facts(now_ns=NOW, touch=Touch(NOW, 640_000, 660_000))
    asked: dict[str, Any] = {
        "platform": Platform.POLYMARKET,
        "market_id": NO_TOKEN,
        "action": SELL,
        "limit_price": "0.3",
    }
    found = order(book, seen, **asked)
    assert (found.market_key, found.market_id) == (CONDITION, NO_TOKEN)
    assert (found.side, found.is_flipped, found.key_side) == (Side.YES, True, Side.NO)
    assert (found.is_buy, found.action) == (False, SELL)
    assert (found.closable, found.is_reducing) == (30 * MICRO, True)
    assert found.notional == 3 * MICRO
    # No costs 0.34 to 0.36 if Yes is quoted at 0.64 to 0.66.
    assert (found.touch_bid, found.touch_ask) == (340_000, 360_000)
    assert found.reference == 340_000
    assert found.key_yes_price == 700_000
    assert found.rates == (50_000, 10, 100_000)
    # 0.05 x 10 x 0.5 x 0.5: a Sell at 0.30 may fill at one half.
    assert found.reserved == Reservation(0, 7 * MICRO, 125_000, 525_000, TEN)
    # Held No cost 9: if Yes wins all of it is lost, whatever the Sell brings, since it may not
    # fill; if No wins 21 are gained, less 7 that the sold ones would have paid.
    assert (found.market_worst, found.added_worst) == (9 * MICRO, 0)
    assert (found.is_bid, found.strategy) == (True, "UNNAMED")


@pytest.mark.parametrize(
    ("side", "action", "held", "closing", "closable"),
    [
        (Side.YES, SELL, {"yes": "10"}, 0, TEN),
        (Side.YES, SELL, {"yes": "9.999999"}, 0, TEN - 1),
        (Side.YES, SELL, {"yes": "15"}, 5 * MICRO, TEN),
        (Side.YES, SELL, {"yes": "15"}, 5 * MICRO + 1, TEN - 1),
        (Side.YES, SELL, {"yes": "15"}, 16 * MICRO, 0),
        (Side.YES, SELL, {"no": "10"}, 0, 0),
        (Side.NO, Action.BUY, {"yes": "11"}, 0, 11 * MICRO),
        (Side.NO, Action.BUY, {"yes": "9"}, 0, 9 * MICRO),
        (Side.NO, Action.BUY, {"no": "10"}, 0, 0),
        (Side.YES, Action.BUY, {"yes": "10"}, 0, 0),
    ],
)
def test_reducing_on_a_netting_venue(
    side: Side, action: Action, held: dict[str, Any], closing: int, closable: int
) -> None:
    """A Sell, or a Buy of the other side, up to what is held less all open closes."""
    made = market(**held)
    made.yes.closing = closing
    found = order(book_with(made), side=side, action=action)
    assert found.closable == closable
    assert found.is_reducing is (closable >= TEN)
    assert found.reserved.closing == min(closable, TEN)
    # A Sell fills at 0.65 or above, a Buy at 0.65 or below: the fee peaks at one half.
    fee = 159_300 if action is SELL else 175_000
    opens = action is Action.BUY and not found.is_reducing
    assert found.reserved.cash == (7_150_000 if opens else fee)


def test_a_buy_never_reduces_where_tokens_are_held_apart() -> None:
    """On Polymarket a Buy of the other token opens a second position."""
    book = book_with(market(polymarket(), yes="10", no="10"))
    found = order(book, side=Side.NO, **ON_POLYMARKET)
    assert (found.closable, found.is_reducing) == (0, False)
    sell = order(book, side=Side.NO, action=SELL, **ON_POLYMARKET)
    assert (sell.closable, sell.is_reducing) == (TEN, True)


REFERENCES = [
    # side, action, touch, expected
    (Side.YES, SELL, (640_000, 660_000), 640_000),
    (Side.YES, SELL, (None, 660_000), 600_000),
    (Side.YES, SELL, None, 600_000),
    (Side.NO, Action.BUY, (640_000, 660_000), 640_000),
    (Side.NO, Action.BUY, (None, 660_000), 600_000),
    (Side.NO, SELL, (640_000, 660_000), 340_000),
    (Side.NO, SELL, (640_000, None), 360_000),
    (Side.NO, SELL, (600_000, None), 380_000),
    (Side.YES, Action.BUY, (640_000, 660_000), 340_000),
    (Side.YES, Action.BUY, (640_000, None), 360_000),
    (Side.YES, SELL, (None, 590_000), 590_000),
    (Side.YES, SELL, (660_000, 640_000), 600_000),
    (Side.YES, Action.BUY, None, 380_000),
]


@pytest.mark.parametrize(("side", "action", "touch", "expected"), REFERENCES)
def test_what_the_held_side_could_be_closed_for(
    side: Side, action: Action, touch: tuple[int | None, int | None] | None, expected: int
) -> None:
    """The quote's price of the held side, else the last mark, and no more than the offer."""
    made = market(yes="10", no="10", mark_yes=600_000, mark_no=380_000)
    seen = Facts(now_ns=NOW, touch=None if touch is None else Touch(NOW, *touch))
    assert order(book_with(made), seen, side=side, action=action).reference == expected


def test_without_quote_and_mark_there_is_no_reference() -> None:
    """It is not guessed; and what opens has none in any case."""
    seen = Facts(now_ns=NOW)
    assert order(book_with(market(yes="10")), seen, action=SELL).reference is None
    opening = market(yes="9", mark_yes=600_000)
    assert order(book_with(opening), action=SELL).reference is None


@pytest.mark.parametrize(
    ("side", "touch", "expected"),
    [
        (Side.YES, (640_000, 660_000), (640_000, 660_000)),
        (Side.YES, (None, 660_000), (None, 660_000)),
        (Side.NO, (640_000, 660_000), (340_000, 360_000)),
        (Side.NO, (None, 660_000), (340_000, None)),
        (Side.NO, (640_000, None), (None, 360_000)),
    ],
)
def test_best_prices_are_those_of_the_named_side(
    side: Side,
    touch: tuple[int | None, int | None],
    expected: tuple[int | None, int | None],
) -> None:
    """Who buys No buys at a dollar less the bid for Yes."""
    found = order(seen=Facts(now_ns=NOW, touch=Touch(NOW, *touch)), side=side)
    assert (found.touch_bid, found.touch_ask) == expected


def test_no_quote_no_best_prices() -> None:
    """A market that was never quoted has neither."""
    found = order(seen=Facts(now_ns=NOW))
    assert (found.touch_bid, found.touch_ask) == (None, None)


def test_the_market_of_an_alternate() -> None:
    """Its platform, market, side and price; the rest is the request's."""
    there = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.NO, limit_price=300_000
    )
    other = Alternate(platform=Platform.KALSHI, market_id="X", side=Side.YES, limit_price=200_000)
    book = book_with(market(), market(polymarket()))
    found = order(book, leg=1, alternates=(there, other))
    assert (found.leg, found.platform, found.market_id) == (1, Platform.POLYMARKET, YES_TOKEN)
    assert (found.side, found.limit_price, found.quantity) == (Side.NO, 300_000, TEN)
    assert found.key_yes_price == 700_000
    second = order(book, leg=2, alternates=(there, other))
    assert (second.market_id, second.limit_price, second.is_known) == ("X", 200_000, False)


def test_a_market_that_nobody_knows() -> None:
    """An empty, closed one with the venue's terms, under its own name; no side is swapped."""
    found = order(book_with(market()), **ON_POLYMARKET, side=Side.NO)
    assert not found.is_known
    assert not found.is_flipped
    assert not found.market.is_open
    assert found.market_key == YES_TOKEN
    assert (found.sport, found.game_id) == ("UNCLASSIFIED", f"market:{YES_TOKEN}")
    known = found.market.listing
    assert known == listing(
        platform="Polymarket",
        market_id=YES_TOKEN,
        market_key=YES_TOKEN,
        sport=None,
        game_id=None,
        is_netting=False,
        taker_rate=50_000,
        maker_rate=0,
        fee_grid=10,
        tick=1_000,
        lot=10_000,
        minimum=0,
    )
    assert (found.market.sport, found.market.game_id) == ("UNCLASSIFIED", f"market:{YES_TOKEN}")
    assert found.market.yes == found.market.no == OutcomeHolding()


def test_an_unknown_market_has_the_terms_of_its_venue() -> None:
    """Every one of them."""
    terms = Terms(
        is_netting=False,
        taker_rate=1,
        maker_rate=2,
        fee_grid=3,
        tick=4,
        lot=5,
        minimum=6,
    )
    found = make_candidate(request(), 0, fresh(), Facts(now_ns=NOW), {Platform.KALSHI: terms}, 7)
    known = found.market.listing
    assert (known.is_netting, known.taker_rate, known.maker_rate) == (False, 1, 2)
    assert (known.fee_grid, known.tick, known.lot, known.minimum) == (3, 4, 5, 6)
    assert found.rates == (1, 3, 7)


@pytest.mark.parametrize(
    ("known", "asked", "expected"),
    [
        ({}, {}, ("NBA", "nba_BOS@ATL")),
        ({}, {"sport": "NFL", "game_id": "x"}, ("NBA", "nba_BOS@ATL")),
        ({"sport": None}, {"sport": "NFL"}, ("NFL", "nba_BOS@ATL")),
        ({"sport": None}, {}, ("UNCLASSIFIED", "nba_BOS@ATL")),
        ({"game_id": None}, {"game_id": "x"}, ("NBA", "x")),
        ({"game_id": None}, {}, ("NBA", f"market:{KALSHI}")),
    ],
)
def test_what_the_market_is_not_known_for_the_request_may_say(
    known: dict[str, Any], asked: dict[str, Any], expected: tuple[str, str]
) -> None:
    """What is known of the market stands; `market` denies what contradicts it."""
    found = order(book_with(market(listing(**known))), **asked)
    assert (found.sport, found.game_id) == expected
    assert found.subject.sport == expected[0]


def test_the_worst_case_with_what_is_open() -> None:
    """Open orders and holdings of the market are in it; what the order adds is the difference."""
    made = market(yes="20", yes_cost="8")
    made.loss_no = 2 * MICRO
    made.worst = made.worst_case()
    found = order(book_with(made), limit_price="0.5")
    # If No wins: 8 held, 2 open and 5 for this one are lost.
    assert (found.market_worst, found.added_worst) == (15 * MICRO, 5 * MICRO)
    reducing = order(book_with(made), action=SELL, limit_price="0.5")
    assert (reducing.market_worst, reducing.added_worst) == (10 * MICRO, 0)


def test_a_close_that_takes_a_profit_may_add_to_the_worst_case() -> None:
    """Selling the winning leg of a hedge leaves the other one's cost uncovered."""
    made = market(polymarket(), yes="10", yes_cost="4", no="10", no_cost="5")
    book = book_with(made)
    found = order(book, action=SELL, limit_price="0.7", **ON_POLYMARKET)
    # Now 10 comes in for 9 either way; after the Sell the 5 that No cost may be lost.
    assert made.worst == -MICRO
    assert (found.market_worst, found.added_worst) == (5 * MICRO, 6 * MICRO)


def open_order(book: Book, **fields: Any) -> None:
    """Put a resting order into the default market."""
    known: dict[str, Any] = {
        "client_order_id": "c-1",
        "request_id": "r-0",
        "idempotency_key": "k-0",
        "attempt": 1,
        "fingerprint": "f",
        "leg": 0,
        "platform": Platform.KALSHI,
        "market_id": KALSHI,
        "market_key": KALSHI,
        "side": Side.YES,
        "action": SELL,
        "quantity": TEN,
        "limit_price": 900_000,
        "time_in_force": TimeInForce.GTC,
        "created_ns": 0,
        "strategy": "s",
        "sport": "NBA",
    }
    made = Order(**{**known, **fields})
    book.orders[made.client_order_id] = made
    book.markets[made.market_key].orders.append(made.client_order_id)


def test_closes_that_are_open_count_as_profits_taken() -> None:
    """An open Sell above cost may take its profit before the other side wins."""
    made = market(yes="10", yes_cost="5", no="10", no_cost="5", orders=[])
    made.loss_yes = MICRO
    book = book_with(made)
    open_order(book)
    made.worst = 0
    found = order(book, limit_price="0.5", side=Side.NO)
    # Of the Yes that cost 5, ten may be sold for 9: the gain of 4 is no longer there.
    assert found.market_worst == 5 * MICRO + 5 * MICRO - 10 * MICRO + MICRO + 5 * MICRO + 4 * MICRO


@pytest.mark.parametrize(("side", "probability"), [(Side.YES, 300_000), (Side.NO, 700_000)])
def test_probabilities_of_the_named_side(side: Side, probability: int) -> None:
    """What is said of Yes is turned for No."""
    assert order(side=side).of_side(300_000) == probability


@pytest.mark.parametrize(
    ("side", "action", "is_bid"),
    [
        (Side.YES, Action.BUY, True),
        (Side.YES, SELL, False),
        (Side.NO, Action.BUY, False),
        (Side.NO, SELL, True),
    ],
)
def test_there_is_one_book(side: Side, action: Action, is_bid: bool) -> None:
    """Buying Yes and selling No bid for Yes."""
    assert order(side=side, action=action).is_bid is is_bid


def test_money_is_rounded_up() -> None:
    """Three millionths at one half cost two."""
    found = order(size=3, limit_price="0.5")
    assert (found.notional, found.reserved.cash) == (2, 102)
