"""Rows: a restart over a long journal, and a full replay of it.

Ready: a new process opens the journal (look, tail of the chain, new epoch), reads the newest
snapshot, replays the tail, starts the gateway and admits requests; its own start is in the figure.
Full replay: every record up to the snapshot read, decoded and applied on one core, and the book
compared with it, byte by byte. Snapshot: what one costs the loop, which makes bytes of the book,
and the disk, in a commit of its own.
"""

import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from arbees.core.book import book as books
from arbees.core.book.book import fresh
from arbees.history.recovery import replay, snapshot_version
from arbees.journal import JournalReader
from arbees.runtime.options import SNAPSHOT_EVERY
from benchmarks import scene, stock
from benchmarks.gateway import open_journal
from benchmarks.history import TAIL, history
from benchmarks.measure import Row, Stopwatch, row

READY_SECONDS = 3.0
REPLAY_RATE = 100_000.0


def measure(folder: Path, rounds: int, records: int) -> list[Row]:
    """Return the rows of restarting."""
    place = history(folder, records)
    stock.warm(place)
    with JournalReader(place / "journal.db") as reader:
        rates = [_replay(reader) for _ in range(min(3, rounds))]
    seconds = [_start(place) for _ in range(min(5, rounds))]
    return [
        row(
            f"restart with {records:,} records, ready",
            median(seconds),
            READY_SECONDS,
            "s",
            f"a new process, the newest snapshot, a tail of {TAIL:,}",
        ),
        row(
            "full replay, equal to the snapshot",
            max(rates),
            REPLAY_RATE,
            "records/s",
            f"the best of {len(rates)} on this core, the median is {median(rates):,.0f}",
            at_least=True,
        ),
        _snapshot(place, rounds),
    ]


def _snapshot(place: Path, rounds: int) -> Row:
    """Return the row of a snapshot, of the book of this journal and of one with ten thousand."""
    with JournalReader(place / "journal.db") as reader:
        found = reader.snapshot()
    assert found is not None
    book = books.decode(found[2])
    large = scene.book_with(stock.MARKETS, stock.START_NS)
    watches = [Stopwatch(), Stopwatch(), Stopwatch()]
    with (
        tempfile.TemporaryDirectory(dir=place.parent) as folder,
        open_journal(Path(folder)) as journal,
    ):
        for _ in range(rounds):
            for watch, each in zip(watches, (book, large), strict=False):
                with watch:
                    body = books.encode(each)
            body = books.encode(book)
            with watches[2]:
                journal.write_snapshot(journal.head.sequence, snapshot_version(), body)
    here, there, commit = (watch.p50() / 1e3 for watch in watches)
    against = (
        f"{len(book.markets):,} markets, {len(body) / 1e6:.1f} MB; {there:.1f} ms with "
        f"{len(large.markets):,}; its commit {commit:.1f} ms in a thread: "
        f"{(here + commit) / SNAPSHOT_EVERY * 1e3:.2f} us a record at one in {SNAPSHOT_EVERY:,}"
    )
    return Row("snapshot, on the loop", f"{here:.1f} ms", "-", None, against)


def _replay(reader: JournalReader) -> float:
    """Replay all up to the snapshot, compare with it, and return records a second."""
    found = reader.snapshot()
    assert found is not None
    sequence, version, body = found
    assert version == snapshot_version(), "kept journals are of this version"
    book = fresh()
    begun = time.process_time_ns()
    replay(itertools.islice(reader.records(0), sequence), book)
    cpu = time.process_time_ns() - begun
    assert books.encode(book) == body, "Expected the book of the snapshot, was another"
    return sequence / (cpu / 1e9)


def _start(place: Path) -> float:
    """Start a gateway in a process of its own; return the seconds until it admits requests."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.starting", str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        seconds = time.perf_counter() - begun
        process.kill()
    assert said.strip() == "ready", said
    return seconds
