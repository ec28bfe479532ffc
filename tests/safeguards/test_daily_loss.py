"""Daily loss (R9): what is lost today and what may still be lost stay within the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Book, Day
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
    Warn,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Mode, Side
from arbees.safeguards.daily_loss import DailyLoss
from tests.safeguards.build import NOW, SECOND, book_with, facts, market, micro, verdicts

CODE = "MAX_DAILY_LOSS"
LIMIT = 500 * MICRO
RISK = micro("6.675")
"""10 at 0.65, all lost, and the worst fee."""
STALE = "MARKS_STALE"
AGE = 120 * SECOND
UNHELD = Skipped(STALE, "nothing is held")
REDUCING = (Skipped(CODE, "reducing order"), Skipped(STALE, "reducing order"))


def lost(**fields: int) -> Book:
    """Return a book with these sums and a day that began at nothing."""
    return book_with(day=Day(day="2026-01-28", baseline=fields.pop("baseline", 0)), **fields)


def test_defaults() -> None:
    """Five hundred dollars, a warning at 80 %, days of New York; an order may lose all it costs."""
    assert DailyLoss() == DailyLoss(LIMIT, 800_000, "America/New_York", AGE, "")
    assert verdicts(DailyLoss()) == (Pass(CODE, RISK, LIMIT, LIMIT - RISK), UNHELD)


def test_exactly_at_the_limit() -> None:
    """At the limit passes, a millionth of a dollar above is denied."""
    book = lost(realized=RISK - LIMIT)
    assert verdicts(DailyLoss(), book) == (Pass(CODE, LIMIT, LIMIT, 0), UNHELD)
    book = lost(realized=RISK - LIMIT - 1)
    assert verdicts(DailyLoss(), book) == (Deny(CODE, LIMIT + 1, LIMIT), UNHELD)


def test_everything_that_can_be_lost_counts() -> None:
    """Realized, fees, marks, open orders and this one; what was before today does not."""
    book = lost(realized=-100, fees=20, open_day_loss=3_000, baseline=-40_000)
    said = verdicts(DailyLoss(), book, facts(unrealized=-500_000))
    loss = 100 + 20 + 3_000 - 40_000 + 500_000 + RISK
    assert said == (Pass(CODE, loss, LIMIT, LIMIT - loss), UNHELD)


def test_a_profit_of_the_day_is_room() -> None:
    """The day as a whole is limited: what was won today may be lost again."""
    book = lost(realized=300 * MICRO, open_day_loss=800 * MICRO - RISK)
    assert verdicts(DailyLoss(), book) == (Pass(CODE, LIMIT, LIMIT, 0), UNHELD)
    book = lost(realized=300 * MICRO, open_day_loss=800 * MICRO - RISK + 1)
    assert verdicts(DailyLoss(), book) == (Deny(CODE, LIMIT + 1, LIMIT), UNHELD)


def test_the_profit_of_yesterday_is_none_today() -> None:
    """A day counts from its own beginning."""
    book = lost(realized=10_000 * MICRO, baseline=10_400 * MICRO)
    said = verdicts(DailyLoss(), book)
    assert said == (Pass(CODE, 400 * MICRO + RISK, LIMIT, 100 * MICRO - RISK), UNHELD)


def test_before_the_first_day_everything_counts() -> None:
    """Without a baseline the loss since ever is the loss of the day."""
    book = book_with(realized=-LIMIT)
    assert verdicts(DailyLoss(), book) == (Deny(CODE, LIMIT + RISK, LIMIT), UNHELD)


def test_an_order_of_the_other_side_may_lose_its_own_price() -> None:
    """What counts is what is paid, and the worst fee."""
    said = verdicts(DailyLoss(), side=Side.NO, limit_price="0.2", size="100")
    risk = 20 * MICRO + micro("1.12")
    assert said == (Pass(CODE, risk, LIMIT, LIMIT - risk), UNHELD)


@pytest.mark.parametrize(("action", "side"), [(Action.SELL, Side.YES), (Action.BUY, Side.NO)])
def test_reducing_orders_pass(action: Action, side: Side) -> None:
    """Whatever was lost, a position may be closed."""
    book = book_with(market(yes="100"), realized=-1_000 * MICRO)
    assert verdicts(DailyLoss(), book, action=action, side=side) == REDUCING


# Marks ------------------------------------------------------------------------------------------


def marked(age_ns: int | None, mode: Mode = Mode.LIVE, policy: str = "") -> Verdict:
    """Return what is said of marks that are so old; None = not seen since the start."""
    seen = facts(marks_ns=0 if age_ns is None else NOW - age_ns)
    book = book_with(mode=mode)
    return verdicts(DailyLoss(marks_policy=policy), book, seen)[1]


@pytest.mark.parametrize("age_ns", [0, AGE, -AGE])
def test_marks_exactly_as_old_as_they_may_be_pass(age_ns: int) -> None:
    """The oldest mark of what is held may be two minutes old, or dated as far in the future."""
    assert marked(age_ns) == Pass(STALE, age_ns, AGE, AGE - age_ns)


@pytest.mark.parametrize(("age_ns", "observed"), [(AGE + 1, AGE + 1), (-AGE - 1, -AGE - 1)])
def test_older_marks_deny_in_live_and_warn_on_paper(age_ns: int, observed: int) -> None:
    """A nanosecond more; the policy, where it is set, says it otherwise."""
    assert marked(age_ns) == Deny(STALE, observed, AGE)
    assert marked(age_ns, Mode.PAPER) == Warn(STALE, observed, AGE)
    assert marked(age_ns, policy="warn") == Warn(STALE, observed, AGE)
    assert marked(age_ns, Mode.PAPER, "deny") == Deny(STALE, observed, AGE)


def test_marks_not_seen_since_the_start() -> None:
    """Where a mark may be missing the order waits for a fresh one, however young the process is."""
    assert marked(None) == Deny(STALE, "not seen since the start", AGE)
    assert marked(None, Mode.PAPER) == Warn(STALE, "not seen since the start", AGE)


money = st.integers(-(10**12), 10**12)


@given(st.tuples(money, money, money, money, st.integers(0, 10**12)), st.integers(0, 10**12))
def test_agrees_with_plain_arithmetic(sums: tuple[int, ...], limit: int) -> None:
    """The P&L of the day if everything open goes wrong is no less than minus the limit."""
    realized, fees, unrealized, baseline, still_open = sums
    book = lost(realized=realized, fees=fees, open_day_loss=still_open, baseline=baseline)
    worst = realized - fees + unrealized - baseline - still_open - RISK
    said, _ = verdicts(DailyLoss(limit), book, facts(unrealized=unrealized))
    if worst < -limit:
        assert said == Deny(CODE, -worst, limit)
    else:
        assert said == Pass(CODE, -worst, limit, limit + worst)
