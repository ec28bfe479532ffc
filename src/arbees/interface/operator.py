"""What operators see and do: orders, positions, money, limits, alerts; cancels and corrections.

Guarantees that what is shown is durable: each list names the last record that it reflects. Part of
the gateway's port (`interface.views.Gateway`), apart from it because it is a subject of its own.
"""

from decimal import Decimal
from typing import Generic, Protocol, TypeVar

import msgspec

from arbees.core.language.words import End

T = TypeVar("T")


class Conflict(Exception):  # noqa: N818 - an expected outcome
    """
    What was asked for contradicts what is; nothing was changed.

    Attributes:
        code: what programs match.
        message: what is, and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        """Say what contradicts."""
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An open order: working, in flight or unknown."""

    order_id: str | None
    client_order_id: str
    request_id: str
    idempotency_key: str
    """By which its caller finds it again after a crash of his own."""
    platform: str
    market_id: str
    side: str
    action: str
    size: Decimal
    filled_qty: Decimal
    limit_price: Decimal
    time_in_force: str
    status: str
    created_at: str
    strategy: str = ""
    cancel_reason: str | None = None
    """Why its cancel was asked for, if it was."""


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one side of a market, and what that market may still cost."""

    platform: str
    market_id: str
    market_key: str
    side: str
    quantity: Decimal
    avg_cost: Decimal
    mark: Decimal | None
    """Price at which it could be closed; where nobody bids, at most the last mark and the best
    offer. None = never seen: it stands at its cost."""
    mark_age_secs: Decimal | None
    """Age of the venue's last word on that book; None = never seen, or dated in the future."""
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    """Of the whole market, since ever."""
    worst_case_loss: Decimal
    """Of the whole market, open orders included."""
    sport: str
    game_id: str


class TouchView(msgspec.Struct, frozen=True, kw_only=True):
    """The newest quote of a market: the best prices of its Yes side."""

    platform: str
    market_id: str
    market_key: str
    """The one name of the market: Kalshi ticker, Polymarket condition id."""
    bid: Decimal | None
    """Best price at which Yes is bought; null = nobody bids."""
    ask: Decimal | None
    """Best price at which Yes is sold; null = nobody offers."""
    ts: str
    """Time of the quote."""
    open: bool
    """Orders are taken."""
    sport: str
    game_id: str


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one pool of a venue."""

    platform: str
    available: Decimal
    """The venue's own figure."""
    reserved: Decimal
    """What of ours is not provably inside that figure."""
    equity: Decimal
    """Available, what open orders keep back of it, and what is held at its marks."""
    as_of: str
    stale: bool
    """Too old to trade on."""
    pool: str = ""
    """Which of the venue's pools of money, where it has several."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used in one scope."""

    scope: str
    """As halts write it (`all`, `market:X`, ...), or `game:X`; `reducing` for such orders alone."""
    value: Decimal
    limit: Decimal
    headroom: Decimal
    """What the next order may add; below 0 only where the venue's truth is outside already."""
    code: str = ""
    """What an order over the limit is denied with."""


class SafeguardView(msgspec.Struct, frozen=True, kw_only=True):
    """A safeguard: its settings, how much of its limits is used, what it denied today."""

    name: str
    enabled: bool
    settings: dict[str, str]
    used: tuple[Usage, ...]
    denials_today: int


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised; repeats are counted, not listed."""

    name: str
    subject: str
    """What it is about (a venue, a pool, a market, ...), by which alerts of one name are told
    apart; empty = the account."""
    severity: str
    message: str
    raised_at: str
    cleared_at: str | None
    """Null while it stands."""
    count: int
    """How often it was raised, by the last reminder."""
    data: dict[str, str]
    sequence: int
    """Of its last record."""


class BreakView(msgspec.Struct, frozen=True, kw_only=True):
    """An open reconciliation break."""

    break_id: str
    kind: str
    platform: str
    market_key: str | None
    expected: str
    observed: str
    policy: str
    since: str


class ReconciliationView(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation found."""

    complete: bool
    """Every venue answered and was compared; false = of those in `failed` nothing was concluded."""
    failed: tuple[str, ...]
    """Platforms that were not compared: a query failed, or something moved all the time."""
    breaks: tuple[BreakView, ...]
    """Open now."""
    finished_at: str
    sequence: int


class CancelReply(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel that was asked for, durably; what became of it is the order's own record."""

    order_id: str | None
    client_order_id: str
    request_id: str
    status: str
    """Of the order, as known when the cancel was recorded."""
    sequence: int
    final: bool = False
    """The order has ended: nothing was asked for, `status` says how it ended."""
    filled_qty: Decimal = Decimal(0)
    """What of it filled by then."""


class CashflowView(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit (> 0) or withdrawal (< 0) that was recorded."""

    platform: str
    amount: Decimal
    reason: str
    sequence: int


class Listed(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A list as it is answered, and the last durable record that it reflects."""

    items: tuple[T, ...]
    sequence: int


class ResolvedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a named operator ended by hand."""

    name: str
    """The break, or our own id of the order."""
    sequence: int


class Operator(Protocol):
    """What operators see and do. Reads wait until what is decided is durable."""

    async def orders(self) -> Listed[OrderView]:
        """
        Return the open orders, oldest first.

        Raises:
            Undecided: the journal failed or hangs, so nothing new is known to be true; so do all.
        """
        ...

    async def positions(self) -> Listed[PositionView]:
        """Return what is held."""
        ...

    async def touches(self) -> Listed[TouchView]:
        """Return the newest quote of each market that has one."""
        ...

    async def balances(self) -> Listed[BalanceView]:
        """Return the money of each pool."""
        ...

    async def safeguards(self) -> Listed[SafeguardView]:
        """Return every safeguard in the order of evaluation, with how much of it is used."""
        ...

    async def alerts(self) -> Listed[AlertView]:
        """Return the alerts that were raised lately, the newest first."""
        ...

    async def breaks(self) -> Listed[BreakView]:
        """Return the open reconciliation breaks."""
        ...

    async def cancel(
        self,
        order_id: str,
        *,
        reason: str,
        actor: str,
        platform: str | None = None,
        strategy: str | None = None,
    ) -> CancelReply | None:
        """
        Cancel one order, in every state of trading.

        Args:
            order_id: ours, which always counts, or the venue's.
            reason: journaled.
            actor: who asks.
            platform: whose id it is, where two venues use the same.
            strategy: another strategy's orders count as not known; None = all are known.

        Returns:
            What was recorded, or how the order has ended already; None = no such order.

        Raises:
            Undecided: the journal failed; the venue was asked to cancel all the same.
            Conflict: two venues have an open order of this id (`AMBIGUOUS_ORDER_ID`).
        """
        ...

    async def cancel_all(self, *, scope: str, reason: str, actor: str) -> str:
        """
        Cancel all that works in a scope; return the id of the receipt, which fills up.

        Raises:
            Undecided: the journal failed; the venues were asked to cancel all the same.
            ValueError: no such scope.
        """
        ...

    async def flatten(
        self,
        *,
        scope: str,
        reason: str,
        actor: str,
        max_slippage: int | None = None,
        key_id: str | None = None,
    ) -> str:
        """
        Cancel what is open of a scope, then close what is held; return the id of the receipt.

        Args:
            scope: any but a model version, which no position has.
            reason: why.
            actor: who says so.
            max_slippage: micro-dollars below the best bid, at most the collar; None = that.
            key_id: API key whose caps hold for the orders.

        Raises:
            Undecided: the journal failed; the venues were asked to cancel all the same.
            ValueError: no such scope.
        """
        ...

    async def reconcile(self) -> ReconciliationView:
        """Compare the book with every venue now; a failed query concludes nothing."""
        ...

    async def move_cash(
        self, platform: str, amount_micro: int, *, reason: str, actor: str
    ) -> CashflowView:
        """
        Record a deposit (> 0) or withdrawal (< 0); on paper it is made there too.

        Raises:
            ValueError: an amount of 0.
            Conflict: the paper account has less than what is to be withdrawn.
            Undecided: the journal failed.
        """
        ...

    async def adopt_break(self, break_id: str, *, reason: str, actor: str) -> ResolvedView | None:
        """
        Take the venue's word of a break, by a named operator, after a comparison of now.

        Returns:
            What was recorded; None = there is none of this name.

        Raises:
            Conflict: the venue agrees by now (`AGREES`), or cannot be compared (`NOT_COMPARED`).
            Undecided: the journal failed.
        """
        ...

    async def resolve_break(self, break_id: str, *, reason: str, actor: str) -> ResolvedView | None:
        """End a break by word of a named operator; None = there is none of this name."""
        ...

    async def resolve_order(
        self, client_order_id: str, *, end: End, reason: str, actor: str
    ) -> ResolvedView | None:
        """
        End an order by word of a named operator: of unknown fate, or not at its venue any more.

        Returns:
            What was recorded; None = there is no such order.

        Raises:
            Conflict: it works at its venue, has ended, or was there and cannot be `not_sent`.
            Undecided: the journal failed.
        """
        ...
