"""Exact numbers: money, prices and quantities as integers in millionths.

Guarantees that no float takes part in a decision and that each division says how it rounds. Text
is read exactly or refused. Holds the only divisions of `core` and `safeguards`.
"""

import re
from decimal import Decimal, InvalidOperation

MICRO = 1_000_000
"""Millionths in one unit: micro-dollars in a dollar, micro-contracts in a contract."""

NS_PER_SECOND = 1_000_000_000
NS_PER_MILLISECOND = 1_000_000

_SCALE = (0, 100_000, 10_000, 1_000, 100, 10, 1)
"""Millionths of the last digit of a fraction, by its number of digits."""
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_DIGITS_MAX = 18
_TEXT_MAX = 64


def parse_micro(text: str) -> int:
    """
    Read a JSON number exactly.

    Args:
        text: a number as JSON writes it; no blanks, no `+`, no underscores.

    Returns:
        The number in millionths.

    Raises:
        ValueError: not a JSON number, not a multiple of 0.000001, or 1e18 and more.
    """
    plain = _parse_plain(text)
    if plain is not None:
        return plain
    if len(text) > _TEXT_MAX or _JSON_NUMBER.fullmatch(text) is None:
        msg = f"Expected a decimal number, was {text[:_TEXT_MAX]!r}"
        raise ValueError(msg)
    try:
        number = Decimal(text)
    except InvalidOperation:
        msg = f"Expected a decimal number, was {text!r}"
        raise ValueError(msg) from None
    if not number:
        return 0
    if not -6 - _TEXT_MAX <= number.adjusted() < _DIGITS_MAX:
        msg = f"Expected a number below 1e18 in steps of 0.000001, was {text}"
        raise ValueError(msg)
    # In integers: arithmetic of Decimal would round to 28 digits before anybody looks.
    numerator, denominator = number.as_integer_ratio()
    value, rest = divmod(numerator * MICRO, denominator)
    if rest:
        msg = f"Expected a multiple of 0.000001, was {text}"
        raise ValueError(msg)
    return value


def _parse_plain(text: str) -> int | None:
    """Read the usual spelling (`50`, `0.65`) quickly; None = look closer."""
    whole, dot, fraction = text.partition(".")
    digits = len(fraction)
    if (
        not whole.isdecimal()
        or not text.isascii()
        or (whole[0] == "0" and len(whole) > 1)
        or len(whole) > _DIGITS_MAX
    ):
        return None
    if not dot:
        return int(whole) * MICRO
    if not fraction.isdecimal() or digits >= len(_SCALE):
        return None
    return int(whole) * MICRO + int(fraction) * _SCALE[digits]


def format_micro(value: int) -> str:
    """Write millionths as the shortest exact decimal: 650000 -> `0.65`, 50000000 -> `50`."""
    whole, rest = divmod(abs(value), MICRO)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{rest:06d}".rstrip("0") if rest else f"{sign}{whole}"


def format_dollars(value: int) -> str:
    """Write micro-dollars for people, two decimals or more, never rounded: `$95.00`, `-$0.0154`."""
    whole, rest = divmod(abs(value), MICRO)
    sign = "-" if value < 0 else ""
    fraction = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{fraction}"


def to_decimal(value: int) -> Decimal:
    """
    Return millionths as an exact decimal number, for text that leaves the gateway.

    It never has a positive exponent: fifty reads 50, not 5E+1.
    """
    whole, rest = divmod(value, MICRO)
    return Decimal(value).scaleb(-6).normalize() if rest else Decimal(whole)


def mul_ceil(left: int, right: int) -> int:
    """Multiply two numbers in millionths, rounded up: what we may owe."""
    return -(-left * right // MICRO)


def mul_floor(left: int, right: int) -> int:
    """Multiply two numbers in millionths, rounded down: what we may receive."""
    return left * right // MICRO


def div_ceil(numerator: int, denominator: int) -> int:
    """Divide two integers, rounded up."""
    return -(-numerator // denominator)


def div_floor(numerator: int, denominator: int) -> int:
    """Divide two integers, rounded down."""
    return numerator // denominator


def ratio_ceil(numerator: int, denominator: int) -> int:
    """Return a quotient of two like amounts in millionths, rounded up."""
    return -(-numerator * MICRO // denominator)


def ratio_floor(numerator: int, denominator: int) -> int:
    """Return a quotient of two like amounts in millionths, rounded down."""
    return numerator * MICRO // denominator


def share_floor(amount: int, part: int, whole: int) -> int:
    """Return the share `part / whole` of an amount, rounded down."""
    return amount * part // whole


def is_multiple(value: int, step: int) -> bool:
    """Tell whether a value lies on a grid of the given step."""
    return value % step == 0


def round_up(value: int, step: int) -> int:
    """Round up to the next multiple of a step."""
    return -(-value // step) * step


def whole_seconds(ns: int) -> int:
    """Return nanoseconds as whole seconds, rounded down."""
    return ns // NS_PER_SECOND


def whole_milliseconds(ns: int) -> int:
    """Return nanoseconds as whole milliseconds, rounded down."""
    return ns // NS_PER_MILLISECOND


def whole_microseconds(ns: int) -> int:
    """Return nanoseconds as whole microseconds, rounded down."""
    return ns // 1_000


def micro_seconds_of(ns: int) -> int:
    """Return nanoseconds as seconds in millionths, rounded down."""
    return ns // 1_000
