"""`arbees executions`, `fills`, `pnl`: a real journal, over HTTP, for people and for tables."""

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbees.cli.main import main
from arbees.core.orders.result import Result
from arbees.history.trades import Trades
from arbees.interface.history import FillView, HistoryPage, HistoryQuery, PnlBy, PnlView
from arbees.journal import JournalReader
from tests.api.fake import FakeGateway
from tests.api.fake_follower import FakeFollower
from tests.cli.conftest import serving
from tests.history.test_trades import OTHER, evening

Capture = pytest.CaptureFixture[str]


class Reading(FakeFollower):
    """Reads a real journal."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._trades = Trades(JournalReader(path), lambda _time_ns: "2026-01-28")

    async def executions(self, query: HistoryQuery) -> HistoryPage[Result]:
        self._note(query)
        return self._trades.executions(query)

    async def fills(self, query: HistoryQuery) -> HistoryPage[FillView]:
        return self._trades.fills(query)

    async def pnl(self, by: PnlBy, since_ns: int | None, strategy: str | None) -> PnlView:
        return self._trades.pnl(by, since_ns, strategy)


@pytest.fixture
def reading(kill_file: Path, tmp_path: Path) -> Iterator[Reading]:
    """Serve the history of an evening."""
    folder = tmp_path / "evening"
    folder.mkdir()
    evening(folder)
    follower = Reading(folder / "journal.db")
    with serving(FakeGateway(), follower) as address:
        os.environ["ARBEES_URL"] = address
        yield follower


def rows(text: str) -> list[dict[str, str]]:
    """Read CSV as a table does."""
    return list(csv.DictReader(io.StringIO(text)))


def test_results_for_people(reading: Reading, capsys: Capture) -> None:
    """A line each, the newest first, with why it was denied."""
    assert main(["executions"]) == 0
    said = capsys.readouterr()
    _, *lines = said.out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["req-4", "Filled"],
        ["req-3", "Rejected"],
        ["req-2", "Filled"],
        ["req-1", "Filled"],
    ]
    assert "MAX_ORDER_SIZE" in lines[1]
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--status", "rejected"], ["req-3"]),
        (["--strategy", "beta"], ["req-4"]),
        (["--market", OTHER], ["req-4"]),
        (["--since", "2030-01-01T00:00:00Z"], []),
    ],
)
def test_what_is_asked_for(
    reading: Reading, capsys: Capture, words: list[str], ids: list[str]
) -> None:
    """Filters reach the gateway."""
    assert main(["executions", *words, "--json"]) == 0
    assert [each["request_id"] for each in json.loads(capsys.readouterr().out)["items"]] == ids


def test_page_after_page(
    reading: Reading, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as were asked for, none twice; what is left is told to people alone."""
    monkeypatch.setattr("arbees.cli.commands.watch.pages.PAGE_MAX", 2)
    assert main(["executions", "--limit", "3", "--csv"]) == 0
    said = capsys.readouterr()
    assert [each["request_id"] for each in rows(said.out)] == ["req-4", "req-3", "req-2"]
    assert [each.limit for each in reading.queries] == [2, 1]  # type: ignore[attr-defined]
    assert "There is more: the newest 3" in said.err
    assert main(["executions", "--limit", "9", "--json"]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)["items"]) == 4
    assert said.err == ""


def test_csv_has_every_cell(reading: Reading, capsys: Capture) -> None:
    """Lists as JSON, flags as JSON says them."""
    assert main(["executions", "--csv"]) == 0
    denied = rows(capsys.readouterr().out)[1]
    assert denied["final"] == "true"
    assert json.loads(denied["denials"])[0]["code"] == "MAX_ORDER_SIZE"
    assert main(["fills", "--csv"]) == 0
    found = rows(capsys.readouterr().out)
    assert [(each["action"], each["quantity"]) for each in found] == [
        ("Buy", "5"),
        ("Sell", "4"),
        ("Buy", "10"),
    ]


def test_a_cell_is_no_formula(capsys: Capture) -> None:
    """What a table would carry out is a text."""
    from arbees.cli.commands.watch.pages import print_csv

    print_csv([{"a": "=1+1", "b": -1, "c": None}])
    assert capsys.readouterr().out == "a,b,c\n'=1+1,-1,\n"


def test_fills_for_people(reading: Reading, capsys: Capture) -> None:
    """What, at which price, for which fee."""
    assert main(["fills", "--strategy", "beta"]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert "Buy 5 Yes" in line
    assert "taker" in line


def test_profit_and_loss(reading: Reading, capsys: Capture) -> None:
    """By strategy unless asked otherwise; the same figures in each form."""
    assert main(["pnl", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["rows"]}
    assert set(found) == {"alpha", "beta"}
    assert main(["pnl", "--csv"]) == 0
    table = {each["name"]: each for each in rows(capsys.readouterr().out)}
    assert {name: float(each["fees"]) for name, each in table.items()} == {
        name: each["fees"] for name, each in found.items()
    }
    assert main(["pnl", "--by", "model_version"]) == 0
    assert capsys.readouterr().out.split()[0] == "Model"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["executions", "--since", "yesterday"], 2, "since"),
        (["executions", "--limit", "0"], 2, "limit"),
        (["executions", "--status", "done"], 2, "status"),
        (["pnl", "--by", "moon"], 2, "by"),
    ],
)
def test_what_cannot_be_meant(
    reading: Reading, capsys: Capture, words: list[str], code: int, text: str
) -> None:
    """It is refused by its name."""
    assert main(words) == code
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("words", [["executions"], ["fills"], ["pnl"]])
def test_without_a_gateway(nobody: str, words: list[str]) -> None:
    """There is nothing to ask."""
    assert main(words) == 69
