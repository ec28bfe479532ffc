"""Holding: a Sell only ever closes what is held and not already being closed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.market import OutcomeHolding as Held
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from arbees.safeguards.holding import Holding
from tests.safeguards.build import (
    NO_TOKEN,
    YES_TOKEN,
    book_with,
    facts,
    market,
    micro,
    polymarket,
    verdicts,
)

CODE = "SELL_EXCEEDS_POSITION"


def test_a_buy_is_not_judged() -> None:
    """Buying needs nothing held."""
    assert verdicts(Holding()) == (Skipped(CODE, "a Buy"),)


def test_selling_all_that_is_held_passes() -> None:
    """Exactly what is held may be sold, one millionth of a contract more may not."""
    book = book_with(market(yes="10"))
    assert verdicts(Holding(), book, action=Action.SELL) == (Pass(CODE, 10 * MICRO, 10 * MICRO, 0),)
    assert verdicts(Holding(), book, action=Action.SELL, size=10 * MICRO + 1) == (
        Deny(CODE, 10 * MICRO + 1, 10 * MICRO),
    )


def test_selling_what_is_not_held_is_denied() -> None:
    """No position, no Sell: the other side is opened by a Buy of it."""
    assert verdicts(Holding(), action=Action.SELL, size="0.01") == (Deny(CODE, micro("0.01"), 0),)


def test_holding_the_other_side_does_not_help() -> None:
    """Only contracts of the side that is sold count."""
    book = book_with(market(no="10"))
    assert verdicts(Holding(), book, action=Action.SELL) == (Deny(CODE, 10 * MICRO, 0),)
    assert verdicts(Holding(), book, action=Action.SELL, side=Side.NO, size="4") == (
        Pass(CODE, 4 * MICRO, 10 * MICRO, 6 * MICRO),
    )


def test_what_is_being_closed_is_spoken_for() -> None:
    """Contracts that open orders close already cannot be sold again."""
    held = market(yes="10")
    held.yes = Held(10 * MICRO, 5 * MICRO, closing=7 * MICRO)
    assert verdicts(Holding(), book_with(held), action=Action.SELL, size="3") == (
        Pass(CODE, 3 * MICRO, 3 * MICRO, 0),
    )
    assert verdicts(Holding(), book_with(held), action=Action.SELL, size="3.01") == (
        Deny(CODE, micro("3.01"), 3 * MICRO),
    )


@pytest.mark.parametrize(("token", "side"), [(YES_TOKEN, Side.YES), (NO_TOKEN, Side.NO)])
def test_tokens_of_one_condition_are_one_market(token: str, side: Side) -> None:
    """The same tokens may be named by either id and its side."""
    book = book_with(market(polymarket(), yes="10"))
    said = verdicts(
        Holding(),
        book,
        action=Action.SELL,
        platform=Platform.POLYMARKET,
        market_id=token,
        side=side,
    )
    assert said == (Pass(CODE, 10 * MICRO, 10 * MICRO, 0),)


def test_an_unknown_market_holds_nothing() -> None:
    """Where nothing is known nothing is held."""
    said = verdicts(Holding(), book_with(), facts(), market_id="other", action=Action.SELL)
    assert said == (Deny(CODE, 10 * MICRO, 0),)


amounts = st.integers(0, 50)


@given(amounts, amounts, st.integers(1, 50))
def test_against_an_oracle(quantity: int, closing: int, size: int) -> None:
    """Denied is exactly the Sell of more than is held and not spoken for."""
    held = market()
    held.yes = Held(quantity, 0, closing)
    said = verdicts(Holding(), book_with(held), action=Action.SELL, size=size)
    free = quantity - closing if quantity > closing else 0
    assert said == (
        (Pass(CODE, size, free, free - size),) if size <= free else (Deny(CODE, size, free),)
    )
