"""`arbees drill`: prove each safeguard alive, on this host, with the settings of now.

Guarantees that nothing that runs is touched: each drill asks a gateway of its own, on the paper
exchange, in a temporary place. What it showed is journaled, by the gateway where it runs, else in
the journal of the settings, so that the pre-flight evidence can name it.
"""

import socket
import time
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console

from arbees import __version__
from arbees.cli.shared import connection
from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import GatewayClient, Unreachable
from arbees.cli.shared.offline_journal import actor, append
from arbees.core.orders.result import encode
from arbees.errors import LeaseLost
from arbees.interface.drills import (
    FAILURES_MAX,
    TEXT_MAX,
    DrillsWire,
    DrillWire,
    events_of,
)
from arbees.rehearsal.drills import Drill, drill_all
from arbees.rehearsal.drills.run import NAMES
from arbees.settings import Settings, load_here

LISTED_MAX = 3
"""So many drills are shown step by step; of more only what failed."""

app = App(name="drill")


@app.default
def drill(
    *names: Annotated[str, Parameter(help="Safeguards to drill, or idempotency.")],
    everything: Annotated[
        bool, Parameter(name="--all", negative="", help="Drill all of them; so it is without any.")
    ] = False,
    record: Annotated[bool, Parameter(help="Keep what was shown in the journal.")] = True,
    as_json: Json = False,
) -> int:
    """Prove each safeguard alive on this host, with the settings of now.

    A drill sets up a gateway of its own on the paper exchange, in recorded time, where only the
    safeguard that is drilled can be in the way. It sends an order exactly at the limit, which must
    reach the exchange, and one just above it, which must be denied with the safeguard's code; it
    halts by file and by command, and releases. Nothing that runs is touched.

    What it showed is kept in the journal (by the gateway where it runs), as evidence for
    `arbees preflight`. It counts until the limits change, and for DRILL_MAX_AGE_DAYS.

    Ends with 0 when every drill passed, 1 when one did not.

    Example: `arbees drill`

    Example: `arbees drill kill_switch daily_loss`

    Example: `arbees drill --all --json`
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        say(f"Expected names of {', '.join(NAMES)}, was {', '.join(unknown)}")
        return Exit.USAGE
    if names and everything:
        say("Expected names or --all, was both")
        return Exit.USAGE
    settings = load_here()
    chosen = tuple(name for name in NAMES if name in names) or NAMES
    found = _run(settings, chosen)
    code = Exit.OK if all(each.is_passed for each in found) else Exit.FAILURE
    kept: dict[str, Any] | None = None
    if record:
        kept, problem = _record(settings, found)
        code = code if problem is None else problem
    if as_json:
        print_json(_as_json(settings, found, kept))
    else:
        _show(found, kept)
    return code


def _run(settings: Settings, names: tuple[str, ...]) -> tuple[Drill, ...]:
    console = Console(stderr=True)
    with console.status("Drilling", spinner="line") as status:

        def shown(done: Drill) -> None:
            status.update(f"Drilled {done.safeguard}")

        return drill_all(settings, time.time_ns(), names, shown)


def wire_of(settings: Settings, found: tuple[Drill, ...]) -> DrillsWire:
    """Return drills as they are handed in."""
    return DrillsWire(
        limits_hash=settings.limits_hash,
        settings_hash=settings.hash,
        host=socket.gethostname()[:TEXT_MAX],
        version=__version__,
        drills=[
            DrillWire(
                safeguard=each.safeguard,
                passed=each.is_passed,
                failures=[text[:TEXT_MAX] for text in each.failures[:FAILURES_MAX]],
            )
            for each in found
        ],
    )


def _record(
    settings: Settings, found: tuple[Drill, ...]
) -> tuple[dict[str, Any] | None, Exit | None]:
    """Keep drills in the journal; return where, and how the command ends if it cannot."""
    run = wire_of(settings, found)
    try:
        answer = GatewayClient(connection.place_of(settings)).post("/v1/drills", encode(run))
    except Unreachable as error:
        if error.is_sent:
            say(f"Whether the gateway has kept the drills is not known: {error}", style="red")
            return None, Exit.UNREACHABLE
        return _append(settings, run)
    if not answer.is_ok:
        say(f"The gateway did not keep the drills: {answer.problem}", style="red")
        return None, of_problem(answer.status)
    if not answer.json["limits_agree"]:
        say(
            "The gateway runs under other limits than those that were drilled: restart it",
            style="yellow",
        )
    return {"by": "gateway", "sequence": answer.json["sequence"]}, None


def _append(settings: Settings, run: DrillsWire) -> tuple[dict[str, Any] | None, Exit | None]:
    try:
        head = append(settings, settings.mode, events_of(run, actor()))
    except LeaseLost as error:
        say(f"{error}. It is starting or stopping: come again when it answers.", style="red")
        return None, Exit.UNAVAILABLE
    journal = str(settings.journal_path())
    return {"by": "command line", "journal": journal, "sequence": head.sequence}, None


def _as_json(
    settings: Settings, found: tuple[Drill, ...], kept: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "passed": all(each.is_passed for each in found),
        "limits_hash": settings.limits_hash,
        "settings_hash": settings.hash,
        "host": socket.gethostname(),
        "recorded": kept,
        "drills": [
            {
                "safeguard": each.safeguard,
                "passed": each.is_passed,
                "steps": [
                    {"text": step.text, "as_expected": step.is_as_expected} for step in each.steps
                ],
            }
            for each in found
        ],
    }


def _show(found: tuple[Drill, ...], kept: dict[str, Any] | None) -> None:
    rows = []
    for each in found:
        mark = styled("passed", "green") if each.is_passed else styled("FAILED", "bold red")
        if len(found) > LISTED_MAX and each.is_passed:
            text = f"{len(each.steps)} steps, all as expected"
        else:
            steps = [step.text for step in each.steps if len(found) <= LISTED_MAX]
            text = "\n".join(steps if each.is_passed else each.failures)
        rows.append((each.safeguard, mark, text))
    table(("Safeguard", "Drill", "What was tried"), rows)
    failed = sum(not each.is_passed for each in found)
    if failed:
        out(styled(f"{failed} of {len(found)} failed", "bold red"))
    else:
        out(styled(f"All {len(found)} passed", "green"))
    if kept is not None:
        where = kept.get("journal", "the journal of the gateway")
        out(plain(f"Kept up to record {kept['sequence']} of {where}"))
