"""Faults on request: what an exchange may do to a gateway, for drills and tests.

Guarantees that without a request nothing is disturbed, and that one seed gives one sequence of
disturbances. The only place of the paper exchange that draws random numbers.
"""

from collections.abc import MutableSequence
from enum import StrEnum
from random import Random
from typing import TypeVar

import msgspec

from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform

T = TypeVar("T")


class Fault(StrEnum):
    """What may go wrong between the gateway and the paper exchange."""

    OUTAGE = "outage"
    """The venue cannot be reached: orders are not sent, reads fail."""
    UNHEALTHY = "unhealthy"
    """The venue answers that trading is paused."""
    LOST_BEFORE = "lost_before"
    """The order is lost on its way: no answer, nothing accepted."""
    LOST_AFTER = "lost_after"
    """The order is accepted, the answer is lost."""
    READ_LAG = "read_lag"
    """Reads show what they showed last; a lookup proves nothing."""
    REPORT_LOST = "report_lost"
    """The account's own stream drops a report."""
    REPORT_TWICE = "report_twice"
    """The stream delivers a report twice."""
    REPORTS_SHUFFLED = "reports_shuffled"
    """The stream delivers the reports of a commit in another order."""
    CANCEL_YET_FILLED = "cancel_yet_filled"
    """A cancel is answered with success although the rest was filled just before."""


class _Rule(msgspec.Struct):
    chance: int
    times: int | None


class Faults:
    """
    Switches for every fault, per venue. All off at first.

    Chances are in millionths, delays in nanoseconds.
    """

    def __init__(self, seed: int = 0) -> None:
        """Take the seed of every draw."""
        self._random = Random(seed)  # noqa: S311 - seeded on purpose
        self._rules: dict[tuple[Fault, Platform], _Rule] = {}
        self.latency_ns: tuple[int, int] = (0, 0)
        """From approval to the wire, lowest and highest: before the gate is asked."""
        self.answer_latency_ns: tuple[int, int] = (0, 0)
        """From the commit to the answer."""

    def set(
        self,
        fault: Fault,
        *,
        platform: Platform | None = None,
        chance: int = MICRO,
        times: int | None = None,
    ) -> None:
        """
        Switch a fault on.

        Args:
            fault: what may go wrong from now on.
            platform: the venue meant; None for both.
            chance: of each opportunity, in millionths.
            times: after so many occurrences it is off again; None for never.
        """
        for venue in Platform if platform is None else (platform,):
            self._rules[fault, venue] = _Rule(chance, times)

    def clear(self, fault: Fault | None = None, *, platform: Platform | None = None) -> None:
        """Switch a fault off, or all of them, at one venue or at both."""
        for key in list(self._rules):
            if fault in {None, key[0]} and platform in {None, key[1]}:
                del self._rules[key]

    def occurs(self, fault: Fault, platform: Platform) -> bool:
        """Tell whether a fault strikes at this opportunity."""
        rule = self._rules.get((fault, platform))
        if rule is None or (rule.chance < MICRO and self._random.randrange(MICRO) >= rule.chance):
            return False
        if rule.times is not None:
            rule.times -= 1
            if rule.times <= 0:
                del self._rules[fault, platform]
        return True

    def delay_ns(self, bounds: tuple[int, int]) -> int:
        """Draw a delay within bounds; equal bounds draw nothing."""
        low, high = bounds
        return low if low == high else self._random.randint(low, high)

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Put a list in another order, in place."""
        self._random.shuffle(items)
