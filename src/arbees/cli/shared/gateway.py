"""How commands look at the gateway and act on it: one way to ask, one way to say what went wrong.

Guarantees that what the gateway answered is printed as it came with `--json`, and that a command
ends with the code of what happened: 69 where the gateway is not reached, else that of the problem.
"""

import time
from collections.abc import Callable
from typing import Any

from arbees.cli.shared import connection
from arbees.cli.shared.console import out, print_bytes, say
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import (
    GatewayAnswer,
    GatewayClient,
    Unreachable,
    encoded,
)

RECEIPTS = "/v1/kill-switch/receipts"
_POLL_SECONDS = 0.1

Ask = Callable[[GatewayClient], GatewayAnswer]
"""Asks the gateway for one thing. Raises Unreachable."""


def find_client(*, is_brake: bool = False) -> GatewayClient:
    """
    Return the way to the gateway, also when some settings are malformed.

    Args:
        is_brake: go on also where the address is what is malformed.

    Raises:
        SettingsRefused: the address is malformed.
    """
    where = connection.find()
    if not is_brake:
        connection.require_address(where)
    connection.tell_doubts(where)
    return GatewayClient(where)


def ask(client: GatewayClient, question: Ask) -> GatewayAnswer | Exit:
    """Return what the gateway answered, or how the command ends; what went wrong was said."""
    try:
        answer = question(client)
    except Unreachable as error:
        if error.is_sent:
            say(f"No answer, and whether it was heard is not known: {error}", style="red")
        else:
            say(f"The gateway is not reached: {error}", style="red")
        return Exit.UNREACHABLE
    if not answer.is_ok:
        say(answer.problem, style="red")
        return of_problem(answer.status)
    return answer


def look(path: str, show: Callable[[dict[str, Any]], None], *, as_json: bool) -> Exit:
    """
    Read one thing and print it.

    Args:
        path: of the gateway.
        show: prints it for people.
        as_json: print the answer instead.
    """
    answer = ask(find_client(), lambda client: client.get(path))
    if not isinstance(answer, GatewayAnswer):
        return answer
    if as_json:
        print_bytes(answer.body)
    else:
        show(answer.json)
    return Exit.OK


def follow(
    client: GatewayClient, path: str, is_over: Callable[[dict[str, Any]], bool], seconds: float
) -> GatewayAnswer | None:
    """
    Read something again and again until it is over, but not for long.

    Args:
        client: of the gateway.
        path: what is read.
        is_over: tells it from what was read.
        seconds: how long to go on.

    Returns:
        The last answer; None = it cannot be read, which was said.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            answer = client.get(path)
        except Unreachable as error:
            say(f"What became of it cannot be read: {error}")
            return None
        if not answer.is_ok:
            say(f"What became of it cannot be read: {answer.problem}")
            return None
        if is_over(answer.json) or time.monotonic() > end:
            return answer
        time.sleep(_POLL_SECONDS)


def follow_receipt(client: GatewayClient, receipt_id: str, seconds: float) -> GatewayAnswer | None:
    """Read a receipt until it is complete, but not for long; None = it cannot be read."""
    path = f"{RECEIPTS}/{encoded(receipt_id)}"
    return follow(client, path, lambda found: bool(found.get("complete")), seconds)


def still_working(found: dict[str, Any]) -> Exit:
    """Return 6 while a venue may still hold an order of a receipt, which is said; else 0."""
    left: dict[str, list[str]] = {}
    for order in found.get("in_flight", ()):
        left.setdefault(str(order["platform"]), []).append(str(order["status"]))
    for platform, states in left.items():
        many = len(states) != 1
        say(
            f"{len(states)} order{'s' if many else ''} still work{'' if many else 's'} at "
            f"{platform} ({', '.join(sorted(set(states)))}): its cancel is asked for until the "
            "venue shows none of ours",
            style="bold red",
        )
    if not left and not found.get("complete"):
        say("Not every venue has shown yet that nothing of ours works there", style="bold red")
        return Exit.UNKNOWN
    return Exit.UNKNOWN if left else Exit.OK


def of_nothing(found: dict[str, Any]) -> Exit:
    """Return 1 where nothing known is in the scope of a receipt, which is said; else 0."""
    if not found.get("matches_nothing"):
        return Exit.OK
    say(f"{found['scope']} MATCHES NOTHING KNOWN: look at its spelling", style="bold red")
    return Exit.FAILURE


def show_receipt(found: dict[str, Any]) -> None:
    """Print what a receipt says, in a line."""
    out(
        f"Receipt {found['receipt_id']}: {len(found['cancelled'])} cancelled, "
        f"{len(found['in_flight'])} still in flight, "
        f"{len(found['filled_meanwhile'])} filled meanwhile"
    )
