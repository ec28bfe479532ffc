"""Kalshi's token buckets, kept on our side, so that a cancel never waits for an order.

Guarantees that orders leave a reserve which only cancels may spend, and that nothing is sent that
the venue would answer with 429 by our own count. Pure: time comes in. What the venue counts besides
(another program on the same key) shows as a 429 all the same, which empties our bucket.

Source: `GET /account/limits`, `GET /account/endpoint_costs`; a 429 was not executed and carries no
hint of when to come again.
"""

from arbees.core.language.units import NS_PER_SECOND
from arbees.venues.kalshi.shapes import AccountLimits, Bucket, Costs

CANCEL_RESERVE = 0.2
"""Part of the write bucket that orders may never spend: ten cancels at the smallest tier."""
BASIC_READ = (200.0, 600.0)
BASIC_WRITE = (100.0, 100.0)
"""(tokens a second, capacity) of the smallest tier: what is assumed until the venue was asked."""
_COSTS = {
    ("DELETE", "/portfolio/events/orders"): 2.0,
    ("DELETE", "/portfolio/events/orders/:order_id"): 2.0,
    ("DELETE", "/portfolio/events/orders/batched"): 2.0,
    ("GET", "/portfolio/orders/:order_id"): 2.0,
}
_DEFAULT_COST = 10.0
COST_MAX = 100.0
"""Tokens; the whole bucket of the smallest tier. Nothing that we call costs more."""
RATE_MIN, RATE_MAX = 1.0, 1e9
"""Tokens a second that can be a tier."""
TRAVEL_SECONDS = 0.1
"""By how much the ways of two calls may differ; the venue counts when a call arrives."""


class TokenBucket:
    """Tokens that refill continuously, up to a capacity."""

    def __init__(self, rate: float, capacity: float, now_ns: int) -> None:
        """
        Start full.

        Args:
            rate: tokens a second.
            capacity: the most that it holds.
            now_ns: the time now.
        """
        self.rate = rate
        self.capacity = capacity
        self._tokens = capacity
        self._as_of_ns = now_ns

    def take(self, cost: float, now_ns: int, reserve: float = 0.0) -> int:
        """
        Take tokens, or say how long they take to come.

        Args:
            cost: how many.
            now_ns: the time now.
            reserve: how many must be left afterwards.

        Returns:
            0 = taken; else nanoseconds until they are there, and nothing was taken.
        """
        self._refill(now_ns)
        missing = cost + min(reserve, self.capacity - cost) - self._tokens
        if missing <= 0:
            self._tokens -= cost
            return 0
        return int(missing / self.rate * NS_PER_SECOND) + 1

    def spend(self, cost: float, now_ns: int) -> int:
        """Take tokens whether they are there or not; nanoseconds until they really are."""
        self._refill(now_ns)
        self._tokens -= cost
        return 0 if self._tokens >= 0 else int(-self._tokens / self.rate * NS_PER_SECOND) + 1

    @property
    def missing(self) -> float:
        """What it lacks to be full, as of the last look."""
        return self.capacity - self._tokens

    def empty(self, now_ns: int) -> None:
        """Start from nothing: the venue counted more than we did."""
        self._refill(now_ns)
        self._tokens = 0.0

    def _refill(self, now_ns: int) -> None:
        elapsed = max(0, now_ns - self._as_of_ns)
        self._as_of_ns = max(now_ns, self._as_of_ns)
        self._tokens = min(self.capacity, self._tokens + self.rate * elapsed / NS_PER_SECOND)


def _below(rate: float, capacity: float, now_ns: int) -> TokenBucket:
    """Return a bucket that stays below the venue's, which begins to refill later than ours."""
    return TokenBucket(rate, max(capacity / 2, capacity - TRAVEL_SECONDS * rate), now_ns)


class Budget:
    """The buckets of an account, and what each call costs."""

    def __init__(self, now_ns: int) -> None:
        """Assume the smallest tier."""
        self.read = TokenBucket(*BASIC_READ, now_ns)
        self.write = TokenBucket(*BASIC_WRITE, now_ns)
        self._costs = dict(_COSTS)
        self._default = _DEFAULT_COST

    def learn(self, limits: AccountLimits, now_ns: int) -> None:
        """Take the venue's word for rates; what can be none is left out, what is spent stays."""
        self.read = _bucket(limits.read, self.read, now_ns)
        self.write = _bucket(limits.write, self.write, now_ns)

    def learn_costs(self, costs: Costs) -> None:
        """Take the venue's own word for the costs of calls; what can be none is left out."""
        if 0 < costs.default_cost <= COST_MAX:
            self._default = costs.default_cost
        for each in costs.endpoint_costs:
            path = each.path.removeprefix("/trade-api/v2")
            if 0 <= each.cost <= COST_MAX:
                self._costs[each.method.upper(), path] = each.cost

    def order(self, now_ns: int, *, is_reducing: bool = False) -> int:
        """
        Take what a create costs; nanoseconds to wait, 0 = taken.

        Leaves the reserve; what reduces may spend half of it.
        """
        cost = self.cost("POST", "/portfolio/events/orders")
        reserve = CANCEL_RESERVE * self.write.capacity
        return self.write.take(cost, now_ns, reserve / 2 if is_reducing else reserve)

    def call(self, method: str, path: str, now_ns: int, items: int = 1) -> int:
        """Take what another call costs, an item each; nanoseconds to wait, 0 = taken."""
        bucket = self.read if method == "GET" else self.write
        return bucket.take(items * self.cost(method, path), now_ns)

    def urgent(self, method: str, path: str, now_ns: int) -> int:
        """Take what a call costs before all that waits; nanoseconds until it is really there."""
        bucket = self.read if method == "GET" else self.write
        return bucket.spend(self.cost(method, path), now_ns)

    def exceeded(self, method: str, now_ns: int) -> None:
        """Take it that the venue answered 429."""
        (self.read if method == "GET" else self.write).empty(now_ns)

    def cost(self, method: str, path: str) -> float:
        """Return the tokens of a call; `path` as the venue writes it, `:order_id` and so on."""
        return self._costs.get((method, path), self._default)


def _bucket(told: Bucket, before: TokenBucket, now_ns: int) -> TokenBucket:
    """Return a bucket as the venue describes it, as empty as the one before it."""
    if not (RATE_MIN <= told.refill_rate <= RATE_MAX and told.bucket_capacity >= RATE_MIN):
        return before
    bucket = TokenBucket(told.refill_rate, told.bucket_capacity, now_ns)
    before.take(0.0, now_ns)
    bucket.spend(before.missing, now_ns)
    return bucket
