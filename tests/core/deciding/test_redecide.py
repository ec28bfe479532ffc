"""Recorded decisions made again: the command that led to each, and the keys of duplicates."""

import pytest

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import fresh
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import NotSent
from arbees.core.deciding.redecide import (
    KeyFold,
    code_of,
    decided,
    redecide,
    submit_of,
    watched,
)
from arbees.core.deciding.verdicts import Deny, Pass
from arbees.core.language.request import Alternate
from arbees.core.language.words import Platform, Side
from arbees.core.ports import KeyRow, SignalRow
from tests.core.scene import Says, Scene
from tests.safeguards.build import YES_TOKEN, request

FREE = Says("says", Pass("A"))
NEVER = Says("says", Deny("A", 2, 1))


def judged(scene: Scene) -> events.RequestDenied | events.OrderApproved:
    """Return the last judgement."""
    kinds = events.RequestDenied | events.OrderApproved
    return [each for _, _, each in scene.records if isinstance(each, kinds)][-1]


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_an_attempt_is_decided_again(attempt: int) -> None:
    """The key is taken as it must have been; approval and denial come out the same."""
    for says in (FREE, NEVER):
        scene = Scene(says)
        asked = request(attempt=attempt)
        before = KeyRow("k-1", "before", attempt - 1, asked.fingerprint(), "denied", 0)
        known = commands.Known(key=before) if attempt > 1 else commands.UNSEEN
        if attempt > 1:
            asked = request(attempt=attempt, idempotency_key="k-1")
        command = commands.Submit(request=asked, received_ns=5, known=known)
        decision = scene.ask(command)
        event = decided(decision)
        assert submit_of(event).request == asked
        assert submit_of(event).received_ns == 5
        assert redecide(scene.book, event, scene.rules).events == decision.events
        assert (code_of(event) is None) is (says is FREE)


def test_a_leg_that_a_signal_stood_in_the_way_of() -> None:
    """At an alternate the key denies by itself; made again it does so with the same words."""
    scene = Scene(FREE)
    place = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=650_000
    )
    asked = request(signal_id="s", alternates=(place,))
    row = SignalRow("s", "m", "Yes", "Buy", "other key", "spent")
    command = commands.Submit(request=asked, received_ns=5, known=commands.Known(signal=row), leg=1)
    event = decided(scene.ask(command))
    assert code_of(event) == "DUPLICATE_SIGNAL"
    assert decided(redecide(scene.book, event, scene.rules)) == event


class Desk:
    """A scene that looks keys up as the writer does, and keeps what it refused."""

    def __init__(self) -> None:
        self.scene = Scene(FREE)
        self.keys: dict[str, KeyRow] = {}

    def refuse(self, known: commands.Known, **fields: object) -> events.DuplicateRefused:
        """Ask for something that is refused, and keep the record."""
        command = commands.Submit(request=request(**fields), received_ns=9, known=known)
        event = self.scene.do(command).events[0]
        assert isinstance(event, events.DuplicateRefused)
        return event

    def again(self) -> list[bool]:
        """Tell of each refusal on record whether it comes out the same."""
        refusals = [
            each for _, _, each in self.scene.records if isinstance(each, events.DuplicateRefused)
        ]
        fold, book, found = KeyFold(watched(refusals)), fresh(), []
        for sequence, time_ns, event in self.scene.records:
            if isinstance(event, events.DuplicateRefused):
                found.append(fold.is_refused_alike(book, event, self.scene.rules))
            fold.take(event, time_ns)
            apply(book, event, sequence, time_ns)
        return found


def test_duplicates_are_refused_again() -> None:
    """By key, by request id, by signal, while the first is open and after it ended."""
    desk = Desk()
    first = desk.scene.order("k", signal_id="s")
    open_row = KeyRow("k", "r-k", 1, first.fingerprint, "open", 0)
    same = {"idempotency_key": "k", "signal_id": "s"}
    desk.refuse(commands.Known(key=open_row, request_key="k"), request_id="r-k", **same)
    desk.refuse(commands.Known(key=open_row), request_id="r-9", size=7_000_000, **same)
    row = SignalRow("s", first.market_key, "Yes", "Buy", "k", "open")
    other = commands.Known(signal=row, signal_request_id="r-k")
    desk.refuse(other, request_id="r-8", idempotency_key="k-8", signal_id="s")
    desk.scene.fill(first, first.quantity, 600_000)
    desk.refuse(commands.Known(key=open_row), request_id="r-10", **same)
    desk.refuse(commands.Known(request_key="k"), request_id="r-k", idempotency_key="k-11")
    desk.refuse(commands.UNSEEN, request_id="r-12", idempotency_key="k-12", attempt=2)
    assert desk.again() == [True] * 6


def test_a_refusal_without_a_first_is_noticed() -> None:
    """A duplicate of nothing, or of a key that was free to come again, does not come out so."""
    desk = Desk()
    nothing = KeyRow("k", "r-0", 1, request().fingerprint(), "spent", 0)
    desk.refuse(commands.Known(key=nothing), idempotency_key="k")
    order = desk.scene.order("free")
    desk.scene.answer(order, NotSent(message="down"))
    spent = KeyRow("free", "r-free", 1, order.fingerprint, "spent", 0)
    desk.refuse(commands.Known(key=spent), request_id="r-2", idempotency_key="free", attempt=2)
    assert desk.again() == [False, False]
