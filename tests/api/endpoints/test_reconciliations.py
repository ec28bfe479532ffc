"""Reconciliation over HTTP: run one, list the breaks, end one by hand."""

import json
from typing import Any

import pytest

from arbees.interface.operator import Conflict
from tests.api.fake import FakeGateway, Wire
from tests.api.fake_operator import BREAK

PATH = "/v1/reconciliations"


async def test_a_comparison_answers_when_it_is_done(wire: Wire, gateway: FakeGateway) -> None:
    """With the breaks that are open now."""
    answer = await wire.ask("POST", PATH)
    assert answer.status == 200
    assert answer.json["complete"] is True
    assert answer.json["breaks"][0]["break_id"] == BREAK.break_id
    assert gateway.did == [{"what": "reconcile"}]


async def test_a_query_that_failed_is_told(wire: Wire, gateway: FakeGateway) -> None:
    """It is no success, and not as if nothing were held there."""
    gateway.failed = ("Polymarket",)
    answer = await wire.ask("POST", PATH)
    assert (answer.json["complete"], answer.json["failed"]) == (False, ["Polymarket"])


def hand(**changes: Any) -> bytes:
    """Return the end of a break as JSON."""
    return json.dumps({"break_id": BREAK.break_id, "reason": "corrected", **changes}).encode()


async def test_a_break_is_ended_by_hand(wire: Wire, gateway: FakeGateway) -> None:
    """With who and why; 404 where none of that name is open."""
    answer = await wire.ask("POST", f"{PATH}/resolve", hand(actor="ann"))
    assert (answer.status, answer.json["name"]) == (200, BREAK.break_id)
    assert gateway.did == [
        {
            "what": "resolve_break",
            "break_id": BREAK.break_id,
            "reason": "corrected",
            "actor": "ann",
        }
    ]
    gateway.resolves = False
    assert (await wire.ask("POST", f"{PATH}/resolve", hand())).status == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"break_id": ""},
        {"break_id": "x" * 600},
        {"reason": " "},
        {"break_id": "a\u0000b"},
        {"more": 1},
    ],
)
async def test_an_end_that_cannot_be_read(
    wire: Wire, gateway: FakeGateway, changes: dict[str, Any]
) -> None:
    """Nothing is ended, and the field is named."""
    answer = await wire.ask("POST", f"{PATH}/resolve", hand(**changes))
    assert (answer.status, answer.json["field"]) == (400, next(iter(changes)))
    assert gateway.did == []


async def test_the_venues_word_is_taken(wire: Wire, gateway: FakeGateway) -> None:
    """With who and why; 404 where none is open, 409 where the venue agrees by now."""
    answer = await wire.ask("POST", f"{PATH}/adopt", hand(actor="ann"))
    assert (answer.status, answer.json["name"]) == (200, BREAK.break_id)
    (did,) = gateway.did
    assert (did["what"], did["reason"], did["actor"]) == ("adopt_break", "corrected", "ann")
    gateway.resolves = False
    assert (await wire.ask("POST", f"{PATH}/adopt", hand())).status == 404
    gateway.operator_error = Conflict("AGREES", "The venue agrees by now")
    answer = await wire.ask("POST", f"{PATH}/adopt", hand())
    assert (answer.status, answer.json["code"]) == (409, "AGREES")
