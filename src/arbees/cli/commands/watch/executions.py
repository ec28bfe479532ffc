"""`arbees executions`: what became of requests, the newest first."""

from typing import Annotated

from cyclopts import App, Parameter

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
from arbees.cli.shared.console import Json, plain, styled, table
from arbees.core.language.words import ResultStatus

_STYLES = {"Rejected": "yellow", "Failed": "red", "Unknown": "bold red"}

app = App(name="executions")


@app.default
def executions(
    *,
    since: Since = None,
    until: Until = None,
    strategy: Strategy = None,
    market: Market = None,
    status: Annotated[
        ResultStatus | None, Parameter(help="Only results that stand so now.")
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """Show what was decided, and what became of it, the newest first.

    Example: `arbees executions --status Rejected --limit 20`

    Example: `arbees executions --since 2026-01-28T00:00:00Z --limit 100000 --csv`
    """
    filters = {"since": since, "until": until, "strategy": strategy, "market": market}
    filters["status"] = None if status is None else str(status)
    return show_history(
        "/v1/executions", filters, show, limit=limit, as_json=as_json, as_csv=as_csv
    )


def show(rows: list[Row]) -> None:
    """Print results for people."""
    table(
        ("Request", "Status", "Code", "Market", "Order", "Filled", "At", "Fees", "Strategy"),
        [
            (
                plain(each["request_id"]),
                styled(each["status"], _STYLES.get(each["status"], "")),
                each["code"],
                plain(each["market_id"]),
                f"{each['action']} {each['requested_size']} {each['side']} {each['limit_price']}",
                each["filled_qty"],
                each["avg_price"],
                each["fees"],
                plain(each["strategy"]),
            )
            for each in rows
        ],
    )
