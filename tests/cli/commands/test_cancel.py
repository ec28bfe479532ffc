"""`arbees cancel`: nothing by accident, and in the end what became of it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from arbees.cli.main import main
from arbees.core.language.request import parse_request
from arbees.core.language.words import ResultStatus
from arbees.interface.operator import Conflict
from arbees.interface.views import EventView, Execution, Undecided
from tests.api.fake import NOW_NS, SINCE, body, receipt, result
from tests.api.fake_operator import CANCEL, filled
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]


def known(served: Served, status: ResultStatus, **more: Any) -> None:
    """Let the request of the cancelled order end so."""
    request = parse_request(body(), NOW_NS)
    event = EventView(sequence=7, time=SINCE, kind="OrderApproved", body={})
    made = result(request, status, **more)
    served.gateway.known["req-1"] = Execution(result=made, events=(event,))


def test_a_cancel_waits_for_the_end(served: Served, capsys: Capture) -> None:
    """The end is the order's own result, not that somebody asked."""
    known(served, ResultStatus.CANCELLED)
    assert main(["cancel", "arb-1", "--reason", "too slow"]) == 0
    assert "arb-1 Cancelled" in capsys.readouterr().out
    (did,) = served.gateway.did
    assert did["reason"] == "too slow"
    assert "@" in did["actor"]


def test_a_fill_that_was_faster_is_no_cancel(served: Served, capsys: Capture) -> None:
    """Before the cancel or after it: it is told as a fill, and ends with 1."""
    known(served, ResultStatus.FILLED)
    assert main(["cancel", "venue-1"]) == 1
    assert "Filled filled 50" in capsys.readouterr().out
    served.gateway.cancel_reply = filled()
    assert main(["cancel", "venue-1"]) == 1
    assert "FILLED" in capsys.readouterr().out


def test_what_has_ended_already_is_fine(served: Served, capsys: Capture) -> None:
    """Cancelling twice is as good as once."""
    served.gateway.cancel_reply = replace(CANCEL, status="CANCELLED", final=True)
    assert main(["cancel", "arb-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["final"] is True


@pytest.mark.parametrize("wait", ["0", "0.2"])
def test_an_end_that_is_not_seen_is_6(served: Served, capsys: Capture, wait: str) -> None:
    """It is on record, and somebody must look again."""
    known(served, ResultStatus.PENDING, filled_qty=Decimal(0))
    assert main(["cancel", "arb-1", "--wait", wait]) == 6
    assert "goes on" in capsys.readouterr().err


def test_a_result_that_may_not_be_read(served: Served, capsys: Capture) -> None:
    """A key that only cancels cannot look: the cancel is on record all the same."""
    assert main(["cancel", "arb-1", "--wait", "0.2"]) == 6
    assert "cannot be read" in capsys.readouterr().err


def test_a_mass_cancel_shows_its_receipt(served: Served, capsys: Capture) -> None:
    """Until it is complete, else 6."""
    served.gateway.receipts["receipt-1"] = receipt()
    words = ["cancel", "--scope", "sport:NBA", "--wait", "0.2"]
    assert main(words) == 6
    assert "1 cancelled, 0 still in flight, 1 filled meanwhile" in capsys.readouterr().out
    served.gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["complete"] is True
    assert served.gateway.did[0]["scope"] == "sport:NBA"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["arb-1", "--scope", "all"],
        ["arb-1", "--wait", "61"],
        ["arb-1", "--wait", "nan"],
        ["--scope", "all", "--platform", "Kalshi"],
    ],
)
def test_nothing_is_cancelled_by_mistake(served: Served, capsys: Capture, words: list[str]) -> None:
    """What is not clear is refused before anybody is asked."""
    assert main(["cancel", *words]) == 2
    assert served.gateway.did == []
    assert capsys.readouterr().out == ""


def test_what_the_gateway_refuses(served: Served, capsys: Capture) -> None:
    """Not known and ambiguous are 1, a failed journal is 5, a scope that is none is 2."""
    gateway = served.gateway
    gateway.cancel_reply = None
    assert main(["cancel", "arb-9"]) == 1
    gateway.operator_error = Conflict("AMBIGUOUS_ORDER_ID", "name the platform")
    assert main(["cancel", "venue-1"]) == 1
    gateway.operator_error = Undecided("JOURNAL_FAILED", "the venue was asked to cancel")
    assert main(["cancel", "arb-1"]) == 5
    gateway.operator_error = ValueError("Expected all, platform:X")
    assert main(["cancel", "--scope", "nba"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    for text in ("NOT_FOUND", "AMBIGUOUS_ORDER_ID", "the venue was asked", "scope"):
        assert text in said.err


def test_nobody_is_69(nobody: str, capsys: Capture) -> None:
    """Nothing happened for certain."""
    assert main(["cancel", "--scope", "all"]) == 69
    assert nobody in capsys.readouterr().err


def test_a_scope_that_matches_nothing_is_no_success(served: Served, capsys: Capture) -> None:
    """It was asked for, and a misspelt name is said."""
    served.gateway.receipts["receipt-1"] = replace(
        receipt(), complete=True, scope="strategy:alhpa", matches_nothing=True
    )
    assert main(["cancel", "--scope", "strategy:alhpa"]) == 1
    assert "strategy:alhpa MATCHES NOTHING KNOWN" in capsys.readouterr().err


def test_bytes_that_are_no_text_keep_no_cancel(served: Served) -> None:
    """What a terminal typed wrong is sent as far as it can be."""
    served.gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    assert main(["cancel", "--scope", "all", "--reason", "\udcff"]) == 0
    assert served.gateway.did[0]["reason"] == "?"
