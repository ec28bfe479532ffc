"""`arbees exchange kalshi`: one line when it is ready, 0 when it is told to stop, 2 for typos."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arbees.cli.commands.prove.exchange import app
from tests.acceptance.recorded import request
from tests.acceptance.service import Service

PATIENCE = 30.0
Process = subprocess.Popen[str]


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[tuple[Process, dict[str, Any]]]:
    """Start one in an empty folder; return it and its line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "arbees", "exchange", "kalshi", "--balance", "500", "--seed", "7"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def read(url: str) -> dict[str, Any]:
    """Read JSON."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - on loopback
        told: dict[str, Any] = json.load(answer)
        return told


def test_it_says_where_it_is_and_ends_when_told(
    tmp_path: Path, exchange: tuple[Process, dict[str, Any]]
) -> None:
    """One line of JSON with addresses and the key that it made; SIGTERM ends it with 0."""
    process, line = exchange
    assert sorted(line) == ["control", "key_id", "private_key_file", "rest", "ws"]
    assert line["rest"].startswith("http://127.0.0.1:")
    key = tmp_path / line["private_key_file"]
    assert key.stat().st_mode & 0o777 == 0o600
    assert read(f"{line['rest']}/exchange/status")["trading_active"] is True
    assert len(read(f"{line['rest']}/markets")["markets"]) > 1
    assert read(f"{line['control']}/state")["cash"]["0"] == "500.000000"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_gateway_on_paper_trades_on_its_books(
    tmp_path: Path, exchange: tuple[Process, dict[str, Any]]
) -> None:
    """Two processes: `arbees run` on paper, with an account at the exchange and live books."""
    _, line = exchange
    markets = read(f"{line['rest']}/markets")["markets"]
    market = next(each for each in markets if float(each["yes_ask_size_fp"]) >= 1)
    service = Service(
        tmp_path,
        {
            "KALSHI_API_KEY_ID": line["key_id"],
            "KALSHI_PRIVATE_KEY_FILE": str(tmp_path / line["private_key_file"]),
            "KALSHI_BASE_URL": line["rest"],
            "KALSHI_WS_URL": line["ws"],
            "QUOTE_POLICY": "deny",
            "MAX_PRICE_THROUGH_QUOTE": "1",
            "MAX_PRICE": "0.99",
        },
    )
    try:
        service.start()
        asked = request(None, market_id=market["ticker"], limit_price="0.95", size="1")
        asked = {name: value for name, value in asked.items() if "edge" not in name}
        status, found = service.submit(asked | {"request_id": "a", "idempotency_key": "a"})
        assert (status, found["status"]) == (200, "Filled"), found
        unknown = asked | {"request_id": "b", "idempotency_key": "b", "market_id": "KXNONE-1-A"}
        assert service.submit(unknown)[1]["code"] == "MARKET_UNKNOWN"
        assert read(f"{line['control']}/state")["orders"] == []
        assert service.end() == 0
    finally:
        service.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "70000"), "--port: Expected a port from 0 to 65535, was 70000"),
        (("--balance", "plenty"), "Expected a decimal number, was 'plenty'"),
        (("--balance", "-1"), "--balance: Expected dollars of 0 or more, was -1"),
        (("--fault", "explode"), "--fault: Invalid enum value 'explode'"),
        (("--fault", "late:call"), "--fault: Expected name=value, was 'call'"),
        (("--fault", "late:colour=red"), "--fault: Object contains unknown field `colour`"),
        (("--quotes", "none.jsonl"), "none.jsonl: No such file or directory"),
        (("--quotes", "bad.jsonl"), "--quotes: "),
        (("--public-key", "none.pem"), "none.pem: No such file or directory"),
        (("--public-key", "bad.jsonl"), "."),
    ],
)
def test_what_is_typed_wrongly_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """Exit code 2, the option or the file by its name, and nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_text("{}\n")
    assert app(["kalshi", *words], result_action="return_value") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
