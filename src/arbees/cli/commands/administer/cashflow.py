"""`arbees cashflow PLATFORM AMOUNT --reason TEXT`: record a deposit or a withdrawal.

Guarantees that it is asked for once: an answer that is lost leaves it to a look at the balances.
"""

from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli.shared.console import (
    Json,
    dollars,
    out,
    print_bytes,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import ask, find_client
from arbees.cli.shared.http import GatewayAnswer
from arbees.cli.shared.who import actor
from arbees.core.orders.result import encode

app = App(name="cashflow")


@app.default
def cashflow(
    platform: Annotated[str, Parameter(help="Kalshi or Polymarket.")],
    amount: Annotated[
        str, Parameter(help="Dollars; below 0 a withdrawal.", allow_leading_hyphen=True)
    ],
    /,
    *,
    reason: Annotated[str, Parameter(help="What it is; it is journaled.")],
    as_json: Json = False,
) -> int:
    """Record a deposit, or a withdrawal; on paper it is made there too.

    Ends with 1 when the paper account has less than what is withdrawn.

    Example: `arbees cashflow Kalshi 500 --reason "from the bank"`

    Example: `arbees cashflow Polymarket -120.50 --reason "to the bank"`
    """
    body = encode({"platform": platform, "amount": amount, "reason": reason, "actor": actor()})
    answer = ask(find_client(), lambda client: client.post("/v1/cashflows", body))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if as_json:
        print_bytes(answer.body)
    else:
        found = answer.json
        way = "withdrawn" if found["amount"] < 0 else "deposited"
        moved = dollars(abs(found["amount"]))
        out(f"{found['platform']}: {moved} {way}, record {found['sequence']}")
    return Exit.OK
