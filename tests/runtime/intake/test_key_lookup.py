"""Lookups: a key is found from the moment that it is decided, and memory stays small."""

from typing import Any

import pytest
from msgspec.structs import replace

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    Found,
    Missing,
    OrderClosed,
)
from arbees.core.language.request import Alternate
from arbees.core.language.words import Platform, Side
from arbees.runtime.intake.key_lookup import Lookups
from tests.core.scene import MICRO, Scene
from tests.runtime.lookup_desk import Desk
from tests.safeguards.build import NO_TOKEN, NOW, YES_TOKEN, request

NOTHING_ASKED = commands.Record(events=())


@pytest.fixture
def desk() -> Desk:
    """Return a desk that knows both markets."""
    made = Desk()
    for event in Scene().records:
        made.write(None, event[2])
    made.commit()
    return made


@pytest.fixture(params=[False, True], ids=["decided", "durable"])
def is_durable(request: pytest.FixtureRequest) -> bool:
    """Ask before, and after, the commit."""
    return bool(request.param)


def test_nothing_is_known_of_a_new_request(desk: Desk) -> None:
    """A key, an id and a signal that nobody has seen are unseen."""
    assert desk.known(signal_id="s") == commands.UNSEEN


def test_key_is_found_from_its_decision_on(desk: Desk, is_durable: bool) -> None:
    """The second request of a batch sees the first one's key, durable or not."""
    desk.submit(request())
    if is_durable:
        desk.commit()
    key = desk.known(request_id="r-2").key
    assert key is not None
    assert (key.request_id, key.attempt, key.outcome) == ("r-1", 1, "open")


def test_request_id_is_found_from_its_decision_on(desk: Desk, is_durable: bool) -> None:
    """A request id that was used under another key is known, durable or not."""
    desk.submit(request())
    if is_durable:
        desk.commit()
    assert desk.known(idempotency_key="k-2").request_key == "k-1"


def test_signal_is_found_from_its_decision_on(desk: Desk, is_durable: bool) -> None:
    """A signal executed under another key is known with its request, durable or not."""
    desk.submit(request(signal_id="s"))
    if is_durable:
        desk.commit()
    known = desk.known(idempotency_key="k-2", request_id="r-2", signal_id="s")
    assert known.signal is not None
    assert known.signal.idempotency_key == "k-1"
    assert known.signal_request_id == "r-1"


def test_signal_under_its_own_key_is_no_duplicate(desk: Desk, is_durable: bool) -> None:
    """The key's own execution of the signal does not stand in its own way."""
    desk.submit(request(signal_id="s"))
    if is_durable:
        desk.commit()
    assert desk.known(request_id="r-2", signal_id="s").signal is None


def test_signal_that_came_to_nothing_is_free(desk: Desk, is_durable: bool) -> None:
    """A signal whose order was never sent may be executed by another shard, at once."""
    desk.submit(request(signal_id="s"))
    desk.commit()
    desk.end()
    if is_durable:
        desk.commit()
    assert desk.known(idempotency_key="k-2", request_id="r-2", signal_id="s").signal is None


@pytest.mark.parametrize(
    ("changes", "is_seen"),
    [
        ({"market_id": YES_TOKEN, "side": Side.YES}, True),
        ({"market_id": NO_TOKEN, "side": Side.NO}, True),
        ({"market_id": YES_TOKEN, "side": Side.NO}, False),
        ({"market_id": NO_TOKEN, "side": Side.YES}, False),
    ],
)
def test_signal_belongs_to_the_outcome_not_to_the_token(
    desk: Desk, changes: dict[str, Any], is_seen: bool
) -> None:
    """The same outcome by the name of either token is the same signal; the other one is not."""
    desk.submit(request(platform="Polymarket", market_id=YES_TOKEN, signal_id="s"))
    desk.commit()
    known = desk.known(
        idempotency_key="k-2", request_id="r-2", platform="Polymarket", signal_id="s", **changes
    )
    assert (known.signal is not None) is is_seen


def test_signal_of_an_unknown_market_is_not_looked_for(desk: Desk) -> None:
    """A market that nobody knows has no executions."""
    assert desk.known(market_id="KX", signal_id="s").signal is None


def test_the_last_word_on_a_key_wins(desk: Desk) -> None:
    """What the open batch says of a key stands before what is durable."""
    desk.submit(request())
    desk.commit()
    desk.end()
    key = desk.known(request_id="r-2").key
    assert key is not None
    assert key.outcome == "not_sent"
    desk.submit(request(attempt=2, request_id="r-2"))
    key = desk.known(request_id="r-3").key
    assert key is not None
    assert (key.attempt, key.outcome) == (2, "open")


def leg(signal_id: str | None) -> commands.Submit:
    """Return the second leg of a request under a key of its own, on the Polymarket market."""
    there = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=640_000
    )
    asked = request(
        idempotency_key="k-2", request_id="r-2", signal_id=signal_id, alternates=(there,)
    )
    return commands.Submit(request=asked, received_ns=NOW, leg=1)


def test_the_key_of_an_alternate_is_not_looked_up(desk: Desk) -> None:
    """The next leg of a request is its own key's business."""
    desk.submit(leg(None).request)
    assert desk.lookups.complete(leg(None)) == leg(None)


def test_the_signal_of_an_alternate_is_looked_up_there(desk: Desk, is_durable: bool) -> None:
    """An execution of the signal in the market of the alternate stands in its way."""
    desk.submit(request(platform="Polymarket", market_id=YES_TOKEN, signal_id="s"))
    if is_durable:
        desk.commit()
    known = desk.lookups.complete(leg("s"))
    assert isinstance(known, commands.Submit)
    assert known.known.signal is not None
    assert known.known.signal.idempotency_key == "k-1"
    assert known.known.key is None


# Lives -----------------------------------------------------------------------------------------


def test_records_are_found_before_they_are_durable(desk: Desk) -> None:
    """The life of a request is whole at any moment, and the same after its commit."""
    desk.submit(request())
    before = desk.lookups.records("r-1")
    assert [type(event) for _, _, event in before] == [events.OrderApproved]
    desk.commit()
    assert desk.lookups.records("r-1") == before
    desk.end()
    assert [type(event) for _, _, event in desk.lookups.records("r-1")] == [
        events.OrderApproved,
        events.OrderNotSent,
    ]


def test_records_are_a_copy(desk: Desk) -> None:
    """Whoever gets the life of a request cannot change it."""
    desk.submit(request())
    desk.lookups.records("r-1").clear()
    assert len(desk.lookups.records("r-1")) == 1


def test_a_duplicate_under_a_known_id_is_no_part_of_its_life(desk: Desk, is_durable: bool) -> None:
    """A caller in a loop is on record each time, and makes no life longer and no answer slower."""
    desk.submit(request())
    if is_durable:
        desk.commit()
        desk.end()
        desk.commit()
    life = desk.lookups.records("r-1")
    for _ in range(3):
        refused = desk.submit(request()).events[0]
        assert isinstance(refused, events.DuplicateRefused)
        assert refused.code == "DUPLICATE_REQUEST"
    assert desk.lookups.records("r-1") == life
    desk.commit()
    assert desk.lookups.records("r-1") == life
    assert desk.journal.kinds(events.DuplicateRefused) == ["DuplicateRefused"] * 3


def test_a_duplicate_under_an_id_of_its_own_is_found(desk: Desk) -> None:
    """The first refusal under an id is what became of that id."""
    desk.submit(request())
    for _ in range(3):
        desk.submit(request(request_id="r-2"))
    desk.commit()
    found = [type(event) for _, _, event in desk.lookups.records("r-2")]
    assert found == [events.DuplicateRefused]


def test_receipts_have_records(desk: Desk) -> None:
    """A halt is found by the id of its receipt, before and after its commit."""
    raised = events.HaltRaised(
        source="http", scope="all", state="HALTED", reason="r", actor="a", receipt_id="receipt-1"
    )
    desk.write(None, raised)
    assert [event for _, _, event in desk.lookups.records("receipt-1")] == [raised]
    desk.commit()
    assert [event for _, _, event in desk.lookups.records("receipt-1")] == [raised]


def test_open_orders_bring_their_records_along(desk: Desk) -> None:
    """After a restart the records of an open order's request are there."""
    desk.submit(request())
    desk.commit()
    again = Lookups(desk.journal, desk.scene.book)
    assert again.records("r-1") == desk.lookups.records("r-1")


def test_memory_does_not_grow_with_keys(desk: Desk) -> None:
    """Of spent keys, signals and receipts nothing is kept once they are durable."""
    for number in range(200):
        key = f"k-{number}"
        desk.submit(request(idempotency_key=key, request_id=f"r-{number}", signal_id=f"s-{number}"))
        if number % 3:
            desk.end()
        if number % 50 == 49:
            desk.write(
                None,
                events.MassCancelled(
                    scope="all", reason="r", actor="a", orders=(), receipt_id=f"receipt-{number}"
                ),
            )
            desk.commit()
        if number % 3 == 0:
            desk.commit()
            desk.end()
            desk.submit(request(idempotency_key=key, request_id=f"again-{number}"))
    desk.commit()
    kept = desk.lookups
    assert not desk.scene.book.orders
    assert not kept._lives
    assert not kept._keys
    assert not kept._requests
    assert not kept._signals


def test_open_requests_stay_in_memory(desk: Desk) -> None:
    """What is open is what is asked for; it is kept until it ends, over many commits."""
    desk.submit(request())
    for _ in range(3):
        desk.commit()
        assert list(desk.lookups._lives) == ["r-1"]
    desk.end()
    desk.commit()
    assert not desk.lookups._lives


# Past orders -----------------------------------------------------------------------------------


def test_past_order_is_added_to_later_truth(desk: Desk, is_durable: bool) -> None:
    """What a venue says of an order that is closed finds the order as it ended."""
    desk.submit(request())
    desk.commit()
    name = desk.end()
    if is_durable:
        desk.commit()
    answer = commands.TakeOutcome(
        client_order_id=name,
        outcome=Accepted(venue_order_id="v", time_ns=NOW),
        request=request(),
    )
    lookup = commands.TakeLookup(client_order_id=name, lookup=Missing(evidence=()))
    for command in (answer, lookup):
        complete = desk.lookups.complete(command)
        assert isinstance(complete, commands.TakeOutcome | commands.TakeLookup)
        assert complete.past is not None
        assert complete.past.order.client_order_id == name
        assert complete.past.final_sequence == desk.scene.book.sequence


def test_late_fill_finds_its_order(desk: Desk) -> None:
    """A fill after the end is a correction of the record that ended it."""
    desk.submit(request())
    desk.commit()
    order = replace(desk.order)
    desk.end()
    desk.commit()
    final = desk.scene.book.sequence
    fill = desk.scene.trade(order, 2 * MICRO, 650_000)
    complete = desk.take(commands.TakeFill(fill=fill))
    assert isinstance(complete, commands.TakeFill)
    assert complete.past is not None
    filled = desk.scene.records[-1][2]
    assert isinstance(filled, events.OrderFilled)
    assert filled.corrects == final
    desk.commit()
    assert desk.known(request_id="r-2").key is not None
    assert not desk.lookups._lives


def test_open_orders_have_no_past(desk: Desk) -> None:
    """What is said of an open order is about the book's own."""
    desk.submit(request())
    name = desk.order.client_order_id
    found = commands.TakeLookup(
        client_order_id=name, lookup=Found(venue_order_id="v", by="id", time_ns=NOW)
    )
    assert desk.lookups.complete(found) == found
    fill = commands.TakeFill(fill=desk.scene.trade(desk.order, MICRO, 650_000))
    assert desk.lookups.complete(fill) == fill


def test_nothing_is_known_of_a_foreign_order(desk: Desk) -> None:
    """An order that the journal does not know has no past."""
    lookup = commands.TakeLookup(client_order_id="foreign", lookup=Missing(evidence=()))
    assert desk.lookups.complete(lookup) == lookup


def test_other_commands_pass_as_they_are(desk: Desk) -> None:
    """What needs no table gets nothing."""
    closed = OrderClosed(client_order_id="x", closed="cancelled", reason="r", time_ns=NOW)
    for command in (commands.Record(events=()), commands.TakeClosed(closed=closed)):
        assert desk.lookups.complete(command) is command
