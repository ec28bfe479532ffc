"""`make bench`: measures every row of the design's cost table that a paper gateway can have.

Guarantees that each figure is compared with what was measured beside it in the same run, and that
the table says so. It ends with 0 whatever the figures are; only a measurement that breaks fails.
Journals that take long to make are kept in `var/bench`, and remade when their shapes change.
"""

import argparse
import os
import platform
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    deciding,
    durable,
    halting,
    kalshi,
    keys,
    memory,
    restarting,
    sending,
    serving,
)
from benchmarks.measure import Row
from benchmarks.peer import compare

FOLDER = Path(__file__).resolve().parents[1] / "var" / "bench"
COLUMNS = (46, 16, 18)
WIDTH = 110

Part = tuple[str, Callable[[], list[Row]]]


def parts(*, is_quick: bool) -> list[Part]:
    """Return the parts of a run; a quick one has fewer rounds and smaller journals."""
    rounds = 7
    many = 100_000 if is_quick else 1_000_000
    share = 4 if is_quick else 1
    return [
        ("deciding", lambda: deciding.measure(rounds + 4, 800 // share)),
        ("keys", lambda: keys.measure(FOLDER, rounds, 80 // share, many)),
        ("durable", lambda: durable.measure(FOLDER, rounds, 200 // share)),
        ("serving", lambda: serving.measure(FOLDER, rounds, 200 // share, 4.0 / share)),
        ("sending", lambda: sending.measure(FOLDER, rounds, 120 // share)),
        ("kalshi", lambda: kalshi.measure(FOLDER, rounds, 60 // share)),
        ("halting", lambda: halting.measure(FOLDER, rounds, 40 // share)),
        ("restarting", lambda: restarting.measure(FOLDER, rounds, many)),
        ("memory", lambda: memory.measure(FOLDER, many)),
        ("peer", lambda: compare.measure(FOLDER, rounds, 4_000 // share)),
    ]


def main(arguments: Sequence[str]) -> int:
    """Run, print and return 0."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples, smaller journals")
    parser.add_argument("--only", metavar="PART", help="one part of the run by its name")
    options = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(about(is_quick=options.quick), flush=True)
    head()
    for name, measure in parts(is_quick=options.quick):
        if options.only in {None, name}:
            for row in measure():
                show(row)
    return 0


def about(*, is_quick: bool) -> str:
    """Return where and when this was measured, and how loaded the machine was."""
    load = os.getloadavg()[0]
    moment = datetime.fromtimestamp(time.time(), UTC)
    quick = ", quick" if is_quick else ""
    return (
        f"Arbees bench{quick}, {moment:%Y-%m-%d %H:%M} UTC, CPython {platform.python_version()}, "
        f"{os.cpu_count()} processors, load {load:.1f} at the start\n"
    )


def head() -> None:
    """Print the head of the table."""
    _line("what", "figure", "target", "", "")
    print("-" * WIDTH)


def show(row: Row) -> None:
    """Print one row."""
    said = {True: "met", False: "NOT MET", None: ""}[row.is_met]
    _line(row.name, row.figure, row.target, said, row.against)


def _line(name: str, figure: str, target: str, said: str, against: str) -> None:
    first, second, third = COLUMNS
    print(f"{name:<{first}} {figure:>{second}}  {target:<{third}} {said}", flush=True)
    for part in textwrap.wrap(against, WIDTH - 4):
        print(f"    {part}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
