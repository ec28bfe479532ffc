"""`arbees status`: how the gateway is, on one screen.

Guarantees that a halted gateway is a success to have asked (exit 0), and that what an operator must
not miss (halts, safeguards that are off, unknown orders, warnings) is red.
"""

from collections.abc import Sequence
from typing import Any

from cyclopts import App
from rich.text import Text

from arbees.cli.shared import connection
from arbees.cli.shared.console import (
    Json,
    dollars,
    pairs,
    plain,
    print_bytes,
    say,
    state,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import GatewayClient, Unreachable

app = App(name="status")


@app.default
def status(*, as_json: Json = False) -> int:
    """Show how the gateway is.

    Ends with 0 also when it is halted, 69 when it is not reached.

    Example: `arbees status`

    Example: `arbees status --json`
    """
    where = connection.find()
    connection.tell_doubts(where)
    try:
        answer = GatewayClient(where).get("/v1/status")
    except Unreachable as error:
        say(f"The gateway is not reached: {error}", style="red")
        return Exit.UNREACHABLE
    if not answer.is_ok:
        say(answer.problem, style="red")
        return of_problem(answer.status)
    if as_json:
        print_bytes(answer.body)
    else:
        show(answer.json)
    return Exit.OK


def show(found: dict[str, Any]) -> None:
    """Print the status for people."""
    journal = found["journal"]
    unknown = found.get("unknown_orders", 0)
    pairs(
        [
            ("Gateway", f"{found['version']}, {found.get('account')}@{found.get('environment')}"),
            ("Mode", styled(found["mode"], "bold red" if found["mode"] == "live" else "")),
            ("State", state(found["state"])),
            ("P&L today", dollars(found["pnl_today"])),
            ("Exposure", dollars(found.get("total_exposure", 0))),
            ("Open orders", found.get("open_orders", 0)),
            ("Unknown orders", styled(unknown, "bold red" if unknown else "")),
            ("Journal", f"record {journal['sequence']}, {journal['hash'][:16]}"),
            ("Settings", found["settings_hash"][:16]),
        ]
    )
    table(
        ("Venue", "State", "Why"),
        [
            (_venue(each), state(each["state"]), "; ".join(each["reasons"]))
            for each in found["venues"]
        ],
    )
    show_refuses(found.get("refuses", ()))
    show_halts(found["halts"])
    for name in found["disabled_safeguards"]:
        why = f"safeguard {name}: {found.get('disabled_reason')}"
        pairs([("OFF", styled(why, "bold red"))])
    for text in found.get("warnings", ()):
        pairs([("Warning", styled(text, "yellow"))])


def _venue(each: dict[str, Any]) -> str:
    shard = each.get("shard")
    return str(each["platform"]) + ("" if shard is None else f" shard {shard}")


def show_refuses(refuses: Sequence[dict[str, Any]]) -> None:
    """Print what would be refused now, if anything would."""
    if not refuses:
        return
    table(
        ("Refuses", "Code", "Until", "Why"),
        [
            (
                styled(each["scope"], "bold red" if each["scope"] == "all" else "yellow"),
                each["code"],
                each["until"] or "",
                each["reason"],
            )
            for each in refuses
        ],
    )


def show_halts(halts: list[dict[str, Any]]) -> None:
    """Print the halts in force, if there are any."""
    if not halts:
        return
    table(
        ("Halt", "Scope", "Source", "Since", "Reason"),
        [
            (
                state(each["state"]),
                each["scope"],
                Text(plain(each["source"]) + (" (automatic)" if each["automatic"] else "")),
                each["since"],
                each["reason"],
            )
            for each in halts
        ],
    )
