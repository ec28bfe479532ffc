"""The paper exchange against a slow, obvious one: any mix of calls, compared after each."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    Filled,
    OrderClosed,
    Refused,
)
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.venues.paper import PaperExchange
from arbees.venues.paper.book import PaperBook
from tests.venues.paper import oracle
from tests.venues.paper.rig import (
    OTHER_TOKEN,
    POLYMARKET,
    START_NS,
    TICKER,
    TOKEN,
    HandClock,
    make_order,
    make_quote,
    passes,
    settlement,
)

CASH = 15


class Feed(Struct, frozen=True):
    """A quote: prices in cents with whole contracts, best first."""

    platform: Platform
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    is_open: bool
    is_opposite: bool


class Send(Struct, frozen=True):
    """An order of whole contracts at a price in cents."""

    name: str
    platform: Platform
    is_opposite: bool
    side: Side
    action: Action
    size: int
    price: int
    kind: TimeInForce
    seconds: int


class Cancel(Struct, frozen=True):
    """A cancel of whatever has the name."""

    name: str


class Settle(Struct, frozen=True):
    """A settlement of the first outcome."""

    platform: Platform
    result: Side


class Wait(Struct, frozen=True):
    """Time passes; the driver calls for what is due or not."""

    seconds: int
    does_tick: bool


PLATFORMS = st.sampled_from(Platform)
NAMES = st.sampled_from([f"o{number}" for number in range(100)])


@st.composite
def feeds(draw: st.DrawFn) -> Feed:
    """Draw a quote that does not cross itself."""
    prices = sorted(draw(st.sets(st.integers(46, 54), max_size=5)))
    cut = draw(st.integers(0, len(prices)))
    sizes = [draw(st.integers(1, 5)) for _ in prices]
    priced = list(zip(prices, sizes, strict=True))
    return Feed(
        draw(PLATFORMS),
        priced[:cut][::-1],
        priced[cut:],
        draw(st.integers(0, 9)) > 0,
        draw(st.booleans()),
    )


SENDS = st.builds(
    Send,
    name=NAMES,
    platform=PLATFORMS,
    is_opposite=st.booleans(),
    side=st.sampled_from(Side),
    action=st.sampled_from([Action.BUY, Action.BUY, Action.SELL]),
    size=st.integers(1, 9),
    price=st.integers(45, 55),
    kind=st.sampled_from(TimeInForce),
    seconds=st.integers(0, 6),
)
OPENING = [Feed(platform, [(48, 5)], [(52, 5)], True, False) for platform in Platform]
"""Both markets are known before anything else, by their first outcome."""
OTHERS = (
    (6, feeds()),
    (3, st.builds(Cancel, NAMES)),
    (2, st.builds(Wait, st.integers(0, 4), st.booleans())),
)
SETTLES = st.builds(Settle, PLATFORMS, st.sampled_from(Side))


@st.composite
def evenings(draw: st.DrawFn) -> list[object]:
    """Draw mostly orders, some quotes, a few other things, and settlements towards the end."""
    calls: list[object] = list(OPENING)
    for number in range(draw(st.integers(20, 60))):
        kind = draw(st.integers(0, 39))
        if kind == 0 and number > 30:
            calls.append(draw(SETTLES))
            continue
        chosen: st.SearchStrategy[object] = SENDS
        for weight, strategy in OTHERS:
            if 0 <= kind < weight:
                chosen = strategy
            kind -= weight
        calls.append(draw(chosen))
    return calls


class Both:
    """The real exchange and the obvious one, driven by the same calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.clock = HandClock()
        self.book = PaperBook(
            ":memory:", owner="", starting_balance=CASH * MICRO, now_ns=self.clock.now_ns()
        )
        self.exchange = PaperExchange(self.book, clock=self.clock, is_inline=True)
        self.markets = {p: oracle.Market(p, Fraction(CASH)) for p in Platform}
        self.made: dict[Platform, list[tuple[str, Fraction, int]]] = {p: [] for p in Platform}
        self.ended: dict[Platform, list[tuple[str, str]]] = {p: [] for p in Platform}
        self.spent: set[str] = set()
        for platform in Platform:
            self.exchange.venue(platform).listen(
                lambda report, platform=platform: self.hear(platform, report)  # type: ignore[misc]
            )

    def hear(self, platform: Platform, report: object) -> None:
        """Note what the stream says of orders that rested."""
        if isinstance(report, OrderClosed):
            self.ended[platform].append((report.client_order_id, report.closed))
        if isinstance(report, Filled) and report.fill.is_maker:
            assert report.fill.fee == 0
            fill = report.fill
            count = fill.quantity // MICRO
            self.made[platform].append((fill.client_order_id, Fraction(fill.price, MICRO), count))

    def call(self, call: object) -> None:
        """Make one call on both and compare the answer."""
        now = self.clock.now_ns()
        for market in self.markets.values():
            if not isinstance(call, Wait):
                market.expire(now)
        match call:
            case Feed():
                self.feed(call)
            case Send():
                self.send(call, now)
            case Cancel():
                self.cancel(call)
            case Settle():
                market_id = TICKER if call.platform is not POLYMARKET else TOKEN
                self.exchange.settle(
                    settlement(call.result, platform=call.platform, market_id=market_id)
                )
                self.markets[call.platform].settle(call.result)
            case Wait():
                self.clock.advance(call.seconds)
                if call.does_tick:
                    self.exchange.tick(self.clock.now_ns())
                    for market in self.markets.values():
                        market.expire(self.clock.now_ns())
        self.loop.run_until_complete(asyncio.sleep(0))

    def feed(self, call: Feed) -> None:
        """Feed a quote; of Polymarket's opposite token, mirrored."""
        is_opposite = call.is_opposite and call.platform is POLYMARKET
        names = (OTHER_TOKEN, TOKEN) if is_opposite else (TOKEN, OTHER_TOKEN)
        bids, asks = call.bids, call.asks
        if is_opposite:
            bids, asks = [(100 - p, n) for p, n in asks], [(100 - p, n) for p, n in bids]
        is_poly = call.platform is POLYMARKET
        self.exchange.feed(
            make_quote(
                [(f"0.{price}", str(size)) for price, size in bids],
                [(f"0.{price}", str(size)) for price, size in asks],
                platform=call.platform,
                market_id=names[0] if is_poly else TICKER,
                condition_id="0xc0" if is_poly else None,
                opposite_token_id=names[1] if is_poly else None,
                status="open" if call.is_open else "closed",
                tick="0.01",
                lot="1",
            )
        )
        self.markets[call.platform].quote(
            [Fraction(price, 100) for price, size in call.bids for _ in range(size)],
            [Fraction(price, 100) for price, size in call.asks for _ in range(size)],
            is_open=call.is_open,
        )

    def send(self, call: Send, now: int) -> None:
        """Send an order; check a refusal's reason, or each fill of an acceptance."""
        market = self.markets[call.platform]
        is_poly = call.platform is POLYMARKET
        is_flipped = is_poly and call.is_opposite
        expires = now + call.seconds * NS_PER_SECOND if call.kind is TimeInForce.GTD else None
        order = make_order(
            call.name,
            platform=call.platform,
            market_id=(OTHER_TOKEN if is_flipped else TOKEN) if is_poly else TICKER,
            side=call.side,
            action=call.action,
            size=str(call.size),
            price=f"0.{call.price}",
            time_in_force=call.kind,
            expires_ns=expires,
        )
        outcome = self.loop.run_until_complete(
            self.exchange.venue(call.platform).submit(order, passes)
        )
        side = call.side.opposite if is_flipped else call.side
        wanted = oracle.Resting(
            call.name, side, call.action, Fraction(call.price, 100), call.size, expires
        )
        if isinstance(outcome, Refused):
            self.check_refusal(outcome.venue_code, market, wanted)
            return
        assert isinstance(outcome, Accepted)
        assert call.name not in self.spent
        assert market.is_known
        assert market.is_open
        self.spent.add(call.name)
        units, end = market.submit(wanted, call.kind, now)
        told = [
            Fraction(fill.price, MICRO)
            for fill in outcome.fills
            for _ in range(fill.quantity // MICRO)
        ]
        assert told == units
        assert len({fill.price for fill in outcome.fills}) == len(outcome.fills)
        assert (outcome.closed or "working") == end

    def check_refusal(self, code: str, market: oracle.Market, wanted: oracle.Resting) -> None:
        """A refusal must have its reason, and a lack of money must be one."""
        if code == "order_already_exists":
            assert wanted.name in self.spent
        elif code == "market_not_found":
            assert not market.is_known
        elif code == "market_inactive":
            assert not market.is_open
        elif code == "insufficient_position":
            assert wanted.action is Action.SELL
            assert wanted.left > market.held[wanted.side] - market.for_sale(wanted.side)
        else:
            assert code == "insufficient_balance"
            costs = wanted.price * wanted.left if wanted.action is Action.BUY else Fraction(0)
            sold = wanted.left if wanted.action is Action.SELL else 0
            most = costs + Fraction(7 * wanted.left, 400) + Fraction(1, 100) + sold
            assert market.most_locked() + most > market.cash

    def cancel(self, call: Cancel) -> None:
        """Cancel at both venues; only the one where it works may have it."""
        for platform, market in self.markets.items():
            venue = self.exchange.venue(platform)
            answer = self.loop.run_until_complete(venue.cancel(call.name, None, TICKER))
            works = [order for order in market.resting if order.name == call.name]
            assert isinstance(answer, CancelAccepted) == bool(works)
            for order in works:
                assert isinstance(answer, CancelAccepted)
                assert answer.quantity == order.left * MICRO
                market.resting.remove(order)
                market.ended.append((order.name, "cancelled"))

    def compare(self) -> None:
        """Positions, money, working orders, the stream, and the book as a restart would see it."""
        state = self.exchange._engine.state
        for platform, market in self.markets.items():
            account = state.accounts[platform]
            assert Fraction(account.cash, MICRO) == market.cash
            assert 0 <= account.locked <= account.cash
            held = {Side.YES: 0, Side.NO: 0}
            for (where, _), known in state.markets.items():
                if where is platform:
                    held = {side: known.held(side) // MICRO for side in Side}
                    assert all(known.selling(side) <= known.held(side) for side in Side)
            assert held == market.held
            assert min(held.values()) >= 0
            assert platform is POLYMARKET or min(held.values()) == 0
            working = [o for o in state.working.values() if o.platform is platform]
            assert [(o.client_order_id, o.remaining // MICRO) for o in working] == [
                (o.name, o.left) for o in market.resting
            ]
            assert self.made[platform] == market.made
            assert sorted(self.ended[platform]) == sorted(market.ended)
        restarted = self.book.load()
        for known in state.markets.values():
            twin = restarted.markets[known.platform, known.key]
            assert (twin.held(Side.YES), twin.held(Side.NO)) == (known.yes, known.no)
            assert list(twin.working.values()) == list(known.working.values())
            assert (twin.is_open, twin.payouts) == (known.is_open, known.payouts)
        assert restarted.names.keys() == state.names.keys()
        assert restarted.sequence == state.sequence
        for platform, account in state.accounts.items():
            assert restarted.accounts[platform].cash == account.cash


@contextmanager
def both() -> Iterator[Both]:
    """Begin both exchanges on a loop of their own."""
    loop = asyncio.new_event_loop()
    pair = Both(loop)
    try:
        yield pair
    finally:
        loop.run_until_complete(pair.exchange.close())
        loop.close()


@settings(max_examples=150)
@given(evenings())
def test_it_does_what_the_obvious_one_does(calls: list[object]) -> None:
    """Fills, fees, cash, positions, expiries, reports and the book agree after each call."""
    with both() as pair:
        for call in calls:
            pair.call(call)
            pair.compare()


def test_the_clock_of_the_model_is_the_rigs() -> None:
    """Both exchanges begin at the same moment, so that expiries mean the same to both."""
    with both() as pair:
        assert pair.clock.now_ns() == START_NS
