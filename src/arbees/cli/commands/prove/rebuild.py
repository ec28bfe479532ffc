"""The walk through a whole journal for `arbees replay`: verified beside, with progress.

Guarantees that nothing is said of a journal before its chain was followed to the same end. A small
journal is verified first, here; a large one meanwhile, in a process of its own.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from arbees.cli.shared.console import (
    dollars,
    out,
    pairs,
    print_json,
    say,
    styled,
)
from arbees.cli.shared.exits import Exit
from arbees.core.book.book import Book
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import to_decimal
from arbees.errors import JournalCorrupt
from arbees.history.rebuild import Rebuild, SnapshotComparison, digest
from arbees.journal import JournalReader, Verification, VerifierReport
from arbees.journal.proof.background_verifier import Beside

SMALL_RECORDS = 20_000
"""A journal of so many is verified sooner than a process starts."""

Work = Callable[[Callable[[int], None]], None]
"""Reads on; calls back with the last record it is done with."""


class Damaged(msgspec.Struct, frozen=True):
    """Why a journal is not as it was written, as far as it was seen."""

    first_bad: int | None
    lines: tuple[str, ...]


def walk(
    path: Path, until: int, title: str, work: Work, *, small: int = SMALL_RECORDS
) -> tuple[VerifierReport, Damaged | None]:
    """
    Do some work on a journal while its chain is verified.

    Args:
        path: the journal.
        until: the record up to which both go.
        title: of the bar.
        work: the work; what it raises as `JournalCorrupt` is damage too.
        small: a journal of so many records is verified here.

    Returns:
        What the verification found, and the damage that it or the work came upon.
    """
    broken: JournalCorrupt | None = None
    with _verifying(path, is_small=until <= small) as report, _bar(title, until) as move:
        try:
            work(move)
        except JournalCorrupt as error:
            broken = error
        found = report()
    return found, _damage(found, broken)


@contextmanager
def _verifying(path: Path, *, is_small: bool) -> Iterator[Callable[[], VerifierReport]]:
    """Verify now or beside; yield what waits for the report."""
    if is_small:
        verification = Verification(path, is_deep=False)
        for _ in verification.steps():
            pass
        yield verification.report
        return
    with Beside(path) as beside:
        yield beside.report


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    console = Console(file=sys.stderr)
    drawn = Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = drawn.add_task(title, total=total)
    with drawn:
        yield lambda done: drawn.update(task, completed=done)


def _damage(report: VerifierReport, broken: JournalCorrupt | None) -> Damaged | None:
    lines = [
        f"{each.code}: {'' if each.sequence is None else f'record {each.sequence}: '}{each.message}"
        for each in report.findings
    ]
    numbers = [] if report.first_bad is None else [report.first_bad]
    if broken is not None:
        lines.append(f"REPLAY: {broken}")
        if broken.sequence is not None:
            numbers.append(broken.sequence)
    return Damaged(min(numbers, default=None), tuple(lines)) if lines else None


def show_damage(damaged: Damaged) -> None:
    """Say on stderr what is wrong with a journal."""
    where = "no record in particular"
    if damaged.first_bad is not None:
        where = f"record {damaged.first_bad}"
    say(f"CORRUPT, first bad: {where}", style="bold red")
    for line in damaged.lines:
        say(f"  {line}", style="red")


# arbees replay JOURNAL -------------------------------------------------------------------------


def rebuild(path: Path, *, as_json: bool, small: int = SMALL_RECORDS) -> int:
    """Rebuild the book of a journal, and prove it; see `walk`."""
    with JournalReader(path) as reader:
        replay = Rebuild(reader)
        until = reader.head.sequence

        def work(move: Callable[[int], None]) -> None:
            for done in replay.steps(until):
                move(done)

        report, damaged = walk(path, until, "Replaying", work, small=small)
    compared = replay.compared
    is_equal = compared is None or compared.is_equal is not False
    if as_json:
        print_json(_as_json(report, damaged, replay))
    else:
        _show(report, damaged, replay)
    return Exit.OK if damaged is None and is_equal else Exit.CORRUPT


def _as_json(report: VerifierReport, damaged: Damaged | None, replay: Rebuild) -> dict[str, Any]:
    compared, book = replay.compared, replay.book
    return {
        "path": report.path,
        "intact": damaged is None,
        "binding": report.binding,
        "records": book.sequence,
        "hash": report.head.hash.hex(),
        "first_bad_record": None if damaged is None else damaged.first_bad,
        "findings": () if damaged is None else damaged.lines,
        "snapshot": None if compared is None else msgspec.structs.asdict(compared),
        "seconds": to_decimal(replay.duration_ns // 1_000),
        "records_per_second": replay.records_per_second,
        "records_per_cpu_second": replay.records_per_cpu_second,
        "verified_records_per_second": report.records_per_second,
        "book": _figures(book),
    }


def _figures(book: Book) -> dict[str, Any]:
    held = [m for m in book.markets.values() if m.yes.quantity or m.no.quantity]
    return {
        "digest": digest(book),
        "markets": len(book.markets),
        "positions": len(held),
        "open_orders": len(book.orders),
        "unknown_orders": book.unknown,
        "total_exposure": to_decimal(book.total_worst),
        "realized_pnl": to_decimal(book.realized),
        "fees": to_decimal(book.fees),
        "halts": len(book.halts),
    }


def _show(report: VerifierReport, damaged: Damaged | None, replay: Rebuild) -> None:
    book, binding = replay.book, report.binding
    bound = "-" if binding is None else f"{binding.account}@{binding.environment}, {binding.mode}"
    last = f", the last of {format_time(book.time_ns)}" if book.sequence else ""
    seconds = to_decimal(replay.duration_ns // 1_000_000 * 1_000)
    rate = (
        f"{replay.records_per_second:,} records/s, in {seconds} s "
        f"({replay.records_per_cpu_second:,} a second of CPU)"
    )
    pairs(
        [
            ("Journal", report.path),
            ("Bound to", bound),
            ("Records", f"{book.sequence:,}{last}"),
            ("Replayed", rate),
            ("Verified", f"{report.records_per_second:,} records/s"),
            ("Snapshot", _progress_line(replay.compared)),
            *_in_words(_figures(book)),
        ]
    )
    if damaged is not None:
        show_damage(damaged)
    elif replay.compared is not None and replay.compared.is_equal is False:
        say("The fold of the records is not the snapshot.", style="bold red")
    else:
        out(styled("Proved: the book is the fold of an unbroken chain of records.", "green"))


def _in_words(figures: dict[str, Any]) -> list[tuple[str, str]]:
    counts = (
        f"{figures['markets']:,} markets, {figures['positions']:,} positions, "
        f"{figures['open_orders']:,} open orders ({figures['unknown_orders']:,} unknown)"
    )
    money = (
        f"{dollars(figures['realized_pnl'])} realized, {dollars(figures['fees'])} fees, "
        f"{dollars(figures['total_exposure'])} exposed"
    )
    return [("Book", counts), ("Money", money), ("Digest", figures["digest"])]


def _progress_line(compared: SnapshotComparison | None) -> str:
    if compared is None:
        return "none yet, so there was nothing to compare with"
    where = f"of record {compared.sequence:,}"
    if compared.is_equal is None:
        return f"{where} is of another version ({compared.version}): not compared"
    if compared.is_equal:
        return f"{where} is equal to the fold of all records up to it"
    return f"{where} DIFFERS in {', '.join(compared.differs)}"
