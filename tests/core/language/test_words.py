"""Words: each spelled as the wire and old journals have it, with what follows from each."""

from enum import StrEnum

import pytest

from arbees.core.language import words
from arbees.core.language.words import HaltSource, Side, TradingState

SPELLINGS: dict[type[StrEnum], tuple[str, ...]] = {
    words.Platform: ("Kalshi", "Polymarket"),
    words.Mode: ("paper", "live"),
    words.Side: ("Yes", "No"),
    words.Action: ("Buy", "Sell"),
    words.TimeInForce: ("IOC", "FOK", "GTC", "GTD"),
    words.OrderStatus: (
        *("PENDING", "WORKING", "PARTIALLY_FILLED", "FILLED", "CANCELLED", "REJECTED"),
        *("EXPIRED", "UNKNOWN", "DENIED", "NOT_SENT"),
    ),
    words.ResultStatus: (
        *("Pending", "Unknown", "Filled", "Partial", "Cancelled", "Rejected", "Failed"),
    ),
    words.TradingState: ("ACTIVE", "REDUCING", "HALTED", "READ_ONLY"),
    words.HaltSource: (
        *("file", "http", "command", "signal", "redis", "redis_down", "daily_loss"),
        *("repeated_execution", "reconciliation", "journal", "clock", "order_group"),
    ),
}


@pytest.mark.parametrize("kind", SPELLINGS)
def test_words_are_spelled_for_ever(kind: type[StrEnum]) -> None:
    """Journals and other programs hold these texts: none may change or vanish."""
    assert tuple(kind) == SPELLINGS[kind]


def test_names_that_stand_for_nothing_known() -> None:
    """A missing sport, a missing strategy and the whole account have names of their own."""
    assert (words.UNCLASSIFIED, words.UNNAMED, words.SCOPE_ALL) == (
        "UNCLASSIFIED",
        "UNNAMED",
        "all",
    )


def test_sides_are_opposite() -> None:
    """There are two, and each is the other's opposite."""
    assert Side.YES.opposite is Side.NO
    assert Side.NO.opposite is Side.YES


def test_trading_states_are_one_lattice() -> None:
    """ACTIVE > REDUCING > HALTED > READ_ONLY."""
    assert [state.rank for state in TradingState] == [0, 1, 2, 3]


def test_automatic_halts() -> None:
    """What the gateway raises by itself needs an acknowledgement; people and files do not."""
    automatic = {source for source in HaltSource if source.is_automatic}
    assert automatic == {
        HaltSource.DAILY_LOSS,
        HaltSource.REPEATED_EXECUTION,
        HaltSource.RECONCILIATION,
        HaltSource.JOURNAL,
        HaltSource.CLOCK,
        HaltSource.ORDER_GROUP,
    }
