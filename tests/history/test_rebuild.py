"""Rebuilding a book from every record; whole journals are replayed in tests/cli."""

from collections.abc import Iterator

import pytest

from arbees.core import events
from arbees.core.book.book import encode
from arbees.errors import JournalCorrupt
from arbees.history.rebuild import CHUNK, Rebuild, digest
from arbees.history.recovery import snapshot_version
from tests.core.scene import Says, Scene

SNAPSHOT = tuple[int, str, bytes]


class Kept:
    """Records in memory."""

    def __init__(self, scene: Scene, snapshot: SNAPSHOT | None = None) -> None:
        self.rows = [(n, ns, events.encode(event)) for n, ns, event in scene.records]
        self.kept = snapshot

    def bodies(self, after: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """Yield what is kept."""
        yield from self.rows[after:]

    def snapshot(self) -> SNAPSHOT | None:
        """Return the snapshot."""
        return self.kept


def scene_of(records: int) -> Scene:
    """Return a scene with so many records."""
    scene = Scene(Says("says"))
    while len(scene.records) < records:
        scene.write(events.DayOpened(day=f"2026-{len(scene.records)}", baseline=1))
    return scene


def test_the_book_is_rebuilt_in_steps() -> None:
    """Chunk by chunk, to the record that was asked for, and equal to the scene's own."""
    scene = scene_of(CHUNK + 10)
    rebuild = Rebuild(
        Kept(scene),
        monotonic_ns=iter(range(0, 10**9, 500)).__next__,
        cpu_ns=iter(range(0, 10**9, 250)).__next__,
    )
    assert list(rebuild.steps(CHUNK + 10)) == [CHUNK, CHUNK + 10]
    assert rebuild.book == scene.book
    assert digest(rebuild.book) == digest(scene.book)
    assert rebuild.compared is None
    assert rebuild.duration_ns == 1_000
    assert rebuild.records_per_second == (CHUNK + 10) * 1_000_000
    assert rebuild.records_per_cpu_second == (CHUNK + 10) * 2_000_000


@pytest.mark.parametrize("at", [1, 7, CHUNK, CHUNK + 10])
def test_the_snapshot_is_compared_where_it_stands(at: int) -> None:
    """At its own record, wherever that lies between the steps."""
    scene = scene_of(CHUNK + 10)
    before = Rebuild(Kept(scene))
    list(before.steps(at))
    kept = (at, snapshot_version(), encode(before.book))
    rebuild = Rebuild(Kept(scene, kept))
    assert list(rebuild.steps(CHUNK + 10))[-1] == CHUNK + 10
    assert rebuild.compared is not None
    assert (rebuild.compared.sequence, rebuild.compared.is_equal) == (at, True)
    assert rebuild.book == scene.book


def test_records_that_end_too_soon() -> None:
    """Fewer than were asked for is damage, at the first number that is not there."""
    with pytest.raises(JournalCorrupt) as broken:
        list(Rebuild(Kept(scene_of(5))).steps(9))
    assert broken.value.sequence == 6


@pytest.mark.parametrize("body", [b"{}", b"\xff", b'{"type":"OrderExpired"}', b"null"])
def test_bodies_that_are_none(body: bytes) -> None:
    """A body that cannot be read names its record."""
    kept = Kept(scene_of(5))
    kept.rows[2] = (3, kept.rows[2][1], body)
    with pytest.raises(JournalCorrupt) as broken:
        list(Rebuild(kept).steps(5))
    assert broken.value.sequence == 3
