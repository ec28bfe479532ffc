"""Quotes and settlements: a line is read exactly, or refused by the name of its field."""

from typing import Any

import msgspec
import pytest

from arbees.core.language.payouts import NO_WON, YES_WON
from arbees.core.language.quote import (
    AHEAD_MAX_NS,
    Quote,
    Settlement,
    is_crossed,
    is_outdated,
    parse_quote,
    parse_recorded_quote,
    parse_settlement,
    sound,
)
from arbees.core.language.strict_json import Malformed
from arbees.core.language.words import Platform

NOW = 1_769_632_200 * 10**9
LEAST: dict[str, Any] = {"platform": "Kalshi", "market_id": "M-1", "bids": [], "asks": []}
SETTLED: dict[str, Any] = {"platform": "polymarket", "market_id": "1111", "result": "NO"}
ID = "Expected 1 to 128 printable ASCII characters, was "
TIME = "Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z), was "
ORDER = "Expected the best price first, each price once"


def parse(**changes: Any) -> Quote:
    """Read the least quote with some fields changed; `...` takes one out."""
    fields = {name: value for name, value in {**LEAST, **changes}.items() if value is not ...}
    return parse_quote(msgspec.json.encode(fields), NOW)


def refusal(**changes: Any) -> tuple[str | None, str]:
    """Return field and message of the refusal of a quote."""
    with pytest.raises(Malformed) as error:
        parse(**changes)
    return error.value.field, error.value.message


def test_the_least_quote() -> None:
    """An empty book at the time of arrival."""
    assert parse() == Quote(
        ts_ns=NOW,
        platform=Platform.KALSHI,
        market_id="M-1",
        bids=(),
        asks=(),
        sport=None,
        game_id=None,
        game_start_ns=None,
        condition_id=None,
        opposite_token_id=None,
        tick=None,
        lot=None,
        status=None,
    )


def test_what_a_quote_leaves_out() -> None:
    """A quote that is made by hand says no more than it must."""
    least = Quote(ts_ns=1, platform=Platform.KALSHI, market_id="M", bids=(), asks=())
    nothing = (
        *(least.sport, least.game_id, least.game_start_ns, least.condition_id),
        *(least.opposite_token_id, least.tick, least.lot, least.status),
    )
    assert set(nothing) == {None}


@pytest.mark.parametrize(
    ("ts", "known", "now", "expected"),
    [
        (9, 10, 20, True),
        (10, 10, 20, False),
        (11, 10, 20, False),
        (9, AHEAD_MAX_NS + 20, 20, True),
        (9, AHEAD_MAX_NS + 21, 20, False),
    ],
)
def test_an_older_quote_is_outdated(ts: int, known: int, now: int, expected: bool) -> None:
    """Unless the newest one came from more than two seconds in the future."""
    assert is_outdated(ts, known, now) is expected
    assert AHEAD_MAX_NS == 2 * 10**9


def test_a_quote_that_says_everything() -> None:
    """Every field arrives in its own place."""
    assert parse(
        ts="2026-01-28T20:29:59.5Z",
        platform="POLYMARKET",
        bids=[["0.64", 10], [0.63, "2.5"]],
        asks=[[0.66, 1], ["0.99", "0.000001"]],
        sport="NBA",
        game_id="nba_1",
        game_start_at="2026-01-29T00:30:00Z",
        condition_id="0xc0ffee",
        opposite_token_id="2222",
        tick=0.001,
        lot="0.01",
        status="CLOSED",
    ) == Quote(
        ts_ns=NOW - 500_000_000,
        platform=Platform.POLYMARKET,
        market_id="M-1",
        bids=((640_000, 10_000_000), (630_000, 2_500_000)),
        asks=((660_000, 1_000_000), (990_000, 1)),
        sport="NBA",
        game_id="nba_1",
        game_start_ns=NOW + 14_400 * 10**9,
        condition_id="0xc0ffee",
        opposite_token_id="2222",
        tick=1_000,
        lot=10_000,
        status="closed",
    )


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [("0.60", "0.61", False), ("0.60", "0.60", True), ("0.61", "0.60", True)],
)
def test_a_crossed_or_locked_book_is_refused(bid: str, ask: str, expected: bool) -> None:
    """Fed by hand it is a mistake, and names the field; in a recording it is as it was."""
    book: dict[str, Any] = {"bids": [[bid, 5], ["0.1", 5]], "asks": [[ask, 5], ["0.9", 5]]}
    recorded = parse_recorded_quote(msgspec.json.encode({**LEAST, **book}), NOW)
    assert is_crossed(recorded.bids, recorded.asks) is expected
    if not expected:
        assert parse(**book) == sound(recorded) == recorded
        return
    field, text = refusal(**book)
    assert field == "asks"
    assert text.startswith(f"Expected asks above the best bid {float(bid):g}, was {float(ask):g}")
    assert (sound(recorded).bids, sound(recorded).asks) == ((), ())


def test_levels_that_are_none() -> None:
    """Nothing, or less, at a price; and prices that are none: whoever made the quote."""
    levels = ((640_000, 0), (630_000, 5), (0, 5), (1_000_000, 5), (620_000, -5))
    made = Quote(ts_ns=1, platform=Platform.KALSHI, market_id="M", bids=levels, asks=levels)
    assert (sound(made).bids, sound(made).asks) == ((), ()), "locked by what is left of it"
    made = Quote(ts_ns=1, platform=Platform.KALSHI, market_id="M", bids=levels, asks=())
    assert (sound(made).bids, sound(made).asks) == (((630_000, 5),), ())


OPEN = ("open", "Active", "ACTIVE")
CLOSED = (
    *("closed", "PAUSED", "halted", "suspended", "Settled", "unopened"),
    *("initialized", "inactive", "determined", "disputed", "amended", "finalized"),
)


@pytest.mark.parametrize(
    ("word", "status"),
    [*((word, "open") for word in OPEN), *((word, "closed") for word in CLOSED)],
)
def test_a_status_is_open_or_closed(word: str, status: str) -> None:
    """The venues' words mean one of two."""
    assert parse(status=word).status == status


@pytest.mark.parametrize("field", sorted(LEAST))
def test_required_fields(field: str) -> None:
    """Without a market and both sides of its book there is no quote."""
    assert refusal(**{field: ...}) == (field, f"Object missing required field `{field}`")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("platform", "x", "Expected one of Kalshi, Polymarket, was 'x'"),
        ("market_id", "", ID + "''"),
        ("sport", "", ID + "''"),
        ("game_id", "", ID + "''"),
        ("condition_id", "", ID + "''"),
        ("opposite_token_id", "", ID + "''"),
        ("ts", "now", TIME + "'now'"),
        ("game_start_at", "now", TIME + "'now'"),
        ("status", "gone", "Expected one of open, closed, was 'gone'"),
        ("tick", 0, "Expected a price step between 0 and 1"),
        ("tick", 1, "Expected a price step between 0 and 1"),
        ("tick", -0.1, "Expected a price step between 0 and 1"),
        ("tick", "x", "Expected a decimal number, was 'x'"),
        ("lot", 0, "Expected a quantity step above 0"),
        ("lot", -1, "Expected a quantity step above 0"),
        ("lot", "x", "Expected a decimal number, was 'x'"),
        ("bids", [["x", 1]], "Expected a decimal number, was 'x'"),
        ("asks", [[0.5, "x"]], "Expected a decimal number, was 'x'"),
        ("bids", [[0, 1]], "Expected prices between 0 and 1 dollar"),
        ("asks", [[1, 1]], "Expected prices between 0 and 1 dollar"),
        ("asks", [[0.5, 1], [1.5, 1]], "Expected prices between 0 and 1 dollar"),
        ("bids", [[0.5, 0]], "Expected quantities above 0"),
        ("asks", [[0.5, -1]], "Expected quantities above 0"),
        ("bids", [[0.5, 1], [0.6, 1]], ORDER),
        ("bids", [[0.5, 1], [0.5, 1]], ORDER),
        ("asks", [[0.5, 1], [0.4, 1]], ORDER),
        ("asks", [[0.4, 1], [0.5, 1], [0.5, 2]], ORDER),
        ("bids", [[0.5, 1]] * 1_001, "Expected at most 1000 levels, was 1001"),
        ("asks", [[0.5, 1]] * 1_001, "Expected at most 1000 levels, was 1001"),
        ("extra", 1, "Object contains unknown field `extra`"),
        ("sport", 5, "Expected `str | null`, was `int`"),
    ],
)
def test_malformed_values(field: str, value: object, message: str) -> None:
    """Each is refused by the name of its field."""
    assert refusal(**{field: value}) == (field, message)


def test_bounds_are_inside() -> None:
    """A thousand levels, the smallest steps and the outermost prices pass."""
    levels = [[(1_000 - index) / 1_001, 1] for index in range(1_000)]
    exact = [[f"{price:.6f}", size] for price, size in levels]
    assert len(parse(bids=exact).bids) == 1_000
    assert parse(tick="0.000001").tick == 1
    assert parse(tick="0.999999").tick == 999_999
    assert parse(lot="0.000001").lot == 1
    assert parse(bids=[["0.000001", "0.000001"]]).bids == ((1, 1),)
    assert parse(asks=[["0.999999", 1]]).asks == ((999_999, 1_000_000),)


def test_null_is_absent() -> None:
    """An optional field that is null is as if it were not there."""
    optional = ("ts", "sport", "game_id", "game_start_at", "condition_id", "opposite_token_id")
    assert parse(**dict.fromkeys((*optional, "tick", "lot", "status"))) == parse()


def test_a_field_that_is_there_twice() -> None:
    """Of two values none is right."""
    data = msgspec.json.encode(LEAST)[:-1] + b',"bids":[]}'
    with pytest.raises(Malformed, match="bids: Expected the field once"):
        parse_quote(data, NOW)


def test_a_time_at_the_epoch_is_one() -> None:
    """Zero nanoseconds is a time, not the lack of one."""
    epoch = "1970-01-01T00:00:00Z"
    assert parse(ts=epoch).ts_ns == 0
    assert parse_settlement(msgspec.json.encode({**SETTLED, "ts": epoch}), NOW).ts_ns == 0


def test_a_settlement() -> None:
    """The winning side of a market, at its own time or at that of arrival."""
    known = Settlement(ts_ns=NOW, platform=Platform.POLYMARKET, market_id="1111", payouts=NO_WON)
    assert parse_settlement(msgspec.json.encode(SETTLED), NOW) == known
    later = {**SETTLED, "ts": "2026-01-28T20:30:01Z", "result": "yes"}
    assert parse_settlement(msgspec.json.encode(later), NOW) == Settlement(
        ts_ns=NOW + 10**9, platform=Platform.POLYMARKET, market_id="1111", payouts=YES_WON
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("platform", "x", "Expected one of Kalshi, Polymarket, was 'x'"),
        ("market_id", "", ID + "''"),
        ("result", "void", "Expected one of Yes, No, was 'void'"),
        ("ts", "now", TIME + "'now'"),
        ("extra", 1, "Object contains unknown field `extra`"),
    ],
)
def test_malformed_settlements(field: str, value: object, message: str) -> None:
    """Each is refused by the name of its field."""
    with pytest.raises(Malformed) as error:
        parse_settlement(msgspec.json.encode({**SETTLED, field: value}), NOW)
    assert (error.value.field, error.value.message) == (field, message)
