"""A simulated exchange without a wire: one market, a clock moved by hand, orders in a line."""

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.exchange import MAKER, Exchange
from arbees.rehearsal.kalshi.engine.rules import ExchangeChange, ExchangeMarket, ExchangeOrder

TICKER = "KXNBAGAME-26JAN28HOUBOS-BOS"
NFL = "KXNFLGAME-26SEP13DALPHI-PHI"
START_NS = 1_750_000_000 * NS_PER_SECOND
CENT = 10_000
GTC, IOC, FOK = "good_till_canceled", "immediate_or_cancel", "fill_or_kill"


class Stand:
    """An exchange and two traders with a hundred dollars a shard each."""

    def __init__(self, cash: int = 100 * MICRO) -> None:
        self.time_ns = START_NS
        self.exchange = Exchange(lambda: self.time_ns, seed=7)
        self.told: list[ExchangeChange] = []
        self.exchange.listeners.append(self.told.append)
        for ticker, shard in ((TICKER, 3), (NFL, 0)):
            series = ticker.partition("-")[0]
            event = ticker.rpartition("-")[0]
            self.exchange.add_market(
                ExchangeMarket(
                    ticker=ticker,
                    event_ticker=event,
                    series_ticker=series,
                    shard=shard,
                    bids=[],
                    asks=[],
                )
            )
        for owner in ("ann", "bob"):
            self.exchange.account(owner).cash.update({0: cash, 3: cash})
        self._count = 0

    @property
    def market(self) -> ExchangeMarket:
        return self.exchange.markets[TICKER]

    def make(
        self,
        owner: str,
        cents: int,
        contracts: float = 1,
        *,
        sells: bool = False,
        tif: str = GTC,
        **more: object,
    ) -> ExchangeOrder:
        """Return an order; `sells` is an ask."""
        self._count += 1
        fields: dict[str, object] = {
            "order_id": self.exchange.new_order_id(),
            "owner": owner,
            "client_order_id": f"c{self._count}",
            "ticker": TICKER,
            "is_bid": not sells,
            "price": cents * CENT,
            "count": round(contracts * MICRO),
            "time_in_force": tif,
            "created_ns": self.time_ns,
            "updated_ns": self.time_ns,
            **more,
        }
        return ExchangeOrder(**fields)  # type: ignore[arg-type]

    def place(
        self,
        owner: str,
        cents: int,
        contracts: float = 1,
        *,
        sells: bool = False,
        tif: str = GTC,
        **more: object,
    ) -> ExchangeOrder:
        """Place an order."""
        order = self.make(owner, cents, contracts, sells=sells, tif=tif, **more)
        return self.exchange.create(order)

    def show(self, cents: int, contracts: float, *, sells: bool) -> ExchangeOrder:
        """Put something into the book that nobody placed."""
        order = self.make(MAKER, cents, contracts, sells=sells)
        self.exchange.show(order)
        return order

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time_ns += round(seconds * NS_PER_SECOND)
        self.exchange.tick()

    def fills_of(self, order: ExchangeOrder) -> list[tuple[int, int]]:
        """Return what an order traded: price in cents and contracts."""
        return [
            (fill.price // CENT, fill.count // MICRO)
            for fill in self.exchange.fills
            if fill.order_id == order.order_id
        ]
