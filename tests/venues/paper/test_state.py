"""What working orders lock: their worst case, less what netting is sure to return."""

import pytest

from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.venues.paper.state import Extra, PaperMarket, PaperOrder, lock_of
from arbees.venues.paper.terms import TERMS
from tests.venues.paper.rig import BUY, NO, SELL, YES, micro

KALSHI, POLYMARKET = TERMS[Platform.KALSHI], TERMS[Platform.POLYMARKET]
Working = tuple[Action, Side, str, int]


def market_with(yes: int, no: int, *working: Working) -> PaperMarket:
    """Return a market that holds contracts and in which orders work."""
    market = PaperMarket(platform=Platform.KALSHI, key="M", yes_id="M", tick=1, lot=1)
    market.yes, market.no = yes * MICRO, no * MICRO
    for number, (action, outcome, price, count) in enumerate(working):
        market.working[str(number)] = PaperOrder(
            client_order_id=str(number),
            order_id=str(number),
            platform=Platform.KALSHI,
            market_id="M",
            market_key="M",
            side=outcome,
            outcome=outcome,
            action=action,
            quantity=count * MICRO,
            limit_price=micro(price),
            time_in_force=TimeInForce.GTC,
            expires_ns=None,
            created_ns=0,
            updated_ns=0,
            sequence=number,
        )
    return market


@pytest.mark.parametrize(
    ("market", "netting", "tokens"),
    [
        (market_with(0, 0), 0, 0),
        (market_with(0, 0, (BUY, YES, "0.40", 10), (BUY, NO, "0.30", 10)), 7, 7),
        (market_with(10, 0, (BUY, YES, "0.40", 10)), 4, 4),
        (market_with(10, 0, (BUY, NO, "0.40", 10)), 0, 4),
        (market_with(10, 0, (BUY, NO, "0.40", 30)), 2, 12),
        (market_with(0, 10, (BUY, YES, "0.40", 20), (BUY, YES, "0.50", 10)), 3, 13),
        (market_with(10, 0, (BUY, NO, "0.40", 10), (SELL, YES, "0.90", 8)), 2, 4),
        (market_with(10, 0, (SELL, YES, "0.90", 10)), 0, 0),
    ],
)
def test_a_market_locks_the_worst_case_of_its_buys(
    market: PaperMarket, netting: int, tokens: int
) -> None:
    """Where positions net, contracts held and not for sale return a dollar each."""
    assert lock_of(market, KALSHI) == netting * MICRO
    assert lock_of(market, POLYMARKET) == tokens * MICRO


def test_a_new_order_counts_like_a_working_one() -> None:
    """A Buy adds its cost and its contracts; a Sell takes away what others relied upon."""
    market = market_with(10, 0, (BUY, NO, "0.40", 10))
    more = Extra(outcome=NO, outlay=micro("3"), buying=micro("5"))
    assert lock_of(market, KALSHI, more) == 0
    more = Extra(outcome=NO, outlay=micro("7"), buying=micro("5"))
    assert lock_of(market, KALSHI, more) == micro("1")
    less = Extra(outcome=YES, selling=micro("8"))
    assert lock_of(market, KALSHI, less) == micro("2")
    other = Extra(outcome=NO, selling=micro("8"))
    assert lock_of(market, KALSHI, other) == 0
