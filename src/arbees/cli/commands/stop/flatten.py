"""`arbees flatten`: close what is held, through every safeguard.

Guarantees that what is told in the end is what became of it: each part that could not be closed is
named with the reason, and the exit code says whether anything is left.
"""

from decimal import Decimal
from typing import Annotated, Any

from cyclopts import App, Parameter

from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_bytes,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit, worse
from arbees.cli.shared.gateway import (
    ask,
    find_client,
    follow_receipt,
    of_nothing,
    show_receipt,
    still_working,
)
from arbees.cli.shared.http import GatewayAnswer, GatewayClient, sendable
from arbees.cli.shared.who import actor
from arbees.core.orders.result import encode

PATH = "/v1/flatten"
SECONDS = 15.0
FOLLOWED_SECONDS = 60.0
_HALTED = frozenset({"HALTED", "REDUCE_ONLY"})

app = App(name="flatten")


@app.default
def flatten(
    *,
    scope: Annotated[
        str,
        Parameter(help="all, platform:X, sport:X, game:X, market:X or strategy:X."),
    ] = "all",
    reason: Annotated[str | None, Parameter(help="Why; it is journaled.")] = None,
    max_slippage: Annotated[
        Decimal | None,
        Parameter(help="Dollars a contract below the best bid; the collar unless given."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Cancel the open orders of a scope and sell what is held, inside the collar.

    It works while trading is reduced. Where it is halted, step the halt down first:
    `arbees kill reduce --acknowledge`.

    Ends with 0 when nothing is held any more, 1 when something could not be closed, 3 when that was
    denied, 4 when it is halted, 6 when an order's end was not seen in time.

    Example: `arbees flatten --reason "the model is wrong"`

    Example: `arbees flatten --scope strategy:alpha --max-slippage 0.02`
    """
    client = find_client()
    body = {"scope": sendable(scope), "actor": actor()}
    if reason is not None:
        body["reason"] = sendable(reason)
    if max_slippage is not None:
        body["max_slippage"] = str(max_slippage)
    answer = ask(client, lambda client: client.post(PATH, encode(body), SECONDS))
    if not isinstance(answer, GatewayAnswer):
        return answer
    return _end(client, answer, as_json=as_json)


def _end(client: GatewayClient, answer: GatewayAnswer, *, as_json: bool) -> Exit:
    if not answer.json["complete"]:
        last = follow_receipt(client, answer.json["receipt_id"], FOLLOWED_SECONDS)
        answer = answer if last is None else last
    found = answer.json
    if as_json:
        print_bytes(answer.body)
    else:
        _show(found)
    working = still_working(found)
    if working is not Exit.OK or not found["complete"]:
        return Exit.UNKNOWN
    left = found["left"]
    if any(each["code"] in _HALTED for each in left):
        say("Trading is halted there: arbees kill reduce --acknowledge", style="bold red")
        return Exit.HALTED
    if any(each["code"] is not None for each in left):
        return Exit.DENIED
    return worse(of_nothing(found), Exit.FAILURE if left else Exit.OK)


def _show(found: dict[str, Any]) -> None:
    show_receipt(found)
    if found["closing"]:
        table(
            ("Market", "Side", "Sold", "Of", "At least", "Status"),
            [
                (
                    each["market_id"],
                    each["side"],
                    each["filled_qty"],
                    each["quantity"],
                    each["limit_price"],
                    each["status"],
                )
                for each in found["closing"]
            ],
        )
    elif not found["left"]:
        out("Nothing is held there")
    for each in found["left"]:
        held = f"{each['quantity']} {each['side']} of {plain(each['market_id'])}"
        out(styled("LEFT", "bold red"), held, plain(each["reason"]))
