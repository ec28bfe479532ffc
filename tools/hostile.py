"""Send a gateway what no well-meaning client sends, and watch that it costs it nothing.

Guarantees that each bad request heard a clear refusal (a problem with a known code, short, without
anything of the inside), or the end of the connection where HTTP allows no more; that no request
was decided; that during each of the storms of `tools.storms` a stop with the operator's key was in
force within a second; and that memory and file descriptors of the process are as before.
`python -m tools.hostile --requests 100000` prints the figures and exits 1 if something leaked.
"""

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from arbees.api.http.problem_codes import PROBLEM_CODES
from arbees.journal import JournalReader
from tools.attacks import BODY_SLOW, CLOSING, HEAD_SLOW, KEEPING, Attack
from tools.served import Served, serving
from tools.storms import STORMS

WORKERS = 32
SLOW = 64
"""Connections that say little, for as long as they are let."""
WARM = 0.1
"""Part of the requests after which memory is looked at first: caches are full by then."""
WARM_MIN = 2_000
MEMORY_MAX = 8 * 1024 * 1024
"""Growth that is no leak: an allocator keeps pages."""
BODY_BYTES_MAX = 2_048
SECONDS_MAX = 30.0
STORM_SECONDS = 8.0
STOP_SECONDS_MAX = 1.0
ROUNDS_MAX = 3
STORM_MEMORY_MAX = 96 * 1024 * 1024
"""Growth while strangers hold all connections."""
_INSIDE = (b"Traceback", b"site-packages", b".py", b'File "')


class Broken(Exception):  # noqa: N818 - what a tool is for
    """A bad request was not refused as it should be."""


@dataclass
class Tally:
    """What happened so far."""

    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    def take(self, attack: Attack, status: int) -> None:
        """Count an answer; 0 = the connection was closed without one."""
        self.asked += 1
        self.answers[f"{status} {attack.name}" if status else f"closed {attack.name}"] += 1


def check(attack: Attack, status: int, media_type: str, body: bytes) -> None:
    """Compare an answer with what it should be. Raises Broken."""
    if status not in attack.statuses:
        raise Broken(f"{attack.name}: expected {attack.statuses}, was {status} {body[:300]!r}")
    if media_type != "application/problem+json":
        raise Broken(f"{attack.name}: expected a problem, was {media_type} {body[:300]!r}")
    if json.loads(body)["code"] not in PROBLEM_CODES or len(body) > BODY_BYTES_MAX:
        raise Broken(f"{attack.name}: expected a short problem of a known code, was {body[:300]!r}")
    if any(word in body for word in _INSIDE):
        raise Broken(f"{attack.name}: tells of the inside: {body[:300]!r}")


async def answer(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    """Read one answer: status, media type and body. Raises IncompleteReadError, OSError."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        if status >= 200:
            break
    pairs = [line.partition(":") for line in head[1:]]
    fields = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return status, fields.get("content-type", ""), body


class Enemy:
    """One client that keeps its connection for as long as it is let."""

    def __init__(self, port: int, tally: Tally) -> None:
        """Attack a port."""
        self._port = port
        self._tally = tally
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, attack: Attack) -> None:
        """Send one attack and read what comes. Raises Broken."""
        async with asyncio.timeout(SECONDS_MAX):
            reader, writer = await self._connected()
            try:
                writer.write(attack.data)
                if attack.ends:
                    writer.write_eof()
                for _ in range(attack.count):
                    found = await answer(reader)
                    check(attack, *found)
                    self._tally.take(attack, found[0])
            except (asyncio.IncompleteReadError, ConnectionError):
                if 0 not in attack.statuses:
                    raise Broken(f"{attack.name}: expected an answer, was none") from None
                self._tally.take(attack, 0)
                await self.close()
                return
        if attack.closes:
            await self.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    async def close(self) -> None:
        """Close the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].transport.abort()
            await asyncio.sleep(0)


async def work(port: int, attacks: Iterator[Attack], count: int, tally: Tally) -> None:
    """Attack until so many requests were sent."""
    enemy = Enemy(port, tally)
    while tally.asked < count:
        await enemy.ask(next(attacks))
    await enemy.close()


async def drip(port: int, attack: Attack, tally: Tally) -> None:
    """Send a part, then a byte a second, until the answer comes. Raises Broken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(attack.data)
    heard = asyncio.create_task(answer(reader))
    async with asyncio.timeout(SECONDS_MAX):
        while not (await asyncio.wait([heard], timeout=1))[0]:
            writer.write(b" " if attack is BODY_SLOW else b"x")
    found = heard.result()
    check(attack, *found)
    tally.take(attack, found[0])
    writer.transport.abort()


async def attack(port: int, count: int, tally: Tally) -> None:
    """Send so many bad requests over many connections at once."""
    attacks = itertools.cycle((*KEEPING, *CLOSING))
    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work(port, attacks, count, tally))


async def attack_slowly(port: int, count: int, tally: Tally) -> None:
    """Hold connections open by saying little."""
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            slow = HEAD_SLOW if number % 2 else BODY_SLOW
            group.create_task(drip(port, slow, tally))


def settled(served: Served) -> tuple[int, int]:
    """Return memory and descriptors once the last connections are gone."""
    end, found = time.monotonic() + 10, (0, 0)
    while time.monotonic() < end:
        now = (served.memory(), served.descriptors())
        if now[1] == found[1]:
            return now
        found = now
        time.sleep(0.5)
    return found


def storm(served: Served, name: str, seconds: float) -> str:
    """
    Let a storm blow, and stop and resume trading with the operator's key meanwhile.

    Returns:
        The figures.

    Raises:
        Broken: a stop was refused, or took too long; memory grew without a bound.
    """
    before, took = served.memory(), []
    command = [sys.executable, "-m", "tools.storms", name, str(served.port), str(seconds)]
    blowing = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while blowing.poll() is None:
            begun = time.monotonic()
            status, answer = served.ask("POST", "/v1/kill-switch", {"action": "ENABLE"})
            took.append(time.monotonic() - begun)
            if status != 200 or not answer["in_force"]:
                raise Broken(f"{name}: expected a stop in force, was {status} {answer}")
            served.ask("POST", "/v1/kill-switch", {"action": "DISABLE", "reason": "storm"})
            time.sleep(0.1)
        grown = served.memory() - before
    finally:
        blowing.kill()
        blowing.wait()
    said = (
        f"storm of {name}: {len(took)} stops, the slowest in force after {max(took):.3f} s, "
        f"memory +{max(0, grown) / 1e6:.1f} MB"
    )
    if max(took) > STOP_SECONDS_MAX or grown > STORM_MEMORY_MAX:
        raise Broken(
            f"Expected stops within {STOP_SECONDS_MAX:g} s and bounded memory, was: {said}"
        )
    return said


def storms(names: Iterable[str] = tuple(STORMS), seconds: float = STORM_SECONDS) -> str:
    """Let storms blow over a gateway of our own, and return the figures. Raises Broken."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        served.take_key()
        lines = [storm(served, name, seconds) for name in names]
        if served.ask("GET", "/v1/status")[0] != 200:
            raise Broken("Expected it to answer afterwards")
    return "\n".join(lines)


def siege(count: int, slow: int = SLOW) -> str:
    """
    Attack a gateway of our own with so many bad requests, slow ones besides.

    Returns:
        The figures.

    Raises:
        Broken: something was not refused, was decided, or leaked.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        with serving(Path(name)) as served:
            run(attack(served.port, max(WARM_MIN, int(count * WARM)), tally))
            for _ in range(ROUNDS_MAX):
                before = settled(served)
                began = time.monotonic()
                run(_both(served.port, count, slow, tally))
                seconds = time.monotonic() - began
                after = settled(served)
                if after[0] - before[0] <= MEMORY_MAX:
                    break  # what grows in every round is a leak; an allocator grows once
            if served.ask("GET", "/readyz")[0] != 200:
                raise Broken("Expected it to be ready afterwards")
        with JournalReader(Path(name) / "journal.db") as reader:
            decided = [each.kind for each in reader.records() if each.request_id is not None]
    if decided:
        raise Broken(f"Expected nothing to be decided, was {Counter(decided)}")
    return report(tally, before, after, seconds)


def run(attacks: Coroutine[None, None, None]) -> None:
    """Run attacks. Raises Broken, alone: the first of those that were found."""
    try:
        asyncio.run(attacks)
    except ExceptionGroup as group:
        found: Exception = group.subgroup(Broken) or group
        while isinstance(found, ExceptionGroup):
            found = found.exceptions[0]
        raise found from None


async def _both(port: int, count: int, slow: int, tally: Tally) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(attack_slowly(port, slow, tally))
        group.create_task(attack(port, count, tally))


def report(tally: Tally, before: tuple[int, int], after: tuple[int, int], seconds: float) -> str:
    """Return the figures. Raises Broken where memory or descriptors grew."""
    kinds = "\n".join(f"  {count:>8,}  {name}" for name, count in sorted(tally.answers.items()))
    said = (
        f"{tally.asked:,} bad requests, the last {seconds:.0f} s of them measured\n"
        f"memory {before[0] / 1e6:.1f} -> {after[0] / 1e6:.1f} MB, "
        f"descriptors {before[1]} -> {after[1]}\n{kinds}"
    )
    if after[0] - before[0] > MEMORY_MAX or after[1] > before[1]:
        raise Broken(f"Expected memory and descriptors as before, was:\n{said}")
    return said


def main() -> int:
    """Attack, and tell what came of it."""
    parser = argparse.ArgumentParser(description="Send a gateway bad requests.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--slow", type=int, default=SLOW, help="connections that say little")
    given = parser.parse_args()
    try:
        print(siege(given.requests, given.slow))
        print(storms())
    except Broken as broken:
        print(broken)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
