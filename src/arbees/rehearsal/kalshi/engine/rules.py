"""What a simulated Kalshi is made of: markets, orders, fills, accounts; amounts in millionths.

Guarantees that money moves as Kalshi documents it: one signed position a market, closing before
opening; a taker fee of 0.07 x C x P x (1 - P), rounded up to a millionth of a dollar; the balance
on a grid of $0.0001, the difference kept for each order and given back in whole steps of the grid.

Source: Kalshi's pages on fees and fee rounding; OpenAPI 3.34.
"""

from enum import StrEnum
from typing import Any

import msgspec

from arbees.core.language.units import (
    MICRO,
    NS_PER_SECOND,
    div_ceil,
    mul_floor,
)

MAKER = "maker"
"""Who owns what nobody placed: the book that was fed or made."""
OWNER = "trader"
"""The one account that has a key."""
CENT = 10_000
"""Micro-dollars."""
GRID = 100
"""Micro-dollars: the balance of a direct member moves in steps of $0.0001."""
TAKER_RATE = 70_000
SHARDS = (0, 1, 2, 3)
COUNT_STEP = 10_000
"""Micro-contracts: hundredths of a contract."""
GROUP_WINDOW_NS = 15 * NS_PER_SECOND
CANCEL_ALL_REACH_NS = 60 * NS_PER_SECOND
"""For this long after a cancel-all, orders that come in may be cancelled too."""


def part_of(user: str, subaccount: int) -> str:
    """Return the name of a subaccount of somebody; 0 is the primary one."""
    return f"{user}/{subaccount}" if subaccount else user


def user_of(owner: str) -> str:
    """Return whose an account is."""
    return owner.partition("/")[0]


def subaccount_of(owner: str) -> int:
    """Return the number of a subaccount."""
    return int(owner.partition("/")[2] or 0)


class Status(StrEnum):
    """State of an order."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


class ExchangeRefusal(Exception):  # noqa: N818 - an answer of the exchange, not a fault of ours
    """
    The exchange says no.

    Attributes:
        status: of HTTP.
        code: `error.code`.
        details: what it adds, or nothing.
    """

    def __init__(self, status: int, code: str, details: str = "") -> None:
        """Keep the parts of the answer."""
        self.status = status
        self.code = code
        self.details = details
        super().__init__(f"{status} {code} {details}".rstrip())


class TickRange(msgspec.Struct, frozen=True):
    """The tick from `start` to `end`, in micro-dollars."""

    start: int
    end: int
    step: int


class ExchangeMarket(msgspec.Struct, kw_only=True):
    """A market and its book."""

    ticker: str
    event_ticker: str
    series_ticker: str
    shard: int = 0
    status: str = "active"
    result: str = ""
    open_ns: int = 0
    close_ns: int = 0
    updated_ns: int = 0
    """When its facts changed last."""
    determined_ns: int = 0
    settled_ns: int = 0
    payout: int | None = None
    """Of Yes, in micro-dollars, once it is determined."""
    last_price: int = 0
    """Of Yes, of the last trade; 0 = none yet."""
    waived_until_ns: int = 0
    """`fee_waiver_expiration_time`."""
    is_steered: bool = False
    """Its status was set by hand: quotes change it no more."""
    odd: dict[str, Any] = {}
    """Fields of its row that are made something else, for whoever reads it."""
    is_archived: bool = False
    """Put away some time after its settlement: no stream tells of it any more."""
    ranges: tuple[TickRange, ...] = (TickRange(0, MICRO, 10_000),)
    bids: list["ExchangeOrder"] = []
    """Resting bids for Yes, best first; among equals the oldest."""
    asks: list["ExchangeOrder"] = []

    def is_on_grid(self, price: int) -> bool:
        """Tell whether a price of Yes lies on a tick."""
        return any(
            each.start <= price <= each.end and (price - each.start) % each.step == 0
            for each in self.ranges
        )

    @property
    def event(self) -> str:
        """The event that it belongs to."""
        return self.event_ticker

    @property
    def structure(self) -> str:
        """The venue's label of its ticks, by which nobody should go."""
        return "linear_cent" if self.ranges[0].step == 10_000 else "deci_cent"


class ExchangeOrder(msgspec.Struct, kw_only=True, eq=False):
    """One order; prices are those of Yes."""

    order_id: str
    owner: str
    client_order_id: str
    ticker: str
    is_bid: bool
    price: int
    count: int
    time_in_force: str
    created_ns: int
    updated_ns: int
    status: Status = Status.RESTING
    filled: int = 0
    reason: str = ""
    """`last_update_reason`."""
    is_nameless: bool = False
    """Of another program: lists have null for its client order id."""
    initial: int = 0
    """What it began with, once it was decreased or amended."""
    expires_ns: int | None = None
    group_id: str | None = None
    stp: str = "taker_at_cross"
    cancels_on_pause: bool = False
    reduce_only: bool = False
    post_only: bool = False
    taker_cost: int = 0
    maker_cost: int = 0
    taker_fees: int = 0
    maker_fees: int = 0
    rest: int = 0
    """What rounding kept of it so far, in micro-dollars."""

    @property
    def remaining(self) -> int:
        """What still works."""
        return self.count - self.filled if self.status is Status.RESTING else 0

    def held_of(self, account: "ExchangeAccount") -> int:
        """Return what it holds of the cash: what it would open, at its own price."""
        held = account.positions.get(self.ticker, 0)
        left = self.count - self.filled
        opens = max(0, left - max(0, -held if self.is_bid else held))
        pays = self.price if self.is_bid else MICRO - self.price
        return -(-pays * opens // MICRO)

    def trade(self, count: int, price: int, fee: int, *, is_taker: bool) -> None:
        """Count the cost and the fee of a trade of its."""
        cost = -(-(price if self.is_bid else MICRO - price) * count // MICRO)
        if is_taker:
            self.taker_cost += cost
            self.taker_fees += fee
        else:
            self.maker_cost += cost
            self.maker_fees += fee


class ExchangeFill(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a trade."""

    trade_id: str
    order_id: str
    client_order_id: str
    owner: str
    ticker: str
    is_bid: bool
    count: int
    price: int
    fee: int
    is_taker: bool
    time_ns: int
    position: int
    """After it."""


class ExchangeSettlement(msgspec.Struct, kw_only=True):
    """What somebody held of a market when it settled, and what it paid."""

    time_ns: int
    owner: str
    ticker: str
    held: int
    """> 0 = Yes."""
    cost: int
    payout: int
    """Of a contract of Yes, in micro-dollars: whole cents."""
    fee: int = 0

    @property
    def revenue(self) -> int:
        """What it paid, in micro-dollars: whole cents."""
        each = self.payout if self.held > 0 else MICRO - self.payout
        return mul_floor(abs(self.held), each) // CENT * CENT


class ExchangeChange(msgspec.Struct, frozen=True):
    """Something that a stream tells: a channel, and what."""

    channel: str
    owner: str
    about: Any


class ExchangeGroup(msgspec.Struct, kw_only=True):
    """An order group: a limit on contracts matched within 15 seconds."""

    group_id: str
    owner: str
    limit: int
    shard: int = 0
    made_ns: int = 0
    is_triggered: bool = False
    matched: list[tuple[int, int]] = []

    def within(self, now_ns: int) -> int:
        """Return what was matched within the window."""
        self.matched = [each for each in self.matched if each[0] > now_ns - GROUP_WINDOW_NS]
        return sum(count for _, count in self.matched)


class ExchangeAccount(msgspec.Struct, kw_only=True):
    """Somebody's money and positions."""

    owner: str
    cash: dict[int, int] = {}
    """By shard; what rests is not taken off here."""
    positions: dict[str, int] = {}
    """By ticker: > 0 = Yes."""
    costs: dict[str, int] = {}
    """What the position cost, by ticker."""
    realized: dict[str, int] = {}
    fees: dict[str, int] = {}
    traded: dict[str, int] = {}
    updated_ns: dict[str, int] = {}
    returned: dict[str, int] = {}
    """Collateral that events gave back, by event."""
    client_order_ids: set[str] = set()
    """All that were ever used."""


def trade_fee(count: int, price: int, rate: int = TAKER_RATE) -> int:
    """Return rate x C x P x (1 - P), rounded up to a micro-dollar."""
    return div_ceil(rate * count * price * (MICRO - price), MICRO**3)


def move(  # noqa: PLR0917 - the numbers of one trade
    account: ExchangeAccount, order: ExchangeOrder, count: int, price: int, shard: int, rate: int
) -> int:
    """
    Move money and position of one side of a trade.

    Args:
        account: that trades.
        order: that trades; keeps what rounding took.
        count: micro-contracts.
        price: of Yes.
        shard: whose cash it is.
        rate: of the fee, in millionths of C x P x (1 - P).

    Returns:
        The fee as the balance paid it, in micro-dollars: never less than nothing.
    """
    ticker = order.ticker
    held = account.positions.get(ticker, 0)
    pays = price if order.is_bid else MICRO - price
    closes = min(count, max(0, -held if order.is_bid else held))
    opens = count - closes
    fee = trade_fee(count, price, rate)
    revenue = mul_floor(MICRO - pays, closes) - -(-pays * opens // MICRO)
    exact = revenue - fee
    moved = exact // GRID * GRID
    order.rest += exact - moved
    back = min(order.rest, revenue - moved) // GRID * GRID
    order.rest -= back
    moved += back
    account.cash[shard] = account.cash.get(shard, 0) + moved
    account.positions[ticker] = held + (count if order.is_bid else -count)
    _keep_cost(account, ticker, held, closes, opens, pays)
    account.traded[ticker] = account.traded.get(ticker, 0) + -(-pays * count // MICRO)
    account.fees[ticker] = account.fees.get(ticker, 0) + revenue - moved
    return revenue - moved


def _keep_cost(  # noqa: PLR0917 - the numbers of one trade
    account: ExchangeAccount, ticker: str, held: int, closes: int, opens: int, pays: int
) -> None:
    cost = account.costs.get(ticker, 0)
    if closes:
        removed = cost * closes // abs(held)
        gained = mul_floor(MICRO - pays, closes) - removed
        account.realized[ticker] = account.realized.get(ticker, 0) + gained
        cost -= removed
    account.costs[ticker] = cost + -(-pays * opens // MICRO)
