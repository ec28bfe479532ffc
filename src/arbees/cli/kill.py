"""`arbees kill on|off|reduce|status`: the operator's brake.

Guarantees that `kill on` leaves something in force: the gateway's answer says so, or the
kill-switch file is there, which halts a gateway that still runs and the next one that starts. It
needs no flawless settings and no reason to be typed. It says loudly when neither could be done.
"""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli import place
from arbees.cli.console import Json, out, print_bytes, print_json, say, state
from arbees.cli.exits import Exit, of_problem
from arbees.cli.http import Answer, Client, Unreachable
from arbees.cli.looking import follow_receipt, show_receipt
from arbees.cli.place import Place
from arbees.cli.status import show_halts
from arbees.cli.who import actor
from arbees.core.result import encode

PATH = "/v1/kill-switch"
RECEIPT_SECONDS = 3.0
"""How long to watch what a halt does to open orders."""
_REFUSALS = frozenset({400, 401, 403, 409})
"""Answers of a gateway that is well and says no: the file is no way around it."""

Scope = Annotated[
    str,
    Parameter(help="all, platform:X, sport:X, market:X, strategy:X or model_version:X."),
]
Reason = Annotated[str | None, Parameter(help="Why; it is journaled.")]

app = App(name="kill", help="Stop trading, reduce, resume: the kill switch.")


@app.command
def on(*, scope: Scope = "all", reason: Reason = None, as_json: Json = False) -> int:
    """Stop trading: no new order leaves, ours are cancelled. Without a gateway, the file is made.

    It needs no reason and no flawless settings. The halt survives a restart.

    Ends with 0 when the gateway says that the halt is in force and durable, 69 when it could not
    say so; then the kill-switch file is there, which halts everything.

    Example: `arbees kill on --reason "the model is wrong"`
    """
    where = _find()
    try:
        answer = Client(where).post(PATH, _order("ENABLE", scope, reason))
    except Unreachable as error:
        say(f"The gateway did not answer: {error}", style="red")
        return _stop_by_file(where, reason, as_json=as_json)
    found = answer.json
    if answer.is_ok and found.get("in_force") and found.get("durable"):
        return _tell(where, answer, as_json=as_json)
    if answer.status in {401, 403}:
        say(f"The kill-switch file needs no key: touch {where.kill_file}", style="bold")
    if answer.status in _REFUSALS:
        return _refused(answer, "NOT STOPPED: ", as_json=as_json)
    say(f"The gateway could not make the halt durable: {answer.problem}", style="red")
    return _stop_by_file(where, reason, as_json=as_json)


@app.command
def reduce(*, scope: Scope = "all", reason: Reason = None, as_json: Json = False) -> int:
    """Let only reducing orders pass; opening ones are cancelled.

    Example: `arbees kill reduce --scope sport:NBA --reason "late news"`
    """
    where = _find()
    return _ask(where, _order("REDUCE", scope, reason), as_json=as_json)


@app.command
def off(
    *,
    scope: Scope = "all",
    reason: Reason = None,
    acknowledge: Annotated[
        bool,
        Parameter(negative="", help="Lift also what the gateway halted by itself; look first."),
    ] = False,
    as_json: Json = False,
) -> int:
    """Resume trading in a scope.

    Ends with 4 while a halt remains: an automatic one without --acknowledge, or the file.

    Example: `arbees kill off --scope strategy:alpha --acknowledge --reason "fixed"`
    """
    where = _find()
    code = _ask(where, _order("DISABLE", scope, reason, acknowledge=acknowledge), as_json=as_json)
    if os.path.lexists(where.kill_file):
        say(f"The kill-switch file still halts everything. Remove it: rm {where.kill_file}")
        return Exit.HALTED if code is Exit.OK else code
    return code


@app.command
def status(*, as_json: Json = False) -> int:
    """Show what is halted.

    Ends with 0 also when halted, 69 when the gateway is not reached.

    Example: `arbees kill status --json`
    """
    where = _find()
    if os.path.lexists(where.kill_file):
        say(f"The kill-switch file {where.kill_file} exists", style="bold red")
    try:
        answer = Client(where).get(PATH)
    except Unreachable as error:
        say(f"The gateway is not reached: {error}", style="red")
        return Exit.UNREACHABLE
    if not answer.is_ok:
        say(answer.problem, style="red")
        return of_problem(answer.status)
    _show(answer, as_json=as_json)
    return Exit.OK


def _find() -> Place:
    where = place.find()
    place.tell_doubts(where)
    return where


def _order(action: str, scope: str, reason: str | None, *, acknowledge: bool = False) -> bytes:
    named = actor()
    return encode(
        {
            "action": action,
            "scope": scope,
            "reason": reason or f"arbees kill by {named}",
            "acknowledge": acknowledge,
            "source": "command",
            "actor": named,
        }
    )


def _ask(where: Place, order: bytes, *, as_json: bool) -> Exit:
    try:
        answer = Client(where).post(PATH, order)
    except Unreachable as error:
        doubt = "whether it heard is not known" if error.is_sent else "nothing was changed"
        say(f"The gateway did not answer, {doubt}: {error}", style="red")
        return Exit.UNREACHABLE
    if not answer.is_ok:
        return _refused(answer, as_json=as_json)
    return _tell(where, answer, as_json=as_json)


def _refused(answer: Answer, lead: str = "", *, as_json: bool) -> Exit:
    if as_json:
        print_bytes(answer.body)
    say(f"{lead}{answer.problem}", style="bold red" if lead else "red")
    return Exit.HALTED if answer.status == 409 else of_problem(answer.status)


def _tell(where: Place, answer: Answer, *, as_json: bool) -> Exit:
    """Print what is in force, and what becomes of the orders that a halt chases."""
    _show(answer, as_json=as_json)
    found = answer.json
    if not found.get("durable"):
        say("In force, but not durable: the journal failed", style="bold red")
        return Exit.FAILURE
    if not found.get("in_force"):
        return Exit.HALTED
    receipt_id = found.get("receipt_id")
    if receipt_id and not as_json:
        last = follow_receipt(Client(where), receipt_id, RECEIPT_SECONDS)
        if last is not None:
            show_receipt(last.json)
    return Exit.OK


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_bytes(answer.body)
        return
    found = answer.json
    out("State:", state(found.get("state")))
    show_halts(found.get("halts", []))


def _stop_by_file(where: Place, reason: str | None, *, as_json: bool) -> Exit:
    """Make the kill-switch file. Its existence is the halt, so making it is one step."""
    path = Path(os.path.abspath(where.kill_file))  # noqa: PTH100 - a link stays what it is
    try:
        is_new = _make(path, f"{reason or 'arbees kill on'} ({actor()})\n")
    except OSError as error:
        say(f"NOT STOPPED: cannot make {path}: {error.strerror}", style="bold red")
        say("End the gateway's process, or make the file that it watches by hand", style="bold")
        return Exit.NO_PERMISSION if isinstance(error, PermissionError) else Exit.FAILURE
    if as_json:
        print_json({"in_force": None, "durable": True, "kill_switch_file": str(path)})
    made = "was made" if is_new else "is there already"
    say(f"The kill-switch file {path} {made}.", style="bold")
    say("It halts everything on a gateway of this machine whose KILL_SWITCH_FILE it is,")
    say(f"now and after a restart, until it is removed: rm {path}")
    return Exit.UNREACHABLE


def _make(path: Path, text: str) -> bool:
    """Make a file, and tell whether it was not there before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(number, "w", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(number)
        except OSError as error:
            say(f"The file is there, its text is not: {error.strerror}")
    return True
