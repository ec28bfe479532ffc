"""Stop means stop (P4), looked at from the exchange: what it took while a halt was in force."""

from collections.abc import Iterator

from arbees.core import events
from arbees.journal import JournalReader
from tests.promises.oracle import scope_covers
from tests.runtime.evenings import BrokenError, Evening, Stop
from verification.exchange_book import RecordedOrder, read_book


def stop_means_stop(evening: Evening) -> int:
    """
    Hold what the exchange took against the halts that were acknowledged.

    Only orders that a halt's receipt names as handed over before may have arrived after it, and
    where reducing is allowed, orders that reduce.

    Returns:
        How many orders arrived while a halt was in force.
    """
    reader = JournalReader(evening.files.journal)
    new_events = [events.decode(stored.body) for stored in reader.records()]
    reader.close()
    halts = {each.receipt_id: each for each in new_events if isinstance(each, events.HaltRaised)}
    count = 0
    for stop in evening.stops:
        halt = halts[stop.receipt_id]
        for order, approved in _arrivals(evening, new_events, stop):
            count += 1
            if halt.state == "REDUCING" and approved.is_reducing:
                continue
            if order.client_order_id not in halt.in_flight:
                raise BrokenError(f"{order} arrived after {stop}, and its receipt is silent")
    return count


def _arrivals(
    evening: Evening, new_events: list[events.Event], stop: Stop
) -> Iterator[tuple[RecordedOrder, events.OrderApproved]]:
    approvals = {
        each.client_order_id: each for each in new_events if isinstance(each, events.OrderApproved)
    }
    until_ns = stop.until_ns
    for order in read_book(evening.files.paper_book).orders:
        is_within = order.created_ns > stop.since_ns and (
            until_ns is None or order.created_ns < until_ns
        )
        if is_within and scope_covers(stop.scope, approvals[order.client_order_id]):
            yield order, approvals[order.client_order_id]
