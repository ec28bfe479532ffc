"""What audit, quality and counters say of orders that come back, from golden journals of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.ports import Stored
from arbees.telemetry.audit.projection import Projector
from arbees.telemetry.metrics import catalogue
from arbees.telemetry.metrics.counters import Counters
from arbees.telemetry.quality.fold import QualityFold, tallied
from arbees.telemetry.quality.tally import OrderOutcome
from verification.golden import read

FOLDER = Path(__file__).parents[1] / "golden"
STORIES = ("venue_word", "dispute")


class Journal:
    """The records of a golden journal."""

    def __init__(self, story: str) -> None:
        (path,) = FOLDER.glob(f"{story}-*.jsonl")
        self.stored = [
            Stored(
                sequence=line.sequence,
                time_ns=line.time_ns,
                kind=line.kind,
                body=bytes(line.body),
                request_id=line.request_id,
                hash=b"",
            )
            for line in read(path)[1]
        ]

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the records above a sequence."""
        return (each for each in self.stored if each.sequence > after)

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the records of one request."""
        return [each for each in self.stored if each.request_id == request_id]


@pytest.mark.parametrize("story", STORIES)
def test_one_final_line_a_request_and_corrections_of_it(story: str) -> None:
    """Whatever comes back, each request has one final line; each later one names it."""
    journal = Journal(story)
    projector = Projector(journal)
    lines = [line for stored in journal.stored for line in projector.lines(stored)]
    final = [each for each in lines if each.is_final]
    first = Counter(each.request_id for each in final if "corrects" not in each.metadata)
    assert set(first.values()) == {1}
    sequences = {each.metadata["sequence"] for each in final if "corrects" not in each.metadata}
    later = [each for each in lines if "corrects" in each.metadata]
    assert all(each.metadata["corrects"] in sequences for each in later)
    assert bool(later) is (story == "venue_word")


@pytest.mark.parametrize("story", STORIES)
def test_every_order_has_one_outcome(story: str) -> None:
    """Approved orders are what they came to in the end, read in one go or anew at each record."""
    journal = Journal(story)
    fold = QualityFold(journal)
    for stored in journal.stored:
        fold.take(stored)
    tally = tallied(fold, fold.tallies)
    assert sum(tally.outcomes.values()) == tally.approved > 0
    assert tally.outcomes[OrderOutcome.OPEN] == 0
    assert tally.unknown == 0
    assert tally.outcomes[OrderOutcome.NOT_SENT] == 0, "it was there after all"


@pytest.mark.parametrize("story", STORIES)
def test_each_end_is_counted_at_its_venue(story: str) -> None:
    """One that is reopened ends again, and is known again meanwhile."""
    counters = Counters()
    ends = 0
    for stored in Journal(story).stored:
        event = events.decode(stored.body)
        counters.take(stored.time_ns, event)
        ends += stored.kind in {"OrderNotSent", "OrderCancelled"}
        ends += isinstance(event, events.OrderFilled) and event.is_complete
    counted = counters.counts()[catalogue.ENDED.name]
    assert {labels[0] for labels in counted} == {"Kalshi"}
    assert sum(counted.values()) == ends
