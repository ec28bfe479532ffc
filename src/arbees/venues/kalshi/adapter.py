"""Connects to Kalshi: what `VenueSpec.adapter` loads."""

from arbees.core.language.units import MICRO
from arbees.core.ports import MarketData
from arbees.venues.kalshi.connection.connection import KalshiAccount, KalshiConnection
from arbees.venues.kalshi.connection.keys import parse_key
from arbees.venues.kalshi.markets.markets import KalshiMarketData
from arbees.venues.kalshi.orders.groups import LIMIT_MAX
from arbees.venues.kalshi.spec import Kalshi
from arbees.venues.kalshi.venue import KalshiVenue
from arbees.venues.spec import ConnectionOptions, LiveVenue


def connect(account: Kalshi, options: ConnectionOptions) -> LiveVenue:
    """Make a venue that trades. Raises ConfigurationError: its key cannot be used."""
    connection, shards = _connection(account, options), dict[str, int]()
    return LiveVenue(KalshiVenue(connection, shards), KalshiMarketData(connection, shards))


def follow(account: Kalshi, options: ConnectionOptions) -> MarketData:
    """Make what follows markets alone. Raises ConfigurationError: its key cannot be used."""
    return KalshiMarketData(_connection(account, options), {}, owns_connection=True)


def _connection(account: Kalshi, options: ConnectionOptions) -> KalshiConnection:
    most = LIMIT_MAX * MICRO
    made = KalshiAccount(
        key=parse_key(account.private_key or ""),
        key_id=account.api_key_id or "",
        base_url=account.base_url,
        ws_url=account.ws_url,
        skew_max_ns=options.skew_max_ns,
        group_limit=most if options.burst is None else options.burst,
        subaccount=account.subaccount,
    )
    return KalshiConnection(made, options.clock, options.tasks)
