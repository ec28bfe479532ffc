"""`arbees fills`: the executions of orders, the newest first."""

from cyclopts import App

from arbees.cli.commands.watch.pages import (
    Csv,
    Limit,
    Market,
    Row,
    Since,
    Strategy,
    Until,
    show_history,
)
from arbees.cli.shared.console import Json, plain, table

app = App(name="fills")


@app.default
def fills(
    *,
    since: Since = None,
    until: Until = None,
    strategy: Strategy = None,
    market: Market = None,
    limit: Limit = 50,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """Show what was bought and sold, fill by fill, the newest first.

    Example: `arbees fills --strategy alpha`

    Example: `arbees fills --limit 100000 --csv`
    """
    filters = {"since": since, "until": until, "strategy": strategy, "market": market}
    return show_history("/v1/fills", filters, show, limit=limit, as_json=as_json, as_csv=as_csv)


def show(rows: list[Row]) -> None:
    """Print fills for people."""
    table(
        ("Time", "Request", "Market", "Fill", "At", "Fee", "Made", "Strategy", "Note"),
        [
            (
                each["time"],
                plain(each["request_id"]),
                plain(each["market_id"]),
                f"{each['action']} {each['quantity']} {each['side']}",
                each["price"],
                each["fee"],
                "maker" if each["is_maker"] else "taker",
                plain(each["strategy"]),
                "TAKEN BACK" if each["is_reversed"] else "",
            )
            for each in rows
        ],
    )
