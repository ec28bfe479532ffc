"""Markets: what is known of one, and what is held and open in it.

Guarantees exact worst-case exposure in O(1): the two sums over open orders that the formula of the
design needs are kept as orders come and go, never recomputed.
"""

import msgspec

from arbees.core.language.payouts import Payouts
from arbees.core.language.words import Side


class Terms(msgspec.Struct, frozen=True):
    """What holds for all markets of a venue unless a market says otherwise."""

    is_netting: bool
    """One signed position a market (Kalshi), else one per outcome token (Polymarket)."""
    taker_rate: int
    """Fee rate in millionths: fee = rate x quantity x p x (1 - p)."""
    maker_rate: int
    fee_grid: int
    """Fees are rounded up to a multiple of this, in micro-dollars."""
    tick: int
    lot: int
    minimum: int = 0
    """Smallest quantity of an order."""
    names_event: bool = False
    """The name of a market begins with that of its event, up to the last dash."""

    def event_of(self, market_id: str) -> str | None:
        """Return the event that the name of a market begins with, where the venue names it so."""
        event, dash, last = market_id.rpartition("-")
        return event if self.names_event and dash and last and "-" in event else None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """
    Metadata of a market under one name: the newest word on it of the venue.

    On paper without a venue, what the quotes that are fed say.
    """

    platform: str
    market_id: str
    market_key: str
    is_flipped: bool = False
    """`market_id` is the token of the key's No outcome: sides swap."""
    opposite_id: str | None = None
    sport: str | None = None
    game_id: str | None = None
    """What a feed calls the game."""
    game_start_ns: int | None = None
    close_ns: int | None = None
    tick: int = 1_000
    ticks: tuple[tuple[int, int, int], ...] = ()
    """Start, end and step of ranges of the price of Yes, where the tick is not one and the same."""
    lot: int = 10_000
    minimum: int = 0
    is_netting: bool = True
    taker_rate: int = 70_000
    maker_rate: int = 0
    fee_grid: int = 100
    pool: str = ""
    """Whose cash its orders take: of a shard of the venue; empty = the venue has one pool."""
    event_id: str | None = None
    """The venue's own name of the event that the market is about."""
    milestone_id: str | None = None
    """The venue's own name of the game, which may join several events."""

    @property
    def games(self) -> tuple[str, ...]:
        """Every name of its game, the one that it goes by first."""
        names = (self.game_id, self.milestone_id, self.event_id)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def tick_at(self, price: int) -> tuple[int, int]:
        """Return the tick at a price of Yes, and from where it counts."""
        for start, end, step in self.ticks:
            if start <= price <= end:
                return step, start
        return self.tick, 0


def own_game(market_key: str) -> str:
    """Return the game of a market of which no game is known: it is one by itself."""
    return f"market:{market_key}"


class OutcomeHolding(msgspec.Struct):
    """What is held of one outcome: quantity, its cost, and what open orders already close of it."""

    quantity: int = 0
    cost: int = 0
    closing: int = 0


class Market(msgspec.Struct):
    """
    State of one market, under its canonical key; sides are those of the key.

    `loss_yes` and `loss_no` are the sums over open orders of `max(0, outlay - payout)` when that
    outcome wins (design, "Exposure, exactly").
    """

    listing: Listing
    sport: str
    game_id: str
    is_open: bool = True
    status: str = ""
    """The venue's own word for that, where it has one."""
    is_settled: bool = False
    payouts: Payouts | None = None
    """What a contract of each side pays, once it is settled."""
    settled_yes: int = 0
    """Micro-contracts of Yes (No) that were paid out."""
    settled_no: int = 0
    settled_sequence: int = 0
    """Of the last record that says what it pays."""
    settled_ns: int = 0
    yes: OutcomeHolding = msgspec.field(default_factory=OutcomeHolding)
    no: OutcomeHolding = msgspec.field(default_factory=OutcomeHolding)
    loss_yes: int = 0
    loss_no: int = 0
    worst: int = 0
    """`core.book.worst_case.worst_ahead` as it is summed up in the book."""
    orders: list[str] = []
    """Client order ids of the open orders, oldest first."""
    unknown: int = 0
    """How many of them are UNKNOWN."""
    realized: int = 0
    fees: int = 0
    mark_yes: int | None = None
    """Last journaled price at which a held Yes (No) could be closed."""
    mark_no: int | None = None
    marked_ns: int = 0
    """When they were journaled last."""
    break_kinds: list[str] = []
    """Open reconciliation breaks that freeze this market."""

    def holding(self, side: Side) -> OutcomeHolding:
        """Return what is held of a side."""
        return self.yes if side is Side.YES else self.no

    def worst_case(self, loss_yes: int = 0, loss_no: int = 0) -> int:
        """
        Return the worst case over both outcomes, in micro-dollars.

        Args:
            loss_yes: what one more order could lose if Yes wins.
            loss_no: what it could lose if No wins.
        """
        cost = self.yes.cost + self.no.cost
        if_yes = cost - self.yes.quantity + self.loss_yes + loss_yes
        if_no = cost - self.no.quantity + self.loss_no + loss_no
        return if_yes if if_yes > if_no else if_no
