"""The fault matrix: every fault x every call x when x whether the process dies, and tables of it.

Faults of what is read have a table of their own: each x what there is x whether the process dies.

Guarantees that each cell is run on the whole gateway, live, against the simulated exchange; that
what makes no cell is named with its reason; and that one broken promise is an exit code of 1.
"""

import argparse
import asyncio
import concurrent.futures
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from verification.live.cells import (
    Cell,
    Moment,
    Operation,
    cells,
    combinations,
    reason_against,
)
from verification.live.reading_faults import (
    Believed,
    ReadingCell,
    reading_cells,
    run_reading,
)
from verification.live.run import Ran, run_cell

TURN_SECONDS = 120.0
"""Of real time, for one run; it needs about one."""


class Row(msgspec.Struct):
    """One cell, over all of its runs."""

    cell: Cell
    runs: list[Ran]

    def total(self, figure: Callable[[Ran], int]) -> int:
        """Return the sum of a figure."""
        return sum(figure(each) for each in self.runs)

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept in every run, and the fault did happen."""
        return all(each.is_good and each.happened for each in self.runs)


def run_once(work: tuple[Cell, int]) -> Ran:
    """Run a cell once, in a loop of its own."""
    cell, seed = work

    async def bounded() -> Ran:
        async with asyncio.timeout(TURN_SECONDS):
            return await run_cell(cell, seed)

    return asyncio.run(bounded())


def run_all(chosen: Sequence[Cell], seeds: Sequence[int], jobs: int) -> Iterator[Row]:
    """Run cells, each with every seed; yield them in order. A run that breaks is a failure."""

    def ended(cell: Cell, seed: int, future: "concurrent.futures.Future[Ran]") -> Ran:
        error = future.exception()
        if error is None:
            return future.result()
        return Ran(cell=cell, seed=seed, failures=[f"the run broke: {error!r}"])

    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        started = {
            (cell, seed): pool.submit(run_once, (cell, seed)) for cell in chosen for seed in seeds
        }
        for cell in chosen:
            yield Row(cell, [ended(cell, seed, started[cell, seed]) for seed in seeds])


# The table -------------------------------------------------------------------------------------

HEAD = (
    f"{'fault':<18}{'call':<14}{'when':<16}{'killed':<8}{'runs':>5}{'dupl':>6}{'lost':>6}"
    f"{'breach':>8}{'unknown':>9}{'429':>5}{'evidence, s':>13}"
)


def line_of(row: Row) -> str:
    """Return a line of the table."""
    cell, worst = row.cell, max(each.evidence_seconds for each in row.runs)
    figures = (
        f"{len(row.runs):>5}{row.total(lambda ran: ran.duplicates):>6}"
        f"{row.total(lambda ran: ran.lost_fills):>6}{row.total(lambda ran: ran.breaches):>8}"
        f"{row.total(lambda ran: ran.unknown):>9}{row.total(lambda ran: ran.over_limit):>5}"
        f"{worst:>13.1f}"
    )
    killed = "yes" if cell.is_killed else "no"
    mark = "" if row.is_good else "  <- "
    return f"{cell.fault:<18}{cell.operation:<14}{cell.moment:<16}{killed:<8}{figures}{mark}"


def troubles_of(row: Row) -> list[str]:
    """Return what was wrong in a cell."""
    found = [
        f"    seed {ran.seed}: {text}"
        for ran in row.runs
        for text in ran.failures or ([] if ran.happened else ["the fault never happened"])
    ]
    return found[:8]


def no_cells() -> list[str]:
    """Return the combinations that make no cell, with their reasons."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for cell in combinations():
        reason = reason_against(cell)
        if reason is not None:
            place = found.setdefault((cell.fault, cell.operation, reason), [])
            place.append(f"{cell.moment}{', killed' if cell.is_killed else ''}")
    total = len(list(Moment)) * 2
    return [
        f"  {fault} x {operation} x {'always' if len(when) == total else '; '.join(when)}: {reason}"
        for (fault, operation, reason), when in found.items()
    ]


def report(rows: Iterator[Row], say: Callable[[str], None]) -> int:
    """Say the table as it comes; return how many cells broke a promise."""
    say(HEAD)
    done: list[Row] = []
    for row in rows:
        done.append(row)
        say(line_of(row))
        for text in () if row.is_good else troubles_of(row):
            say(text)
    bad = sum(not row.is_good for row in done)
    runs = [ran for row in done for ran in row.runs]
    waited = sorted(ran.evidence_seconds for ran in runs) or [0.0]
    say(
        f"\n{len(done)} cells, {len(runs)} runs: {sum(ran.duplicates for ran in runs)} duplicates, "
        f"{sum(ran.lost_fills for ran in runs)} lost fills, "
        f"{sum(ran.breaches for ran in runs)} limit breaches, "
        f"{sum(ran.unknown for ran in runs)} unknowns left, {bad} cells with a broken promise; "
        f"evidence after {waited[len(waited) // 2]:.1f} s (median), {waited[-1]:.1f} s (longest) "
        "of the exchange's clock"
    )
    return bad


# What is read ----------------------------------------------------------------------------------

READING_HEAD = (
    f"{'what is read':<34}{'there is':<16}{'killed':<8}{'runs':>5}{'sent':>6}{'stale':>7}"
    f"{'lies':>6}{'lost':>6}{'breach':>8}{'evidence, s':>13}"
)


def read_once(work: tuple[ReadingCell, int]) -> Believed:
    """Run a cell of what is read once, in a loop of its own."""
    cell, seed = work

    async def bounded() -> Believed:
        async with asyncio.timeout(TURN_SECONDS):
            return await run_reading(cell, seed)

    return asyncio.run(bounded())


def read_all(
    chosen: Sequence[ReadingCell], seeds: Sequence[int], jobs: int, say: Callable[[str], None]
) -> int:
    """Run cells of what is read and say their table; return how many broke a promise."""
    say(f"\n{READING_HEAD}")
    runs: list[Believed] = []
    bad = 0
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        started = {
            cell: [pool.submit(read_once, (cell, seed)) for seed in seeds] for cell in chosen
        }
        for cell, futures in started.items():
            row = [_read(cell, each) for each in futures]
            runs += row
            bad += not all(each.is_good for each in row)
            say(reading_line(cell, row))
            for each in row:
                for text in each.failures[:8]:
                    say(f"    seed {each.seed}: {text}")
    say(
        f"\n{len(chosen)} cells of what is read, {len(runs)} runs, {sum(r.sent for r in runs)} "
        f"orders: {sum(r.stale for r in runs)} sent on a belief past its bound, "
        f"{sum(r.lies for r in runs)} times `refuses` did not say what was refused, "
        f"{sum(r.lost_fills for r in runs)} lost fills, {sum(r.breaches for r in runs)} limit "
        f"breaches, {bad} cells with a broken promise"
    )
    return bad


def _read(cell: ReadingCell, future: "concurrent.futures.Future[Believed]") -> Believed:
    error = future.exception()
    if error is None:
        return future.result()
    return Believed(cell=cell, seed=0, failures=[f"the run broke: {error!r}"])


def reading_line(cell: ReadingCell, runs: Sequence[Believed]) -> str:
    """Return a line of the table."""
    sums = [
        sum(each.sent for each in runs),
        sum(each.stale for each in runs),
        sum(each.lies for each in runs),
        sum(each.lost_fills for each in runs),
        sum(each.breaches for each in runs),
    ]
    figures = f"{len(runs):>5}{sums[0]:>6}{sums[1]:>7}{sums[2]:>6}{sums[3]:>6}{sums[4]:>8}"
    worst = max(each.evidence_seconds for each in runs)
    mark = "" if all(each.is_good for each in runs) else "  <- "
    killed = "yes" if cell.is_killed else "no"
    return f"{cell.fault:<34}{cell.situation:<16}{killed:<8}{figures}{worst:>13.1f}{mark}"


def chosen_by(word: str | None, operation: str | None) -> list[Cell]:
    """Return the cells whose names hold a word, of one call or of all."""
    return [
        cell
        for cell in cells()
        if (word is None or word in cell.name) and operation in {None, cell.operation}
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; see `make faults`."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each cell")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--only", help="cells whose name holds this")
    parser.add_argument("--only-reading", action="store_true", help="leave the calls out")
    parser.add_argument("--call", choices=[str(each) for each in Operation])
    options = parser.parse_args(arguments)
    began = time.monotonic()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    chosen = [] if options.only_reading else chosen_by(options.only, options.call)
    read = [
        cell
        for cell in ([] if options.call else reading_cells())
        if options.only is None or options.only in cell.name
    ]

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    bad = 0
    if chosen:
        bad += report(run_all(chosen, seeds, options.jobs), say)
        say("\nNo cells:\n" + "\n".join(no_cells()))
    if read:
        bad += read_all(read, seeds, options.jobs, say)
    say(f"\n{time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
