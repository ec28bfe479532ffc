"""What is wrong with a machine is found, and the finding says how to mend it."""

import os
from pathlib import Path

import pytest

from arbees.cli.commands.start import host
from arbees.cli.commands.start.host import HostState

SECOND = 1_000_000_000
NOW_NS = 1_769_632_200 * SECOND


def test_this_machine_is_fit(tmp_path: Path) -> None:
    """Where the tests run nothing fails, and each thing is looked at once."""
    found = list(host.examine(tmp_path / "not" / "yet"))
    assert [each for each in found if each.state is HostState.FAIL] == []
    names = [each.name for each in found]
    assert {"python", "sqlite", "clock", "ntp", "disk", "fsync"} <= set(names)
    assert len(names) == len(set(names))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "optimize", "environ", "state"),
    [
        ((3, 11, 0), 0, None, HostState.OK),
        ((3, 10, 9), 0, None, HostState.FAIL),
        ((3, 13, 1), 1, None, HostState.FAIL),
        ((3, 13, 1), 0, "2", HostState.FAIL),
        ((3, 13, 1), 0, "", HostState.OK),
    ],
)
def test_python(
    version: tuple[int, ...], optimize: int, environ: str | None, state: HostState
) -> None:
    """Too old, or without assertions, fails."""
    assert host.python(version, optimize, environ).state is state


@pytest.mark.parametrize(
    ("version", "state"),
    [("3.51.3", HostState.OK), ("3.54.1", HostState.OK), ("3.51.2", HostState.FAIL)],
)
def test_sqlite(version: str, state: HostState) -> None:
    """A release that can damage a write-ahead log fails."""
    assert host.sqlite(version).state is state


@pytest.mark.parametrize(
    ("wall", "steady", "said", "state"),
    [
        ((NOW_NS, NOW_NS + SECOND), (0, SECOND), "2026-01-28T", HostState.OK),
        ((NOW_NS, NOW_NS + SECOND + 30_000_000), (0, SECOND), "jumped by 30 ms", HostState.FAIL),
        ((NOW_NS, NOW_NS - SECOND), (0, SECOND), "jumped by -2000 ms", HostState.FAIL),
        ((0, SECOND), (0, SECOND), "1970", HostState.FAIL),
        ((NOW_NS, NOW_NS), (5, 5), "does not go forward", HostState.FAIL),
    ],
)
def test_clock(wall: tuple[int, int], steady: tuple[int, int], said: str, state: HostState) -> None:
    """A clock that stands still, jumps, or is of another time fails."""
    naps: list[float] = []
    found = host.clock(iter(wall).__next__, iter(steady).__next__, naps.append)
    assert (found.state, said in found.text) == (state, True), found
    assert naps == [host.WATCHED_SECONDS]


@pytest.mark.parametrize(
    ("kept", "state", "said"),
    [
        (None, HostState.OK, "cannot be known"),
        ((True, 12_000), HostState.OK, "at most 12 ms"),
        ((False, 16_000_000), HostState.WARN, "nothing keeps"),
    ],
)
def test_synchronization(kept: tuple[bool, int] | None, state: HostState, said: str) -> None:
    """What the kernel tells is told; not to know is no fault."""
    found = host.synchronization(kept)
    assert (found.state, said in found.text) == (state, True)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("tmpfs", HostState.WARN),
        ("overlay", HostState.WARN),
        ("nfs4", HostState.FAIL),
        ("ext4", None),
        (None, None),
    ],
)
def test_file_system(kind: str | None, state: HostState | None, tmp_path: Path) -> None:
    """Where a journal would be lost, or locks do not hold, is said."""
    mounts = "/dev/vda / ext4 rw 0 0\nbroken\n"
    if kind is not None:
        where = str(tmp_path).replace("/", "\\057", 1)
        mounts += f"x {where} {kind} rw 0 0\n"
    found = {each.name: each for each in host.disk(tmp_path / "var", mounts)}
    assert ("file system" in found) == (state is not None)
    if state is not None:
        assert found["file system"].state is state
        assert "JOURNAL_PATH" in found["file system"].mend


def test_folder_that_cannot_be_written() -> None:
    """A place where nothing can be written fails with what to do."""
    found = {each.name: each for each in host.disk(Path("/proc/self"), "")}
    assert found["fsync"].state is HostState.FAIL
    assert "JOURNAL_PATH" in found["fsync"].mend


def test_slow_syncs() -> None:
    """A disk that syncs slowly is told with its figures."""
    assert host.synced([1.0, 2.0, 3.0]).state is HostState.OK
    found = host.synced([30.0, 40.0, 90.0])
    assert found.state is HostState.WARN
    assert "40.00 ms, at most 90.00 ms of 3" in found.text


def test_nearest(tmp_path: Path) -> None:
    """A folder that is not there yet is judged by the nearest above it."""
    os.chdir(tmp_path)
    assert host.nearest(Path("a/b")) == tmp_path
    assert host.nearest(Path()) == tmp_path
