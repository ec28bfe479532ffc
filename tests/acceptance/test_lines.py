"""How lines become results: order, ties, what cannot be read, and twice the same."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbees.errors import ConfigurationError
from tests.acceptance.recorded import Recorder, quote, request, sell, settlement

EXPOSURES = ("market", "game", "sport", "total")


def test_one_result_a_line_in_order(recorder: Recorder) -> None:
    """Requests are taken at their own time, their results stand in the order of the lines."""
    asked: list[Any] = [request(5), request(None), "no JSON", request(1), "", request(None)]
    played = recorder.play(asked, [quote()])
    ids = [None if line == "no JSON" else line["request_id"] for line in asked if line]
    assert [each["request_id"] for each in played.results] == ids
    taken = sorted(range(5), key=lambda line: played.results[line]["sequence"])
    assert taken == [2, 3, 4, 0, 1], "a line without a time takes that of the line before"


def test_what_cannot_be_read(recorder: Recorder) -> None:
    """A malformed line is a result with every field, its number, and no effect."""
    asked = [request(), "[]", request(size="-1"), request("1900-01-01T00:00:00Z"), request()]
    played = recorder.play(asked, [quote()])
    assert played.of("status", "code")[1:4] == [("Rejected", "MALFORMED")] * 3
    assert [each["line"] for each in played.results[1:4]] == [2, 3, 4]
    assert [each["field"] for each in played.results[1:4]] == [None, "size", "created_at"]
    assert set(played.results[0]) <= set(played.results[1])
    assert played.statuses[::4] == ["Filled", "Filled"]
    assert played.summary["by_code"] == {"MALFORMED": 3}


@pytest.mark.parametrize("time", ["1969-12-31T23:59:59Z", "yesterday"])
def test_quotes_name_the_bad_line(recorder: Recorder, time: str) -> None:
    """A quote that cannot be played ends the playback before it begins."""
    with pytest.raises(ValueError, match=r"quotes\.jsonl, line 2: ts: "):
        recorder.play([request()], [quote(), quote(time)])


def test_ties(recorder: Recorder) -> None:
    """At the same time a settlement comes before a quote, and a quote before a request."""
    assert recorder.play([request(1)], [quote(1)]).codes == [None]
    settled = recorder.play([request(1)], [quote(1)], [settlement(1, "Yes")])
    assert settled.codes == ["MARKET_CLOSED"]


def test_what_rests_is_cancelled_at_the_last_recorded_time(recorder: Recorder) -> None:
    """The end of the recording ends every order, and latencies measure nothing."""
    resting = request(1, time_in_force="GTC", limit_price="0.45")
    played = recorder.play([resting], [quote(), quote(9)])
    assert played.of("status", "final", "latency_ms") == [("Cancelled", True, 0)]


def test_profit_and_loss(recorder: Recorder) -> None:
    """P&L by average cost before fees; what is held is marked at the best opposite price."""
    bought = request(1, size="10", limit_price="0.52")
    closed = sell(2, size="4", limit_price="0.50")
    held = recorder.play([bought, closed], [quote()])
    assert held.summary["pnl"] == {"realized": Decimal("-0.08"), "unrealized": Decimal("-0.12")}
    won = recorder.play([bought, closed], [quote()], [settlement(3, "Yes")])
    assert won.summary["pnl"] == {"realized": Decimal("2.80"), "unrealized": 0}
    assert won.summary["fills"] == 2
    assert won.summary["worst_exposure"] == dict.fromkeys(EXPOSURES, Decimal("5.2"))


def test_two_runs_are_identical(recorder: Recorder, tmp_path: Path) -> None:
    """The same lines give the same results and summary; a journal that exists is not touched."""
    lines = [request(1), request(2, time_in_force="GTC", limit_price="0.45"), "x"]
    books, journal = [quote(), quote(3, asks=[["0.44", "3"]])], tmp_path / "kept.db"
    first = recorder.play(lines, books)
    kept = recorder.play(lines, books, journal=journal)
    assert (first.results, first.summary) == (kept.results, kept.summary)
    before = journal.read_bytes()
    with pytest.raises(ConfigurationError, match="there is one"):
        recorder.play(lines, books, journal=journal)
    assert journal.read_bytes() == before
