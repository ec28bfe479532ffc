"""A small load: all that is heard and answered equals the journal, and what differs shows."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from arbees.core.ports import Stored
from arbees.telemetry.stream.frames import event_of
from verification.barrage import SentRequest
from verification.listeners import Hearing, Listener, digest_of
from verification.load import (
    Load,
    compare_results,
    compare_streams,
    run,
    table,
)

RECORDS = [
    Stored(number, number, "Noted", b'{"type":"Noted"}', f"r{number}", b"")
    for number in range(1, 9)
]


def test_streams_and_results_equal_the_journal_under_load(tmp_path: Path) -> None:
    """Sixteen connections send, eight follow, everything is cancelled again and again."""
    load = asyncio.run(run(tmp_path, seconds=3))
    assert load.texts == []
    assert load.connections == 8
    assert load.cancels >= 2
    assert load.orders > 50
    assert load.heard > 200


def hearing(last: int, **changes: object) -> Hearing:
    """Return what a listener heard of the records."""
    events = [event_of(stored) for stored in RECORDS[:last]]
    data = events[0].decode().partition("data: ")[2].strip()
    found = Hearing(last=last, digest=digest_of(events), kept=[(1, data)])
    return msgspec.structs.replace(found, **changes)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (hearing(8), None),
        (hearing(7), None),
        (hearing(6), "heard 6 of 7"),
        (hearing(8, faults=["after record 3 came 5"]), "after record 3 came 5"),
        (hearing(8, digest="another"), "something else"),
        (hearing(8, kept=[(1, "{}")]), "record 1 is not"),
    ],
)
def test_what_was_heard_is_compared(heard: Hearing, said: str | None) -> None:
    """Whatever a listener missed, heard twice or heard differently is told."""
    found = compare_streams(RECORDS, [heard], 7)
    assert (found == []) if said is None else (len(found) == 1 and said in found[0])


def test_what_was_answered_is_compared() -> None:
    """An answer without a record, an error, and a wrong number of duplicates are told."""
    answered = {"code": None, "final": True, "sequence": 1}
    again = {"code": "DUPLICATE_REQUEST"}
    sent = [
        SentRequest({"request_id": "a"}, 503, {"code": "QUEUE_FULL"}),
        SentRequest({"request_id": "b"}, None, None),
        SentRequest({"request_id": "c"}, 200, answered),
        SentRequest({"request_id": "c"}, 200, again),
    ]
    found = compare_results([], sent)
    assert [text.split(":")[0] for text in found[:3]] == ["a", "b", "c"]
    assert "1 duplicates were answered, 0 are in the journal" in found[3]


def test_a_listener_notices_by_itself() -> None:
    """A record that is missing, comes twice, or is no event is a fault."""
    for events in (
        [b"id: 1\nevent: X\ndata: {}", b"id: 3\nevent: X\ndata: {}"],
        [b"id: 1\nevent: X\ndata: {}", b"id: 1\nevent: X\ndata: {}"],
        [b"nonsense"],
    ):
        listener = Listener("http://127.0.0.1:1")
        for event in [b": hello", *events]:
            listener._hear(event)
        assert len(listener.hearing.faults) == 1


def test_the_table() -> None:
    """Figures stand under their titles, rates by the second."""
    load = Load(seconds=2.0, orders=100, records=300)
    load.answers["Filled"] = 80
    lines = {line[:36].strip(): line[36:].strip() for line in table(load).splitlines()}
    assert (lines["orders a second"], lines["answered Filled"]) == ("50", "80")
    assert lines["differences"] == "0"
