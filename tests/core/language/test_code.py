"""Values in their units, as people read them in a message."""

import pytest

from arbees.core.language.code import (
    Code,
    Unit,
    sentence,
    show,
)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.DOLLARS, 95_000_000, "$95.00"),
        (Unit.DOLLARS, -15_400, "-$0.0154"),
        (Unit.PRICE, 650_000, "0.65"),
        (Unit.PRICE, 500_000, "0.50"),
        (Unit.PRICE, -500_000, "-0.50"),
        (Unit.CONTRACTS, 12_500_000, "12.5"),
        (Unit.CONTRACTS, 10_000_000, "10"),
        (Unit.POINTS, 18_500_000, "18.5"),
        (Unit.COUNT, 21, "21"),
        (Unit.SECONDS, 31_234_999_999, "31.234"),
        (Unit.SECONDS, 30_000_000_000, "30"),
        (Unit.SECONDS, 999_999, "0"),
        (Unit.SECONDS, -1, "-0.001"),
        (Unit.TEXT, "text", "text"),
        (Unit.DOLLARS, "0.05 to 0.95", "0.05 to 0.95"),
        (Unit.COUNT, None, ""),
        (Unit.TEXT, "", ""),
    ],
)
def test_values_are_shown_in_their_unit(unit: Unit, value: int | str | None, text: str) -> None:
    """Dollars with a sign, prices without, seconds to the millisecond, texts as they are."""
    assert show(unit, value) == text


def test_units_are_named_in_the_documentation() -> None:
    """The words of the reference."""
    assert tuple(Unit) == (
        *("dollars", "price", "contracts", "count", "seconds", "points", "text"),
    )


def test_a_sentence_holds_both_values() -> None:
    """What was observed, and the limit, each in the unit of the code."""
    known = Code("x", Unit.DOLLARS, "{observed} of {limit}", "Less.")
    assert sentence(known, 2_000_000, 1_500_000) == "$2.00 of $1.50"
    assert sentence(known, None, "all") == " of all"
    assert (known.safeguard, known.unit, known.remedy) == ("x", "dollars", "Less.")
