"""Every limit, inclusive: exactly at it passes, one millionth above is denied."""

from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.recorded import QUICK, WIDE, Recorder, fine, quote, request, sell

LEAST = "0.000002"
"""Contracts: at 0.50 a millionth of a dollar."""


def buy(second: float | str = 1, **changes: Any) -> dict[str, Any]:
    """Return a request that buys Yes at 0.50."""
    return request(second, **{"limit_price": "0.50", **changes})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": "200"}, None),
        ({"size": "200.000001"}, "MAX_ORDER_SIZE"),
        ({"size": "200", "limit_price": "0.500001"}, "MAX_ORDER_SIZE"),
        ({"size": "1000", "limit_price": "0.1"}, None),
        ({"size": "1000.000001", "limit_price": "0.09"}, "MAX_ORDER_CONTRACTS"),
        ({"size": "100", "side": "No", "limit_price": "0.61"}, None),
        ({"size": "164", "side": "No", "limit_price": "0.61"}, "MAX_ORDER_SIZE"),
        ({"limit_price": "0.05"}, None),
        ({"limit_price": "0.049999"}, "PRICE_OUT_OF_RANGE"),
        ({"side": "No", "limit_price": "0.05"}, None),
        ({"side": "No", "limit_price": "0.049999"}, "PRICE_OUT_OF_RANGE"),
        ({"side": "No", "limit_price": "0.95"}, None),
        ({"side": "No", "limit_price": "0.950001"}, "PRICE_OUT_OF_RANGE"),
        ({"limit_price": "0.6"}, None),
        ({"limit_price": "0.600001"}, "THROUGH_QUOTE"),
        ({"expires_at": "2026-01-28T20:00:01Z"}, None),
        ({"expires_at": "2026-01-28T20:00:00.999999999Z"}, "EXPIRED"),
        ({"market_id": "NOBODY-KNOWS"}, "MARKET_UNKNOWN"),
        ({"sport": "NFL"}, "CLASSIFICATION_CONFLICT"),
        ({"game_id": "nba_2"}, "CLASSIFICATION_CONFLICT"),
        ({"sport": "nba", "game_id": "nba_1"}, None),
    ],
)
def test_one_order(recorder: Recorder, changes: dict[str, Any], code: str | None) -> None:
    """What an order alone can be denied for; prices and dollars are of the named side."""
    collar = {} if "side" not in changes else {"MAX_PRICE_THROUGH_QUOTE": "1"}
    settings = {"MAX_ORDER_CONTRACTS": "1000", **WIDE, **collar}
    played = recorder.play([buy(**changes)], [fine()], settings=settings)
    assert played.codes == [code]
    assert len(played.results[0]["denials"]) == (0 if code is None else 1)


def test_a_hundred_contracts_by_default(recorder: Recorder) -> None:
    """The cap on contracts binds reducing orders too."""
    asked = [
        buy(size="100.000001"),
        buy(size="100"),
        buy(size="100"),
        sell(2, size="100.01", limit_price="0.40"),
        sell(3, size="100", limit_price="0.40"),
    ]
    capped = "MAX_ORDER_CONTRACTS"
    played = recorder.play(asked, [fine()], settings=WIDE)
    assert played.codes == [capped, None, None, capped, None]


def test_the_newest_quotes_word_on_a_market_counts(recorder: Recorder) -> None:
    """Tick, lot and sport are those of the last quote that says them; games join."""
    books = [
        quote(0, tick="0.001", lot="0.01"),
        quote(2, tick="0.01", lot="1", sport="NFL", game_id="other"),
    ]
    asked = [
        request(1, limit_price="0.525"),
        request(4, limit_price="0.525"),
        request(4, size="0.5"),
        request(4, sport="NBA"),
        request(4, sport="NFL", game_id="nba_1"),
        request(4, sport="NFL", game_id="third"),
    ]
    conflict = "CLASSIFICATION_CONFLICT"
    codes = [None, "INVALID_TICK", "INVALID_QUANTITY", conflict, None, conflict]
    assert recorder.play(asked, books).codes == codes


def test_all_run_and_the_first_is_the_headline(recorder: Recorder) -> None:
    """A denied request hears everything that is wrong with it, in the order of the safeguards."""
    past = {"expires_at": "2026-01-28T19:59:59Z"}
    wrong = buy(market_id="NOWHERE", size="500", limit_price="0.99", **past)
    played = recorder.play([wrong], [fine()])
    codes = [each["code"] for each in played.results[0]["denials"]]
    assert played.codes == ["EXPIRED"] == codes[:1]
    assert codes[1:5] == [
        *("MARKET_UNKNOWN", "MAX_ORDER_SIZE", "MAX_ORDER_CONTRACTS", "PRICE_OUT_OF_RANGE"),
    ]
    names = {"safeguard", "code", "observed", "limit", "until", "message"}
    assert all(set(each) == names for each in played.results[0]["denials"])


def test_a_window_holds_twenty_a_minute(recorder: Recorder) -> None:
    """An order counts from its own moment to just before a minute later, filled or not."""
    first = [buy(second, size="1", limit_price="0.45") for second in range(1, 21)]
    edge = [buy(second, size="1") for second in (60.999999, 61, 61, 62)]
    played = recorder.play([*first, *edge], [fine()], settings=WIDE)
    assert played.codes[20:] == ["RATE_LIMIT_MINUTE", None, "RATE_LIMIT_MINUTE", None]
    untils = [played.results[line]["denials"][0]["until"] for line in (20, 22)]
    assert untils == ["2026-01-28T20:01:01.000Z", "2026-01-28T20:01:02.000Z"]


def test_a_window_holds_a_hundred_an_hour(recorder: Recorder) -> None:
    """The same, to the hour."""
    first = [buy(1 + 10 * number, size="1") for number in range(100)]
    edge = [buy(second, size="1") for second in (3600.999999, 3601, 3601)]
    played = recorder.play([*first, *edge], [fine()], settings=WIDE)
    assert played.codes[99:] == [None, "RATE_LIMIT_HOUR", None, "RATE_LIMIT_HOUR"]


def test_what_was_denied_is_not_counted(recorder: Recorder) -> None:
    """Denials and duplicates use up nothing; reducing orders have as much of their own."""
    denied = [buy(1, limit_price="0.01") for _ in range(30)]
    passed = [buy(2, size="1") for _ in range(20)]
    again = [passed[0]] * 5
    out = [sell(3, size="0.5", limit_price="0.40") for _ in range(21)]
    played = recorder.play(
        [*denied, *passed, *again, buy(2, size="1"), *out], [fine()], settings=WIDE
    )
    assert played.codes[30:50] == [None] * 20
    assert played.codes[50:56] == ["DUPLICATE_REQUEST"] * 5 + ["RATE_LIMIT_MINUTE"]
    assert played.codes[56:] == [None] * 20 + ["RATE_LIMIT_MINUTE"]


@pytest.mark.parametrize(
    ("games", "settings", "code"),
    [
        ("aaaa", {}, "MAX_POSITION_PER_MARKET"),
        ("aaaaaaaa", {"MAX_POSITION_PER_MARKET": "1000"}, "MAX_GAME_EXPOSURE"),
        ("aaaabbbb", {"MAX_SPORT_EXPOSURE": "400"}, "MAX_SPORT_EXPOSURE"),
        ("aaaabbbb", {"MAX_TOTAL_EXPOSURE": "400"}, "MAX_TOTAL_EXPOSURE"),
    ],
)
def test_exposures(recorder: Recorder, games: str, settings: dict[str, str], code: str) -> None:
    """Positions at cost and this order: exactly the limit passes, a millionth more is denied."""
    books = [fine(0, game, game_id=game) for game in "abc"]
    asked = [buy(market_id=game, size="100") for game in games]
    last = "c" if len(set(games)) > 1 else games[0]
    wide = {**QUICK, "MAX_DAILY_LOSS": "100000", **settings}
    played = recorder.play([*asked, buy(2, market_id=last, size=LEAST)], books, settings=wide)
    assert played.codes == [None] * len(games) + [code]
    (denial,) = played.results[-1]["denials"]
    assert denial["observed"] - denial["limit"] == Decimal("0.000001")


def test_what_rests_counts_for_each_outcome(recorder: Recorder) -> None:
    """The worst case is over outcomes: resting Buys of both sides do not add up."""
    rest: dict[str, Any] = {"size": "100", "time_in_force": "GTC"}
    asked = [
        request(1, limit_price="0.5", **rest),
        *(request(second, side="No", limit_price="0.4", **rest) for second in (2, 3)),
    ]
    wide = [quote(bids=[["0.30", "9"]], asks=[["0.70", "9"]])]
    played = recorder.play(asked, wide)
    assert played.codes == [None] * 3
    assert played.summary["worst_exposure"]["market"] == 80


def test_sports_without_a_name_share_one_limit(recorder: Recorder) -> None:
    """No sport is the sport UNCLASSIFIED; single sports have limits of their own, in any case."""
    sports = {"a": None, "b": None, "c": "nba"}
    books = [fine(0, name, sport=sport, game_id=name) for name, sport in sports.items()]
    asked = [buy(market_id=name, size="100") for name in "abc"]
    toml = "[sport_exposure.limits]\nUNCLASSIFIED = 99\nNBA = 49.999999\n"
    played = recorder.play(asked, books, toml=toml)
    assert played.codes == [None, "MAX_SPORT_EXPOSURE", "MAX_SPORT_EXPOSURE"]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"PAPER_BALANCE": "55"}, None),
        ({"PAPER_BALANCE": "54.999999"}, "INSUFFICIENT_BALANCE"),
        ({"PAPER_BALANCE": "51.75", "BALANCE_BUFFER": "0"}, None),
        ({"PAPER_BALANCE": "51.749999", "BALANCE_BUFFER": "0"}, "INSUFFICIENT_BALANCE"),
        ({"MAX_DAILY_LOSS": "51.75"}, None),
        ({"MAX_DAILY_LOSS": "51.749999"}, "MAX_DAILY_LOSS"),
    ],
)
def test_money(recorder: Recorder, settings: dict[str, str], code: str | None) -> None:
    """Cost and the greater of buffer and worst fee; for the day's loss, cost and worst fee."""
    assert recorder.play([buy(size="100")], [fine()], settings=settings).codes == [code]


def test_what_rests_is_reserved(recorder: Recorder) -> None:
    """An open order's need is not available to the next one."""
    resting = [buy(limit_price="0.40", time_in_force="GTC", size=size) for size in ("100", "10")]
    more = buy(limit_price="0.40", size="0.01")
    played = recorder.play([*resting, more], [fine()], settings={"PAPER_BALANCE": "48.4"})
    assert played.codes == [None, None, "INSUFFICIENT_BALANCE"]
    assert played.messages(2) == [
        "Insufficient balance: have $0.00, need $0.0044 (fee allowance included)"
    ]


def test_a_trading_day_ends_at_midnight_in_new_york(recorder: Recorder) -> None:
    """Yesterday's loss is no loss of today's; the zone can be set."""
    evening = "2026-01-29T04:59:{}Z"
    asked = [
        buy(evening.format("50"), size="100"),
        sell(evening.format("51"), size="100", limit_price="0.40"),
        buy(evening.format("59.999999999"), size="100"),
        buy("2026-01-29T05:00:00Z", size="100"),
    ]
    books = [fine("2026-01-29T04:00:00Z")]
    limit = {"MAX_DAILY_LOSS": "51.75"}
    assert recorder.play(asked, books, settings=limit).codes == [None, None, "MAX_DAILY_LOSS", None]
    utc = recorder.play(asked, books, settings={"TRADING_DAY_TIMEZONE": "UTC", **limit})
    assert utc.codes[2:] == ["MAX_DAILY_LOSS"] * 2


def test_a_loss_halts_by_itself(recorder: Recorder) -> None:
    """Marked at what it could be closed for, every 30 s; then nothing passes, no Sell either."""
    before, after = [["0.49", "9"]], [["0.01", "9"]]
    books = [fine(bids=before), fine(10, bids=after, asks=[["0.02", "9"]])]
    asked = [
        *(buy(second, size="100") for second in (1, 2)),
        buy(11, limit_price="0.06", size="0.01"),
        buy(40, limit_price="0.06", size="0.01"),
        sell(41, limit_price="0.01"),
    ]
    played = recorder.play(asked, books, settings={"MAX_DAILY_LOSS": "55"})
    assert played.codes == [None, None, "MAX_DAILY_LOSS", "HALTED", "HALTED"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"limit_price": "0.55"}, None),
        ({"side": "No", "limit_price": "0.499"}, None),
        ({"side": "No", "limit_price": "0.5"}, "SELF_TRADE"),
        ({"side": "No", "limit_price": "0.501"}, "SELF_TRADE"),
    ],
)
def test_opposing_orders(recorder: Recorder, changes: dict[str, Any], code: str | None) -> None:
    """An order that could trade with our own open one is denied; equal prices could."""
    books = [quote(bids=[["0.40", "9"]], asks=[["0.60", "9"]])]
    resting = request(1, limit_price="0.50", time_in_force="GTC")
    assert recorder.play([resting, request(2, **changes)], books).codes == [None, code]


def test_open_orders(recorder: Recorder) -> None:
    """The cap counts what rests; exactly so many pass."""
    asked = [buy(limit_price="0.45", size="1", time_in_force="GTC") for _ in range(4)]
    codes = recorder.play([*asked, buy(2)], [fine()], settings={"MAX_OPEN_ORDERS": "4"}).codes
    assert codes == [None] * 4 + ["MAX_OPEN_ORDERS"]


def test_repeated_executions(recorder: Recorder) -> None:
    """The third re-entry of a limit of two is denied, and the strategy with it; an exit passes."""
    mine = {"strategy": "loop", "size": "1"}
    books = [fine(), fine(0, "elsewhere", game_id="g2")]
    cycles = [
        each
        for start in (2, 4, 6)
        for each in (buy(start, **mine), sell(start + 1, limit_price="0.40", **mine))
    ]
    asked = [
        buy(1, market_id="elsewhere", **mine),
        *cycles,
        buy(10, **mine),
        buy(11, market_id="elsewhere", **mine),
        sell(12, market_id="elsewhere", limit_price="0.40", **mine),
        buy(13, strategy="other"),
        buy(4000, **mine),
    ]
    played = recorder.play(asked, books, settings={"MAX_REPEATED_EXECUTIONS": "2"})
    stopped = "REPEATED_EXECUTION"
    assert played.codes == [None] * 7 + [stopped, stopped, None, None, stopped]
