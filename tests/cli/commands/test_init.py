"""`arbees init` writes settings that a gateway starts on, or nothing."""

import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arbees.cli.main import build, main
from arbees.cli.shared.texts import CommandPage, pages
from arbees.settings import load
from arbees.venues.kalshi.spec import Kalshi

Capture = pytest.CaptureFixture[str]
SOURCE = str(Path(__file__).parents[3] / "src")
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


def page_of(*words: str) -> CommandPage:
    """Return all about a command."""
    return next(page for page in pages(build()) if page.words == words)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    """Go to an empty folder."""
    os.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def key_file(folder: Path) -> Path:
    """Return a private key that only its owner reads."""
    path = folder / "kalshi.pem"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


def test_defaults(folder: Path, capsys: Capture) -> None:
    """With --yes the defaults are taken; the result passes `config check`, secrets are private."""
    assert main(["init", "--yes"]) == 0
    said = capsys.readouterr()
    assert ".env and arbees.toml" in said.out
    assert "arbees run" in said.err
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert (folder / "var").is_dir()
    assert main(["config", "check"]) == 0
    assert "paper trading" in capsys.readouterr().out
    shown = load({}, folder / ".env", folder / "arbees.toml").shown()
    assert shown["LIMIT_PROFILE"].text == "day1"
    assert shown["AUDIT_LOG_PATH"].text == "var/execution_audit.jsonl"
    assert shown["JOURNAL_PATH"].text == "var/arbees-paper.db"


def test_every_flag(folder: Path, key_file: Path, capsys: Capture) -> None:
    """What a flag says stands in the files."""
    flags = {
        "data": "data dir/",
        "audit-log": "logs/it's.jsonl",
        "profile": "WEEK2",
        "sports": "NBA=500, NHL=250.5",
        "kill-file": "/tmp/stop",
        "port": "8400",
        "kalshi-key-id": "id-1",
        "kalshi-key-file": "kalshi.pem",
        "strategies": "alpha,beta",
        "folder": "here",
    }
    assert main(["init", "-y", *(f"--{name}={text}" for name, text in flags.items())]) == 0
    said = capsys.readouterr().err
    assert "keys create --name beta --strategy beta --scope submit" in said
    assert said.index("--name operator") < said.index("--name alpha")
    known = {name for each in page_of("keys", "create").taken for name in each.names}
    assert set(re.findall(r"--[\w-]+", said.partition("keys create")[2])) <= known
    settings = load({}, folder / "here" / ".env", folder / "here" / "arbees.toml")
    shown = {name: found.text for name, found in settings.shown().items()}
    assert shown["JOURNAL_PATH"] == "data dir/arbees-paper.db"
    assert shown["AUDIT_LOG_PATH"] == "logs/it's.jsonl"
    assert (shown["LIMIT_PROFILE"], shown["HTTP_PORT"]) == ("week2", "8400")
    assert shown["KILL_SWITCH_FILE"] == "/tmp/stop"
    assert shown["sport_exposure.limits"] == '{"NBA":500,"NHL":"250.5"}'
    assert settings.section(Kalshi).private_key == KEY.strip()
    assert "alpha, beta" in (folder / "here" / "arbees.toml").read_text()
    assert (folder / "here" / "data dir").is_dir()
    assert (folder / "here" / "logs").is_dir()


@pytest.mark.parametrize("name", [".env", "arbees.toml"])
def test_overwrites_nothing_unasked(name: str, folder: Path, capsys: Capture) -> None:
    """A file that is there stays, and the other is not written; --force keeps it as .old."""
    (folder / name).write_text("# mine\n")
    assert main(["init", "--yes"]) == 1
    assert f"There is already {name}" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == [name]
    assert main(["init", "--yes", "--force"]) == 0
    assert (folder / f"{name}.old").read_text() == "# mine\n"
    assert main(["config", "check"]) == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--port 99999", "--port: Expected a number from 1 to 65535"),
        ("--port 84OO", "--port: Expected a whole number"),
        ("--profile day2", "--profile: Expected one of day1"),
        ("--sports NBA", "--sports: Expected SPORT=DOLLARS, was 'NBA'. Write it like NBA=500"),
        ("--sports NBA=$500", "Expected dollars from 0 to 1000000000 for NBA, was '$500'"),
        ("--sports NBA=1,nba=2", "Expected each sport once"),
        ("--audit-log ~/a.jsonl", "--audit-log: Expected a path that no shell has to expand"),
        ("--data file", "Expected a folder, file is a file"),
        ("--kalshi-key-id x", "--kalshi-key-id: Expected --kalshi-key-file with it"),
        ("--kalshi-key-file file", "--kalshi-key-file: Expected --kalshi-key-id with it"),
        ("--kalshi-key-id x --kalshi-key-file no", "Cannot read"),
        ("--kalshi-key-id x --kalshi-key-file .", "Expected a file"),
        ("--kalshi-key-id x --kalshi-key-file file", "Mend it: chmod 600"),
        ("--kalshi-key-id x --kalshi-key-file own", "Expected a private key in PEM"),
        ("--strategies é", "Expected names of 1 to 128 printable ASCII characters"),
    ],
)
def test_wrong_answers(flags: str, said: str, folder: Path, capsys: Capture) -> None:
    """An answer that is not understood is explained, and nothing is written."""
    (folder / "file").write_text("x")
    (folder / "file").chmod(0o644)
    (folder / "own").write_text("x")
    (folder / "own").chmod(0o600)
    assert main(["init", "--yes", *flags.split()]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["file", "own"]


def test_contradiction_is_found_before_anything_is_written(folder: Path, capsys: Capture) -> None:
    """Two files in one place are refused as a gateway would refuse them."""
    assert main(["init", "--yes", "--audit-log", "var/paper.db"]) == 78
    assert "Nothing was written" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_environment_that_overrides_is_told(capsys: Capture) -> None:
    """A bad setting in the environment would refuse the start; it is said at once."""
    os.environ["MAX_SAFE_PRICE"] = "95"
    assert main(["init", "--yes"]) == 0
    said = capsys.readouterr().err
    assert "The environment overrides" in said
    assert "MAX_SAFE_PRICE" in said


def test_without_a_terminal_it_does_not_ask(folder: Path) -> None:
    """A script that forgot --yes ends at once."""
    found = subprocess.run(
        [sys.executable, "-m", "arbees", "init"],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (found.returncode, found.stdout) == (2, "")
    assert "--yes" in found.stderr
    assert list(folder.iterdir()) == []


def test_asks_at_a_terminal(folder: Path) -> None:
    """At a real terminal it asks one thing after the other, and asks again what was no answer."""
    answers = ["", "", "week9", "week1", "NBA=500", "", "8400", "", "alpha", ""]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "arbees", "init"],
        env={**os.environ, "PYTHONPATH": SOURCE, "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    heard, end = b"", time.monotonic() + 30
    for answer in answers:
        heard += hear(master, b": ", end)
        os.write(master, answer.encode() + b"\n")
    heard += hear(master, b"arbees run", end)
    assert process.wait(30) == 0
    os.close(master)
    assert b"Expected one of day1, week1, week2, month1 or none, was 'week9'" in heard
    shown = load({}, folder / ".env", folder / "arbees.toml").shown()
    assert (shown["LIMIT_PROFILE"].text, shown["HTTP_PORT"].text) == ("week1", "8400")


def hear(master: int, mark: bytes, end: float) -> bytes:
    """Read from a terminal until a mark came."""
    heard = b""
    while not heard.rstrip(b"\x00").endswith(mark) and mark not in heard[-400:]:
        assert select.select([master], [], [], max(0, end - time.monotonic()))[0], heard
        heard += os.read(master, 4096)
    return heard
