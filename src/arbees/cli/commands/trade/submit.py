"""`arbees submit FILE|-`: send requests, hear what became of them.

Guarantees that the bytes are sent as they stand, so that the gateway judges what was written, and
that the exit code is that of the worst: 6 where an outcome is not known, 3 where one was denied.
Nothing is sent twice. After a gateway that was not reached the rest is not sent.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from cyclopts import App, Parameter
from rich.text import Text

from arbees.cli.shared.connection import place_of
from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_bytes,
    say,
)
from arbees.cli.shared.exits import Exit, of_problem, worse
from arbees.cli.shared.formats import TABLE_HINT, is_table
from arbees.cli.shared.http import GatewayAnswer, GatewayClient, Unreachable
from arbees.settings import load_here

WAIT_SECONDS_MAX = 60
GRACE_SECONDS = 15
"""Waited for an answer beyond what the gateway itself waits."""

_STYLES = {"Filled": "green", "Partial": "green", "Rejected": "red", "Failed": "red"}
_HALTS = frozenset({"HALTED", "REDUCE_ONLY"})

app = App(name="submit")


@app.default
def submit(
    file: Annotated[
        Path,
        Parameter(help="One request, or one a line; - reads stdin.", allow_leading_hyphen=True),
    ],
    /,
    *,
    wait: Annotated[float, Parameter(help="Seconds to wait for each final result, 0 to 60.")] = 10,
    as_json: Json = False,
) -> int:
    """Send requests to the gateway and print what became of them.

    The bytes are sent as they stand: one request, which may span lines, or JSON lines as they come.
    Nothing is ever sent twice by the command; sending a line again yourself is safe, since its key
    is the same. When the gateway is not reached, the lines after are not sent.

    Ends with 0 when all were decided and none denied, 3 denied, 4 halted, 6 unknown, 2 malformed,
    5 undecided, 69 not reached; of several lines the worst, in the order 0, 3, 4, 2, 1, 5, 69, 77,
    6.

    Example: `arbees submit request.json --json`

    Example: `cat requests.jsonl | arbees submit - --wait 0`
    """
    if not 0 <= wait <= WAIT_SECONDS_MAX:
        say(f"--wait: Expected seconds from 0 to {WAIT_SECONDS_MAX}, was {wait:g}")
        return Exit.USAGE
    client = GatewayClient(place_of(load_here()))
    if file == Path("-"):
        return _send_all(client, sys.stdin.buffer, wait, as_json=as_json)
    try:
        source = file.open("rb")
    except OSError as error:
        say(f"Cannot read {file}: {error.strerror}. Name a file of requests, or - for stdin")
        return Exit.USAGE
    if is_table(file):
        say(f"{file}: {TABLE_HINT}", style="yellow")
    with source:
        return _send_all(client, source, wait, as_json=as_json)


def _send_all(client: GatewayClient, source: BinaryIO, wait: float, *, as_json: bool) -> Exit:
    worst, count = Exit.OK, 0
    path = f"/v1/executions?wait={wait:g}"
    for number, request in requests_of(source):
        count += 1
        try:
            answer = client.post(path, request, wait + GRACE_SECONDS)
        except Unreachable as error:
            return _unreachable(error, number, worst)
        worst = worse(worst, exit_of(answer))
        if as_json:
            print_bytes(answer.body)
        else:
            show(answer, number)
    if count == 0:
        say("Expected a request, there was none", style="red")
        return Exit.USAGE
    return worst


def _unreachable(error: Unreachable, number: int, worst: Exit) -> Exit:
    if error.is_sent:
        say(f"line {number}: sent, but not answered: {error}", style="bold red")
        say("What became of it is not known. Ask again with the same key: it is not sent twice.")
        return Exit.UNKNOWN
    say(f"line {number}: not sent, the gateway is not reached: {error}", style="red")
    say("This line and the ones after it were not sent.")
    return worse(worst, Exit.UNREACHABLE)


def requests_of(source: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """
    Yield requests with the number of their line, as they come.

    One object may span lines: when the first line is no whole JSON value, but all lines together
    are, they are one request. Empty lines are left out.
    """
    lines = ((number, line.strip()) for number, line in enumerate(source, 1) if line.strip())
    first = next(lines, None)
    if first is None:
        return
    if _is_json(first[1]):
        yield first
        yield from lines
        return
    rest = list(lines)
    whole = b"\n".join(line for _, line in (first, *rest))
    if not rest or _is_json(whole):
        yield first[0], whole
    else:
        yield first
        yield from rest


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def exit_of(answer: GatewayAnswer) -> Exit:
    """Return how the command ends after this answer."""
    if answer.status >= 500 and answer.status != 503:
        return Exit.UNKNOWN
    if not answer.is_ok:
        return of_problem(answer.status)
    found = answer.json
    if found.get("status") == "Unknown":
        return Exit.UNKNOWN
    if found.get("rejected_by") == "gateway":
        return Exit.HALTED if found.get("code") in _HALTS else Exit.DENIED
    return Exit.OK


def show(answer: GatewayAnswer, number: int) -> None:
    """Print a result for people: a line, and one more for each denial and warning."""
    if not answer.is_ok:
        say(f"line {number}: {answer.problem}", style="red")
        return
    found: dict[str, Any] = answer.json
    status = Text(f"{found['status']:<9}", _STYLES.get(found["status"], "yellow"))
    what = (
        f"{plain(found['request_id'])}: {found['action']} {found['requested_size']} "
        f"{found['side']} of {plain(found['market_id'])} at {found['limit_price']}"
    )
    out(status, what)
    if found["filled_qty"]:
        out(f"          filled {found['filled_qty']} at {found['avg_price']}, fees {found['fees']}")
    if found["order_id"]:
        out(f"          order {plain(found['order_id'])}")
    if found["code"] and not found["denials"]:
        out(f"          {found['code']}: {plain(found['rejection_reason'])}")
    for kind in ("denials", "warnings"):
        for line in found[kind]:
            until = f" (until {line['until']})" if line["until"] else ""
            word = "denied by" if kind == "denials" else "warning of"
            out(f"          {word} {line['safeguard']}: {plain(line['message'])}{until}")
    if "original" in found:
        out(f"          the first under this key: {found['original']['status']}")
