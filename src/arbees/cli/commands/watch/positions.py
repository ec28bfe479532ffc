"""`arbees positions`: what is held, and what it may still cost."""

from typing import Any

from cyclopts import App

from arbees.cli.shared.console import (
    Json,
    dollars,
    plain,
    say,
    table,
)
from arbees.cli.shared.gateway import look

app = App(name="positions")


@app.default
def positions(*, as_json: Json = False) -> int:
    """Show what is held: cost, mark, P&L, and the worst case of each market.

    Example: `arbees positions`

    Example: `arbees positions --json`
    """
    return look("/v1/positions", show, as_json=as_json)


def show(found: dict[str, Any]) -> None:
    """Print positions for people; the worst case is that of the market, open orders included."""
    if not found["items"]:
        say("Nothing is held.")
        return
    table(
        ("Market", "Held", "Cost", "Mark", "Unrealized", "Realized", "Worst case"),
        [
            (
                f"{plain(each['platform'])} {plain(each['market_id'])} ({plain(each['sport'])})",
                f"{each['quantity']} {each['side']}",
                each["avg_cost"],
                each["mark"],
                dollars(each["unrealized_pnl"]),
                dollars(each["realized_pnl"]),
                dollars(each["worst_case_loss"]),
            )
            for each in found["items"]
        ],
    )
