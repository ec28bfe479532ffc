"""Playback: the recorded clock drives everything, and a play is the same every time."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbees.core import events
from arbees.core.language.payouts import won_by
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result, encode
from arbees.errors import ConfigurationError
from arbees.journal import JournalReader
from arbees.rehearsal.evening import make_evening
from arbees.rehearsal.playback import (
    Input,
    in_order,
    play,
    read_quotes,
    read_requests,
    read_settlements,
)
from arbees.rehearsal.requests import make_requests
from arbees.settings import load
from tests.rehearsal.recording import (
    at,
    line_of,
    played,
    quote,
    request,
    results,
    settlement,
    statuses,
    write,
)

GTC = TimeInForce.GTC


# Order -----------------------------------------------------------------------------------------


def test_now_is_when_a_request_was_created() -> None:
    """A request is judged at its own time: what came later is not known yet."""
    found = statuses(request(1, 1), quote(2), request(3, 2))
    assert found == ["Rejected", "Filled"]


def test_at_the_same_time_quotes_come_before_requests() -> None:
    """A quote of the same moment is known to the request."""
    assert statuses(request(1, 1), quote(1)) == ["Filled"]


def test_at_the_same_time_settlements_come_first() -> None:
    """A market that is settled at a moment is closed for the quotes and requests of it."""
    (found,) = results(quote(0), request(1, 1), quote(1), settlement(1))
    assert found.code == "MARKET_CLOSED"


def test_what_comes_at_the_same_time_keeps_its_order() -> None:
    """Of two quotes, or two requests, of a moment the first line goes first."""
    first = [quote(1, 50, 52), quote(1, 60, 62)]
    (found,) = results(*first, request(1, 1))
    assert found.avg_price == Decimal("0.62")
    both = results(quote(0), request(1, 1), request(1, 2, idempotency_key="k-1"))
    assert [each.code for each in both] == [None, "DUPLICATE_REQUEST"]


def test_results_come_in_the_order_of_lines() -> None:
    """Whatever the order of their times, results are in the order of the lines."""
    found = results(quote(0), request(9, 1), request(1, 2, contracts=3), request(5, 3))
    assert [each.request_id for each in found] == ["r-1", "r-2", "r-3"]
    assert found[1].sequence < found[2].sequence < found[0].sequence


def test_merging_is_stable() -> None:
    """Inputs of a time are in the order: settlements, quotes, requests, each as they came."""
    inputs = [request(1, 1), request(1, 2), quote(1, 50), quote(1, 51), settlement(1), quote(0)]
    kinds = [(type(each.item).__name__, each.line) for each in in_order(inputs)]
    assert kinds == [
        ("Quote", 0),
        ("Settlement", 0),
        ("Quote", 0),
        ("Quote", 0),
        ("Request", 1),
        ("Request", 2),
    ]


# Files -----------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_have_results(tmp_path: Path) -> None:
    """A malformed line is answered in its place, with its number and what is wrong."""
    path = write(
        tmp_path / "requests.jsonl",
        line_of(9, 1),
        "{",
        line_of(3, 3, size="many"),
        line_of(5, 4),
    )
    inputs = in_order([quote(0)], read_requests(path, at(0)))
    found: list[Any] = play(load({}), inputs)["results"]
    assert [each.status if isinstance(each, Result) else each["code"] for each in found] == [
        "Filled",
        "MALFORMED",
        "MALFORMED",
        "Filled",
    ]
    assert [(each["line"], each["field"]) for each in found[1:3]] == [(2, None), (3, "size")]
    assert found[1]["rejected_by"] == "gateway"
    assert found[1]["final"] is True
    encode(found)


def test_a_line_without_a_time_takes_that_of_the_line_before(tmp_path: Path) -> None:
    """The first one takes the time of the first quote, a malformed one that of its place."""
    path = write(
        tmp_path / "requests.jsonl",
        line_of(None, 1),
        line_of(4, 2),
        line_of(None, 3),
        "{",
        line_of(2, 5),
        line_of(None, 6),
    )
    read = read_requests(path, at(1))
    assert [each.time_ns for each in read] == [at(n) for n in (1, 4, 4, 4, 2, 2)]
    assert [each.line for each in read] == [1, 2, 3, 4, 5, 6]


def test_empty_lines_are_none(tmp_path: Path) -> None:
    """An empty line is no request; those behind it keep their numbers."""
    path = write(tmp_path / "requests.jsonl", "", line_of(1, 1), "  ", line_of(2, 2), "")
    assert [each.line for each in read_requests(path, 0)] == [2, 4]


def test_quotes_and_settlements_are_read(tmp_path: Path) -> None:
    """A line without a time takes that of the line before."""
    book = {"platform": "Kalshi", "market_id": "KX", "bids": [], "asks": [["0.5", "1"]]}
    quotes = write(tmp_path / "q.jsonl", {**book, "ts": "2026-01-28T23:00:01Z"}, book)
    assert [each.time_ns for each in read_quotes(quotes)] == [at(1), at(1)]
    end = {"platform": "Kalshi", "market_id": "KX", "result": "No", "ts": "2026-01-28T23:00:02Z"}
    (read,) = read_settlements(write(tmp_path / "s.jsonl", end))
    assert (read.time_ns, read.item.payouts) == (at(2), won_by(Side.NO))


@pytest.mark.parametrize("read", [read_quotes, read_settlements])
def test_prices_and_results_are_not_guessed(
    read: Callable[[Path], list[Input]], tmp_path: Path
) -> None:
    """A quote or settlement that cannot be read is named by file and line."""
    path = write(tmp_path / "broken.jsonl", "", "{")
    with pytest.raises(ValueError, match=r"broken\.jsonl, line 2: "):
        read(path)


# Time ------------------------------------------------------------------------------------------


def test_timers_come_in_their_turn() -> None:
    """An order that expires between two lines does so: the later quote does not fill it."""
    until = request(1, 1, 55, time_in_force=TimeInForce.GTD, expires_ns=at(10))
    inputs = [quote(0), until]
    assert statuses(*inputs, quote(9, 50, 54)) == ["Filled"]
    assert statuses(*inputs, quote(11, 50, 54)) == ["Cancelled"]


def test_timers_of_a_moment_come_before_its_lines() -> None:
    """An order that expires at the very time of a quote is gone when the quote comes."""
    until = request(1, 1, 55, time_in_force=TimeInForce.GTD, expires_ns=at(10))
    assert statuses(quote(0), until, quote(10, 50, 54)) == ["Cancelled"]


def test_gaps_are_no_jumps_and_days_roll() -> None:
    """A day in between halts nothing; the trading day rolls, and old quotes are old."""
    day = 24 * 3_600
    found = results(
        quote(0),
        request(1, 1),
        request(day, 2),
        quote(day + 1),
        request(day + 2, 3),
        QUOTE_POLICY="deny",
    )
    assert [each.code for each in found] == [None, "QUOTE_STALE", None]


def test_windows_move_with_recorded_time() -> None:
    """Twenty orders a minute are enough; a minute later there is room again."""
    burst = [request(1, n, contracts=1) for n in range(1, 22)]
    found = results(quote(0), *burst, quote(60, 60, 62), request(61, 22))
    assert [each.code for each in found[19:]] == [None, "RATE_LIMIT_MINUTE", None]


def test_recorded_time_measures_nothing() -> None:
    """Latencies are 0, also of orders that filled much later, and of originals of duplicates."""
    rest = request(1, 1, 55, time_in_force=GTC)
    again = request(30, 2, 55, time_in_force=GTC, idempotency_key="k-1")
    first, duplicate = results(quote(0), rest, quote(20, 50, 54), again)
    assert first.status == "Filled"
    assert first.latency_ms == 0
    assert isinstance(duplicate.original, Result)
    assert duplicate.original.status == "Filled"
    assert duplicate.original.latency_ms == 0


def test_kalshi_pauses_as_it_did() -> None:
    """On Thursdays between three and five in New York nobody traded there."""
    thursday = 9.5 * 3_600  # 08:30 UTC is 03:30 in New York
    (found,) = results(quote(thursday), request(thursday + 1, 1))
    assert found.code == "VENUE_PAUSED"


# The end ---------------------------------------------------------------------------------------


def test_resting_orders_are_cancelled_at_the_end() -> None:
    """What still rests when the recording ends is cancelled; what was filled of it counts."""
    thin = quote(5, 50, 54, asks=((540_000, 4 * MICRO),))
    found = results(
        quote(0), request(1, 1, 50, time_in_force=GTC), request(2, 2, 55, time_in_force=GTC), thin
    )
    assert [(each.status, each.filled_qty) for each in found] == [
        ("Cancelled", Decimal(0)),
        ("Partial", Decimal(4)),
    ]
    assert all(each.final for each in found)


def test_every_result_is_as_known_at_the_end() -> None:
    """An order that filled an hour later is filled."""
    found = statuses(quote(0), request(1, 1, 50, time_in_force=GTC), quote(3_600, 48, 50))
    assert found == ["Filled"]


def test_an_empty_recording() -> None:
    """Nothing in, nothing out."""
    report = played()
    assert report["results"] == []
    assert report["summary"]["by_status"] == {}


def test_two_plays_are_the_same() -> None:
    """The same input gives the same results, summary and hash, byte for byte."""
    evening = make_evening(5, 8, 3)
    asked = make_requests(evening.quotes, 50, 5)
    inputs = in_order(
        [Input(each.ts_ns, each) for each in evening.settlements],
        [Input(each.ts_ns, each) for each in evening.quotes],
        [Input(each.created_ns, each, line) for line, each in enumerate(asked, 1)],
    )
    first = encode(play(load({}), inputs))
    assert encode(play(load({}), inputs)) == first
    assert first.count(b'"request_id"') >= 50


# Beside it -------------------------------------------------------------------------------------


def test_the_kill_switch_file_of_others_is_not_looked_at(tmp_path: Path) -> None:
    """A file that halts a gateway halts no playback."""
    file = tmp_path / "kill"
    file.touch()
    assert statuses(quote(0), request(1, 1), KILL_SWITCH_FILE=str(file)) == ["Filled"]


def test_the_journal_may_be_kept(tmp_path: Path) -> None:
    """Named, it stays, ended in order, and is never written over."""
    path = tmp_path / "kept.db"
    inputs = [quote(0), request(1, 1)]
    report = play(load({}), inputs, journal=path)
    reader = JournalReader(path)
    kinds = [stored.kind for stored in reader.records()]
    head = reader.head
    reader.close()
    assert kinds[-1] == events.Stopped.__name__
    assert report["summary"]["journal"]["sequence"] <= head.sequence
    assert {"kept.db", "kept.paper.db", "kept.audit.jsonl"} <= {
        each.name for each in tmp_path.iterdir()
    }
    with pytest.raises(ConfigurationError, match="there is one"):
        play(load({}), inputs, journal=path)


def test_progress_and_pace_are_told() -> None:
    """Whoever watches hears of each input: its time before it, how far it is after it."""
    told: list[tuple[str, int]] = []
    play(
        load({}),
        [quote(0), request(1, 1)],
        progress=lambda done, of: told.append((f"of {of}", done)),
        pace=lambda ns: told.append(("pace", ns)),
    )
    assert told == [("pace", at(0)), ("of 2", 1), ("pace", at(1)), ("of 2", 2)]


# The summary -----------------------------------------------------------------------------------


def summary(*inputs: Input, **settings: str) -> dict[str, Any]:
    """Play inputs; return the summary."""
    found: dict[str, Any] = played(*inputs, **settings)["summary"]
    return found


def test_results_are_counted() -> None:
    """By status, and by the headline of what was refused; fills and fees are added up."""
    found = summary(
        quote(0),
        request(1, 1),
        request(2, 2, contracts=500),
        request(3, 3, 97),
        request(4, 4, idempotency_key="k-1"),
        request(5, 5, 61),
    )
    assert found["by_status"] == {"Cancelled": 1, "Filled": 1, "Rejected": 3}
    assert found["by_code"] == {
        "DUPLICATE_REQUEST": 1,
        "MAX_ORDER_SIZE": 1,
        "PRICE_OUT_OF_RANGE": 1,
    }
    assert found["fills"] == 1
    assert found["fees"] == Decimal("0.165")


def test_profit_and_loss() -> None:
    """By average cost and before fees; what is held stands at the best opposite price."""
    found = summary(
        quote(0),
        request(1, 1),
        quote(2, 70, 72),
        request(3, 2, 70, 4, action=Action.SELL),
        quote(4, 75, 77),
    )
    assert found["pnl"] == {"realized": Decimal("0.32"), "unrealized": Decimal("0.78")}


def test_without_a_bid_nothing_is_marked() -> None:
    """Where nobody bids what is held stands at its cost."""
    found = summary(quote(0), request(1, 1), quote(2, None, 62))
    assert found["pnl"]["unrealized"] == 0


def test_worst_exposures_are_the_highest_ever_reached() -> None:
    """The maximum over time, of a market, a game, a sport and all; what was closed since counts."""
    there = Platform.POLYMARKET
    found = summary(
        quote(0),
        quote(0, market_id="KX-TOTAL"),
        quote(0, market_id="KX-AWAY", game_id="nba_DEN@LAL"),
        quote(0, market_id="1", platform=there, game_id="nfl", sport="NFL"),
        request(1, 1),
        request(2, 2, market_id="KX-TOTAL"),
        request(3, 3, contracts=5, market_id="KX-AWAY"),
        request(4, 4, contracts=3, market_id="1", platform=there),
        request(5, 5, 60, action=Action.SELL),
        request(6, 6, 60, action=Action.SELL, market_id="KX-TOTAL"),
    )
    assert found["worst_exposure"] == {
        "market": Decimal("6.2"),
        "game": Decimal("12.4"),
        "sport": Decimal("15.5"),
        "total": Decimal("17.36"),
    }


def test_open_orders_are_exposure() -> None:
    """What rests could fill: it counts with what is held."""
    found = summary(quote(0), request(1, 1), request(2, 2, 50, 20, time_in_force=GTC))
    assert found["worst_exposure"]["market"] == Decimal("16.2")


def test_the_head_is_that_of_the_journal() -> None:
    """Sequence and hash are of the last record of the playback."""
    found = summary(quote(0), request(1, 1))
    assert found["journal"]["sequence"] > 3
    assert len(found["journal"]["hash"]) == 64
