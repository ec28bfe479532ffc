"""A book and its records, as the writer would keep them: commands are decided, events applied.

Guarantees that whatever a test does is also what a replay of its records gives, and that the sums
that the book keeps equal those over its markets and orders (`check`).
"""

from typing import Any, ClassVar

import msgspec

from arbees.core import events
from arbees.core.book import book as books
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.book.open_order import Order
from arbees.core.book.worst_case import worst_ahead
from arbees.core.deciding import commands
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import (
    Accepted,
    Fill,
    Outcome,
    PoolBalance,
    Unknown,
)
from arbees.core.deciding.verdicts import Safeguard, Verdict
from arbees.core.language.request import Request
from arbees.core.language.words import (
    Mode,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.closed_orders import closed_order
from tests.safeguards.build import BUFFER, NOW, SECOND, TERMS, listing, polymarket, request

MICRO = 1_000_000


class Says:
    """A safeguard that always says the same."""

    name: ClassVar[str] = "says"
    codes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, *verdicts: Verdict) -> None:
        """Say these verdicts under this name."""
        self.name = name  # type: ignore[misc]
        self.codes = tuple(each.code for each in verdicts)  # type: ignore[misc]
        self.verdicts = verdicts
        self.asked: list[Candidate] = []

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Say it, and note who asked."""
        assert isinstance(book, Book)
        assert isinstance(facts, Facts)
        self.asked.append(order)
        return self.verdicts


class Scene:
    """One account on paper: knows a Kalshi market and a Polymarket one of the same game."""

    def __init__(self, *safeguards: Safeguard, is_bare: bool = False) -> None:
        """Begin with the markets listed, or with nothing."""
        self.book = fresh()
        self.now = NOW
        self.records: list[tuple[int, int, events.Event]] = []
        self.requests: dict[str, Request] = {}
        self.trades = 0
        self.rules = commands.Rules(
            mode=Mode.PAPER,
            account="main",
            environment="local",
            safeguards=safeguards,
            terms=TERMS,
            balance_buffer=BUFFER,
        )
        if not is_bare:
            self.write(
                events.MarketListed(listing=listing()), events.MarketListed(listing=polymarket())
            )

    def write(self, *new_events: events.Event) -> None:
        """Journal and apply events now."""
        for event in new_events:
            sequence = self.book.sequence + 1
            apply(self.book, event, sequence, self.now)
            self.records.append((sequence, self.now, event))

    def ask(self, command: commands.Command, seen: Facts | None = None) -> commands.Decision:
        """Decide a command and change nothing."""
        return decide(self.book, seen or Facts(now_ns=self.now), command, self.rules)

    def do(self, command: commands.Command, seen: Facts | None = None) -> commands.Decision:
        """Decide a command and journal its events."""
        decision = self.ask(command, seen)
        self.write(*decision.events)
        return decision

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * SECOND)

    # Orders ------------------------------------------------------------------------------------

    def order(self, key: str = "k-1", *, seen: Facts | None = None, **changes: Any) -> Order:
        """Submit a request that is approved; return its order, pending."""
        changes.setdefault("request_id", f"r-{key}")
        asked = request(idempotency_key=key, **changes)
        decision = self.do(commands.Submit(request=asked, received_ns=self.now), seen)
        approved = decision.events[-1]
        assert isinstance(approved, events.OrderApproved), approved
        self.requests[approved.client_order_id] = asked
        return self.book.orders[approved.client_order_id]

    def resting(self, key: str = "k-1", **changes: Any) -> Order:
        """Return an order that the venue has acknowledged."""
        order = self.order(key, **changes)
        self.answer(order, Accepted(venue_order_id=f"v-{key}", time_ns=self.now))
        return order

    def lost(self, key: str = "k-1", **changes: Any) -> Order:
        """Return an order of unknown fate."""
        order = self.order(key, **changes)
        self.answer(order, Unknown(message="timeout", sent_ns=self.now))
        return order

    def answer(self, order: Order, outcome: Outcome) -> commands.Decision:
        """Take a venue's answer."""
        return self.do(
            commands.TakeOutcome(
                client_order_id=order.client_order_id,
                outcome=outcome,
                request=self.requests[order.client_order_id],
                past=self.past(order),
            )
        )

    def trade(self, order: Order, quantity: int, price: int, fee: int = 0, **more: Any) -> Fill:
        """Return a new fill of an order."""
        self.trades += 1
        fields = {"trade_id": f"t-{self.trades}", "is_maker": False, "time_ns": self.now, **more}
        return Fill(
            client_order_id=order.client_order_id,
            quantity=quantity,
            price=price,
            fee=fee,
            **fields,
        )

    def fill(
        self, order: Order, quantity: int, price: int, fee: int = 0, **more: Any
    ) -> events.OrderFilled:
        """Take a new fill; return its event."""
        fill = self.trade(order, quantity, price, fee, **more)
        decision = self.do(commands.TakeFill(fill=fill, past=self.past(order)))
        filled = decision.events[-1]
        assert isinstance(filled, events.OrderFilled)
        return filled

    def hold(self, side: Side, quantity: int, price: int, **more: Any) -> None:
        """Buy some contracts and have them filled, all of them at one price."""
        order = self.resting(
            f"hold-{self.trades}",
            side=side,
            size=quantity,
            limit_price=price,
            time_in_force=TimeInForce.GTC,
            **more,
        )
        self.fill(order, quantity, price)

    def past(self, order: Order) -> commands.ClosedOrder | None:
        """Return an order as its records leave it if it is closed."""
        if order.client_order_id in self.book.orders:
            return None
        return closed_order(self.life(order.request_id))

    def life(self, request_id: str) -> list[tuple[int, int, events.Event]]:
        """Return the records of one request."""
        return [
            (sequence, time_ns, event)
            for sequence, time_ns, event in self.records
            if getattr(event, "request_id", None) == request_id
            or getattr(getattr(event, "request", None), "request_id", None) == request_id
        ]

    def balance(self, available: int, *, as_of_ns: int | None = None) -> commands.Decision:
        """Observe Kalshi's balance."""
        return self.do(
            commands.ObserveBalance(
                balance=PoolBalance(
                    platform=Platform.KALSHI,
                    pool="Kalshi",
                    available=available,
                    as_of_ns=self.now if as_of_ns is None else as_of_ns,
                )
            )
        )

    def held(self, key: str, side: Side) -> tuple[int, int]:
        """Return quantity and cost of what is held of a side of a market."""
        holding = self.book.markets[key].holding(side)
        return holding.quantity, holding.cost

    # Truth -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Assert that a replay and a snapshot give this book, and that its sums are sums."""
        replayed = fresh()
        for sequence, time_ns, event in self.records:
            apply(replayed, events.decode(events.encode(event)), sequence, time_ns)
        assert msgspec.to_builtins(replayed) == msgspec.to_builtins(self.book)
        assert books.decode(books.encode(self.book)) == self.book
        check_sums(self.book)


def check_sums(book: Book) -> None:
    """Assert that every sum that the book keeps is what the slow way gives."""
    games: dict[str, int] = {}
    sports: dict[str, int] = {}
    for key, market in book.markets.items():
        orders = [order for order in book.orders.values() if order.market_key == key]
        assert market.orders == [order.client_order_id for order in orders]
        assert market.loss_yes == sum(order.reserved.loss_yes for order in orders)
        assert market.loss_no == sum(order.reserved.loss_no for order in orders)
        assert market.unknown == sum(order.status == "UNKNOWN" for order in orders)
        assert market.worst == worst_ahead(market, book.orders)
        games[market.game_id] = games.get(market.game_id, 0) + market.worst
        sports[market.sport] = sports.get(market.sport, 0) + market.worst
    assert book.game_worst == {name: worst for name, worst in games.items() if worst}
    assert book.sport_worst == {name: worst for name, worst in sports.items() if worst}
    assert book.total_worst == sum(games.values())
    assert book.unknown == sum(market.unknown for market in book.markets.values())
    assert book.open_day_loss == sum(order.reserved.day_loss for order in book.orders.values())
    assert book.realized == sum(market.realized for market in book.markets.values())
    assert book.fees == sum(market.fees for market in book.markets.values())
