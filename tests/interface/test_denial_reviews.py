"""Denials and what was said of them."""

import json
from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding.facts import Facts
from arbees.core.language.strict_json import Malformed
from arbees.core.orders.result import Recorded
from arbees.interface.denial_reviews import (
    CONFIRMED,
    DISPUTED,
    REVIEWS_MAX,
    Denials,
    denial_of,
    parse_reviews,
)
from tests.core.bodies import LEAST
from tests.safeguards.build import request


def denied(sequence: int, code: str = "MAX_ORDER_SIZE", name: str = "order_size") -> Recorded:
    """Return a denial."""
    findings = (events.Finding(name, code, 2, 1), events.Finding("market", "MARKET_CLOSED", "m"))
    event = events.RequestDenied(
        request=request(request_id=f"r-{sequence}"),
        findings=findings,
        facts=Facts(now_ns=1),
        received_ns=1,
    )
    return sequence, 10 * sequence, event


def said(sequence: int, of: int, verdict: str, request_id: str | None = None) -> Recorded:
    """Return a review of a denial."""
    event = events.DenialReviewed(
        request_id=request_id or f"r-{of}",
        sequence=of,
        verdict=verdict,
        reason=f"said at {sequence}",
        actor="ann",
    )
    return sequence, 10 * sequence, event


def folded(*records: Recorded) -> Denials:
    """Return the fold of records."""
    denials = Denials()
    for record in records:
        denials.take(record)
    return denials


def test_what_is_a_denial() -> None:
    """A request denied, an order stopped at the gate, a conflict; not a plain duplicate."""
    kinds = {type(event) for event, _ in LEAST if denial_of((1, 2, event)) is not None}
    assert kinds - {events.DuplicateRefused} == {events.RequestDenied, events.OrderDenied}
    for code, is_denial in (
        ("DUPLICATE_REQUEST", False),
        ("DUPLICATE_SIGNAL", True),
        ("IDEMPOTENCY_CONFLICT", True),
    ):
        event = events.DuplicateRefused(
            request=request(), code=code, original_request_id="r-0", received_ns=1
        )
        assert (denial_of((1, 2, event)) is not None) is is_denial
    gate = events.OrderDenied(client_order_id="c", request_id="r", code="HALTED", message="halted")
    found = denial_of((3, 4, gate))
    assert found is not None
    assert (found.group, found.message, found.sequence) == ("gate/HALTED", "halted", 3)


def test_the_last_word_counts() -> None:
    """Open until somebody says something; then whatever was said last."""
    denials = folded(denied(1), denied(2), denied(3))
    assert [each.sequence for each in denials.where(None)] == [1, 2, 3]
    denials.take(said(4, 1, CONFIRMED))
    denials.take(said(5, 2, CONFIRMED))
    denials.take(said(6, 2, DISPUTED))
    assert [each.sequence for each in denials.where(None)] == [3]
    assert [each.sequence for each in denials.where(CONFIRMED)] == [1]
    (disputed,) = denials.where(DISPUTED)
    assert (disputed.sequence, disputed.reason, disputed.actor) == (2, "said at 6", "ann")


def test_a_word_on_no_denial_changes_nothing() -> None:
    """Of another record, or of another request."""
    denials = folded(denied(1), said(2, 7, CONFIRMED), said(3, 1, CONFIRMED, "other"))
    assert [each.sequence for each in denials.where(None)] == [1]


def test_groups() -> None:
    """By safeguard and code, those with most open ones first."""
    many = [denied(number) for number in range(1, 6)]
    few = [denied(number, "STALE_SIGNAL", "freshness") for number in range(6, 8)]
    denials = folded(*many, *few, said(8, 1, CONFIRMED), said(9, 6, DISPUTED))
    size, stale = denials.groups()
    assert (size.name, size.total, size.open, size.confirmed) == (
        "order_size/MAX_ORDER_SIZE",
        5,
        4,
        1,
    )
    assert (size.first, stale.first, stale.disputed) == (2, 7, 1)
    assert len(denials.named("order_size/MAX_ORDER_SIZE")) == 5
    assert [each.sequence for each in denials.named("r-3")] == [3]
    assert [each.sequence for each in denials.named("3")] == [3]
    assert denials.named("99") == denials.named("nobody") == []


def body(**changes: Any) -> bytes:
    """Return reviews as they are sent."""
    fields: dict[str, Any] = {
        "denials": [{"request_id": "r-1", "sequence": 1}],
        "verdict": "confirmed",
        "reason": "right",
    }
    return json.dumps({**fields, **changes}).encode()


def test_reviews_are_read() -> None:
    """As they were sent."""
    raw = parse_reviews(body(actor="ann"))
    assert (raw.denials[0].sequence, raw.verdict, raw.actor) == (1, "confirmed", "ann")


@pytest.mark.parametrize(
    "changes",
    [
        {"denials": []},
        {"denials": [{"request_id": "r", "sequence": 0}]},
        {"denials": [{"request_id": "", "sequence": 1}]},
        {"denials": [{"request_id": "r\n", "sequence": 1}]},
        {"denials": [{"request_id": "r", "sequence": 1}] * 2},
        {"denials": [{"request_id": "r", "sequence": n} for n in range(1, REVIEWS_MAX + 2)]},
        {"verdict": "maybe"},
        {"verdict": None},
        {"reason": 5},
        {"more": 1},
    ],
)
def test_reviews_that_are_malformed(changes: dict[str, Any]) -> None:
    """None is taken."""
    with pytest.raises(Malformed):
        parse_reviews(body(**changes))
