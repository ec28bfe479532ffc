"""P3 on the core itself: whatever is asked and whatever fills, no exposure leaves its limit."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from arbees.core.book.apply import apply
from arbees.core.book.book import Book
from arbees.core.book.market import Market
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.outcomes import Fill, OrderClosed
from arbees.core.events import OrderApproved
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Mode,
    Platform,
    Side,
    TimeInForce,
)
from arbees.safeguards.game_exposure import GameExposure
from arbees.safeguards.holding import Holding
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.sport_exposure import SportExposure
from arbees.safeguards.total_exposure import TotalExposure
from tests.safeguards.build import (
    BUFFER,
    KALSHI,
    NO_TOKEN,
    NOW,
    TERMS,
    YES_TOKEN,
    book_with,
    facts,
    listing,
    market,
    polymarket,
    request,
)

MARKET, GAME, SPORT, TOTAL = 20 * MICRO, 30 * MICRO, 40 * MICRO, 45 * MICRO
DUST = 100
"""Average cost is rounded against us at each close: at most a micro-dollar a fill."""
RULES = commands.Rules(
    mode=Mode.PAPER,
    account="main",
    environment="test",
    safeguards=(
        Holding(),
        MarketExposure(MARKET),
        GameExposure(GAME),
        SportExposure(SPORT),
        TotalExposure(TOTAL),
    ),
    terms=TERMS,
    balance_buffer=BUFFER,
)
OTHER = "KXNFLGAME-26JAN28PHITEN-PHI"
PLACES = {
    KALSHI: Platform.KALSHI,
    OTHER: Platform.KALSHI,
    YES_TOKEN: Platform.POLYMARKET,
    NO_TOKEN: Platform.POLYMARKET,
}

steps = st.integers(1, 19).map(lambda step: step * 50_000)


class Evening(RuleBasedStateMachine):
    """Orders, fills in any order and size at the limit or better, and cancels."""

    def __init__(self) -> None:
        """Begin flat, in two markets of one game and one of another sport without a game."""
        super().__init__()
        self.book: Book = book_with(
            market(),
            market(polymarket()),
            market(listing(market_id=OTHER, market_key=OTHER, sport="NFL", game_id=None)),
        )
        self.count = 0

    def take(self, command: commands.Command) -> commands.Decision:
        """Decide a command and apply what it decided."""
        decision = decide(self.book, facts(), command, RULES)
        for event in decision.events:
            apply(self.book, event, self.book.sequence + 1, NOW)
        return decision

    @rule(
        market_id=st.sampled_from(sorted(PLACES)),
        side=st.sampled_from(Side),
        action=st.sampled_from(Action),
        size=st.integers(1, 60),
        price=steps,
    )
    def submit(self, market_id: str, side: Side, action: Action, size: int, price: int) -> None:
        """Ask for anything."""
        self.count += 1
        asked: dict[str, Any] = {
            "request_id": f"r-{self.count}",
            "idempotency_key": f"k-{self.count}",
            "platform": PLACES[market_id],
            "market_id": market_id,
            "side": side,
            "action": action,
            "size": size * MICRO,
            "limit_price": price,
            "time_in_force": TimeInForce.GTC,
        }
        before = len(self.book.orders)
        decision = self.take(commands.Submit(request=request(**asked), received_ns=NOW))
        approved = [event for event in decision.events if isinstance(event, OrderApproved)]
        assert len(self.book.orders) == before + len(approved)

    @rule(pick=st.integers(0, 99), part=st.sampled_from([1, 2, 3]), better=st.booleans())
    def fill(self, pick: int, part: int, better: bool) -> None:
        """Fill an open order, wholly or in part, at its limit or at the best price there is."""
        if not self.book.orders:
            return
        order = list(self.book.orders.values())[pick % len(self.book.orders)]
        price = order.limit_price
        if better:
            price = 10_000 if order.action is Action.BUY else 990_000
        self.count += 1
        fill = Fill(
            client_order_id=order.client_order_id,
            trade_id=f"t-{self.count}",
            quantity=max(1, order.remaining // part),
            price=price,
            fee=0,
            is_maker=True,
            time_ns=NOW,
        )
        self.take(commands.TakeFill(fill=fill))

    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        """End an open order."""
        if not self.book.orders:
            return
        order = list(self.book.orders.values())[pick % len(self.book.orders)]
        closed = OrderClosed(
            client_order_id=order.client_order_id,
            closed="cancelled",
            reason="asked for",
            time_ns=NOW,
            filled=order.filled,
        )
        self.take(commands.TakeClosed(closed=closed))
        assert order.client_order_id not in self.book.orders

    def worst(self, each: Market) -> int:
        """Return the design's formula for a market, from what is held and open."""
        losses = {Side.YES: 0, Side.NO: 0}
        for name in each.orders:
            order = self.book.orders[name]
            paid = order.limit_price * order.remaining // MICRO
            if order.action is Action.BUY:
                losses[order.side.opposite] += paid
            else:
                losses[order.side] += order.remaining - paid
        cost = each.yes.cost + each.no.cost
        return max(cost - each.holding(side).quantity + losses[side] for side in Side)

    @invariant()
    def limits_hold(self) -> None:
        """Market, game, sport and account are inside, by arithmetic of this test's own."""
        worst = {key: self.worst(each) for key, each in self.book.markets.items()}
        assert max(worst.values()) <= MARKET + DUST
        nba = worst[KALSHI] + worst["0xc0ffee"]
        assert nba <= GAME + DUST
        assert worst[OTHER] <= SPORT + DUST
        assert sum(worst.values()) <= TOTAL + DUST

    @invariant()
    def sums_agree(self) -> None:
        """What the book adds up is what its markets say, and no less than the formula."""
        markets = list(self.book.markets.values())
        assert all(each.worst >= self.worst(each) for each in markets)
        assert self.book.total_worst == sum(each.worst for each in markets)
        for sums, name in ((self.book.sport_worst, "sport"), (self.book.game_worst, "game_id")):
            found: dict[str, int] = {}
            for each in markets:
                key = getattr(each, name)
                found[key] = found.get(key, 0) + each.worst
            assert {key: found.get(key, 0) for key in sums} == sums
            assert all(key in sums for key, value in found.items() if value)


Evening.TestCase.settings = settings(max_examples=120, stateful_step_count=40)
TestEvening = Evening.TestCase
