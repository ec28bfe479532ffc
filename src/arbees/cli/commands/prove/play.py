"""`arbees play`: recorded quotes and requests through a gateway, in recorded time.

Guarantees that nothing of a running gateway is touched: journal, paper book and audit log are
temporary unless `--journal` names a place, where nothing may be yet. Ends with 0 whatever was
denied, with 2 where a file cannot be read or what was asked contradicts itself.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from arbees.cli.shared.console import (
    Json,
    dollars,
    pairs,
    print_json,
    say,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.formats import TABLE_HINT, is_table
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.orders.result import Result
from arbees.settings import load_here

REDRAW_EVERY = 64
"""Inputs between two movements of the bar."""

app = App(name="play")


@app.default
def play(
    *,
    quotes: Annotated[Path, Parameter(help="Recorded quotes, JSON lines.")],
    requests: Annotated[Path | None, Parameter(help="Recorded requests, JSON lines.")] = None,
    settlements: Annotated[Path | None, Parameter(help="How markets ended, JSON lines.")] = None,
    generate: Annotated[
        int | None, Parameter(help="Make so many requests from the quotes.")
    ] = None,
    seed: Annotated[int, Parameter(help="Seed of --generate: the same makes the same.")] = 0,
    speed: Annotated[str, Parameter(help="Times as fast as recorded, or max.")] = "max",
    journal: Annotated[Path | None, Parameter(help="Keep the journal here; no file yet.")] = None,
    as_json: Json = False,
) -> int:
    """Play recorded requests and quotes through a gateway in recorded time.

    The same input gives the same results. A request without `created_at` takes the time of the
    line before it. Limits are those of the settings; nothing of a running gateway is touched, and
    without --journal everything that is written is temporary.

    Ends with 0 whatever was denied, 2 where a file cannot be read or --journal is there already.

    Example: `arbees play --quotes quotes.jsonl --requests requests.jsonl --json`

    Example: `arbees play --quotes evening.quotes.jsonl --generate 200 --seed 7`
    """
    from arbees.rehearsal import playback
    from arbees.rehearsal.requests import make_requests

    if requests is not None and generate is not None:
        say("Expected --requests or --generate, both were there")
        return Exit.USAGE
    if generate is not None and generate < 0:
        say(f"--generate: Expected 0 or more, was {generate}")
        return Exit.USAGE
    if journal is not None and journal.exists():
        say(f"--journal: Expected no file at {journal}, there is one; choose another")
        return Exit.USAGE
    try:
        pace = pacer(speed)
        books = playback.read_quotes(quotes)
        ends = [] if settlements is None else playback.read_settlements(settlements)
        start_ns = min((each.time_ns for each in (*books, *ends)), default=0)
        asked = [] if requests is None else playback.read_requests(requests, start_ns)
    except ValueError as error:
        say(error, style="red")
        if is_table(quotes) or (settlements is not None and is_table(settlements)):
            say(TABLE_HINT)
        return Exit.USAGE
    except OSError as error:
        say(f"Cannot read {error.filename}: {error.strerror}", style="red")
        return Exit.USAGE
    if requests is not None and is_table(requests):
        say(f"{requests}: {TABLE_HINT}", style="yellow")
    if generate:
        made = make_requests([each.item for each in books], generate, seed)
        asked = [playback.Input(each.created_ns, each, line) for line, each in enumerate(made, 1)]
    inputs = playback.in_order(ends, books, asked)
    with _Bar(len(inputs)) as bar:
        settings = load_here({"PAPER_TRADING": "1"})
        report = playback.play(settings, inputs, journal=journal, progress=bar.move, pace=pace)
    if as_json:
        print_json(report)
    else:
        show(report["summary"], first_reasons(report["results"]))
    return Exit.OK


def pacer(
    speed: str,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Callable[[int], None]:
    """
    Return what holds a playback back.

    Args:
        speed: times as fast as recorded, or `max`.
        clock: seconds.
        sleep: waits seconds.

    Returns:
        A function that is told the recorded time in nanoseconds and waits until it is due.

    Raises:
        ValueError: no number above 0, and not `max`.
    """
    if speed == "max":
        return lambda _ns: None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise ValueError(f"--speed: Expected a number above 0, or max, was {speed!r}")
    start: list[tuple[int, float]] = []

    def wait(ns: int) -> None:
        if not start:
            start.append((ns, clock()))
        first_ns, began = start[0]
        left = began + (ns - first_ns) / NS_PER_SECOND / factor - clock()
        if left > 0:
            sleep(left)

    return wait


class _Bar:
    """A progress bar where somebody can see one."""

    def __init__(self, total: int) -> None:
        console = Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("Playing"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("play", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def move(self, done: int, total: int) -> None:
        """Show how far it is."""
        if done % REDRAW_EVERY == 0 or done == total:
            self._progress.update(self._task, completed=done)


def first_reasons(results: Sequence[Result | dict[str, Any]]) -> dict[str, str]:
    """Return for each code the reason that its first result gave."""
    found: dict[str, str] = {}
    for result in results:
        if isinstance(result, Result):
            code, reason = result.code, result.rejection_reason
        else:
            code = result["code"]
            reason = f"line {result['line']}: {result['rejection_reason']}"
        if code is not None:
            found.setdefault(code, reason or "")
    return found


def show(summary: dict[str, Any], reasons: Mapping[str, str]) -> None:
    """
    Print the summary for people.

    Args:
        summary: as in the JSON.
        reasons: an example for each code.
    """
    table(("Status", "Requests"), summary["by_status"].items())
    if summary["by_code"]:
        rows = [(code, count, reasons.get(code, "")) for code, count in summary["by_code"].items()]
        table(("Code", "Requests", "The first of them"), rows)
    pnl, worst = summary["pnl"], summary["worst_exposure"]
    pairs(
        [
            ("Fills", summary["fills"]),
            ("Fees", dollars(summary["fees"])),
            (
                "P&L",
                f"{dollars(pnl['realized'])} realized, {dollars(pnl['unrealized'])} unrealized",
            ),
            (
                "Worst exposure",
                ", ".join(f"{name} {dollars(value)}" for name, value in worst.items()),
            ),
            ("Journal", f"record {summary['journal']['sequence']}"),
            ("Hash", summary["journal"]["hash"]),
        ]
    )
