"""Reconciliation (R11): nobody builds on a record that the venue contradicts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Break
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Action, Platform
from arbees.safeguards.reconciliation import (
    KINDS,
    NO_POLICIES,
    POLICIES,
    Policies,
    Reconciliation,
)
from tests.safeguards.build import (
    CONDITION,
    KALSHI,
    NOW,
    YES_TOKEN,
    book_with,
    market,
    polymarket,
    verdicts,
)

CODE = "RECONCILIATION_BREAK"
AGREED = (Pass(CODE),)
REDUCING = (Skipped(CODE, "reducing order"),)


def broken(*changes: dict[str, Any]) -> dict[str, Break]:
    """Return open breaks: by default one of a position in the Kalshi market."""
    made: dict[str, Break] = {}
    for each in changes:
        fields: dict[str, Any] = {
            "break_id": f"b-{len(made)}",
            "kind": "position",
            "platform": "Kalshi",
            "market_key": KALSHI,
            "expected": "0 Yes",
            "observed": "5 Yes",
            "policy": "freeze_market",
            "since_ns": NOW,
            **each,
        }
        made[fields["break_id"]] = Break(**fields)
    return made


def test_defaults() -> None:
    """Every hour; a difference freezes its market, whatever its kind."""
    made = Reconciliation()
    assert made == Reconciliation(3_600 * NS_PER_SECOND, "freeze_market", NO_POLICIES)
    assert made.policy_of("cash") == "freeze_market"
    assert verdicts(made) == AGREED


def test_kinds_may_have_policies_of_their_own() -> None:
    """The general word stands for the others."""
    made = Reconciliation(reconcile_policy="report", policies=Policies({"cash": "halt"}))
    assert made.policy_of("cash") == "halt"
    assert made.policy_of("position") == "report"


def test_a_break_of_the_market_denies() -> None:
    """It names the kinds, each once and in order."""
    book = book_with(market(break_kinds=["position"]))
    assert verdicts(Reconciliation(), book) == (Deny(CODE, "position"),)
    book = book_with(market(break_kinds=["position", "foreign_order", "position"]))
    assert verdicts(Reconciliation(), book) == (Deny(CODE, "foreign_order, position"),)


@pytest.mark.parametrize("policy", ["freeze_market", "halt", "a word of tomorrow"])
def test_a_break_of_the_whole_venue_denies(policy: str) -> None:
    """Cash that does not add up is nobody's market, and so everybody's."""
    breaks = broken({"kind": "cash", "market_key": None, "policy": policy})
    assert verdicts(Reconciliation(), book_with(breaks=breaks)) == (Deny(CODE, "cash"),)
    book = book_with(market(break_kinds=["position"]), breaks=breaks)
    assert verdicts(Reconciliation(), book) == (Deny(CODE, "cash, position"),)


def test_a_break_of_a_market_that_is_not_known_denies() -> None:
    """A position that the venue has and we have not may be in a market never seen."""
    breaks = broken({"market_key": "nowhere"})
    said = verdicts(Reconciliation(), book_with(breaks=breaks), market_id="nowhere")
    assert said == (Deny(CODE, "position"),)
    assert verdicts(Reconciliation(), book_with(breaks=breaks)) == AGREED


@pytest.mark.parametrize("policy", ["report", "adopt"])
def test_what_is_only_reported_or_taken_over_denies_nothing(policy: str) -> None:
    """The policy of the break decides, as it was when the break was found."""
    breaks = broken({"policy": policy}, {"market_key": None, "policy": policy})
    assert verdicts(Reconciliation(), book_with(breaks=breaks)) == AGREED


def test_the_other_venue_does_not_count() -> None:
    """A break freezes what it is about."""
    breaks = broken(
        {"platform": "Polymarket", "market_key": None, "kind": "cash"},
        {"platform": "Polymarket", "market_key": CONDITION},
    )
    book = book_with(market(), market(polymarket()), breaks=breaks)
    assert verdicts(Reconciliation(), book) == AGREED
    said = verdicts(Reconciliation(), book, platform=Platform.POLYMARKET, market_id=YES_TOKEN)
    assert said == (Deny(CODE, "cash, position"),)


def test_other_markets_do_not_count() -> None:
    """A break of one market leaves the others alone."""
    breaks = broken({"market_key": "OTHER"})
    assert verdicts(Reconciliation(), book_with(breaks=breaks)) == AGREED


def test_reducing_orders_pass() -> None:
    """A position may be closed, broken or not."""
    breaks = broken({"market_key": None})
    book = book_with(market(yes="100", break_kinds=["position"]), breaks=breaks)
    assert verdicts(Reconciliation(), book, action=Action.SELL) == REDUCING
    assert verdicts(Reconciliation(), book_with(market(yes="100")), action=Action.SELL) == REDUCING


drawn = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "platform": st.sampled_from(["Kalshi", "Polymarket"]),
        "market_key": st.sampled_from([None, KALSHI, "OTHER"]),
        "policy": st.sampled_from(POLICIES),
    }
)


@given(st.lists(drawn, max_size=5), st.lists(st.sampled_from(KINDS), max_size=3))
def test_agrees_with_looking_at_each(found: list[dict[str, Any]], here: list[str]) -> None:
    """All kinds that freeze this market or its venue, by a list of what does."""
    kinds = set(here) | {
        each["kind"]
        for each in found
        if each["platform"] == "Kalshi"
        and each["market_key"] != "OTHER"
        and each["policy"] in {"freeze_market", "halt"}
    }
    book = book_with(market(break_kinds=here), breaks=broken(*found))
    expected = (Deny(CODE, ", ".join(sorted(kinds))),) if kinds else AGREED
    assert verdicts(Reconciliation(), book) == expected


def test_kinds_are_spelled_for_ever() -> None:
    """Journals and settings hold these words."""
    assert (
        *("position", "missing_fill", "unknown_order", "foreign_order", "missing_order", "cash"),
    ) == KINDS
    assert POLICIES == ("report", "freeze_market", "adopt", "halt")


def test_reads_the_table() -> None:
    """Kinds and policies by their words."""
    assert Policies.parse({"cash": "halt", "position": "adopt"}).of == {
        "cash": "halt",
        "position": "adopt",
    }
    assert Policies.parse({}) == NO_POLICIES
    assert set(Policies.parse(dict.fromkeys(KINDS, "report")).of) == set(KINDS)
    assert {Policies.parse({"cash": each}).of["cash"] for each in POLICIES} == set(POLICIES)


def test_refuses_a_kind_that_does_not_exist() -> None:
    """A misspelt kind would leave the real one at its default."""
    with pytest.raises(ValueError, match="Expected") as error:
        Policies.parse({"cahs": "halt"})
    assert str(error.value) == (
        f"reconciliation.policy.cahs: Expected one of {', '.join(KINDS)}, was 'cahs'"
    )


@pytest.mark.parametrize("policy", ["", "HALT", "freeze", None, True, 1, ["halt"]])
def test_refuses_a_policy_that_does_not_exist(policy: object) -> None:
    """The entry, what was expected and what came are named."""
    with pytest.raises(ValueError, match="Expected") as error:
        Policies.parse({"cash": policy})
    assert str(error.value) == (
        "reconciliation.policy.cash: Expected one of report, freeze_market, adopt, halt, "
        f"was {policy!r}"
    )
