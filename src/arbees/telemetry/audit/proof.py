"""Prove audit files against the journal, and make lines anew from it.

Guarantees that proof and export use the very projection that wrote the log, so that a complete log
is byte for byte what `export` prints. Reads only. It fails with `JournalCorrupt` where the journal
cannot be read as what happened.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from arbees.core.language.strict_json import format_time
from arbees.core.language.visible_text import harmless
from arbees.telemetry.audit.line import (
    AuditLine,
    LineMark,
    encode,
    read_mark,
)
from arbees.telemetry.audit.projection import AuditReader, Projector, is_of_journal

FINDINGS_MAX = 100
"""How many findings of each kind a report names; it counts all."""


class AuditFinding(msgspec.Struct, frozen=True):
    """One thing wrong with the files."""

    kind: str
    """`missing`, `twice`, `changed` or `foreign`."""
    sequence: int
    """Of the journal record, 0 where a line cannot be read."""
    text: str
    """What identifies the line."""


_Pending = OrderedDict[tuple[int, str, str], tuple[AuditLine, bytes]]
"""Lines of the journal that the files are to show yet, oldest first, with their bytes."""


class AuditReport(msgspec.Struct, kw_only=True):
    """What a comparison of audit files with the journal found."""

    expected: int = 0
    """Lines that the journal asks for."""
    found: int = 0
    """Of them, those that stand in the files unchanged."""
    missing: int = 0
    twice: int = 0
    changed: int = 0
    """Lines about the right thing with other bytes: edited, or of an older version of Arbees."""
    foreign: int = 0
    """Lines that are not of this journal, or no lines of an audit log."""
    findings: list[AuditFinding] = []

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing, twice, changed or foreign."""
        return not (self.missing or self.twice or self.changed or self.foreign)

    def note(self, kind: str, sequence: int, text: str) -> None:
        """Count a finding, and name it while there is room."""
        setattr(self, kind, getattr(self, kind) + 1)
        if sum(each.kind == kind for each in self.findings) < FINDINGS_MAX:
            self.findings.append(AuditFinding(kind, sequence, text))


def export(
    reader: AuditReader,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    after: int = 0,
    is_timed: bool = True,
) -> Iterator[AuditLine]:
    """
    Yield the audit lines of the journal, as the log holds them.

    Args:
        reader: the journal.
        start_ns: records from this time on, inclusive; None = from the beginning.
        end_ns: records before this time; None = to the end.
        after: records with a sequence above this one.
        is_timed: as the log was written.

    Raises:
        JournalCorrupt: the journal cannot be read as what happened.
    """
    projector = Projector(reader, is_timed=is_timed)
    for stored in reader.records(after):
        if end_ns is not None and stored.time_ns >= end_ns:
            return  # the journal's time only grows
        if start_ns is None or stored.time_ns >= start_ns:
            yield from projector.lines(stored)


def missing(
    reader: AuditReader, files: Iterable[Path], *, since_ns: int = 0, is_timed: bool = True
) -> AuditReport:
    """
    Compare audit files with the journal, line by line.

    Args:
        reader: the journal.
        files: all audit files, oldest first (`AuditFiles.all()`).
        since_ns: lines of older records need not be there (retention deleted them).
        is_timed: as the log was written.

    Returns:
        What is missing, twice, changed or foreign; `is_complete` if nothing is.

    Raises:
        JournalCorrupt: the journal cannot be read as what happened.
        OSError: a file cannot be read.
    """
    report = AuditReport()
    pending: _Pending = OrderedDict()
    lines = export(reader, is_timed=is_timed)
    ahead = next(lines, None)
    for raw in _lines_in(files):
        mark = read_mark(raw) if raw.endswith(b"\n") else None
        if mark is None:
            report.note("foreign", 0, repr(raw[:120]))
            continue
        while ahead is not None and ahead.sequence <= mark.sequence:
            pending[_name(ahead)] = (ahead, encode(ahead))
            ahead = next(lines, None)
        if _meet(report, reader, pending, mark, raw):
            _give_up(report, pending, mark.sequence, since_ns)
    _give_up(report, pending, None, since_ns)
    while ahead is not None:
        pending[_name(ahead)] = (ahead, b"")
        _give_up(report, pending, None, since_ns)
        ahead = next(lines, None)
    return report


def _name(line: AuditLine) -> tuple[int, str, str]:
    return line.sequence, line.event_type, line.request_id


def _meet(
    report: AuditReport,
    reader: AuditReader,
    pending: _Pending,
    mark: LineMark,
    raw: bytes,
) -> bool:
    """Judge one line of the files; tell whether the journal asks for it here."""
    name = (mark.sequence, mark.event_type, mark.request_id)
    text = f"{mark.timestamp} {mark.event_type} {mark.request_id}"
    found = pending.get(name)
    if found is None or not mark.is_of(found[0]):
        kind = "twice" if is_of_journal(reader, mark) else "foreign"
        report.note(kind, mark.sequence, text)
        return False
    del pending[name]
    report.expected += 1
    if found[1] in {raw, harmless(raw)}:  # older versions did not escape
        report.found += 1
    else:
        report.note("changed", mark.sequence, text)
    return True


def _give_up(
    report: AuditReport,
    pending: _Pending,
    before: int | None,
    since_ns: int,
) -> None:
    """Count as missing what should have stood before a record, or before the end."""
    while pending:
        if before is not None and next(iter(pending))[0] >= before:
            return
        _, (line, _) = pending.popitem(last=False)
        if line.timestamp >= format_time(since_ns):
            report.expected += 1
            text = f"{line.timestamp} {line.event_type} {line.request_id}"
            report.note("missing", line.sequence, text)


def _lines_in(files: Iterable[Path]) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as file:
            yield from file
