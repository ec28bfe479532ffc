"""The daily digest: what the day was, in a sentence, when the next one begins.

Guarantees one digest for each trading day that this process saw end, also of a day that began
before it; nothing is worked out on the loop, and a digest that fails costs its line in the log, not
the gateway. The requirements' information for a daily review:
orders placed, fill rate, average latency, denials by safeguard.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog

from arbees.core import events
from arbees.interface.measures import QualityRow
from arbees.telemetry.alerts.board import AlertName
from arbees.telemetry.days import day_bounds
from arbees.telemetry.quality.quality import Quality

_log = structlog.get_logger("arbees.digest")

DAYS_MAX = 8
"""Days that may wait for their digest; more are a clock gone wild."""


class DailyDigest:
    """Hears of new days, and tells of the old ones."""

    def __init__(
        self, quality: Quality, zone: ZoneInfo, raise_: Callable[..., None], day: str | None
    ) -> None:
        """
        Begin within a day.

        Args:
            quality: of execution.
            zone: of the trading day.
            raise_: takes an alert: name, message, data.
            day: the trading day of the journal so far, None if there is none.
        """
        self._quality = quality
        self._zone = zone
        self._raise = raise_
        self._day = day
        self._due: deque[str] = deque(maxlen=DAYS_MAX)
        self._wake = asyncio.Event()

    def take(self, event: events.Event) -> None:
        """Take the next durable event."""
        if isinstance(event, events.DayOpened):
            before, self._day = self._day, event.day
            if before is not None and before != event.day:
                self._due.append(before)
                self._wake.set()

    async def run(self) -> None:
        """Tell of each day that has ended."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                day = self._due.popleft()
                telling = asyncio.create_task(self._tell(day))
                try:
                    await asyncio.wait((telling,))
                finally:
                    telling.cancel()
                if (error := telling.exception()) is not None:
                    _log.error("There is no digest of the day", day=day, error=repr(error))

    async def _tell(self, day: str) -> None:
        since_ns, until_ns = day_bounds(day, self._zone)
        view = await asyncio.to_thread(self._quality.view, since_ns, until_ns=until_ns)
        row = view.total
        self._raise(AlertName.DAILY_DIGEST, f"{day}: {sentence(row)}", scope=day, **facts(row))


def sentence(row: QualityRow) -> str:
    """Return a day in a sentence."""
    rate = "-" if row.fill_rate is None else f"{row.fill_rate * 100:.1f} %"
    latency = mean_ms(row)
    mean = "-" if latency is None else f"{latency:.0f} ms"
    denials = ", ".join(f"{each.safeguard} {each.count}" for each in row.denials)
    return (
        f"{row.placed} orders placed, fill rate {rate}, average latency {mean}, "
        f"{row.denied} denied" + (f" ({denials})" if denials else "")
    )


def facts(row: QualityRow) -> dict[str, str]:
    """Return a day for programs."""
    return {
        "orders_placed": str(row.placed),
        "fill_rate": str(row.fill_rate),
        "average_latency_ms": str(mean_ms(row)),
        "denied": str(row.denied),
    } | {f"denials_{each.safeguard}": str(each.count) for each in row.denials}


def mean_ms(row: QualityRow) -> float | None:
    """Return the average time from a request's arrival to its end, in milliseconds."""
    found = next(each for each in row.latency if each.stage == "final")
    return None if found.mean_ms is None else float(found.mean_ms)
