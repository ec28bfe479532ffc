"""The book: the fold of the journal. Positions, open orders, cash, windows, halts, the day's P&L.

Guarantees that it holds nothing that is not in the journal, and only what decisions need: closed
orders and spent keys live in the journal's own tables. `core.book.apply` is its only writer.
"""

from bisect import bisect_right

import msgspec

from arbees.core.book.api_keys import ApiKey
from arbees.core.book.market import Market, OutcomeHolding
from arbees.core.book.open_order import Order
from arbees.core.language.units import NS_PER_SECOND, mul_floor
from arbees.core.language.words import (
    SCOPE_ALL,
    Platform,
    Side,
    TradingState,
)

MINUTE_NS = 60 * NS_PER_SECOND
HOUR_NS = 3_600 * NS_PER_SECOND


class Pool(msgspec.Struct, kw_only=True):
    """Money of one pool of a venue."""

    platform: str
    available: int
    """The venue's own figure, in micro-dollars."""
    as_of_ns: int
    outside: int = 0
    """What of ours is not provably inside that figure: reserved by open orders, or just spent."""
    spent: list[tuple[int, int]] = []
    """(venue time, amount) of recent fills that the figure may not know yet."""


class Day(msgspec.Struct, kw_only=True):
    """The trading day, and the P&L since ever at its start."""

    day: str
    baseline: int


class Halt(msgspec.Struct, kw_only=True):
    """One source's halt of one scope."""

    source: str
    scope: str
    state: TradingState
    reason: str
    actor: str
    since_ns: int
    is_automatic: bool
    receipt_id: str
    sequence: int
    owner: str = ""
    """Id of the bound API key that raised it; empty = none."""
    loss: int | None = None
    """Loss of this day at which the daily loss halted, or was stepped down; None = of another day.
    """


def halt_name(source: str, scope: str, owner: str = "") -> str:
    """Return under which name the book holds a halt: a bound key's own is another's never."""
    return f"{source}|{scope}|{owner}" if owner else f"{source}|{scope}"


class Break(msgspec.Struct, kw_only=True):
    """An open reconciliation break."""

    break_id: str
    kind: str
    platform: str
    market_key: str | None
    expected: str
    observed: str
    policy: str
    since_ns: int
    pool: str = ""
    """Whose cash it is about."""
    amount: int = 0
    """Micro-dollars that the venue has more (less: < 0) than our count."""


class StandingAlert(msgspec.Struct, kw_only=True):
    """An alert on record; it stands until it is cleared."""

    alert_id: str
    name: str
    severity: str
    message: str
    since_ns: int
    count: int
    data: dict[str, str]
    sequence: int
    """Of its last record."""
    cleared_ns: int | None = None


class Cycle(msgspec.Struct, kw_only=True):
    """One strategy in one market: its own signed Yes quantity, and when it entered from flat."""

    strategy: str = ""
    market_key: str = ""
    quantity: int = 0
    entries: list[int] = []


class Authority(msgspec.Struct, kw_only=True):
    """The last authorization of live trading."""

    actor: str
    reason: str
    settings_hash: str
    until_ns: int | None
    since_ns: int
    settings: dict[str, str] = {}


class Subject(msgspec.Struct, frozen=True):
    """What a scope may match: the coordinates of an order."""

    platform: str
    sport: str
    market_key: str
    market_id: str
    strategy: str
    model_version: str | None
    games: tuple[str, ...] = ()
    """Names of the game that it is about."""
    pool: str = ""
    """Whose cash it takes; on a venue with shards, which shard."""

    def is_in(self, scope: str) -> bool:
        """Tell whether a scope (`all`, `platform:X`, ...) covers this order."""
        if scope == SCOPE_ALL:
            return True
        kind, _, name = scope.partition(":")
        if kind == "market":
            return name in {self.market_key, self.market_id}
        if kind == "game":
            return name in self.games
        values = {
            "platform": self.platform,
            "sport": self.sport,
            "strategy": self.strategy,
            "model_version": self.model_version,
            "pool": self.pool,
        }
        return values.get(kind) == name


class Book(msgspec.Struct, kw_only=True):
    """State of one account. All money in micro-dollars, quantities in micro-contracts."""

    account: str = ""
    environment: str = ""
    mode: str = ""
    sequence: int = 0
    """Of the last record applied."""
    time_ns: int = 0
    version: str = ""
    settings_hash: str = ""
    disabled: dict[str, str] = {}
    is_started: bool = False

    markets: dict[str, Market] = {}
    names: dict[str, tuple[str, bool]] = {}
    """`platform|market_id` -> (market key, sides swapped)."""
    games: dict[str, str] = {}
    """Other names of a game -> the name that it goes by."""
    orders: dict[str, Order] = {}
    """Open orders by client order id."""
    unknown: int = 0
    game_worst: dict[str, int] = {}
    sport_worst: dict[str, int] = {}
    total_worst: int = 0

    opened: list[int] = []
    """When risk-increasing orders were approved, over the last hour."""
    reduced: list[int] = []
    opened_by: dict[str, list[int]] = {}
    """The same by `market:KEY`, `strategy:NAME` and `key:ID`."""
    cycles: dict[str, Cycle] = {}
    """By `cycle_name`."""

    pools: dict[str, Pool] = {}
    ledgers: dict[str, int] = {}
    """By pool: its cash by our own count, from the first comparison with the venue's on."""
    movements: list[str] = []
    """Ids of the venue's movements of cash that our count knows; the last ones."""
    accepted: dict[str, str] = {}
    """By break id: what the venue has there, and an operator lets stand."""
    realized: int = 0
    fees: int = 0
    cash_moved: int = 0
    open_day_loss: int = 0
    """Sum over open orders of what they may add to the loss of the day."""
    day: Day | None = None
    denials: dict[str, int] = {}
    """Gateway denials of the day by safeguard."""

    halts: dict[str, Halt] = {}
    """By `halt_name`."""
    breaks: dict[str, Break] = {}
    alerts: dict[str, StandingAlert] = {}
    """The last ones by id, cleared ones too, in the order of their last records."""
    authority: Authority | None = None
    venue_states: dict[str, str] = {}
    """By venue, or by its shard: `Kalshi`, `Kalshi:2`."""
    venue_notes: dict[str, dict[str, str]] = {}
    """By venue: what its adapter must know after a restart."""
    keys: dict[str, ApiKey] = {}
    """API keys by id, revoked ones too; once there was one there always is."""

    def market_of(self, platform: str, market_id: str) -> tuple[Market, bool] | None:
        """Return a market by a venue's own name for it, and whether sides swap."""
        found = self.names.get(platform + "|" + market_id)
        return None if found is None else (self.markets[found[0]], found[1])

    def game(self, name: str) -> str:
        """Return the name that a game goes by."""
        return self.games.get(name, name)

    def canonical(self, scope: str) -> str:
        """Return a scope that calls a market or a game by another of its names by the first one."""
        kind, _, name = scope.partition(":")
        if kind == "game":
            return f"game:{self.game(name)}"
        if kind == "market" and name not in self.markets:
            for platform in Platform:
                found = self.names.get(f"{platform}|{name}")
                if found is not None:
                    return f"market:{found[0]}"
        return scope

    def covers(self, scope: str, subject: Subject) -> bool:
        """
        Tell whether a scope covers an order.

        A scope may be older than what is known of its market: a halt of one token, from before
        anybody said of which condition it is, holds for the other token too.
        """
        return subject.is_in(scope) or subject.is_in(self.canonical(scope))

    def state_for(self, subject: Subject) -> tuple[TradingState, Halt | None]:
        """Return the strictest trading state that covers an order, and the halt that says so."""
        strictest: Halt | None = None
        for halt in self.halts.values():
            is_stricter = strictest is None or halt.state.rank > strictest.state.rank
            if is_stricter and self.covers(halt.scope, subject):
                strictest = halt
        return (TradingState.ACTIVE, None) if strictest is None else (strictest.state, strictest)

    def equity(self, unrealized: int) -> int:
        """Return the P&L since ever: realized less fees plus marks."""
        return self.realized - self.fees + unrealized

    def pnl_today(self, unrealized: int) -> int:
        """Return the P&L of the trading day; deposits and withdrawals never count."""
        baseline = 0 if self.day is None else self.day.baseline
        return self.realized - self.fees + unrealized - baseline

    def unrealized(self, marks: dict[str, tuple[int | None, int | None]]) -> int:
        """
        Return marks less cost over all positions, the slow and obvious way.

        Args:
            marks: market key -> marks of Yes and of No now; a missing one carries the last
                journaled mark, else cost.
        """
        return sum(
            unrealized_of(market, marks.get(key, (None, None)))
            for key, market in self.markets.items()
        )


def mark_price(bid: int | None, ask: int | None, last: int | None) -> int | None:
    """
    Return the price at which what is held of a side is marked; None = it stands at its cost.

    Where nobody bids it is worth at most its last mark, and at most what it is offered at.

    Args:
        bid: best price at which it could be closed; None = that side of the book is empty.
        ask: best price of the other side.
        last: the mark before this one; None = none.
    """
    if bid is not None:
        return bid
    if ask is None or (last is not None and last < ask):
        return last
    return ask


def unrealized_of(market: Market, marks: tuple[int | None, int | None]) -> int:
    """Return marks less cost of one market; see `Book.unrealized`."""
    yes = market.mark_yes if marks[0] is None else marks[0]
    no = market.mark_no if marks[1] is None else marks[1]
    return marked_of(market.yes, yes) + marked_of(market.no, no)


def marked_of(holding: OutcomeHolding, mark: int | None) -> int:
    """Return the mark less the cost of what is held of one side; without a mark it is at cost."""
    if not holding.quantity or mark is None:
        return 0
    return mul_floor(mark, holding.quantity) - holding.cost


def cycle_name(strategy: str, market_key: str) -> str:
    """Return the name of a strategy in a market; no other two have it, whatever they hold."""
    return f"{len(strategy)}|{strategy}|{market_key}"


def count_within(times: list[int], now_ns: int, window_ns: int) -> int:
    """Count the times in the window (now - window, now]."""
    return len(times) - bisect_right(times, now_ns - window_ns)


def lifts_at(times: list[int], maximum: int, now_ns: int, window_ns: int) -> int | None:
    """Return when one more fits under a maximum, if nothing else is counted meanwhile."""
    if maximum <= 0:
        return None
    first = bisect_right(times, now_ns - window_ns)
    if len(times) - first < maximum:
        return None
    return times[len(times) - maximum] + window_ns


def closable(market: Market, side: Side) -> int:
    """Return how much of a side is held and not already being closed."""
    holding = market.yes if side is Side.YES else market.no
    left = holding.quantity - holding.closing
    return left if left > 0 else 0


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Book)


def encode(book: Book) -> bytes:
    """Return a snapshot."""
    return _ENCODER.encode(book)


def decode(body: bytes) -> Book:
    """Read a snapshot. Raises msgspec.ValidationError if it is none of this version."""
    return _DECODER.decode(body)


def fresh() -> Book:
    """Return an empty book; every container is its own."""
    return _DECODER.decode(_ENCODER.encode(Book()))
