"""Many read one journal: each record once and in order, and nobody holds up anybody."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from arbees.core.ports import Stored
from arbees.errors import JournalCorrupt, JournalUnavailable
from arbees.interface.views import Ahead, Undecided
from arbees.telemetry.stream.frames import HEARTBEAT, HELLO
from arbees.telemetry.stream.stream import EventStream

IDS = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Pages:
    """A journal's pages: what is durable, and what reading it comes to."""

    def __init__(self, count: int = 0, body: bytes = b'{"type":"Noted"}') -> None:
        self.body = body
        self.stored: list[Stored] = []
        self.failure: Exception | None = None
        self.failures = 0
        """How many reads fail."""
        self.reads: list[tuple[str, int]] = []
        """Thread and place of each read."""
        self.gate = threading.Event()
        self.gate.set()
        self.grow(count)

    def grow(self, count: int) -> None:
        """Make further records durable."""
        for sequence in range(len(self.stored) + 1, len(self.stored) + count + 1):
            about = f"request-{sequence}"
            self.stored.append(Stored(sequence, sequence, "Noted", self.body, about, b""))

    def head(self) -> int:
        return len(self.stored)

    def page(self, after: int, limit: int) -> Sequence[Stored]:
        self.reads.append((threading.current_thread().name, after))
        assert self.gate.wait(10)
        if self.failure is not None and self.failures:
            self.failures -= 1
            raise self.failure
        return self.stored[after : after + limit]


async def quick(_seconds: float) -> None:
    """Sleep a turn of the loop."""
    await asyncio.sleep(0.001)


@asynccontextmanager
async def streaming(pages: Pages, **more: Any) -> AsyncIterator[EventStream]:
    """Follow pages for as long as the block lasts."""
    stream = EventStream(pages, pages.head, sleep=quick, **more)
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        await stream.finish(1.0)
        task.cancel()
        await asyncio.wait([task])


async def ids(events: AsyncIterator[bytes], last: int) -> list[int]:
    """Return the ids that are heard up to one of them."""
    found: list[int] = []
    async for piece in events:
        found += [int(text) for text in IDS.findall(piece)]
        if found and found[-1] >= last:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found


async def test_every_record_once_and_in_order_while_it_grows() -> None:
    """Readers from different places hear all that follows, also what comes meanwhile."""
    pages = Pages(300)
    async with streaming(pages) as stream:
        readers = [asyncio.create_task(ids(stream.events(after), 600)) for after in (0, 7, 300)]
        for _ in range(30):
            pages.grow(10)
            stream.grew()
            await asyncio.sleep(0.001)
        found = await asyncio.gather(*readers)
    assert [len(each) for each in found] == [600, 593, 300]
    assert all(each == list(range(each[0], 601)) for each in found)


async def test_the_greeting_comes_at_once_and_a_comment_into_silence() -> None:
    """A reader hears a comment first, and one whenever nothing else came for a while."""
    async with streaming(Pages(3), heartbeat_seconds=0.01) as stream:
        events = stream.events(3)
        assert await anext(events) == HELLO
        assert await anext(events) == HEARTBEAT
        assert await anext(events) == HEARTBEAT
        await events.aclose()  # type: ignore[attr-defined]
        assert stream.readers == 0


async def test_nothing_is_read_while_nobody_listens() -> None:
    """A journal that grows costs nothing until there is a reader."""
    pages = Pages(5)
    async with streaming(pages) as stream:
        for _ in range(10):
            pages.grow(5)
            stream.grew()
            await asyncio.sleep(0.001)
        assert pages.reads == []
        assert await ids(stream.events(50), 55) == [51, 52, 53, 54, 55]


async def test_many_readers_share_one_walk() -> None:
    """Fifty readers at the end cost as many reads as one."""
    pages = Pages(1)
    async with streaming(pages) as stream:
        readers = [asyncio.create_task(ids(stream.events(1), 101)) for _ in range(50)]
        await asyncio.sleep(0.05)
        for _ in range(10):
            pages.grow(10)
            stream.grew()
            await asyncio.sleep(0.005)
        found = await asyncio.gather(*readers)
    assert all(each == list(range(2, 102)) for each in found)
    assert len(pages.reads) < 50


async def test_who_falls_out_of_the_ring_reads_from_the_journal() -> None:
    """A slow reader hears everything, from another thread than those at the end."""
    pages = Pages(0, body=b'{"text":"%s"}' % (b"x" * 1_000))
    async with streaming(pages, ring_bytes=20_000) as stream:
        slow, fast = stream.events(0), stream.events(0)
        assert await anext(slow) == HELLO
        ahead = asyncio.create_task(ids(fast, 400))
        for _ in range(40):
            pages.grow(10)
            stream.grew()
            await asyncio.sleep(0.002)
        assert await ahead == list(range(1, 401))
        pages.reads.clear()
        assert await ids(slow, 400) == list(range(1, 401))
        assert any(thread.startswith("past") and after == 0 for thread, after in pages.reads)


async def test_the_ring_is_bounded() -> None:
    """However much is read, so many bytes are kept and not more."""
    pages = Pages(2_000, body=b'{"text":"%s"}' % (b"x" * 1_000))
    async with streaming(pages, ring_bytes=100_000) as stream:
        assert len(await ids(stream.events(0), 2_000)) == 2_000
        assert stream._ring._bytes <= 170_000


async def test_a_record_beyond_the_head_is_refused() -> None:
    """Whoever names a record that is not there follows another journal; the head itself is well."""
    async with streaming(Pages(5)) as stream:
        with pytest.raises(Ahead, match="up to 5, the last of this journal, was 6"):
            await anext(stream.events(6))
        events = stream.events(5)
        assert await anext(events) == HELLO
        await events.aclose()  # type: ignore[attr-defined]


async def test_one_reader_too_many_is_refused() -> None:
    """Beyond the bound nobody is let in, and a place that was left is free again."""
    async with streaming(Pages(5), readers_max=2) as stream:
        first, second = stream.events(0), stream.events(0)
        await anext(first)
        await anext(second)
        with pytest.raises(Undecided, match="at most 2 who follow"):
            await anext(stream.events(0))
        await first.aclose()  # type: ignore[attr-defined]
        third = stream.events(0)
        assert await anext(third) == HELLO
        await second.aclose()  # type: ignore[attr-defined]
        await third.aclose()  # type: ignore[attr-defined]


async def test_a_journal_that_cannot_be_reached_is_waited_for() -> None:
    """Reads that fail, at the end and far back, delay readers and lose nothing."""
    pages = Pages(100)
    pages.failure, pages.failures = JournalUnavailable("a drill"), 5
    async with streaming(pages) as stream:
        reader = asyncio.create_task(ids(stream.events(0), 110))
        await asyncio.sleep(0.02)
        pages.failures = 5
        pages.grow(10)
        stream.grew()
        assert await reader == list(range(1, 111))


async def test_a_missing_record_is_never_passed_over() -> None:
    """A journal with a hole ends the follower, and a reader of the past hears the fault."""
    pages = Pages(5)
    stream = EventStream(pages, pages.head)
    task = asyncio.create_task(stream.run())
    events = stream.events(5)
    await anext(events)
    pages.failure, pages.failures = JournalCorrupt("Expected record 6", sequence=6), 1
    pages.grow(1)
    stream.grew()
    with pytest.raises(JournalCorrupt, match="record 6"):
        await task
    pages.failures = 1
    with pytest.raises(JournalCorrupt, match="record 6"):
        await ids(stream.events(0), 5)
    await events.aclose()  # type: ignore[attr-defined]
    await stream.finish(0.1)


async def test_the_end_hands_out_the_last_records() -> None:
    """Once the gateway stops, readers hear everything that is durable, and then the end."""
    pages = Pages(2)
    stream = EventStream(pages, pages.head)

    async def all_of() -> list[int]:
        found: list[int] = []
        async for piece in stream.events(0):
            found += [int(text) for text in IDS.findall(piece)]
        return found

    reader = asyncio.create_task(all_of())
    await asyncio.sleep(0.01)
    pages.grow(1)  # nobody followed: the follower was stopped with the gateway
    await stream.finish(5.0)
    assert await reader == [1, 2, 3]
    with pytest.raises(Undecided, match="stops"):
        await anext(stream.events(0))


async def test_a_reader_who_takes_nothing_does_not_keep_the_end() -> None:
    """The end waits for readers only so long."""
    stream = EventStream(Pages(5), lambda: 5)
    stuck = stream.events(0)
    await anext(stuck)
    await asyncio.wait_for(stream.finish(0.05), 1)
    await stuck.aclose()  # type: ignore[attr-defined]


async def test_a_read_that_hangs_does_not_hang_the_loop() -> None:
    """While a page is being read, the loop goes on."""
    pages = Pages(5)
    pages.gate.clear()
    async with streaming(pages, heartbeat_seconds=0.01) as stream:
        events = stream.events(5)
        await anext(events)
        assert await anext(events) == HEARTBEAT
        pages.gate.set()
        await events.aclose()  # type: ignore[attr-defined]
