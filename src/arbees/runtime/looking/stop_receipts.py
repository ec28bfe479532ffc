"""Receipts: what a halt, a mass cancel or a flattening did, as far as the journal has it.

Guarantees that a receipt says only what is durable (P1), and that it is complete when nothing of it
is left to come: no order that it names is open, and what was to be closed was asked for, or never
will be.
"""

from collections.abc import Callable, Iterator, Sequence

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.deciding.flatten_plan import Close, held_of
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import format_micro, to_decimal
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Life, Recorded, fold
from arbees.core.ports import Journal
from arbees.interface.views import (
    Receipt,
    ReceiptClose,
    ReceiptLeft,
    ReceiptOrder,
)
from arbees.runtime.looking.scopes import Scopes

NEVER_PLANNED = "the gateway ended before it was planned how to close it: ask again"
NEVER_ASKED = "it was not asked for: the order before it did not fill, or the gateway ended"


class Receipts:
    """Reads receipts."""

    def __init__(
        self,
        journal: Journal,
        book: Book,
        scopes: Scopes,
        durable: Callable[[str], list[Recorded]],
    ) -> None:
        """
        Prepare.

        Args:
            journal: knows the orders.
            book: knows what is held.
            scopes: knows which names there are.
            durable: returns the durable records of a request or receipt.
        """
        self._journal = journal
        self._book = book
        self._scopes = scopes
        self._durable = durable
        self.flattening: set[str] = set()
        """Receipts whose positions are being closed now."""

    def read(self, receipt_id: str) -> Receipt | None:
        """Return what a halt, mass cancel or flattening did so far; None = there is none."""
        records = self._durable(receipt_id)
        for sequence, time_ns, event in records:
            if isinstance(event, events.HaltRaised):
                orders, state, kind = event.in_flight, event.state, "halt"
            elif isinstance(event, events.MassCancelled):
                orders, state = event.orders, ""
                kind = "flatten" if event.is_flatten else "mass_cancel"
            else:
                continue
            receipt = Receipt(
                receipt_id=receipt_id,
                sequence=sequence,
                kind=kind,
                scope=event.scope,
                state=state,
                reason=event.reason,
                since=format_time(time_ns),
                cancelled=(),
                in_flight=(),
                filled_meanwhile=(),
                complete=False,
                completed_at=None,
            )
            return self._filled_in(receipt, time_ns, orders, records)
        return None

    def _filled_in(
        self, receipt: Receipt, time_ns: int, orders: Sequence[str], records: list[Recorded]
    ) -> Receipt:
        """Return a receipt with what became of the orders that it names."""
        cancelled: list[ReceiptOrder] = []
        in_flight: list[ReceiptOrder] = []
        filled: list[ReceiptOrder] = []
        ended_ns = time_ns
        for known, order in self._orders(orders, receipt.sequence):
            ended_ns = max(ended_ns, known.final_ns)
            (in_flight if known.final_sequence is None else cancelled).append(order)
            if order.filled_meanwhile:
                filled.append(order)
        closing: list[ReceiptClose] = []
        left: list[ReceiptLeft] = []
        is_active = receipt.receipt_id in self.flattening
        plans = [each for each in records if isinstance(each[2], events.FlattenPlanned)]
        if receipt.kind == "flatten" and not plans and not is_active:
            left += self._never_planned(receipt.scope)
        for _, planned_ns, event in plans:
            assert isinstance(event, events.FlattenPlanned)
            ended_ns = max(ended_ns, planned_ns)
            left += [
                ReceiptLeft(
                    platform=each.platform,
                    market_id=each.market_id,
                    side=each.side,
                    quantity=to_decimal(each.quantity),
                    reason=each.reason,
                )
                for each in event.left
            ]
            for close in event.closes:
                life = fold(self._durable(close.request_id))
                if life is not None:
                    ended_ns = max(ended_ns, life.final_ns)
                    if life.final_sequence is None:
                        in_flight.append(_order(life, 0))
                shown = _close(close, life, is_active=is_active)
                closing.append(shown)
                if shown.status != ResultStatus.PENDING and shown.filled_qty < shown.quantity:
                    left.append(_not_closed(shown))
        is_complete = not in_flight and not is_active
        return Receipt(
            receipt_id=receipt.receipt_id,
            sequence=receipt.sequence,
            kind=receipt.kind,
            scope=receipt.scope,
            state=receipt.state,
            reason=receipt.reason,
            since=receipt.since,
            cancelled=tuple(order for order in cancelled if order.status == "CANCELLED"),
            in_flight=tuple(in_flight),
            filled_meanwhile=tuple(filled),
            complete=is_complete,
            completed_at=format_time(ended_ns) if is_complete else None,
            closing=tuple(closing),
            left=tuple(left),
            matches_nothing=not self._scopes.is_known(receipt.scope),
        )

    def _never_planned(self, scope: str) -> Iterator[ReceiptLeft]:
        """Yield what is still held of a scope of which nothing was ever asked to be closed."""
        for market, side, _, quantity in held_of(self._book, scope):
            yield ReceiptLeft(
                platform=market.listing.platform,
                market_id=market.listing.market_id,
                side=side,
                quantity=to_decimal(quantity),
                reason=NEVER_PLANNED,
            )

    def _orders(self, names: Sequence[str], sequence: int) -> Iterator[tuple[Life, ReceiptOrder]]:
        """Yield what became of orders since a record."""
        for client_order_id in names:
            row = self._journal.order(client_order_id)
            records = [] if row is None else self._durable(row.request_id)
            life = fold(records)
            if life is None or records[0][0] > sequence:
                continue  # a later attempt: the one of then ended without having been sent
            meanwhile = sum(
                event.quantity
                for at, _, event in records
                if at > sequence and isinstance(event, events.OrderFilled)
            )
            yield life, _order(life, meanwhile, client_order_id)


def _order(life: Life, meanwhile: int, client_order_id: str | None = None) -> ReceiptOrder:
    return ReceiptOrder(
        client_order_id=client_order_id or life.client_order_id or "",
        order_id=life.order_id,
        platform=life.platform,
        market_id=life.market_id,
        status=life.status,
        filled_meanwhile=to_decimal(meanwhile),
    )


def _close(close: Close, life: Life | None, *, is_active: bool) -> ReceiptClose:
    """Return what became of an order that closes."""
    result = None if life is None else life.result()
    missing = ResultStatus.PENDING if is_active else ResultStatus.FAILED
    return ReceiptClose(
        request_id=close.request_id,
        platform=close.platform,
        market_id=close.market_id,
        side=close.side,
        quantity=to_decimal(close.quantity),
        limit_price=to_decimal(close.limit_price),
        status=missing if result is None else result.status,
        filled_qty=to_decimal(0 if life is None else life.filled),
        code=None if result is None else result.code,
        message=(None if is_active else NEVER_ASKED) if result is None else result.rejection_reason,
    )


def _not_closed(close: ReceiptClose) -> ReceiptLeft:
    """Return what an order that ended did not close, and why."""
    price = format_micro(int(close.limit_price * 1_000_000))
    return ReceiptLeft(
        platform=close.platform,
        market_id=close.market_id,
        side=close.side,
        quantity=close.quantity - close.filled_qty,
        reason=close.message or f"no more of it was bid for at {price} or better",
        code=close.code,
    )
