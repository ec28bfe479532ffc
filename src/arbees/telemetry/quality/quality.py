"""Execution quality over a period: fill rate, slippage, latencies, denials, rejects (R16).

Guarantees that everything follows from durable records alone, read beside the writer; that asking
again costs only what came since; and that memory is bounded: sums of a few periods are kept. It
fails as reading the journal fails.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Protocol

from arbees.core.language.strict_json import format_time
from arbees.core.ports import Head, Stored
from arbees.interface.measures import By, QualityView
from arbees.telemetry.quality.fold import QualityFold, tallied
from arbees.telemetry.quality.latencies import ERROR
from arbees.telemetry.quality.tally import Tally

PERIODS_MAX = 4
"""Beginnings of periods whose sums are kept; the one that was asked for longest ago goes."""


class QualityReader(Protocol):
    """What is needed of a journal: durable records, read only, from any thread."""

    @property
    def head(self) -> Head:
        """The last durable record."""
        ...

    def record(self, sequence: int) -> Stored | None:
        """Return one record."""
        ...

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        ...

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the durable records of one request, in order."""
        ...


def sequence_before(reader: QualityReader, time_ns: int) -> int:
    """Return the last record before a moment, 0 if there is none: the journal's time only grows."""
    low, high = 0, reader.head.sequence
    while low < high:
        middle = (low + high + 1) // 2
        found = reader.record(middle)
        if found is None or found.time_ns >= time_ns:
            high = middle - 1
        else:
            low = middle
    return low


class Quality:
    """Answers from a journal that grows; one call at a time, from any thread."""

    def __init__(self, reader: QualityReader) -> None:
        """Follow a journal; nothing is read yet."""
        self._reader = reader
        self._lock = threading.Lock()
        self._folds: OrderedDict[int, QualityFold] = OrderedDict()

    def view(
        self, since_ns: int, *, until_ns: int | None = None, by: By | None = None
    ) -> QualityView:
        """
        Return the quality of the requests that were decided in a period, as known now.

        Args:
            since_ns: requests decided at this moment or later.
            until_ns: only records before this moment; None = all there are, and what was read is
                kept for the next time.
            by: how to group them, besides the sum over all.

        Raises:
            JournalUnavailable, JournalCorrupt: the journal cannot be read.
        """
        with self._lock:
            after = sequence_before(self._reader, since_ns)
            if until_ns is None:
                fold = self._kept(after)
                fold_all(fold, self._reader, None)
            else:
                fold = QualityFold(self._reader, after)
                fold_all(fold, self._reader, until_ns)
            last = self._reader.record(fold.sequence)
            end_ns = max(since_ns, 0 if last is None else last.time_ns)
            return view_of(fold, since_ns, end_ns if until_ns is None else until_ns, by)

    def _kept(self, after: int) -> QualityFold:
        fold = self._folds.pop(after, None) or QualityFold(self._reader, after)
        self._folds[after] = fold
        while len(self._folds) > PERIODS_MAX:
            self._folds.popitem(last=False)
        return fold


def fold_all(fold: QualityFold, reader: QualityReader, until_ns: int | None) -> None:
    """Take all records that came since, up to a moment."""
    for stored in reader.records(fold.sequence):
        if until_ns is not None and stored.time_ns >= until_ns:
            return
        fold.take(stored)


def view_of(fold: QualityFold, since_ns: int, until_ns: int, by: By | None) -> QualityView:
    """Return the sums of a fold for people and programs."""
    names: dict[str, list[Tally]] = {}
    if by is not None:
        for group, tally in fold.tallies.items():
            names.setdefault(str(getattr(group, by)), []).append(tally)
    groups = []
    for name in sorted(names):
        total = Tally()
        for tally in names[name]:
            total.merge(tally)
        groups.append(total.row(name))
    return QualityView(
        since=format_time(since_ns),
        until=format_time(until_ns),
        by=by,
        total=tallied(fold, fold.tallies).row(),
        groups=tuple(groups),
        percentile_error=ERROR,
        sequence=fold.sequence,
    )
