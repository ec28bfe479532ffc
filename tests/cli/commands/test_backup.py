"""`arbees backup` and `arbees restore`: whole or not at all, nothing deleted, halted afterwards."""

import asyncio
import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from arbees.cli.main import main
from arbees.journal import JournalReader, SqliteJournal
from arbees.rehearsal.scene import stage

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def evening(kill_file: Path, tmp_path: Path) -> Path:
    """Trade once; return the folder of journal and paper book, which the settings name."""
    folder = tmp_path / "evening"
    folder.mkdir()
    trade(folder)
    os.environ["JOURNAL_PATH"] = str(folder / "journal.db")
    os.environ["PAPER_BOOK_PATH"] = str(folder / "paper.db")
    return folder


def trade(folder: Path) -> None:
    """Buy something."""

    async def run() -> None:
        async with stage(folder=folder) as scene:
            await scene.quote()
            await scene.ask(size="10", price="0.61", strategy="alpha")

    asyncio.run(run())


def opened(folder: Path) -> SqliteJournal:
    """Return the journal of a folder, open for writing."""
    return SqliteJournal.open(
        folder / "journal.db",
        account="main",
        environment="local",
        mode="paper",
        clock_ns=time.time_ns,
    )


def head(path: Path) -> str:
    """Return the head of a journal."""
    with JournalReader(path) as reader:
        return f"{reader.head.sequence}:{reader.head.hash.hex()}"


def fills(path: Path) -> int:
    """Count the fills of a paper book."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        (count,) = reader.execute("SELECT count(*) FROM fills").fetchone()
    return int(count)


def test_there_and_back(evening: Path, tmp_path: Path, kill_file: Path, capsys: Capture) -> None:
    """What was backed up is there again, halted; what came later is kept beside it."""
    copy = tmp_path / "copy.db"
    assert main(["backup", str(copy), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["head"] == head(copy) == head(evening / "journal.db")
    assert fills(Path(made["paper_book"])) == 1
    later = head(evening / "journal.db")
    (evening / "journal.db-wal").write_bytes(b"later")
    assert main(["restore", str(copy), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert head(evening / "journal.db") == later
    assert kill_file.read_text() == f"restored from {copy}: look at the venues first\n"
    kept = Path(found["kept"])
    assert {each.name for each in kept.iterdir()} >= {"journal.db", "journal.db-wal", "paper.db"}
    assert main(["audit", "verify"]) == 0
    opened(evening).close()


def test_what_follows_is_said(evening: Path, tmp_path: Path, capsys: Capture) -> None:
    """Which requests must not come again, what to do at the venues, how to lift the halt."""
    copy = tmp_path / "copy.db"
    assert main(["backup", str(copy)]) == 0
    assert "Note its head elsewhere" in capsys.readouterr().err
    assert main(["restore", str(copy)]) == 0
    said = capsys.readouterr().err
    for text in ("Do not send it again", "Cancel all orders", "arbees reconcile", "lift the halt"):
        assert text in said


def test_a_backup_is_never_written_over(evening: Path, tmp_path: Path) -> None:
    """Neither is the copy of the paper exchange's book."""
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    assert main(["backup", str(copy)]) == 78
    assert copy.read_text() == "mine"


@pytest.mark.parametrize("damage", ["cut", "changed", "absent", "foreign"])
def test_nothing_is_changed_by_a_refusal(
    evening: Path, tmp_path: Path, kill_file: Path, damage: str, capsys: Capture
) -> None:
    """What does not verify, or is another account's, takes no place."""
    copy, before = tmp_path / "copy.db", head(evening / "journal.db")
    assert main(["backup", str(copy)]) == 0
    if damage == "cut":
        copy.write_bytes(copy.read_bytes()[:20_000])
    elif damage == "changed":
        copy.write_bytes(copy.read_bytes().replace(b'"alpha"', b'"alphb"'))
    elif damage == "absent":
        copy.unlink()
    else:
        os.environ["ACCOUNT"] = "other"
    code = main(["restore", str(copy)])
    assert code == {"cut": 65, "changed": 65, "absent": 1, "foreign": 78}[damage]
    assert head(evening / "journal.db") == before
    assert not kill_file.exists()
    assert not list(evening.glob("*.replaced-*"))
    assert capsys.readouterr().err


def test_not_while_a_gateway_runs(evening: Path, tmp_path: Path, kill_file: Path) -> None:
    """The lock of the journal says so; the gateway is not halted for it."""
    copy = tmp_path / "copy.db"
    journal = opened(evening)
    assert main(["backup", str(copy)]) == 0
    assert main(["restore", str(copy)]) == 1
    journal.close()
    assert not kill_file.exists()
    assert head(evening / "journal.db") == head(copy)
