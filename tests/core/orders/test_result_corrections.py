"""Later truth and duplicates: corrections are numbered, originals are never edited."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    Gated,
    NotSent,
    Outcome,
    Refused,
)
from arbees.core.language.words import OrderStatus, ResultStatus
from arbees.core.orders.result import (
    Leg,
    Line,
    Result,
    encode,
    fold,
    refusal,
)
from arbees.core.ports import KeyRow
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import KALSHI, NOW, request

TEN = 10 * MICRO


def result(scene: Scene, request_id: str = "r-k-1") -> Result:
    """Return the result of a request as known now."""
    life = fold(scene.life(request_id))
    assert life is not None
    return life.result()


def ended(scene: Scene, outcome: Outcome) -> Order:
    """Return an order that ended with an answer."""
    order = scene.order()
    scene.answer(order, outcome)
    return order


CANCELLED = Accepted(venue_order_id="v", time_ns=NOW, closed="cancelled")


@pytest.mark.parametrize(
    "outcome",
    [
        CANCELLED,
        Gated(code="HALTED", message="m"),
        NotSent(message="m"),
        Refused(venue_code="x", message="m"),
    ],
)
@pytest.mark.parametrize(("quantity", "status"), [(4 * MICRO, "Partial"), (TEN, "Filled")])
def test_a_fill_after_the_end(outcome: Outcome, quantity: int, status: str) -> None:
    """A new sequence that names the one it corrects; nothing was refused after all."""
    scene = Scene()
    order = ended(scene, outcome)
    before = result(scene)
    assert before.corrects is msgspec.UNSET
    assert before.final
    scene.fill(order, quantity, 640_000)
    found = result(scene)
    assert (found.status, found.final) == (status, True)
    assert (found.sequence, found.corrects) == (before.sequence + 1, before.sequence)
    assert (found.code, found.rejected_by, found.rejection_reason) == (None, None, None)
    assert (found.filled_qty, found.avg_price) == (Decimal(quantity) / MICRO, Decimal("0.64"))
    assert found.latency_ms == before.latency_ms
    if quantity == TEN:
        return  # nothing is left of it: more would contradict it
    scene.fill(order, 1, 640_000)
    again = result(scene)
    assert (again.sequence, again.corrects) == (before.sequence + 2, before.sequence)


def test_a_fill_before_a_rejection_is_kept() -> None:
    """Both are told: what filled, and that the venue ended it by a rejection."""
    scene = Scene()
    order = scene.lost()
    scene.fill(order, MICRO, 650_000)
    ids: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "request_id": order.request_id,
    }
    scene.write(events.OrderRejected(**ids, venue_code="x", message="m"))
    found = result(scene)
    assert (found.status, found.code, found.venue_code) == ("Partial", "VENUE_REJECTED", "x")


def test_cancels_and_settlements_change_no_result() -> None:
    """A cancel that was asked for, and its answer, are not of the result; nor its sequence."""
    scene = Scene()
    order = scene.resting()
    before = result(scene)
    ids = {"client_order_id": order.client_order_id, "request_id": order.request_id}
    scene.write(
        events.CancelRequested(**ids, reason="x", actor="ann"),
        events.CancelAnswered(**ids, message="m"),
    )
    assert result(scene) == before


def test_latency_is_never_negative() -> None:
    """A clock of the caller that is ahead counts as no time."""
    scene = Scene()
    asked = request(request_id="r-k-1")
    scene.do(commands.Submit(request=asked, received_ns=scene.now + 5_000))
    order = next(iter(scene.book.orders.values()))
    scene.requests[order.client_order_id] = asked
    scene.answer(order, CANCELLED)
    assert result(scene).latency_ms == 0


# Duplicates ------------------------------------------------------------------------------------

ORIGINAL = KeyRow("k-1", "r-k-1", 1, request().fingerprint(), "spent", NOW)


def test_a_duplicate_by_itself() -> None:
    """Rejected at once by the gateway, with what is known of the first."""
    event = events.DuplicateRefused(
        request=request(),
        code="DUPLICATE_SIGNAL",
        original_request_id="r-0",
        observed="s-1",
        limit="k-0",
        received_ns=NOW,
    )
    text = "Signal s-1 already executed for this market, side and action under key k-0"
    found = refusal(event, 7, NOW + 3_000)
    assert found == Result(
        request_id="r-1",
        idempotency_key="k-1",
        attempt=1,
        status=ResultStatus.REJECTED,
        final=True,
        rejected_by="gateway",
        code="DUPLICATE_SIGNAL",
        rejection_reason=text,
        denials=(Line("idempotency", "DUPLICATE_SIGNAL", "s-1", "k-0", None, text),),
        platform="Kalshi",
        market_id=KALSHI,
        side="Yes",
        action="Buy",
        requested_size=Decimal(10),
        limit_price=Decimal("0.65"),
        latency_ms=Decimal("0.003"),
        sequence=7,
        route=(Leg("Kalshi", KALSHI, "Rejected", "DUPLICATE_SIGNAL", None),),
    )
    assert found.original is msgspec.UNSET


def test_a_duplicate_under_the_same_id_is_not_part_of_the_original() -> None:
    """The life goes on as if nobody had asked again."""
    scene = Scene()
    order = scene.resting()
    known = commands.Known(key=ORIGINAL, request_key="k-1")
    scene.do(commands.Submit(request=request(request_id="r-k-1"), received_ns=NOW, known=known))
    scene.fill(order, TEN, 650_000)
    found = result(scene)
    assert (found.status, found.code, found.denials) == ("Filled", None, ())
    assert found.sequence == scene.book.sequence


def test_a_duplicate_that_was_first_under_its_id() -> None:
    """It is the whole life of that id; further ones change nothing."""
    scene = Scene()
    for observed in ("first", "second"):
        scene.write(
            events.DuplicateRefused(
                request=request(request_id="r-9"),
                code="IDEMPOTENCY_CONFLICT",
                original_request_id="",
                observed=observed,
                received_ns=NOW,
            )
        )
    found = result(scene, "r-9")
    assert found.code == "IDEMPOTENCY_CONFLICT"
    assert found.denials[0].observed == "first"
    assert found.sequence == scene.book.sequence - 1


def test_a_duplicate_may_come_before_a_life() -> None:
    """An id that was refused once, and judged later under the key that it is known by."""
    scene = Scene()
    scene.write(
        events.DuplicateRefused(
            request=request(request_id="r-k-1"),
            code="DUPLICATE_SIGNAL",
            original_request_id="",
            received_ns=NOW,
        )
    )
    scene.resting()
    assert result(scene).status == "Pending"


def test_nothing_is_no_life() -> None:
    """No record, or none that begins one."""
    assert fold([]) is None
    acknowledged = events.OrderAcknowledged(client_order_id="c", request_id="r", venue_order_id="v")
    assert fold([(1, NOW, acknowledged)]) is None


def test_a_life_knows_its_state() -> None:
    """What the gateway waits for: acknowledged, final, the order's status."""
    scene = Scene()
    order = scene.order()
    life = fold(scene.life("r-k-1"))
    assert life is not None
    assert (life.is_acknowledged, life.final_sequence, life.status) == (
        False,
        None,
        OrderStatus.PENDING,
    )
    scene.answer(order, Accepted(venue_order_id="v", time_ns=NOW))
    sequence, time_ns, event = scene.records[-1]
    life.take(sequence, time_ns, event)
    assert (life.is_acknowledged, life.order_id) == (True, "v")
    gated = Scene()
    gated.answer(gated.order(), Gated(code="HALTED", message="m"))
    over = fold(gated.life("r-k-1"))
    assert over is not None
    assert (over.is_acknowledged, over.final_sequence) == (True, gated.book.sequence)
    assert over.final_ns == gated.now


# JSON ------------------------------------------------------------------------------------------


def test_numbers_are_json_numbers() -> None:
    """Exact, with at most six decimals; what is not there is null or left out."""
    scene = Scene()
    order = scene.resting()
    scene.fill(order, TEN, 650_000, 159_300)
    found = result(scene)
    found.client_order_id = "c"
    assert encode(found).decode() == (
        '{"request_id":"r-k-1","idempotency_key":"k-1","attempt":1,"status":"Filled",'
        '"final":true,"rejected_by":null,"code":null,"rejection_reason":null,"denials":[],'
        f'"warnings":[],"platform":"Kalshi","market_id":"{KALSHI}","side":"Yes","action":"Buy",'
        '"order_id":"v-k-1","client_order_id":"c","requested_size":10,"limit_price":0.65,'
        '"filled_qty":10,"avg_price":0.65,"fees":0.1593,"latency_ms":0,"sequence":5,'
        '"model_version":null,"strategy":null,'
        f'"route":[{{"platform":"Kalshi","market_id":"{KALSHI}","status":"Filled","code":null,'
        '"order_id":"v-k-1"}],"venue_code":null}'
    )


def test_a_correction_and_an_original_are_shown_where_there_are_any() -> None:
    """`corrects` and `original` are left out otherwise."""
    scene = Scene()
    order = ended(scene, CANCELLED)
    scene.fill(order, MICRO, 650_000)
    found = result(scene)
    found.original = result(scene)
    read = msgspec.json.decode(encode(found))
    assert read["corrects"] == read["original"]["corrects"] == 5
    assert "original" not in read["original"]


def test_what_a_result_leaves_out() -> None:
    """The least result says nothing more than it must."""
    least = Result(
        request_id="r",
        idempotency_key="k",
        attempt=1,
        status=ResultStatus.PENDING,
        final=False,
        platform="Kalshi",
        market_id="M",
        side="Yes",
        action="Buy",
        requested_size=Decimal(1),
        limit_price=Decimal(1),
    )
    nothing = (
        *(least.rejected_by, least.code, least.rejection_reason, least.order_id),
        *(least.client_order_id, least.model_version, least.strategy, least.venue_code),
    )
    assert set(nothing) == {None}
    assert (least.denials, least.warnings, least.route) == ((), (), ())
    zeros = (least.filled_qty, least.avg_price, least.fees, least.latency_ms, least.sequence)
    assert set(zeros) == {0}
    assert least.corrects is least.original is msgspec.UNSET
