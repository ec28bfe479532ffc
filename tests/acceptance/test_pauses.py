"""The weekly pause of Kalshi, in recorded time, and the way around it."""

from typing import Any

import pytest

from tests.acceptance.recorded import YES_TOKEN, Recorder, quote, request, sell, tokens

ELSEWHERE = {"platform": "Polymarket", "market_id": YES_TOKEN, "side": "Yes", "limit_price": "0.52"}


@pytest.mark.parametrize(
    ("moment", "code", "until"),
    [
        ("2026-01-29T07:59:59.999999Z", None, None),
        ("2026-01-29T08:00:00Z", "VENUE_PAUSED", "2026-01-29T10:00:00.000Z"),
        ("2026-01-29T09:59:59.999999Z", "VENUE_PAUSED", "2026-01-29T10:00:00.000Z"),
        ("2026-01-29T10:00:00Z", None, None),
        ("2026-01-28T08:30:00Z", None, None),
        ("2026-07-02T07:00:00Z", "VENUE_PAUSED", "2026-07-02T09:00:00.000Z"),
    ],
)
def test_thursdays_from_three_to_five(
    recorder: Recorder, moment: str, code: str | None, until: str | None
) -> None:
    """Kalshi pauses on Thursdays, by New York's clocks, and `until` says how long."""
    played = recorder.play([request(moment)], [quote(moment)])
    assert played.codes == [code]
    assert [each["until"] for each in played.results[0]["denials"]] == ([until] if until else [])


def test_nothing_gets_out_in_a_pause(recorder: Recorder) -> None:
    """A reducing order does not pass it either."""
    bought, closed = "2026-01-29T07:59:00Z", "2026-01-29T08:00:00Z"
    played = recorder.play([request(bought), sell(closed, limit_price="0.50")], [quote(bought)])
    assert played.codes == [None, "VENUE_PAUSED"]


def test_an_alternate_is_tried_instead(recorder: Recorder) -> None:
    """The other venue does not pause; every safeguard judges the alternate anew."""
    moment = "2026-01-29T08:00:00Z"
    asked: list[Any] = [
        request(moment, alternates=[ELSEWHERE]),
        request(moment, alternates=[{**ELSEWHERE, "limit_price": "0.99"}]),
    ]
    played = recorder.play(asked, [quote(moment), tokens(moment)])
    routes = [
        [(leg["platform"], leg["status"], leg["code"]) for leg in each["route"]]
        for each in played.results
    ]
    assert routes == [
        [("Kalshi", "Rejected", "VENUE_PAUSED"), ("Polymarket", "Filled", None)],
        [
            ("Kalshi", "Rejected", "VENUE_PAUSED"),
            ("Polymarket", "Rejected", "PRICE_OUT_OF_RANGE"),
        ],
    ]
    assert played.of("platform", "limit_price", "filled_qty")[0][0] == "Polymarket"
