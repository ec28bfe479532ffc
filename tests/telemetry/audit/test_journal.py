"""The audit log on the real journal: followed while it is written, proved from outside."""

from pathlib import Path

from arbees.core.ports import Entry
from arbees.journal import JournalReader, SqliteJournal
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.log import AuditLog
from arbees.telemetry.audit.proof import missing
from tests.telemetry.evenings import Evening
from tests.telemetry.lives import START_NS


def test_follows_a_journal_that_is_being_written(tmp_path: Path) -> None:
    """Restarted after each commit or left running, the log is complete against the journal."""
    journal = SqliteJournal.open(
        tmp_path / "journal.db",
        account="main",
        environment="test",
        mode="paper",
        clock_ns=lambda: START_NS - 1,
        reserve_bytes=0,
        low_bytes=0,
    )
    reader = JournalReader(tmp_path / "journal.db")
    running = AuditLog(reader, AuditFiles(tmp_path / "running.jsonl"))
    running.open()
    stored = Evening(31, 25).lives.stored
    for first in range(0, len(stored), 7):
        journal.append(
            [
                Entry(each.time_ns, each.kind, each.body, each.request_id)
                for each in stored[first : first + 7]
            ]
        )
        assert running.catch_up()
        restarted = AuditLog(reader, AuditFiles(tmp_path / "restarted.jsonl"))
        restarted.open()
        assert restarted.catch_up()
        restarted.close()
    running.close()
    report = missing(reader, [tmp_path / "running.jsonl"])
    assert report.is_complete
    assert report.found > 50
    assert (tmp_path / "restarted.jsonl").read_bytes() == (tmp_path / "running.jsonl").read_bytes()
    reader.close()
    journal.close()
