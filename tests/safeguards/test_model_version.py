"""Model version (R15): retired models open nothing, and leaving the name out is no way around."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import Action
from arbees.safeguards.model_version import ModelVersion
from tests.safeguards.build import book_with, market, verdicts

PRESENT = Pass("MODEL_VERSION_MISSING")
MISSING = (
    Deny("MODEL_VERSION_MISSING"),
    Skipped("MODEL_VERSION_DENIED", "no model_version"),
)


def test_defaults_ask_for_nothing() -> None:
    """By default a version is neither required nor judged, but it is told."""
    assert ModelVersion() == ModelVersion(False, (), ())
    assert verdicts(ModelVersion()) == (
        Skipped("MODEL_VERSION_MISSING", "no model_version, and none is required"),
        Skipped("MODEL_VERSION_DENIED", "no model_version"),
    )
    assert verdicts(ModelVersion(), model_version="m1") == (
        PRESENT,
        Pass("MODEL_VERSION_DENIED", "m1"),
    )


def test_a_required_version_must_be_there() -> None:
    """Required and absent denies; any version will do where there is no list."""
    safeguard = ModelVersion(require_model_version=True)
    assert verdicts(safeguard) == MISSING
    assert verdicts(safeguard, model_version="x") == (PRESENT, Pass("MODEL_VERSION_DENIED", "x"))


def test_a_list_of_allowed_ones_requires_one() -> None:
    """With a list of allowed ones an unnamed model is not allowed."""
    assert verdicts(ModelVersion(model_versions_allowed=("m1",))) == MISSING


def test_a_list_of_denied_ones_requires_none() -> None:
    """A list of retired models says nothing of unnamed ones."""
    said = verdicts(ModelVersion(model_versions_denied=("m1",)))
    assert not any(isinstance(verdict, Deny) for verdict in said)


def test_only_allowed_ones_pass() -> None:
    """A version that is not on the list of allowed ones is denied, and the list is told."""
    safeguard = ModelVersion(model_versions_allowed=("m1", "m2"))
    assert verdicts(safeguard, model_version="m2")[1] == Pass("MODEL_VERSION_DENIED", "m2")
    assert verdicts(safeguard, model_version="m3") == (
        PRESENT,
        Deny("MODEL_VERSION_DENIED", "m3", "allowed are m1, m2"),
    )


def test_names_are_compared_exactly() -> None:
    """Another case of letters is another version."""
    safeguard = ModelVersion(model_versions_allowed=("m1",))
    assert isinstance(verdicts(safeguard, model_version="M1")[1], Deny)


def test_retired_wins_over_allowed() -> None:
    """A version on both lists is denied."""
    safeguard = ModelVersion(model_versions_allowed=("m1",), model_versions_denied=("m1",))
    assert verdicts(safeguard, model_version="m1") == (
        PRESENT,
        Deny("MODEL_VERSION_DENIED", "m1", "it is retired"),
    )


@pytest.mark.parametrize("version", [None, "m1"])
def test_reducing_orders_pass(version: str | None) -> None:
    """What a retired or unnamed model holds may be closed."""
    safeguard = ModelVersion(require_model_version=True, model_versions_denied=("m1",))
    book = book_with(market(yes="10"))
    assert verdicts(safeguard, book, action=Action.SELL, model_version=version) == (
        Skipped("MODEL_VERSION_MISSING", "reducing order"),
        Skipped("MODEL_VERSION_DENIED", "reducing order"),
    )


versions = st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(tuple)


@given(st.booleans(), versions, versions, st.none() | st.sampled_from("abcd"))
def test_against_an_oracle(
    is_required: bool, allowed: tuple[str, ...], denied: tuple[str, ...], version: str | None
) -> None:
    """Denied are the missing where one is needed, the retired, and those off the list."""
    said = verdicts(ModelVersion(is_required, allowed, denied), model_version=version)
    if version is None:
        expected = is_required or bool(allowed)
    else:
        expected = version in denied or (bool(allowed) and version not in allowed)
    assert any(isinstance(verdict, Deny) for verdict in said) is expected
