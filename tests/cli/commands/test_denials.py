"""`arbees replay --check-false-denials`: what was denied, and what operators say of it."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import astuple

from arbees.cli.main import main
from arbees.interface.denial_reviews import KINDS, fold
from arbees.interface.views import JournalView
from arbees.journal import JournalReader, SqliteJournal
from tests.cli.conftest import Served
from tests.cli.journals import lived
from tests.cli.test_main import SOURCE
from tests.runtime.evenings import LIMITS, Evening

Capture = pytest.CaptureFixture[str]
GROUP = "order_size/MAX_ORDER_SIZE"


async def _act(evening: Evening) -> None:
    await evening.quote()
    for number in range(5):
        await evening.ask(f"large-{number}", contracts=90)
    await evening.ask("bought", contracts=10)
    await evening.ask("bought", contracts=10)
    await evening.ask("bought", contracts=11)
    await evening.halt()
    await evening.ask("halted")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Live an evening with denials of three kinds."""
    return lived(tmp_path, (_act, LIMITS))


def checked(journal: Path, capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    """Return what the command says in JSON, or what went wrong."""
    capsys.readouterr()
    command = ["replay", str(journal), "--check-false-denials", *words, "--json"]
    assert main(command) == code
    said = capsys.readouterr()
    found: dict[str, Any] = json.loads(said.out) if code == 0 else {"error": said.err}
    return found


def test_what_is_open(journal: Path, capsys: Capture) -> None:
    """Every denial of the gateway, grouped; a plain duplicate is none."""
    found = checked(journal, capsys)
    assert (found["open"], found["confirmed"], found["disputed"]) == (7, 0, 0)
    assert [(each["name"], each["open"]) for each in found["groups"]] == [
        (GROUP, 5),
        ("idempotency/IDEMPOTENCY_CONFLICT", 1),
        ("kill_switch/HALTED", 1),
    ]
    assert found["denials"][0]["message"] == "Order size $55.80 exceeds maximum $40.00"
    capsys.readouterr()
    assert main(["replay", str(journal), "--check-false-denials", "-n", "2"]) == 0
    said = capsys.readouterr()
    assert "7 open; 5 more" in said.out
    assert "--confirm or --dispute" in said.err


def test_answers_by_record_request_and_group(journal: Path, capsys: Capture) -> None:
    """They stand in the journal, which is whole afterwards; only open ones of a group are meant."""
    first = checked(journal, capsys)["denials"][0]
    words = ["--dispute", str(first["sequence"]), "--reason", "the size was right"]
    found = checked(journal, capsys, *words)
    assert (found["open"], found["disputed"]) == (6, 1)
    assert found["recorded"][0]["recorded"] == 1
    assert found["denials"][0]["verdict"] == "disputed"
    assert found["denials"][0]["reason"] == "the size was right"
    assert found["denials"][0]["actor"]
    words = ["--confirm", GROUP, "--confirm", "request-halted", "--reason", "as it should be"]
    found = checked(journal, capsys, *words)
    assert (found["open"], found["confirmed"], found["disputed"]) == (1, 5, 1)
    assert main(["audit", "verify", str(journal)]) == 0
    assert main(["replay", str(journal)]) == 0
    with JournalReader(journal) as reader:
        assert len(fold(reader.records_of_kinds(KINDS)).where("confirmed")) == 5
        assert [each.kind for each in reader.records_of(first["request_id"])] == [
            "RequestDenied",
            "DenialReviewed",
        ]
    capsys.readouterr()
    assert main(["explain", first["request_id"], "--journal", str(journal)]) == 0
    assert "Disputed by" in capsys.readouterr().out


def test_somebody_thinks_again(journal: Path, capsys: Capture) -> None:
    """By its name an answer may be changed; the last word counts."""
    first = str(checked(journal, capsys)["denials"][0]["sequence"])
    checked(journal, capsys, "--confirm", first, "--reason", "one")
    found = checked(journal, capsys, "--dispute", first, "--reason", "two")
    assert found["denials"][0]["verdict"] == "disputed"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--confirm", "nobody", "--reason", "r"], "There is no denial nobody"),
        (["--confirm", "request-bought", "--reason", "r"], None),
        (["--confirm", GROUP], "--reason: Expected printable text"),
        (["--confirm", GROUP, "--reason", " "], "--reason: Expected printable text"),
        (["--confirm", GROUP, "--dispute", GROUP, "--reason", "r"], "confirmed and disputed"),
        (["--set", "MAX_ORDER_SIZE=1"], "both were there"),
    ],
)
def test_answers_that_are_none(
    words: list[str], text: str | None, journal: Path, capsys: Capture
) -> None:
    """They are refused, and nothing is recorded."""
    if text is None:
        assert checked(journal, capsys, *words)["confirmed"] == 1  # its conflict
        return
    assert text in checked(journal, capsys, *words, code=2)["error"]
    assert checked(journal, capsys)["open"] == 7


def test_through_the_gateway_that_writes_the_journal(
    journal: Path, served: Served, capsys: Capture
) -> None:
    """While another process holds the journal its gateway is asked, in parts, and told who."""
    with JournalReader(journal) as reader:
        binding, head = astuple(reader.binding), reader.head
    writer = SqliteJournal.open(
        journal, account=binding[0], environment=binding[1], mode=binding[2]
    )
    try:
        other = checked(journal, capsys, "--confirm", GROUP, "--reason", "r", code=1)
        assert "another journal" in other["error"]
        assert served.gateway.reviews == []
        served.gateway.journal = JournalView(sequence=head.sequence, hash=head.hash.hex())
        found = checked(journal, capsys, "--confirm", GROUP, "--reason", "r")
        assert found["recorded"] == [
            {"recorded": 5, "sequence": 9, "by": f"by the gateway at {served.address}"}
        ]
        assert [each.reason for each in served.gateway.reviews] == ["r"] * 5
        assert "@" in served.gateway.reviews[0].actor
    finally:
        writer.close()


def test_nobody_answers_for_a_journal_in_use(journal: Path, nobody: str, capsys: Capture) -> None:
    """69, and what is to be set."""
    with JournalReader(journal) as reader:
        binding = astuple(reader.binding)
    writer = SqliteJournal.open(
        journal, account=binding[0], environment=binding[1], mode=binding[2]
    )
    try:
        said = checked(journal, capsys, "--confirm", GROUP, "--reason", "r", code=69)["error"]
        assert f"at {nobody} none answers" in said
    finally:
        writer.close()


def test_nothing_was_denied(tmp_path: Path, capsys: Capture) -> None:
    """Then there is nothing to say."""

    async def act(evening: Evening) -> None:
        await evening.quote()
        await evening.ask("good")

    journal = lived(tmp_path, (act, LIMITS))
    assert checked(journal, capsys)["denials"] == []
    assert main(["replay", str(journal), "--check-false-denials"]) == 0
    assert "Nothing was denied" in capsys.readouterr().out


def test_one_by_one_at_a_terminal(journal: Path, capsys: Capture) -> None:
    """Each with its explanation: confirm, confirm the group, skip, dispute, quit."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "arbees", "replay", str(journal), "--check-false-denials"],
        env={**os.environ, "PYTHONPATH": SOURCE, "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    end = time.monotonic() + 30
    heard = b""
    for answer in ("c", "right", "x", "g", "", "s", "d", "it should have passed"):
        heard += _hear(master, b"? ", end)
        os.write(master, answer.encode() + b"\n")
    heard += _hear(master, b"open", end)
    assert process.wait(30) == 0
    os.close(master)
    assert b"exceeds maximum" in heard
    found = checked(journal, capsys)
    assert (found["open"], found["confirmed"], found["disputed"]) == (1, 5, 1)
    reasons = {each["reason"] for each in found["denials"]}
    assert reasons == {"right", "confirmed", "it should have passed", None}


def _hear(master: int, mark: bytes, end: float) -> bytes:
    """Read from a terminal until a question, or the end, came."""
    heard = b""
    while mark not in heard[-200:]:
        assert select.select([master], [], [], max(0, end - time.monotonic()))[0], heard
        heard += os.read(master, 4096)
    return heard
