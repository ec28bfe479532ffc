"""The key comes first: duplicates, conflicts, attempts and signals, before any safeguard runs."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.verdicts import Deny
from arbees.core.language.request import Alternate
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.ports import KeyRow, SignalRow
from tests.core.scene import Says, Scene
from tests.safeguards.build import CONDITION, KALSHI, NOW, YES_TOKEN, request

CONFLICT = "IDEMPOTENCY_CONFLICT"
SIGNAL = SignalRow("s-1", KALSHI, "Yes", "Buy", "k-0", "spent")


def key(outcome: str = "spent", attempt: int = 1, **fields: Any) -> KeyRow:
    """Return what the journal says of key k-1, first used by r-0."""
    return KeyRow("k-1", "r-0", attempt, request(**fields).fingerprint(), outcome, NOW)


def ask(known: commands.Known, leg: int = 0, **changes: Any) -> tuple[events.Event, Says]:
    """Return the first event of a request, and the safeguard that would have denied it."""
    safeguard = Says("market", Deny("MARKET_CLOSED", "M"))
    scene = Scene(safeguard)
    asked = request(**changes)
    command = commands.Submit(request=asked, received_ns=NOW + 5, known=known, leg=leg)
    decision = scene.ask(command)
    assert decision.effects == ()
    return decision.events[0], safeguard


def refused(known: commands.Known, **changes: Any) -> tuple[str, str, str | None, str | None]:
    """Return code, original, observed and limit of a refusal; no safeguard was asked."""
    event, safeguard = ask(known, **changes)
    assert isinstance(event, events.DuplicateRefused)
    assert safeguard.asked == []
    assert (event.request, event.received_ns) == (request(**changes), NOW + 5)
    return event.code, event.original_request_id, event.observed, event.limit


def is_judged(known: commands.Known, leg: int = 0, **changes: Any) -> bool:
    """Return whether the safeguards were asked."""
    event, safeguard = ask(known, leg, **changes)
    assert isinstance(event, events.RequestDenied) is (len(safeguard.asked) == 1)
    return isinstance(event, events.RequestDenied)


def test_a_new_key_is_judged() -> None:
    """Nothing is known of key, id or signal."""
    assert is_judged(commands.UNSEEN)


@pytest.mark.parametrize("attempt", [2, 3, 1_000_000])
def test_a_new_key_begins_with_attempt_1(attempt: int) -> None:
    """A later attempt of a key that nobody saw is a mistake of the caller."""
    assert refused(commands.UNSEEN, attempt=attempt) == (
        CONFLICT,
        "",
        f"expected attempt 1 of a new key, was {attempt}",
        None,
    )


@pytest.mark.parametrize("outcome", ["open", "spent", "denied", "not_sent"])
@pytest.mark.parametrize("request_id", ["r-0", "r-1"])
def test_a_known_key_is_answered_with_the_original(outcome: str, request_id: str) -> None:
    """Whatever became of the first, also while it is in flight; under its id or a fresh one."""
    known = commands.Known(key=key(outcome), request_key="k-1" if request_id == "r-0" else None)
    found = refused(known, request_id=request_id)
    assert found == ("DUPLICATE_REQUEST", "r-0", "k-1", None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", Platform.POLYMARKET),
        ("market_id", YES_TOKEN),
        ("side", Side.NO),
        ("action", Action.SELL),
        ("size", 10_000_001),
        ("limit_price", 650_001),
        ("time_in_force", TimeInForce.GTC),
        ("strategy", "other"),
    ],
)
@pytest.mark.parametrize("outcome", ["open", "denied"])
def test_other_economic_fields_conflict(field: str, value: object, outcome: str) -> None:
    """The same key means the same order, in every attempt."""
    for attempt in (1, 2):
        changes = {field: value, "attempt": attempt}
        assert refused(commands.Known(key=key(outcome)), **changes) == (
            CONFLICT,
            "r-0",
            "expected the economic fields of the first request under this key, was others",
            None,
        )


@pytest.mark.parametrize("outcome", ["denied", "not_sent"])
def test_the_next_attempt_is_judged(outcome: str) -> None:
    """After a denial, or where nothing was sent, the caller may come again: one higher."""
    assert is_judged(commands.Known(key=key(outcome)), attempt=2)
    assert is_judged(commands.Known(key=key(outcome, attempt=7)), attempt=8)


@pytest.mark.parametrize("outcome", ["open", "spent"])
@pytest.mark.parametrize("attempt", [2, 3])
def test_a_spent_key_has_no_next_attempt(outcome: str, attempt: int) -> None:
    """What went to a venue, or is still in flight, is never tried again."""
    found = refused(commands.Known(key=key(outcome)), attempt=attempt)
    assert found == ("DUPLICATE_REQUEST", "r-0", "k-1", None)


@pytest.mark.parametrize("attempt", [1, 2])
def test_an_earlier_attempt_is_a_duplicate(attempt: int) -> None:
    """Attempts only go up."""
    found = refused(commands.Known(key=key("denied", attempt=2)), attempt=attempt)
    assert found == ("DUPLICATE_REQUEST", "r-0", "k-1", None)


@pytest.mark.parametrize("attempt", [3, 4])
def test_a_skipped_attempt_conflicts(attempt: int) -> None:
    """After the first comes the second."""
    assert refused(commands.Known(key=key("denied")), attempt=attempt) == (
        CONFLICT,
        "r-0",
        f"expected attempt 2, was {attempt}",
        None,
    )


def test_the_next_attempt_needs_a_fresh_id() -> None:
    """One request_id, one result."""
    known = commands.Known(key=key("denied"), request_key="k-1")
    assert refused(known, attempt=2) == (
        CONFLICT,
        "r-0",
        "expected a fresh request_id for attempt 2, was one seen before",
        None,
    )


@pytest.mark.parametrize("row", [None, key(), key("denied")])
def test_an_id_that_was_seen_under_another_key_conflicts(row: KeyRow | None) -> None:
    """This comes first, whether the key is known or not."""
    known = commands.Known(key=row, request_key="k-9", signal=SIGNAL)
    assert refused(known, attempt=2) == (
        CONFLICT,
        "",
        "request_id was seen under idempotency_key k-9",
        None,
    )


def test_a_signal_under_another_key_is_refused() -> None:
    """Several shards, one signal: the second is told which key was first."""
    known = commands.Known(signal=SIGNAL, signal_request_id="r-9")
    expected = ("DUPLICATE_SIGNAL", "r-9", "s-1", "k-0")
    assert refused(known, signal_id="s-1") == expected
    retry = commands.Known(key=key("denied"), signal=SIGNAL, signal_request_id="r-9")
    assert refused(retry, signal_id="s-1", attempt=2) == expected


def test_a_signal_whose_request_is_not_found_has_no_original() -> None:
    """The refusal stands all the same."""
    found = refused(commands.Known(signal=SIGNAL), signal_id="s-1")
    assert found == ("DUPLICATE_SIGNAL", "", "s-1", "k-0")


def test_a_duplicate_key_comes_before_a_duplicate_signal() -> None:
    """Its own key tells more."""
    known = commands.Known(key=key(), signal=SIGNAL, signal_request_id="r-9")
    assert refused(known, signal_id="s-1")[0] == "DUPLICATE_REQUEST"


def test_a_later_leg_is_not_looked_up() -> None:
    """Its key is its own: the first leg has just been written."""
    there = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=640_000
    )
    known = commands.Known(key=key(), request_key="k-1")
    assert is_judged(known, leg=1, alternates=(there,))


def test_a_later_leg_does_not_execute_a_signal_again() -> None:
    """Another shard executed the signal where this one would fall back to: that is denied."""
    there = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=640_000
    )
    denied, safeguard = ask(
        commands.Known(signal=SIGNAL), leg=1, signal_id="s-1", alternates=(there, there)
    )
    assert safeguard.asked == []
    assert isinstance(denied, events.RequestDenied)
    assert denied.findings == (events.Finding("idempotency", "DUPLICATE_SIGNAL", "s-1", "k-0"),)
    assert not denied.falls_back


def test_duplicates_change_nothing_in_the_book() -> None:
    """They are journaled, and counted nowhere."""
    scene = Scene()
    before = scene.book.sequence
    scene.do(commands.Submit(request=request(), received_ns=NOW, known=commands.Known(key=key())))
    assert scene.book.sequence == before + 1
    assert (scene.book.orders, scene.book.opened, scene.book.denials) == ({}, [], {})
    assert scene.book.markets[CONDITION].orders == []
    scene.check()
