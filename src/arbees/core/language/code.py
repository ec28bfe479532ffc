"""What a code is: its unit, its sentence, and how values read in it."""

from enum import StrEnum

import msgspec

from arbees.core.language.units import format_dollars, format_micro, whole_milliseconds


class Unit(StrEnum):
    """Unit of what was observed and of its limit."""

    DOLLARS = "dollars"
    PRICE = "price"
    CONTRACTS = "contracts"
    COUNT = "count"
    SECONDS = "seconds"
    POINTS = "points"
    TEXT = "text"


class Code(msgspec.Struct, frozen=True):
    """One code: who says it, its unit, its sentence and what to do about it."""

    safeguard: str
    unit: Unit
    message: str
    """With `{observed}` and `{limit}`."""
    remedy: str


def show(unit: Unit, value: int | str | None) -> str:
    """Write a value in its unit, for people."""
    if value is None or isinstance(value, str):
        return value or ""
    if unit is Unit.DOLLARS:
        return format_dollars(value)
    if unit is Unit.PRICE:
        return format_dollars(value).replace("$", "")
    if unit is Unit.SECONDS:
        return format_micro(whole_milliseconds(value) * 1_000)
    if unit is Unit.COUNT:
        return str(value)
    return format_micro(value)


def sentence(known: Code, observed: int | str | None, limit: int | str | None) -> str:
    """Return the sentence of a denial or warning."""
    return known.message.format(observed=show(known.unit, observed), limit=show(known.unit, limit))
