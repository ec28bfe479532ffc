"""Pages of the gateway's history: results and fills, for people, as JSON and as CSV.

Guarantees that the newest come first, that as many are read as were asked for, page after page, and
that with `--csv` each cell is whole: what is a list stands there as JSON.
"""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from cyclopts import Parameter, validators

from arbees.cli.shared.console import print_bytes, print_json, say
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import ask, find_client
from arbees.cli.shared.http import GatewayAnswer
from arbees.core.orders.result import encode
from arbees.interface.history import PAGE_MAX

Csv = Annotated[bool, Parameter(name="--csv", negative="", help="Print CSV.")]
Since = Annotated[str | None, Parameter(help="From this time on, RFC 3339.")]
Until = Annotated[str | None, Parameter(help="Before this time, RFC 3339.")]
Strategy = Annotated[str | None, Parameter(help="Only of this strategy.")]
Market = Annotated[str | None, Parameter(help="Only in this market.")]
Limit = Annotated[
    int, Parameter(help="So many at most, the newest.", validator=validators.Number(gte=1))
]

Row = dict[str, Any]


def show_history(
    path: str,
    filters: dict[str, str | None],
    show: Callable[[list[Row]], None],
    *,
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> Exit:
    """
    Read what is asked for, and print it.

    Args:
        path: of the gateway.
        filters: of the question; None = not asked.
        show: prints rows for people.
        limit: rows at most.
        as_json: print `{items, cursor, sequence}` instead, over all pages.
        as_csv: print a line a row instead.
    """
    client = find_client()
    query = {name: value for name, value in filters.items() if value is not None}
    items: list[Row] = []
    is_more = True
    while is_more and len(items) < limit:
        query["limit"] = str(min(PAGE_MAX, limit - len(items)))
        asked = f"{path}?{urlencode(query)}"
        answer = ask(client, lambda gateway, asked=asked: gateway.get(asked))  # type: ignore[misc]
        if not isinstance(answer, GatewayAnswer):
            return answer
        found = answer.json
        items += found["items"]
        is_more = found["cursor"] not in {None, query.get("cursor")}
        query["cursor"] = found["cursor"]
    if as_json:
        print_json({**found, "items": items})
    elif as_csv:
        print_csv(items)
    elif items:
        show(items)
    else:
        say("Nothing was found.")
    if is_more and not as_json:
        say(f"There is more: the newest {len(items)} are shown, --limit N shows more.")
    return Exit.OK


def print_csv(rows: Sequence[Row]) -> None:
    """Print rows as CSV, with a header; none of nothing."""
    if not rows:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    print_bytes(text.getvalue().encode())


def _cell(value: object) -> object:
    """Return a value as a cell; a text that a table would take for a formula is made harmless."""
    if isinstance(value, list | dict | bool):
        return encode(value).decode()
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
