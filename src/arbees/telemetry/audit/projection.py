"""Project journal records to lines of the audit log.

Guarantees that the lines follow from the journal alone: the same record always gives the same
lines, whoever asks and however often, so that a log can be resumed, made anew and proved complete.
A request gets one `ExecutionRequested` and one line with a final status; what is found out later
is a further line that names what it `corrects`. It fails with `JournalCorrupt` where a record
cannot be read or tells of an order that no record approved.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from arbees.core import events
from arbees.core.book.open_order import CLOSED_STATES, Order
from arbees.core.language.codes import CODES, message
from arbees.core.language.ids import own
from arbees.core.language.request import Request
from arbees.core.language.words import ResultStatus
from arbees.core.orders import lifecycle
from arbees.core.orders.lifecycle import RequestLife
from arbees.core.ports import Stored
from arbees.errors import JournalCorrupt
from arbees.telemetry.audit.line import (
    AuditLine,
    EventType,
    LineMark,
    number,
)
from arbees.telemetry.audit.lines import (
    Maker,
    OrderLeg,
    leg_of,
    leg_terms,
)

TEXT_MAX = 1_000
"""Characters of a venue's message that a line repeats; the journal has all of it."""
LIVES_MAX = 4_096
"""Open requests remembered between records; others are read again from the journal."""


class AuditReader(Protocol):
    """What the audit log needs of a journal: durable records, read only."""

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        ...

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the durable records of one request, in order."""
        ...


class AuditedLife(msgspec.Struct, kw_only=True):
    """What later lines of a request need to know of it."""

    request: Request
    received_ns: int
    orders: RequestLife = msgspec.field(default_factory=RequestLife)

    def corrected(self, sequence: int) -> int | None:
        """Return the final line that a later one corrects; None = it is the first."""
        first = self.orders.first
        return None if first == sequence else first


# One record ------------------------------------------------------------------------------------


def _sentence(code: str, observed: int | str | None, limit: int | str | None) -> str:
    return _bounded(message(code, observed, limit) if code in CODES else code)


def _bounded(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "..."


def _duplicate(maker: Maker, event: events.DuplicateRefused) -> list[AuditLine]:
    where = leg_terms(event.request, 0)
    reason = _sentence(event.code, event.observed, event.limit)
    return [
        maker.requested(),
        maker.result(where, ResultStatus.REJECTED, reason=reason, code=event.code),
    ]


def _denied(maker: Maker, life: AuditedLife, event: events.RequestDenied) -> list[AuditLine]:
    headline = event.findings[0]
    lines = [maker.requested()] if event.leg == 0 else []
    lines += _refused(
        maker,
        life,
        leg_terms(event.request, event.leg),
        EventType.REJECTED,
        falls_back=event.falls_back,
        reason=_sentence(headline.code, headline.observed, headline.limit),
        code=headline.code,
    )
    return lines


def _refused(
    maker: Maker,
    life: AuditedLife,
    leg: OrderLeg,
    event_type: EventType,
    *,
    falls_back: bool,
    **more: Any,
) -> list[AuditLine]:
    """Return the line of an order that came to nothing; pending while an alternate is tried."""
    if falls_back:
        line = maker.result(leg, ResultStatus.PENDING, event_type, falls_back=True, **more)
        return [line]
    failed = event_type is EventType.FAILED
    return _ended(
        maker, life, leg, ResultStatus.FAILED if failed else ResultStatus.REJECTED, **more
    )


def _ended(
    maker: Maker,
    life: AuditedLife,
    leg: OrderLeg,
    status: ResultStatus,
    *,
    corrects: int | None = None,
    **more: Any,
) -> list[AuditLine]:
    """Return the final line, or its correction: what filled speaks before how it ended."""
    if leg.filled >= maker.request.size:
        status = ResultStatus.FILLED
    elif leg.filled > 0:
        status = ResultStatus.PARTIAL
    if corrects is None:
        corrects = life.corrected(maker.stored.sequence)
    return [maker.result(leg, status, corrects=corrects, **more)]


def _filled(
    maker: Maker, life: AuditedLife, order: Order, event: events.OrderFilled
) -> list[AuditLine]:
    leg, is_resting = leg_of(order), maker.request.time_in_force.rests
    is_closed = order.status in CLOSED_STATES
    more: dict[str, Any] = {}
    if is_resting or life.corrected(maker.stored.sequence) is not None:
        more["fill"] = {
            "trade_id": event.trade_id,
            "price": number(event.price),
            "size": number(event.quantity),
            "fee": number(event.fee),
        }
    if is_closed:
        return _ended(maker, life, leg, ResultStatus.CANCELLED, corrects=event.corrects, **more)
    if is_resting:
        return [maker.result(leg, ResultStatus.PENDING, EventType.PARTIAL_FILL, **more)]
    return []


def _reversed(
    maker: Maker, life: AuditedLife, order: Order, event: events.FillReversed
) -> list[AuditLine]:
    """Return the line of a failed execution that had counted."""
    leg = leg_of(order)
    more = {"reversed": {"trade_id": event.trade_id, "size": number(event.quantity)}}
    if not event.quantity:
        return []
    if order.status in CLOSED_STATES:
        return _ended(maker, life, leg, ResultStatus.CANCELLED, corrects=event.corrects, **more)
    return [maker.result(leg, ResultStatus.PENDING, EventType.PARTIAL_FILL, **more)]


def _order_lines(maker: Maker, life: AuditedLife, event: events.OrderEvent) -> list[AuditLine]:
    """Return the lines of what happened to one order."""
    stored = maker.stored
    order = life.orders.take(stored.sequence, stored.time_ns, event)
    if order is None:
        raise JournalCorrupt(
            f"Expected an approval before this {events.kind(event)}, was none",
            sequence=stored.sequence,
        )
    leg = leg_of(order)
    match event:
        case events.OrderAcknowledged():
            corrects = life.corrected(stored.sequence)
            return [maker.placed(leg, ResultStatus.PENDING, corrects=corrects)]
        case events.OrderReopened():
            why = _bounded(event.message)
            return [
                maker.placed(
                    leg, ResultStatus.PENDING, corrects=event.corrects, reopened_reason=why
                )
            ]
        case events.OrderUnknown():
            why = _bounded(event.message)
            return [maker.placed(leg, ResultStatus.UNKNOWN, unknown_reason=why)]
        case events.OrderFilled():
            return _filled(maker, life, order, event)
        case events.FillReversed():
            return _reversed(maker, life, order, event)
        case events.OrderCancelled():
            why = _bounded(event.reason)
            return _ended(maker, life, leg, ResultStatus.CANCELLED, cancel_reason=why)
        case events.OrderExpired():
            return _ended(maker, life, leg, ResultStatus.CANCELLED, cancel_reason="expired")
        case events.OrderDenied():
            why = _bounded(event.message)
            return _ended(maker, life, leg, ResultStatus.REJECTED, reason=why, code=event.code)
        case events.OrderRejected():
            return _refused(
                maker,
                life,
                leg,
                EventType.REJECTED,
                falls_back=event.falls_back,
                reason=_sentence("VENUE_REJECTED", f"{event.venue_code}: {event.message}", None),
                code="VENUE_REJECTED",
                venue_code=event.venue_code,
            )
        case events.OrderNotSent():
            return _refused(
                maker,
                life,
                leg,
                EventType.FAILED,
                falls_back=event.falls_back,
                reason=_sentence("NOT_SENT", event.message, None),
                code="NOT_SENT",
            )
        case _:
            return []


_DECIDED = (events.RequestDenied, events.DuplicateRefused, events.OrderApproved)
KINDS = lifecycle.KINDS | {each.__name__ for each in _DECIDED}
"""Kinds of records that may become lines; others need not even be decoded."""


def _fold(
    life: AuditedLife | None, stored: Stored, event: events.Event, *, is_timed: bool
) -> tuple[AuditedLife | None, list[AuditLine]]:
    """Take one record into the life of its request; return the life and the record's lines."""
    if isinstance(event, _DECIDED):
        request = event.request
        maker = Maker(stored, request, event.received_ns if is_timed else None)
        if isinstance(event, events.DuplicateRefused):
            return life, _duplicate(maker, event)
        if life is None:
            life = AuditedLife(request=request, received_ns=event.received_ns)
        maker.received_ns = life.received_ns if is_timed else None
        life.orders.take(stored.sequence, stored.time_ns, event)
        if isinstance(event, events.RequestDenied):
            return life, _denied(maker, life, event)
        return life, [maker.requested()] if event.leg == 0 else []
    if not isinstance(event, events.OrderEvent):
        return life, []
    if life is None:
        raise JournalCorrupt(
            f"Expected an approval before this {stored.kind}, was none", sequence=stored.sequence
        )
    maker = Maker(stored, life.request, life.received_ns if is_timed else None)
    return life, _order_lines(maker, life, event)


def _decode(stored: Stored) -> events.Event:
    try:
        return events.decode(stored.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalCorrupt(
            f"Expected an event, was unreadable: {error}", sequence=stored.sequence
        ) from error


def lines_of(
    stored: Stored, history: Sequence[Stored] = (), *, is_timed: bool = True
) -> list[AuditLine]:
    """
    Return the audit lines of one record: none, one or two.

    Args:
        stored: the record.
        history: the records of the same request (as `records_of` returns them); what is not older
            than the record is left alone.
        is_timed: False writes `latency_ms` 0, as a recorded clock has none.

    Raises:
        JournalCorrupt: the record is unreadable, or tells of an order that none approved.
    """
    if stored.kind not in KINDS:
        return []
    life: AuditedLife | None = None
    for each in history:
        if each.sequence < stored.sequence and each.kind in KINDS:
            life, _ = _fold(life, each, _decode(each), is_timed=is_timed)
    return _fold(life, stored, _decode(stored), is_timed=is_timed)[1]


def is_of_journal(reader: AuditReader, mark: LineMark) -> bool:
    """Tell whether a line that was written is of this journal."""
    stored = next(iter(reader.records(mark.sequence - 1)), None)
    if stored is None or stored.sequence != mark.sequence or stored.kind not in KINDS:
        return False
    request_id = _request_id(_decode(stored))
    if own(request_id) != mark.request_id:
        return False
    return any(mark.is_of(line) for line in lines_of(stored, reader.records_of(request_id)))


def _is_first(event: events.Event) -> bool:
    """Tell whether nothing of the request can have been journaled that this record builds on."""
    if isinstance(event, events.OrderApproved | events.RequestDenied):
        return event.leg == 0
    return isinstance(event, events.DuplicateRefused)


def _request_id(event: events.Event) -> str:
    if isinstance(event, _DECIDED):
        return event.request.request_id
    return event.request_id if isinstance(event, events.OrderEvent) else ""


class Projector:
    """Projects a journal record by record; remembers open requests, reads others again."""

    def __init__(self, reader: AuditReader, *, is_timed: bool = True) -> None:
        """
        Begin with nothing remembered.

        Args:
            reader: where the records of a request are read, when it is not remembered.
            is_timed: False writes `latency_ms` 0, as a recorded clock has none.
        """
        self._reader = reader
        self._is_timed = is_timed
        self._lives: dict[str, AuditedLife] = {}

    def lines(self, stored: Stored) -> list[AuditLine]:
        """
        Return the lines of one record; records are to come in order, each once.

        Raises:
            JournalCorrupt: the record is unreadable, or tells of an order that none approved.
        """
        if stored.kind not in KINDS:
            return []
        event = _decode(stored)
        request_id = _request_id(event)
        life = self._lives.pop(request_id, None)
        if life is None and not _is_first(event):
            life = self._read_life(request_id, stored.sequence)
        life, lines = _fold(life, stored, event, is_timed=self._is_timed)
        if life is not None and life.orders.final_sequence is None:
            self._lives[request_id] = life
            if len(self._lives) > LIVES_MAX:
                del self._lives[next(iter(self._lives))]
        return lines

    def forget(self) -> None:
        """Drop what is remembered, before going on from another place."""
        self._lives.clear()

    def _read_life(self, request_id: str, before: int) -> AuditedLife | None:
        life: AuditedLife | None = None
        for each in self._reader.records_of(request_id):
            if each.sequence < before and each.kind in KINDS:
                life, _ = _fold(life, each, _decode(each), is_timed=self._is_timed)
        return life
