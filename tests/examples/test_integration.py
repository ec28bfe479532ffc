"""The example of the tutorial, run for real: a trade, a denial, a halt, an unknown, a crash."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.service import Service

EXAMPLES = Path(__file__).parents[2] / "examples"
LINES_MAX = 40

Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a gateway that has the tutorial's quote."""
    service = Service(tmp_path)

    def begin(*words: str) -> Service:
        service.words = words or service.words
        service.start()
        quote = json.loads((EXAMPLES / "quote.json").read_text())
        assert service.ask("POST", "/v1/quotes", quote)[0] == 200
        return service

    yield begin
    service.close()


def run(service: Service, key: str, contracts: str) -> tuple[int, str]:
    """Run the example; return how it ended and what it printed."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / "integration.py", key, contracts],
        env={**service.environment, "ARBEES_URL": f"http://127.0.0.1:{service.port}"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_it_is_short() -> None:
    """An integration takes less than forty lines."""
    assert len((EXAMPLES / "integration.py").read_text().splitlines()) < LINES_MAX


def test_a_trade_a_denial_a_halt_and_a_crash(start: Start) -> None:
    """It trades once under its key, tells each denial, and stops asking while halted."""
    service = start()
    traded = (0, "Filled: 5 at 0.61, fees 0.0833\n")
    assert run(service, "entry-1", "5") == traded
    assert run(service, "entry-1", "5") == traded, "the same key: the same order"

    code, said = run(service, "entry-2", "500")
    assert code == 3
    assert "denied by order_size: Order size $305.00 exceeds maximum $100.00" in said
    assert "denied by market_exposure" in said

    assert service.kill("ENABLE")[0] == 200
    code, said = run(service, "entry-3", "5")
    assert (code, said) == (4, "halted: Trading halted: http for all: a test\n")

    service.end(signal.SIGKILL)
    start()
    assert run(service, "entry-1", "5") == traded, "after a crash too"
    assert run(service, "entry-3", "5")[0] == 4, "a halt survives"
    assert service.get("/v1/positions")[1]["items"][0]["quantity"] == 5


def test_an_unknown(start: Start) -> None:
    """Where the exchange's answer is lost it asks until it knows, and sends no other order."""
    service = start("verification.victim", "--lost-answers", "1")
    filled = unknown = 0
    while not (filled and unknown):
        code, said = run(service, f"entry-{filled}-{unknown}", "5")
        assert code == 0, said
        *asked, last = said.splitlines()
        assert last in {"Filled: 5 at 0.61, fees 0.0833", "Failed: 0 at 0, fees 0"}
        assert all(line.startswith("unknown: req-") for line in asked)
        unknown += len(asked)
        filled += last.startswith("Filled")
        assert filled + unknown < 20
    assert service.get("/v1/positions")[1]["items"][0]["quantity"] == 5 * filled
