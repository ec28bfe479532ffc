"""Repeated execution (RTS 6 article 15(3)): a strategy in a loop is stopped, and stays stopped."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import (
    Book,
    Cycle,
    Halt,
    cycle_name,
)
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, HaltSource, TradingState
from arbees.safeguards.repeated_execution import RepeatedExecution
from tests.safeguards.build import KALSHI, NOW, SECOND, book_with, market, verdicts

CODE = "REPEATED_EXECUTION"
REDUCING = (Skipped(CODE, "reducing order"),)
HOUR = 3_600 * SECOND


def cycles_of(strategy: str, market_key: str = KALSHI, **fields: Any) -> dict[str, Cycle]:
    """Return the cycles of one strategy in one market."""
    cycle = Cycle(strategy=strategy, market_key=market_key, **fields)
    return {cycle_name(strategy, market_key): cycle}


def entered(*ages: int, quantity: int = 0, strategy: str = "s", market_key: str = KALSHI) -> Book:
    """Return a book in which strategy `s` entered the market so many nanoseconds ago."""
    entries = sorted(NOW - age for age in ages)
    return book_with(cycles=cycles_of(strategy, market_key, quantity=quantity, entries=entries))


def halt(
    source: str = HaltSource.REPEATED_EXECUTION,
    scope: str = "strategy:s",
    state: TradingState = TradingState.REDUCING,
) -> dict[str, Halt]:
    """Return the halt that a denial of this safeguard set off."""
    made = Halt(
        source=source,
        scope=scope,
        state=state,
        reason="loop",
        actor="arbees",
        since_ns=NOW,
        is_automatic=True,
        receipt_id="x",
        sequence=1,
    )
    return {f"{source}|{scope}": made}


def test_defaults() -> None:
    """Ten an hour; who never traded has made no cycle."""
    assert RepeatedExecution() == RepeatedExecution(10)
    assert verdicts(RepeatedExecution(), strategy="s") == (Pass(CODE, 0, 10, 10),)


def test_the_first_entry_is_no_cycle() -> None:
    """After n entries a flat strategy that enters again completes its n-th cycle."""
    assert verdicts(RepeatedExecution(2), entered(1), strategy="s") == (Pass(CODE, 1, 2, 1),)
    assert verdicts(RepeatedExecution(2), entered(1, 2), strategy="s") == (Pass(CODE, 2, 2, 0),)
    assert verdicts(RepeatedExecution(2), entered(1, 2, 3), strategy="s") == (Deny(CODE, 3, 2),)


@pytest.mark.parametrize("quantity", [MICRO, -MICRO])
def test_who_is_in_completes_nothing(quantity: int) -> None:
    """Adding to a position is no entry: of n entries n - 1 completed a cycle."""
    limit = RepeatedExecution(1)
    for ages, said in (
        ((), Pass(CODE, 0, 1, 1)),
        ((1,), Pass(CODE, 0, 1, 1)),
        ((1, 2), Pass(CODE, 1, 1, 0)),
        ((1, 2, 3), Deny(CODE, 2, 1)),
    ):
        assert verdicts(limit, entered(*ages, quantity=quantity), strategy="s") == (said,)


def test_an_hour_later_it_is_forgotten() -> None:
    """The window is (now - 3600 s, now]."""
    limit = RepeatedExecution(1)
    assert verdicts(limit, entered(1, HOUR - 1), strategy="s") == (Deny(CODE, 2, 1),)
    assert verdicts(limit, entered(1, HOUR), strategy="s") == (Pass(CODE, 1, 1, 0),)
    assert verdicts(limit, entered(HOUR, HOUR + 1), strategy="s") == (Pass(CODE, 0, 1, 1),)
    assert verdicts(limit, entered(0, 0), strategy="s") == (Deny(CODE, 2, 1),)


def test_each_strategy_and_market_counts_alone() -> None:
    """Others, and the same one elsewhere, do not count; no name is a name."""
    limit = RepeatedExecution(1)
    assert verdicts(limit, entered(1, 2, strategy="t"), strategy="s") == (Pass(CODE, 0, 1, 1),)
    assert verdicts(limit, entered(1, 2, strategy="s", market_key="OTHER"), strategy="s") == (
        Pass(CODE, 0, 1, 1),
    )
    assert verdicts(limit, entered(1, 2, strategy="UNNAMED")) == (Deny(CODE, 2, 1),)


def test_it_stays_until_somebody_lifts_it() -> None:
    """The halt of an earlier denial denies, also in other markets and when the hour is over."""
    book = book_with(halts=halt())
    assert verdicts(RepeatedExecution(), book, strategy="s") == (Deny(CODE, 0, 10),)
    assert verdicts(RepeatedExecution(), book, strategy="t") == (Pass(CODE, 0, 10, 10),)
    book.cycles = cycles_of("s", quantity=MICRO, entries=[NOW - 2, NOW - 1])
    assert verdicts(RepeatedExecution(), book, strategy="s") == (Deny(CODE, 1, 10),)


def test_other_halts_are_not_its_own() -> None:
    """What a person halted is the business of the kill switch."""
    for source in HaltSource:
        book = book_with(halts=halt(source))
        said = verdicts(RepeatedExecution(), book, strategy="s")
        is_own = source is HaltSource.REPEATED_EXECUTION
        assert said == ((Deny(CODE, 0, 10),) if is_own else (Pass(CODE, 0, 10, 10),))


def test_one_of_several_halts_is_enough() -> None:
    """Every halt is looked at, whatever comes first."""
    book = book_with(halts={**halt(HaltSource.HTTP), **halt(scope="strategy:t"), **halt()})
    assert verdicts(RepeatedExecution(), book, strategy="s") == (Deny(CODE, 0, 10),)
    assert verdicts(RepeatedExecution(), book, strategy="u") == (Pass(CODE, 0, 10, 10),)


def test_reducing_orders_pass() -> None:
    """The way out stays open."""
    book = book_with(market(yes="100"), halts=halt())
    book.cycles = cycles_of("s", quantity=MICRO, entries=[NOW] * 100)
    assert verdicts(RepeatedExecution(), book, action=Action.SELL, strategy="s") == REDUCING


@given(
    st.lists(st.integers(0, 2 * HOUR), max_size=14),
    st.sampled_from([0, MICRO]),
    st.integers(1, 12),
)
def test_agrees_with_walking_through_the_hour(ages: list[int], quantity: int, limit: int) -> None:
    """Cycles are the pairs of neighbouring entries within the hour, this one's included."""
    entries = [age for age in ages if age < HOUR]
    entries += [] if quantity else [0]
    cycles = len(list(pairwise(entries)))
    (said,) = verdicts(RepeatedExecution(limit), entered(*ages, quantity=quantity), strategy="s")
    if cycles > limit:
        assert said == Deny(CODE, cycles, limit)
    else:
        assert said == Pass(CODE, cycles, limit, limit - cycles)
