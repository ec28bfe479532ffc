"""What is said about likely mistakes; where nothing is likely, nothing is said."""

import pytest

from arbees.core.language import input_hints
from arbees.core.language.request import RequestWire

FIELDS = RequestWire.__struct_fields__
SIDES = ("Yes", "No")
ACTIONS = ("Buy", "Sell")
TIMES = ("IOC", "FOK", "GTC", "GTD")
SWITCH = ("ENABLE", "DISABLE", "REDUCE")
UNIT = "without a sign or unit: dollars as 0.52, contracts as 10, probabilities as 0.55"
UNKNOWN = "a number that is not known is left out, with its field"
NOISE = "floating-point noise? Round it to the tick, or send a string such as '0.3'"
SIX = "at most six decimals: round it to the tick"
PYTHON = "with Python: json.dumps(...), not str(...)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, UNKNOWN) for text in ("nan", "-Infinity", "None", " null ")),
        *((text, UNIT) for text in ("$0.52", "52%", "52 cents", "10 contracts", "0.52 USDC", "€1")),
        ("1,000", "without separators: 1000"),
        ("1 000 000.5", "without separators: 1000000.5"),
        ("-1_000", "without separators: -1000"),
        ("0,52", "with a point: 0.52"),
        (".52", "with a digit before the point: 0.52"),
        ("-.5", "with a digit before the point: -0.5"),
        ("+5", "without a plus: 5"),
        (" 5", "without blanks: 5"),
        ("0.30000000000000004", NOISE),
        ("0.5199999999999999", NOISE),
        ("0.1234567", SIX),
        ("1.5e-9", SIX),
        ("abc", ""),
        ("1,00,000", ""),
        ("", ""),
    ],
)
def test_number(text: str, said: str) -> None:
    """Signs, separators, noise and words for nothing are told apart."""
    assert input_hints.of_number(text) == said


@pytest.mark.parametrize(
    ("shown", "micro", "said"),
    [
        ("52", 52_000_000, "did you mean 0.52? Prices are dollars, 52 cents are 0.52"),
        ("5", 5_000_000, "did you mean 0.05? Prices are dollars, 5 cents are 0.05"),
        ("52.5", 52_500_000, "did you mean 0.525? Prices are dollars, 52.5 cents are 0.525"),
        ("99.9999", 99_999_900, "did you mean 0.999999? Prices are dollars, 99.9999 cents are"),
        ("99.99999", 99_999_990, "a contract pays at most 1 dollar"),
        ("100", 100_000_000, "a contract pays at most 1 dollar"),
        ("1", 1_000_000, "a contract pays at most 1 dollar"),
        ("0", 0, "to sell, send action: Sell with a price above 0"),
        ("-52", -52_000_000, "to sell, send action: Sell with a price above 0"),
    ],
)
def test_price(shown: str, micro: int, said: str) -> None:
    """Cents are what a price between 1 and 100 is likely to be."""
    assert input_hints.of_price(shown, micro).startswith(said)


@pytest.mark.parametrize(
    ("shown", "micro", "said"),
    [
        ("55", 55_000_000, "did you mean 0.55? 55 percent are 0.55"),
        ("7.25", 7_250_000, "did you mean 0.0725? 7.25 percent are 0.0725"),
        ("100", 100_000_000, ""),
        ("-1", -1_000_000, "leave the field out where it is not known"),
    ],
)
def test_probability(shown: str, micro: int, said: str) -> None:
    """Percent are what a probability between 1 and 100 is likely to be."""
    assert input_hints.of_probability(shown, micro) == said


@pytest.mark.parametrize(
    ("micro", "said"),
    [
        (-1, "size has no sign: to sell, send action: Sell"),
        (0, "leave out a request that orders nothing"),
        (2_000_000_000_000_000, "size is contracts, not dollars"),
    ],
)
def test_size(micro: int, said: str) -> None:
    """Below, at and far above what may be ordered."""
    assert input_hints.of_size(micro) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-28T20:30:00", "which zone? 2026-01-28T20:30:00Z in UTC"),
        ("2026-01-28 20:30:00.5", "which zone? 2026-01-28T20:30:00.5Z in UTC"),
        ("1769632200", "seconds since 1970 are no RFC 3339"),
        ("1769632200.25", "seconds since 1970 are no RFC 3339"),
        ("2026-01-28T20:30:00+0100", "a zone is Z or has hours and minutes with a colon"),
        ("2026-01-28T20:30:00-05", "a zone is Z or has hours and minutes with a colon"),
        ("2026-01-28T20:30:00 EST", "a zone is Z or an offset such as -05:00"),
    ],
)
def test_time(text: str, said: str) -> None:
    """Zones that are missing, short or named, and counts of seconds."""
    assert input_hints.of_time(text).startswith(said)


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30T00:00:00Z", "28/01/2026", ""])
def test_time_of_no_known_kind(text: str) -> None:
    """Nothing is guessed."""
    assert input_hints.of_time(text) == ""


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("BUY", SIDES, "that is an action: send action: Buy, and side: Yes or No"),
        ("no", ACTIONS, "that is a side: send side: No"),
        ("y", SIDES, "did you mean Yes?"),
        ("false", SIDES, "did you mean No?"),
        ("FAK", TIMES, "did you mean IOC?"),
        ("day", TIMES, "did you mean GTD?"),
        ("fok!", TIMES, "did you mean FOK?"),
        ("on", SWITCH, "did you mean ENABLE?"),
        ("resume", SWITCH, "did you mean DISABLE?"),
        ("enabled", SWITCH, "did you mean ENABLE?"),
        ("polymarkt", ("Kalshi", "Polymarket"), "did you mean Polymarket?"),
        ("binance", ("Kalshi", "Polymarket"), ""),
    ],
)
def test_word(text: str, options: tuple[str, ...], said: str) -> None:
    """Words of other fields, of other systems, and misspelt ones."""
    assert input_hints.of_word(text, options) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ALL", "did you mean all?"),
        ("", "did you mean all?"),
        ("nba", "did you mean sport:NBA? The kind stands in front"),
        ("kalshi", "did you mean platform:Kalshi? The kind stands in front"),
        ("sports:NBA", "did you mean sport:NBA?"),
        ("strategie:", "did you mean strategy:X?"),
        ("account:main", ""),
    ],
)
def test_scope(text: str, said: str) -> None:
    """Scopes without their kind, and misspelt kinds."""
    kinds = ("market", "model_version", "platform", "sport", "strategy")
    assert input_hints.of_scope(text, kinds) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("limitPrice", "did you mean limit_price?"),
        ("limit-price", "did you mean limit_price?"),
        ("Qty", "did you mean size?"),
        ("ticker", "did you mean market_id?"),
        ("notional", "did you mean size? It is contracts: dollars divided by limit_price"),
        ("idempotencykey", "did you mean idempotency_key?"),
        ("zzz", ""),
    ],
)
def test_name(name: str, said: str) -> None:
    """Other spellings and other systems' names of fields."""
    assert input_hints.of_name(name, FIELDS) == said


def test_name_among_others() -> None:
    """A synonym counts only where the field is."""
    assert input_hints.of_name("notional", ("reason",)) == ""


def test_meant_fields_exist() -> None:
    """Each synonym leads to a field of a request."""
    assert set(input_hints.SYNONYMS.values()) <= set(FIELDS)
    assert not input_hints.SYNONYMS.keys() & set(FIELDS)


@pytest.mark.parametrize(
    ("expected", "came", "field", "said"),
    [
        ("object", "array", None, "send one request a call, not a list"),
        ("object", "array", "alternates[0]", ""),
        ("str | null", "int", "created_at", "a time is text: '2026-01-28T20:30:00Z'"),
        ("str", "int", "request_id", "put it in quotes"),
        ("str", "bool", "side", "a side is text: 'Yes' or 'No'"),
        ("str", "bool", "reason", ""),
        ("str", "null", "market_id", "leave the field out, or give it a value"),
        ("int | null", "str", "attempt", "without quotes"),
        ("bool", "str", "acknowledge", ""),
    ],
)
def test_kind(expected: str, came: str, field: str | None, said: str) -> None:
    """Values of another type."""
    assert input_hints.of_kind(expected, came, field) == said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the body is empty; with curl: -d '{...}' or -d @file"),
        (b" \r\n", "the body is empty; with curl: -d '{...}' or -d @file"),
        ('{"a":1}'.encode("utf-16"), "it is UTF-16: save it as UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "it is UTF-16: save it as UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "it begins with a byte order mark: save it as UTF-8 without one"),
        (b"{'a': 1}", f"JSON has double quotes; {PYTHON}"),
        (b"[ 'a']", f"JSON has double quotes; {PYTHON}"),
        (b"size=1&side=Yes", "it is a form: send a JSON object"),
        (b'{"a": NaN}', "JSON has no NaN and no Infinity: leave the field out"),
        (b'{"a":\n-Infinity}', "JSON has no NaN and no Infinity: leave the field out"),
        (b'{"a": None}', f"JSON has null, true and false; {PYTHON}"),
        (b'{"a": 1,}', "a comma stands before a closing bracket: take it away"),
        (b'{"a": [1, ], "b": 2}', "a comma stands before a closing bracket: take it away"),
        (b"{a: 1}", "names of fields stand in double quotes"),
        (b'{"a": 1} // one', "JSON has no comments"),
        (b'{"a": .5}', "a number begins with one digit, as 0.5, without a plus"),
        (b'{"a": 05}', "a number begins with one digit, as 0.5, without a plus"),
        (b'{"a": 1,000}', "numbers have no thousands separators"),
        (b'{"a": 1', ""),
        (b"hello", ""),
    ],
)
def test_json(data: bytes, said: str) -> None:
    """What other programs write in place of JSON."""
    assert input_hints.of_json(data) == said


def test_a_long_text_is_looked_at_in_part() -> None:
    """What stands far behind is not looked for: it takes no time."""
    assert input_hints.of_json(b'{"a": "' + b"x" * 5_000 + b'", "b": NaN}') == ""
