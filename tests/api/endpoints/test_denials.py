"""What operators say of denials, over HTTP."""

import json
from typing import Any

import pytest

from tests.api.fake import NO_DENIAL, FakeGateway, Wire

PATH = "/v1/denials/reviews"


def body(**changes: Any) -> bytes:
    """Return reviews as JSON."""
    fields: dict[str, Any] = {
        "denials": [{"request_id": "r-1", "sequence": 7}, {"request_id": "r-2", "sequence": 9}],
        "verdict": "disputed",
        "reason": " it was fine ",
    }
    return json.dumps({**fields, **changes}).encode()


async def test_reviews_are_recorded(wire: Wire, gateway: FakeGateway) -> None:
    """All of them, with who and why, in one go."""
    answer = await wire.ask("POST", PATH, body(actor="ann"))
    assert (answer.status, answer.json) == (201, {"recorded": 2, "sequence": 9})
    assert [
        (each.request_id, each.sequence, each.verdict, each.reason, each.actor)
        for each in gateway.reviews
    ] == [
        ("r-1", 7, "disputed", "it was fine", "ann"),
        ("r-2", 9, "disputed", "it was fine", "ann"),
    ]


async def test_what_is_no_denial_is_not_found(wire: Wire, gateway: FakeGateway) -> None:
    """Nothing is recorded then."""
    named = [{"request_id": "r-1", "sequence": 7}, {"request_id": "r", "sequence": NO_DENIAL}]
    answer = await wire.ask("POST", PATH, body(denials=named))
    assert answer.status == 404
    assert gateway.reviews == []


@pytest.mark.parametrize(
    "changes", [{"reason": " "}, {"reason": "x" * 501}, {"denials": []}, {"verdict": "no"}]
)
async def test_malformed_reviews(changes: dict[str, Any], wire: Wire, gateway: FakeGateway) -> None:
    """400, and nothing is recorded."""
    assert (await wire.ask("POST", PATH, body(**changes))).status == 400
    assert gateway.reviews == []
