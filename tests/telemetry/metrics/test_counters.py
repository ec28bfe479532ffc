"""What the metrics count of durable events: everything once, under bounded labels."""

import pytest

from arbees.core import events
from arbees.core.language.words import HaltSource, Platform
from arbees.interface.measures import BOUNDS_NS, Histogram
from arbees.safeguards import ALL
from arbees.telemetry.metrics import catalogue
from arbees.telemetry.metrics import counters as counting
from arbees.telemetry.metrics.counters import Counters
from tests.telemetry.evenings import Evening
from tests.telemetry.lives import MICRO, SECOND, Lives, make_request
from tests.telemetry.quality_oracle import expected


def taken(lives: Lives) -> Counters:
    """Return counters that took a whole journal."""
    counters = Counters()
    for each in lives.stored:
        counters.take(each.time_ns, events.decode(each.body))
    return counters


def total(counters: Counters, metric: catalogue.Metric) -> int:
    """Return the sum of a metric over its labels."""
    return sum(counters.counts()[metric.name].values())


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_journal(seed: int) -> None:
    """Over a random evening the counts are those that a walk over the journal finds."""
    lives = Evening(seed, 40).lives
    counters, wanted = taken(lives), expected(lives.stored, 0)
    assert total(counters, catalogue.REQUESTS) == wanted["requests"] + wanted["duplicates"]
    assert total(counters, catalogue.APPROVALS) == wanted["approved"]
    assert total(counters, catalogue.FILLS) == wanted["fills"]
    assert total(counters, catalogue.CONTRACTS) == wanted["filled_quantity"]
    assert total(counters, catalogue.DOLLARS) == wanted["value"]
    assert total(counters, catalogue.FEES) == wanted["fees"]
    assert total(counters, catalogue.ENDED) == wanted["approved"] - wanted["open"]
    assert total(counters, catalogue.REJECTS) == wanted["rejected"]
    assert total(counters, catalogue.DENIALS) == wanted["denials"].total() + wanted["duplicates"]
    assert sum(counters.decide.counts) == len(wanted["decide"]) + wanted["duplicates"]
    assert sum(sum(each.counts) for each in counters.acknowledge.values()) == len(
        wanted["acknowledge"]
    )


def test_every_safeguard_is_there_from_the_start() -> None:
    """A safeguard that never denied shows 0: an alert rule needs it before it does."""
    denials = Counters().counts()[catalogue.DENIALS.name]
    assert set(denials) == {
        *((each.name,) for each in ALL),  # type: ignore[attr-defined]
        ("idempotency",),
        ("gate",),
    }
    assert set(denials.values()) == {0}


def test_venues_and_sources_are_there_from_the_start() -> None:
    """The same holds for each venue and for each source of halts."""
    counts = Counters().counts()
    assert set(counts[catalogue.FILLS.name]) == {(str(platform),) for platform in Platform}
    assert set(counts[catalogue.HALTS_RAISED.name]) == {(str(source),) for source in HaltSource}


def test_a_venue_that_makes_up_codes_is_bounded() -> None:
    """Codes are a venue's own words: cut, cleaned, and only so many told apart."""
    lives = Lives()
    for number in range(200):
        request = make_request(f"r{number}")
        lives.approve(request)
        lives.order(events.OrderRejected, request, venue_code=f"code\n{number}" * 40, message="no")
    rejects = taken(lives).counts()[catalogue.REJECTS.name]
    assert len(rejects) <= counting.VENUE_CODES_MAX + len(Platform)
    assert rejects["Kalshi", "other"] == 200 - counting.VENUE_CODES_MAX
    for _, code in rejects:
        assert code.isprintable()
        assert len(code) <= counting.CODE_LENGTH_MAX


def test_orders_from_before_the_start_have_their_venue() -> None:
    """What an order that was open at the start comes to is counted at its venue, not timed."""
    lives = Lives()
    request = make_request()
    lives.approve(request)
    acknowledged = lives.acknowledge(request)
    counters = Counters()
    counters.expect("arb-idempotent_xyz", "Kalshi")
    counters.take(acknowledged.time_ns, events.decode(acknowledged.body))
    assert counters.counts()[catalogue.ACKNOWLEDGEMENTS.name]["Kalshi",] == 1
    assert sum(counters.acknowledge["Kalshi"].counts) == 0


def test_an_order_that_nobody_knows_is_counted_as_other() -> None:
    """A record without its approval breaks nothing."""
    lives = Lives()
    lives.cancel(make_request())
    assert taken(lives).counts()[catalogue.ENDED.name]["other", "cancelled"] == 1


def test_memory_does_not_grow_with_closed_orders() -> None:
    """An order that ended is forgotten."""
    lives = Lives()
    for number in range(50):
        request = make_request(f"r{number}")
        lives.approve(request)
        lives.fill(request, 50 * MICRO, is_complete=True)
    assert not taken(lives)._orders


def test_histogram_bounds_are_inclusive() -> None:
    """A duration of exactly a bound counts under it, one more under the next."""
    found = Histogram()
    for ns in (0, BOUNDS_NS[0], BOUNDS_NS[0] + 1, BOUNDS_NS[-1], BOUNDS_NS[-1] + SECOND):
        found.add(ns)
    counts = found.timings().counts
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (2, 1, 1, 1)
