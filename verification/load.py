"""Load: many connections at full speed while others follow the events, then every word compared.

`python -m verification.load`, or `make load`. Guarantees that the gateway is a real process on
real files, that who sends and who listens are processes of their own, and that what every listener
heard and what every sender was answered is compared with the journal that the gateway left. Ends
with 1 if anything at all differs.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from arbees.core import events
from arbees.core.language.strict_json import format_time
from arbees.core.orders.result import encode, fold
from arbees.core.ports import Stored
from arbees.journal import JournalReader
from arbees.telemetry.stream.frames import event_of
from verification.barrage import CONNECTIONS, Barrage, SentRequest
from verification.http import HttpConnection
from verification.listeners import Hearing, digest_of
from verification.process import (
    SETTINGS,
    Process,
    contradictions,
    files_in,
)

WIDE = SETTINGS | {
    "MAX_ORDER_SIZE": "1000000000",
    "MAX_ORDER_CONTRACTS": "1000000000",
    "MAX_POSITION_PER_MARKET": "1000000000",
    "MAX_GAME_EXPOSURE": "1000000000",
    "MAX_SPORT_EXPOSURE": "1000000000",
    "MAX_TOTAL_EXPOSURE": "1000000000",
    "MAX_ORDERS_PER_MINUTE": "1000000",
    "MAX_ORDERS_PER_HOUR": "10000000",
    "MAX_OPEN_ORDERS": "1000000",
    "MAX_DAILY_LOSS": "1000000000",
    "MAX_REPEATED_EXECUTIONS": "1000000",
    "PAPER_BALANCE": "1000000000",
    "LOG_LEVEL": "error",
}
"""Limits that let everything pass."""

LISTENERS = 8
CANCEL_SECONDS = 1.0
WARM_SECONDS = 0.3
"""Before which memory is not looked at: the listeners come in."""


class Load(msgspec.Struct):
    """What a run came to."""

    seconds: float = 0.0
    answers: Counter[str] = msgspec.field(default_factory=Counter)
    """Answers by their status."""
    orders: int = 0
    cancels: int = 0
    """Mass cancels."""
    records: int = 0
    heard: int = 0
    """The record up to which everybody was to hear."""
    streamed: int = 0
    """Bytes of events, over all listeners."""
    connections: int = 0
    """Of listeners; more than there are listeners: some were cut off."""
    behind: float = 0.0
    """Seconds until the slowest listener had heard the last record."""
    memory_start: int = 0
    memory_end: int = 0
    memory_max: int = 0
    """Of the gateway, in KiB, resident."""
    texts: list[str] = []
    """What differs."""


# The run ---------------------------------------------------------------------------------------


async def run(folder: Path, *, seconds: float, seed: int = 1, listeners: int = LISTENERS) -> Load:
    """
    Do one run.

    Args:
        folder: empty, for the files.
        seconds: how long is sent.
        seed: of what is sent.
        listeners: how many follow the events.
    """
    load, barrage = Load(), Barrage(seed)
    process = Process(folder, settings=WIDE)
    await process.start()
    try:
        hearings = await _under_load(process, barrage, load, seconds, listeners)
        if (code := await process.stop()) != 0:
            load.texts.append(f"it ended with {code}: {process.last_words()}")
    except (OSError, TimeoutError) as error:
        load.texts.append(f"{error!r}: {process.last_words()}")
        return load
    finally:
        await process.kill()
    with JournalReader(files_in(folder).journal) as reader:
        records = list(reader.records())
    load.records = len(records)
    load.texts += compare_streams(records, hearings, load.heard)
    load.texts += compare_results(records, barrage.sent)
    load.orders = sum(stored.kind == "OrderApproved" for stored in records)
    load.answers = Counter(
        str((sent.answer or {}).get("status", sent.status)) for sent in barrage.sent
    )
    load.streamed = sum(hearing.size for hearing in hearings)
    load.connections = sum(hearing.connections for hearing in hearings)
    load.behind = max((hearing.behind for hearing in hearings), default=0.0)
    return load


async def _under_load(
    process: Process, barrage: Barrage, load: Load, seconds: float, listeners: int
) -> list[Hearing]:
    """Send, cancel and listen; return what was heard."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "verification.listeners"),
        *(f"http://127.0.0.1:{process.port}", str(listeners)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 30,
    )
    try:
        began = time.monotonic()
        sending = asyncio.create_task(barrage.send(process.port))
        beside = asyncio.create_task(_beside(process, load))
        await asyncio.sleep(seconds)
        barrage.is_over = True
        await sending
        load.seconds = time.monotonic() - began
        beside.cancel()
        await asyncio.wait([beside])
        async with await HttpConnection.open(process.port) as connection:
            _, status = await connection.ask("GET", "/v1/status")
        load.memory_end = memory(process.pid)
        load.heard = status["journal"]["sequence"]
        said, _ = await child.communicate(b"%d\n" % load.heard)
    finally:
        if child.returncode is None:
            child.kill()
    return [msgspec.json.decode(line, type=Hearing) for line in said.splitlines()]


async def _beside(process: Process, load: Load) -> None:
    """Cancel everything every second, and look at the memory."""
    await asyncio.sleep(WARM_SECONDS)
    load.memory_start = memory(process.pid)
    async with await HttpConnection.open(process.port) as connection:
        while True:
            status, answer = await connection.ask("DELETE", "/v1/orders?scope=all&reason=load")
            if status not in {200, 202}:
                load.texts.append(f"a mass cancel was answered with {status}: {answer}")
            load.cancels += 1
            load.memory_max = max(load.memory_max, memory(process.pid))
            await asyncio.sleep(CANCEL_SECONDS)


def memory(pid: int) -> int:
    """Return what a process holds in memory, in KiB; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


# The comparison --------------------------------------------------------------------------------


def compare_streams(records: Sequence[Stored], hearings: Sequence[Hearing], last: int) -> list[str]:
    """
    Return where what was heard differs from the journal.

    Args:
        records: all of the journal, in order.
        hearings: of every listener.
        last: the record up to which everybody had time to hear.
    """
    found: list[str] = []
    for number, hearing in enumerate(hearings):
        found += [f"listener {number}: {fault}" for fault in hearing.faults]
        if hearing.last < last:
            found.append(f"listener {number}: heard {hearing.last} of {last} records")
        new_events = [event_of(stored) for stored in records[: hearing.last]]
        if hearing.digest != digest_of(new_events):
            found.append(f"listener {number}: heard something else than the journal")
        found += [
            f"listener {number}: record {sequence} is not what was heard"
            for sequence, data in hearing.kept
            if msgspec.json.decode(data) != _shown(records[sequence - 1])
        ]
    return found


def _shown(stored: Stored) -> object:
    """Return what an event says of a record, found by another way than the gateway's."""
    is_receipt = stored.kind in {"HaltRaised", "MassCancelled", "FlattenPlanned"}
    return {
        "sequence": stored.sequence,
        "time": format_time(stored.time_ns),
        "kind": stored.kind,
        "request_id": None if is_receipt else stored.request_id,
        "body": msgspec.json.decode(stored.body),
    }


def compare_results(records: Sequence[Stored], sent: Sequence[SentRequest]) -> list[str]:
    """
    Return where what was answered differs from the journal.

    Args:
        records: all of the journal, in order.
        sent: everything that was sent, with its answer.
    """
    lives: dict[str, list[tuple[int, int, events.Event]]] = {}
    duplicates = 0
    for stored in records:
        if stored.kind == "DuplicateRefused":
            duplicates += 1
        if stored.request_id is not None:
            event = events.decode(stored.body)
            lives.setdefault(stored.request_id, []).append((stored.sequence, stored.time_ns, event))
    found: list[str] = []
    repeated = 0
    for each in sent:
        if each.answer is None or each.status not in {200, 202}:
            found.append(f"{each.body['request_id']}: answered with {each.status} {each.answer}")
            continue
        if each.answer["code"] in {"DUPLICATE_REQUEST", "IDEMPOTENCY_CONFLICT"}:
            repeated += 1
            continue
        life = fold(lives.get(each.body["request_id"], ()))
        if life is None:
            found.append(f"{each.body['request_id']}: answered, and not in the journal")
            continue
        after = msgspec.json.decode(encode(life.result()))
        if each.answer["final"] and "corrects" not in after and each.answer != after:
            found.append(f"{each.body['request_id']}: was {each.answer}, is {after}")
        found += [
            f"{each.body['request_id']}: {text}" for text in contradictions(each.answer, after)
        ]
    if repeated != duplicates:
        found.append(f"{repeated} duplicates were answered, {duplicates} are in the journal")
    return found


# The command -----------------------------------------------------------------------------------


def table(load: Load) -> str:
    """Return the figures as people read them."""
    seconds = load.seconds or 1.0
    sent = sum(load.answers.values())
    rows: list[tuple[str, object]] = [
        ("seconds", f"{load.seconds:.1f}"),
        ("requests answered", sent),
        ("requests a second", f"{sent / seconds:.0f}"),
        ("orders", load.orders),
        ("orders a second", f"{load.orders / seconds:.0f}"),
        *((f"answered {name}", count) for name, count in sorted(load.answers.items())),
        ("mass cancels", load.cancels),
        ("records", load.records),
        ("records a second", f"{load.records / seconds:.0f}"),
        ("MB of events over all streams", f"{load.streamed / 1e6:.0f}"),
        ("connections of listeners", load.connections),
        ("seconds behind at the end", f"{load.behind:.2f}"),
        ("memory at the start, MiB", f"{load.memory_start / 1024:.0f}"),
        ("memory at most, MiB", f"{load.memory_max / 1024:.0f}"),
        ("memory at the end, MiB", f"{load.memory_end / 1024:.0f}"),
        ("differences", len(load.texts)),
    ]
    return "\n".join(f"{title:<36}{value!s:>12}" for title, value in rows)


def main(arguments: Sequence[str], say: Callable[[str], object] = sys.stdout.write) -> int:
    """Do what the command line asks for; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m verification.load",
        description=f"Send over {CONNECTIONS} connections, follow the events, and compare.",
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="arbees-load-") as name:
        load = asyncio.run(
            run(Path(name), seconds=given.seconds, seed=given.seed, listeners=given.listeners)
        )
    say(table(load) + "\n")
    for text in load.texts[:20]:
        say(f"{text}\n")
    return 1 if load.texts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
