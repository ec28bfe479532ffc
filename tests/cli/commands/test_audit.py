"""`arbees audit`: the proof, the end of the log, and the export."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arbees.cli.main import main
from tests.cli.commands.test_play import evening
from tests.cli.test_main import SOURCE
from tests.journal.samples import tamper

Capture = pytest.CaptureFixture[str]
__all__ = ["evening"]


@pytest.fixture
def journal(evening: list[str], tmp_path: Path, capsys: Capture) -> Path:
    """Play an evening and keep its journal."""
    path = tmp_path / "kept.db"
    assert main([*evening, "--journal", str(path)]) == 0
    capsys.readouterr()
    return path


def test_verify(journal: Path, capsys: Capture) -> None:
    """A whole journal ends with 0 and says whose it is."""
    assert main(["audit", "verify", str(journal)]) == 0
    said = capsys.readouterr().out
    assert "Intact" in said
    assert "main@local, paper" in said


def test_verify_the_journal_of_the_settings(journal: Path, capsys: Capture) -> None:
    """Without a path it is the journal that a gateway here would use."""
    os.environ["JOURNAL_PATH"] = str(journal)
    assert main(["audit", "verify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["intact"], found["first_bad_record"]) == (True, None)
    assert found["records"] == found["sequence"] > 0


def test_damaged_journal_is_65_and_names_the_record(journal: Path, capsys: Capture) -> None:
    """A changed record ends with 65 and its number."""
    tamper(journal, "UPDATE records SET body = x'7b7d' WHERE sequence = 4")
    assert main(["audit", "verify", str(journal), "--json"]) == 65
    found = json.loads(capsys.readouterr().out)
    assert found["intact"] is False
    assert found["first_bad_record"] == 4
    assert main(["audit", "verify", str(journal)]) == 65
    said = capsys.readouterr().err
    assert "CORRUPT, first bad: record 4" in said


def test_what_is_proved_is_said(journal: Path, capsys: Capture) -> None:
    """With a head that was noted everything is proved; without it, and the witness, less is."""
    assert main(["audit", "head", str(journal)]) == 0
    head = capsys.readouterr().out.strip()
    for text in (head, head.replace(" ", ":")):
        assert main(["audit", "verify", str(journal), "--head", text]) == 0
        assert "Not proved" not in capsys.readouterr().out
    assert (
        main(["audit", "verify", str(journal), "--head", head.replace(" ", "1:"), "--json"]) == 65
    )
    found = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in found["findings"]] == ["HEAD_MISMATCH"]
    journal.with_name("kept.db.head").unlink()
    assert main(["audit", "verify", str(journal)]) == 0
    said = capsys.readouterr().out
    assert "Not proved: that no end was cut off" in said
    assert "Not proved: that it was not made anew as a whole" in said


def test_no_journal_at_all(tmp_path: Path, capsys: Capture) -> None:
    """A journal that is not there is a failure, not a corrupt one."""
    assert main(["audit", "verify", str(tmp_path / "none.db")]) == 1
    assert "none.db" in capsys.readouterr().err


def test_export(journal: Path, capsys: Capture) -> None:
    """Every audit line of the journal is printed, one JSON object a line."""
    assert main(["audit", "export", str(journal)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event_type"] == "ExecutionRequested"
    assert {each["request_id"] for each in lines} == {"req-1", "req-2"}
    since, until = "2026-01-28T20:03:00Z", "2026-01-28T20:05:00Z"
    words = ["audit", "export", str(journal), "--since", since, "--until", until, "--json"]
    assert main(words) == 0
    later = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {each["request_id"] for each in later} == {"req-2"}


def test_export_of_no_time_is_2(journal: Path, capsys: Capture) -> None:
    """A time needs a zone."""
    assert main(["audit", "export", str(journal), "--since", "yesterday"]) == 2
    assert "RFC 3339" in capsys.readouterr().err


def test_log_is_compared(journal: Path, capsys: Capture) -> None:
    """The audit log beside the journal is compared line by line."""
    log = journal.with_suffix(".audit.jsonl")
    main(["audit", "export", str(journal)])
    log.write_text(capsys.readouterr().out)
    assert main(["audit", "verify", str(journal), "--log", str(log)]) == 0
    assert "every line" in capsys.readouterr().out
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    assert main(["audit", "verify", str(journal), "--log", str(log), "--json"]) == 65
    assert json.loads(capsys.readouterr().out)["audit_log"]["missing"] == 1
    assert main(["audit", "verify", str(journal), "--log", str(log)]) == 65
    assert "1 missing" in capsys.readouterr().err


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write an audit log of three lines, one of them not ours."""
    path = tmp_path / "audit.jsonl"
    line = {
        "timestamp": "2026-01-28T20:30:00.000Z",
        "event_type": "OrderRejected",
        "status": "Rejected",
        "request_id": "req-1",
        "platform": "Kalshi",
        "market_id": "NBA-BOS",
        "side": "Yes",
        "size": 50.0,
        "price": 0.65,
        "rejection_reason": "too large",
    }
    texts = (json.dumps(line), "not ours", json.dumps(line | {"rejection_reason": None}))
    path.write_text("\n".join(texts) + "\n")
    os.environ["AUDIT_LOG_PATH"] = str(path)
    return path


def test_tail(log: Path, capsys: Capture) -> None:
    """The last lines are shown for people; what is not ours is shown as it is."""
    assert main(["audit", "tail"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("req-1 Kalshi NBA-BOS Yes 50.0 at 0.65: too large")
    assert lines[1] == "not ours"
    assert lines[2].endswith("at 0.65")


def test_tail_as_json(log: Path, capsys: Capture) -> None:
    """With --json the lines are those of the file."""
    assert main(["audit", "tail", "-n", "1", "--json"]) == 0
    assert capsys.readouterr().out == log.read_text().splitlines(keepends=True)[-1]


def test_tail_of_no_log(tmp_path: Path, capsys: Capture) -> None:
    """A log that is not there is named."""
    assert main(["audit", "tail", "--log", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


def test_tail_follows(log: Path) -> None:
    """What comes later is shown as it comes, until it is interrupted."""
    process = subprocess.Popen(
        [sys.executable, "-m", "arbees", "audit", "tail", "--follow", "-n", "1"],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    with log.open("a") as file:
        file.write("later\n")
    assert process.stdout.readline() == "later\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "Interrupted\n"
    assert process.returncode == 130
