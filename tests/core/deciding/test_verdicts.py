"""How the journal keeps verdicts: compactly, and with everything that was said."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped, Verdict, Warn, journaled, verdicts_of
from arbees.core.language.codes import CODES
from arbees.safeguards import ALL

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


def test_every_code_of_a_safeguard_has_a_number() -> None:
    """What a safeguard says of each order is short in the journal."""
    passes: list[Verdict] = [Pass(code) for each in SAFEGUARDS for code in each.codes]
    assert all(isinstance(each, int) for each in msgspec.json.decode(journaled(passes)))
