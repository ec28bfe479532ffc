"""What venues, and the ways to them, do to the machine."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    CancelUnknown,
    Fill,
    Found,
    Gated,
    Inconclusive,
    Missing,
    NotSent,
    OrderClosed,
    Refused,
    Unknown,
)
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Side
from arbees.core.orders.result import Recorded
from tests.promises.asking import Asking
from tests.promises.base import (
    EVIDENCE,
    make_request,
    markets,
    sides,
    steps,
)
from tests.promises.pure import Truth


class Answering(Asking):
    """What venues and the ways to them do."""

    @rule(market=markets, side=sides, contracts=st.integers(1, 14), price=steps)
    def trade(self, market: str, side: Side, contracts: int, price: int) -> None:
        """Buy something, and all goes well."""
        self.go_well(market, side, Action.BUY, contracts * MICRO, price)

    @precondition(lambda self: self.held())
    @rule(data=st.data(), price=steps, half=st.booleans())
    def close(self, data: st.DataObject, price: int, half: bool) -> None:
        """Sell something that is held, wholly or by half, and all goes well."""
        market, side, quantity = data.draw(st.sampled_from(self.held()))
        quantity = max(1, quantity // 2) // 10_000 * 10_000 if half else quantity
        self.go_well(market, side, Action.SELL, max(quantity, 10_000), price)

    def held(self) -> list[tuple[str, Side, int]]:
        """Return what is held: market, side, quantity."""
        return [
            (market.listing.market_id, side, market.holding(side).quantity)
            for market in self.book.markets.values()
            for side in Side
            if market.holding(side).quantity
        ]

    def go_well(self, market: str, side: Side, action: Action, quantity: int, price: int) -> None:
        """Ask; if it passes it is sent, filled at its limit, answered and reported."""
        before = set(self.where(is_travelling=True))
        self.ask(make_request(len(self.asked), self.now_ns, market, side, action, quantity, price))
        for truth in self.where(is_travelling=True):
            if truth not in before:
                truth.is_travelling, truth.is_placed, truth.is_answered = False, True, True
                self.execute(truth, truth.remaining, truth.order.limit_price)
                self.answer_truly(truth)
                self.take(self.reports.pop())

    @precondition(lambda self: self.where(is_travelling=True))
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        """An order arrives and is taken."""
        truth = self.pick(data, self.where(is_travelling=True))
        truth.is_travelling, truth.is_placed = False, True

    @precondition(lambda self: self.where(is_travelling=True))
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """An order is lost on its way, for ever."""
        self.pick(data, self.where(is_travelling=True)).is_travelling = False

    @precondition(lambda self: self.where(is_working=True))
    @rule(data=st.data(), half=st.booleans(), better=st.sampled_from([0, 0, 50_000]))
    def fill(self, data: st.DataObject, half: bool, better: int) -> None:
        """A working order is filled, wholly or by half, at its limit or better."""
        truth = self.pick(data, self.where(is_working=True))
        quantity = max(1, truth.remaining // 2) if half else truth.remaining
        price = truth.order.limit_price + (-better if truth.is_buy else better)
        self.execute(truth, quantity, min(max(price, 10_000), MICRO - 10_000))

    @precondition(lambda self: self.where(is_working=True))
    @rule(data=st.data(), says=st.sampled_from(["cancelled", "expired"]), counts=st.booleans())
    def end(self, data: st.DataObject, says: str, counts: bool) -> None:
        """A venue ends an order by itself, and says so on its stream."""
        truth = self.pick(data, self.where(is_working=True))
        truth.closed = says
        self.report_end(truth, is_counted=counts)

    def report_end(self, truth: Truth, *, is_counted: bool) -> None:
        """Put the end of an order on the stream."""
        closed = OrderClosed(
            client_order_id=truth.order.client_order_id,
            closed=truth.closed or "cancelled",
            reason="venue",
            time_ns=self.now_ns,
            filled=truth.filled if is_counted else None,
        )
        self.reports.append(commands.TakeClosed(closed=closed))

    @precondition(lambda self: self.where(is_answered=False))
    @rule(data=st.data(), kind=st.sampled_from(["truth", "truth", "lost", "refused", "stopped"]))
    def answer(self, data: st.DataObject, kind: str) -> None:
        """The gateway gets its one answer: what is true, or nothing usable."""
        truth = self.pick(data, self.where(is_answered=False))
        truth.is_answered = True
        name = truth.order.client_order_id
        if kind == "truth" and truth.is_placed:
            self.answer_truly(truth)
            return
        if kind != "lost" and truth.is_travelling:
            truth.is_travelling = False
            outcome: Any = {
                "truth": NotSent(message="no route"),
                "refused": Refused(venue_code="paused", message="no", is_health=True),
                "stopped": Gated(code="HALTED", message="stopped at the gate"),
            }[kind]
        else:
            outcome = Unknown(message="no answer", sent_ns=self.now_ns)
        request = self.request_of(name)
        self.take(commands.TakeOutcome(client_order_id=name, outcome=outcome, request=request))

    def answer_truly(self, truth: Truth) -> None:
        """The gateway hears what became of an order that arrived."""
        name = truth.order.client_order_id
        outcome = Accepted(
            venue_order_id=truth.venue_order_id,
            time_ns=self.now_ns,
            fills=tuple(truth.fills),
            closed=truth.closed,
        )
        request = self.request_of(name)
        self.take(commands.TakeOutcome(client_order_id=name, outcome=outcome, request=request))

    def request_of(self, client_order_id: str) -> Request:
        """Return the request of an order."""
        request_id = self.desk.orders[client_order_id].request_id
        return next(each for each in self.asked if each.request_id == request_id)

    @precondition(lambda self: self.reports)
    @rule(data=st.data(), kind=st.sampled_from(["once", "once", "twice", "lost"]))
    def deliver(self, data: st.DataObject, kind: str) -> None:
        """A report of the stream comes, in whatever order, or twice, or never."""
        index = data.draw(st.integers(0, len(self.reports) - 1))
        report = self.reports.pop(index)
        if kind != "lost":
            self.take(report)
        if kind == "twice":
            self.take(report)

    @precondition(lambda self: self.truths)
    @rule(data=st.data())
    def look_up(self, data: st.DataObject) -> None:
        """The gateway looks for an order, and finds what is true."""
        self.look_up_truth(self.pick(data, list(self.truths.values())))

    def look_up_truth(self, truth: Truth) -> None:
        """Answer a search with the truth, or with nothing while an order is on its way."""
        name = truth.order.client_order_id
        lookup: Any = Missing(evidence=EVIDENCE)
        if truth.is_placed:
            lookup = Found(
                venue_order_id=truth.venue_order_id,
                by="client order id",
                time_ns=self.now_ns,
                fills=tuple(truth.fills),
                closed=truth.closed,
                listed=truth.listed(self.now_ns),
            )
        elif truth.is_travelling:
            lookup = Inconclusive(message="may still arrive")
        self.take(commands.TakeLookup(client_order_id=name, lookup=lookup))

    @precondition(lambda self: self.where(is_placed=True))
    @rule(data=st.data(), by=st.sampled_from(["list", "stream"]))
    def show(self, data: st.DataObject, by: str) -> None:
        """A venue shows an order as it is, whatever the gateway has been told of it."""
        self.show_truth(self.pick(data, self.where(is_placed=True)), by)

    def show_truth(self, truth: Truth, by: str = "list") -> None:
        """Hand over an order as its venue lists it now; what works is open from then on."""
        self.now_ns += 1
        listed = truth.listed(self.now_ns)
        self.take(commands.TakeVenueOrder(listed=listed, by=by, as_of_ns=self.now_ns))
        if truth.is_working and by == "list":
            assert truth.order.client_order_id in self.book.orders, "it works, and is not open"

    @precondition(lambda self: self.where(is_working=True))
    @rule(data=st.data(), is_told=st.booleans())
    def decrease(self, data: st.DataObject, is_told: bool) -> None:
        """Somebody decreases an order by hand; the stream tells of it, or does not."""
        truth = self.pick(data, self.where(is_working=True))
        truth.quantity -= truth.remaining // 2
        if is_told:
            self.show_truth(truth, "stream")

    @precondition(lambda self: self.where(is_working=True, is_answered=False))
    @rule(data=st.data(), by=st.sampled_from(["list", "stream", None]))
    def misanswer(self, data: st.DataObject, by: str | None) -> None:
        """A venue takes an order and answers in the form of a refusal; it may show it then."""
        truth = self.pick(data, self.where(is_working=True, is_answered=False))
        truth.is_answered = self.has_lied = True
        name = truth.order.client_order_id
        refused = Refused(venue_code="http_403", message="forbidden")
        self.take(
            commands.TakeOutcome(
                client_order_id=name, outcome=refused, request=self.request_of(name)
            )
        )
        if by is not None:
            self.show_truth(truth, by)
            assert name in self.book.orders, "the venue's word outranks an answer"

    @precondition(lambda self: self.where(is_placed=True))
    @rule(data=st.data(), more=st.integers(1, 10), is_worse=st.booleans())
    def invent(self, data: st.DataObject, more: int, is_worse: bool) -> None:
        """A venue tells of an execution that never was and cannot have been."""
        truth = self.pick(data, self.where(is_placed=True))
        worse = 10_000 if truth.is_buy else -10_000
        fill = Fill(
            client_order_id=truth.order.client_order_id,
            trade_id=f"invented-{self.now_ns}-{len(self.desk.records)}",
            quantity=1 if is_worse else truth.order.quantity + more,
            price=truth.order.limit_price + (worse if is_worse else 0),
            fee=0,
            is_maker=False,
            time_ns=self.now_ns,
        )
        before = len(self.desk.records)
        self.take(commands.TakeFill(fill=fill))
        booked = [each for _, _, each in self.desk.records[before:] if _is_fill(each)]
        assert booked == [], "what contradicts its order is not booked"

    @precondition(lambda self: self.cancels)
    @rule(data=st.data(), is_lost=st.booleans())
    def answer_cancel(self, data: st.DataObject, is_lost: bool) -> None:
        """A cancel arrives, and its answer comes or is lost."""
        self.cancelled(data.draw(st.sampled_from(sorted(self.cancels))), is_lost=is_lost)

    def cancelled(self, name: str, *, is_lost: bool) -> None:
        """Cancel what still works of an order, and answer."""
        del self.cancels[name]
        truth = self.truths[name]
        outcome: Any = CancelMissed(message="no working order")
        if truth.is_working:
            outcome = CancelAccepted(quantity=truth.remaining, time_ns=self.now_ns)
            truth.closed = "cancelled"
            self.report_end(truth, is_counted=True)
        if is_lost:
            outcome = CancelUnknown(message="no answer")
        self.take(commands.TakeCancel(client_order_id=name, outcome=outcome))

    @precondition(lambda self: self.where(is_working=True))
    @rule(data=st.data(), is_reported=st.booleans())
    def race(self, data: st.DataObject, is_reported: bool) -> None:
        """Half of an order fills while its cancel is on its way; the report comes now or later."""
        truth = self.pick(data, self.where(is_working=True))
        name = truth.order.client_order_id
        if truth.remaining > 1:
            self.execute(truth, truth.remaining // 2, truth.order.limit_price)
        if name not in self.book.orders:
            return
        self.take(commands.RequestCancel(scope=f"order:{name}", reason="why", actor="who"))
        self.cancelled(name, is_lost=False)
        if is_reported:
            for report in self.reports:
                self.take(report)
            self.reports.clear()

    @precondition(lambda self: self.where(is_working=True))
    @rule(data=st.data())
    def lie(self, data: st.DataObject) -> None:
        """A venue says cancelled and fills the rest all the same."""
        truth = self.pick(data, self.where(is_working=True))
        name = truth.order.client_order_id
        outcome = CancelAccepted(quantity=truth.remaining, time_ns=self.now_ns)
        self.execute(truth, truth.remaining, truth.order.limit_price)
        self.has_lied = True
        self.take(commands.TakeCancel(client_order_id=name, outcome=outcome))

    @precondition(lambda self: self.absent())
    @rule(data=st.data())
    def appear(self, data: st.DataObject) -> None:
        """An order that was proven absent shows up after all, filled."""
        truth = self.pick(data, self.absent())
        self.has_lied = truth.is_placed = truth.is_answered = True
        self.execute(truth, truth.remaining, truth.order.limit_price)
        self.take(self.reports.pop())

    def absent(self) -> list[Truth]:
        """Return the orders that evidence ended, and that are still the last of their key."""
        return [
            truth
            for truth in self.where(is_placed=False, is_travelling=False)
            if truth.order.client_order_id not in self.book.orders
            and _was_absent(self.desk.life(truth.order.request_id))
            and self.desk.orders[truth.order.client_order_id].request_id == truth.order.request_id
        ]


def _is_fill(event: events.Event) -> bool:
    return isinstance(event, events.OrderFilled)


def _was_absent(records: list[Recorded]) -> bool:
    last = records[-1][2]
    return isinstance(last, events.OrderNotSent) and bool(last.evidence)
