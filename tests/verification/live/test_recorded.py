"""Recorded requests, played through the live gateway at the simulated Kalshi."""

import pytest

from arbees.core.language.payouts import won_by
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO, NS_PER_SECOND, parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.rehearsal.playback import Input
from verification.live.recorded import Played, play_live

START_NS = 1_775_062_789 * NS_PER_SECOND
DAY_NS = 86_400 * NS_PER_SECOND
FIRST, SECOND = "KXMLBGAME-1-HOME", "KXMLBGAME-2-AWAY"


def quote(at_ns: int, market: str, bid: str, ask: str, size: str = "500") -> Input:
    """Return a book of one level a side."""
    item = Quote(
        ts_ns=at_ns,
        platform=Platform.KALSHI,
        market_id=market,
        bids=((parse_micro(bid), parse_micro(size)),),
        asks=((parse_micro(ask), parse_micro(size)),),
        sport="MLB",
    )
    return Input(at_ns, item)


def request(at_ns: int, name: str, market: str, size: str, price: str) -> Input:
    """Return a request for Yes that rests nowhere."""
    item = Request(
        request_id=name,
        idempotency_key=f"key-{name}",
        platform=Platform.KALSHI,
        market_id=market,
        side=Side.YES,
        action=Action.BUY,
        size=parse_micro(size),
        limit_price=parse_micro(price),
        time_in_force=TimeInForce.IOC,
        created_ns=at_ns,
    )
    return Input(at_ns, item)


def settled(at_ns: int, market: str, result: Side) -> Input:
    """Return the end of a market."""
    item = Settlement(
        ts_ns=at_ns, platform=Platform.KALSHI, market_id=market, payouts=won_by(result)
    )
    return Input(at_ns, item)


@pytest.fixture(scope="module")
def played() -> Played:
    """Play two days: three orders of one market, one of another, results in between."""
    day = START_NS + DAY_NS
    return play_live(
        [
            quote(START_NS, FIRST, "0.66", "0.67"),
            request(START_NS + 20_000_000, "won", FIRST, "3.64", "0.67"),
            quote(START_NS + 60 * NS_PER_SECOND, FIRST, "0.68", "0.69", size="2"),
            request(START_NS + 61 * NS_PER_SECOND, "partly", FIRST, "5", "0.69"),
            request(START_NS + 90 * NS_PER_SECOND, "large", FIRST, "5000", "0.69"),
            settled(START_NS + DAY_NS // 2, FIRST, Side.YES),
            quote(day, SECOND, "0.10", "0.11"),
            request(day + 20_000_000, "lost", SECOND, "2", "0.11"),
            settled(day + DAY_NS // 2, SECOND, Side.NO),
        ]
    )


def test_profit_is_what_was_paid_less_cost_and_fee(played: Played) -> None:
    """Known trades give known money: the fee is 0.07 x C x P x (1 - P), up to $0.0001."""
    found = {each.request.request_id: each for each in played.outcomes}

    assert [found[name].filled for name in ("won", "partly", "lost")] == [
        3_640_000,
        2 * MICRO,
        2 * MICRO,
    ]
    assert (found["won"].fee, found["won"].profit) == (56_400, 1_144_800)
    assert (found["partly"].fee, found["partly"].profit) == (30_000, 590_000)
    assert (found["lost"].fee, found["lost"].profit) == (13_800, -233_800)


def test_what_was_denied_costs_nothing_and_says_why(played: Played) -> None:
    """A request beyond the limits shows with its code, and without a fill."""
    large = next(each for each in played.outcomes if each.request.request_id == "large")

    assert large.result is not None
    assert large.result.rejected_by == "gateway"
    assert large.result.code is not None
    assert (large.filled, large.cost, large.fee, large.profit) == (0, 0, 0, 0)


def test_both_ends_agree_to_the_last_micro_dollar(played: Played) -> None:
    """Cash at the exchange, by our own count and by the requests' profit is one figure."""
    assert played.comparison.is_agreed, played.comparison
    assert played.cash == played.counted == sum(each.profit for each in played.outcomes)
