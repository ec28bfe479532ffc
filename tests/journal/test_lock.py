"""One writer at a time, over processes, and nothing lost when one is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arbees.errors import JournalUnavailable, LeaseLost
from arbees.journal import verify
from arbees.journal.lock import WriterLock
from tests.journal.samples import entry, implied, open_journal

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from tests.journal.samples import entry, open_journal

journal = open_journal(Path(sys.argv[1]))
print("open", flush=True)
number = journal.head.sequence
while True:
    head = journal.append([entry(number + step) for step in range(int(sys.argv[2]))])
    number = head.sequence
    print(head.sequence, flush=True)
"""


@contextmanager
def writer(path: Path, batch: int) -> Iterator[subprocess.Popen[str]]:
    """Run another process that appends as fast as it can and says what was acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(batch)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """While another process writes, opening refuses at once and names it; afterwards it works."""
    path = tmp_path / "j.db"
    with writer(path, 1) as process:
        with pytest.raises(LeaseLost, match=f"pid {process.pid}"):
            open_journal(path)
        assert verify(path, index_of=implied).is_intact
    open_journal(path).close()


@pytest.mark.parametrize("run", range(8))
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, run: int) -> None:
    """After kill -9 at any moment every acknowledged record is there, and the chain holds."""
    path = tmp_path / "j.db"
    acknowledged = 0
    with writer(path, (1, 3, 64)[run % 3]) as process:
        assert process.stdout is not None
        for _ in range(5 + 17 * run):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")[:-1]
    acknowledged = int(rest[-1]) if rest else acknowledged
    with open_journal(path, now_ns=entry(10**6).time_ns) as journal:
        assert journal.head.sequence >= acknowledged
        assert journal.epoch == 2
    assert verify(path, index_of=implied).is_intact


def test_the_lock_is_given_back(tmp_path: Path) -> None:
    """Releasing twice is harmless, and the next one gets the lock."""
    first = WriterLock(tmp_path / "j.db")
    with pytest.raises(LeaseLost):
        WriterLock(tmp_path / "j.db")
    first.release()
    first.release()
    WriterLock(tmp_path / "j.db").release()


def test_a_failed_start_gives_the_lock_back(tmp_path: Path) -> None:
    """Whoever is refused for another reason does not keep the next one out."""
    path = tmp_path / "j.db"
    open_journal(path).close()
    path.with_name("j.db.head").unlink()
    for _ in range(2):
        with pytest.raises(Exception, match="witness"):
            open_journal(path)
    WriterLock(path).release()


def test_two_names_of_one_journal_share_the_lock(tmp_path: Path) -> None:
    """A symbolic link is followed, so that lock and witness lie beside the real file."""
    (tmp_path / "link.db").symlink_to(tmp_path / "j.db")
    with open_journal(tmp_path / "link.db") as journal:
        assert journal.path == tmp_path / "j.db"
        with pytest.raises(LeaseLost):
            open_journal(tmp_path / "j.db")
    assert (tmp_path / "j.db.head").exists()


def test_a_folder_that_cannot_hold_a_lock_is_said(tmp_path: Path) -> None:
    """Where no lock can be made, the message names the place."""
    (tmp_path / "j.db.lock").mkdir()
    with pytest.raises(JournalUnavailable, match=r"j\.db\.lock"):
        open_journal(tmp_path / "j.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalUnavailable, match="folder"):
        open_journal(tmp_path / "file" / "j.db")
