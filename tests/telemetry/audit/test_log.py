"""The follower: nothing missing and nothing twice, after any crash, rotation, deletion."""

import asyncio
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbees.core.ports import Stored
from arbees.errors import ConfigurationError, JournalUnavailable
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.line import encode, read_mark
from arbees.telemetry.audit.log import (
    LINGER_SECONDS,
    RETRY_SECONDS,
    AuditLog,
    NoAuditLog,
)
from arbees.telemetry.audit.proof import export, missing
from tests.telemetry.evenings import Evening
from tests.telemetry.lives import DAY, MICRO, Lives, make_request


def expected(lives: Lives) -> bytes:
    """Return what an uninterrupted log of one file holds."""
    return b"".join(encode(line) for line in export(lives))


def follow(lives: Lives, path: Path, **options: object) -> AuditFiles:
    """Start, catch up and end like a process; return the files."""
    files = AuditFiles(path, sync=lambda _: None, **options)  # type: ignore[arg-type]
    log = AuditLog(lives, files)
    log.open()
    assert log.catch_up(), log.error
    log.close()
    return files


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder but the lock."""
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix != ".lock"}


def test_log_holds_the_projection_of_the_journal(tmp_path: Path) -> None:
    """A log that is never disturbed holds all lines of the journal, in order."""
    lives = Evening(1, 40).lives
    files = follow(lives, tmp_path / "audit.jsonl")
    assert files.all() == [tmp_path / "audit.jsonl"]
    assert (tmp_path / "audit.jsonl").read_bytes() == expected(lives)


def test_log_grows_with_the_journal_across_restarts(tmp_path: Path) -> None:
    """Whatever part of the journal is durable when, restarts neither lose nor repeat a line."""
    lives = Evening(2, 30).lives
    for durable in range(0, len(lives.stored) + 1, 3):
        lives.durable = durable
        follow(lives, tmp_path / "audit.jsonl")
        assert (tmp_path / "audit.jsonl").read_bytes() == expected(lives)
    lives.durable = None
    follow(lives, tmp_path / "audit.jsonl")
    assert (tmp_path / "audit.jsonl").read_bytes() == expected(lives)


def test_crash_at_every_byte(tmp_path: Path) -> None:
    """Wherever a kill cuts what was written, the next start makes the same file."""
    lives = Lives()
    lives.deny(make_request("a"))
    lives.approve(make_request("b"))
    lives.refuse(make_request("b"))
    lives.acknowledge(make_request("b"))
    lives.fill(make_request("b"), 50 * MICRO, is_complete=True)
    whole = expected(lives)
    path = tmp_path / "audit.jsonl"
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        follow(lives, path)
        assert path.read_bytes() == whole, f"cut at byte {length}"


def test_crash_at_every_byte_of_a_file_just_begun(tmp_path: Path) -> None:
    """The same where the lines before lie in rotated files, by date and by size."""
    lives = Evening(4, 8, pause_ns=DAY // 8).lives
    before = tmp_path / "before"
    before.mkdir()
    files = follow(lives, before / "audit.jsonl", size_max=1_500)
    assert len(files.all()) > 3
    whole = contents(before)
    current = whole["audit.jsonl"]
    for length in range(len(current) + 1):
        after = tmp_path / "after"
        shutil.copytree(before, after)
        os.truncate(after / "audit.jsonl", length)
        follow(lives, after / "audit.jsonl", size_max=1_500)
        assert contents(after) == whole, f"cut at byte {length}"
        shutil.rmtree(after)


def test_crash_between_rename_and_new_file(tmp_path: Path) -> None:
    """If the process dies right after a rotation, the newest rotated file says where to go on."""
    lives = Evening(5, 10, pause_ns=DAY // 4).lives
    files = follow(lives, tmp_path / "audit.jsonl")
    whole = contents(tmp_path)
    newest = files.rotated()[-1][0]
    (tmp_path / "audit.jsonl").unlink()
    assert newest.exists()
    follow(lives, tmp_path / "audit.jsonl")
    assert contents(tmp_path) == whole


def test_all_files_gone_starts_from_the_beginning(tmp_path: Path) -> None:
    """When every file was deleted, the log is made anew from the whole journal."""
    lives = Evening(6, 10).lives
    follow(lives, tmp_path / "audit.jsonl")
    (tmp_path / "audit.jsonl").unlink()
    follow(lives, tmp_path / "audit.jsonl")
    assert (tmp_path / "audit.jsonl").read_bytes() == expected(lives)


def test_lost_write_leaves_zeros(tmp_path: Path) -> None:
    """Zeros at the end, as a power failure leaves them, are cut off and written again."""
    lives = Evening(7, 5).lives
    whole = expected(lives)
    path = tmp_path / "audit.jsonl"
    cut = whole.rfind(b"\n", 0, len(whole) - 1) + 1
    path.write_bytes(whole[: cut + 20] + b"\0" * 300)
    follow(lives, path)
    assert path.read_bytes() == whole


def test_what_others_appended_is_set_aside(tmp_path: Path) -> None:
    """A file that ends in lines of somebody else is kept whole under a rotated name."""
    lives = Evening(8, 5).lives
    path = tmp_path / "audit.jsonl"
    lives.durable = 10
    follow(lives, path)
    before = path.read_bytes() + b"checked by me\n"
    path.write_bytes(before)
    lives.durable = None
    files = follow(lives, path)
    (kept,) = [rotated for rotated, _, _ in files.rotated()]
    assert kept.read_bytes() == before
    assert before.replace(b"checked by me\n", b"") + path.read_bytes() == expected(lives)


def test_two_journals_take_turns_on_one_path(tmp_path: Path) -> None:
    """A file of another journal is rotated away; back at the first, its lines go on."""
    path = tmp_path / "audit.jsonl"
    paper, live = Evening(9, 6).lives, Evening(10, 6).lives
    paper.durable = 12
    follow(paper, path)
    follow(live, path)
    assert path.read_bytes() == expected(live)
    paper.durable = None
    files = follow(paper, path)
    report = missing(paper, files.all())
    assert (report.missing, report.twice, report.changed) == (0, 0, 0)
    assert report.foreign == expected(live).count(b"\n")


def test_another_program_s_file_is_refused(tmp_path: Path) -> None:
    """A file without a line of an audit log is refused and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n")
    with pytest.raises(ConfigurationError, match="AUDIT_LOG_PATH: Expected an audit log"):
        AuditFiles(path).open()
    assert path.read_text() == "buy milk\n"


def test_second_writer_is_refused(tmp_path: Path) -> None:
    """Two processes cannot write one audit log."""
    first = AuditFiles(tmp_path / "audit.jsonl")
    first.open()
    with pytest.raises(ConfigurationError, match="no other process writes"):
        AuditFiles(tmp_path / "audit.jsonl").open()
    first.close()
    second = AuditFiles(tmp_path / "audit.jsonl")
    second.open()
    second.close()


def test_paths_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    """A missing directory, a file as directory, a directory or a pipe refuse with the fix."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    names = ("no/audit.jsonl", "file/x", "folder", "pipe")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / name for name in names):
        with pytest.raises(ConfigurationError, match="AUDIT_LOG_PATH") as caught:
            AuditFiles(path).open()
        assert caught.value.exit_code == 78
        assert "var/execution_audit.jsonl" in str(caught.value)


class FullDisk:
    """A disk with so many bytes left; takes what fits, then fails."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, file: int, data: bytes) -> int:
        """Write what fits."""
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(file, data[: self.room])
        self.room -= written
        return written


def test_full_disk_loses_nothing(tmp_path: Path) -> None:
    """However much fits, the log says that it waits, and goes on once there is room."""
    lives = Evening(11, 6).lives
    whole = expected(lives)
    for room in range(0, len(whole), 97):
        path = tmp_path / f"{room}.jsonl"
        disk = FullDisk(room)
        log = AuditLog(lives, AuditFiles(path, write=disk.write))
        log.open()
        assert not log.catch_up()
        assert log.is_behind
        assert log.error is not None
        assert "No space left" in log.error
        disk.room = room
        assert not log.catch_up() or path.read_bytes() == whole
        disk.room = len(whole)
        assert log.catch_up()
        assert not log.is_behind
        assert path.read_bytes() == whole
        log.close()


def test_unreachable_journal_is_tried_again(tmp_path: Path) -> None:
    """A journal that cannot be read for a while delays the log, no more."""

    class Shy(Lives):
        is_away = True

        def records(self, after: int = 0) -> Iterator[Stored]:
            if self.is_away:
                raise JournalUnavailable
            return super().records(after)

    lives = Shy()
    lives.approve(make_request())
    log = AuditLog(lives, AuditFiles(tmp_path / "audit.jsonl"))
    log.open()
    assert not log.catch_up()
    lives.is_away = False
    assert log.catch_up()
    assert (tmp_path / "audit.jsonl").read_bytes() == expected(lives)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_file_taken_away_while_running(tmp_path: Path, *, is_deleted: bool) -> None:
    """A deleted file is made anew from the journal; a renamed one is gone on from."""
    lives = Evening(12, 10).lives
    path = tmp_path / "audit.jsonl"
    lives.durable = 15
    log = AuditLog(lives, AuditFiles(path))
    log.open()
    assert log.catch_up()
    before = path.read_bytes()
    if is_deleted:
        path.unlink()
    else:
        path.rename(tmp_path / "audit.jsonl.1")
    lives.durable = 30
    assert log.catch_up()
    log.close()
    follow(lives, path)
    assert path.read_bytes() == expected(lives)[0 if is_deleted else len(before) :]


def test_daily_rotation_and_retention(tmp_path: Path) -> None:
    """Files are named by their lines' dates; those older than the retention go, by record time."""
    lives = Lives()
    for day in range(10):
        lives.deny(make_request(f"r{day}"))
        lives.pass_time(DAY)
    files = follow(lives, tmp_path / "audit.jsonl", retention_days=3)
    assert [path.name for path in files.all()] == [
        "audit-2026-02-03.1.jsonl",
        "audit-2026-02-04.1.jsonl",
        "audit-2026-02-05.1.jsonl",
        "audit.jsonl",
    ]
    for path in files.all():
        lines = path.read_bytes().splitlines(keepends=True)
        days = {mark.day for line in lines if (mark := read_mark(line))}
        assert len(days) == 1
        assert path.name == "audit.jsonl" or days.pop() in path.name


def test_size_rotation_keeps_records_whole(tmp_path: Path) -> None:
    """A file that would grow too large is rotated between records, and numbered in order."""
    lives = Lives()
    for number in range(30):
        lives.deny(make_request(f"r{number}"))
    files = follow(lives, tmp_path / "audit.jsonl", size_max=4_000)
    assert [path.name for path in files.all()][:2] == [
        "audit-2026-01-28.1.jsonl",
        "audit-2026-01-28.2.jsonl",
    ]
    assert all(path.stat().st_size <= 4_000 for path in files.all())
    assert all(path.read_bytes().count(b"\n") % 2 == 0 for path in files.all())
    assert b"".join(path.read_bytes() for path in files.all()) == expected(lives)


def test_eleven_parts_stay_in_order(tmp_path: Path) -> None:
    """Part 11 comes after part 2: parts are numbers, not text."""
    lives = Lives()
    for number in range(13):
        lives.deny(make_request(f"r{number}"))
    files = follow(lives, tmp_path / "audit.jsonl", size_max=1)
    assert b"".join(path.read_bytes() for path in files.all()) == expected(lives)
    assert files.rotated()[-1][2] == 12


def test_copies_get_each_line_once(tmp_path: Path) -> None:
    """The console and others get each line after the file has it."""
    lives = Evening(13, 10).lives
    seen: list[bytes] = []
    path = tmp_path / "audit.jsonl"

    def copy(lines: object) -> None:
        seen.extend(lines)  # type: ignore[arg-type]
        assert path.read_bytes() == b"".join(seen)

    log = AuditLog(lives, AuditFiles(path), copies=(copy,))
    log.open()
    assert log.catch_up()
    assert b"".join(seen) == expected(lives)
    log.close()


class Script:
    """Clock and wake of a follower: each time it waits, the next thing happens; then it ends."""

    def __init__(self, *things: Callable[[], object]) -> None:
        self.things = list(things)
        self.waited: list[float | None] = []

    def clear(self) -> None:
        self.waited.append(None)

    async def wait(self) -> None:
        await self.sleep(0)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        if seconds in {0, RETRY_SECONDS}:
            if not self.things:
                raise asyncio.CancelledError
            self.things.pop(0)()


async def test_run_follows_and_retries(tmp_path: Path) -> None:
    """Woken after each commit it writes; after a failure it tries again later, without a wake."""
    lives, disk = Lives(), FullDisk(10)
    lives.approve(make_request())
    path = tmp_path / "audit.jsonl"
    log = AuditLog(lives, AuditFiles(path, write=disk.write))
    log.open()

    def make_room() -> None:
        assert log.is_behind
        disk.room = 10**6
        lives.acknowledge(make_request())

    def fill() -> None:
        assert log.sequence == 2
        lives.fill(make_request(), 50 * MICRO, is_complete=True)

    script = Script(make_room, fill)
    with pytest.raises(asyncio.CancelledError):
        await log.run(script, script.sleep)
    assert script.waited == [None, RETRY_SECONDS, None, 0, LINGER_SECONDS, None, 0]
    log.close()
    assert path.read_bytes() == expected(lives)


async def test_disabled_log_writes_nothing(tmp_path: Path) -> None:
    """Switched off, the log has the same shape and touches no file."""
    log, script = NoAuditLog(), Script(lambda: None)
    log.open()
    assert log.catch_up()
    with pytest.raises(asyncio.CancelledError):
        await log.run(script, script.sleep)
    log.close()
    assert contents(tmp_path) == {}
