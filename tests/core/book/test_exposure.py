"""One limit of exposure: inclusive, and only what is outside already lets reducing orders pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.exposure import judge
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import Action
from tests.safeguards.build import book_with, market, order

CODE = "MAX_TOTAL_EXPOSURE"
REDUCING = (Skipped(CODE, "reducing order"),)
OPENS = order()
CLOSES = order(book_with(market(yes="10")), action=Action.SELL)
LIMIT = 1_000

amounts = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("before", "after", "opens", "closes"),
    [
        (0, 999, Pass(CODE, 999, LIMIT, 1), REDUCING[0]),
        (0, 1_000, Pass(CODE, 1_000, LIMIT, 0), REDUCING[0]),
        (0, 1_001, Deny(CODE, 1_001, LIMIT), Deny(CODE, 1_001, LIMIT)),
        (1_000, 1_001, Deny(CODE, 1_001, LIMIT), Deny(CODE, 1_001, LIMIT)),
        (1_001, 1_001, Deny(CODE, 1_001, LIMIT), REDUCING[0]),
        (1_001, 1_002, Deny(CODE, 1_002, LIMIT), REDUCING[0]),
        (1_001, 1_000, Pass(CODE, 1_000, LIMIT, 0), REDUCING[0]),
        (-50, -40, Pass(CODE, -40, LIMIT, 1_040), REDUCING[0]),
    ],
)
def test_at_and_above_the_limit(
    before: int, after: int, opens: Pass | Deny, closes: Skipped | Deny
) -> None:
    """Exactly at it passes, a millionth above is denied, unless it was outside and this reduces."""
    assert judge(OPENS, before, after, LIMIT, REDUCING) == (opens,)
    assert judge(CLOSES, before, after, LIMIT, REDUCING) == (closes,)


@given(amounts, amounts, st.integers(0, 10**15))
def test_nothing_crosses_the_limit(before: int, after: int, limit: int) -> None:
    """No order is let from inside to outside, and none that adds risk to where it is outside."""
    for made in (OPENS, CLOSES):
        (said,) = judge(made, before, after, limit, REDUCING)
        if before <= limit < after:
            assert said == Deny(CODE, after, limit)
        if not isinstance(said, Deny):
            assert after <= limit or made is CLOSES


def test_the_orders_of_this_test_are_what_they_seem() -> None:
    """One opens and one reduces."""
    assert (OPENS.is_reducing, CLOSES.is_reducing) == (False, True)
