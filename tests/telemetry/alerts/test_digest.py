"""The daily digest: one for each day that ended, with what a review asks for."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

from arbees.core import events
from arbees.telemetry.alerts.board import AlertName, Severity
from arbees.telemetry.alerts.digest import DailyDigest
from arbees.telemetry.quality.quality import Quality
from tests.telemetry.lives import DAY, MICRO, SECOND, make_request
from tests.telemetry.quality.test_quality import Journal

ZONE = ZoneInfo("America/New_York")


def told(
    journal: Journal, day: str | None, *new_events: events.Event
) -> list[tuple[str, str, Any]]:
    """Return the alerts that a digest raised for some events."""
    found: list[tuple[str, str, Any]] = []

    def raise_(name: str, message: str, **data: Any) -> None:
        found.append((name, message, data))

    async def run() -> None:
        digest = DailyDigest(Quality(journal), ZONE, raise_, day)
        for event in new_events:
            digest.take(event)
        task = asyncio.create_task(digest.run())
        for _ in range(200):
            await asyncio.sleep(0.001)
            if found:
                break
        task.cancel()

    asyncio.run(run())
    return found


def opened(day: str) -> events.DayOpened:
    """Return the beginning of a day."""
    return events.DayOpened(day=day, baseline=0)


def a_day() -> Journal:
    """Return a day with an order that fills, and a denial; and one more on the next day."""
    journal = Journal()
    request = make_request("r1")
    journal.approve(request)
    journal.acknowledge(request)
    journal.pass_time(SECOND // 2)
    journal.fill(request, 50 * MICRO, is_complete=True)
    journal.deny(make_request("r2"))
    journal.pass_time(DAY)
    journal.deny(make_request("r3"))
    return journal


def test_tells_of_the_day_that_ended() -> None:
    """Orders placed, fill rate, average latency and denials by safeguard, of that day alone."""
    (alert,) = told(a_day(), None, opened("2026-01-28"), opened("2026-01-29"))
    name, message, data = alert
    assert name == AlertName.DAILY_DIGEST
    assert message == (
        "2026-01-28: 1 orders placed, fill rate 100.0 %, average latency 250 ms, "
        "1 denied (order_size 1)"
    )
    assert data["orders_placed"] == "1"
    assert data["denials_order_size"] == "1"
    assert data["scope"] == "2026-01-28"


def test_a_day_from_before_this_process_is_told_too() -> None:
    """Whoever starts within a day, or the day after, tells of the day of the journal."""
    (alert,) = told(a_day(), "2026-01-28", opened("2026-01-29"))
    assert alert[1].startswith("2026-01-28: 1 orders placed")


def test_a_day_without_orders_has_no_rates() -> None:
    """Nothing is made up where there was nothing."""
    (alert,) = told(Journal(), "2026-01-28", opened("2026-01-29"))
    assert "0 orders placed, fill rate -, average latency -, 0 denied" in alert[1]
    assert alert[2]["fill_rate"] == "None"


def test_the_same_day_opens_once() -> None:
    """A restart within the day, and the first day of all, end none."""
    assert told(Journal(), "2026-01-28", opened("2026-01-28")) == []
    assert told(Journal(), None, opened("2026-01-28")) == []


def test_a_digest_that_fails_ends_nothing() -> None:
    """Whatever goes wrong with one day, the next one is told."""
    (alert,) = told(a_day(), "no day", opened("2026-01-28"), opened("2026-01-29"))
    assert alert[1].startswith("2026-01-28: 1 orders placed")


def test_is_information() -> None:
    """A digest is for the day's review, not for the night."""
    assert AlertName.DAILY_DIGEST.severity is Severity.INFO
