"""How the journal keeps verdicts: compactly, and with everything that was said."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped, Verdict, Warn, journaled, verdicts_of
from arbees.core.language.codes import CODES
from arbees.safeguards import ALL

NUMBERS_OF_2026 = [
    "NOT_AUTHORIZED",
    "AUTHORIZATION_EXPIRED",
    "HALTED",
    "REDUCE_ONLY",
    "EXPIRED",
    "STALE_SIGNAL",
    "FUTURE_DATED",
    "MODEL_VERSION_MISSING",
    "MODEL_VERSION_DENIED",
    "MARKET_UNKNOWN",
    "MARKET_CLOSED",
    "MARKET_STALE",
    "INVALID_TICK",
    "INVALID_QUANTITY",
    "MIN_ORDER",
    "CLASSIFICATION_CONFLICT",
    "SELL_EXCEEDS_POSITION",
    "OUTSIDE_WINDOW",
    "VENUE_PAUSED",
    "MAX_ORDER_SIZE",
    "MAX_ORDER_CONTRACTS",
    "PRICE_OUT_OF_RANGE",
    "PREGAME_DELTA",
    "THROUGH_QUOTE",
    "QUOTE_STALE",
    "QUOTE_MISSING",
    "EDGE_IMPLAUSIBLE",
    "RATE_LIMIT_MINUTE",
    "RATE_LIMIT_HOUR",
    "REPEATED_EXECUTION",
    "SELF_TRADE",
    "MAX_OPEN_ORDERS",
    "MAX_POSITION_PER_MARKET",
    "MAX_GAME_EXPOSURE",
    "MAX_SPORT_EXPOSURE",
    "MAX_TOTAL_EXPOSURE",
    "INSUFFICIENT_BALANCE",
    "BALANCE_STALE",
    "MAX_DAILY_LOSS",
    "MARKS_STALE",
    "UNKNOWN_IN_MARKET",
    "MAX_UNKNOWN_ORDERS",
    "VENUE_UNAVAILABLE",
    "VENUE_HEARTBEAT_LATE",
    "VENUE_BLIND",
    "CLOCK_SKEW",
    "RECONCILIATION_BREAK",
]
"""What records of 2026 say by number, from 0."""
SAFEGUARDS: tuple[Any, ...] = ALL
NAMES = st.sampled_from([*CODES, "NEW_CODE"])
VALUES = st.none() | st.integers(-(10**15), 10**15) | st.text(max_size=8)
ANY_VERDICT = st.one_of(
    st.builds(Pass, NAMES, VALUES, VALUES, st.none() | st.integers(-(10**15), 10**15)),
    st.builds(Skipped, NAMES, st.text(max_size=8)),
    st.builds(Deny, NAMES, VALUES, VALUES, st.none() | st.integers(0, 2**62)),
    st.builds(Warn, NAMES, VALUES, VALUES),
)


@given(st.lists(ANY_VERDICT, max_size=12))
def test_nothing_that_was_said_is_lost(verdicts: list[Verdict]) -> None:
    """What a record keeps reads as the verdicts in full, each in its place."""
    in_full: list[Any] = msgspec.to_builtins(verdicts)
    kept = verdicts_of(journaled(verdicts))
    assert kept == msgspec.json.decode(msgspec.json.encode(in_full))


def test_records_of_before_read_as_they_are() -> None:
    """Verdicts that stand in full in an old record are what they were."""
    old = b'[["Pass","HALTED",null,null,null],["Skipped","EXPIRED","none"],["Warn","X",1,2]]'
    assert verdicts_of(msgspec.Raw(old)) == msgspec.json.decode(old)


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        (Pass("HALTED"), b"[2]"),
        (Pass("STALE_SIGNAL", 1, 3, 2), b"[[5,1,3]]"),
        (Pass("STALE_SIGNAL", 1, 3), b"[[5,1,3,null]]"),
        (Pass("PRICE_OUT_OF_RANGE", 1, "[0, 1]", 7), b'[[21,1,"[0, 1]",7]]'),
        (Skipped("EXPIRED", "no expires_at"), b'[[4,"no expires_at"]]'),
        (Deny("HALTED", "all"), b'[["Deny","HALTED","all",null,null]]'),
        (Pass("NEW_CODE"), b'["NEW_CODE"]'),
    ],
)
def test_how_a_verdict_is_kept(verdict: Verdict, kept: bytes) -> None:
    """Numbers of codes never change: journals hold them for ever."""
    assert bytes(journaled([verdict])) == kept


def test_numbers_of_codes_never_change() -> None:
    """Journals hold them for ever: codes are added at the end alone."""
    for number, code in enumerate(NUMBERS_OF_2026):
        assert bytes(journaled([Pass(code)])) == f"[{number}]".encode()
        in_full = msgspec.to_builtins([Pass(code)])
        assert verdicts_of(msgspec.Raw(f"[{number}]".encode())) == in_full


@pytest.mark.parametrize("observed", [-3, 0, 2, 5])
def test_a_headroom_is_left_out_where_it_is_what_the_limit_leaves(observed: int) -> None:
    """Then alone: records that have none are read as limit less what was observed."""
    at = NUMBERS_OF_2026.index("MAX_TOTAL_EXPOSURE")
    left_out: list[Verdict] = [Pass("MAX_TOTAL_EXPOSURE", observed, 3, 3 - observed)]
    assert bytes(journaled(left_out)) == f"[[{at},{observed},3]]".encode()
    kept: list[Verdict] = [Pass("MAX_TOTAL_EXPOSURE", observed, 3, 4 - observed)]
    assert bytes(journaled(kept)) == f"[[{at},{observed},3,{4 - observed}]]".encode()
    for each in (left_out, kept):
        assert verdicts_of(journaled(each)) == msgspec.to_builtins(each)


def test_every_code_of_a_safeguard_has_a_number() -> None:
    """What a safeguard says of each order is short in the journal."""
    passes: list[Verdict] = [Pass(code) for each in SAFEGUARDS for code in each.codes]
    assert all(isinstance(each, int) for each in msgspec.json.decode(journaled(passes)))
