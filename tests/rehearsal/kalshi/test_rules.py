"""Fees, rounding and money of the simulated Kalshi, against slow and plain arithmetic."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from arbees.core.language.units import MICRO
from arbees.rehearsal.kalshi.engine.rules import (
    GRID,
    TAKER_RATE,
    ExchangeAccount,
    ExchangeOrder,
    ExchangeRefusal,
    Status,
    move,
    trade_fee,
)
from tests.rehearsal.kalshi.stand import TICKER, Stand

PRICES = st.integers(1, 9_999).map(lambda steps: steps * 100)
COUNTS = st.integers(1, 500_000).map(lambda steps: steps * 10_000)
STEP = Decimal("0.0001")


def slow_fee(count: int, price: int) -> Decimal:
    """Return 0.07 x C x P x (1 - P) in dollars, rounded up to a millionth."""
    contracts, dollars = Decimal(count) / MICRO, Decimal(price) / MICRO
    exact = Decimal("0.07") * contracts * dollars * (1 - dollars)
    return exact.quantize(Decimal("0.000001"), ROUND_CEILING)


class Slow:
    """An account and one order's rounding, in dollars."""

    def __init__(self) -> None:
        self.cash = self.position = self.kept = Decimal(0)

    def trade(self, count: int, price: int, *, is_bid: bool, is_taker: bool) -> Decimal:
        """Move money for one fill; return the fee that was paid."""
        contracts, yes = Decimal(count) / MICRO, Decimal(price) / MICRO
        pays = yes if is_bid else 1 - yes
        against = -self.position if is_bid else self.position
        closes = min(contracts, max(Decimal(0), against))
        revenue = closes * (1 - pays) - (contracts - closes) * pays
        fee = slow_fee(count, price) if is_taker else Decimal(0)
        moved = (revenue - fee).quantize(STEP, ROUND_FLOOR)
        self.kept += revenue - fee - moved
        back = min(self.kept, revenue - moved).quantize(STEP, ROUND_FLOOR)
        self.kept -= back
        self.cash += moved + back
        self.position += contracts if is_bid else -contracts
        return revenue - moved - back


def test_recorded_fees() -> None:
    """Fees as recorded: one contract at $0.52 and at $0.99, three at $0.40."""
    assert trade_fee(MICRO, 520_000) == 17_472
    assert trade_fee(MICRO, 990_000) == 693
    account, order = _empty()
    assert move(account, order, MICRO, 520_000, 0, TAKER_RATE) == 17_500
    assert move(account, _empty()[1], MICRO, 990_000, 0, TAKER_RATE) == 700


def _empty(*, is_bid: bool = True) -> tuple[ExchangeAccount, ExchangeOrder]:
    stand = Stand()
    account = stand.exchange.account("ann")
    account.cash = {0: 0}
    return account, stand.make("ann", 40, sells=not is_bid)


@given(COUNTS, PRICES)
def test_a_fee_is_rounded_up_to_a_millionth(count: int, price: int) -> None:
    """Exactly what decimals say, for every count and price; the same for Yes and No."""
    assert trade_fee(count, price) == slow_fee(count, price) * MICRO
    assert trade_fee(count, price) == trade_fee(count, MICRO - price)


@settings(max_examples=60, deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(COUNTS, PRICES, st.booleans()), min_size=1, max_size=8),
)
def test_a_balance_moves_on_its_grid(is_bid: bool, trades: list[tuple[int, int, bool]]) -> None:
    """Cash, position, fee and what rounding keeps are those of slow arithmetic, fill by fill."""
    account, order = _empty(is_bid=is_bid)
    slow = Slow()
    for count, price, is_taker in trades:
        fee = move(account, order, count, price, 0, TAKER_RATE if is_taker else 0)
        assert fee == slow.trade(count, price, is_bid=is_bid, is_taker=is_taker) * MICRO
        assert fee >= 0
        assert account.cash[0] == slow.cash * MICRO
        assert account.cash[0] % GRID == 0
        assert account.positions[TICKER] == slow.position * MICRO
        assert order.rest == slow.kept * MICRO
    exact = sum(slow_fee(count, price) for count, price, is_taker in trades if is_taker)
    assert account.fees[TICKER] == exact * MICRO + order.rest
    assert order.rest >= 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("ann", "bob")),
        st.booleans(),
        st.integers(1, 99),
        st.integers(1, 3_000),
        st.sampled_from(("good_till_canceled", "immediate_or_cancel", "fill_or_kill")),
        st.sampled_from(("taker_at_cross", "maker")),
        st.integers(0, 5),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from(("yes", "no")))
def test_no_dollar_is_made_or_lost(
    steps: list[tuple[str, bool, int, int, str, str, int]], result: str
) -> None:
    """Whatever two traders do, all cash at the end is that of the start less the fees."""
    stand = Stand()
    exchange = stand.exchange
    for owner, sells, cents, hundredths, tif, stp, cancels in steps:
        try:
            placed = stand.place(owner, cents, hundredths / 100, sells=sells, tif=tif, stp=stp)
            if not cancels and placed.status is Status.RESTING:
                exchange.cancel(owner, placed.order_id)
        except ExchangeRefusal:
            continue
        held = [exchange.account(each).positions.get(TICKER, 0) for each in ("ann", "bob")]
        assert sum(held) == 0
        book = [*stand.market.bids, *stand.market.asks]
        assert sorted(o.order_id for o in book) == sorted(
            o.order_id for each in ("ann", "bob") for o in exchange.resting(each)
        )
        if stand.market.bids and stand.market.asks:
            assert stand.market.bids[0].price < stand.market.asks[0].price
    exchange.settle(TICKER, result)
    accounts = [exchange.account(each) for each in ("ann", "bob")]
    cash = sum(each.cash[3] for each in accounts)
    fees = sum(each.fees.get(TICKER, 0) for each in accounts)
    assert cash == 200 * MICRO - fees
    assert fees == sum(fill.fee for fill in exchange.fills)
    assert not exchange.resting("ann")
    assert not any(each.positions.get(TICKER) for each in accounts)
