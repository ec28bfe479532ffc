"""`arbees status`: one screen, and the exit code."""

import json
import os

import pytest

from arbees.cli.main import main
from tests.api.fake import halt
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]


def test_screen(served: Served, capsys: Capture) -> None:
    """What an operator must not miss stands there, without colour on a pipe."""
    served.gateway.halts = (halt("daily_loss", automatic=True),)
    assert main(["status"]) == 0
    said = capsys.readouterr()
    for text in (
        "paper",
        "HALTED",
        "-$12.50",
        "$65.25",
        "main@local",
        "record 9",
        "Kalshi",
        "daily_loss",
        "(automatic)",
        "safeguard order_size: a test",
        "The disk is nearly full",
    ):
        assert text in " ".join(said.out.split()), text
    assert "\x1b" not in said.out
    assert said.err == ""


def test_quiet_gateway(served: Served, capsys: Capture) -> None:
    """Without halts there is no table of them."""
    assert main(["status"]) == 0
    assert "Halt" not in capsys.readouterr().out


def test_json(served: Served, capsys: Capture) -> None:
    """With --json it is the gateway's own status."""
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["journal"]["sequence"] == 9


def test_unreachable_is_69(nobody: str, capsys: Capture) -> None:
    """Without a gateway there is nothing to show."""
    assert main(["status"]) == 69
    said = capsys.readouterr()
    assert said.out == ""
    assert nobody in said.err


def test_starting_is_5(starting: str, capsys: Capture) -> None:
    """A gateway that is starting says so."""
    assert main(["status"]) == 5
    assert "STARTING" in capsys.readouterr().err


def test_malformed_settings_do_not_blind(served: Served, capsys: Capture) -> None:
    """A limit that is malformed keeps nobody from looking."""
    os.environ["MAX_ORDER_SIZE"] = "abc"
    assert main(["status"]) == 0
    said = capsys.readouterr()
    assert "malformed" in said.err
    assert "ACTIVE" in said.out
