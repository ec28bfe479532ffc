"""`arbees cancel ORDER_ID` or `--scope SCOPE`: cancel one order, or all of a scope.

Guarantees that nothing is cancelled by leaving something out, and that what is told in the end is
what became of the orders: a fill that was faster is told as a fill. A cancel of which the end is
not seen in time is on record all the same, and goes on.
"""

from typing import Annotated, Any
from urllib.parse import urlencode

from cyclopts import App, Parameter

from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_bytes,
    say,
    styled,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import (
    ask,
    find_client,
    follow,
    follow_receipt,
    of_nothing,
    show_receipt,
)
from arbees.cli.shared.http import (
    GatewayAnswer,
    GatewayClient,
    encoded,
    sendable,
)
from arbees.cli.shared.who import actor

PATH = "/v1/orders"
WAIT_SECONDS_MAX = 60

app = App(name="cancel")


@app.default
def cancel(
    order_id: Annotated[
        str | None, Parameter(help="Our own id of an order, or the venue's.")
    ] = None,
    /,
    *,
    scope: Annotated[
        str | None,
        Parameter(
            help="all, platform:X, sport:X, game:X, market:X, strategy:X or model_version:X."
        ),
    ] = None,
    reason: Annotated[str | None, Parameter(help="Why; it is journaled.")] = None,
    platform: Annotated[
        str | None, Parameter(help="Whose id it is, where two venues use the same.")
    ] = None,
    wait: Annotated[float, Parameter(help="Seconds to wait for the end, 0 to 60.")] = 5,
    as_json: Json = False,
) -> int:
    """Cancel one order, or all open orders of a scope; show what became of them.

    Ends with 0 when nothing of it is open any more, 1 when it filled instead or is not known, 6
    when the end was not seen in time: the cancel is on record and goes on.

    Example: `arbees cancel arb-0123456789abcdef`

    Example: `arbees cancel --scope sport:NBA --reason "late news"`
    """
    if (order_id is None) == (scope is None):
        say("Expected an order's id, or --scope (for everything: --scope all)", style="red")
        return Exit.USAGE
    if not 0 <= wait <= WAIT_SECONDS_MAX:
        say(f"--wait: Expected seconds from 0 to {WAIT_SECONDS_MAX}, was {wait:g}", style="red")
        return Exit.USAGE
    said = {"actor": actor(), "reason": reason, "scope": scope}
    if scope is not None and platform is not None:
        say(f"--platform: Expected with an order's id; else --scope platform:{platform}")
        return Exit.USAGE
    said["platform"] = platform
    query = urlencode({name: sendable(text) for name, text in said.items() if text is not None})
    place = PATH if order_id is None else f"{PATH}/{encoded(order_id)}"
    client = find_client(is_brake=True)
    answer = ask(client, lambda client: client.delete(f"{place}?{query}"))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if order_id is None:
        return _end_of_all(client, answer, wait, as_json=as_json)
    return _end_of_one(client, answer, wait, as_json=as_json)


def _end_of_all(
    client: GatewayClient, answer: GatewayAnswer, wait: float, *, as_json: bool
) -> Exit:
    last: GatewayAnswer | None = answer
    if not answer.json["complete"] and wait:
        last = follow_receipt(client, answer.json["receipt_id"], wait)
    shown = answer if last is None else last
    if as_json:
        print_bytes(shown.body)
    else:
        show_receipt(shown.json)
    if shown.json["complete"]:
        return of_nothing(shown.json)
    say("Not all of them have ended; the cancels are on record and go on", style="yellow")
    return Exit.UNKNOWN


def _end_of_one(
    client: GatewayClient, answer: GatewayAnswer, wait: float, *, as_json: bool
) -> Exit:
    """Follow one order to its end; a cancel alone is not yet one."""
    asked = answer.json
    if asked["final"]:
        if as_json:
            print_bytes(answer.body)
        else:
            _tell(asked["client_order_id"], asked["status"], asked["filled_qty"])
        return Exit.FAILURE if asked["status"] == "FILLED" else Exit.OK
    path = f"/v1/executions/{encoded(asked['request_id'])}"
    last = follow(client, path, lambda found: bool(found.get("final")), wait) if wait else None
    if as_json:
        print_bytes((last or answer).body)
    if last is None or not last.json["final"]:
        if not as_json:
            out("Asked for:", plain(asked["client_order_id"]), plain(asked["status"]))
        say("Its end is not seen yet; the cancel is on record and goes on", style="yellow")
        return Exit.UNKNOWN
    found: dict[str, Any] = last.json
    if not as_json:
        _tell(asked["client_order_id"], found["status"], found["filled_qty"])
    return Exit.FAILURE if found["status"] == "Filled" else Exit.OK


def _tell(client_order_id: str, status: str, filled: object) -> None:
    style = "yellow" if status.upper() == "FILLED" else "green"
    out(plain(client_order_id), styled(status, style), f"filled {filled}")
