"""`arbees reconcile`: compare with the venues now; `list`, `resolve` and `adopt` breaks.

Guarantees that a venue that could not be compared is no success, and that nobody ends a break
without naming it and saying why.
"""

from typing import Annotated, Any

from cyclopts import App, Parameter

from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_bytes,
    say,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import ask, find_client, look
from arbees.cli.shared.http import GatewayAnswer
from arbees.cli.shared.who import actor
from arbees.core.orders.result import encode

PATH = "/v1/reconciliations"
SECONDS = 60.0
"""Venues are asked, each several times where something moves."""

app = App(name="reconcile")


@app.default
def reconcile(*, as_json: Json = False) -> int:
    """Compare orders, positions and settlements with every venue now.

    Ends with 0 when all agree, 1 when a break is open, 5 when a venue could not be compared.

    Example: `arbees reconcile`

    Example: `arbees reconcile --json`
    """
    answer = ask(find_client(), lambda client: client.post(PATH, b"", SECONDS))
    if not isinstance(answer, GatewayAnswer):
        return answer
    found = answer.json
    if as_json:
        print_bytes(answer.body)
    else:
        show_breaks({"items": found["breaks"]})
    if found["failed"]:
        say(f"Not compared, so nothing is concluded: {', '.join(found['failed'])}", style="red")
        return Exit.UNAVAILABLE
    return Exit.FAILURE if found["breaks"] else Exit.OK


@app.command(name="list")
def list_(*, as_json: Json = False) -> int:
    """Show the open breaks, without a comparison.

    Example: `arbees reconcile list`
    """
    return look(PATH, show_breaks, as_json=as_json)


@app.command
def resolve(
    break_id: Annotated[str, Parameter(help="As the list shows it; quote it, it holds a bar.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why it is none; it is journaled.")],
    as_json: Json = False,
) -> int:
    """End a break by hand. The next comparison opens it again if the difference is still there.

    Example: `arbees reconcile resolve "Kalshi|position|NBA-BOS" --reason "corrected there"`
    """
    body = encode({"break_id": break_id, "reason": reason, "actor": actor()})
    answer = ask(find_client(), lambda client: client.post(f"{PATH}/resolve", body))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if as_json:
        print_bytes(answer.body)
    else:
        out(f"Ended: {plain(break_id)}, record {answer.json['sequence']}")
    return Exit.OK


@app.command
def adopt(
    break_id: Annotated[str, Parameter(help="As the list shows it; quote it, it holds a bar.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why the venue is right; it is journaled.")],
    as_json: Json = False,
) -> int:
    """Take the venue's word of a break: its position, its cash, or the order that it shows.

    The venue is compared first. The break ends, and does not come back.

    Example: `arbees reconcile adopt "Kalshi|cash|Kalshi:3" --reason "a trade by hand"`
    """
    body = encode({"break_id": break_id, "reason": reason, "actor": actor()})
    answer = ask(find_client(), lambda client: client.post(f"{PATH}/adopt", body, SECONDS))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if as_json:
        print_bytes(answer.body)
    else:
        out(f"Adopted: {plain(break_id)}, record {answer.json['sequence']}")
    return Exit.OK


def show_breaks(found: dict[str, Any]) -> None:
    """Print breaks for people."""
    if not found["items"]:
        out("No break is open.")
        return
    table(
        ("Break", "We have", "The venue has", "Does", "Since"),
        [
            (
                plain(each["break_id"]),
                plain(each["expected"]),
                plain(each["observed"]),
                plain(each["policy"]),
                each["since"],
            )
            for each in found["items"]
        ],
    )
