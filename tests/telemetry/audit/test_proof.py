"""Proof and export: the files against the journal, and lines made anew from it."""

from pathlib import Path

import pytest

from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.line import encode
from arbees.telemetry.audit.log import AuditLog
from arbees.telemetry.audit.proof import AuditReport, export, missing
from tests.telemetry.evenings import Evening
from tests.telemetry.lives import DAY, SECOND, START_NS, Lives, make_request


@pytest.fixture
def lives() -> Lives:
    """Return a journal of several days."""
    return Evening(21, 12, pause_ns=DAY // 4).lives


@pytest.fixture
def files(lives: Lives, tmp_path: Path) -> AuditFiles:
    """Return its complete audit log."""
    files = AuditFiles(tmp_path / "audit.jsonl")
    log = AuditLog(lives, files)
    log.open()
    assert log.catch_up()
    log.close()
    return files


def counts(report: AuditReport) -> tuple[int, int, int, int]:
    """Return what is missing, twice, changed and foreign."""
    return report.missing, report.twice, report.changed, report.foreign


def test_complete_log(lives: Lives, files: AuditFiles) -> None:
    """A log that was written without trouble is complete, over all of its files."""
    assert len(files.all()) > 2
    report = missing(lives, files.all())
    assert report.is_complete
    assert report.found == report.expected == len(list(export(lives)))


def test_each_missing_line_is_named(lives: Lives, files: AuditFiles) -> None:
    """Whichever line is taken out, exactly that one is missing."""
    lines = [encode(line) for line in export(lives)]
    path = files.path.with_name("copy.jsonl")
    for number, line in enumerate(export(lives)):
        path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        report = missing(lives, [path])
        assert counts(report) == (1, 0, 0, 0)
        (finding,) = report.findings
        assert (finding.kind, finding.sequence) == ("missing", line.sequence)
        assert line.request_id in finding.text


def test_each_repeated_line_is_named(lives: Lives, files: AuditFiles) -> None:
    """Whichever line is repeated, at once or at the end, it is found twice."""
    lines = [encode(line) for line in export(lives)]
    path = files.path.with_name("copy.jsonl")
    for number, line in enumerate(lines):
        for place in (number, len(lines)):
            path.write_bytes(b"".join([*lines[:place], line, *lines[place:]]))
            report = missing(lives, [path])
            assert counts(report) == (0, 1, 0, 0)
            assert not report.is_complete


def test_edited_and_foreign_lines_are_named(lives: Lives, files: AuditFiles) -> None:
    """An edited number is a change; another journal's line, text and a torn line are foreign."""
    data = files.path.read_bytes()
    other = encode(next(export(Evening(22, 1).lives))).replace(b'"r0"', b'"zzz"')
    changed = data.replace(b'"requested_size":50.0', b'"requested_size":51.0', 1)
    assert changed != data
    files.path.write_bytes(other + changed + b"hello\n" + data[:20])
    report = missing(lives, files.all())
    assert counts(report) == (0, 0, 1, 3)


def test_retired_lines_need_not_be_there(lives: Lives, files: AuditFiles) -> None:
    """Lines older than a given time may be gone; newer ones may not."""
    oldest = files.rotated()[0][0]
    gone = oldest.read_bytes().count(b"\n")
    oldest.unlink()
    assert missing(lives, files.all()).missing == gone
    midnight = START_NS - START_NS % DAY + DAY
    report = missing(lives, files.all(), since_ns=midnight)
    assert report.is_complete


def test_journal_ahead_of_the_log_is_missing(lives: Lives, files: AuditFiles) -> None:
    """What was journaled after the log stopped is missing from it, until it catches up."""
    lives.deny(make_request("late"))
    assert counts(missing(lives, files.all())) == (2, 0, 0, 0)


def test_report_is_bounded(tmp_path: Path) -> None:
    """A log that lost everything is counted in full and named in part."""
    lives = Lives()
    for number in range(200):
        lives.deny(make_request(f"r{number}"))
    report = missing(lives, [])
    assert report.missing == 400
    assert len(report.findings) == 100


def test_export_by_time_and_sequence(lives: Lives) -> None:
    """A range of time or sequence gives the very lines of the log, ends exclusive."""
    whole = list(export(lives))
    cut_ns = lives.stored[20].time_ns
    early = list(export(lives, end_ns=cut_ns))
    late = list(export(lives, start_ns=cut_ns))
    assert early + late == whole
    assert all(line.sequence <= 20 for line in early)
    assert list(export(lives, after=20)) == late
    assert list(export(lives, start_ns=lives.stored[-1].time_ns + SECOND)) == []
