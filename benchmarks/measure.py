"""Times things fairly: in turns, so that a disk or a neighbour that changes hits all alike.

Guarantees that whatever is compared was measured in the same rounds of the same run. Durations are
in microseconds. Nothing here judges; a row does.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Self

import msgspec

US = 1_000
"""Nanoseconds in a microsecond."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all values does not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def in_turns(rounds: int, *subjects: Callable[[], float]) -> list[list[float]]:
    """
    Run every subject once a round, each time beginning with another one.

    Returns:
        For each subject what it returned, round by round.
    """
    found: list[list[float]] = [[] for _ in subjects]
    for number in range(rounds):
        for offset in range(len(subjects)):
            index = (number + offset) % len(subjects)
            found[index].append(subjects[index]())
    return found


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the median of the ratios round by round."""
    return median(a / b for a, b in zip(over, under, strict=True))


def cpu_us(work: Callable[[], object], times: int) -> float:
    """Return the processor time of one call on this thread, averaged over some."""
    begun = time.thread_time_ns()
    for _ in range(times):
        work()
    return (time.thread_time_ns() - begun) / times / US


class Stopwatch:
    """Collects wall-clock durations."""

    def __init__(self) -> None:
        """Start without any."""
        self.laps: list[float] = []
        self._begun = 0

    def __enter__(self) -> Self:
        """Begin a lap."""
        self._begun = time.perf_counter_ns()
        return self

    def __exit__(self, *_: object) -> None:
        """End the lap."""
        self.laps.append((time.perf_counter_ns() - self._begun) / US)

    def p50(self) -> float:
        """Return the median lap, and forget all laps."""
        laps, self.laps = self.laps, []
        return median(laps)


class Row(msgspec.Struct, frozen=True):
    """One line of the table: a figure against its target, and what it was compared with."""

    name: str
    figure: str
    target: str
    is_met: bool | None
    """None = nothing to judge."""
    against: str


def row(
    name: str, figure: float, target: float, unit: str, against: str, *, at_least: bool = False
) -> Row:
    """Return a row whose figure must not exceed (or reach) its target."""
    is_met = figure >= target if at_least else figure <= target
    sign = ">=" if at_least else "<="
    return Row(name, _text(figure, unit), f"{sign} {_text(target, unit)}", is_met, against)


def _text(value: float, unit: str) -> str:
    digits = 0 if value >= 1_000 else 1 if value >= 100 else 2
    return f"{value:,.{digits}f} {unit}"
