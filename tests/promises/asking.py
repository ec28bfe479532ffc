"""What strategies, operators and time do to the machine."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from arbees.core import events
from arbees.core.book.book import encode as encode_book
from arbees.core.deciding import commands
from arbees.core.deciding.facts import Touch
from arbees.core.language.request import Alternate, Request
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
    TradingState,
)
from tests.promises.base import (
    CONDITION,
    KALSHI,
    KINDS,
    NFL,
    PLACES,
    SCOPES,
    Base,
    make_request,
    markets,
    sides,
    steps,
)


class Asking(Base):
    """What strategies, operators and time do."""

    @rule(
        market=markets,
        side=sides,
        action=st.sampled_from([Action.BUY, Action.BUY, Action.SELL]),
        contracts=st.integers(1, 14),
        price=steps,
        time_in_force=st.sampled_from([TimeInForce.IOC, TimeInForce.GTC]),
        elsewhere=st.none() | markets,
        signal=st.none() | st.sampled_from(["s1", "s2"]),
        strategy=st.sampled_from(["edge", "arb"]),
    )
    def submit(  # noqa: PLR0917 - drawn one by one
        self,
        market: str,
        side: Side,
        action: Action,
        contracts: int,
        price: int,
        time_in_force: TimeInForce,
        elsewhere: str | None,
        signal: str | None,
        strategy: str,
    ) -> None:
        """Ask for something new."""
        alternates: tuple[Alternate, ...] = ()
        if elsewhere is not None:
            alternates = (
                Alternate(
                    platform=PLACES[elsewhere], market_id=elsewhere, side=side, limit_price=price
                ),
            )
        plain_request = make_request(
            len(self.asked), self.now_ns, market, side, action, contracts * MICRO, price
        )
        self.ask(
            msgspec.structs.replace(
                plain_request,
                time_in_force=time_in_force,
                strategy=strategy,
                signal_id=signal,
                alternates=alternates,
            )
        )

    def ask(self, request: Request) -> None:
        """Submit a request."""
        self.asked.append(request)
        self.take(commands.Submit(request=request, received_ns=self.now_ns))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), attempt=st.integers(0, 2), more=st.sampled_from([0, 0, MICRO]))
    def submit_again(self, data: st.DataObject, attempt: int, more: int) -> None:
        """Ask for something that was asked before: the same, the next attempt, or a conflict."""
        before = data.draw(st.sampled_from(self.asked))
        changes: dict[str, Any] = {"created_ns": self.now_ns, "size": before.size + more}
        if attempt:
            changes |= {
                "attempt": before.attempt + attempt,
                "request_id": f"r{len(self.asked)}",
            }
        self.ask(msgspec.structs.replace(before, **changes))

    @precondition(lambda self: self.book.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel one open order."""
        name = data.draw(st.sampled_from(sorted(self.book.orders)))
        self.take(commands.RequestCancel(scope=f"order:{name}", reason="why", actor="who"))

    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def happen(self, data: st.DataObject, kind: str) -> None:
        """Something of the surroundings: time, quotes, money, stops, a crash."""
        getattr(self, kind)(data)

    def wait(self, data: st.DataObject) -> None:
        """Let time pass."""
        self.now_ns += data.draw(st.sampled_from([1, 5, 61])) * NS_PER_SECOND

    def quote(self, data: st.DataObject) -> None:
        """See a quote."""
        market = data.draw(st.sampled_from([KALSHI, NFL, CONDITION]))
        bid, gap = data.draw(st.none() | steps), data.draw(steps)
        ask = None if bid is None or bid + gap >= MICRO else bid + gap
        self.touches[market] = Touch(self.now_ns, bid, ask)

    def look_at_money(self, data: st.DataObject) -> None:
        """See the venue's own figure."""
        self.now_ns += 1
        figure = self.figure(data.draw(st.sampled_from(Platform)))
        self.figures.append(figure)
        if data.draw(st.integers(0, 2)):  # else it comes later, maybe after a newer one
            index = data.draw(st.integers(0, len(self.figures) - 1))
            self.take(commands.ObserveBalance(balance=self.figures.pop(index)))

    def halt(self, data: st.DataObject) -> None:
        """Stop."""
        source = data.draw(st.sampled_from(["http", "file", "daily_loss"]))
        scope = data.draw(st.sampled_from(SCOPES))
        state = data.draw(st.sampled_from([TradingState.HALTED, TradingState.REDUCING]))
        self.halts[source, scope] = state
        self.take(
            commands.RaiseHalt(
                source=source, scope=scope, state=state, reason="why", actor="who", receipt_id="r"
            )
        )

    def resume(self, data: st.DataObject) -> None:
        """Lift a halt by its source, or what may be lifted of a scope."""
        if not self.halts:
            return
        source, scope = data.draw(st.sampled_from(sorted(self.halts)))
        is_named, acknowledge = data.draw(st.booleans()), data.draw(st.booleans())
        for held in list(self.halts):
            is_meant = held[0] == source if is_named else held[0] != "file"
            is_automatic = not is_named and held[0] == "daily_loss" and not acknowledge
            if held[1] == scope and is_meant and not is_automatic:
                del self.halts[held]
        self.take(
            commands.LiftHalt(
                sources=(source,) if is_named else (),
                scope=scope,
                reason="over",
                actor="who",
                acknowledge=acknowledge,
            )
        )

    def cancel_all(self, data: st.DataObject) -> None:
        """Cancel everything of a scope."""
        scope = data.draw(st.sampled_from(SCOPES))
        self.take(commands.RequestCancel(scope=scope, reason="why", actor="who", receipt_id="m"))

    def open_day(self, data: st.DataObject) -> None:
        """Begin a trading day."""
        day = data.draw(st.sampled_from(["2026-01-28", "2026-01-29"]))
        self.take(commands.OpenDay(day=day, unrealized=self.book.unrealized({})))

    def die(self, data: st.DataObject) -> None:
        """Die and start again: answers on their way are lost, the journal is not."""
        at = data.draw(st.integers(0, len(self.desk.bodies) - 1))
        book = self.desk.replayed()
        assert encode_book(book) == encode_book(self.desk.book), "not the fold (P6)"
        assert encode_book(self.desk.resumed(at)) == encode_book(book), "not the snapshot (P6)"
        self.desk.book = book
        self.cancels.clear()
        for truth in self.truths.values():
            truth.is_answered = True
        orphans = tuple(
            events.OrderUnknown(
                client_order_id=order.client_order_id,
                request_id=order.request_id,
                message="the process ended before an answer",
                sent_ns=order.created_ns,
            )
            for order in book.orders.values()
            if order.status == "PENDING"
        )
        self.take(commands.Record(events=orphans))
