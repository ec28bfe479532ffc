"""`arbees safeguards [NAME]`: each with the use of its limits; of one, its settings too.

Guarantees that what is off is red, and that what has no room left cannot be overlooked.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

from arbees.cli.shared.console import (
    Json,
    pairs,
    plain,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import ask, find_client, look
from arbees.cli.shared.http import GatewayAnswer

PATH = "/v1/safeguards"
NEARLY = Decimal("0.8")
"""Of a limit: more used than this is yellow."""

WINDOWS = {"RATE_LIMIT_MINUTE": "a minute", "RATE_LIMIT_HOUR": "an hour"}
"""Of limits that one scope has several times."""

app = App(name="safeguards")


@app.default
def safeguards(
    name: Annotated[str | None, Parameter(help="Show this one alone, with its settings.")] = None,
    /,
    *,
    as_json: Json = False,
) -> int:
    """Show the safeguards in the order of evaluation, and how much of each limit is used.

    Example: `arbees safeguards`

    Example: `arbees safeguards market_exposure --json`
    """
    if name is None:
        return look(PATH, show, as_json=as_json)
    answer = ask(find_client(), lambda client: client.get(PATH))
    if not isinstance(answer, GatewayAnswer):
        return answer
    items = answer.json["items"]
    found = next((each for each in items if each["name"] == name), None)
    if found is None:
        names = ", ".join(each["name"] for each in items)
        say(f"Expected one of {names}, was {name!r}", style="red")
        return Exit.USAGE
    if as_json:
        print_json(found)
    else:
        show({"items": [found]})
        pairs(found["settings"].items())
    return Exit.OK


def show(found: dict[str, Any]) -> None:
    """Print safeguards for people: a line for each use, or one where there is none."""
    table(
        ("Safeguard", "Scope", "Used", "Limit", "Left", "Denied today"),
        (row for each in found["items"] for row in _rows(each)),
    )


def _rows(safeguard: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    name: object = plain(safeguard["name"])
    denied: object = safeguard["denials_today"] or ""
    if not safeguard["enabled"]:
        yield styled(f"{name} OFF", "bold red"), "", "", "", "", denied
        return
    if not safeguard["used"]:
        yield name, "", "", "", "", denied
    for use in safeguard["used"]:
        yield name, _scope(use), use["value"], use["limit"], _left(use), denied
        name = denied = Text("")


def _scope(use: dict[str, Any]) -> str:
    window = WINDOWS.get(use.get("code", ""))
    return plain(use["scope"]) if window is None else f"{plain(use['scope'])}, {window}"


def _left(use: dict[str, Any]) -> Text:
    left = Decimal(use["headroom"])
    if left <= 0:
        return styled(use["headroom"], "bold red")
    return styled(use["headroom"], "yellow" if use["value"] > NEARLY * use["limit"] else "")
