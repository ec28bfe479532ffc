"""`arbees pnl`: profit and loss, by strategy or by anything else."""

from typing import Annotated, Any
from urllib.parse import urlencode

from cyclopts import App, Parameter

from arbees.cli.commands.watch.pages import Csv, Since, print_csv
from arbees.cli.shared.console import Json, dollars, plain, print_bytes, say, styled, table
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import ask, find_client
from arbees.cli.shared.http import GatewayAnswer
from arbees.interface.history import PnlBy

app = App(name="pnl")


@app.default
def pnl(
    *,
    by: Annotated[PnlBy, Parameter(help="What tells groups apart.")] = "strategy",
    since: Since = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> int:
    """Show what the orders brought, of what was approved since a moment; ever unless given.

    Example: `arbees pnl --by model_version`

    Example: `arbees pnl --by day --csv`
    """
    query = urlencode({"by": by, **({} if since is None else {"since": since})})
    answer = ask(find_client(), lambda client: client.get(f"/v1/pnl?{query}"))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if as_json:
        print_bytes(answer.body)
    elif as_csv:
        print_csv(answer.json["rows"])
    else:
        show(answer.json)
    return Exit.OK


def show(found: dict[str, Any]) -> None:
    """Print profit and loss for people."""
    if not found["rows"]:
        say("Nothing was traded.")
        return
    table(
        (
            found["by"].replace("_", " ").capitalize(),
            "Total",
            "Realized",
            "Unrealized",
            "Fees",
            "Fills",
        ),
        [
            (
                plain(each["name"]),
                _amount(each["total"]),
                _amount(each["realized"]),
                _amount(each["unrealized"]),
                dollars(each["fees"]),
                each["fills"],
            )
            for each in found["rows"]
        ],
    )


def _amount(value: Any) -> object:  # noqa: ANN401 - an exact number of JSON, or null
    """Return an amount; red where it is lost, a question mark where a mark is missing."""
    if value is None:
        return styled("no mark", "yellow")
    return styled(dollars(value), "red" if value < 0 else "")
