"""What operators put right from the command line: comparisons, breaks, unknown orders, money."""

import json

import pytest

from arbees.cli.main import main
from arbees.core.language.units import MICRO
from arbees.interface.operator import Conflict
from tests.api.fake_operator import BREAK
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]


def test_reconcile(served: Served, capsys: Capture) -> None:
    """A break is 1, a venue that was not compared 5, agreement 0."""
    assert main(["reconcile"]) == 1
    assert "10 Yes" in capsys.readouterr().out
    served.gateway.failed = ("Polymarket",)
    assert main(["reconcile", "--json"]) == 5
    said = capsys.readouterr()
    assert json.loads(said.out)["complete"] is False
    assert "Polymarket" in said.err
    served.gateway.failed = served.gateway.open_breaks = ()
    assert main(["reconcile"]) == 0


def test_a_break_is_ended_by_hand(served: Served, capsys: Capture) -> None:
    """With who and why; without a reason nothing happens."""
    words = ["reconcile", "resolve", BREAK.break_id]
    assert main(words) == 2
    assert served.gateway.did == []
    assert main([*words, "--reason", "corrected there"]) == 0
    assert "record 9" in capsys.readouterr().out
    (did,) = served.gateway.did
    assert (did["break_id"], did["reason"]) == (BREAK.break_id, "corrected there")
    assert "@" in did["actor"]
    served.gateway.resolves = False
    assert main([*words, "--reason", "again"]) == 1


def test_the_venues_word_is_taken(served: Served, capsys: Capture) -> None:
    """With who and why; without a reason nothing happens."""
    words = ["reconcile", "adopt", BREAK.break_id]
    assert main(words) == 2
    assert main([*words, "--reason", "a trade by hand"]) == 0
    assert "Adopted" in capsys.readouterr().out
    (did,) = served.gateway.did
    assert (did["what"], did["break_id"], did["reason"]) == (
        *("adopt_break", BREAK.break_id, "a trade by hand"),
    )
    served.gateway.resolves = False
    assert main([*words, "--reason", "again"]) == 1


def test_an_unknown_order_is_ended_by_hand(served: Served, capsys: Capture) -> None:
    """How must be said, and one of two words."""
    words = ["orders", "resolve", "arb-1", "--reason", "asked support"]
    assert main(words) == 2
    assert main([*words, "--as", "filled"]) == 2
    assert served.gateway.did == []
    assert main([*words, "--as", "not_sent"]) == 0
    (did,) = served.gateway.did
    assert (did["client_order_id"], did["end"]) == ("arb-1", "not_sent")
    served.gateway.operator_error = Conflict("NOT_UNKNOWN", "The order is WORKING")
    assert main([*words, "--as", "cancelled"]) == 1
    assert "The order is WORKING" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("amount", "micro", "told"),
    [
        ("500", 500 * MICRO, "$500.00 deposited"),
        ("-120.50", -120_500_000, "$120.50 withdrawn"),
        ("0.01", 10_000, "$0.01 deposited"),
    ],
)
def test_a_movement_of_money(
    served: Served, capsys: Capture, amount: str, micro: int, told: str
) -> None:
    """A minus is a withdrawal, not an option."""
    assert main(["cashflow", "Kalshi", amount, "--reason", "bank"]) == 0
    assert told in capsys.readouterr().out
    assert served.gateway.did[0]["amount"] == micro


@pytest.mark.parametrize("amount", ["0", "-0", "nan", "$5", "1,000", "five", ""])
def test_an_amount_that_is_none(served: Served, capsys: Capture, amount: str) -> None:
    """Nothing is moved, and it says what was expected."""
    assert main(["cashflow", "Kalshi", amount, "--reason", "bank"]) == 2
    assert "amount" in capsys.readouterr().err
    assert served.gateway.did == []


def test_more_than_there_is(served: Served, capsys: Capture) -> None:
    """The paper account does not cover it."""
    served.gateway.operator_error = Conflict("INSUFFICIENT_BALANCE", "at most what is available")
    assert main(["cashflow", "Kalshi", "-1000000", "--reason", "bank", "--json"]) == 1
    assert "INSUFFICIENT_BALANCE" in capsys.readouterr().err
