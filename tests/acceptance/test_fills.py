"""What fills, at which price, and what it costs, on both venues."""

from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.recorded import (
    NO_TOKEN,
    YES_TOKEN,
    Recorder,
    at,
    quote,
    request,
    sell,
    settlement,
    tokens,
)

BOOK: dict[str, Any] = {
    "asks": [["0.50", "3"], ["0.51", "4"], ["0.53", "100"]],
    "bids": [["0.48", "2"], ["0.47", "5"]],
}
LOWER: dict[str, Any] = {"asks": [["0.45", "12"]], "bids": [["0.40", "1"]]}
REST: dict[str, Any] = {"time_in_force": "GTC", "limit_price": "0.49"}
POLYMARKET: dict[str, Any] = {"platform": "Polymarket", "market_id": YES_TOKEN}
FIELDS = ("status", "filled_qty", "avg_price", "fees")


def exact(*rows: tuple[str, str, str, str]) -> list[tuple[Any, ...]]:
    """Return rows of a status and exact numbers."""
    return [(status, *(Decimal(text) for text in numbers)) for status, *numbers in rows]


def test_an_order_walks_the_depth(recorder: Recorder) -> None:
    """Best level first, each at its own price; what is taken is gone until the next quote."""
    asked = [request(second, size="5", limit_price="0.51") for second in (1, 2, 3, 5)]
    played = recorder.play(asked, [quote(0, **BOOK), quote(4, **BOOK)])
    assert played.of(*FIELDS) == exact(
        ("Filled", "5", "0.504", "0.0875"),
        ("Partial", "2", "0.51", "0.035"),
        ("Cancelled", "0", "0", "0"),
        ("Filled", "5", "0.504", "0.0875"),
    )
    assert played.codes == [None] * 4


def test_averages_are_rounded_against_us(recorder: Recorder) -> None:
    """A Buy's up, a Sell's down; No is the same book mirrored."""
    books = [quote(second, **BOOK) for second in (0, 2, 4)]
    asked = [
        request(1, size="7", limit_price="0.51"),
        sell(3, size="7", limit_price="0.47"),
        request(5, size="7", side="No", limit_price="0.53"),
    ]
    played = recorder.play(asked, books)
    averages = [Decimal(text) for text in ("0.505715", "0.472857", "0.527143")]
    assert [each["avg_price"] for each in played.results] == averages


def test_fill_or_kill(recorder: Recorder) -> None:
    """All or nothing; a killed one is cancelled, by no code."""
    kill = {"time_in_force": "FOK", "limit_price": "0.51"}
    played = recorder.play(
        [request(1, size=size, **kill) for size in ("7.01", "7")], [quote(**BOOK)]
    )
    assert played.of("status", "code", "filled_qty") == [
        ("Cancelled", None, 0),
        ("Filled", None, 7),
    ]


def test_what_rests_fills_at_its_own_limit_as_maker(recorder: Recorder) -> None:
    """Whatever better the quote was; the older order of the same price first."""
    asked = [request(1, size="10", **REST), request(1, size="6", **REST)]
    played = recorder.play(asked, [quote(0, **BOOK), quote(2, **LOWER)])
    assert played.of(*FIELDS) == exact(("Filled", "10", "0.49", "0"), ("Partial", "2", "0.49", "0"))
    missed = recorder.play(asked[:1], [quote(0, **BOOK), quote(2, asks=[["0.491", "9"]])])
    assert missed.statuses == ["Cancelled"]


@pytest.mark.parametrize(
    ("second", "status"), [(9.999999, "Filled"), (10.000001, "Cancelled"), (11, "Cancelled")]
)
def test_good_till_date(recorder: Recorder, second: float, status: str) -> None:
    """It fills before its expiry, not after; at that moment it may still be sent, and take."""
    till = {"time_in_force": "GTD", "expires_at": at(10), "size": "2"}
    asked = [request(1, limit_price="0.49", **till), request(10, limit_price="0.53", **till)]
    played = recorder.play(asked, [quote(0, **BOOK), quote(second, **LOWER)])
    assert played.statuses[0] == status
    assert played.results[1]["filled_qty"] == 2


def test_polymarket_charges_to_five_decimals(recorder: Recorder) -> None:
    """0.05 x quantity x p x (1 - p) of each fill for the taker, nothing for the maker."""
    asked = [
        request(1, size="5", limit_price="0.51", **POLYMARKET),
        request(3, size="5", **REST, **POLYMARKET),
    ]
    played = recorder.play(asked, [tokens(0, **BOOK), tokens(2, **BOOK), tokens(4, **LOWER)])
    assert [each["fees"] for each in played.results] == [Decimal("0.06249"), 0]


def test_the_opposite_token(recorder: Recorder) -> None:
    """`market_id` names the outcome that Yes means; the token may be named outright."""
    many: dict[str, Any] = {"platform": "Polymarket", "size": "1"}
    asked = [
        request(1, **many, market_id=NO_TOKEN, limit_price="0.53"),
        request(1, **many, market_id=NO_TOKEN, side="No", limit_price="0.50"),
        request(1, **many, market_id=YES_TOKEN, side="No", token_id=NO_TOKEN, limit_price="0.53"),
        request(1, **many, market_id=YES_TOKEN, token_id=NO_TOKEN, limit_price="0.53"),
    ]
    ends = [settlement(9, "Yes", YES_TOKEN)]
    played = recorder.play(asked, [tokens(**BOOK)], ends)
    assert [each["avg_price"] for each in played.results] == [
        *(Decimal("0.52"), Decimal("0.50"), Decimal("0.52"), 0),
    ]
    assert played.codes == [None, None, None, "CLASSIFICATION_CONFLICT"]
    assert played.summary["pnl"]["realized"] == Decimal("-0.54")


def test_a_settlement_ends_a_market(recorder: Recorder) -> None:
    """What rests is cancelled, winners are paid a dollar, a later quote is ignored."""
    asked = [
        request(1, size="3", limit_price="0.50"),
        request(1, size="5", time_in_force="GTC", limit_price="0.45"),
        request(6),
    ]
    played = recorder.play(asked, [quote(0, **BOOK), quote(5, **LOWER)], [settlement(4, "Yes")])
    assert played.statuses == ["Filled", "Cancelled", "Rejected"]
    assert played.codes[2] == "MARKET_CLOSED"
    assert played.summary["pnl"] == {"realized": Decimal("1.5"), "unrealized": 0}


def test_a_market_known_from_its_settlement_alone(recorder: Recorder) -> None:
    """It is known, and closed."""
    played = recorder.play([request(1)], [], [settlement(0, "No")])
    assert played.codes == ["MARKET_CLOSED"]


def test_a_sell_only_closes(recorder: Recorder) -> None:
    """Of what is held of that side, and not being closed already."""
    asked = [
        sell(1, limit_price="0.48"),
        request(2, size="7", limit_price="0.51"),
        sell(3, size="5", limit_price="0.60", time_in_force="GTC"),
        sell(4, size="2.01", limit_price="0.48"),
        sell(5, size="2", limit_price="0.48"),
        sell(6, size="1", side="No", limit_price="0.48"),
    ]
    played = recorder.play(asked, [quote(**BOOK)])
    over = "SELL_EXCEEDS_POSITION"
    assert played.codes == [over, None, None, over, None, over]
