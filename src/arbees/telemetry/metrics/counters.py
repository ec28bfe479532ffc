"""Counts durable events for the metrics.

Guarantees that only what was handed over as durable is counted (P1), that every label is bounded,
and that taking an event costs the loop about a microsecond. Counts begin at 0 with the process, as
Prometheus expects; what an order from before needs is told by `expect`.
"""

from typing import Any

from arbees.core import events
from arbees.core.language.words import HaltSource, OrderStatus, Platform
from arbees.core.orders.lifecycle import end_of
from arbees.interface.measures import Histogram
from arbees.safeguards import ALL
from arbees.telemetry.metrics import catalogue

VENUE_CODES_MAX = 64
"""Codes of one venue that are told apart; what comes after them is `other`."""
ORDERS_MAX = 100_000
"""Open orders remembered; far above what may be open."""
CODE_LENGTH_MAX = 64
OTHER = "other"
SPEAKERS = (*(str(each.name) for each in ALL), "idempotency", "gate")  # type: ignore[attr-defined]
"""Who denies: every safeguard, the key, the gate."""

ENDED_AS = {
    OrderStatus.DENIED: "stopped",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.NOT_SENT: "not_sent",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.FILLED: "filled",
}
"""How orders end, as a label."""

Labels = tuple[str, ...]
Counts = dict[str, dict[Labels, int]]


class Counters:
    """What happened since the process began."""

    def __init__(self) -> None:
        """Begin with every label that is known beforehand at 0."""
        venues = [(str(platform),) for platform in Platform]
        self._counts: Counts = {
            metric.name: {}
            for metric in catalogue.CATALOGUE
            if metric.kind is catalogue.MetricKind.COUNTER
        }
        for metric in catalogue.CATALOGUE:
            if metric.kind is catalogue.MetricKind.COUNTER and metric.labels == ("venue",):
                self._counts[metric.name] = dict.fromkeys(venues, 0)
        self._counts[catalogue.DENIALS.name] = {(name,): 0 for name in SPEAKERS}
        self._counts[catalogue.HALTS_RAISED.name] = {(str(source),): 0 for source in HaltSource}
        self._counts[catalogue.CANCELS.name] = {(): 0}
        self.decide = Histogram()
        self.acknowledge = {str(platform): Histogram() for platform in Platform}
        self._orders: dict[str, tuple[str, int]] = {}

    def counts(self) -> Counts:
        """Return a copy of all counts: by metric, by the values of its labels."""
        return {name: dict(values) for name, values in self._counts.items()}

    def expect(self, client_order_id: str, platform: str) -> None:
        """Know an order that was open before this process began; it is timed no more."""
        self._orders[client_order_id] = (platform, 0)

    def take(self, time_ns: int, event: events.Event) -> None:
        """Take the next durable event."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, time_ns, event)
        end = end_of(event)
        if end is not None and isinstance(event, events.OrderEvent):
            self.add(catalogue.ENDED, (self.close(event), ENDED_AS[end]))

    def add(self, metric: catalogue.Metric, labels: Labels, amount: int = 1) -> None:
        """Add to one count."""
        values = self._counts[metric.name]
        values[labels] = values.get(labels, 0) + amount

    def venue_of(self, event: events.OrderEvent) -> str:
        """Return the venue of an order."""
        found = self._orders.get(event.client_order_id)
        return OTHER if found is None else found[0]

    def open(self, client_order_id: str, platform: str, time_ns: int) -> None:
        """Remember an order while it is open."""
        self._orders[client_order_id] = (platform, time_ns)
        if len(self._orders) > ORDERS_MAX:
            del self._orders[next(iter(self._orders))]

    def close(self, event: events.OrderEvent) -> str:
        """Forget an order that ended; return its venue."""
        found = self._orders.pop(event.client_order_id, None)
        return OTHER if found is None else found[0]

    def acknowledged(self, event: events.OrderAcknowledged, time_ns: int) -> None:
        """Time an acknowledgement."""
        platform, since_ns = self._orders.get(event.client_order_id, (OTHER, 0))
        self.add(catalogue.ACKNOWLEDGEMENTS, (platform,))
        if since_ns and platform in self.acknowledge:
            self.acknowledge[platform].add(time_ns - since_ns)

    def rejected(self, platform: str, code: str) -> None:
        """Count a reject under the venue's own code, of which there are only so many."""
        code = "".join(each if each.isprintable() else "?" for each in code[:CODE_LENGTH_MAX])
        labels = (platform, code)
        known = self._counts[catalogue.REJECTS.name]
        if labels not in known and len(known) >= VENUE_CODES_MAX:
            labels = (platform, OTHER)
        self.add(catalogue.REJECTS, labels)


def _denied(counters: Counters, time_ns: int, event: events.RequestDenied) -> None:
    request = event.request
    if event.leg == 0:
        counters.add(catalogue.REQUESTS, (request.platform,))
    for name in dict.fromkeys(finding.safeguard for finding in event.findings):
        counters.add(catalogue.DENIALS, (name,))
    counters.add(catalogue.DECISIONS, ("denied", event.findings[0].code))
    counters.decide.add(time_ns - event.received_ns)


def _duplicate(counters: Counters, time_ns: int, event: events.DuplicateRefused) -> None:
    counters.add(catalogue.REQUESTS, (event.request.platform,))
    counters.add(catalogue.DENIALS, ("idempotency",))
    counters.add(catalogue.DECISIONS, ("duplicate", event.code))
    counters.decide.add(time_ns - event.received_ns)


def _approved(counters: Counters, time_ns: int, event: events.OrderApproved) -> None:
    venue = (str(event.platform),)
    if event.leg == 0:
        counters.add(catalogue.REQUESTS, venue)
    counters.add(catalogue.APPROVALS, venue)
    counters.add(catalogue.DECISIONS, ("approved", ""))
    counters.decide.add(time_ns - event.received_ns)
    counters.open(event.client_order_id, str(event.platform), time_ns)


def _acknowledged(counters: Counters, time_ns: int, event: events.OrderAcknowledged) -> None:
    counters.acknowledged(event, time_ns)


def _unknown(counters: Counters, _time_ns: int, event: events.OrderUnknown) -> None:
    counters.add(catalogue.UNKNOWNS, (counters.venue_of(event),))


def _filled(counters: Counters, _time_ns: int, event: events.OrderFilled) -> None:
    venue = (event.platform,)
    counters.add(catalogue.FILLS, venue)
    counters.add(catalogue.CONTRACTS, venue, event.quantity)
    counters.add(catalogue.DOLLARS, venue, event.value)
    counters.add(catalogue.FEES, venue, max(0, event.fee))


def _gated(counters: Counters, _time_ns: int, _event: events.OrderDenied) -> None:
    counters.add(catalogue.DENIALS, ("gate",))


def _rejected(counters: Counters, _time_ns: int, event: events.OrderRejected) -> None:
    counters.rejected(counters.venue_of(event), event.venue_code)


def _reopened(counters: Counters, _time_ns: int, event: events.OrderReopened) -> None:
    counters.expect(event.client_order_id, str(event.order.platform))


def _cancel(counters: Counters, _time_ns: int, _event: events.CancelRequested) -> None:
    counters.add(catalogue.CANCELS, ())


def _halted(counters: Counters, _time_ns: int, event: events.HaltRaised) -> None:
    counters.add(catalogue.HALTS_RAISED, (event.source,))


def _broke(counters: Counters, _time_ns: int, event: events.BreakOpened) -> None:
    counters.add(catalogue.BREAKS_OPENED, (event.platform,))


_HANDLERS: dict[type, Any] = {
    events.RequestDenied: _denied,
    events.DuplicateRefused: _duplicate,
    events.OrderApproved: _approved,
    events.OrderAcknowledged: _acknowledged,
    events.OrderUnknown: _unknown,
    events.OrderFilled: _filled,
    events.OrderDenied: _gated,
    events.OrderRejected: _rejected,
    events.OrderReopened: _reopened,
    events.CancelRequested: _cancel,
    events.HaltRaised: _halted,
    events.BreakOpened: _broke,
}
