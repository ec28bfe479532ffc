"""Every moment at which a process may be killed, tried one by one: none is left to chance.

Guarantees that a simulated run is stopped before each step of its event loop and before and after
each operation on its databases, that at each of these points what then lies on disk is copied, as
`kill -9` would leave it, and handed to a judge. Points with the same files, the same time and the
same promises made are judged once, since what comes after is the same. The kernel keeps what a
killed process wrote, so syncs are counted and not carried out; power cuts are the journal's own
tests.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import msgspec

from verification.simulation import simulate

STEP = "step"
"""Before a step of the event loop."""
FAILURES_MAX = 5
_NOT_LEFT = (".lock", "-shm", ".reserve")
"""Endings of files that say nothing about what happened."""
_numbers = count(1)


class Point(msgspec.Struct, frozen=True):
    """One moment at which the process may be killed."""

    number: int
    """From 1."""
    kind: str
    """`step`, or the operation and the file: `before write j.db-wal`."""


class Survey(msgspec.Struct):
    """How many points there were, how many of them differed, and what the judge said."""

    points: Counter[str]
    states: int = 0
    failures: list[tuple[Point, BaseException]] = []
    """At most `FAILURES_MAX`; nothing is judged after that."""


Judge = Callable[[Path], None]
"""Given a folder of its own that holds what was left; raises if that breaks a promise."""


class WatchedDisk(apsw.VFS):
    """
    SQLite's way to the disk, watched; the default one while it is in use.

    Attributes:
        watched: by folder, told of each operation before and after it; may raise what a disk would.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.watched: dict[Path, Callable[[str], None]] = {}
        super().__init__(f"crashes-{next(_numbers)}", base=base, makedefault=True)

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        """Open the real file behind a watched one."""
        return _CrashingFile(self, name, flags)


class _CrashingFile(apsw.VFSFile):
    """A file of the disk; every operation that changes it may be the last."""

    def __init__(
        self, disk: WatchedDisk, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        self._disk = disk
        self._folder, self._name = path.parent, path.name
        super().__init__(disk.base, name, flags)

    def _pass(self, operation: str) -> None:
        watch = self._disk.watched.get(self._folder)
        if watch is not None:
            watch(f"{operation} {self._name}")

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        """Write, between two points."""
        self._pass("before write")
        super().xWrite(data, offset)
        self._pass("after write")

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        """Count a sync: whoever is killed leaves to the kernel what was written."""
        self._pass("sync")

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        """Cut off, between two points."""
        self._pass("before truncate")
        super().xTruncate(newsize)
        self._pass("after truncate")


@contextmanager
def watched_disk() -> Iterator[WatchedDisk]:
    """Let all SQLite of this process go through a watched disk meanwhile."""
    before = apsw.vfs_names()[0]
    disk = WatchedDisk(before)
    try:
        yield disk
    finally:
        apsw.set_default_vfs(before)


class Crashes:
    """Stops a run at every point from `begin` on; one run each."""

    def __init__(
        self,
        folder: Path,
        promises: Callable[[], object],
        judge: Judge,
        scratch: Path,
        *,
        is_meant: Callable[[Point], bool] = lambda _point: True,
        thread_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """
        Prepare.

        Args:
            folder: where the run keeps its files.
            promises: what was acknowledged so far; a crash after more of it is another crash.
            judge: of what each crash left.
            scratch: where copies are made; nothing stays there.
            is_meant: which points are judged; all by default.
            thread_seconds: see `SimulatedLoop`.
        """
        self._folder = folder.resolve()
        self._promises = promises
        self._judge = judge
        self._scratch = scratch
        self._is_meant = is_meant
        self._thread_seconds = thread_seconds
        self._seen: set[bytes] = set()
        self._now_ns: Callable[[], int] = lambda: 0
        self._is_begun = False
        self.survey = Survey(Counter())

    def begin(self) -> None:
        """Watch from here on; a run that is to be watched from its first step begins before it."""
        self._is_begun = True

    def run(self, main: Coroutine[Any, Any, object], now_ns: Callable[[], int]) -> Survey:
        """
        Run to the end, and judge what a crash at each point on the way would have left.

        Args:
            main: the whole run, from opening the files to closing them.
            now_ns: the run's clock.
        """
        self._now_ns = now_ns
        with watched_disk() as disk, ThreadPoolExecutor(1) as self._thread:
            disk.watched[self._folder] = self._crash
            simulate(main, lambda: self._crash(STEP), self._thread_seconds)
        return self.survey

    def _crash(self, kind: str) -> None:
        if not self._is_begun:
            return
        points = self.survey.points
        points[kind] += 1
        point = Point(points.total(), kind)
        if not self._is_meant(point):
            return
        state = self._state()
        if state in self._seen or len(self.survey.failures) >= FAILURES_MAX:
            return
        self._seen.add(state)
        self.survey.states += 1
        left = self._scratch / f"left-{len(self._seen)}"
        shutil.copytree(self._folder, left, ignore=shutil.ignore_patterns(*_PATTERNS))
        error = self._thread.submit(self._judge, left).exception()
        if error is not None:
            self.survey.failures.append((point, error))
        shutil.rmtree(left)

    def _state(self) -> bytes:
        digest = blake2b(repr((self._now_ns(), self._promises())).encode())
        for path in sorted(self._folder.iterdir()):
            if path.name.endswith(_NOT_LEFT):
                continue
            data = path.read_bytes()
            digest.update(f"{path.name} {len(data)} ".encode())
            digest.update(data)
        return digest.digest()


_PATTERNS = tuple(f"*{ending}" for ending in _NOT_LEFT)
