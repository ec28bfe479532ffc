"""What a request may look like, field by field: what is read, and what is malformed."""

import json
from typing import Any

from tests.acceptance.recorded import QUICK, WIDE, YES_TOKEN, Recorder, quote, request

ALTERNATE = {
    "platform": "Polymarket",
    "market_id": YES_TOKEN,
    "side": "Yes",
    "limit_price": "0.5",
}
REQUIRED = (
    *("request_id", "idempotency_key", "platform", "market_id", "side", "size", "limit_price"),
)
NO_NUMBERS = (
    *('" 5"', '"5 "', '"+5"', '"1_000"', '"NaN"', "NaN", "Infinity", '"Infinity"', '"1e400"'),
    *("1e400", '"5."', '".5"', '"05"', '"0x5"', "true", '""', "[]", "{}", '"\\u0665"', '"1,000"'),
    *('"1e-7"', "1e-7", '"0.0000001"', "1.0000001"),
)
SIZES = (
    *("1", "1.0", '"1.0"', '"1e0"', '"0.1e1"', "1e0", '"1.000000000"', "0.01", '"100e-2"'),
    *("1000000000", '"1000000000"', "1e9"),
)
NO_SIZES = (*NO_NUMBERS, "0", '"0"', "-1", '"-1"', '"1000000000.000001"', "1000000001")
PRICES = ("0.5", '"0.5"', "5e-1", '"0.000001"', '"0.999999"', '"0.50000000"')
NO_PRICES = (*NO_NUMBERS, "0", "1", '"0"', "1.0", "-0.5", '"0.9999999"')
PROBABILITIES = ("0", "1", "0.5", '"0.692089"', "1.0")
NO_PROBABILITIES = ("1.000001", "-0.000001", '"x"', "NaN", '"NaN"', "true", "2")
EDGES = ("0", "-1.5", '"18.5"', "18.5", "-1000000", "1e9")
NO_EDGES = ('"NaN"', "NaN", "Infinity", '"x"', "true", '"+1"')
TIMES = (
    *("2026-01-28T20:00:01Z", "2026-01-28T15:00:01-05:00", "2026-01-28T20:00:01.5Z"),
    "2026-01-28T20:00:01.123456789+00:00",
)
NO_TIMES = (
    *("2026-01-28T20:00:00", "2026-02-30T00:00:00Z", "2026-01-28", "", "x"),
    *("2026-01-28T25:00:00Z", "2026-01-28T20:00Z"),
)
IDS = ("request_id", "idempotency_key", "signal_id", "market_id", "token_id", "game_id", "strategy")
NO_IDS = ("", "x" * 129, "a\tb", "\u00e9", "a\x7f", "a\x00")
WORDS = {
    "platform": ("kalshi", "KALSHI"),
    "side": ("yes", "NO"),
    "action": ("buy", "SELL"),
    "time_in_force": ("ioc", "Fok", "gtc"),
}


def raw(field: str, text: str) -> str:
    """Return a request whose field is this JSON."""
    return json.dumps(request(**{field: "@"})).replace('"@"', text)


def malformed() -> list[str]:
    """Return lines that must be malformed."""
    fields = [request(**{field: None}) for field in REQUIRED]
    fields += [request() | {field: None} for field in REQUIRED]
    fields += [request(**{field: 5}) for field in (*IDS, "sport", "reason")]
    fields += [request(**{field: text}) for field in IDS for text in NO_IDS]
    fields += [
        request(**{field: text})
        for field in ("created_at", "expires_at", "game_start_at")
        for text in NO_TIMES
    ]
    fields += [request(**{field: "other"}) for field in WORDS]
    fields += [request(alternates=[{**ALTERNATE, "size": "1"}]), request(alternates=ALTERNATE)]
    fields += [
        request(alternates=[{name: text for name, text in ALTERNATE.items() if name != left}])
        for left in ALTERNATE
    ]
    fields += [request(foo=1), request(time_in_force="GTD"), request(attempt=0)]
    fields += [request(attempt=True), request(attempt=1.5)]
    whole = json.dumps(request())
    texts = [
        "[]",
        "5",
        "null",
        "{}",
        "no JSON",
        whole[:-3],
        whole + whole,
        whole[:-1] + ', "side": "No"}',
    ]
    texts += [raw("size", text) for text in NO_SIZES]
    texts += [raw("limit_price", text) for text in NO_PRICES]
    texts += [
        raw(field, text)
        for field in ("model_prob", "market_prob", "pregame_prob")
        for text in NO_PROBABILITIES
    ]
    texts += [raw("edge_pct", text) for text in NO_EDGES]
    return [*map(json.dumps, fields), *texts]


def readable() -> list[str]:
    """Return lines that must be read."""
    fields: list[dict[str, Any]] = [request(None), request() | dict.fromkeys(("sport", "reason"))]
    fields += [request(**{field: text}) for field, texts in WORDS.items() for text in texts]
    fields += [
        request(**{field: text})
        for field in ("created_at", "expires_at", "game_start_at")
        for text in TIMES
    ]
    fields += [request(**{field: "~" * 126 + str(number)}) for number, field in enumerate(IDS, 10)]
    fields += [request(alternates=[]), request(alternates=[ALTERNATE]), request(reason="too late")]
    fields += [request(time_in_force="GTD", expires_at="2026-01-28T20:30:00Z")]
    texts = [raw("size", text) for text in SIZES] + [raw("limit_price", text) for text in PRICES]
    texts += [
        raw(field, text)
        for field in ("model_prob", "market_prob", "pregame_prob")
        for text in PROBABILITIES
    ]
    texts += [raw("edge_pct", text) for text in EDGES]
    return [*map(json.dumps, fields), *texts]


def test_what_is_malformed(recorder: Recorder) -> None:
    """Each of these lines ends as MALFORMED and does nothing."""
    lines = malformed()
    played = recorder.play(lines, [quote()])
    taken = [line for line, code in zip(lines, played.codes, strict=True) if code != "MALFORMED"]
    assert taken == []
    assert played.summary["journal"]["sequence"] < 10


def test_what_is_read(recorder: Recorder) -> None:
    """None of these lines is malformed; the least is the seven required fields."""
    lines = readable()
    played = recorder.play(lines, [quote()], settings={**WIDE, **QUICK})
    refused = [line for line, code in zip(lines, played.codes, strict=True) if code == "MALFORMED"]
    assert refused == []
