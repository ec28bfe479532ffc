"""The comparison of recorded trades with what became of them: equal, explained, or wrong."""

from decimal import Decimal

from arbees.core.language.request import Request
from arbees.core.language.units import parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    ResultStatus,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from tools.recorded_live import Trade, check, compare
from verification.live.comparison import Comparison
from verification.live.recorded import Played, RecordedOutcome

TRADE = Trade(
    contracts=Decimal("3.64"),
    price=Decimal("0.67"),
    fee=Decimal("0.0564"),
    profit=Decimal("1.1448"),
)
RECORDED = {("mlb_1", TRADE.contracts, TRADE.price): TRADE}


def outcome(
    filled: str = "3.64", cost: str = "2.4388", fee: str = "0.0564", **more: str
) -> RecordedOutcome:
    """Return what became of the one request; by default what was recorded."""
    request = Request(
        request_id="one",
        idempotency_key="key",
        platform=Platform.KALSHI,
        market_id="KXMLBGAME-1-HOME",
        side=Side.YES,
        action=Action.BUY,
        size=parse_micro("3.64"),
        limit_price=parse_micro("0.67"),
        time_in_force=TimeInForce.IOC,
        created_ns=1,
        game_id="mlb_1",
    )
    result = Result(
        request_id="one",
        idempotency_key="key",
        attempt=1,
        status=ResultStatus.FILLED,
        final=True,
        platform="Kalshi",
        market_id=request.market_id,
        side="Yes",
        action="Buy",
        requested_size=Decimal("3.64"),
        limit_price=Decimal("0.67"),
        fees=Decimal(fee),
        **more,  # type: ignore[arg-type]
    )
    return RecordedOutcome(
        request=request,
        result=result,
        filled=parse_micro(filled),
        cost=parse_micro(cost),
        fee=parse_micro(fee),
        paid=parse_micro(filled),
    )


def complaints(each: RecordedOutcome) -> list[str]:
    """Return what is wrong with a play of one request."""
    played = Played(
        outcomes=[each],
        cash=each.profit,
        counted=each.profit,
        comparison=Comparison(),
        alerts=[],
    )
    line = compare(each, RECORDED)
    return check(played, 1, [] if line is None else [line])


def test_equal_figures_are_no_line() -> None:
    """The same fill, fee and profit need no explanation."""
    assert compare(outcome(), RECORDED) is None
    assert complaints(outcome()) == []


def test_another_fill_is_explained_by_its_result() -> None:
    """A smaller fill shows beside the record, with why."""
    line = compare(outcome("2", "1.34", "0.031"), RECORDED)

    assert line is not None
    assert line.recorded == "3.64 at 0.67, fee 0.0564, profit 1.1448"
    assert line.ours == "2 for 1.34, fee 0.031, profit 0.629"
    assert line.why == "Filled: the book offered no more at this price"
    assert complaints(outcome("2", "1.34", "0.031")) == []


def test_a_denial_explains_that_nothing_filled() -> None:
    """The line names the code and the reason that the caller was given."""
    denied = outcome(
        "0", "0", "0", rejected_by="gateway", code="MAX_ORDER_SIZE", rejection_reason="too large"
    )
    line = compare(denied, RECORDED)

    assert line is not None
    assert line.why == "gateway: MAX_ORDER_SIZE, too large"


def test_the_same_fill_with_another_fee_is_wrong() -> None:
    """A figure that differs for the same fill has no excuse."""
    assert complaints(outcome(fee="0.0565")) == ["one: the same fill, another fee or result"]


def test_ends_that_differ_are_wrong() -> None:
    """Cash that moved by more than the requests explain is an error, whatever they say."""
    each = outcome()
    played = Played(
        outcomes=[each],
        cash=each.profit - 1,
        counted=each.profit,
        comparison=Comparison(),
        alerts=[],
    )
    assert len(check(played, 1, [])) == 1
