"""Worst case over the future: the bound against every order in which open orders may still fill."""

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbees.core.book.market import Listing, Market, OutcomeHolding
from arbees.core.book.open_order import Order, losses
from arbees.core.book.worst_case import close_of, worst_ahead
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)


@dataclass(frozen=True)
class Leg:
    """An open order."""

    side: Side
    action: Action
    quantity: Fraction
    price: Fraction

    @property
    def losses(self) -> tuple[Fraction, Fraction]:
        """Return max(0, outlay - payout) if Yes wins and if No wins."""
        if self.action is Action.BUY:
            found = Fraction(0), self.price * self.quantity
        else:
            found = (1 - self.price) * self.quantity, Fraction(0)
        return found if self.side is Side.YES else (found[1], found[0])


Held = dict[Side, tuple[Fraction, Fraction]]
"""Quantity and cost of each side."""


@dataclass(frozen=True)
class State:
    """What is held and open in a market."""

    is_netting: bool
    held: Held
    legs: tuple[Leg, ...]

    @property
    def formula(self) -> Fraction:
        """Return the design's formula."""
        cost = sum((cost for _, cost in self.held.values()), Fraction(0))
        return max(
            cost - self.held[side][0] + sum((leg.losses[index] for leg in self.legs), Fraction(0))
            for index, side in enumerate((Side.YES, Side.NO))
        )

    def after(self, index: int, quantity: Fraction, price: Fraction) -> "State":
        """Return the state after a fill: a close takes out average cost, the rest opens."""
        leg, held, left = self.legs[index], dict(self.held), quantity
        closes, opens, paid = leg.side.opposite, leg.side, price
        if leg.action is Action.SELL:
            closes, opens, paid = leg.side, leg.side.opposite, 1 - price
        if leg.action is Action.SELL or self.is_netting:
            have, cost = held[closes]
            closed = min(have, left)
            if closed:
                held[closes] = have - closed, cost - cost * closed / have
                left -= closed
        if left and (leg.action is Action.BUY or self.is_netting):
            held[opens] = held[opens][0] + left, held[opens][1] + left * paid
        rest = leg.quantity - quantity
        legs = self.legs[:index] + self.legs[index + 1 :]
        if rest:
            legs = (*legs, replace(leg, quantity=rest))
        return State(self.is_netting, held, legs)


def futures(state: State, *, halves: int = 1) -> list[State]:
    """Return every state that fills and cancels may lead to, one partial fill among them."""
    found = [state]
    for index, leg in enumerate(state.legs):
        found += futures(
            State(state.is_netting, state.held, state.legs[:index] + state.legs[index + 1 :]),
            halves=halves,
        )
        better = Fraction(1, 100) if leg.action is Action.BUY else Fraction(99, 100)
        for price in (leg.price, better):
            found += futures(state.after(index, leg.quantity, price), halves=halves)
        if halves:
            found += futures(state.after(index, leg.quantity / 2, leg.price), halves=halves - 1)
    return found


def bound(state: State, *, with_candidate: bool = False) -> int:
    """Return what the core says of a state, its last order being a candidate or an open one."""
    market = Market(
        listing=Listing(
            platform="Kalshi", market_id="m", market_key="M", is_netting=state.is_netting
        ),
        sport="NBA",
        game_id="g",
        yes=OutcomeHolding(*(_micro(part) for part in state.held[Side.YES])),
        no=OutcomeHolding(*(_micro(part) for part in state.held[Side.NO])),
        orders=[],
    )
    orders: dict[str, Order] = {}
    for leg in state.legs[:-1] if with_candidate else state.legs:
        order = _order(f"c-{len(orders)}", leg, filled=MICRO)
        orders[order.client_order_id] = order
        market.orders.append(order.client_order_id)
        loss_yes, loss_no = losses(order.side, order.action, order.remaining, order.limit_price)
        market.loss_yes += loss_yes
        market.loss_no += loss_no
    if not with_candidate:
        return worst_ahead(market, orders)
    last = _order("c", state.legs[-1])
    found = losses(last.side, last.action, last.quantity, last.limit_price)
    close = close_of(
        last.side, last.action, last.limit_price, last.quantity, is_netting=state.is_netting
    )
    return worst_ahead(market, orders, *found, close)


def _micro(value: Fraction) -> int:
    return int(value * MICRO)


def _order(name: str, leg: Leg, filled: int = 0) -> Order:
    return Order(
        client_order_id=name,
        request_id="r",
        idempotency_key="k",
        attempt=1,
        fingerprint="f",
        leg=0,
        platform=Platform.KALSHI,
        market_id="m",
        market_key="M",
        side=leg.side,
        action=leg.action,
        quantity=_micro(leg.quantity) + filled,
        filled=filled,
        limit_price=_micro(leg.price),
        time_in_force=TimeInForce.GTC,
        created_ns=0,
        strategy="s",
        sport="NBA",
    )


prices = st.integers(1, 19).map(lambda step: Fraction(step, 20))


@st.composite
def states(draw: st.DrawFn) -> State:
    """Draw a market: positions, one-sided where they net, and one to three orders that may be."""
    is_netting = draw(st.booleans())
    held: Held = {Side.YES: (Fraction(0), Fraction(0)), Side.NO: (Fraction(0), Fraction(0))}
    for side in (draw(st.sampled_from(Side)),) if is_netting else Side:
        quantity = Fraction(draw(st.integers(0, 4)))
        held[side] = quantity, quantity * draw(prices)
    legs: list[Leg] = []
    for _ in range(draw(st.integers(1, 3))):
        side = draw(st.sampled_from(Side))
        sold = sum(leg.quantity for leg in legs if (leg.side, leg.action) == (side, Action.SELL))
        left = held[side][0] - sold
        action = Action.BUY if left < 1 else draw(st.sampled_from(Action))
        most = 4 if action is Action.BUY else int(left)
        quantity = Fraction(draw(st.integers(1, most)))
        legs.append(Leg(side, action, quantity, draw(prices)))
    return State(is_netting, held, tuple(legs))


@settings(max_examples=150)
@given(states())
def test_no_future_is_worse_and_one_is_as_bad(state: State) -> None:
    """Whatever fills, in whatever order, at its limit or better, the bound holds, and is exact."""
    worst = max(future.formula for future in futures(state))
    assert Fraction(bound(state), MICRO) == worst


@given(states())
def test_the_bound_never_rises_by_itself(state: State) -> None:
    """No fill and no cancel takes the worst case up: only an approval can."""
    before = bound(state)
    # Thirds of a cent are rounded against us, once a fill.
    assert all(bound(future) <= before + 4 for future in futures(state, halves=0))


@given(states())
def test_a_candidate_counts_as_if_it_were_open(state: State) -> None:
    """What an approval will make of the worst case is known before it."""
    assert bound(state, with_candidate=True) == bound(state)


def _state(
    is_netting: bool,
    yes: tuple[int, int],
    no: tuple[int, int],
    *legs: tuple[Side, Action, int, int],
) -> State:
    """Return a state in contracts and cents."""
    return State(
        is_netting,
        {
            side: (Fraction(quantity), Fraction(quantity * cents, 100))
            for side, (quantity, cents) in ((Side.YES, yes), (Side.NO, no))
        },
        tuple(
            Leg(side, action, Fraction(quantity), Fraction(cents, 100))
            for side, action, quantity, cents in legs
        ),
    )


YES, NO, BUY, SELL = Side.YES, Side.NO, Action.BUY, Action.SELL


@pytest.mark.parametrize(
    ("state", "formula", "ahead"),
    [
        # Nothing held: the formula is all there is.
        (_state(True, (0, 0), (0, 0), (YES, BUY, 100, 60), (NO, BUY, 100, 30)), 60, 60),
        # Closing at a profit, and nothing else: what was paid stays the worst.
        (_state(True, (100, 30), (0, 0), (NO, BUY, 100, 40)), 30, 30),
        (_state(False, (100, 30), (0, 0), (YES, SELL, 100, 60)), 30, 30),
        # Turning around at a profit: the new side costs 80, the profit is gone by then.
        (_state(True, (100, 10), (0, 0), (NO, BUY, 300, 40)), 30, 80),
        (_state(True, (0, 0), (100, 10), (YES, BUY, 300, 40)), 30, 80),
        # Twice on the way: the cheaper one closes first, whatever came first.
        (_state(True, (100, 5), (0, 0), (NO, BUY, 100, 60), (NO, BUY, 100, 40)), 5, 60),
        # At a loss the formula is the worst: what is lost is still to come.
        (_state(True, (100, 90), (0, 0), (NO, BUY, 300, 40)), 110, 110),
        # A hedge of both sides, one of them sold at a profit.
        (_state(False, (100, 10), (100, 40), (YES, SELL, 100, 60)), -10, 40),
        (_state(False, (100, 40), (100, 10), (NO, SELL, 100, 60)), -10, 40),
        # At a loss: nothing is gained that could be gone.
        (_state(False, (100, 40), (100, 10), (YES, SELL, 100, 20)), 30, 30),
        # Part of it.
        (_state(False, (100, 10), (100, 40), (YES, SELL, 50, 60)), -30, -5),
        # Several, some above cost and some below.
        (_state(False, (100, 50), (100, 20), (YES, SELL, 50, 20), (YES, SELL, 50, 80)), 20, 35),
        # On a venue that does not net, a Buy of the other side closes nothing.
        (_state(False, (100, 10), (0, 0), (NO, BUY, 300, 40)), 30, 30),
    ],
)
def test_examples(state: State, formula: int, ahead: int) -> None:
    """What the formula says, and what may become of it."""
    assert state.formula == formula
    assert bound(state) == ahead * MICRO
    assert bound(state, with_candidate=True) == ahead * MICRO


def test_only_what_remains_of_an_order_can_close() -> None:
    """What was filled already is in the holding."""
    state = _state(False, (50, 10), (100, 40), (YES, SELL, 50, 60))
    assert bound(state) == 40 * MICRO
    assert bound(state, with_candidate=True) == 40 * MICRO


def test_what_an_order_may_close() -> None:
    """A Sell its own side at its price; a Buy the other one at what is left of a dollar."""
    assert close_of(YES, SELL, 600_000, 7, is_netting=True) == (YES, 600_000, 7)
    assert close_of(NO, SELL, 600_000, 7, is_netting=False) == (NO, 600_000, 7)
    assert close_of(NO, BUY, 400_000, 7, is_netting=True) == (YES, 600_000, 7)
    assert close_of(YES, BUY, 400_000, 7, is_netting=True) == (NO, 600_000, 7)
    assert close_of(YES, BUY, 400_000, 7, is_netting=False) is None


def test_an_order_that_filled_beyond_its_quantity_hides_no_other() -> None:
    """A venue may fill too much; what is left of the others still counts."""
    over = _order("over", Leg(YES, SELL, Fraction(1), Fraction(9, 10)), filled=MICRO)
    over.filled = over.quantity + MICRO
    other = _order("other", Leg(YES, SELL, Fraction(100), Fraction(3, 5)))
    market = Market(
        listing=Listing(platform="Polymarket", market_id="m", market_key="M", is_netting=False),
        sport="NBA",
        game_id="g",
        yes=OutcomeHolding(100 * MICRO, 10 * MICRO),
        no=OutcomeHolding(100 * MICRO, 40 * MICRO),
        loss_yes=40 * MICRO,
        orders=["over", "other"],
    )
    assert worst_ahead(market, {"over": over, "other": other}) == 40 * MICRO
