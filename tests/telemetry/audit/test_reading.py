"""Following the audit log from outside: whole lines, in order, over rotations."""

from pathlib import Path

import pytest

from arbees.telemetry.audit.reading import AuditTail, last_lines


@pytest.mark.parametrize(("count", "expected"), [(0, b""), (2, b"c\nd\n"), (9, b"a\nb\nc\nd\n")])
def test_last_lines(tmp_path: Path, count: int, expected: bytes) -> None:
    """The last whole lines are returned, a torn one is not."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"a\nb\nc\nd\ntorn")
    assert b"".join(last_lines(path, count)) == expected


def test_last_lines_of_a_long_file(tmp_path: Path) -> None:
    """Lines longer than one read are returned whole."""
    path = tmp_path / "audit.jsonl"
    lines = [bytes([65 + number]) * 50_000 + b"\n" for number in range(8)]
    path.write_bytes(b"".join(lines))
    assert last_lines(path, 5) == lines[3:]


def test_follower_sees_whole_lines_once(tmp_path: Path) -> None:
    """A line is returned when it is whole, and not again."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"old\n")
    follower = AuditTail(path)
    assert follower.poll() == []
    with path.open("ab") as file:
        file.write(b"one\ntw")
        file.flush()
        assert follower.poll() == [b"one\n"]
        file.write(b"o\n")
    assert follower.poll() == [b"two\n"]
    assert follower.poll() == []
    follower.close()


def test_follower_goes_on_after_a_rotation(tmp_path: Path) -> None:
    """What was appended before and after a rotation is seen, in order."""
    path = tmp_path / "audit.jsonl"
    follower = AuditTail(path, from_end=False)
    assert follower.poll() == []
    path.write_bytes(b"one\n")
    assert follower.poll() == [b"one\n"]
    with path.open("ab") as file:
        file.write(b"two\n")
    path.rename(tmp_path / "audit-2026-01-28.1.jsonl")
    assert follower.poll() == [b"two\n"]
    path.write_bytes(b"three\n")
    assert follower.poll() == [b"three\n"]
    follower.close()
