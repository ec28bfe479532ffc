"""Rows: Kalshi from the decision to the first byte, and what its signatures cost on the way.

The order goes the whole way of a live one: decision, commit, gate, a signature that lay ready, a
connection that was open, the bytes of `venues/kalshi` written by `venues/http_client`. The venue is
a bare socket in a process of its own. Compared with a client that only forwards: the same bytes
over the same wire. The signature is compared with a run in which it is a constant that costs
nothing, twice, so that the table can say how much two equal runs differ.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from statistics import median

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from arbees.core.deciding.outcomes import Accepted, ApprovedOrder, Outcome
from arbees.core.language.request import Request
from arbees.core.ports import Entry, Gate
from arbees.runtime.supervisor import Supervisor
from arbees.venues.http_client import HttpAnswer, Wire
from arbees.venues.kalshi.connection.budget import TokenBucket
from arbees.venues.kalshi.connection.connection import CREATE, KalshiAccount, KalshiConnection
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.connection.signing import Signed, Signer
from arbees.venues.kalshi.orders.answers import CreateTerms, create_outcome
from arbees.venues.kalshi.orders.cash import Cash
from arbees.venues.kalshi.orders.groups import Groups
from arbees.venues.kalshi.orders.orders import KalshiOrders
from arbees.venues.kalshi.orders.portfolio import Portfolio
from benchmarks.durable import MARKETS, requests
from benchmarks.engine import BareEngine
from benchmarks.gateway import Bench, SilentVenue, running
from benchmarks.measure import US, Row, Stopwatch, cpu_us, row

OVERHEAD_US = 300.0
ROOT = "/trade-api/v2"
KEY_ID = "00000000-0000-4000-8000-00000000a4b5"
PLENTY = 1e12
_ONE_YEAR_NS = 365 * 86_400 * 10**9


class NotingWire(Wire):
    """Notes what the loop's thread took by the time that an order was written."""

    cpu_ns = 0

    async def wait(self, answer: "asyncio.Future[HttpAnswer]") -> HttpAnswer:
        """Note; this is the first that is done after the write."""
        self.cpu_ns = time.thread_time_ns()
        return await super().wait(answer)


class Constant(Signer):
    """Takes no time: always the same signature, never too old."""

    constant: Signed

    def take(self) -> Signed | None:
        """Return it."""
        return self.constant

    def is_timely(self, signed: Signed) -> bool:
        """Say that it is."""
        return True


class AtOnce(Signer):
    """Signs when an order is there, on the event loop."""

    def take(self) -> Signed | None:
        """Sign now."""
        return self.sign("POST", f"{ROOT}{CREATE}")


class NoneReady(Signer):
    """Has no signature ready: the adapter then signs in a thread, and the order waits."""

    def take(self) -> Signed | None:
        """Have none."""
        return None


KINDS = (Constant, Constant, Signer, AtOnce, NoneReady)


class KalshiStandIn(SilentVenue):
    """Sends as Kalshi's adapter does; keeps what it answered to itself, as a slow venue would."""

    orders: KalshiOrders
    last: ApprovedOrder | None = None
    answered: "asyncio.Future[Outcome] | None" = None

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Send, say what came to whoever measures, and go on waiting."""
        self.last = order
        outcome = await self.orders.submit(order, gate)
        assert self.answered is not None
        self.answered.set_result(outcome)
        await asyncio.get_running_loop().create_future()
        raise AssertionError("Expected no answer")


class Line:
    """One way to the venue: a key, how it is signed with, a wire."""

    def __init__(self, bench: Bench, port: int, key: SigningKey, kind: type[Signer]) -> None:
        """Wire the adapter's parts, with a budget that nothing uses up."""
        self._key = key
        base_url = f"http://127.0.0.1:{port}{ROOT}"
        account = KalshiAccount(
            key=key,
            key_id=KEY_ID,
            base_url=base_url,
            ws_url="ws://127.0.0.1:9/",
            skew_max_ns=5 * 10**9,
            group_limit=1_000,
        )
        self.connection = KalshiConnection(account, bench.clock, Supervisor(bench.clock))
        self.connection.api.budget.write = TokenBucket(PLENTY, PLENTY, bench.clock.now_ns())
        self.wire = NotingWire(base_url)
        clock = self.connection.venue_clock
        now_ns = bench.clock.now_ns()
        clock.compare(now_ns, now_ns, formatdate(usegmt=True))
        self.signer = self.connection.signer = kind(
            key, KEY_ID, clock, skew_max_ns=5 * 10**9, ahead=("POST", f"{ROOT}{CREATE}")
        )
        if isinstance(self.signer, Constant):
            self.signer.constant = self.signer.sign("POST", f"{ROOT}{CREATE}")
        groups = Groups(self.connection.api, 1_000)
        groups.ids[3] = "00000000-0000-4000-8000-0000group"
        cash = Cash(
            self.connection.api,
            Portfolio(self.connection.api),
            clock=bench.clock,
            venue_clock=clock,
            shard_of=lambda _ticker: 3,
        )
        self.orders = KalshiOrders(
            self.connection,
            self.wire,
            cash=cash,
            shard_of=lambda _ticker: 3,
            groups=groups,
        )

    async def sent(self, bench: Bench, request: Request) -> "Sent":
        """Send one request through the gateway; return what it took."""
        assert isinstance(bench.venue, KalshiStandIn)
        bench.venue.orders = self.orders
        # Their thread would have, long before. Whoever is compared does the same work here, so
        # that the processor's caches are in the same state.
        if type(self.signer) is Signer:
            self.signer.refill()
        else:
            self._key.sign(request.request_id.encode())
        noted: list[list[Entry]] = []
        bench.journal.noted = noted
        answered = bench.venue.answered = asyncio.get_running_loop().create_future()
        begun, cpu = time.perf_counter_ns(), time.thread_time_ns()
        asking = asyncio.create_task(bench.gateway.submit(request, 0))
        await asyncio.wait({asking, answered}, return_when=asyncio.FIRST_COMPLETED)
        result = await asking
        assert result.code is None, result
        outcome = await answered
        bench.journal.noted = None
        assert isinstance(outcome, Accepted), outcome
        first_byte_ns = int(outcome.venue_order_id)
        return Sent(
            us=(first_byte_ns - begun) / US,
            cpu_us=(self.wire.cpu_ns - cpu) / US,
            entries=noted[0],
        )

    async def close(self) -> None:
        """Disconnect."""
        await self.wire.close()
        await self.connection.close()


class Sent(msgspec.Struct, frozen=True):
    """From a request's arrival to its first byte at the venue."""

    us: float
    cpu_us: float
    """Of the event loop's thread, until it was written."""
    entries: list[Entry]
    """What was committed before."""


@contextmanager
def sink() -> Iterator[int]:
    """Run a venue that takes everything; yields its port."""
    command = [sys.executable, "-m", "benchmarks.sink"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def measure(folder: Path, rounds: int, orders: int) -> list[Row]:
    """Return the rows of Kalshi."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return [*runner.run(_measure(folder, rounds, orders)), _answering()]


async def _measure(folder: Path, rounds: int, orders: int) -> list[Row]:
    rows: list[Row] = []
    keys = (
        ("RSA-2048", SigningKey(rsa.generate_private_key(65_537, 2_048))),
        ("Ed25519", SigningKey(ed25519.Ed25519PrivateKey.generate())),
    )
    with tempfile.TemporaryDirectory(dir=folder) as place, sink() as port:
        engine = BareEngine(Path(place))
        async with running(Path(place), MARKETS, KalshiStandIn) as bench:
            line = Line(bench, port, keys[0][1], Signer)
            rows.append(await _first_byte(bench, engine, line, rounds, orders))
            for name, key in keys:
                lines = [Line(bench, port, key, kind) for kind in KINDS]
                rows += await _signing(bench, name, lines, rounds, orders)
        engine.close()
    return rows


async def _first_byte(
    bench: Bench, engine: BareEngine, line: Line, rounds: int, orders: int
) -> Row:
    over: list[float] = []
    parts: list[tuple[float, float, float]] = []
    for number in range(rounds):
        ours: list[float] = []
        forwards: list[float] = []
        alone = Stopwatch()
        for request in requests(bench, orders, 50_000 + number):
            sent = await line.sent(bench, request)
            ours.append(sent.us)
            prepared = engine.prepare(sent.entries)
            with alone:
                engine.commit(prepared)
            forwards.append(await _forwarded(line, bench))
        engine.tidy()
        bench.journal.maintain()
        parts.append((median(ours), alone.p50(), median(forwards)))
        over.append(parts[-1][0] - parts[-1][1] - parts[-1][2])
    await line.close()
    ours_us, commit, forward = (median(part) for part in zip(*parts, strict=True))
    against = (
        f"{ours_us:,.0f} us until the byte is read at a bare socket, of which a commit "
        f"{commit:,.0f} us and a client that only forwards {forward:,.0f} us"
    )
    name = "Kalshi: first byte, over commit and forwarding"
    return row(name, median(over), OVERHEAD_US, "us", against)


async def _forwarded(line: Line, bench: Bench) -> float:
    """Return how long bytes take that are ready: over the same wire to the same socket."""
    assert isinstance(bench.venue, KalshiStandIn)
    order = bench.venue.last
    assert order is not None
    fields = {"client_order_id": order.client_order_id, "count": "1.00", "filler": "x" * 250}
    body = msgspec.json.encode(fields)
    signed = {"KALSHI-ACCESS-SIGNATURE": "x" * 344}
    data = line.wire.head("POST", f"{ROOT}{CREATE}", signed, len(body)) + body
    begun = time.perf_counter_ns()
    async with line.wire.connection() as connection:
        answer = await line.wire.wait(connection.write(data))
    return (int(msgspec.json.decode(answer.body)["order_id"]) - begun) / US


async def _signing(
    bench: Bench, name: str, lines: list[Line], rounds: int, orders: int
) -> list[Row]:
    cpu: list[list[float]] = [[] for _ in lines]
    wall: list[list[float]] = [[] for _ in lines]
    for number in range(rounds):
        laps: list[list[Sent]] = [[] for _ in lines]
        turns = requests(bench, orders * len(lines), bench.clock.now_ns())
        for place, request in enumerate(turns):
            index = (place + number + place // len(lines)) % len(lines)
            laps[index].append(await lines[index].sent(bench, request))
        bench.journal.maintain()
        for index, each in enumerate(laps):
            cpu[index].append(median(sent.cpu_us for sent in each))
            wall[index].append(median(sent.us for sent in each))
    for line in lines:
        await line.close()
    noise = [after - before for before, after in zip(cpu[0], cpu[1], strict=True)]
    prepared, at_once, in_thread = (
        [a - b for a, b in zip(each, cpu[0], strict=True)] for each in cpu[2:]
    )
    widest = max(abs(each) for each in noise)
    mean = median(prepared)
    late = median(a - b for a, b in zip(wall[4], wall[0], strict=True))
    return [
        Row(
            f"Kalshi: signing on the hot path, {name}",
            f"{mean:+.1f} us",
            f"within {widest:.1f} us",
            abs(mean) <= widest,
            f"the loop's processor time to the first byte over the same with a constant, "
            f"{median(cpu[0]):,.0f} us; two runs with the constant differ by {median(noise):+.1f} "
            f"us, by {widest:.1f} us at most in {rounds} rounds",
        ),
        Row(
            "        the same, signed at once instead",
            f"{median(at_once):+.1f} us",
            "-",
            None,
            f"in a thread {median(in_thread):+.1f} us and {late:,.0f} us later, as when a burst "
            "has used up what lay ready",
        ),
    ]


def _answering() -> Row:
    """Return the row of what is done with an answer, and of counting tokens."""
    body = (
        b'{"order_id":"00000000-0000-4000-8000-000000000001","client_order_id":"arb-1",'
        b'"fill_count":"0.00","remaining_count":"5.00","ts_ms":1769641200000}'
    )
    bucket = TokenBucket(PLENTY, PLENTY, 0)
    asked = CreateTerms(
        client_order_id="arb-1",
        quantity=5_000_000,
        price=500_000,
        is_bid=True,
        rests=True,
        sent_ns=_ONE_YEAR_NS,
    )

    def classify() -> None:
        assert type(create_outcome(201, body, asked)) is Accepted

    def pay() -> None:
        assert not bucket.take(10.0, _ONE_YEAR_NS, 20.0)

    judging = min(cpu_us(classify, 2_000) for _ in range(7))
    paying = min(cpu_us(pay, 2_000) for _ in range(7))
    against = f"and {paying:.1f} us to take an order's tokens from the budget"
    return Row("Kalshi: judging an answer", f"{judging:.1f} us", "-", None, against)
