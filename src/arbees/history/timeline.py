"""The story of a request: verdicts, what was sent, what came back, and the life of its reservation.

Guarantees that it says nothing that does not follow from the records that it is told from, and the
same for the same records, so that a receipt can be checked by telling the story again.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.open_order import NOTHING, Reservation
from arbees.core.deciding.verdicts import verdicts_of
from arbees.core.language import ids
from arbees.core.language.codes import CODES
from arbees.core.language.ids import client_order_id
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import to_decimal
from arbees.core.orders.lifecycle import RequestLife, end_of
from arbees.core.orders.result import (
    Recorded,
    fold,
    in_unit,
    refusal,
)
from arbees.history.timeline_shapes import (
    Decided,
    FillShown,
    HaltShown,
    Judged,
    OutcomeShown,
    RepeatShown,
    ReservationShown,
    Reviewed,
    Sent,
    Timeline,
)


def tell(own: Sequence[Recorded], others: Sequence[Recorded]) -> Timeline:
    """
    Tell the story of a request.

    Args:
        own: its records, in order.
        others: records around it: `Bound`, `Started`, halts and duplicates.

    Raises:
        ValueError: these are no records of a request.
    """
    life = fold(own)
    if life is None:
        raise ValueError("Expected the records of a request, there is no decision among them")
    first = own[0][2]
    result = life.result()
    original: str | None = None
    if isinstance(first, events.DuplicateRefused) and not _is_judged(own):
        result = refusal(first, own[0][0], own[0][1])
        original = ids.own(first.original_request_id) or None
    bound = next((each for _, _, each in others if isinstance(each, events.Bound)), None)
    started = next((each for _, _, each in others if isinstance(each, events.Started)), None)
    return Timeline(
        request=msgspec.to_builtins(life.request),
        received=format_time(life.received_ns),
        result=result,
        original_request_id=original,
        decisions=tuple(_decided(*each) for each in own if _is_decision(each[2])),
        sent=tuple(_sent(n, event, bound) for n, _, event in own if _is_approval(event)),
        came=tuple(_outcome(*each) for each in own if isinstance(each[2], events.OrderEvent)),
        fills=tuple(_filled(n, event) for n, _, event in own if _is_fill(event)),
        reserved=_reserved(own),
        duplicates=tuple(
            _repeat(*each) for each in (*own, *others) if _is_repeat(each[2], own[0][0], each[0])
        ),
        halts=tuple(_halt(*each) for each in others if isinstance(each[2], events.HaltRaised)),
        reviews=tuple(_review(n, ev) for n, _, ev in own if isinstance(ev, events.DenialReviewed)),
        version=None if started is None else started.version,
        settings_hash=None if started is None else started.settings_hash,
    )


def _is_judged(own: Sequence[Recorded]) -> bool:
    return any(isinstance(each, events.OrderApproved | events.RequestDenied) for _, _, each in own)


def _is_decision(event: events.Event) -> bool:
    return isinstance(event, events.OrderApproved | events.RequestDenied | events.DuplicateRefused)


def _is_approval(event: events.Event) -> bool:
    return isinstance(event, events.OrderApproved)


def _is_fill(event: events.Event) -> bool:
    return isinstance(event, events.OrderFilled)


def _is_repeat(event: events.Event, first: int, sequence: int) -> bool:
    return isinstance(event, events.DuplicateRefused) and sequence > first


# Decisions -------------------------------------------------------------------------------------


def _decided(sequence: int, time_ns: int, event: Any) -> Decided:  # noqa: ANN401 - three kinds
    leg = getattr(event, "leg", 0)
    there = event.request.alternates[leg - 1] if leg else event.request
    code: str | None = None
    outcome = "approved"
    if isinstance(event, events.RequestDenied):
        outcome, code = "denied", event.findings[0].code
    elif isinstance(event, events.DuplicateRefused):
        outcome, code = "refused", event.code
    return Decided(
        sequence=sequence,
        time=format_time(time_ns),
        leg=leg,
        outcome=outcome,
        code=code,
        platform=there.platform,
        market_id=there.market_id,
        side=there.side,
        limit_price=to_decimal(there.limit_price),
        verdicts=judgements(event),
        facts=msgspec.to_builtins(event.facts) if hasattr(event, "facts") else {},
    )


def judgements(event: Any) -> tuple[Judged, ...]:  # noqa: ANN401 - three kinds
    """Return every verdict of a decision in human units; the key's own refusal is one too."""
    if isinstance(event, events.DuplicateRefused):
        return (_finding(events.Finding("idempotency", event.code, event.observed, event.limit)),)
    said = verdicts_of(event.verdicts)
    if not said and isinstance(event, events.RequestDenied):
        return tuple(_finding(finding) for finding in event.findings)
    return tuple(_verdict(*each) for each in said)


def _finding(found: events.Finding) -> Judged:
    return _verdict("Deny", found.code, found.observed, found.limit, found.until_ns)


def _verdict(verdict: str, code: str, *rest: Any) -> Judged:
    known = CODES.get(code)
    safeguard = "" if known is None else known.safeguard
    if verdict == "Skipped":
        return Judged(safeguard=safeguard, code=code, verdict="skipped", why=rest[0])
    observed, limit, last = (*rest, None, None, None)[:3]
    if known is not None:
        observed, limit = in_unit(known.unit, observed), in_unit(known.unit, limit)
    headroom = None
    if verdict == "Pass" and known is not None:
        headroom = in_unit(known.unit, last)
    until = format_time(last) if verdict == "Deny" and last is not None else None
    return Judged(
        safeguard=safeguard,
        code=code,
        verdict=verdict.lower(),
        observed=observed,
        limit=limit,
        headroom=headroom,
        until=until,
    )


# Orders ----------------------------------------------------------------------------------------


def _sent(sequence: int, event: Any, bound: events.Bound | None) -> Sent:  # noqa: ANN401
    request = event.request
    expected = None
    if bound is not None:
        key = request.idempotency_key
        expected = client_order_id(bound.account, bound.environment, key)
    expires = request.expires_ns
    return Sent(
        sequence=sequence,
        client_order_id=event.client_order_id,
        is_derived=event.client_order_id == expected,
        platform=event.platform,
        market_id=event.market_id,
        side=event.side.opposite if event.is_flipped else event.side,
        action=request.action,
        quantity=to_decimal(request.size),
        limit_price=to_decimal(event.limit_price),
        time_in_force=request.time_in_force,
        expires=None if expires is None else format_time(expires),
    )


def _outcome(sequence: int, time_ns: int, event: events.Event) -> OutcomeShown:
    return OutcomeShown(
        sequence=sequence, time=format_time(time_ns), kind=events.kind(event), says=_says(event)
    )


def _says(event: events.Event) -> str:
    """Return in a few words what a record says of an order."""
    match event:
        case events.OrderAcknowledged():
            return f"venue order {event.venue_order_id}, known by {event.by}"
        case events.OrderRejected():
            return f"{event.venue_code}: {event.message}"
        case events.OrderDenied():
            return f"{event.code}: {event.message}"
        case events.OrderNotSent() if event.evidence:
            return f"{event.message}: {', '.join(event.evidence)}"
        case events.OrderNotSent() | events.OrderUnknown() | events.CancelAnswered():
            return event.message
        case events.OrderCancelled():
            return event.reason
        case events.CancelRequested():
            return f"{event.reason} ({event.actor})"
        case events.OrderFilled():
            quantity, price = to_decimal(event.quantity), to_decimal(event.price)
            late = "" if event.corrects is None else f", corrects record {event.corrects}"
            return f"{quantity} at {price}, fee {to_decimal(event.fee)}{late}"
        case _:
            return _corrected(event)


def _corrected(event: events.Event) -> str:
    """Return in a few words what a record corrects of an order."""
    match event:
        case events.OrderReopened():
            return f"{event.message}, corrects record {event.corrects}"
        case events.OrderAmended():
            quantity, price = to_decimal(event.quantity), to_decimal(event.limit_price)
            return f"{quantity} at {price} by the venue's {event.by}"
        case events.VenueIdChanged():
            return f"venue order {event.venue_order_id}, not {event.before}, by the {event.by}"
        case events.FillDisputed():
            return f"{event.message}, trade {event.trade_id}: not booked"
        case events.FillReversed():
            return f"trade {event.trade_id} failed: {to_decimal(event.quantity)} taken back"
        case _:
            return ""


def _filled(sequence: int, event: Any) -> FillShown:  # noqa: ANN401 - a fill
    return FillShown(
        sequence=sequence,
        trade_id=event.trade_id,
        quantity=to_decimal(event.quantity),
        price=to_decimal(event.price),
        fee=to_decimal(event.fee),
        is_maker=event.is_maker,
        venue_time=format_time(event.venue_ns),
        corrects=event.corrects,
    )


def _reserved(own: Sequence[Recorded]) -> tuple[ReservationShown, ...]:
    """Return what was reserved after each record that changed it."""
    found: list[ReservationShown] = []
    life, before = RequestLife(), NOTHING
    for sequence, time_ns, event in own:
        order = life.take(sequence, time_ns, event)
        if order is None or order is not life.order:
            continue
        is_change = order.reserved != before or isinstance(event, events.OrderFilled)
        if is_change and not (before == NOTHING == order.reserved):
            found.append(_held(sequence, _why(event), order.reserved))
        before = order.reserved
    return tuple(found)


def _why(event: events.Event) -> str:
    """Return in a word why a reservation changed."""
    if end_of(event) is not None:
        return "filled, released" if isinstance(event, events.OrderFilled) else "ended, released"
    return _WHY.get(type(event), "changed")


_WHY: dict[type, str] = {
    events.OrderApproved: "approved",
    events.OrderFilled: "filled in part",
    events.FillReversed: "a fill failed",
    events.OrderAmended: "amended at the venue",
    events.OrderReopened: "reopened",
}


def _held(sequence: int, why: str, reserved: Reservation) -> ReservationShown:
    return ReservationShown(
        sequence=sequence,
        why=why,
        loss_if_yes=to_decimal(reserved.loss_yes),
        loss_if_no=to_decimal(reserved.loss_no),
        cash=to_decimal(reserved.cash),
        day_loss=to_decimal(reserved.day_loss),
        closing=to_decimal(reserved.closing),
    )


# Around it -------------------------------------------------------------------------------------


def _repeat(sequence: int, time_ns: int, event: Any) -> RepeatShown:  # noqa: ANN401 - a duplicate
    return RepeatShown(
        sequence=sequence,
        time=format_time(time_ns),
        request_id=ids.own(event.request.request_id),
        idempotency_key=ids.own(event.request.idempotency_key),
        code=event.code,
    )


def _halt(sequence: int, time_ns: int, event: Any) -> HaltShown:  # noqa: ANN401 - a halt
    return HaltShown(
        sequence=sequence,
        time=format_time(time_ns),
        source=event.source,
        scope=event.scope,
        state=event.state,
        reason=event.reason,
        actor=event.actor,
    )


def _review(sequence: int, event: Any) -> Reviewed:  # noqa: ANN401 - a review
    return Reviewed(
        sequence=sequence,
        of=event.sequence,
        verdict=event.verdict,
        reason=event.reason,
        actor=event.actor,
    )
