"""What operators look at from the command line: tables for people, the answer for programs."""

import json
import os

import pytest
from msgspec.structs import replace

from arbees.cli.main import main
from arbees.interface.views import Undecided
from tests.api.fake_operator import ALERT, BREAK, ORDER, SINCE
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]
LOOKS = (
    ["orders"],
    ["positions"],
    ["balances"],
    ["safeguards"],
    ["alerts"],
    ["reconcile", "list"],
)


def said(capsys: Capture) -> str:
    """Return what was printed for people, on one line."""
    out = capsys.readouterr().out
    assert "\x1b" not in out
    return " ".join(out.split())


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_json_is_the_gateways_own_answer(served: Served, capsys: Capture, words: list[str]) -> None:
    """With --json nothing is left out and nothing is made up."""
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sequence"] == 9
    assert found["items"]


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_nobody_is_69_and_no_answer_is_5(served: Served, capsys: Capture, words: list[str]) -> None:
    """Nothing is shown as if it were flat."""
    served.gateway.operator_error = Undecided("JOURNAL_FAILED", "look again after the restart")
    assert main(words) == 5
    os.environ["ARBEES_URL"] = "http://127.0.0.1:1"
    assert main(words) == 69
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "JOURNAL_FAILED" in shown.err


@pytest.mark.parametrize(
    "words", [*LOOKS, ["cashflow", "Kalshi", "5", "--reason", "bank"]], ids=lambda words: words[0]
)
def test_no_other_gateway_is_asked(served: Served, capsys: Capture, words: list[str]) -> None:
    """A malformed address is 78, not the address that would be the default; a brake goes on."""
    os.environ["ARBEES_URL"] = "gateway:8321"
    assert main(words) == 78
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "ARBEES_URL: Expected a URL" in shown.err
    main(["cancel", "arb-1"])
    assert "going on with" in capsys.readouterr().err


def test_orders(served: Served, capsys: Capture) -> None:
    """Ids, market, what was asked for, what filled; an unknown one and a cancel are named."""
    unknown = replace(ORDER, order_id=None, status="UNKNOWN", cancel_reason="too slow")
    served.gateway.open_orders = (ORDER, unknown)
    assert main(["orders"]) == 0
    shown = said(capsys)
    for text in (
        "venue-1",
        "arb-1",
        "Kalshi",
        "NBA-BOS",
        "Buy",
        "GTC",
        "12.5",
        "UNKNOWN",
        "cancel",
    ):
        assert text in shown, text


def test_ids_of_orders_can_be_copied(served: Served, capsys: Capture) -> None:
    """However long it is and however narrow the terminal, an id stands whole on one line."""
    name = f"arb-{'0123456789' * 4}"
    served.gateway.open_orders = (
        replace(ORDER, order_id=f"paper-{name}", client_order_id=name, market_id="M" * 128),
    )
    assert main(["orders"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert name in lines
    assert f"paper-{name}" in lines


def test_positions(served: Served, capsys: Capture) -> None:
    """A mark that was never seen is no number."""
    assert main(["positions"]) == 0
    shown = said(capsys)
    for text in ("NBA-BOS", "12.5", "0.64", " - ", "-$1.25", "$32.375"):
        assert text in shown, text


def test_balances(served: Served, capsys: Capture) -> None:
    """A figure that is too old says so."""
    assert main(["balances"]) == 0
    shown = said(capsys)
    for text in ("Kalshi", "$9,967.625", "$24.375", "$9,999", "STALE"):
        assert text in shown, text


def test_safeguards(served: Served, capsys: Capture) -> None:
    """Each use with what is left; one that is off says so."""
    assert main(["safeguards"]) == 0
    shown = said(capsys)
    for text in ("market_exposure", "market:NBA-BOS", "32.375", "200", "167.625", "order_size OFF"):
        assert text in shown, text


def test_one_safeguard_with_its_settings(served: Served, capsys: Capture) -> None:
    """By name; another name is answered with those there are."""
    assert main(["safeguards", "order_size"]) == 0
    assert "MAX_ORDER_SIZE 100" in said(capsys)
    assert main(["safeguards", "order_size", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "order_size"
    assert main(["safeguards", "order-size"]) == 2
    assert "market_exposure, order_size" in capsys.readouterr().err


def test_alerts(served: Served, capsys: Capture) -> None:
    """Since when, how often, what; those that are over can be left out."""
    over = replace(ALERT, name="QUOTES_STALE", cleared_at=SINCE)
    served.gateway.raised = (ALERT, over)
    assert main(["alerts"]) == 0
    shown = said(capsys)
    for text in ("BALANCE_LOW", "QUOTES_STALE", "4", "threshold $100.00"):
        assert text in shown, text
    assert main(["alerts", "--standing"]) == 0
    assert "QUOTES_STALE" not in said(capsys)


def test_nothing_is_said_as_nothing(served: Served, capsys: Capture) -> None:
    """An empty list is a sentence, not an empty table."""
    gateway = served.gateway
    gateway.open_orders = gateway.positions_held = gateway.raised = gateway.open_breaks = ()
    for words in (["orders"], ["positions"], ["alerts"], ["alerts", "--standing"]):
        assert main(words) == 0
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("No")
    assert main(["reconcile", "list"]) == 0
    assert capsys.readouterr().out == "No break is open.\n"


def test_names_from_outside_paint_nothing(served: Served, capsys: Capture) -> None:
    """A market's name is text, whatever it holds."""
    served.gateway.open_orders = (replace(ORDER, market_id="\x1b[31m[red]x"),)
    served.gateway.open_breaks = (replace(BREAK, break_id="\x1b[2J|[b]"),)
    for words in (["orders"], ["reconcile", "list"]):
        assert main(words) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "[red]x" in out or "[b]" in out
