"""`arbees balances`: the money at each venue; a figure that is too old to trade on is red."""

from typing import Any

from cyclopts import App

from arbees.cli.shared.console import (
    Json,
    dollars,
    plain,
    say,
    styled,
    table,
)
from arbees.cli.shared.gateway import look

app = App(name="balances")


@app.default
def balances(*, as_json: Json = False) -> int:
    """Show the money in each pool of each venue, and what of it is reserved.

    A venue with shards has a pool for each: what lies in one cannot be spent on another.

    Example: `arbees balances`

    Example: `arbees balances --json`
    """
    return look("/v1/balances", show, as_json=as_json)


def show(found: dict[str, Any]) -> None:
    """Print balances for people."""
    if not found["items"]:
        say("No balance is known yet.")
        return
    table(
        ("Venue", "Pool", "Available", "Reserved", "Equity", "As of"),
        [
            (
                plain(each["platform"]),
                plain(each["pool"] or each["platform"]),
                dollars(each["available"]),
                dollars(each["reserved"]),
                dollars(each["equity"]),
                styled(f"{each['as_of']} STALE", "bold red") if each["stale"] else each["as_of"],
            )
            for each in found["items"]
        ],
    )
