"""Stream the journal to many: every record once, in order, from any of them on.

Guarantees that what leaves was read back from the journal, so that nothing does before it is
durable; that all readers share one walk along its end and one bounded ring of what was read last;
and that a reader who is too slow for the ring reads on from the file, page by page, in a thread. So
neither the writer nor memory waits for anybody. While nobody reads, nothing is read. It fails by
waiting where the journal cannot be reached, and with `JournalCorrupt` where a record is missing.
"""

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol

from arbees.core.ports import Stored
from arbees.errors import JournalUnavailable
from arbees.interface.views import Ahead, Undecided
from arbees.telemetry.stream.frames import (
    HEARTBEAT,
    HELLO,
    Block,
    block_of,
)

RING_BYTES = 8 << 20
BLOCK_BYTES = 65_536
PAGE_RECORDS = 64
"""Read at a time: some tenths of a millisecond of work."""
READERS_MAX = 256
HEARTBEAT_SECONDS = 15.0
LINGER_SECONDS = 0.01
"""How long records may gather after the first one, so that a busy journal costs few wake-ups."""
RETRY_SECONDS = 1.0

_log = logging.getLogger("arbees.stream")


class Source(Protocol):
    """A journal that can be read while it is written."""

    def page(self, after: int, limit: int) -> Sequence[Stored]:
        """Return the durable records above `after`, in order, at most so many."""
        ...


class Ring:
    """What was read last, in consecutive blocks; the oldest are dropped when there is no room."""

    def __init__(self, end: int, bytes_max: int) -> None:
        """Begin after a record, with nothing."""
        self.end = end
        """Sequence of the last record read."""
        self._blocks: deque[Block] = deque()
        self._bytes_max = bytes_max
        self._bytes = 0

    def add(self, block: Block) -> None:
        """Take the next block."""
        assert block.after == self.end, "a ring holds every record"
        self._blocks.append(block)
        self._bytes += len(block.data)
        self.end = block.last
        while self._bytes > self._bytes_max and len(self._blocks) > 1:
            self._bytes -= len(self._blocks.popleft().data)

    def after(self, sequence: int) -> tuple[bytes, int]:
        """
        Return events above a sequence, and the sequence of the last one.

        Nothing, and the same sequence, where what follows it is not here.
        """
        blocks = self._blocks
        if not blocks or not blocks[0].after <= sequence < self.end:
            return b"", sequence
        place = len(blocks) - 1
        if sequence < blocks[place].after:
            place = bisect_right(blocks, sequence, key=lambda block: block.last)
        data, sequence = blocks[place].beyond(sequence), blocks[place].last
        if len(data) >= BLOCK_BYTES or sequence == self.end:
            return data, sequence
        parts, size = [data], len(data)
        for block in islice(blocks, place + 1, None):
            if size + len(block.data) > BLOCK_BYTES:
                break
            parts.append(block.data)
            size += len(block.data)
            sequence = block.last
        return b"".join(parts), sequence


class EventStream:
    """One journal's events, for many readers on one loop."""

    def __init__(
        self,
        source: Source,
        head: Callable[[], int],
        *,
        ring_bytes: int = RING_BYTES,
        readers_max: int = READERS_MAX,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Bind a journal; nothing is read before somebody asks.

        Args:
            source: durable records only; used from two threads.
            head: sequence of the last durable record.
            ring_bytes: how much of the end is kept for all.
            readers_max: how many may read at a time.
            heartbeat_seconds: after so long a silence a comment is sent.
            sleep: for what may gather, and after failures.
        """
        self._source = source
        self._head = head
        self._ring_bytes = ring_bytes
        self._readers_max = readers_max
        self._heartbeat_seconds = heartbeat_seconds
        self._sleep = sleep
        self._ring = Ring(0, ring_bytes)
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        """Set, and replaced, whenever there is news for the readers."""
        self._following = asyncio.Lock()
        self._is_over = False
        # Two threads: whoever reads far back must not hold up those at the end.
        self._tail = ThreadPoolExecutor(1, "events")
        self._history = ThreadPoolExecutor(1, "past events")
        self.readers = 0
        """How many read now."""

    def grew(self) -> None:
        """Take note that the journal grew; never blocks."""
        if self.readers:
            self._wake.set()

    async def run(self) -> None:
        """
        Follow the end of the journal for as long as somebody reads, until cancelled.

        Raises:
            JournalCorrupt: the journal cannot be read as what happened.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self.readers:
                continue
            try:
                await self._follow()
            except JournalUnavailable as error:
                _log.warning("Events wait, trading goes on: %s", error)
                self._wake.set()
                await self._sleep(RETRY_SECONDS)
            else:
                await self._sleep(LINGER_SECONDS)

    async def finish(self, seconds: float) -> None:
        """
        Hand out what is durable by now, and end every stream; idempotent.

        Args:
            seconds: how long to wait for readers to take it.
        """
        if not self._is_over:
            try:
                if self.readers:
                    async with asyncio.timeout(seconds):
                        await self._follow()
            except (TimeoutError, JournalUnavailable) as error:
                _log.warning("Events end before the last record: %s", error or "no time")
            self._is_over = True
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.readers and loop.time() < end:
            self._tell()
            await asyncio.sleep(LINGER_SECONDS)
        self._tail.shutdown(wait=True, cancel_futures=True)
        self._history.shutdown(wait=True, cancel_futures=True)

    async def events(self, after: int) -> AsyncIterator[bytes]:
        """Yield the events above a sequence; see `interface.views.Follower`."""
        self._admit(after)
        self.readers += 1
        try:
            yield HELLO
            position = after
            while True:
                changed = self._changed
                data, position = self._ring.after(position)
                if not data and position < self._ring.end:
                    data, position = await self._from_journal(position)
                if data:
                    yield data
                elif self._is_over:
                    return
                elif not await self._has_news(changed):
                    yield HEARTBEAT
        finally:
            self.readers -= 1

    # Inside ------------------------------------------------------------------------------------

    def _admit(self, after: int) -> None:
        head = max(self._head(), self._ring.end)
        if after > head:
            raise Ahead(after, head)
        if self._is_over:
            raise Undecided("SHUTTING_DOWN", "the gateway stops; come again after it")
        if self.readers >= self._readers_max:
            raise Undecided(
                "QUEUE_FULL", f"Expected at most {self._readers_max} who follow the events"
            )
        if not self.readers and head > self._ring.end:
            self._ring = Ring(head, self._ring_bytes)
        self._wake.set()

    async def _has_news(self, changed: asyncio.Event) -> bool:
        """Wait for news, and tell whether there was any in time."""
        try:
            async with asyncio.timeout(self._heartbeat_seconds):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    def _tell(self) -> None:
        told, self._changed = self._changed, asyncio.Event()
        told.set()

    async def _follow(self) -> None:
        """Read up to the end of the journal."""
        async with self._following:
            ring = self._ring
            while (block := await self._read(self._tail, ring.end)) is not None:
                ring.add(block)
                self._tell()

    async def _from_journal(self, position: int) -> tuple[bytes, int]:
        """Read what the ring does not hold any more."""
        try:
            block = await self._read(self._history, position)
        except JournalUnavailable as error:
            if self._is_over:
                raise
            _log.warning("Past events wait, trading goes on: %s", error)
            await self._sleep(RETRY_SECONDS)
            return b"", position
        return (b"", position) if block is None else (block.data, block.last)

    async def _read(self, thread: ThreadPoolExecutor, after: int) -> Block | None:
        return await asyncio.get_running_loop().run_in_executor(thread, self._page, after)

    def _page(self, after: int) -> Block | None:
        records = self._source.page(after, PAGE_RECORDS)
        return block_of(records, BLOCK_BYTES) if records else None
