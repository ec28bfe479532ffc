"""Events: their JSON, byte for byte, since journals of today must be read for ever."""

from typing import get_args

import msgspec
import pytest
from msgspec.structs import fields

from arbees.core import events
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from tests.core.bodies import EMPTY, LEAST, MORE


def body(event: events.Event) -> str:
    """Return a record's body as text."""
    return events.encode(event).decode()


def test_every_event_is_here() -> None:
    """Whoever adds an event writes down its body."""
    assert {type(event) for event, _ in LEAST} == set(get_args(events.AnyEvent))
    assert len(LEAST) == len(get_args(events.AnyEvent))


@pytest.mark.parametrize(("event", "text"), LEAST, ids=lambda value: type(value).__name__)
def test_the_body_of_a_record(event: events.Event, text: str) -> None:
    """It is this text, it reads back the same, and its kind is the name of the event."""
    assert body(event) == text
    assert events.decode(text.encode()) == event
    assert f'"type":"{events.kind(event)}"' in text


@pytest.mark.parametrize(("event", "text"), LEAST, ids=lambda value: type(value).__name__)
def test_fields_that_are_left_out(event: events.Event, text: str) -> None:
    """Every optional field is in the body exactly if it is unlike its default, and comes back."""
    more = MORE.get(type(event), {})
    optional = {field.name for field in fields(event) if not field.required}
    assert set(more) == optional
    full = msgspec.structs.replace(event, **more)
    for name in optional:
        assert f'"{name}":' not in text
    read = events.decode(events.encode(full))
    assert read == full
    for name, value in more.items():
        assert f'"{name}":' in body(full)
        assert getattr(read, name) == value
        assert getattr(event, name) == EMPTY[name] != value
        assert type(getattr(event, name)) is type(EMPTY[name])


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"Nothing"}',
        '{"reason":"x"}',
        '{"type":"Stopped"}',
        '{"type":"Stopped","reason":5}',
        '{"type":"CashMoved","platform":"Kalshi","amount":1.5,"reason":"m","actor":"ann"}',
        '{"type":"MarketSettled","market_key":"K","result":"Maybe","payout":1,"realized":2}',
        "[]",
        "null",
    ],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    """An unknown kind, a missing field or a wrong type is never guessed at."""
    with pytest.raises(msgspec.ValidationError):
        events.decode(text.encode())


def test_what_is_no_json_is_refused() -> None:
    """Half a record is none."""
    with pytest.raises(msgspec.DecodeError):
        events.decode(b'{"type":"Stop')


def test_orders_of_words_are_read_back_as_words() -> None:
    """Enums come back as members, not as texts."""
    read = events.decode(events.encode(LEAST[6][0]))
    assert isinstance(read, events.OrderApproved)
    assert read.side is Side.YES
    assert read.request.platform is Platform.KALSHI
    assert read.request.action is Action.BUY
    assert read.request.time_in_force is TimeInForce.IOC
