"""`arbees kill on|off|reduce|status`: the operator's brake.

Guarantees that `kill on` acts before it speaks, and leaves something in force: the gateway's answer
proves it, or the kill-switch file is there, which halts a gateway that still runs and the next one
that starts. It needs no flawless settings, no terminal and no reason to be typed, and its exit code
never says more than what is known. It says loudly when nothing could be done.
"""

import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from cyclopts import App, Parameter

from arbees.cli.commands.watch.status import show_halts
from arbees.cli.shared import connection
from arbees.cli.shared.connection import GatewayAddress
from arbees.cli.shared.console import (
    Json,
    out,
    print_bytes,
    print_json,
    say,
    state,
    styled,
)
from arbees.cli.shared.exits import Exit, of_problem, worse
from arbees.cli.shared.gateway import follow_receipt, show_receipt, still_working
from arbees.cli.shared.http import (
    GatewayAnswer,
    GatewayClient,
    Unreachable,
    sendable,
)
from arbees.cli.shared.who import actor
from arbees.core.orders.result import encode
from arbees.errors import without_login
from arbees.interface.views import KillReply, Receipt

PATH = "/v1/kill-switch"
_REASON_MAX = 1_000
ANSWER_SECONDS = 2.0
"""How long the gateway has to say that the halt is in force, before the file is made."""
RECEIPT_SECONDS = 3.0
"""How long to watch what a halt does to open orders."""
_KEYS = frozenset({"KEY_REQUIRED", "SCOPE_REQUIRED", "STRATEGY_REFUSED"})
_REFUSALS = _KEYS | {"MALFORMED", "TOO_MANY_HALTS"}
"""Codes of a gateway that is well and says no: the file is no way around it."""

_GUESS = "what names the gateway cannot be read, so {} may be another one"

Scope = Annotated[
    str,
    Parameter(help="all, platform:X, sport:X, game:X, market:X, strategy:X or model_version:X."),
]
Reason = Annotated[str | None, Parameter(help="Why; it is journaled.")]

app = App(name="kill", help="Stop trading, reduce, resume: the kill switch.")


@app.command
def on(*, scope: Scope = "all", reason: Reason = None, as_json: Json = False) -> int:
    """Stop trading: no new order leaves, ours are cancelled. Without a gateway, the file is made.

    It acts before it speaks, and needs no reason, no terminal and no flawless settings. The halt
    survives a restart.

    Ends with 0 when the gateway says that the halt is in force and durable and no order of ours
    works any more, 6 while one still works at a venue, 1 where the scope matches nothing known,
    69 when the gateway could not say so within 2 s; then the kill-switch file is there, which halts
    everything. After `NOT STOPPED` it ends with 1, 2 or 77.

    Example: `arbees kill on --reason "the model is wrong"`
    """
    where = connection.find_to_stop()
    stop = _stop(where, scope, reason)
    connection.tell_doubts(where)
    return _tell_stop(where, stop, as_json=as_json)


@app.command
def reduce(
    *,
    scope: Scope = "all",
    reason: Reason = None,
    acknowledge: Annotated[
        bool,
        Parameter(negative="", help="Step down also what halts the scope harder; look first."),
    ] = False,
    as_json: Json = False,
) -> int:
    """Let only reducing orders pass; opening ones are cancelled.

    What halts the scope harder stays as it is. With --acknowledge it is stepped down, also what the
    gateway halted by itself: the way out of a day that lost too much. That holds while the loss
    lasts; another tenth of the limit lost halts anew. Ends as `kill on` does where the gateway
    answers.

    Example: `arbees kill reduce --acknowledge --reason "closing what is left"`

    Example: `arbees kill reduce --scope sport:NBA --reason "late news"`
    """
    where = connection.find_to_stop()
    heard = _heard(where, _order("REDUCE", scope, reason, acknowledge=acknowledge))
    connection.tell_doubts(where)
    code = _tell_heard(where, heard, as_json=as_json)
    if isinstance(heard, GatewayAnswer) and heard.is_ok and heard.json.get("state") == "HALTED":
        say("Halted as before: to let what reduces pass, add --acknowledge", style="bold red")
    if where.is_guess and isinstance(heard, GatewayAnswer):
        say(f"PERHAPS NOT YOURS: {_GUESS.format(where.url)}", style="bold red")
        return worse(code, Exit.FAILURE)
    return code


@app.command
def off(
    *,
    scope: Scope = "all",
    reason: Reason = None,
    acknowledge: Annotated[
        bool,
        Parameter(negative="", help="Lift also what the gateway halted by itself; look first."),
    ] = False,
    every: Annotated[
        bool, Parameter(negative="", help="Lift in every scope, not in this one alone.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Resume trading in a scope.

    Ends with 4 while a halt remains: an automatic one without --acknowledge, one that somebody else
    raised where the key is bound to a strategy, or the file.

    Example: `arbees kill off --scope strategy:alpha --acknowledge --reason "fixed"`
    """
    where = connection.find()
    connection.require_address(where)
    connection.tell_doubts(where)
    order = _order("DISABLE", scope, reason, acknowledge=acknowledge, every=every)
    code = _tell_heard(where, _heard(where, order), as_json=as_json)
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
    where = connection.find()
    connection.tell_doubts(where)
    if os.path.lexists(where.kill_file):
        say(f"The kill-switch file {where.kill_file} exists", style="bold red")
    try:
        answer = GatewayClient(where).get(PATH)
    except Unreachable as error:
        say(f"The gateway is not reached: {error}", style="red")
        return Exit.UNREACHABLE
    if not answer.is_ok:
        say(answer.problem, style="red")
        return of_problem(answer.status)
    _show(answer, as_json=as_json)
    return Exit.OK


def _order(
    action: str,
    scope: str,
    reason: str | None,
    *,
    acknowledge: bool = False,
    every: bool = False,
) -> bytes:
    named = actor()
    return encode(
        {
            "action": action,
            "scope": sendable(scope),
            "reason": sendable(reason or f"arbees kill by {named}")[:_REASON_MAX],
            "acknowledge": acknowledge,
            **({"every": True} if every else {}),
            "source": "command",
            "actor": named,
        }
    )


def _heard(where: GatewayAddress, order: bytes) -> GatewayAnswer | Unreachable:
    try:
        return GatewayClient(where).post(PATH, order)
    except Unreachable as error:
        return error


def _tell_heard(
    where: GatewayAddress, heard: GatewayAnswer | Unreachable, *, as_json: bool
) -> Exit:
    if isinstance(heard, Unreachable):
        doubt = "whether it heard is not known" if heard.is_sent else "nothing was changed"
        say(f"The gateway did not answer, {doubt}: {heard}", style="red")
        return Exit.UNREACHABLE
    if not heard.is_ok:
        return _refused(heard, as_json=as_json)
    return _tell(where, heard, as_json=as_json)


def _refused(answer: GatewayAnswer, lead: str = "", *, as_json: bool) -> Exit:
    if as_json:
        print_bytes(answer.body)
    say(f"{lead}{answer.problem}", style="bold red" if lead else "red")
    return Exit.HALTED if answer.status == 409 else of_problem(answer.status)


def _tell(where: GatewayAddress, answer: GatewayAnswer, *, as_json: bool) -> Exit:
    """Print what is in force, and what becomes of the orders that a halt chases."""
    found = answer.json
    receipt: dict[str, Any] | None = None
    code = Exit.OK
    if not as_json:
        _show(answer, as_json=False)
    if not found.get("durable"):
        say("In force, but not durable: the journal failed", style="bold red")
        code = Exit.FAILURE
    elif not found.get("in_force"):
        code = Exit.HALTED
    elif found.get("receipt_id"):
        receipt = _receipt(where, found["receipt_id"])
        code = Exit.UNKNOWN if receipt is None else still_working(receipt)
        if receipt is not None and not as_json:
            show_receipt(receipt)
    if as_json:
        print_json(found if receipt is None else {**found, "receipt": receipt})
    if found.get("matches_nothing"):
        code = worse(code, Exit.FAILURE)
    return code


def _receipt(where: GatewayAddress, receipt_id: str) -> dict[str, Any] | None:
    """Return what became of orders so far; None = it cannot be read, which was said."""
    last = follow_receipt(GatewayClient(where), receipt_id, RECEIPT_SECONDS)
    if last is None:
        return None
    try:
        msgspec.json.decode(last.body, type=Receipt)
    except msgspec.DecodeError:
        say("What became of orders cannot be read: it is no receipt", style="red")
        return None
    receipt: dict[str, Any] = last.json
    return receipt


def _show(answer: GatewayAnswer, *, as_json: bool) -> None:
    if as_json:
        print_bytes(answer.body)
        return
    found = answer.json
    scope = found.get("scope")
    if scope is not None and found.get("receipt_id"):
        if found.get("matches_nothing"):
            say(
                f"{scope} MATCHES NOTHING KNOWN: nothing that trades was stopped. It is taken, and "
                "will hold for what comes under that name",
                style="bold red",
            )
        held = [each for each in found.get("halts", []) if each["scope"] == scope]
        word = held[0]["state"] if held else found.get("state")
        out(state(word), styled(scope, "bold"))
    if scope in {None, "all"} or not found.get("receipt_id"):
        out("State:", state(found.get("state")))
    else:
        out("State of everything else:", state(found.get("state")))
    show_halts(found.get("halts", []))


# Stopping --------------------------------------------------------------------------------------


class KillFileMade(NamedTuple):
    """What became of the kill-switch file."""

    path: str
    is_new: bool = False
    error: OSError | None = None
    note: str = ""


class _StopDone(NamedTuple):
    """What was done to stop, before a word of it is said."""

    answer: GatewayAnswer | None = None
    is_proved: bool = False
    """The gateway's answer proves that the halt is in force and durable."""
    trouble: str = ""
    """Why the gateway is no answer."""
    file: KillFileMade | None = None


def _stop(where: GatewayAddress, scope: str, reason: str | None) -> _StopDone:
    """Stop by the gateway, and where its answer proves nothing by the file. Says nothing."""
    order = _order("ENABLE", scope, reason)
    heard = connection.in_time(lambda: _confirmed(where, order), ANSWER_SECONDS)
    if heard is None:
        heard = f"{without_login(where.url)}: no answer in {ANSWER_SECONDS:g} s"
    if isinstance(heard, str):
        return _StopDone(trouble=heard, file=_stop_by_file(where, reason))
    is_ours = where.stranger is None and not where.is_guess
    if is_ours and _proves_stop(heard, scope):
        return _StopDone(heard, is_proved=True)
    if not heard.is_ok and heard.json.get("code") in _REFUSALS and is_ours:
        return _StopDone(heard)
    trouble = heard.problem
    if where.stranger is not None:
        trouble = f"{where.url} is an address that only {where.stranger} names"
    elif where.is_guess:
        trouble = _GUESS.format(where.url)
    elif heard.is_ok:
        trouble = f"{where.url}: what it says is no proof that trading is halted"
    return _StopDone(heard, trouble=trouble, file=_stop_by_file(where, reason))


def _confirmed(where: GatewayAddress, order: bytes) -> GatewayAnswer | str:
    try:
        return GatewayClient(where).post(PATH, order, ANSWER_SECONDS)
    except Unreachable as error:
        return str(error)


def _proves_stop(answer: GatewayAnswer, scope: str) -> bool:
    """
    Tell whether an answer is that of a gateway which holds this halt, durably.

    It must name the halt itself: a program that says yes to everything does not.
    """
    try:
        found = msgspec.json.decode(answer.body, type=KillReply)
    except msgspec.DecodeError:
        return False
    is_durable = answer.status == 200 and found.in_force and found.durable and found.sequence > 0
    kind = scope.partition(":")[0].strip().lower()
    return is_durable and any(
        (each.source, each.scope.partition(":")[0]) == ("command", kind)
        and each.state in {"HALTED", "READ_ONLY"}
        for each in found.halts
    )


def _tell_stop(where: GatewayAddress, stop: _StopDone, *, as_json: bool) -> Exit:
    """Print what was done, and return how the command ends."""
    if stop.answer is not None and stop.is_proved:
        return _tell(where, stop.answer, as_json=as_json)
    if stop.file is None:
        assert stop.answer is not None
        code = _refused(stop.answer, "NOT STOPPED: ", as_json=as_json)
        if stop.answer.json.get("code") in _KEYS:
            say(f"The kill-switch file needs no key: touch {where.kill_file}", style="bold")
        return Exit.FAILURE if code is Exit.HALTED else code
    say(f"The gateway did not say that trading is halted: {stop.trouble}", style="red")
    return _tell_file(stop.file, as_json=as_json)


def _stop_by_file(where: GatewayAddress, reason: str | None) -> KillFileMade:
    """Make the kill-switch file. Its existence is the halt, so making it is one step."""
    path = str(where.kill_file)
    try:
        path = os.path.abspath(path)  # noqa: PTH100 - a link stays what it is
        return make_kill_file(Path(path), f"{reason or 'arbees kill on'} ({actor()})\n")
    except (OSError, ValueError) as error:
        known = error if isinstance(error, OSError) else OSError(0, str(error))
        return KillFileMade(path, error=known)


def _tell_file(file: KillFileMade, *, as_json: bool) -> Exit:
    path, error = file.path, file.error
    if error is not None:
        say(f"NOT STOPPED: cannot make {path}: {error.strerror}", style="bold red")
        say("End the gateway's process, or make the file that it watches by hand", style="bold")
        return Exit.NO_PERMISSION if isinstance(error, PermissionError) else Exit.FAILURE
    if as_json:
        print_json({"in_force": None, "durable": True, "kill_switch_file": path})
    made = "was made" if file.is_new else "is there already"
    say(f"The kill-switch file {path} {made}.", style="bold")
    if file.note:
        say(file.note)
    say("It halts everything on a gateway of this machine whose KILL_SWITCH_FILE it is,")
    say(f"now and after a restart, until it is removed: rm {path}")
    return Exit.UNREACHABLE


def make_kill_file(path: Path, text: str) -> KillFileMade:
    """Make a file, and tell whether it was not there before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        return KillFileMade(str(path))
    try:
        os.write(number, text.encode("utf-8", "replace"))
        os.fsync(number)
    except OSError as error:
        return KillFileMade(str(path), is_new=True, note=f"Its text is not there: {error.strerror}")
    finally:
        os.close(number)
    return KillFileMade(str(path), is_new=True)
