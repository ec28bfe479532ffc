"""Exact numbers: text is read exactly or refused, and each division rounds as its name says."""

import json
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arbees.core.language import units
from arbees.core.language.units import (
    MICRO,
    div_ceil,
    div_floor,
    format_dollars,
    format_micro,
    is_multiple,
    micro_seconds_of,
    mul_ceil,
    mul_floor,
    parse_micro,
    ratio_ceil,
    ratio_floor,
    round_up,
    share_floor,
    to_decimal,
    whole_microseconds,
    whole_seconds,
)

numbers = st.integers(-(10**24), 10**24)
steps = st.integers(1, 10**12)

READ = {
    "0": 0,
    "-0": 0,
    "0.0": 0,
    "0e999": 0,
    "7": 7_000_000,
    "-7": -7_000_000,
    "10": 10_000_000,
    "0.65": 650_000,
    "-0.65": -650_000,
    "0.5": 500_000,
    "0.05": 50_000,
    "0.005": 5_000,
    "0.0005": 500,
    "0.00005": 50,
    "0.000001": 1,
    "0.0000010": 1,
    "0.650000000000000000000": 650_000,
    "123.456789": 123_456_789,
    "1e3": 1_000_000_000,
    "1E+3": 1_000_000_000,
    "1.5e1": 15_000_000,
    "1e-6": 1,
    "10e-7": 1,
    "1000000000": 10**15,
    "999999999999999999.999999": 10**24 - 1,
    "-999999999999999999.999999": 1 - 10**24,
    "9e17": 9 * 10**23,
}
REFUSED = (
    *("", " ", " 5", "5 ", "+5", "1_000", "1,000", "05", "00", "-05", ".5", "5.", "-", "--5"),
    *("0x10", "NaN", "nan", "Infinity", "-Infinity", "inf", "1e", "1e1.5", "e5", "five"),
    *("٣", "1.٣", "½", "5\n", "1.2.3", "-.5", "0.5.", "01.5", "00.5"),
)


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_reads(text: str, value: int) -> None:
    """Every spelling of JSON is read exactly."""
    assert parse_micro(text) == value


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_what_is_no_number(text: str) -> None:
    """What JSON would not take as a number is none, and the error shows it."""
    with pytest.raises(ValueError, match="Expected a decimal number, was") as error:
        parse_micro(text)
    assert str(error.value) == f"Expected a decimal number, was {text!r}"


@pytest.mark.parametrize(
    "text",
    [
        "0.0000001",
        "1e-7",
        "0.6500001",
        "-0.0000005",
        "999999999999999999.9999991",
        "0.1000000000000000000000000000000000000001",
        "100000000000000000.00000100000000000001",
        "1e-70",
    ],
)
def test_refuses_what_is_too_fine(text: str) -> None:
    """Nothing is rounded on the way in, however many digits there are."""
    with pytest.raises(ValueError, match="Expected") as error:
        parse_micro(text)
    assert str(error.value) == f"Expected a multiple of 0.000001, was {text}"


@pytest.mark.parametrize(
    "text", ["1e18", "1000000000000000000", "-1e18", "1e999999999", "1e-71", "1e-999999999"]
)
def test_refuses_what_is_too_large_or_absurdly_small(text: str) -> None:
    """An exponent cannot make the gateway work: the magnitude is looked at first."""
    with pytest.raises(ValueError, match="below 1e18") as error:
        parse_micro(text)
    assert str(error.value) == f"Expected a number below 1e18 in steps of 0.000001, was {text}"


def test_long_texts_are_cut_in_the_error() -> None:
    """64 characters are read, more are refused without being repeated."""
    assert parse_micro("0." + "5" + "0" * 61) == 500_000
    with pytest.raises(ValueError, match="decimal") as error:
        parse_micro("0." + "5" + "0" * 62)
    assert str(error.value) == "Expected a decimal number, was '0.5" + "0" * 61 + "'"


def test_exponents_beyond_decimals_are_refused() -> None:
    """A number that no Decimal can hold is refused like any other."""
    with pytest.raises(ValueError, match="Expected a decimal number, was '1e9999999999999999999'"):
        parse_micro("1e9999999999999999999")


@given(numbers.filter(lambda value: abs(value) < 10**24))
def test_what_is_written_reads_the_same(value: int) -> None:
    """Writing and reading is the identity."""
    assert parse_micro(format_micro(value)) == value
    assert to_decimal(value) * MICRO == value


@given(st.integers(-(10**6), 10**6), st.integers(0, 12), st.integers(-20, 30))
@example(10, 1, 0)
def test_reading_agrees_with_fractions(whole: int, digits: int, exponent: int) -> None:
    """Whatever the spelling, the value is that of the text, or it is refused."""
    text = f"{whole}.{'1'.rjust(digits, '0')}e{exponent}" if digits else f"{whole}e{exponent}"
    exact = Fraction(text) * MICRO
    if exact.denominator == 1 and abs(exact) < 10**24:
        assert parse_micro(text) == exact
    else:
        with pytest.raises(ValueError, match="Expected"):
            parse_micro(text)


@given(st.text(max_size=12))
def test_reads_what_json_reads(text: str) -> None:
    """A text is a number exactly if JSON says so."""
    try:
        found = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        is_number = isinstance(found, Decimal) and text == text.strip()
    except ValueError:
        is_number = False
    if not is_number:
        with pytest.raises(ValueError, match="Expected"):
            parse_micro(text)


@pytest.mark.parametrize(
    ("value", "plain", "dollars"),
    [
        (0, "0", "$0.00"),
        (1, "0.000001", "$0.000001"),
        (-1, "-0.000001", "-$0.000001"),
        (650_000, "0.65", "$0.65"),
        (500_000, "0.5", "$0.50"),
        (95_000_000, "95", "$95.00"),
        (-15_400, "-0.0154", "-$0.0154"),
        (1_234_567_890_123, "1234567.890123", "$1,234,567.890123"),
        (-2_000_000, "-2", "-$2.00"),
        (100_000_000, "100", "$100.00"),
    ],
)
def test_writes(value: int, plain: str, dollars: str) -> None:
    """Numbers are written exactly and as short as may be; dollars with two decimals or more."""
    assert format_micro(value) == plain
    assert format_dollars(value) == dollars


@pytest.mark.parametrize(
    ("value", "text"),
    [(50_000_000, "50"), (650_000, "0.65"), (-1, "-0.000001"), (0, "0"), (1_500_000, "1.5")],
)
def test_decimals_have_no_exponent(value: int, text: str) -> None:
    """Fifty reads 50, not 5E+1."""
    assert f"{to_decimal(value):f}" == text
    exponent = to_decimal(value).as_tuple().exponent
    assert isinstance(exponent, int)
    assert exponent <= 0


@given(numbers, numbers)
def test_products(left: int, right: int) -> None:
    """What we may owe is rounded up, what we may receive down."""
    exact = Fraction(left * right, MICRO)
    assert mul_ceil(left, right) == ceil(exact)
    assert mul_floor(left, right) == floor(exact)


@given(numbers, steps)
def test_quotients(numerator: int, denominator: int) -> None:
    """Each division rounds as its name says."""
    exact = Fraction(numerator, denominator)
    assert div_ceil(numerator, denominator) == ceil(exact)
    assert div_floor(numerator, denominator) == floor(exact)
    assert ratio_ceil(numerator, denominator) == ceil(exact * MICRO)
    assert ratio_floor(numerator, denominator) == floor(exact * MICRO)


@given(numbers, st.integers(0, 10**12), steps)
def test_shares(amount: int, part: int, whole: int) -> None:
    """A share is rounded down; the whole of it is all of it."""
    assert share_floor(amount, part, whole) == floor(Fraction(amount * part, whole))
    assert share_floor(amount, whole, whole) == amount


@given(numbers, steps)
def test_grids(value: int, step: int) -> None:
    """Rounding up gives the first multiple that is not below."""
    up = round_up(value, step)
    assert is_multiple(up, step)
    assert value <= up < value + step
    assert is_multiple(value, step) == (up == value)


def test_grid_examples() -> None:
    """On the grid stays, off it moves up."""
    assert round_up(0, 100) == 0
    assert round_up(1, 100) == 100
    assert round_up(100, 100) == 100
    assert round_up(101, 100) == 200
    assert is_multiple(300, 100)
    assert not is_multiple(301, 100)


def test_times() -> None:
    """Parts of a second are dropped, never rounded up."""
    assert whole_seconds(1_999_999_999) == 1
    assert whole_seconds(2_000_000_000) == 2
    assert whole_seconds(-1) == -1
    assert whole_microseconds(1_999) == 1
    assert whole_microseconds(-1) == -1
    assert micro_seconds_of(1_999) == 1
    assert micro_seconds_of(2_000_000_000) == 2 * MICRO
    assert (units.NS_PER_SECOND, units.NS_PER_MILLISECOND, MICRO) == (10**9, 10**6, 10**6)
