"""One key, one order: duplicates, conflicts, attempts and signals, as the pages say."""

from typing import Any

import pytest

from tests.acceptance.recorded import NO_TOKEN, YES_TOKEN, Recorder, quote, request, tokens

DUPLICATE, CONFLICT, SIGNAL = "DUPLICATE_REQUEST", "IDEMPOTENCY_CONFLICT", "DUPLICATE_SIGNAL"
CHEAP = "0.01"
"""A price that is denied."""


def asked(second: float, request_id: str, **changes: Any) -> dict[str, Any]:
    """Return a request under the key `k`."""
    return request(second, **{"request_id": request_id, "idempotency_key": "k", **changes})


def originals(results: list[dict[str, Any]]) -> list[tuple[str, str] | None]:
    """Return request id and status of each result's original."""
    found = [each.get("original") for each in results]
    return [None if each is None else (each["request_id"], each["status"]) for each in found]


def test_a_known_key_is_answered_with_the_original(recorder: Recorder) -> None:
    """Whatever else the request says, and whoever sends it again, the first answer stands."""
    lines = [
        asked(1, "a"),
        asked(2, "a"),
        asked(3, "b", size="10.0", limit_price=0.52, side="yes", time_in_force="ioc"),
        asked(4, "c", sport="NFL", model_prob="0.9", expires_at="2026-01-01T00:00:00Z", attempt=2),
    ]
    played = recorder.play(lines, [quote()])
    assert played.codes == [None, DUPLICATE, DUPLICATE, DUPLICATE]
    assert originals(played.results) == [None, *[("a", "Filled")] * 3]
    assert played.of("rejected_by", "filled_qty")[1:] == [("gateway", 0)] * 3
    assert played.summary["fills"] == 1


def test_other_economics_conflict(recorder: Recorder) -> None:
    """Platform, market, side, action, size, price, time in force and strategy make the order."""
    others: list[dict[str, Any]] = [
        {"platform": "Polymarket"},
        {"market_id": "OTHER"},
        {"side": "No"},
        {"action": "Sell"},
        {"size": "9.99"},
        {"limit_price": "0.521"},
        {"time_in_force": "FOK"},
        {"strategy": "other"},
    ]
    again = [asked(2, f"b{number}", **each) for number, each in enumerate(others)]
    played = recorder.play([asked(1, "a"), *again], [quote()])
    assert played.codes == [None, *[CONFLICT] * len(others)]


def test_a_request_id_belongs_to_one_key(recorder: Recorder) -> None:
    """Under another key it conflicts, and spends nothing."""
    lines = [
        asked(1, "a"),
        asked(2, "a", idempotency_key="k2"),
        asked(3, "b", idempotency_key="k2"),
    ]
    assert recorder.play(lines, [quote()]).codes == [None, CONFLICT, None]


def test_attempts(recorder: Recorder) -> None:
    """After denials one attempt higher with a fresh request id may come; none may be left out."""
    deny: dict[str, Any] = {"limit_price": CHEAP}
    lines = [
        asked(1, "a", attempt=2),
        asked(2, "b", **deny),
        asked(3, "c", **deny),
        asked(4, "b", attempt=2, **deny),
        asked(5, "d", attempt=3, **deny),
        asked(6, "e", attempt=2, **deny),
        asked(7, "f", attempt=3),
        asked(8, "g", attempt=3, **deny),
        asked(9, "h", **deny),
    ]
    denied = "PRICE_OUT_OF_RANGE"
    played = recorder.play(lines, [quote()])
    assert played.codes == [
        *(CONFLICT, denied, DUPLICATE, CONFLICT, CONFLICT),
        *(denied, CONFLICT, denied, DUPLICATE),
    ]


def test_an_attempt_that_goes_out_spends_the_key(recorder: Recorder) -> None:
    """Also one that ends without a fill."""
    late = [quote(2, asks=[["0.60", "9"]])]
    lines = [asked(second, f"r{second}", attempt=second // 2 + 1) for second in (1, 3, 5)]
    played = recorder.play(lines, late)
    assert played.codes == ["MARKET_UNKNOWN", None, DUPLICATE]
    assert originals(played.results)[2] == ("r3", "Cancelled")


def test_a_resting_original_is_pending(recorder: Recorder) -> None:
    """What is not final yet is said so."""
    rest = {"time_in_force": "GTC", "limit_price": "0.45"}
    played = recorder.play([asked(1, "a", **rest), asked(2, "b", **rest)], [quote()])
    assert originals(played.results)[1] == ("a", "Pending")


def test_signals(recorder: Recorder) -> None:
    """One execution a signal, market, side and action, whatever the key, size or price."""
    mine: dict[str, Any] = {"signal_id": "s", "size": "1"}
    lines = [
        request(1, **mine),
        request(2, **{**mine, "size": "2"}, limit_price="0.51"),
        request(3, **mine, side="No", limit_price="0.50"),
        request(4, **{**mine, "signal_id": "t"}),
        request(5, **mine, market_id="other"),
    ]
    played = recorder.play(lines, [quote(), quote(0, "other", game_id="g2")])
    assert played.codes == [None, SIGNAL, None, None, None]


@pytest.mark.parametrize(("price", "code"), [(CHEAP, None), ("0.45", SIGNAL)])
def test_a_denied_signal_is_free(recorder: Recorder, price: str, code: str | None) -> None:
    """One that ended in a denial may come under another key; one that went out may not."""
    lines = [
        request(second, signal_id="s", limit_price=p) for second, p in ((1, price), (2, "0.52"))
    ]
    assert recorder.play(lines, [quote()]).codes[1] == code


def test_both_tokens_are_one_market(recorder: Recorder) -> None:
    """No of one token is Yes of the other: the same signal for it is the same signal."""
    mine = {"platform": "Polymarket", "signal_id": "s", "size": "1"}
    lines = [
        request(1, **mine, market_id=YES_TOKEN),
        request(2, **mine, market_id=NO_TOKEN, side="No"),
        request(3, **mine, market_id=NO_TOKEN, side="Yes", limit_price="0.50"),
    ]
    assert recorder.play(lines, [tokens()]).codes == [None, SIGNAL, None]
