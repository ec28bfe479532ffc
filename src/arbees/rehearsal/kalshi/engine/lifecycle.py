"""What becomes of a market of the simulated Kalshi: paused, closed, moved, decided, settled.

Guarantees that what Kalshi tells on `market_lifecycle_v2` is told, and what it does not tell is
not: a market that closes by its clock closes without a word. Resting orders are cancelled when a
paused market is activated again, and when it closes.

Source: AsyncAPI of 2026-08-22; Kalshi's pages on the lifecycle of markets.
"""

from typing import TYPE_CHECKING, Any

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.rules import (
    CENT,
    ExchangeMarket,
    ExchangeSettlement,
    TickRange,
)
from arbees.rehearsal.kalshi.rest import bodies

if TYPE_CHECKING:
    from arbees.rehearsal.kalshi.engine.exchange import Exchange

CHANNEL = "market_lifecycle_v2"


class MarketLifecycle:
    """What can become of the markets of an exchange."""

    def __init__(self, exchange: "Exchange") -> None:
        """Serve an exchange."""
        self._exchange = exchange

    def _market(self, ticker: str) -> ExchangeMarket:
        return self._exchange.markets[ticker]

    def _tell(self, ticker: str, event: str, **more: Any) -> None:
        said = {"event_type": event, "market_ticker": ticker, **more}
        self._exchange.tell(CHANNEL, "", (CHANNEL, said))

    # Pauses ------------------------------------------------------------------------------------

    def deactivate(self, ticker: str) -> None:
        """Pause a market; what rests stays until it is activated again."""
        market = self._market(ticker)
        market.status, market.is_steered = "inactive", True
        self._tell(ticker, "deactivated", is_deactivated=True)

    def activate(self, ticker: str) -> None:
        """Open a market, also a closed one; what rested is cancelled first."""
        market = self._market(ticker)
        self._exchange.cancel_market(ticker, "HaltCancel")
        market.status, market.is_steered = "active", True
        if market.close_ns and market.close_ns <= self._exchange.now_ns():
            market.close_ns = 0
        self._tell(ticker, "activated", is_deactivated=False)

    # Close and start ---------------------------------------------------------------------------

    def close(self, ticker: str) -> None:
        """Close a market without a word, as its clock does."""
        market = self._market(ticker)
        market.status, market.is_steered = "closed", True
        self._exchange.cancel_market(ticker, "CloseCancel")

    def move_close(self, ticker: str, close_ns: int) -> None:
        """Move the close of a market."""
        market = self._market(ticker)
        market.close_ns, market.updated_ns = close_ns, self._exchange.now_ns()
        self._tell(ticker, "close_date_updated", close_ts=close_ns // NS_PER_SECOND)

    def move_start(self, ticker: str, start_ns: int) -> None:
        """Move the start of a market's game: no stream tells of it, only the milestone knows."""
        market = self._market(ticker)
        self._exchange.catalogue.start(market.event_ticker, start_ns, self._exchange.now_ns())

    # Prices and fees ---------------------------------------------------------------------------

    def set_ticks(self, ticker: str, *ranges: TickRange) -> None:
        """Give a market other ticks."""
        market = self._market(ticker)
        market.ranges, market.updated_ns = ranges, self._exchange.now_ns()
        self._tell(
            ticker,
            "price_level_structure_updated",
            price_level_structure=market.structure,
            price_ranges=bodies.ranges(market),
        )

    def charge(
        self,
        ticker: str,
        fee_type: str | None,
        multiplier: int | None = MICRO,
        at_ns: int | None = None,
    ) -> None:
        """
        Charge another fee.

        Args:
            ticker: of a series, or of an event, whose override it is.
            fee_type: one of Kalshi's; None = the override ends.
            multiplier: in millionths.
            at_ns: from then on, announced until then; None = now.
        """
        now_ns = self._exchange.now_ns()
        due_ns = now_ns if at_ns is None else at_ns
        self._exchange.catalogue.announce(ticker, fee_type, multiplier, due_ns)
        self.apply_fees(now_ns)

    def apply_fees(self, now_ns: int) -> None:
        """Let announced fees take effect; overrides of events are told."""
        for change in self._exchange.catalogue.due(now_ns):
            if change.event_ticker is not None:
                said = {
                    "event_ticker": change.event_ticker,
                    "fee_type_override": change.fee_type,
                    "fee_multiplier_override": bodies.factor(change.multiplier),
                }
                self._exchange.tell(CHANNEL, "", ("event_fee_update", said))

    # The end -----------------------------------------------------------------------------------

    def determine(self, ticker: str, payout: int) -> None:
        """
        Decide a market; what rests is cancelled, nothing is paid yet.

        Args:
            ticker: of the market.
            payout: of a contract of Yes, in micro-dollars and whole cents: 1 = Yes, 0 = No,
                anything between is `scalar`.
        """
        market, now_ns = self._market(ticker), self._exchange.now_ns()
        self._exchange.cancel_market(ticker, "CloseCancel")
        market.status, market.is_steered, market.determined_ns = "determined", True, now_ns
        self._decide(market, payout)
        self._tell(
            ticker,
            "determined",
            result=market.result,
            determination_ts=now_ns // NS_PER_SECOND,
            settlement_value=bodies.price(payout),
        )

    def void(self, ticker: str) -> None:
        """Decide a market of a game that is not played: at the last price of a trade."""
        price = self._market(ticker).last_price or MICRO // 2
        self.determine(ticker, price // CENT * CENT)

    def _decide(self, market: ExchangeMarket, payout: int) -> None:
        market.result = {MICRO: "yes", 0: "no"}.get(payout, "scalar")
        market.payout, market.updated_ns = payout, self._exchange.now_ns()

    def dispute(self, ticker: str) -> None:
        """Let what was decided be disputed; no stream tells of it."""
        self._market(ticker).status = "disputed"

    def amend(self, ticker: str, payout: int) -> None:
        """Decide otherwise; what was paid already is put right."""
        market, is_paid = self._market(ticker), self._market(ticker).settled_ns
        self._decide(market, payout)
        if not is_paid:
            market.status = "amended"
        for settlement in self._exchange.settlements:
            if settlement.ticker == ticker:
                before = settlement.revenue
                settlement.payout = payout
                self._pay(settlement, market, settlement.revenue - before)

    def finalize(self, ticker: str, fee: int = 0) -> None:
        """Pay what was decided; a settlement fee, in micro-dollars a position, is possible."""
        market, now_ns = self._market(ticker), self._exchange.now_ns()
        assert market.payout is not None, f"Expected {ticker} to be determined"
        market.status, market.settled_ns = "finalized", now_ns
        for account in self._exchange.accounts.values():
            held = account.positions.pop(ticker, 0)
            if held:
                settlement = ExchangeSettlement(
                    time_ns=now_ns,
                    owner=account.owner,
                    ticker=ticker,
                    held=held,
                    cost=account.costs.pop(ticker, 0),
                    payout=market.payout,
                    fee=fee,
                )
                self._exchange.settlements.append(settlement)
                self._pay(settlement, market, settlement.revenue - fee)
                self._exchange.return_collateral(account, market)
        self._tell(ticker, "settled", settled_ts=now_ns // NS_PER_SECOND)

    def _pay(self, settlement: ExchangeSettlement, market: ExchangeMarket, amount: int) -> None:
        account = self._exchange.account(settlement.owner)
        account.cash[market.shard] = account.cash.get(market.shard, 0) + amount
        self._exchange.tell("market_positions", account.owner, settlement.ticker)

    def archive(self, ticker: str) -> None:
        """Put a settled market away: lists and streams know it no more, only the archive does."""
        self._market(ticker).is_archived = True
