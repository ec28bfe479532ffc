"""Requests: every field read exactly, every malformed one refused by its name."""

from typing import Any

import msgspec
import pytest

from arbees.core.language.request import Alternate, Request, parse_request
from arbees.core.language.strict_json import Malformed
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)

NOW = 1_769_632_200 * 10**9
MICRO = 1_000_000
LEAST: dict[str, Any] = {
    "request_id": "r-1",
    "idempotency_key": "k-1",
    "platform": "Kalshi",
    "market_id": "M-1",
    "side": "Yes",
    "size": 10,
    "limit_price": 0.65,
}
ALTERNATE: dict[str, Any] = {
    "platform": "polymarket",
    "market_id": "1111",
    "side": "NO",
    "limit_price": "0.4",
}
ID = "Expected 1 to 128 printable ASCII characters, was "
TIME = "Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z), was "
SIZE = "Expected contracts above 0, at most 1e9, was "
PRICE = "Expected dollars of the named side, above 0 and below 1, was "
PROBABILITY = "Expected a probability from 0 to 1, was "


def parse(**changes: Any) -> Request:
    """Read the least request with some fields changed; `...` takes one out."""
    fields = {name: value for name, value in {**LEAST, **changes}.items() if value is not ...}
    return parse_request(msgspec.json.encode(fields), NOW)


def refusal(**changes: Any) -> tuple[str | None, str]:
    """Return field and message of the refusal of a request."""
    with pytest.raises(Malformed) as error:
        parse(**changes)
    return error.value.field, error.value.message


def test_the_least_request() -> None:
    """What is not said has its default: Buy, IOC, attempt 1, made on arrival."""
    assert parse() == Request(
        request_id="r-1",
        idempotency_key="k-1",
        platform=Platform.KALSHI,
        market_id="M-1",
        side=Side.YES,
        size=10 * MICRO,
        limit_price=650_000,
        created_ns=NOW,
        action=Action.BUY,
        time_in_force=TimeInForce.IOC,
        attempt=1,
        expires_ns=None,
        game_id=None,
        sport=None,
        signal_id=None,
        signal_type=None,
        edge_pct=None,
        model_prob=None,
        market_prob=None,
        pregame_prob=None,
        model_version=None,
        strategy=None,
        contract_team=None,
        token_id=None,
        game_start_ns=None,
        reason=None,
        alternates=(),
    )


FULL: dict[str, Any] = {
    "platform": "POLYMARKET",
    "side": "no",
    "size": "12.345678",
    "limit_price": "0.999999",
    "action": "sell",
    "time_in_force": "gtd",
    "attempt": 3,
    "created_at": "2026-01-28T20:29:59Z",
    "expires_at": "2026-01-28T20:31:00Z",
    "game_id": "nba_1",
    "sport": "NBA",
    "signal_id": "s-1",
    "signal_type": "ModelEdgeYes",
    "edge_pct": -18.5,
    "model_prob": 0,
    "market_prob": 1,
    "pregame_prob": "0.5",
    "model_version": "v7",
    "strategy": "alpha",
    "contract_team": "BOS",
    "token_id": "2222",
    "game_start_at": "2026-01-29T00:30:00Z",
    "reason": "édge",
    "alternates": [ALTERNATE],
}
FULL_READ = Request(
    request_id="r-1",
    idempotency_key="k-1",
    platform=Platform.POLYMARKET,
    market_id="M-1",
    side=Side.NO,
    size=12_345_678,
    limit_price=999_999,
    created_ns=NOW - 10**9,
    action=Action.SELL,
    time_in_force=TimeInForce.GTD,
    attempt=3,
    expires_ns=NOW + 60 * 10**9,
    game_id="nba_1",
    sport="NBA",
    signal_id="s-1",
    signal_type="ModelEdgeYes",
    edge_pct=-18_500_000,
    model_prob=0,
    market_prob=MICRO,
    pregame_prob=500_000,
    model_version="v7",
    strategy="alpha",
    contract_team="BOS",
    token_id="2222",
    game_start_ns=NOW + 14_400 * 10**9,
    reason="édge",
    alternates=(
        Alternate(
            platform=Platform.POLYMARKET, market_id="1111", side=Side.NO, limit_price=400_000
        ),
    ),
)


def test_a_request_that_says_everything() -> None:
    """Every field arrives in its own place."""
    assert parse(**FULL) == FULL_READ


def test_null_is_absent() -> None:
    """An optional field that is null is as if it were not there."""
    optional = FULL.keys() - LEAST.keys()
    assert parse(**dict.fromkeys(optional)) == parse()
    assert parse(alternates=[]) == parse()


@pytest.mark.parametrize("field", sorted(LEAST))
def test_required_fields(field: str) -> None:
    """Without any of the seven there is no request."""
    assert refusal(**{field: ...}) == (field, f"Object missing required field `{field}`")


def test_unknown_fields() -> None:
    """A field that nobody knows is refused, on top and in an alternate."""
    assert refusal(sizes=1) == ("sizes", "Object contains unknown field `sizes`")
    assert refusal(alternates=[{**ALTERNATE, "size": 1}]) == (
        "alternates[0].size",
        "Object contains unknown field `size`",
    )


def test_a_field_that_is_there_twice() -> None:
    """Of two values none is right."""
    data = msgspec.json.encode(LEAST)[:-1] + b',"size":1}'
    with pytest.raises(Malformed, match="size: Expected the field once, was there twice"):
        parse_request(data, NOW)


@pytest.mark.parametrize(
    ("field", "value", "was"),
    [
        ("request_id", 5, "Expected `str`, was `int`"),
        ("platform", None, "Expected `str`, was `null`"),
        ("attempt", "1", "Expected `int | null`, was `str`"),
        ("attempt", 1.5, "Expected `int | null`, was `float`"),
        ("sport", True, "Expected `str | null`, was `bool`"),
        ("created_at", 1_769_632_200, "Expected `str | null`, was `int`"),
        ("alternates", {}, "Expected `array | null`, was `object`"),
    ],
)
def test_wrong_types(field: str, value: object, was: str) -> None:
    """A type is never bent."""
    assert refusal(**{field: value}) == (field, was)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("size", 0, SIZE + "0"),
        ("size", -1, SIZE + "-1"),
        ("size", "1000000000.000001", SIZE + "1000000000.000001"),
        ("size", "0.0000001", "Expected a multiple of 0.000001, was 0.0000001"),
        ("size", "NaN", "Expected a decimal number, was 'NaN'"),
        ("limit_price", 0, PRICE + "0"),
        ("limit_price", 1, PRICE + "1"),
        ("limit_price", -0.5, PRICE + "-0.5"),
        ("limit_price", "1.000001", PRICE + "1.000001"),
        ("limit_price", " 0.5", "Expected a decimal number, was ' 0.5'"),
        ("model_prob", 1.000001, PROBABILITY + "1.000001"),
        ("model_prob", -0.000001, PROBABILITY + "-0.000001"),
        ("market_prob", 2, PROBABILITY + "2"),
        ("pregame_prob", -1, PROBABILITY + "-1"),
        ("pregame_prob", True, "Expected a decimal number, was 'true'"),
        ("edge_pct", "Infinity", "Expected a decimal number, was 'Infinity'"),
        ("attempt", 0, "Expected 1 to 1000000, was 0"),
        ("attempt", -1, "Expected 1 to 1000000, was -1"),
        ("attempt", 1_000_001, "Expected 1 to 1000000, was 1000001"),
        ("platform", "Betfair", "Expected one of Kalshi, Polymarket, was 'Betfair'"),
        ("side", "Maybe", "Expected one of Yes, No, was 'Maybe'"),
        ("action", "Short", "Expected one of Buy, Sell, was 'Short'"),
        ("time_in_force", "DAY", "Expected one of IOC, FOK, GTC, GTD, was 'DAY'"),
        (
            "time_in_force",
            "GTD",
            "Expected a time, since time_in_force is GTD, was absent",
        ),
        ("created_at", "now", TIME + "'now'"),
        ("expires_at", "2026-01-28T20:30:00", TIME + "'2026-01-28T20:30:00'"),
        ("game_start_at", "", TIME + "''"),
        ("request_id", "", ID + "''"),
        ("idempotency_key", "é", ID + "'é'"),
        ("market_id", "a\nb", ID + "'a\\nb'"),
        ("game_id", "", ID + "''"),
        ("sport", "", ID + "''"),
        ("signal_id", "a" * 129, ID + "'" + "a" * 79 + "..."),
        ("signal_type", "", ID + "''"),
        ("model_version", "", ID + "''"),
        ("strategy", "", ID + "''"),
        ("contract_team", "", ID + "''"),
        ("token_id", "", ID + "''"),
        ("reason", "a" * 1025, "Expected at most 1024 characters, was 1025"),
        ("alternates", [ALTERNATE] * 9, "Expected at most 8, was 9"),
    ],
)
def test_malformed_values(field: str, value: object, message: str) -> None:
    """Each is refused by the name of its field, with what was expected and what came."""
    named = "expires_at" if value == "GTD" else field
    assert refusal(**{field: value}) == (named, message)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("platform", "x", "Expected one of Kalshi, Polymarket, was 'x'"),
        ("market_id", "", ID + "''"),
        ("side", "x", "Expected one of Yes, No, was 'x'"),
        ("limit_price", "1", PRICE + "1"),
    ],
)
def test_malformed_alternates(field: str, value: object, message: str) -> None:
    """An alternate's field is named as such."""
    found = refusal(alternates=[ALTERNATE, {**ALTERNATE, field: value}])
    assert found == (f"alternates.{field}", message)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("size", "0.000001", 1),
        ("size", 1_000_000_000, 10**15),
        ("limit_price", "0.000001", 1),
        ("limit_price", "0.999999", 999_999),
        ("attempt", 1, 1),
        ("attempt", 1_000_000, 1_000_000),
        ("edge_pct", "-1e9", -(10**15)),
        ("reason", "a" * 1024, "a" * 1024),
        ("reason", "", ""),
        ("game_id", "g" * 128, "g" * 128),
    ],
)
def test_bounds_are_inside(field: str, value: object, expected: object) -> None:
    """The least and the greatest value of a field pass."""
    assert getattr(parse(**{field: value}), field) == expected


def test_eight_alternates_pass() -> None:
    """Eight is the most."""
    assert parse(alternates=[ALTERNATE] * 8).alternates == FULL_READ.alternates * 8


def test_a_time_of_creation_at_the_epoch_is_one() -> None:
    """Zero nanoseconds is a time, not the lack of one."""
    assert parse(created_at="1970-01-01T00:00:00Z").created_ns == 0


# Fingerprint -----------------------------------------------------------------------------------


def test_the_fingerprint_is_for_ever() -> None:
    """Old keys must still be recognized: the digest of a request never changes."""
    assert parse().fingerprint() == "1a4bc5480f7f11d038bb0ac6e6b4dc25"
    assert parse(strategy="alpha").fingerprint() == "f310b27dedffbc9989245e7a184f97ac"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", "Polymarket"),
        ("market_id", "M-2"),
        ("side", "No"),
        ("action", "Sell"),
        ("size", 11),
        ("limit_price", 0.66),
        ("time_in_force", "FOK"),
        ("strategy", "alpha"),
    ],
)
def test_economic_fields_make_the_fingerprint(field: str, value: object) -> None:
    """Another platform, market, side, action, size, price, time in force or strategy conflicts."""
    assert parse(**{field: value}).fingerprint() != parse().fingerprint()


def test_other_fields_do_not() -> None:
    """A retry may have another id, attempt, time, reason or model."""
    other = parse(
        request_id="r-2",
        idempotency_key="k-2",
        attempt=2,
        created_at="2026-01-28T20:29:59Z",
        expires_at="2026-01-28T20:31:00Z",
        model_version="v8",
        signal_id="s-2",
        reason="again",
        sport="NBA",
        alternates=[ALTERNATE],
    )
    assert other.fingerprint() == parse().fingerprint()


def test_parts_of_the_fingerprint_stay_apart() -> None:
    """No end of one field looks like the beginning of the next."""
    assert parse(market_id="M1", strategy="x").fingerprint() != parse(market_id="M").fingerprint()
    assert len(parse().fingerprint()) == 32
