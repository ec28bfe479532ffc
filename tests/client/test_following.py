"""Following the events: pieces cut anywhere, connections cut anywhere, each record once."""

import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.client.following import Following
from arbees.client.steps import Heard
from arbees.errors import AccessRefused, GatewayError, GatewayRefused
from tests.client.scripted import LOST, REFUSED, Scripted, Stream, problem

OK = Heard(200, b"")


def event(sequence: int) -> bytes:
    """Return an event as it stands on the wire."""
    data = {
        "sequence": sequence,
        "time": "2026-01-28T20:30:00.000Z",
        "kind": "Noted",
        "request_id": None,
        "body": {"text": "a: b\n\nid: 99", "n": sequence},
    }
    return b"id: %d\nevent: Noted\ndata: %s\n\n" % (sequence, json.dumps(data).encode())


def text(numbers: Iterable[int]) -> bytes:
    """Return a stream of events, greeting and heartbeats between them."""
    return b": hello\nretry: 1000\n\n" + b": alive\n\n".join(event(each) for each in numbers)


@given(st.lists(st.integers(0, 1_500), max_size=12))
def test_cut_anywhere(cuts: list[int]) -> None:
    """However the bytes are cut, each event is heard whole, once and in order."""
    whole = text(range(1, 8))
    places = sorted({0, *(cut for cut in cuts if cut < len(whole)), len(whole)})
    following = Following(0)
    found = [
        each.sequence
        for start, end in itertools.pairwise(places)
        for each in following.feed(whole[start:end])
    ]
    assert found == [1, 2, 3, 4, 5, 6, 7]


def test_over_many_connections() -> None:
    """After a cut, in the middle of an event too, it goes on behind the last whole one."""
    first = text(range(6, 9))[:-40]
    gateway = Scripted(
        streams=[
            Stream(REFUSED),
            Stream(OK, [first[:30], first[30:]]),
            Stream(LOST),
            Stream(problem(503, "STARTING")),
            Stream(OK, [text([8])]),
            Stream(OK, [text([9, 10])]),
        ]
    )
    events = gateway.client().events(5)
    assert [next(events).sequence for _ in range(5)] == [6, 7, 8, 9, 10]
    asked = [call.headers["Last-Event-ID"] for call in gateway.calls]
    assert asked == ["5", "5", "7", "7", "7", "8"]
    assert len(gateway.pauses) == 5


def test_what_comes_twice_is_handed_out_once() -> None:
    """Records that were heard already are passed over."""
    following = Following(0)
    assert [each.sequence for each in following.feed(text([1, 2, 1, 2, 3]))] == [1, 2, 3]


def test_a_missing_record_is_no_silence() -> None:
    """A hole in the stream is an error: nobody may take it for the whole."""
    with pytest.raises(GatewayError, match="Expected record 2, was 3"):
        list(Following(0).feed(text([1, 3])))


def test_what_is_no_event() -> None:
    """Data that cannot be read is an error; a line without end is bounded."""
    with pytest.raises(GatewayError, match="cannot be read"):
        list(Following(0).feed(b"data: {\n\n"))
    following = Following(0)
    assert list(following.feed(b"x" * (12 << 20))) == []
    with pytest.raises(GatewayError, match="end of the event"):
        list(following.feed(b"x" * (12 << 20)))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (problem(409, "AHEAD_OF_JOURNAL"), GatewayRefused),
        (problem(400, "MALFORMED"), GatewayRefused),
        (problem(401, "KEY_REQUIRED"), AccessRefused),
        (problem(403, "SCOPE_REQUIRED"), AccessRefused),
    ],
    ids=str,
)
def test_a_stream_that_will_not_be(said: Heard, kind: type[Exception]) -> None:
    """Another journal, or a key that may not, ends it at once."""
    gateway = Scripted(streams=[Stream(said)])
    with pytest.raises(kind):
        next(gateway.client().events(5))
    assert gateway.pauses == []


def test_from_now_on() -> None:
    """Without a place it begins behind the last durable record."""
    status = {
        "mode": "paper",
        "state": "ACTIVE",
        "halts": [],
        "venues": [],
        "journal": {"sequence": 41, "hash": "ab"},
        "pnl_today": 0,
        "version": "1",
        "settings_hash": "h",
        "disabled_safeguards": [],
    }
    gateway = Scripted(Heard(200, json.dumps(status).encode()), streams=[Stream(OK, [text([42])])])
    assert next(gateway.client().events()).sequence == 42
