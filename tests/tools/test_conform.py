"""The judges of `make conform`: what they take, what they point out, and the tap before them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.kalshi.served import KEY_ID, MARKET, served
from tests.venues.kalshi.keypairs import rsa_key
from tools.conformity import official
from tools.conformity.caller import ROOT, Caller
from tools.conformity.documents import ASYNCAPI, OPENAPI, Rest, Streams
from tools.conformity.listening import listen
from tools.conformity.samples import kind
from tools.conformity.tap import Call, Tap

REST = """
components:
  parameters:
    Limit: {name: limit, in: query}
  schemas:
    Balance:
      type: object
      required: [balance]
      properties:
        balance: {type: integer}
        note: {type: string, nullable: true}
paths:
  /portfolio/balance:
    get:
      parameters: [{$ref: '#/components/parameters/Limit'}]
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/Balance'}}}}
  /portfolio/orders/{id}:
    delete:
      responses:
        '204': {description: gone}
"""
STREAMS = """
components:
  schemas:
    ok:
      type: object
      required: [type, sid]
      properties: {type: {type: string, const: ok}, sid: {type: integer}}
    listed:
      type: object
      required: [type, msg]
      properties: {type: {type: string, const: ok}, msg: {type: array}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two small documents."""
    (tmp_path / OPENAPI).write_text(REST)
    (tmp_path / ASYNCAPI).write_text(STREAMS)
    return tmp_path


def call(
    answered: bytes = b'{"balance": 1}',
    status: int = 200,
    path: str = "/portfolio/balance",
    method: str = "GET",
    **query: str,
) -> Call:
    """Return a call and its answer."""
    return Call(method, f"/trade-api/v2{path}", query, b"", status, answered)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (call(), None),
        (call(limit="5"), None),
        (call(b'{"balance": 1, "note": null}'), None),
        (call(b"", 204, "/portfolio/orders/abc", "DELETE"), None),
        (call(b'{"error": {"code": "not_found", "message": "not found"}}', 404), None),
        (call(b'{"error": "too many requests"}', 429), None),
        (call(b'{"msg": "invalid limit"}', 400), None),
        (call(b'{"balance": "1"}'), "balance"),
        (call(b"{}"), "required"),
        (call(b'{"balance": 1, "extra": 2}'), "extra"),
        (call(b"no json"), "malformed"),
        (call(surprise="1"), "asked with surprise"),
        (call(status=202), "not documented"),
        (call(b"1", 204, "/portfolio/orders/abc", "DELETE"), "no body"),
        (call(path="/portfolio/new"), "not documented"),
        (call(b'{"error": {"code": "x", "message": "y", "service": "z"}}', 400), "service"),
        (call(b'{"oops": 1}', 500), "oops"),
    ],
)
def test_a_call_is_judged(folder: Path, made: Call, said: str | None) -> None:
    """What the document requires and what it does not know; errors by the recorded shapes."""
    found = Rest(folder).judge(made)
    if said is None:
        assert found == []
    else:
        assert len(found) == 1
        assert said in found[0]


@pytest.mark.parametrize(
    ("message", "is_right"),
    [
        ({"type": "ok", "sid": 1}, True),
        ({"type": "ok", "msg": []}, True),
        ({"type": "ok", "sid": 1, "sending_ts_ms": 5}, True),
        ({"type": "ok"}, False),
        ({"type": "ok", "sid": "1"}, False),
        ({"type": "new"}, False),
        ({}, False),
    ],
)
def test_a_message_is_judged(folder: Path, message: dict[str, Any], *, is_right: bool) -> None:
    """One of the shapes of its word fits; an exception that has a reason is none."""
    assert (Streams(folder).judge(message) == []) is is_right


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("98.0186", "text with 4 decimals"),
        ("-1.00", "text with 2 decimals"),
        ("2026-06-11T06:29:30.164956Z", "time"),
        ("2597b999-f887-4195-8bac-c3f97a1f2021", "id"),
        ("resting", "text"),
        (5, "int"),
        (True, "bool"),
    ],
)
def test_a_shape_is_the_form_of_a_value(value: object, shape: str) -> None:
    """Decimals are counted, ids and times are known by their form."""
    assert kind(value) == shape


async def test_a_tap_hears_both_sides_and_changes_nothing() -> None:
    """Calls with their answers, commands and messages of streams, all as they were."""
    async with served() as made:
        tap = Tap()
        root = await tap.start()
        tap.exchange = made.root
        try:
            async with Caller(root, KEY_ID, rsa_key()) as caller:
                answer = await caller.create(MARKET)
                refused = await caller.create(MARKET, price="0.0150")
                assert await listen(root, caller, MARKET) == []
        finally:
            await tap.stop()
        assert (answer.status, refused.status) == (201, 400)
        placed = tap.calls[0]
        assert (placed.method, placed.path, placed.status) == (
            *("POST", f"{ROOT}/portfolio/events/orders", 201),
        )
        assert placed.body == answer.body
        assert b'"price":"0.0100"' in placed.asked
        assert tap.commands[0]["cmd"] == "subscribe"
        assert tap.messages[0]["type"] == "subscribed"


def test_the_official_client_needs_a_python_of_its_own() -> None:
    """One that is new enough is found, or none; never ours where it is older."""
    found = official.interpreter()
    if sys.version_info >= official.NEEDS:
        assert found == Path(sys.executable)
    elif found is not None:
        asked = [str(found), "-c", "import sys; print(sys.version_info[:2] >= (3, 13))"]
        assert subprocess.run(asked, capture_output=True, check=True).stdout == b"True\n"
