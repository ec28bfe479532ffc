"""What the settings name is looked at without changing it."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbees.cli.commands.start import requirements
from arbees.cli.commands.start.host import HostFinding, HostState
from arbees.core.language.words import Mode
from arbees.journal import SqliteJournal
from arbees.journal.lock import WriterLock
from arbees.settings import Settings, load
from tests.cli.conftest import Served

NOW_NS = 1_900_000_000_000_000_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    """Go to an empty folder."""
    os.chdir(tmp_path)
    return tmp_path


def settings_of(**names: str) -> Settings:
    """Return settings of these and the defaults."""
    return load({"AUDIT_LOG_PATH": "audit.jsonl", **names})


def make_journal(path: Path, account: str = "main") -> None:
    """Make a journal that holds its first record."""
    SqliteJournal.open(path, account=account, environment="local", mode=Mode.PAPER).close()


def only(found: Iterator[HostFinding]) -> HostFinding:
    """Return the one finding."""
    (each,) = found
    return each


# Files with secrets ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "text", "state"),
    [
        (0o600, "ARBEES_API_KEY=x", HostState.OK),
        (0o644, "ARBEES_API_KEY=x", HostState.WARN),
        (0o644, "HTTP_PORT=8400", HostState.OK),
        (0o666, "HTTP_PORT=8400", HostState.FAIL),
    ],
)
def test_permissions_of_dotenv(mode: int, text: str, state: HostState, folder: Path) -> None:
    """A `.env` with a secret is for its owner; none may be written by others."""
    (folder / ".env").write_text(text)
    (folder / ".env").chmod(mode)
    found = only(requirements.private_files(Path(".env"), {}))
    assert found.state is state
    assert (found.mend == "chmod 600 .env") == (state is not HostState.OK)


def test_permissions_of_secret_files(folder: Path) -> None:
    """Each file that holds a secret is looked at, from `.env` and from the environment."""
    for name in ("a.pem", "b.pem"):
        (folder / name).write_text("x")
        (folder / name).chmod(0o640)
    (folder / ".env").write_text("KALSHI_PRIVATE_KEY_FILE=a.pem\nARBEES_API_KEY_FILE=gone\n")
    (folder / ".env").chmod(0o600)
    environ = {"POLYMARKET_PRIVATE_KEY_FILE": "b.pem", "ARBEES_API_KEY_FILE": ""}
    found = {each.name: each for each in requirements.private_files(Path(".env"), environ)}
    assert found["KALSHI_PRIVATE_KEY_FILE"].mend == "chmod 600 a.pem"
    assert found["POLYMARKET_PRIVATE_KEY_FILE"].state is HostState.WARN
    assert "ARBEES_API_KEY_FILE" not in found
    gone = {each.name: each for each in requirements.private_files(Path(".env"), {})}
    assert gone["ARBEES_API_KEY_FILE"].state is HostState.FAIL


# The port --------------------------------------------------------------------------------------


def test_port_that_is_free(nobody: str) -> None:
    """Nobody is there, and one can listen."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        number = trial.getsockname()[1]
    found = only(requirements.port(settings_of(HTTP_PORT=str(number), ARBEES_URL=nobody)))
    assert found.state is HostState.OK
    assert "is free" in found.text


def test_port_of_another_program(nobody: str) -> None:
    """Somebody who is no gateway has the port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        found = only(requirements.port(settings_of(HTTP_PORT=str(number), ARBEES_URL=nobody)))
    assert found.state is HostState.FAIL
    assert "HTTP_PORT" in found.mend


def test_our_own_gateway(served: Served) -> None:
    """Our gateway is recognized, and that it runs on other settings."""
    found = list(requirements.port(settings_of(ARBEES_URL=served.address)))
    assert [each.state for each in found] == [HostState.OK, HostState.WARN]
    assert "paper, ACTIVE" in found[0].text
    assert "other settings" in found[1].text


def test_gateway_that_starts(starting: str) -> None:
    """A gateway that is not ready yet is one."""
    found = only(requirements.port(settings_of(ARBEES_URL=starting)))
    assert (found.state, "starting" in found.text) == (HostState.OK, True)


def test_key_that_cannot_be_sent() -> None:
    """A key with a line break is found before anything is asked."""
    found = only(requirements.port(settings_of(ARBEES_API_KEY="abc\ndef")))
    assert (found.name, found.state) == ("ARBEES_API_KEY", HostState.FAIL)
    assert "arbees keys create" in found.mend


# Files of the gateway --------------------------------------------------------------------------


def test_journal_that_is_not_there() -> None:
    """The first start makes it."""
    found = only(requirements.journal(settings_of(), NOW_NS))
    assert (found.state, "None yet" in found.text) == (HostState.OK, True)


def test_journal_that_is_well(folder: Path) -> None:
    """Its records are counted, and who writes it is named."""
    path = folder / "var" / "arbees-paper.db"
    make_journal(path)
    found = only(requirements.journal(settings_of(), NOW_NS))
    assert (found.state, "1 records" in found.text) == (HostState.OK, True), found
    lock = WriterLock(path)
    try:
        assert f"pid {os.getpid()}" in only(requirements.journal(settings_of(), NOW_NS)).text
    finally:
        lock.release()


def without_witness(path: Path) -> None:
    """Take the witness away."""
    path.with_name(path.name + ".head").unlink()


def other_file(path: Path) -> None:
    """Put a file of another program there."""
    path.write_bytes(b"PK\x03\x04 no database" * 400)


def nothing(_path: Path) -> None:
    """Change nothing."""


@pytest.mark.parametrize(
    ("change", "account", "now_ns", "said"),
    [
        (without_witness, "main", NOW_NS, "witness"),
        (other_file, "main", NOW_NS, ""),
        (nothing, "other", NOW_NS, "main"),
        (nothing, "main", 1_000_000_000_000_000_000, "clock"),
    ],
)
def test_journal_that_would_not_start(
    change: Callable[[Path], None], account: str, now_ns: int, said: str, folder: Path
) -> None:
    """Whatever a start refuses is found, and says what to do."""
    path = folder / "var" / "arbees-paper.db"
    make_journal(path)
    change(path)
    found = only(requirements.journal(settings_of(ACCOUNT=account), now_ns))
    assert found.state is HostState.FAIL
    assert said in found.text
    assert found.mend


@pytest.mark.parametrize(
    ("path", "state", "mend"),
    [
        ("audit.jsonl", HostState.OK, ""),
        ("nowhere/audit.jsonl", HostState.FAIL, "mkdir -p nowhere"),
        (".", HostState.FAIL, "AUDIT_LOG_PATH"),
    ],
)
def test_audit_log(path: str, state: HostState, mend: str) -> None:
    """A log that cannot be written would refuse the start."""
    found = requirements.audit_log(settings_of(AUDIT_LOG_PATH=path))
    assert (found.state, mend in found.mend) == (state, True), found


def test_audit_log_that_is_off() -> None:
    """It is said."""
    assert requirements.audit_log(settings_of(AUDIT_LOG_ENABLED="false")).state is HostState.WARN


def test_kill_file(folder: Path) -> None:
    """A file that halts everything is named, with how to remove it; unreadable halts too."""
    assert requirements.kill_file(settings_of(KILL_SWITCH_FILE="stop")).state is HostState.OK
    (folder / "stop").touch()
    found = requirements.kill_file(settings_of(KILL_SWITCH_FILE="stop"))
    assert found.state is HostState.WARN
    assert ("HALTED" in found.text, "rm stop" in found.mend) == (True, True)
    unreadable = requirements.kill_file(settings_of(KILL_SWITCH_FILE="stop/file"))
    assert unreadable.state is HostState.FAIL


# Venues ----------------------------------------------------------------------------------------


def test_venues_are_not_called_on_paper() -> None:
    """Where nothing names them they are not needed."""
    found = only(requirements.venues(settings_of()))
    assert (found.state, "Not needed" in found.text) == (HostState.OK, True)


def test_venue_that_is_named() -> None:
    """One that is named is called; on paper, not to be reached is no failure."""
    with socket.socket() as venue:
        venue.bind(("127.0.0.1", 0))
        venue.listen()
        there = f"http://127.0.0.1:{venue.getsockname()[1]}/api"
        found = {
            each.name: each.state
            for each in requirements.venues(
                settings_of(KALSHI_BASE_URL=there, POLYMARKET_CLOB_URL="http://127.0.0.1:1")
            )
        }
    assert found == {"KALSHI_BASE_URL": HostState.OK, "POLYMARKET_CLOB_URL": HostState.WARN}


def test_venue_that_is_needed() -> None:
    """In live trading a venue that is not reached is a failure."""
    live = settings_of(
        PAPER_TRADING="0",
        LIVE_TRADING_AUTHORIZED="true",
        KALSHI_API_KEY_ID="id",
        KALSHI_PRIVATE_KEY="-----BEGIN X-----",
        KALSHI_BASE_URL="http://127.0.0.1:1",
        KALSHI_WS_URL="ws://127.0.0.1:1",
    )
    found = list(requirements.venues(live))
    assert [(each.name, each.state) for each in found] == [
        ("KALSHI_BASE_URL", HostState.FAIL),
        ("KALSHI_WS_URL", HostState.FAIL),
    ]
