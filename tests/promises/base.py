"""A desk of the core alone, the truth at its venues, and how commands get from one to the other."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
)

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.fees import fee_on_grid
from arbees.core.book.market import Listing
from arbees.core.deciding import commands
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.deciding.outcomes import PoolBalance
from arbees.core.language.codes import CODES, message
from arbees.core.language.request import Request
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Mode,
    Platform,
    Side,
    TradingState,
)
from arbees.settings import load
from arbees.venues.paper.terms import TERMS
from tests.promises import oracle
from tests.promises.pure import PureDesk, Truth

START_NS = parse_time("2026-01-28T20:30:00Z")
KALSHI, NFL = "KXNBAGAME-26JAN28BOSATL-BOS", "KXNFLGAME-26JAN28PHITEN-PHI"
CONDITION, YES_TOKEN, NO_TOKEN = "0xc0ffee", "1111", "2222"
PLACES = {
    KALSHI: Platform.KALSHI,
    NFL: Platform.KALSHI,
    YES_TOKEN: Platform.POLYMARKET,
    NO_TOKEN: Platform.POLYMARKET,
}
LIMITS = {
    "MAX_ORDER_SIZE": "7",
    "MAX_ORDER_CONTRACTS": "30",
    "MAX_POSITION_PER_MARKET": "9",
    "MAX_GAME_EXPOSURE": "13",
    "MAX_SPORT_EXPOSURE": "14",
    "MAX_TOTAL_EXPOSURE": "18",
    "MAX_ORDERS_PER_MINUTE": "60",
    "MAX_ORDERS_PER_HOUR": "120",
    "MAX_OPEN_ORDERS": "9",
    "MAX_DAILY_LOSS": "60",
    "MAX_PRICE_THROUGH_QUOTE": "0.5",
}
SETTINGS = load(LIMITS)
RULES = commands.Rules(
    mode=Mode.PAPER,
    account="main",
    environment="test",
    safeguards=SETTINGS.safeguards,
    terms=TERMS,
    balance_buffer=100_000,
)
CASH = 40 * MICRO
EVIDENCE = ("none by id", "none by list", "none by fills", "cash explained")
ENDS_UNKNOWN = (
    commands.TakeOutcome,
    commands.TakeFill,
    commands.TakeClosed,
    commands.TakeLookup,
    commands.TakeVenueOrder,
    commands.TakeCancel,
)
KINDS = (
    *("wait", "wait", "wait", "quote", "quote", "quote", "look_at_money", "look_at_money"),
    *("halt", "resume", "resume", "cancel_all", "open_day", "die", "die"),
)
SCOPES = ("all", "platform:Kalshi", "sport:NFL", f"market:{CONDITION}", "strategy:edge")

steps = st.integers(1, 19).map(lambda step: step * 50_000)
markets = st.sampled_from(sorted(PLACES))
sides = st.sampled_from(Side)


def listing_of(market_id: str) -> Listing:
    """Return the metadata of one of the machine's markets."""
    platform = PLACES[market_id]
    terms = TERMS[platform]
    is_token = platform is Platform.POLYMARKET
    return Listing(
        platform=platform,
        market_id=market_id,
        market_key=CONDITION if is_token else market_id,
        opposite_id=NO_TOKEN if is_token else None,
        sport="NFL" if market_id == NFL else "NBA",
        game_id=None if market_id == NFL else "BOS@ATL",
        is_netting=terms.is_netting,
        taker_rate=terms.taker_rate,
        fee_grid=terms.fee_grid,
    )


def make_request(  # noqa: PLR0917 - what a plain request consists of
    number: int, now_ns: int, market: str, side: Side, action: Action, size: int, price: int
) -> Request:
    """Return a plain request."""
    return Request(
        request_id=f"r{number}",
        idempotency_key=f"k{number}",
        platform=PLACES[market],
        market_id=market,
        side=side,
        action=action,
        size=size,
        limit_price=price,
        created_ns=now_ns,
        strategy="edge",
    )


class Base(RuleBasedStateMachine):
    """The desk, the truth at the venues, and how commands get from one to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = START_NS
        self.desk = PureDesk(RULES)
        self.asked: list[Request] = []
        self.truths: dict[str, Truth] = {}
        self.reports: list[commands.TakeFill | commands.TakeClosed] = []
        self.cancels: dict[str, None] = {}
        self.touches: dict[str, Touch] = {}
        self.cash = dict.fromkeys(Platform, CASH)
        self.halts: dict[tuple[str, str], TradingState] = {}
        self.figures: list[PoolBalance] = []
        self.has_lied = False
        self.seen = 0

    @property
    def book(self) -> Book:
        """The book of the desk."""
        return self.desk.book

    @initialize()
    def open(self) -> None:
        """Bind, start, open a day, see the markets and the money."""
        self.take(
            commands.Record(
                events=(events.Bound(account="main", environment="test", mode="paper"),)
            )
        )
        started = events.Started(version="1", settings_hash="h", settings={})
        self.take(commands.Record(events=(started,)))
        self.take(commands.OpenDay(day="2026-01-28", unrealized=0))
        for market_id in (KALSHI, NFL, YES_TOKEN):
            self.take(commands.ListMarket(listing=listing_of(market_id)))
        for platform in Platform:
            self.observe(platform)

    def facts(self, command: commands.Command) -> Facts:
        """Return the facts as a writer would gather them."""
        if not isinstance(command, commands.Submit):
            return Facts(now_ns=self.now_ns)
        request = command.request
        there = request if command.leg == 0 else request.alternates[command.leg - 1]
        found = self.book.market_of(there.platform, there.market_id)
        key = "" if found is None else found[0].listing.market_key
        pool = self.book.pools[there.platform]
        return Facts(
            now_ns=self.now_ns,
            touch=self.touches.get(key),
            unrealized=self.book.unrealized(
                {
                    name: (touch.bid, None if touch.ask is None else MICRO - touch.ask)
                    for name, touch in self.touches.items()
                }
            ),
            balance_ns=pool.as_of_ns,
        )

    def take(self, command: commands.Command) -> None:
        """Hand a command to the desk; what it sets off begins."""
        unknown = [name for name, each in self.book.orders.items() if each.status == "UNKNOWN"]
        effects = self.desk.take(command, self.facts(command))
        for name in unknown:
            order = self.book.orders.get(name)
            if order is None or order.status != "UNKNOWN":
                assert isinstance(command, ENDS_UNKNOWN), f"{command} ended an unknown (P7)"
        for effect in effects:
            if isinstance(effect, commands.SendOrder):
                before = self.truths.get(effect.order.client_order_id)
                if before is not None:
                    assert not before.is_placed, "a second order under one key (P2)"
                    assert not before.is_travelling, "sent again while the first may arrive (P2)"
                self.truths[effect.order.client_order_id] = Truth(effect.order)
            elif isinstance(effect, commands.CancelOrder):
                self.cancels[effect.client_order_id] = None
        self.look_at_new_events()

    def look_at_new_events(self) -> None:
        """Hold what was just decided against P4 and P9."""
        for _, _, event in self.desk.records[self.seen :]:
            if isinstance(event, events.OrderApproved):
                for (_, scope), state in self.halts.items():
                    if oracle.scope_covers(scope, event):
                        assert state is TradingState.REDUCING, f"approved while halted: {event}"
                        assert event.is_reducing, f"opens while reducing: {event}"
            elif isinstance(event, events.RequestDenied):
                assert event.findings, "a denial without a reason (P9)"
                for finding in event.findings:
                    known = CODES[finding.code]
                    assert finding.safeguard == known.safeguard
                    assert finding.observed is not None, f"{finding} says not what was observed"
                    if "{limit}" in known.message:
                        assert finding.limit is not None, f"{finding} names no limit"
                    assert "None" not in message(finding.code, finding.observed, finding.limit)
        self.seen = len(self.desk.records)

    def observe(self, platform: Platform) -> None:
        """Let the gateway see the venue's own figure of now."""
        self.take(commands.ObserveBalance(balance=self.figure(platform)))

    def figure(self, platform: Platform) -> PoolBalance:
        """Return the venue's own figure: what it locks for working orders is off."""
        locked = sum(
            truth.remaining * truth.order.limit_price // MICRO
            for truth in self.truths.values()
            if truth.is_working and truth.is_buy and truth.order.platform is platform
        )
        return PoolBalance(
            platform=platform,
            pool=str(platform),
            available=self.cash[platform] - locked,
            as_of_ns=self.now_ns,
        )

    def execute(self, truth: Truth, quantity: int, price: int) -> None:
        """Let the venue fill part of an order: its money moves, and its stream will say so."""
        order = truth.order
        listing = self.book.markets[order.market_key].listing
        fee = fee_on_grid(listing.taker_rate, quantity, price, listing.fee_grid)
        value = price * quantity // MICRO
        if truth.is_buy:
            self.cash[order.platform] += self.pairs(truth, quantity) - value - fee
        else:
            self.cash[order.platform] += value - fee
        self.now_ns += 1
        fill = truth.fill(quantity, price, fee, self.now_ns)
        self.reports.append(commands.TakeFill(fill=fill))

    def pairs(self, truth: Truth, quantity: int) -> int:
        """Return how many contracts of the other side a Buy closes where positions net."""
        order = truth.order
        if not self.book.markets[order.market_key].listing.is_netting:
            return 0
        held = dict.fromkeys(Side, 0)
        for fill, other in self.truth_fills():
            if other.market_key == order.market_key:
                _net(held, other.side, other.action, fill)
        return min(quantity, held[order.side.opposite])

    def truth_fills(self) -> list[tuple[Any, Any]]:
        """Return every fill there was at the venues, in order of time, with its order."""
        found = [
            (fill.time_ns, fill.quantity, truth.order)
            for truth in self.truths.values()
            for fill in truth.fills
        ]
        return [(quantity, order) for _, quantity, order in sorted(found, key=lambda f: f[0])]

    def pick(self, data: st.DataObject, found: list[Truth]) -> Truth:
        """Draw one of the orders."""
        return data.draw(st.sampled_from(found))

    def where(self, **wanted: bool) -> list[Truth]:
        """Return the orders that are as wanted."""
        return [
            truth
            for truth in self.truths.values()
            if all(getattr(truth, name) is value for name, value in wanted.items())
        ]


def _net(held: dict[Side, int], side: Side, action: Action, quantity: int) -> None:
    if action is Action.SELL:
        side, action = side.opposite, Action.BUY
    closed = min(quantity, held[side.opposite])
    held[side.opposite] -= closed
    held[side] += quantity - closed
