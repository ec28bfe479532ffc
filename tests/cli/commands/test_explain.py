"""`arbees explain`, and `arbees audit verify --receipt` on what it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arbees.cli.main import main
from arbees.core.language.words import TimeInForce
from arbees.journal import JournalReader
from tests.cli.journals import damage, lived
from tests.cli.test_main import SOURCE
from tests.runtime.evenings import LIMITS, TOKEN, Evening, alternate

Capture = pytest.CaptureFixture[str]


async def _act(evening: Evening) -> None:
    await evening.quote()
    await evening.quote(TOKEN)
    await evening.ask("bought", contracts=40, strategy="edge", model_version="v7", wait=2)
    await evening.ask("bought", contracts=40, strategy="edge", model_version="v7")
    for attempt in (1, 2, 3):
        name = f"large-{attempt}"
        await evening.ask("large", contracts=90, attempt=attempt, request_id=name)
    await evening.ask("twin", request_id="request-bought")
    await evening.ask(
        "rests", price=610, time_in_force=TimeInForce.GTC, contracts=3, alternates=alternate(TOKEN)
    )
    await evening.halt()
    await evening.ask("halted", contracts=2)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live an evening."""
    return lived(tmp_path_factory.mktemp("evening"), (_act, LIMITS))


def explained(journal: Path, capsys: Capture, *words: str, code: int = 0) -> str:
    """Return what the command prints."""
    capsys.readouterr()
    assert main(["explain", *words, "--journal", str(journal)]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def test_a_filled_order_on_one_screen(journal: Path, capsys: Capture) -> None:
    """Verdicts with headroom, what was sent and came, the reservation, the place of each record."""
    said = explained(journal, capsys, "request-bought")
    for part in (
        "Filled, 40 filled at 0.62",
        "strategy edge, model v7",
        "MAX_ORDER_SIZE",
        "$15.20",  # headroom of 24.80 below 40
        "OrderApproved: approved; reserved $",
        "released",
        "derived from account and key",
        "Asked for again at record",
        "Head of the journal",
    ):
        assert part in " ".join(said.split()), part
    lines = said.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 60


def test_a_denial(journal: Path, capsys: Capture) -> None:
    """The reason, what to do, the denying test first, and the attempts beside it."""
    said = explained(journal, capsys, "large-2")
    assert "attempt 2" in said
    assert "Order size $55.80 exceeds maximum $40.00" in said
    assert "large-1, large-3" in said
    rows = said.split("Headroom or until")[1].splitlines()
    assert rows[1].split()[:2] == ["deny", "MAX_ORDER_SIZE"]


def test_by_key_order_and_venue(journal: Path, capsys: Capture) -> None:
    """The last attempt of a key; an order by our id and by the venue's."""
    assert "attempt 3" in explained(journal, capsys, "--key", "large")
    receipt = json.loads(explained(journal, capsys, "request-bought", "--json"))
    ours = receipt["story"]["sent"][0]["client_order_id"]
    theirs = receipt["story"]["result"]["order_id"]
    for name in (ours, theirs):
        assert json.loads(explained(journal, capsys, name, "--json")) == receipt
    capsys.readouterr()
    assert main(["explain", "large", "--journal", str(journal)]) == 0
    assert "large is a key; its last attempt is request large-3" in capsys.readouterr().err


def test_a_halt_that_stopped_it(journal: Path, capsys: Capture) -> None:
    """The halt is named, with who raised it."""
    said = explained(journal, capsys, "request-halted")
    assert "HALTED" in said
    assert "Halt at record" in said
    assert "HALTED all by http" in said


def test_nobody_knows_it(journal: Path, capsys: Capture) -> None:
    """A request without a record ends with 1, and says where it may be."""
    said = explained(journal, capsys, "nobody", code=1)
    assert "knows no request, order or key nobody" in said
    assert "malformed" in said
    assert "knows no key nobody" in explained(journal, capsys, "--key", "nobody", code=1)


@pytest.mark.parametrize("words", [[], ["one", "--key", "two"]])
def test_one_of_the_two(words: list[str], journal: Path, capsys: Capture) -> None:
    """Nothing to explain, or two things, is a usage error."""
    assert "one of the two" in explained(journal, capsys, *words, code=2)


def verified(
    receipt: Path, capsys: Capture, *words: str, code: int = 0
) -> tuple[dict[str, Any], str]:
    """Return what the verification says, in JSON and for people."""
    capsys.readouterr()
    assert main(["audit", "verify", "--receipt", str(receipt), *words, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert main(["audit", "verify", "--receipt", str(receipt), *words]) == code
    said = capsys.readouterr()
    return found, said.out + said.err


def test_a_receipt_verifies_offline(journal: Path, tmp_path: Path, capsys: Capture) -> None:
    """Without any journal; what was not proved is said as well."""
    receipt = tmp_path / "receipt.json"
    receipt.write_text(explained(journal, capsys, "request-bought", "--json"))
    found, said = verified(receipt, capsys)
    assert found["proved"] == ["agrees"]
    assert "Proved: it agrees with itself" in said
    assert "Not proved: a journal holds these records" in said
    found, said = verified(receipt, capsys, "--journal", str(journal))
    assert found["proved"] == ["agrees", "held", "unbroken", "witnessed"]


def test_a_changed_receipt_is_65(journal: Path, tmp_path: Path, capsys: Capture) -> None:
    """The first thing that does not fit is named."""
    receipt = tmp_path / "receipt.json"
    text = explained(journal, capsys, "request-bought", "--json")
    receipt.write_text(text.replace('"filled_qty":40', '"filled_qty":41'))
    found, said = verified(receipt, capsys, code=65)
    assert found["place"] == "story.result.filled_qty"
    assert "DOES NOT HOLD, first at story.result.filled_qty: Expected 40, was 41" in said


def test_a_receipt_with_links(journal: Path, tmp_path: Path, capsys: Capture) -> None:
    """With links and a head kept elsewhere it is proved that the journal held it."""
    receipt = tmp_path / "receipt.json"
    receipt.write_text(explained(journal, capsys, "request-bought", "--json", "--links"))
    capsys.readouterr()
    assert main(["audit", "head", str(journal)]) == 0
    number, head = capsys.readouterr().out.split()
    found, _ = verified(receipt, capsys, "--head", head)
    assert found["proved"] == ["agrees", "leads", "known"]
    assert found["head"] == f"{number}:{head}"
    assert verified(receipt, capsys, "--head", "ff", code=65)[0]["place"] == "head.hash"


def test_a_receipt_of_another_journal(journal: Path, tmp_path: Path, capsys: Capture) -> None:
    """Held against a journal with another history, or without such a request, it does not hold."""
    receipt = tmp_path / "receipt.json"
    receipt.write_text(explained(journal, capsys, "request-rests", "--json"))
    other = lived(tmp_path / "other", (_act, {**LIMITS, "MAX_OPEN_ORDERS": "9"}))
    assert verified(receipt, capsys, str(other), code=65)[0]["place"] == "head"


def test_from_standard_input(journal: Path, capsys: Capture) -> None:
    """A dash reads what another command prints."""
    text = explained(journal, capsys, "request-bought", "--json")
    found = subprocess.run(
        [sys.executable, "-m", "arbees", "audit", "verify", "--receipt", "-", "--json"],
        env={**os.environ, "PYTHONPATH": SOURCE},
        input=text.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert json.loads(found.stdout)["is_good"] is True


def test_a_receipt_that_is_not_there(tmp_path: Path, capsys: Capture) -> None:
    """A file that cannot be read is a failure."""
    assert main(["audit", "verify", "--receipt", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err


def test_a_damaged_journal_is_not_explained(tmp_path: Path, capsys: Capture) -> None:
    """A record that cannot be read ends with 65 and its number, not with a story."""
    path = lived(tmp_path, (_act, LIMITS))
    with JournalReader(path) as reader:
        first = reader.records_of("request-bought")[0]
    damage(path, first.sequence, b'{"type"', b'{"tYpe"')
    assert f"record {first.sequence}" in explained(path, capsys, "request-bought", code=65)
