"""Percentiles of durations in bounded memory.

Guarantees that a percentile is never below the true one (by nearest rank) and at most `ERROR` of it
above, that lowest, highest, count and mean are exact, and that two collections add up to the same
as one that saw everything. How: durations are counted in buckets whose width is 1/128 of where they
begin, as in an HdrHistogram; below 256 ns each has a bucket of its own.
"""

from decimal import Decimal

from arbees.core.language.units import div_ceil, to_decimal
from arbees.interface.measures import StageView

ERROR = Decimal("0.007813")
"""1/128, rounded up to six decimals."""
_BITS = 7
"""128 buckets for each doubling."""
_PERCENTILES = (50, 95, 99)


def bucket_of(value: int) -> int:
    """Return the number of the bucket of a value >= 0."""
    shift = max(0, value.bit_length() - _BITS - 1)
    return (shift << _BITS) + (value >> shift)


def highest_of(bucket: int) -> int:
    """Return the highest value of a bucket."""
    shift = max(0, (bucket >> _BITS) - 1)
    return ((bucket - (shift << _BITS) + 1) << shift) - 1


class Latencies:
    """Durations in nanoseconds; those below 0 count as 0."""

    __slots__ = ("buckets", "count", "high", "low", "total")

    def __init__(self) -> None:
        """Begin with none."""
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.low = 0
        self.high = 0

    def add(self, value: int) -> None:
        """Take one duration."""
        value = max(0, value)
        self.low = min(self.low, value) if self.count else value
        self.high = max(self.high, value)
        self.count += 1
        self.total += value
        bucket = bucket_of(value)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def merge(self, other: "Latencies") -> None:
        """Take all that another one took."""
        if not other.count:
            return
        self.low = min(self.low, other.low) if self.count else other.low
        self.high = max(self.high, other.high)
        self.count += other.count
        self.total += other.total
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def percentiles(self) -> list[int | None]:
        """Return p50, p95 and p99 by nearest rank; None without any duration."""
        if not self.count:
            return [None] * len(_PERCENTILES)
        ranks = [div_ceil(self.count * percent, 100) for percent in _PERCENTILES]
        found: list[int | None] = []
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            while len(found) < len(ranks) and seen >= ranks[len(found)]:
                found.append(min(highest_of(bucket), self.high))
        return found

    def view(self, stage: str) -> StageView:
        """Return them for people and programs."""
        p50, p95, p99 = self.percentiles()
        return StageView(
            stage=stage,
            count=self.count,
            min_ms=_ms(self.low if self.count else None),
            p50_ms=_ms(p50),
            p95_ms=_ms(p95),
            p99_ms=_ms(p99),
            max_ms=_ms(self.high if self.count else None),
            mean_ms=_ms(div_ceil(self.total, self.count) if self.count else None),
        )


def _ms(ns: int | None) -> Decimal | None:
    """Return milliseconds, exactly: a nanosecond is a millionth of one."""
    return None if ns is None else to_decimal(ns)
