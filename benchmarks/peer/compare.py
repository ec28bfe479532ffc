"""Rows: Arbees on paper beside the hand-written stack, by one client, in alternating rounds.

Both record everything durably. Arbees decides by every safeguard, fills, and writes its audit log
besides. PostgreSQL and Redis are the system's own, each in a folder and on a port of its own; what
the stack imports is installed into an environment of its own when this is asked for.
"""

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.client import HEAD_END, load, request
from benchmarks.measure import Row, percentile, row

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MARKETS = 50
CONNECTIONS = (1, 16, 64)
WIDE = {
    "MAX_ORDERS_PER_MINUTE": "1000000",
    "MAX_ORDERS_PER_HOUR": "10000000",
    "MAX_OPEN_ORDERS": "1000000",
    "MAX_ORDER_SIZE": "1000",
    **dict.fromkeys(
        ("MAX_POSITION_PER_MARKET", "MAX_GAME_EXPOSURE", "MAX_SPORT_EXPOSURE"), "100000000"
    ),
    "MAX_TOTAL_EXPOSURE": "1000000000",
    "PAPER_BALANCE": "1000000000",
    "MAX_DAILY_LOSS": "100000000",
}


class Server(msgspec.Struct):
    """A server that is measured: its processes, its port, the files that it writes."""

    name: str
    processes: list[subprocess.Popen[bytes]]
    port: int
    files: tuple[Path, ...] = ()

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes and of their children, so far."""
        names = {str(each.pid) for each in self.processes}
        total, ticks = 0, os.sysconf("SC_CLK_TCK")
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if entry.name in names or fields[1] in names:
                    total += int(fields[11]) + int(fields[12])
        return total / ticks

    def disk_bytes(self) -> int:
        """Return what its files hold."""
        return sum(each.stat().st_size for each in self.files if each.exists())


def measure(folder: Path, rounds: int, count: int) -> list[Row]:
    """
    Return the rows.

    Args:
        folder: for the environment, which is kept, and the data, which is not.
        rounds: of each number of connections.
        count: requests a round and server.
    """
    if missing := missing_servers():
        what = f"Install the Debian packages {' and '.join(missing)} to compare"
        return [Row("beside the hand-written stack", "not measured", what, None, "")]
    python = environment(folder / "peer")
    with (
        tempfile.TemporaryDirectory(prefix="peer-") as place,
        contextlib.ExitStack() as stack,
    ):
        theirs = stack.enter_context(peer(python, Path(place)))
        ours = stack.enter_context(arbees(Path(place)))
        return [
            each
            for connections in CONNECTIONS
            for each in compare(ours, theirs, connections, rounds, count)
        ]


def missing_servers() -> list[str]:
    """Return the packages that are not installed."""
    found = {"postgresql": postgres_folder(), "redis-server": shutil.which("redis-server")}
    return [name for name, where in found.items() if not where]


def postgres_folder() -> Path | None:
    """Return where PostgreSQL's commands are, the newest version's."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def environment(folder: Path) -> Path:
    """Return the interpreter of the stack's own environment, made when it is not there."""
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True)
        wanted = str(HERE / "requirements.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", wanted], check=True)
        (folder / ".ready").touch()
    return python


@contextlib.contextmanager
def peer(python: Path, place: Path) -> Iterator[Server]:
    """Run PostgreSQL, Redis and the stack."""
    binaries = postgres_folder()
    assert binaries is not None
    data, (port, cache, mine) = place / "postgres", free_ports(3)
    # PostgreSQL refuses to run as root.
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    drop = user if os.getuid() == 0 else []
    data.mkdir()
    place.chmod(0o755)
    if drop:
        shutil.chown(data, "postgres", "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    make = [*drop, str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "peer"]
    subprocess.run(make, check=True, cwd=data, **quiet)  # type: ignore[call-overload]
    settings = ["-c", f"unix_socket_directories={data}", "-c", "max_connections=80"]
    serve = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *settings]
    with (
        running([*drop, *serve], data) as database,
        running(["redis-server", "--port", str(cache), "--appendonly", "yes"], place) as redis,
    ):
        wait_for(port, database)
        wait_for(cache, redis)
        surroundings = {
            "PEER_DATABASE": f"postgresql+asyncpg://peer@127.0.0.1:{port}/postgres",
            "PEER_REDIS_PORT": str(cache),
        }
        words = ["-m", "uvicorn", "stack:app", "--app-dir", str(HERE), "--port", str(mine)]
        with running([str(python), *words, "--log-level", "warning"], place, surroundings) as stack:
            wait_for(mine, stack)
            yield Server("the hand-written stack", [database, redis, stack], mine)


@contextlib.contextmanager
def arbees(place: Path) -> Iterator[Server]:
    """Run a gateway on paper with everything on, and limits that nothing here reaches."""
    (port,), folder = free_ports(1), place / "arbees"
    folder.mkdir()
    files = {
        "JOURNAL_PATH": folder / "journal.db",
        "PAPER_BOOK_PATH": folder / "paper.db",
        "AUDIT_LOG_PATH": folder / "audit.jsonl",
    }
    own = {name: str(path) for name, path in files.items()}
    settings = {**WIDE, **own, "HTTP_PORT": str(port), "KILL_SWITCH_FILE": str(folder / "kill")}
    with running([sys.executable, "-m", "arbees", "run"], folder, settings) as process:
        wait_for(port, process)
        journal = folder / "journal.db"
        written = (journal, folder / "journal.db-wal", folder / "audit.jsonl", folder / "log")
        yield Server("Arbees", [process], port, written)


@contextlib.contextmanager
def running(
    words: list[str], folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the block lasts."""
    log = (folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())) / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, **(settings or {})}, stdout=said, stderr=said
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def compare(ours: Server, theirs: Server, connections: int, rounds: int, count: int) -> list[Row]:
    """Return the rows for a number of connections."""
    rates: list[float] = []
    ratios: list[float] = []
    laps: dict[str, list[float]] = {ours.name: [], theirs.name: []}
    costs: dict[str, list[float]] = {ours.name: [], theirs.name: []}
    sizes: list[float] = []
    for number in range(rounds):
        found: dict[str, float] = {}
        for server in (ours, theirs) if number % 2 else (theirs, ours):
            if server is ours:
                quote(ours.port)
            bodies = requests(f"{connections}-{number}-{server.name[0]}", count)
            before, held = server.cpu_seconds(), server.disk_bytes()
            took, each = asyncio.run(load(server.port, bodies, connections))
            time.sleep(0.5)  # what follows the journal writes its lines
            found[server.name] = count / took
            laps[server.name].append(median(each) / 1e3)
            laps.setdefault(f"{server.name} p99", []).append(percentile(each, 0.99) / 1e3)
            costs[server.name].append((server.cpu_seconds() - before) / count * 1e3)
            if server is ours:
                require_filled(ours.port, f"{connections}-{number}")
                sizes.append((server.disk_bytes() - held) / count / 1e3)
        rates.append(found[ours.name])
        ratios.append(found[ours.name] / found[theirs.name])
    mine, other = median(laps[ours.name]), median(laps[theirs.name])
    tails = [median(laps[f"{each.name} p99"]) for each in (ours, theirs)]
    against = (
        f"{median(rates):,.0f}/s, p50 {mine:.2f} ms of {other:.2f}, p99 {tails[0]:.1f} ms of "
        f"{tails[1]:.1f}; {theirs.name} takes {median(costs[theirs.name]):.2f} ms of processor time"
    )
    name = f"end to end, {connections} connection{'s' * (connections > 1)}"
    if connections != 16:
        return [
            Row(f"{name}: requests/s of the peer's", f"{median(ratios):.2f} x", "", None, against)
        ]
    return [
        row(f"{name}: requests/s of the peer's", median(ratios), 5.0, "x", against, at_least=True),
        row(f"{name}: p50 of the peer's", mine / other, 0.25, "x", against),
        row(f"{name}: processor time", median(costs[ours.name]), 0.35, "ms", "all threads"),
        row(f"{name}: disk", median(sizes), 3.7, "KB", "journal with its log, audit log, console"),
    ]


def requests(run: str, count: int) -> list[bytes]:
    """Return requests, each under a key of its own, over all markets."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    made = []
    for number in range(count):
        body = {
            "request_id": f"r-{run}-{number}",
            "idempotency_key": f"k-{run}-{number}",
            "platform": "Kalshi",
            "market_id": f"KXNBAGAME-{number % MARKETS:02d}-LAL",
            "side": "Yes",
            "action": "Buy",
            "size": "1",
            "limit_price": "0.46",
            "strategy": "alpha",
            "model_version": "m1",
            "sport": "NBA",
            "time_in_force": "IOC",
            "created_at": now,
        }
        made.append(request(json.dumps(body).encode()).replace(b"wait=0", b"wait=5"))
    return made


def quote(port: int) -> None:
    """Show the gateway a deep book of each market."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(MARKETS):
        body = {
            "platform": "Kalshi",
            "market_id": f"KXNBAGAME-{number:02d}-LAL",
            "ts": now,
            "sport": "NBA",
            "game_id": f"game-{number}",
            "bids": [["0.45", "1000000"]],
            "asks": [["0.46", "1000000"]],
        }
        headers = {"content-type": "application/json"}
        connection.request("POST", "/v1/quotes", json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status not in {200, 202}:
            raise RuntimeError(f"Expected a quote to be taken, was {answer.status}: {said!r}")
    connection.close()


def require_filled(port: int, run: str) -> None:
    """Raise RuntimeError unless one more request fills: denials cost less than orders."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = requests(f"last-{run}", 1)[0].partition(HEAD_END)[2]
    connection.request("POST", "/v1/executions", body, {"content-type": "application/json"})
    found = json.loads(connection.getresponse().read())
    connection.close()
    if found.get("status") != "Filled":
        raise RuntimeError(f"Expected orders to fill to the end, was {found.get('code')}")


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, each another."""
    with contextlib.ExitStack() as held:
        bound = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in bound]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens on a port. Raises RuntimeError if it ends, or takes long."""
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"Expected a server, {process.args!r} ended: {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"Expected a server on port {port} within 30 s")
