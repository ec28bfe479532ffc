"""Token buckets: orders leave a reserve for cancels, and nothing is sent that would be 429."""

from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.units import NS_PER_SECOND
from arbees.venues.kalshi.connection.budget import Budget, TokenBucket
from arbees.venues.kalshi.shapes import AccountLimits, Bucket, Costs, EndpointCost

CANCEL = ("DELETE", "/portfolio/events/orders/:order_id")


def test_a_bucket_gives_what_it_holds_and_says_when_there_is_more() -> None:
    """Exactly what is there may be taken; the wait for one more is exact."""
    bucket = TokenBucket(100.0, 100.0, 0)
    assert bucket.take(100.0, 0) == 0
    wait_ns = bucket.take(10.0, 0)
    assert 0.1 * NS_PER_SECOND <= wait_ns <= 0.1 * NS_PER_SECOND + 2
    assert bucket.take(10.0, wait_ns - 1_000) > 0
    assert bucket.take(10.0, wait_ns) == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Tokens never come from a clock that was set back."""
    bucket = TokenBucket(100.0, 100.0, NS_PER_SECOND)
    assert bucket.take(100.0, NS_PER_SECOND) == 0
    assert bucket.take(1.0, 0) > 0
    assert bucket.take(100.0, 2 * NS_PER_SECOND) == 0


def test_orders_leave_ten_cancels() -> None:
    """At the smallest tier eight orders go at once; then ten cancels still do."""
    budget = Budget(0)
    orders = 0
    while budget.order(0) == 0:
        orders += 1
    cancels = 0
    while budget.call(*CANCEL, 0) == 0:
        cancels += 1
    assert (orders, cancels) == (8, 10)


def test_what_is_urgent_waits_for_nobody() -> None:
    """An urgent call goes although nothing is left; others pay for it."""
    budget = Budget(0)
    budget.exceeded("DELETE", 0)
    budget.urgent("DELETE", "/portfolio/events/orders", 0)
    assert budget.call(*CANCEL, 0) > 0.03 * NS_PER_SECOND


def test_the_venues_own_word_counts() -> None:
    """Rates and costs are those of the account, once they are known."""
    budget = Budget(0)
    cost = EndpointCost(method="POST", path="/trade-api/v2/portfolio/events/orders", cost=50)
    big = Bucket(refill_rate=300, bucket_capacity=900)
    budget.learn(AccountLimits(read=big, write=big), 0)
    budget.learn_costs(Costs(endpoint_costs=(cost,)))
    assert budget.cost("POST", "/portfolio/events/orders") == 50
    assert budget.cost("GET", "/portfolio/fills") == 10
    orders = 0
    while budget.order(0) == 0:
        orders += 1
    assert orders == (900 - 180) // 50


@given(
    calls=st.lists(st.tuples(st.booleans(), st.integers(0, 300_000_000)), min_size=1, max_size=200)
)
def test_the_venues_bucket_is_never_overdrawn(calls: list[tuple[bool, int]]) -> None:
    """Whatever is asked when, a bucket kept by the venue itself would have had the tokens."""
    budget, venue, now_ns = Budget(0), 100.0, 0
    for is_order, gap_ns in calls:
        now_ns += gap_ns
        venue = min(100.0, venue + 100.0 * gap_ns / NS_PER_SECOND)
        cost = 10.0 if is_order else 2.0
        waited = budget.order(now_ns) if is_order else budget.call(*CANCEL, now_ns)
        if waited == 0:
            venue -= cost
            assert venue > -1e-6
