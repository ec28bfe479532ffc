"""Kill switch (R5): the strictest halt that covers an order decides, and says who and why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Book, Halt
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import Action, TradingState
from arbees.safeguards.kill_switch import KillSwitch
from tests.safeguards.build import KALSHI, NOW, book_with, market, order, verdicts
from tests.safeguards.strategies import halts

FREE = (Pass("HALTED"), Pass("REDUCE_ONLY"))


def halt(
    state: TradingState = TradingState.HALTED,
    source: str = "command",
    scope: str = "all",
    reason: str = "model gone mad",
) -> Halt:
    """Return a halt."""
    return Halt(
        source=source,
        scope=scope,
        state=state,
        reason=reason,
        actor="ann",
        since_ns=NOW,
        is_automatic=False,
        receipt_id="h-1",
        sequence=1,
    )


def halted(*found: Halt, held: str = "0") -> Book:
    """Return a book with halts."""
    return book_with(
        market(yes=held), halts={f"{each.source}|{each.scope}": each for each in found}
    )


def test_without_a_halt_orders_pass() -> None:
    """Nothing halts: both pass."""
    assert verdicts(KillSwitch()) == FREE


def test_defaults() -> None:
    """The file of the requirements, and trading goes on without Redis."""
    assert KillSwitch() == KillSwitch("/tmp/arbees_kill_switch", "continue")


def test_a_halt_denies_and_tells_who_and_why() -> None:
    """Source, scope and reason are told."""
    assert verdicts(KillSwitch(), halted(halt())) == (
        Deny("HALTED", "command for all: model gone mad"),
        Pass("REDUCE_ONLY"),
    )


def test_a_halt_denies_reducing_orders_too() -> None:
    """Halted is halted: only cancels pass."""
    said = verdicts(KillSwitch(), halted(halt(), held="10"), action=Action.SELL)
    assert said == (Deny("HALTED", "command for all: model gone mad"), Pass("REDUCE_ONLY"))


def test_read_only_denies_as_halted() -> None:
    """A read-only state is stricter than a halt and denies under the same code."""
    both = halted(halt(), halt(TradingState.READ_ONLY, "clock", "platform:Kalshi", "no cancels"))
    assert verdicts(KillSwitch(), both)[0] == Deny(
        "HALTED", "read only, clock for platform:Kalshi: no cancels"
    )


def test_reducing_denies_what_adds_risk() -> None:
    """While reducing, an order that adds risk is denied, one that reduces passes."""
    book = halted(halt(TradingState.REDUCING, "http", "sport:NBA", "late"), held="10")
    assert verdicts(KillSwitch(), book) == (
        Pass("HALTED"),
        Deny("REDUCE_ONLY", "http for sport:NBA: late"),
    )
    assert verdicts(KillSwitch(), book, action=Action.SELL) == (
        Pass("HALTED"),
        Skipped("REDUCE_ONLY", "reducing order"),
    )


def test_a_sell_of_more_than_is_held_is_no_reducing_order() -> None:
    """An order is reducing as a whole or not at all."""
    book = halted(halt(TradingState.REDUCING), held="9")
    assert isinstance(verdicts(KillSwitch(), book, action=Action.SELL)[1], Deny)


def test_both_states_are_told() -> None:
    """A halt does not hide that the state is also reducing."""
    book = halted(halt(TradingState.REDUCING, "http"), halt())
    assert verdicts(KillSwitch(), book) == (
        Deny("HALTED", "command for all: model gone mad"),
        Deny("REDUCE_ONLY", "http for all: model gone mad"),
    )


@pytest.mark.parametrize(
    "scope",
    ["all", "platform:Kalshi", "sport:NBA", f"market:{KALSHI}", "strategy:s", "model_version:m"],
)
def test_scopes_that_cover(scope: str) -> None:
    """Each kind of scope covers the orders that it names."""
    book = halted(halt(scope=scope))
    said = verdicts(KillSwitch(), book, strategy="s", model_version="m")
    assert said[0] == Deny("HALTED", f"command for {scope}: model gone mad")


@pytest.mark.parametrize(
    "scope", ["platform:Polymarket", "sport:NFL", "market:other", "strategy:t", "model_version:n"]
)
def test_scopes_that_do_not_cover(scope: str) -> None:
    """A halt of something else lets the order pass, whatever its state."""
    book = halted(halt(scope=scope), halt(TradingState.REDUCING, "http", scope))
    assert verdicts(KillSwitch(), book, strategy="s", model_version="m") == FREE


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_repeated_execution_is_another_safeguard(state: TradingState) -> None:
    """Its halts are judged there: here they neither deny nor hide another one."""
    own = halt(state, "repeated_execution", "strategy:UNNAMED")
    assert verdicts(KillSwitch(), halted(own)) == FREE
    other = halt(state, "command")
    assert any(isinstance(said, Deny) for said in verdicts(KillSwitch(), halted(own, other)))


def test_an_active_state_is_no_halt() -> None:
    """A halt of state ACTIVE denies nothing."""
    assert verdicts(KillSwitch(), halted(halt(TradingState.ACTIVE))) == FREE


def test_of_equal_halts_the_first_is_told() -> None:
    """The oldest of the strictest halts is the one told, in both states."""
    book = halted(
        halt(reason="first"),
        halt(source="http", reason="second"),
        halt(TradingState.REDUCING, "redis", reason="third"),
        halt(TradingState.REDUCING, "file", reason="fourth"),
    )
    assert verdicts(KillSwitch(), book) == (
        Deny("HALTED", "command for all: first"),
        Deny("REDUCE_ONLY", "redis for all: third"),
    )


@given(st.lists(halts, max_size=5), st.booleans())
def test_against_the_book(found: list[Halt], is_reducing: bool) -> None:
    """It agrees with the state that the book computes of all other halts."""
    book = halted(*found, held="10")
    changes: dict[str, Any] = {"action": Action.SELL} if is_reducing else {}
    said = verdicts(KillSwitch(), book, **changes)
    rest = [each for each in book.halts.values() if each.source != "repeated_execution"]
    state, _ = halted(*rest).state_for(order(book, **changes).subject)
    is_denied = any(isinstance(verdict, Deny) for verdict in said)
    if state is TradingState.REDUCING:
        assert is_denied is not is_reducing
        assert said[0] == Pass("HALTED")
    else:
        assert is_denied is (state is not TradingState.ACTIVE)
        assert isinstance(said[0], Deny) is is_denied
