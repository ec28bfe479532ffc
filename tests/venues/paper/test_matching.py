"""Taking depth: limits, lots, our own orders in the way, and what is left."""

import pytest

from arbees.venues.paper import matching

ASKS = [(500_000, 4_000_000), (510_000, 6_015_000), (550_000, 1_000)]


@pytest.mark.parametrize(
    ("limit", "quantity", "taken"),
    [
        (499_999, 9_000_000, []),
        (500_000, 9_000_000, [(500_000, 4_000_000)]),
        (510_000, 4_010_000, [(500_000, 4_000_000), (510_000, 10_000)]),
        (990_000, 99_000_000, [(500_000, 4_000_000), (510_000, 6_010_000)]),
        (500_000, 10_000, [(500_000, 10_000)]),
    ],
)
def test_a_bid_takes_whole_lots_within_its_limit(
    limit: int, quantity: int, taken: list[tuple[int, int]]
) -> None:
    """Level by level up to the limit, in whole lots; less than a lot never trades."""
    found = matching.take(ASKS, is_bid=True, limit=limit, quantity=quantity, lot=10_000)
    assert found == taken


@pytest.mark.parametrize(
    ("barrier", "count"), [(None, 2), (510_001, 2), (510_000, 1), (500_000, 0), (400_000, 0)]
)
def test_only_strictly_better_levels_trade_before_an_order_of_ours(
    barrier: int | None, count: int
) -> None:
    """At the price of our own order, and beyond it, nothing trades; offers mirror bids."""
    wanted = {"quantity": 99_000_000, "lot": 10_000}
    bid = matching.take(ASKS, is_bid=True, limit=990_000, barrier=barrier, **wanted)
    assert len(bid) == count
    bids = matching.mirrored(ASKS)
    mirrored = None if barrier is None else 1_000_000 - barrier
    offer = matching.take(bids, is_bid=False, limit=10_000, barrier=mirrored, **wanted)
    assert offer == matching.mirrored(bid)


def test_what_is_taken_is_gone() -> None:
    """Levels shrink by what was taken; empty ones vanish, others stay as they are."""
    left = matching.use_up(ASKS, [(500_000, 4_000_000), (510_000, 15_000)])
    assert left == [(510_000, 6_000_000), (550_000, 1_000)]
    assert matching.total([(1, 2), (3, 4)]) == 6
    assert matching.total([]) == 0
