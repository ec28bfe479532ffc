"""Percentiles in bounded memory: never too low, never further too high than they say."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from arbees.telemetry.quality.latencies import (
    ERROR,
    Latencies,
    bucket_of,
    highest_of,
)

DURATIONS = st.integers(min_value=0, max_value=10**13)


def nearest_rank(values: list[int], percent: int) -> int:
    """Return the percentile the slow and obvious way."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[rank - 1]


@given(st.lists(DURATIONS, min_size=1, max_size=60))
def test_percentiles_keep_their_bound(values: list[int]) -> None:
    """Each percentile is at least the true one and at most the stated error above it."""
    found = Latencies()
    for value in values:
        found.add(value)
    for percent, shown in zip((50, 95, 99), found.percentiles(), strict=True):
        true = nearest_rank(values, percent)
        assert shown is not None
        assert true <= shown <= true * (1 + ERROR)


@given(DURATIONS)
def test_buckets_hold_what_they_say(value: int) -> None:
    """A value lies at or below the highest of its bucket, and above that of the one before."""
    bucket = bucket_of(value)
    assert value <= highest_of(bucket)
    assert bucket == 0 or value > highest_of(bucket - 1)


@given(st.lists(DURATIONS, max_size=30), st.lists(DURATIONS, max_size=30))
def test_parts_add_up(left: list[int], right: list[int]) -> None:
    """Two collections merged say what one that saw everything says."""
    one, other, both = Latencies(), Latencies(), Latencies()
    for value in left:
        one.add(value)
        both.add(value)
    for value in right:
        other.add(value)
        both.add(value)
    one.merge(other)
    assert one.view("x") == both.view("x")


def test_nothing_timed_is_null() -> None:
    """Without a duration there is no percentile, not one of zero."""
    view = Latencies().view("decide")
    assert view.count == 0
    assert {view.min_ms, view.p50_ms, view.p95_ms, view.p99_ms, view.max_ms, view.mean_ms} == {None}


def test_ends_and_mean_are_exact() -> None:
    """Lowest, highest and mean come from the durations themselves; a clock gone back counts 0."""
    found = Latencies()
    for value in (1_234_567, 7_654_321, -5):
        found.add(value)
    view = found.view("decide")
    assert (view.min_ms, view.max_ms) == (Decimal(0), Decimal("7.654321"))
    assert view.mean_ms == Decimal("2.962963")
