"""What was executed, as the outside may ask for it: results, fills, profit and loss by anything."""

from decimal import Decimal
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from arbees.core.orders.result import Result

T = TypeVar("T")

PnlBy = Literal["strategy", "market", "game", "sport", "model_version", "day"]
"""By what profit and loss is told apart."""
PAGE_MAX = 1_000
"""Items on a page."""


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the history is asked for; None = all."""

    since_ns: int | None = None
    until_ns: int | None = None
    strategy: str | None = None
    market: str | None = None
    """The venue's name of a market, or its key."""
    status: str | None = None
    cursor: int | None = None
    """Only what stands before this record."""
    limit: int = PAGE_MAX


class HistoryPage(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of the history, the newest first."""

    items: tuple[T, ...]
    cursor: str | None
    """Ask with it for what is older; null = there is no more."""
    sequence: int
    """The last durable record that was looked at."""


class FillView(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of an order of ours."""

    sequence: int
    time: str
    """Of the record."""
    request_id: str
    idempotency_key: str
    client_order_id: str
    trade_id: str
    platform: str
    market_id: str
    market_key: str
    strategy: str
    model_version: str | None
    side: str
    """As the request names it."""
    action: str
    quantity: Decimal
    price: Decimal
    """Dollars of that side."""
    fee: Decimal
    is_maker: bool
    is_reversed: bool
    """The venue took it back."""


class PnlRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the orders of one group came to, in dollars."""

    name: str
    realized: Decimal
    """Of what was sold, netted or settled, before fees."""
    unrealized: Decimal | None
    """Of what is held, at the last journaled marks; null where one is missing."""
    fees: Decimal
    total: Decimal | None
    """Realized and unrealized, less fees."""
    fills: int


class PnlView(msgspec.Struct, frozen=True, kw_only=True):
    """Profit and loss of the orders that were approved since a moment."""

    by: PnlBy
    since: str | None
    rows: tuple[PnlRow, ...]
    sequence: int


class TradeHistory(Protocol):
    """What was executed, read from the durable journal off the writer's loop."""

    async def executions(self, query: HistoryQuery) -> HistoryPage[Result]:
        """
        Return results as known now, by when they were decided.

        Raises:
            JournalUnavailable, JournalCorrupt: the journal cannot be read.
        """
        ...

    async def fills(self, query: HistoryQuery) -> HistoryPage[FillView]:
        """Return executions. Raises as `executions` does."""
        ...

    async def pnl(self, by: PnlBy, since_ns: int | None, strategy: str | None) -> PnlView:
        """Return profit and loss by anything, of a strategy or of all. Raises as above."""
        ...
