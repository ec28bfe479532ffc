"""P6 on journals of the wired gateway: each decision in one is made again from it, and is the same.

Nothing but the journal is used: the book is the fold of the records before, the facts are those in
the event, the settings those of the start.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import fresh
from arbees.core.book.index_rows import DENIED
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.ports import KeyRow
from arbees.journal import JournalReader
from arbees.settings import Settings, load
from arbees.wiring.bootstrap import rules_of
from tests.golden.stories import hold_keys
from tests.runtime.chaos import Chaos
from tests.runtime.evenings import Act, Evening, files_in
from tests.runtime.test_crash_points import EVENINGS
from verification.simulation import simulate

Decided = events.RequestDenied | events.OrderApproved


def decided_again(folder: Path, settings: Settings) -> Iterator[tuple[events.Event, events.Event]]:
    """Yield each decision of a journal beside the one that is made again."""
    book, rules = fresh(), rules_of(settings)
    reader = JournalReader(files_in(folder).journal)
    for stored in reader.records():
        event = events.decode(stored.body)
        if isinstance(event, Decided):
            decision = decide(book, event.facts, _command(event), rules)
            yield event, next(each for each in decision.events if isinstance(each, Decided))
        apply(book, event, stored.sequence, stored.time_ns)
    reader.close()


def _command(event: Decided) -> commands.Submit:
    """Return the command that led to a decision: its key was free, or its last attempt denied."""
    request = event.request
    known = commands.UNSEEN
    if request.attempt > 1:
        last = request.attempt - 1
        known = commands.Known(
            key=KeyRow(request.idempotency_key, "before", last, request.fingerprint(), DENIED, 0)
        )
    return commands.Submit(
        request=request,
        received_ns=event.received_ns,
        known=known,
        leg=event.leg,
        key_id=event.key_id,
    )


@pytest.mark.parametrize("act", [*EVENINGS, hold_keys], ids=lambda act: act.__name__)
def test_every_decision_is_made_again(act: Act, tmp_path: Path) -> None:
    """The same command, book, facts and settings give the same decision, verdicts included."""
    evening = Evening(tmp_path)
    simulate(evening.live(act))
    pairs = list(decided_again(tmp_path, evening.settings))
    assert pairs
    for was, again in pairs:
        assert events.encode(again) == events.encode(was)


@pytest.mark.parametrize("seed", range(3))
def test_every_decision_of_a_chaos_is_made_again(seed: int, tmp_path: Path) -> None:
    """Also where everything went wrong at once."""
    evening, chaos = Evening(tmp_path), Chaos(seed)
    simulate(evening.live(chaos), thread_seconds=chaos.thread_seconds)
    for was, again in decided_again(tmp_path, evening.settings):
        assert events.encode(again) == events.encode(was)


def test_other_settings_decide_otherwise(tmp_path: Path) -> None:
    """The comparison means something: with another limit the decisions differ."""
    evening = Evening(tmp_path)
    simulate(evening.live(EVENINGS[0]))
    tighter = load({"MAX_ORDER_SIZE": "1"})
    assert any(again != was for was, again in decided_again(tmp_path, tighter))
