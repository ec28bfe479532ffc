"""Examines this machine: interpreter, SQLite, clock, disk.

Guarantees that each look ends soon, changes nothing that stays, and becomes one finding that says
how to mend what is wrong. No network is used: whether the clock is right is asked of the kernel.
"""

import ctypes
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from arbees.core.language.strict_json import format_time
from arbees.core.language.units import NS_PER_SECOND
from arbees.journal.space import LOW_BYTES

PYTHON_MIN = (3, 11)
SQLITE_MIN = (3, 51, 3)
"""The release in which resetting the write-ahead log no longer damages a database."""
YEARS = range(2025, 2100)
JUMP_NS_MAX = 20_000_000
WATCHED_SECONDS = 0.05
SYNCS = 16
SYNC_MS_SLOW = 25.0
SYNC_MS_HOPELESS = 1_000.0
VOLATILE = frozenset({"tmpfs", "ramfs"})
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs"})
_MIB = 1 << 20


class HostState(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class HostFinding(NamedTuple):
    """What was found of one thing, and how to mend it."""

    name: str
    state: HostState
    text: str
    mend: str = ""


def ok(name: str, text: str) -> HostFinding:
    """Return that a thing is well."""
    return HostFinding(name, HostState.OK, text)


def warn(name: str, text: str, mend: str) -> HostFinding:
    """Return that a thing works, but wants a look."""
    return HostFinding(name, HostState.WARN, text, mend)


def fail(name: str, text: str, mend: str) -> HostFinding:
    """Return that a gateway would not run, or not safely."""
    return HostFinding(name, HostState.FAIL, text, mend)


# Programs --------------------------------------------------------------------------------------


def python(version: tuple[int, ...], optimize: int, environ: str | None) -> HostFinding:
    """
    Judge the interpreter.

    Args:
        version: of Python.
        optimize: its flag -O.
        environ: PYTHONOPTIMIZE, None if it is unset.
    """
    said = ".".join(map(str, version[:3]))
    if version[:2] < PYTHON_MIN:
        wanted = ".".join(map(str, PYTHON_MIN))
        return fail("python", f"Python {said}, Arbees needs {wanted}", f"Install Python {wanted}")
    if optimize or environ:
        return fail(
            "python",
            "Assertions are off, they are the seat belt",
            "Run without -O and without PYTHONOPTIMIZE",
        )
    return ok("python", f"Python {said}, assertions on")


def sqlite(version: str) -> HostFinding:
    """Judge the SQLite that the journal uses."""
    if tuple(int(part) for part in version.split(".")[:3]) < SQLITE_MIN:
        wanted = ".".join(map(str, SQLITE_MIN))
        return fail(
            "sqlite",
            f"SQLite {version} can damage a journal, {wanted} is the first that cannot",
            "Install the apsw that requirements.lock pins: make setup",
        )
    return ok("sqlite", f"SQLite {version}")


# Clock -----------------------------------------------------------------------------------------


class _Timex(ctypes.Structure):
    """The beginning of what the kernel tells of its clock (adjtimex(2)), and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


UNSYNCHRONIZED = 0x40
"""STA_UNSYNC of the status."""


def kernel_clock() -> tuple[bool, int] | None:
    """Return whether the kernel's clock is kept, and its greatest error in microseconds."""
    found = _Timex()
    try:
        result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(found))
    except (AttributeError, OSError):
        return None
    if result < 0:
        return None
    return not found.status & UNSYNCHRONIZED, found.maxerror


def clock(
    wall_ns: Callable[[], int] = time.time_ns,
    monotonic_ns: Callable[[], int] = time.monotonic_ns,
    sleep: Callable[[float], None] = time.sleep,
) -> HostFinding:
    """Watch the clock for a moment: a sane year, no jump, forward only."""
    wall, steady = wall_ns(), monotonic_ns()
    sleep(WATCHED_SECONDS)
    passed = monotonic_ns() - steady
    jump = wall_ns() - wall - passed
    year = time.gmtime(wall // NS_PER_SECOND).tm_year
    mend = "Set the machine's clock, and keep it by NTP (chrony, systemd-timesyncd)"
    if year not in YEARS:
        return fail("clock", f"The clock says {format_time(wall)}", mend)
    if passed <= 0:
        return fail("clock", "The monotonic clock does not go forward", "Look at the machine")
    if abs(jump) > JUMP_NS_MAX:
        return fail("clock", f"The clock jumped by {jump / 1e6:.0f} ms while it was watched", mend)
    return ok("clock", format_time(wall))


def synchronization(kept: tuple[bool, int] | None) -> HostFinding:
    """Judge whether the clock is kept by a server of time, as the kernel tells."""
    if kept is None:
        return ok("ntp", "Whether NTP keeps the clock cannot be known here")
    is_kept, error_us = kept
    if not is_kept:
        return warn(
            "ntp",
            "The kernel says that nothing keeps its clock",
            "timedatectl set-ntp true, or run chrony; in a container ask the host",
        )
    return ok("ntp", f"The clock is kept, at most {error_us / 1000:.0f} ms off")


# Disk ------------------------------------------------------------------------------------------


def nearest(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    path = folder.absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def disk(folder: Path, mounts: str) -> Iterator[HostFinding]:
    """
    Judge the disk of a folder: room, kind, and what a commit costs there.

    Args:
        folder: of the journal; need not be there yet.
        mounts: text of /proc/self/mounts; empty where there is none.
    """
    place = nearest(folder)
    free = shutil.disk_usage(place).free
    room = f"{free / _MIB:,.0f} MiB free at {place}"
    if free < LOW_BYTES:
        need = f"Free at least {LOW_BYTES // _MIB} MiB: below, nothing is admitted"
        yield fail("disk", room, need)
    elif free < 16 * LOW_BYTES:
        yield warn("disk", room, "Watch it; each order takes about 4 KiB of the journal")
    else:
        yield ok("disk", room)
    kind = file_system(place, mounts)
    if kind in VOLATILE:
        yield warn(
            "file system",
            f"{place} is on {kind}, which is lost with the machine",
            "Put JOURNAL_PATH on a disk",
        )
    elif kind in REMOTE:
        yield fail(
            "file system",
            f"{place} is on {kind}: locks and syncs over a network do not hold a journal",
            "Put JOURNAL_PATH on a local disk",
        )
    elif kind == "overlay":
        yield warn(
            "file system",
            f"{place} is in a container's own layer, which is lost with the container",
            "Put JOURNAL_PATH on a volume",
        )
    yield _sync(place)


def file_system(place: Path, mounts: str) -> str:
    """Return the kind of file system that a folder is on; empty where it is not known."""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        mounted = parts[1].encode().decode("unicode_escape")
        if place.is_relative_to(mounted) and len(mounted) >= len(best):
            best, kind = mounted, parts[2]
    return kind


def _sync(place: Path) -> HostFinding:
    """Time real syncs of a page in a file that goes away again."""
    took: list[float] = []
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            for _ in range(SYNCS):
                file.write(b"\0" * 4096)
                file.flush()
                start = time.perf_counter()
                os.fsync(file.fileno())
                took.append((time.perf_counter() - start) * 1000)
                if sum(took) > SYNC_MS_HOPELESS:
                    break
    except OSError as error:
        return fail(
            "fsync",
            f"Cannot write at {place}: {error.strerror}",
            "Give this user the right to write there, or name another folder in JOURNAL_PATH",
        )
    return synced(took)


def synced(took: list[float]) -> HostFinding:
    """
    Judge how long syncs took.

    Args:
        took: milliseconds each.
    """
    middle, most = statistics.median(took), max(took)
    text = f"fsync takes {middle:.2f} ms, at most {most:.2f} ms of {len(took)}"
    if middle > SYNC_MS_SLOW:
        return warn("fsync", text, "Each decision waits for one: use a faster disk (NVMe, SSD)")
    return ok("fsync", text)


def examine(folder: Path) -> Iterator[HostFinding]:
    """
    Examine this machine.

    Args:
        folder: where the journal lies or will lie.
    """
    import apsw

    yield python(sys.version_info[:3], sys.flags.optimize, os.environ.get("PYTHONOPTIMIZE"))
    yield sqlite(apsw.sqlite_lib_version())
    yield clock()
    yield synchronization(kernel_clock())
    table = Path("/proc/self/mounts")
    yield from disk(folder, table.read_text(encoding="utf-8") if table.exists() else "")
