"""`arbees orders`: what is open; `orders resolve` ends an order of unknown fate by hand.

Guarantees that an unknown order is red, and that nobody ends one without naming it, how, and why.
"""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.text import Text

from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_bytes,
    say,
    styled,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import ask, find_client, look
from arbees.cli.shared.http import GatewayAnswer
from arbees.cli.shared.who import actor
from arbees.core.orders.result import encode

PATH = "/v1/orders"
_INDENT = " " * 4
_STYLES = {"UNKNOWN": "bold red", "PENDING": "yellow"}

app = App(name="orders")


@app.default
def orders(*, as_json: Json = False) -> int:
    """Show the open orders: working, in flight and of unknown fate.

    Example: `arbees orders`

    Example: `arbees orders --json`
    """
    return look(PATH, show, as_json=as_json)


def show(found: dict[str, Any]) -> None:
    """Print open orders for people."""
    if not found["items"]:
        say("No order is open.")
        return
    for each in found["items"]:
        _show(each)


def _show(order: dict[str, Any]) -> None:
    """Print one order; each of its ids stands whole on a line, ready to be copied."""
    asked = f"{order['action']} {order['size']} {order['side']} at {order['limit_price']}"
    out(_status(order), f"{plain(order['request_id'])}: {asked} {order['time_in_force']}")
    out(f"{_INDENT}{plain(order['platform'])} {plain(order['market_id'])}")
    out(f"{_INDENT}filled {order['filled_qty']}, since {order['created_at']}")
    for name in filter(None, (order["order_id"], order["client_order_id"])):
        out(f"{_INDENT}{plain(name)}")


def _status(order: dict[str, Any]) -> Text:
    asked = ", cancel asked for" if order.get("cancel_reason") else ""
    word = styled(order["status"], _STYLES.get(order["status"], ""))
    word.append(asked)
    return word


@app.command
def resolve(
    client_order_id: Annotated[str, Parameter(help="Our own id of the order (arb-...).")],
    /,
    *,
    end: Annotated[
        Literal["not_sent", "cancelled"],
        Parameter(name="--as", help="It never was at the venue; or it is there no more."),
    ],
    reason: Annotated[str, Parameter(help="Why you are sure; it is journaled.")],
    as_json: Json = False,
) -> int:
    """End an order of unknown fate by hand, after a look at the venue.

    What it reserved is free again, and with `not_sent` its key. Should it turn up after all, its
    fills are taken, and the next comparison finds it.

    Ends with 1 when the order is not of unknown fate.

    Example: `arbees orders resolve arb-0123456789abcdef --as not_sent --reason "asked support"`
    """
    body = encode(
        {"client_order_id": client_order_id, "end": end, "reason": reason, "actor": actor()}
    )
    answer = ask(find_client(), lambda client: client.post(f"{PATH}/resolve", body))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if as_json:
        print_bytes(answer.body)
    else:
        out(f"Ended as {end}: {plain(client_order_id)}, record {answer.json['sequence']}")
    return Exit.OK
