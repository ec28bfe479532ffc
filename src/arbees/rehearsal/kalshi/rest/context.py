"""What the calls of a simulated Kalshi share: exchange, faults, what is hidden, how stale."""

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.exchange import Exchange
from arbees.rehearsal.kalshi.engine.faults import ExchangeFaults, FaultKind


class CallContext:
    """What the calls of one exchange share."""

    def __init__(self, exchange: Exchange, faults: ExchangeFaults) -> None:
        """Serve an exchange."""
        self.exchange = exchange
        self.faults = faults
        self.is_fcm = False
        """Whether the account is one of an FCM, which is told what its resting orders hold."""
        self.hidden: dict[str, int] = {}
        """Orders that lists do not show, and until when."""
        self.read_limit = (200.0, 600.0)
        self.write_limit = (100.0, 100.0)
        """(tokens a second, capacity)."""

    def shard(self, ticker: str) -> int:
        """Return the shard of a market."""
        market = self.exchange.markets.get(ticker)
        return 0 if market is None else market.shard

    def is_hidden(self, order_id: str) -> bool:
        """Tell whether lists do not show an order now."""
        return self.hidden.get(order_id, 0) > self.exchange.now_ns()

    def as_of_ns(self) -> int:
        """Return as of when reads are: now, or as long ago as the fault says."""
        now_ns = self.exchange.now_ns()
        lag = self.faults.standing(FaultKind.READ_LAG, now_ns)
        return now_ns - int(lag.seconds * NS_PER_SECOND) if lag is not None else now_ns
