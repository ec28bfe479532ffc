"""`/v1/keys`: made, listed, revoked; the secret is told once."""

import json

import pytest

from arbees.core.language.words import KeyScope
from arbees.interface.views import Undecided
from tests.api.fake import FakeGateway, Wire

PATH = "/v1/keys"
ASK = {
    "name": "alpha",
    "scopes": ["submit", "READ"],
    "strategy": "s",
    "max_order_size": "20.50",
    "max_orders_per_minute": 5,
    "requests_per_minute": 100,
}


def asked(**changes: object) -> bytes:
    """Return a body."""
    return json.dumps({**ASK, **changes}).encode()


async def test_a_key_is_made_and_told_once(wire: Wire, gateway: FakeGateway) -> None:
    """201 with the secret; the list has everything but that."""
    answer = await wire.ask("POST", PATH, asked())
    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json
    assert set(made) == {"key", "secret", "sequence"}
    assert made["key"] == {
        "key_id": "id-alpha",
        "name": "alpha",
        "scopes": ["submit", "read"],
        "strategy": "s",
        "max_order_size": 20.5,
        "max_order_contracts": None,
        "max_orders_per_minute": 5,
        "max_orders_per_hour": None,
        "requests_per_minute": 100,
        "created_at": "2026-01-28T20:28:20.000Z",
        "created_by": "127.0.0.1",
        "revoked_at": None,
    }
    headers = {"Authorization": f"Bearer {gateway.hold('boss', KeyScope.ADMIN)}"}
    listed = await wire.ask("GET", PATH, headers=headers)
    assert listed.json["items"][0] == made["key"]
    assert listed.json["sequence"] == 9
    assert made["secret"].encode() not in listed.body


async def test_the_first_key_locks_everybody_else_out(wire: Wire) -> None:
    """Also whoever made it, until they send it."""
    made = (await wire.ask("POST", PATH, asked())).json
    assert (await wire.ask("GET", "/v1/status")).status == 401
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert (await wire.ask("GET", "/v1/status", headers=headers)).status == 200


async def test_records_name_the_key_that_made_or_ended_another(
    wire: Wire, gateway: FakeGateway
) -> None:
    """`key:NAME`, whoever it is that holds it."""
    headers = {"Authorization": f"Bearer {gateway.hold('boss', KeyScope.ADMIN)}"}
    made = await wire.ask("POST", PATH, asked(), headers)
    assert made.json["key"]["created_by"] == "key:boss"
    ended = await wire.ask("DELETE", f"{PATH}/id-alpha?reason=it%20was%20lost", b"", headers)
    assert ended.status == 200
    assert ended.json["key"]["revoked_at"] is not None
    assert gateway.revoked == [("id-alpha", "it was lost", "key:boss")]


async def test_a_name_in_force_is_409(wire: Wire, gateway: FakeGateway) -> None:
    """Records name keys by it."""
    gateway.hold("alpha", KeyScope.ADMIN)
    headers = {"Authorization": "Bearer secret-id-alpha"}
    answer = await wire.ask("POST", PATH, asked(), headers)
    assert (answer.status, answer.json["code"]) == (409, "KEY_NAME_TAKEN")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"max_order_size": 0}, "max_order_size"),
        ({"max_orders_per_minute": 5, "max_orders_per_hour": 4}, "max_orders_per_minute"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_what_cannot_be_read_names_its_field(
    wire: Wire, gateway: FakeGateway, changes: dict[str, object], field: str
) -> None:
    """Nothing is made."""
    answer = await wire.ask("POST", PATH, asked(**changes))
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "MALFORMED", field)
    assert gateway.held == {}


async def test_a_key_that_is_not_there_is_404(wire: Wire) -> None:
    """By its id; a name is none."""
    answer = await wire.ask("DELETE", f"{PATH}/nobody")
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("query", ["reason=", "reason=a%0Ab", "why=x", "reason=a&reason=b"])
async def test_a_reason_is_printable(wire: Wire, gateway: FakeGateway, query: str) -> None:
    """It is journaled, and read by people."""
    gateway.hold("alpha", KeyScope.ADMIN)
    headers = {"Authorization": "Bearer secret-id-alpha"}
    answer = await wire.ask("DELETE", f"{PATH}/id-alpha?{query}", b"", headers)
    assert (answer.status, answer.json["code"]) == (400, "MALFORMED")
    assert gateway.revoked == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_journal_that_fails_is_503(wire: Wire, gateway: FakeGateway, method: str) -> None:
    """Whether the key is there, or gone, is then not known to be durable."""
    gateway.key_error = Undecided("JOURNAL_FAILED", "not known")
    path = PATH if method == "POST" else f"{PATH}/id-alpha"
    answer = await wire.ask(method, path, asked() if method == "POST" else b"")
    assert (answer.status, answer.json["code"]) == (503, "JOURNAL_FAILED")
