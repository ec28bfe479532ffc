"""When to come again: bounded, growing, and not all at the same moment.

Guarantees that no pause is longer than the bound unless the gateway asked for it, and that clients
which failed together do not return together.
"""

from collections.abc import Callable

import msgspec

PAUSE_SECONDS_MIN = 0.05
PAUSE_SECONDS_MAX = 5.0
ASKED_SECONDS_MAX = 60.0
"""The longest pause that is taken on the gateway's word."""


class Pace(msgspec.Struct, frozen=True):
    """How long to pause after each failure in a row."""

    draw: Callable[[], float]
    """Gives a number from 0 to 1."""
    seconds_min: float = PAUSE_SECONDS_MIN
    seconds_max: float = PAUSE_SECONDS_MAX

    def pause(self, failures: int, retry_after: str | None = None) -> float:
        """
        Return how long to pause, in seconds.

        Args:
            failures: in a row so far, at least one.
            retry_after: what the gateway asked for, in whole seconds; other text is ignored.
        """
        high = min(self.seconds_max, self.seconds_min * 2.0 ** min(failures, 16))
        pause = high / 2 + self.draw() * high / 2
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            asked = min(float(retry_after), ASKED_SECONDS_MAX)
            pause = max(pause, asked + self.draw() * self.seconds_min)
        return pause
