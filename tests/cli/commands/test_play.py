"""`arbees play`: what it takes, prints, and how it ends."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arbees.cli.commands.prove.play import pacer
from arbees.cli.main import main

Capture = pytest.CaptureFixture[str]
MINUTE = "2026-01-28T20:{:02d}:00Z"


def quote(minute: int) -> dict[str, Any]:
    """Return a quote."""
    return {
        "ts": MINUTE.format(minute),
        "platform": "Kalshi",
        "market_id": "NBA-BOS",
        "sport": "NBA",
        "game_id": "g1",
        "bids": [["0.64", "100"]],
        "asks": [["0.66", "100"]],
    }


def request(number: int, minute: int, **changes: Any) -> dict[str, Any]:
    """Return a request."""
    fields = {
        "request_id": f"req-{number}",
        "idempotency_key": f"key-{number}",
        "platform": "Kalshi",
        "market_id": "NBA-BOS",
        "side": "Yes",
        "size": 10,
        "limit_price": 0.66,
        "created_at": MINUTE.format(minute),
    }
    return {**fields, **changes}


def write(path: Path, lines: list[Any]) -> str:
    """Write JSON lines; text stands as it is."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts) + "\n")
    return str(path)


@pytest.fixture
def evening(tmp_path: Path) -> list[str]:
    """Write an evening: a fill, a denial and a line that cannot be read."""
    os.chdir(tmp_path)
    quotes = write(tmp_path / "quotes.jsonl", [quote(1), quote(3)])
    asked = [request(1, 2), "{", request(2, 4, size=5000)]
    requests = write(tmp_path / "requests.jsonl", asked)
    ends = [{"ts": MINUTE.format(9), "platform": "Kalshi", "market_id": "NBA-BOS", "result": "Yes"}]
    settlements = write(tmp_path / "settlements.jsonl", ends)
    return ["play", "--quotes", quotes, "--requests", requests, "--settlements", settlements]


def test_json(evening: list[str], capsys: Capture) -> None:
    """Each line of input has its result, in order, and the summary adds them up."""
    assert main([*evening, "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert [each["status"] for each in found["results"]] == ["Filled", "Rejected", "Rejected"]
    assert found["results"][1]["code"] == "MALFORMED"
    assert found["results"][1]["line"] == 2
    summary = found["summary"]
    assert summary["by_status"] == {"Filled": 1, "Rejected": 2}
    assert summary["fills"] == 1
    assert summary["pnl"]["realized"] == 3.4
    assert set(summary["worst_exposure"]) == {"market", "game", "sport", "total"}
    assert said.err == ""


def test_two_plays_are_the_same(evening: list[str], capsys: Capture) -> None:
    """What is recorded decides, not the hour at which it is played."""
    main([*evening, "--json"])
    first = capsys.readouterr().out
    main([*evening, "--json", "--speed", "1000000"])
    assert capsys.readouterr().out == first


def test_screen(evening: list[str], capsys: Capture) -> None:
    """For people: what became of them, an example of each reason, a line each."""
    assert main(evening) == 0
    said = capsys.readouterr().out
    for text in ("Filled", "MALFORMED", "MAX_ORDER", "exceeds maximum", "$3.40 realized"):
        assert text in said, text


def test_journal_is_kept_and_verifies(evening: list[str], tmp_path: Path, capsys: Capture) -> None:
    """With --journal the record stays, verifies, and is not written over."""
    journal = tmp_path / "kept.db"
    assert main([*evening, "--journal", str(journal)]) == 0
    assert main(["audit", "verify", str(journal)]) == 0
    capsys.readouterr()
    assert main([*evening, "--journal", str(journal)]) == 2
    assert "there is one" in capsys.readouterr().err


def test_generate(evening: list[str], capsys: Capture) -> None:
    """Requests can be made from the quotes, the same for the same seed."""
    words = [*evening[:3], "--generate", "5", "--seed", "3", "--json"]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert len(json.loads(first)["results"]) == 5
    main(words)
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--generate", "5"], "--requests or --generate"),
        (["--speed", "fast"], "--speed"),
        (["--speed", "0"], "--speed"),
        (["--speed=-1"], "--speed"),
        (["--speed", "nan"], "--speed"),
        (["--speed", "inf"], "--speed"),
    ],
)
def test_contradictions_are_2(
    evening: list[str], more: list[str], text: str, capsys: Capture
) -> None:
    """What cannot be meant is refused before anything is played."""
    assert main([*evening, *more]) == 2
    assert text in capsys.readouterr().err


def test_generating_fewer_than_none_is_2(evening: list[str], capsys: Capture) -> None:
    """There are no negative requests."""
    assert main([*evening[:3], "--generate=-1"]) == 2


def test_missing_file_is_2(evening: list[str], capsys: Capture) -> None:
    """A file that cannot be read is named."""
    assert main(["play", "--quotes", "nowhere.jsonl"]) == 2
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_broken_quote_is_2(evening: list[str], tmp_path: Path, capsys: Capture) -> None:
    """A quote that cannot be read is named by its line: prices are not guessed."""
    broken = write(tmp_path / "broken.jsonl", [quote(1), "{"])
    assert main(["play", "--quotes", broken]) == 2
    assert "line 2" in capsys.readouterr().err


def test_malformed_setting_is_78(evening: list[str]) -> None:
    """Limits are those of the settings, and must be good."""
    os.environ["MAX_ORDER_SIZE"] = "abc"
    assert main(evening) == 78


def test_pacer_keeps_the_recorded_time() -> None:
    """Twice as fast waits half as long, and never to catch up."""
    times: Iterator[float] = iter([100.0, 100.0, 101.0, 110.0])
    slept: list[float] = []
    wait = pacer("2", lambda: next(times), slept.append)
    wait(5_000_000_000)
    wait(9_000_000_000)
    wait(10_000_000_000)
    assert slept == [1.0]


def test_pacer_at_full_speed() -> None:
    """At full speed nothing is waited for."""
    pacer("max", lambda: 0.0, lambda _seconds: pytest.fail("waited"))(1)
