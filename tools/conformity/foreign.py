"""A client that this project did not write, trading on the simulated exchange.

Guarantees that it lives in an environment of its own, made once, and that what it reads back is
what the exchange keeps. This file runs in both environments: without arguments of its own it only
has the functions that make the other one; as a script it is what runs there.
"""

import asyncio
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "pykalshi"
RELEASE = "2.0.0"
FOLDER = Path(".cache/conform")
INSTALL_SECONDS = 300
RUN_SECONDS = 60


async def run(root: str, key_id: str, pem: bytes, ticker: str) -> dict[str, Any]:
    """
    Let the client trade.

    Args:
        root: of the API, for its `api_base`.
        key_id: of the account.
        pem: its private key, RSA.
        ticker: of a market on shard 0, with a book at $0.38 and $0.40.

    Returns:
        What it read, by question; `error` alone if it failed.
    """
    python = await asyncio.to_thread(environment)
    with tempfile.TemporaryDirectory(prefix="arbees-conform-") as folder:
        key = Path(folder) / "key.pem"
        key.touch(mode=0o600)
        key.write_bytes(pem)
        child = await asyncio.create_subprocess_exec(
            *(str(python), __file__, root, key_id, str(key), ticker),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said, complained = await asyncio.wait_for(child.communicate(), RUN_SECONDS)
    if child.returncode:
        return {"error": complained.decode(errors="replace")[-2_000:]}
    read: dict[str, Any] = json.loads(said)
    return read


def environment(package: str = PACKAGE, release: str = RELEASE, base: Path | None = None) -> Path:
    """
    Return the interpreter of a client's own environment, made if it is not there yet.

    Args:
        package: the client.
        release: exactly this one.
        base: the Python that it needs; None = ours.
    """
    folder = FOLDER / f"{package}-{release}"
    python = folder.absolute() / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        subprocess.run([base or sys.executable, "-m", "venv", "--clear", folder], check=True)
        quiet = ("--disable-pip-version-check", "--quiet", "--quiet", "--no-input")
        subprocess.run(
            [python, "-m", "pip", *quiet, "install", f"{package}=={release}"],
            check=True,
            timeout=INSTALL_SECONDS,
        )
        ready.touch()
    return python


def trade(root: str, key_id: str, key_path: str, ticker: str) -> dict[str, Any]:
    """Place, read and cancel orders with the client; read balance, positions and fills."""
    library: Any = importlib.import_module(PACKAGE)
    with library.KalshiClient(
        api_key_id=key_id, private_key_path=key_path, api_base=root, max_retries=0
    ) as client:
        portfolio = client.portfolio
        before = portfolio.get_balance()
        taken = portfolio.place_order(
            ticker,
            book_side="bid",
            count_fp="3.00",
            price_dollars="0.40",
            client_order_id="foreign-1",
            time_in_force=library.TimeInForce.IOC,
        )
        rests = portfolio.place_order(
            ticker,
            book_side="bid",
            count_fp="2.00",
            price_dollars="0.10",
            client_order_id="foreign-2",
        )
        working = [each.order_id for each in portfolio.get_orders(status=_resting(library))]
        read = portfolio.get_order(rests.order_id)
        gone = portfolio.cancel_order(rests.order_id)
        try:
            portfolio.cancel_order(rests.order_id)
            again = "cancelled twice"
        except library.KalshiAPIError as error:
            again = type(error).__name__
        after = portfolio.get_balance()
        return {
            "status": client.exchange.get_status().trading_active,
            "market": client.get_market(ticker).ticker,
            "taken": [taken.status.value, taken.fill_count_fp, taken.remaining_count_fp],
            "working": working == [rests.order_id],
            "read": [read.status.value, read.remaining_count_fp, read.yes_price_dollars],
            "cancelled": gone.status.value,
            "again": again,
            "spent": before.balance - after.balance,
            "positions": [[p.ticker, p.position_fp] for p in portfolio.get_positions()],
            "fills": [
                [f.order_id == taken.order_id, f.count_fp, f.yes_price_dollars, f.fee_cost_dollars]
                for f in portfolio.get_fills()
            ],
        }


def _resting(library: Any) -> Any:  # noqa: ANN401 - a library without types here
    return library.OrderStatus.RESTING


def expected(ticker: str) -> dict[str, Any]:
    """Return what the client must have read."""
    return {
        "status": True,
        "market": ticker,
        "taken": ["executed", "3.00", "0.00"],
        "working": True,
        "read": ["resting", "2.00", "0.1000"],
        "cancelled": "canceled",
        "again": "ResourceNotFoundError",
        "spent": 126,  # cents: 3 x $0.40 and a fee of $0.0504, both balances cut to the cent
        "positions": [[ticker, "3.00"]],
        "fills": [[True, "3.00", "0.4000", "0.050400"]],
    }


if __name__ == "__main__":
    print(json.dumps(trade(*sys.argv[1:])))
