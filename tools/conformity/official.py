"""Kalshi's official client, reading and trading on the simulated exchange.

Guarantees that every answer which it can ask for passes its own models, enumerations too, and that
what it reads back is what the exchange keeps. It needs Python 3.13 and lives in an environment of
its own; where no such Python is found nothing is compared, and that is said.
"""

import asyncio
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGE = "kalshi_python_sync"
RELEASE = "3.34.0"
NEEDS = (3, 13)
RUN_SECONDS = 120


def interpreter() -> Path | None:
    """Return a Python that is new enough for the client; None = there is none here."""
    if sys.version_info >= NEEDS:
        return Path(sys.executable)
    versions = Path.home() / ".pyenv" / "versions"
    kept = sorted(versions.glob(f"{NEEDS[0]}.{NEEDS[1]}*/bin/python"))
    found = [shutil.which(f"python{NEEDS[0]}.{minor}") for minor in range(NEEDS[1], NEEDS[1] + 4)]
    for each in [*kept, *(Path(path) for path in found if path is not None)]:
        answered = subprocess.run([each, "-c", "import sys"], capture_output=True, check=False)
        if answered.returncode == 0:
            return each
    return None


async def run(
    python: Path, root: str, key: tuple[str, str], ticker: str, settled: str
) -> list[str]:
    """
    Let the client read everything and trade.

    Args:
        python: of the client's own environment.
        root: of the API.
        key: of the account: its id, and its private key in PEM.
        ticker: of a market on shard 0, with a book at $0.38 and $0.40.
        settled: of one that is settled.

    Returns:
        What it complained of.
    """
    key_id, pem = key
    child = await asyncio.create_subprocess_exec(
        *(str(python), __file__, root, key_id, ticker, settled),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    told, complained = await asyncio.wait_for(child.communicate(pem.encode()), RUN_SECONDS)
    if child.returncode:
        return [complained.decode(errors="replace")[-2_000:]]
    found: list[str] = json.loads(told)
    return found


class Client:
    """The client, and what it complained of."""

    def __init__(self, root: str, key_id: str, pem: str) -> None:
        """Set it up for an exchange."""
        library: Any = importlib.import_module(PACKAGE)
        api_client = importlib.import_module(f"{PACKAGE}.api_client")
        configuration = library.Configuration(host=root)
        configuration.retries = False
        self._client = api_client.ApiClient(configuration)
        # Its own set_kalshi_auth names a class that it does not import.
        auth = importlib.import_module(f"{PACKAGE}.auth")
        self._client.kalshi_auth = auth.KalshiAuth(key_id, pem)
        self._library = library
        self._refused = importlib.import_module(f"{PACKAGE}.exceptions").OpenApiException
        self.complaints: list[str] = []

    def ask(self, group: str, name: str, *arguments: object, **more: object) -> Any:  # noqa: ANN401
        """Make a call; what its models refuse is a complaint."""
        api = getattr(self._library, f"{group}Api")(self._client)
        try:
            return getattr(api, name)(*arguments, **more)
        except (ValueError, TypeError, self._refused) as error:
            self.complaints.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
            return None

    def expect(self, name: str, value: object, wanted: object) -> None:
        """Complain of a value that is another."""
        if value != wanted:
            self.complaints.append(f"{name}: Expected {wanted}, was {value}")


def read(client: Client, ticker: str, settled: str) -> None:
    """Read all that the exchange answers."""
    event = ticker.rpartition("-")[0]
    for group, names in {
        "Account": ("get_account_api_limits", "get_account_endpoint_costs"),
        "ApiKeys": ("get_api_keys",),
        "Events": ("get_event_fee_changes",),
        "Exchange": (
            "get_exchange_schedule",
            "get_exchange_status",
            "get_series_fee_changes",
            "get_user_data_timestamp",
        ),
        "Historical": (
            "get_fills_historical",
            "get_historical_cutoff",
            "get_historical_orders",
            "get_historical_positions",
        ),
        "IncentivePrograms": ("get_incentive_programs",),
        "Market": ("get_markets",),
        "OrderGroups": ("get_order_groups",),
        "Orders": ("get_orders",),
        "Portfolio": (
            "get_balance",
            "get_deposits",
            "get_fills",
            "get_intra_exchange_instance_transfers",
            "get_positions",
            "get_settlements",
            "get_subaccount_balances",
            "get_subaccount_transfers",
            "get_withdrawals",
        ),
    }.items():
        for name in names:
            client.ask(group, name)
    client.ask("Milestone", "get_milestones", limit=10, related_event_ticker=event)
    client.ask("Market", "get_market_orderbook", ticker)
    client.ask("Market", "get_series", event.partition("-")[0])
    client.ask("Events", "get_event", event)
    for name in (ticker, settled):
        found = client.ask("Market", "get_market", name)
        if found is not None:
            client.expect("get_market", found.market.ticker, name)


def trade(client: Client, ticker: str) -> None:
    """Place, read, decrease, amend and cancel orders, alone, in a group and all of them."""
    order = {
        "ticker": ticker,
        "side": "bid",
        "count": "3.00",
        "price": "0.4000",
        "time_in_force": "immediate_or_cancel",
        "self_trade_prevention_type": "taker_at_cross",
        "client_order_id": "official-1",
    }
    taken = client.ask("Orders", "create_order_v2", **order)
    client.expect("fill_count", taken and taken.fill_count, "3.00")
    group = client.ask("OrderGroups", "create_order_group", contracts_limit=10)
    order |= {
        "price": "0.1000",
        "time_in_force": "good_till_canceled",
        "client_order_id": "official-2",
        "order_group_id": group and group.order_group_id,
    }
    rests = client.ask("Orders", "create_order_v2", **order)
    if rests is None or group is None:
        return
    name, more = rests.order_id, {"market_ticker": ticker}
    client.ask("Orders", "get_order", name)
    client.ask("Orders", "decrease_order_v2", name, reduce_by="1.00")
    amended = {"ticker": ticker, "side": "bid", "price": "0.1100", "count": "4.00"}
    client.ask("Orders", "amend_order_v2", name, **amended)
    working = client.ask("Orders", "get_orders", status="resting")
    counts = [(each.order_id, each.remaining_count_fp) for each in working.orders]
    client.expect("resting", counts, [(name, "4.00")])
    gone = client.ask("Orders", "cancel_order_v2", name, **more)
    client.expect("reduced_by", gone and gone.reduced_by, "4.00")
    for word in ("get_order_group", "trigger_order_group", "reset_order_group"):
        client.ask("OrderGroups", word, group.order_group_id)
    client.ask("OrderGroups", "delete_order_group", group.order_group_id)
    client.ask("Orders", "cancel_all_orders")


def main() -> None:
    """Run all of it; print the complaints as JSON."""
    root, key_id, ticker, settled = sys.argv[1:]
    client = Client(root, key_id, sys.stdin.read())
    read(client, ticker, settled)
    trade(client, ticker)
    read(client, ticker, settled)
    print(json.dumps(client.complaints))


if __name__ == "__main__":
    main()
