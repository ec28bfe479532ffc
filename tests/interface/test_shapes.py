"""Small shapes: what stands in journals and receipts, and what nobody may make or change."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from arbees.core import ports
from arbees.core.book.open_order import NOTHING, Order, Reservation
from arbees.core.deciding import commands, outcomes
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
    Warn,
)
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.interface import views

APPROVED: dict[str, Any] = {
    "client_order_id": "c-1",
    "request_id": "r-1",
    "leg": 1,
    "platform": Platform.KALSHI,
    "market_id": "M",
    "market_key": "K",
    "side": Side.NO,
    "action": Action.SELL,
    "quantity": 2,
    "limit_price": 3,
    "time_in_force": TimeInForce.GTD,
    "expires_ns": 4,
}


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Pass("CODE"), '["Pass","CODE",null,null,null]'),
        (Pass("CODE", 1, 3, 2), '["Pass","CODE",1,3,2]'),
        (Skipped("CODE", "why"), '["Skipped","CODE","why"]'),
        (Deny("CODE"), '["Deny","CODE",null,null,null]'),
        (Deny("CODE", "a", 1, 9), '["Deny","CODE","a",1,9]'),
        (Warn("CODE", 1, "b"), '["Warn","CODE",1,"b"]'),
        (Warn("CODE"), '["Warn","CODE",null,null]'),
    ],
)
def test_verdicts_as_they_stand_in_a_record(verdict: Verdict, text: str) -> None:
    """Short lists that begin with the kind, and read back the same."""
    assert msgspec.json.encode(verdict).decode() == text
    assert msgspec.json.decode(text, type=Verdict) == verdict


def test_an_approved_order_holds_what_is_sent() -> None:
    """Each field as it was decided."""
    order = outcomes.ApprovedOrder(outcomes._SEAL, **APPROVED)
    assert {name: getattr(order, name) for name in APPROVED} == APPROVED


@pytest.mark.parametrize("seal", [None, object(), True, "seal"])
def test_nobody_else_approves_an_order(seal: object) -> None:
    """Without the seal of `decide` there is no approved order (P10)."""
    with pytest.raises(TypeError) as error:
        outcomes.ApprovedOrder(seal, **APPROVED)
    assert str(error.value) == "Only a decision can approve an order"


def test_an_approved_order_grows_nothing() -> None:
    """No adapter hangs something of its own on it."""
    order = outcomes.ApprovedOrder(outcomes._SEAL, **APPROVED)
    with pytest.raises(AttributeError):
        order.note = "mine"  # type: ignore[attr-defined]


def test_what_an_answer_leaves_out() -> None:
    """Accepted and found work on without a fill; a refusal is about the order, not the venue."""
    accepted = outcomes.Accepted(venue_order_id="v", time_ns=1)
    assert (accepted.fills, accepted.closed) == ((), None)
    found = outcomes.Found(venue_order_id="v", by="id", time_ns=1)
    assert (found.fills, found.closed) == ((), None)
    assert not outcomes.Refused(venue_code="x", message="m").is_health
    closed = outcomes.OrderClosed(client_order_id="c", closed="cancelled", reason="r", time_ns=1)
    assert closed.filled is None
    fill = outcomes.Fill(
        client_order_id="c", trade_id="t", quantity=1, price=2, fee=3, is_maker=False, time_ns=4
    )
    assert fill.venue_order_id is None


@pytest.mark.parametrize(
    "value",
    [
        outcomes.Accepted(venue_order_id="v", time_ns=1, closed="filled"),
        outcomes.Refused(venue_code="x", message="m", is_health=True),
        outcomes.NotSent(message="m"),
        outcomes.Unknown(message="m", sent_ns=1),
        outcomes.Gated(code="HALTED", message="m"),
    ],
)
def test_outcomes_are_told_apart(value: outcomes.Outcome) -> None:
    """Each names its kind, so that it comes back as itself."""
    assert msgspec.json.decode(msgspec.json.encode(value), type=outcomes.Outcome) == value


def test_what_a_command_leaves_out() -> None:
    """Nothing known, the first leg, no past, no receipt, all orders, no acknowledgement."""
    assert (
        commands.Known(key=None, request_key=None, signal=None, signal_request_id=None)
        == commands.UNSEEN
    )
    assert commands.Decision((), ()) == commands.NO_DECISION
    cancel = commands.RequestCancel(scope="all", reason="r", actor="a")
    assert (cancel.receipt_id, cancel.opening_only) == ("", False)
    lift = commands.LiftHalt(sources=(), scope="all", reason="r", actor="a")
    assert lift.acknowledge is False
    assert cancel.opening_only is False


def test_rows_of_the_journal() -> None:
    """An entry without rows has none."""
    entry = ports.Entry(1, "Stopped", b"{}", None)
    assert entry.index == ()
    row = ports.KeyRow("k", "r", 1, "f", "open", 5)
    assert (row.idempotency_key, row.request_id, row.attempt) == ("k", "r", 1)
    assert (row.fingerprint, row.outcome, row.processed_ns) == ("f", "open", 5)


def test_undecided_says_why() -> None:
    """Code and message, together in its text."""
    error = views.Undecided("QUEUE_FULL", "Come again with the same key.")
    assert (error.code, error.message) == ("QUEUE_FULL", "Come again with the same key.")
    assert str(error) == "QUEUE_FULL: Come again with the same key."


def test_what_a_status_leaves_out() -> None:
    """No account, no order, no exposure, no warning."""
    status = views.StatusView(
        mode="paper",
        state="ACTIVE",
        halts=(),
        venues=(views.VenueView(platform="Kalshi", state="ACTIVE"),),
        journal=views.JournalView(sequence=0, hash=""),
        pnl_today=Decimal(0),
        version="1",
        settings_hash="h",
        disabled_safeguards=(),
    )
    assert (status.account, status.environment, status.warnings) == ("", "", ())
    assert (status.open_orders, status.unknown_orders, status.total_exposure) == (0, 0, Decimal(0))
    assert status.venues[0].reasons == ()
    assert views.Readiness(ready=True).reasons == ()
    reply = views.KillReply(
        in_force=True, durable=True, state="HALTED", halts=(), sequence=1, receipt_id=None
    )
    assert reply.remaining == ()


def test_a_fresh_order_has_taken_nothing() -> None:
    """No fill, no fee, no venue id, nothing reserved, nothing inside the venue's figure."""
    order = Order(
        client_order_id="c-1",
        request_id="r-1",
        idempotency_key="k-1",
        attempt=1,
        fingerprint="f",
        leg=0,
        platform=Platform.KALSHI,
        market_id="M",
        market_key="M",
        side=Side.YES,
        action=Action.BUY,
        quantity=1,
        limit_price=1,
        time_in_force=TimeInForce.IOC,
        created_ns=0,
        strategy="s",
        sport="NBA",
    )
    assert (order.filled, order.value, order.fees, order.trades) == (0, 0, 0, [])
    assert (order.rates, order.reserved, order.status) == ((0, 1, 0), NOTHING, "PENDING")
    assert order.is_flipped is False
    assert order.is_reducing is False
    assert order.is_inside is False
    empty = (
        *(order.signal_id, order.expires_ns, order.model_version, order.venue_order_id),
        *(order.reference, order.acknowledged_ns, order.cancel_reason, order.sent_ns),
    )
    assert set(empty) == {None}
    assert Reservation() == Reservation(0, 0, 0, 0, 0) == NOTHING
