"""Stop, reduce, resume over HTTP."""

import json
from typing import Any

import pytest

from arbees.interface.operator import Conflict
from arbees.interface.views import Undecided
from tests.api.fake import FakeGateway, Wire, halt, receipt

PATH = "/v1/kill-switch"
FIELDS = ["in_force", "durable", "state", "halts", "sequence", "receipt_id"]
MORE = ["scope", "matches_nothing"]


def order(**fields: Any) -> bytes:
    """Return a command as JSON."""
    return json.dumps({"action": "ENABLE", "reason": "a test", **fields}).encode()


@pytest.mark.parametrize(
    ("word", "action"),
    [("ENABLE", "ENABLE"), ("enable", "ENABLE"), ("Disable", "DISABLE"), ("REDUCE", "REDUCE")],
)
async def test_action_reaches_the_gateway(
    wire: Wire, gateway: FakeGateway, word: str, action: str
) -> None:
    """A command is handed on with scope, reason, source and who says so."""
    answer = await wire.ask("POST", PATH, order(action=word, reason=" a test "))
    assert answer.status == 200
    assert list(answer.json) == FIELDS + MORE
    assert gateway.switched == [
        {
            "action": action,
            "scope": "all",
            "reason": "a test",
            "source": "http",
            "actor": "127.0.0.1",
            "acknowledge": False,
        }
    ]


async def test_answer_names_the_halts(wire: Wire) -> None:
    """The answer to a halt holds every halt in force, field by field."""
    answer = await wire.ask("POST", PATH, order(scope="sport:NBA"))
    assert answer.json["halts"] == [
        {
            "source": "http",
            "scope": "sport:NBA",
            "state": "HALTED",
            "reason": "a reason of http",
            "since": "2026-01-28T20:30:00.000Z",
            "automatic": False,
        }
    ]
    assert answer.json["receipt_id"] == "receipt-1"


async def test_command_line_says_who_it_is(wire: Wire, gateway: FakeGateway) -> None:
    """The command line names itself and the operator, so that the record does too."""
    await wire.ask("POST", PATH, order(source="command", actor="ada"))
    assert (gateway.switched[0]["source"], gateway.switched[0]["actor"]) == ("command", "ada")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"action": "STOP"}, "action"),
        ({"action": None}, "action"),
        ({"action": "DISABLE", "reason": ""}, "reason"),
        ({"action": "DISABLE", "reason": "  "}, "reason"),
        ({"action": "DISABLE", "reason": None}, "reason"),
        ({"action": "DISABLE", "reason": "x" * 1_025}, "reason"),
        ({"action": "DISABLE", "reason": 1}, "reason"),
        ({"action": "DISABLE", "acknowledge": "true"}, "acknowledge"),
        ({"action": "DISABLE", "acknowledge": 1}, "acknowledge"),
        ({"action": "DISABLE", "source": "redis"}, "source"),
        ({"action": "DISABLE", "until": "tomorrow"}, "until"),
        ({"scope": ["all"]}, "scope"),
    ],
)
async def test_malformed_is_400(
    wire: Wire, gateway: FakeGateway, fields: dict[str, Any], field: str
) -> None:
    """A command that is not understood switches nothing and names the field."""
    answer = await wire.ask("POST", PATH, order(**fields))
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "MALFORMED", field)
    assert gateway.switched == []


@pytest.mark.parametrize("action", ["ENABLE", "reduce"])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no reason was given"),
        ({"reason": None}, "no reason was given"),
        ({"reason": " "}, "no reason was given"),
        ({"reason": "x" * 5_000}, "x" * 1_024),
        ({"reason": 1}, "1"),
        ({"scope": None, "acknowledge": None}, "no reason was given"),
        ({"acknowledge": "true"}, "no reason was given"),
        ({"source": "button"}, "no reason was given"),
        ({"actor": 7, "until": "tomorrow", "reason": "late"}, "late"),
        ({"actor": ""}, "no reason was given"),
        ({"actor": "caf\xe9 \n" + "x" * 200}, "no reason was given"),
    ],
)
async def test_form_never_refuses_a_stop(
    wire: Wire, gateway: FakeGateway, action: str, fields: dict[str, Any], reason: str
) -> None:
    """A stop needs nothing but itself: what is missing or too long of its words is made good."""
    answer = await wire.ask("POST", PATH, json.dumps({"action": action, **fields}).encode())
    assert answer.status == 200
    (asked,) = gateway.switched
    assert (asked["action"], asked["scope"], asked["reason"]) == (action.upper(), "all", reason)
    assert asked["acknowledge"] is False
    assert asked["actor"].isascii()
    assert 0 < len(asked["actor"]) <= 128


async def test_a_field_that_is_there_twice_is_400(wire: Wire, gateway: FakeGateway) -> None:
    """Who says to stop and to resume has said neither."""
    answer = await wire.ask("POST", PATH, b'{"action":"ENABLE","action":"DISABLE","reason":"x"}')
    assert answer.status == 400
    assert gateway.switched == []


async def test_resuming_needs_a_reason(wire: Wire) -> None:
    """Nobody resumes without saying why."""
    answer = await wire.ask("POST", PATH, b'{"action": "DISABLE"}')
    assert (answer.status, answer.json["field"]) == (400, "reason")


async def test_too_many_halts_is_409(wire: Wire, gateway: FakeGateway) -> None:
    """One that has no room says what to do instead."""
    gateway.kill_error = Conflict("TOO_MANY_HALTS", "Halt everything, or lift some first")
    answer = await wire.ask("POST", PATH, order(scope="sport:NBA"))
    assert (answer.status, answer.json["code"]) == (409, "TOO_MANY_HALTS")
    assert answer.json["field"] == "scope"


async def test_lifting_every_halt_is_handed_on(wire: Wire, gateway: FakeGateway) -> None:
    """Many are lifted at once."""
    assert (await wire.ask("POST", PATH, order(action="DISABLE", every=True))).status == 200
    assert gateway.every


async def test_unknown_scope_is_400(wire: Wire, gateway: FakeGateway) -> None:
    """A scope that the gateway does not know names the field."""
    gateway.kill_error = ValueError("Expected all or kind:name, was 'galaxy'")
    answer = await wire.ask("POST", PATH, order(scope="galaxy"))
    assert (answer.status, answer.json["field"]) == (400, "scope")
    assert "galaxy" in answer.json["detail"]


async def test_resuming_over_an_automatic_halt_is_409(wire: Wire, gateway: FakeGateway) -> None:
    """What the gateway raised by itself needs an acknowledgement, and the answer names it."""
    gateway.remaining = (halt("daily_loss", automatic=True), halt("file"))
    answer = await wire.ask("POST", PATH, order(action="DISABLE"))
    assert (answer.status, answer.json["code"]) == (409, "ACKNOWLEDGE_REQUIRED")
    assert answer.json["field"] == "acknowledge"
    assert "daily_loss on all: a reason of daily_loss" in answer.json["detail"]
    assert [each["source"] for each in answer.json["halts"]] == ["daily_loss", "file"]
    assert answer.json["state"] == "HALTED"


async def test_acknowledging_is_handed_on(wire: Wire, gateway: FakeGateway) -> None:
    """With the acknowledgement the gateway lifts them."""
    answer = await wire.ask("POST", PATH, order(action="DISABLE", acknowledge=True))
    assert answer.status == 200
    assert gateway.switched[0]["acknowledge"] is True


async def test_file_that_remains_is_no_conflict(wire: Wire, gateway: FakeGateway) -> None:
    """A file halts as long as it exists; the answer shows that it does."""
    gateway.remaining = (halt("file"),)
    answer = await wire.ask("POST", PATH, order(action="DISABLE"))
    assert (answer.status, answer.json["state"]) == (200, "HALTED")
    assert answer.json["halts"][0]["source"] == "file"


async def test_halt_that_is_not_durable_is_503_with_what_is_in_force(
    wire: Wire, gateway: FakeGateway
) -> None:
    """When the journal fails, a halt stays in force in memory, and the answer says both."""
    gateway.halts = (halt(),)
    gateway.kill_error = Undecided("JOURNAL_FAILED", "The journal cannot append")
    answer = await wire.ask("POST", PATH, order())
    assert (answer.status, answer.json["code"]) == (503, "JOURNAL_FAILED")
    assert answer.json["durable"] is False
    assert answer.json["state"] == "HALTED"
    assert answer.json["halts"][0]["source"] == "http"


async def test_status(wire: Wire, gateway: FakeGateway) -> None:
    """The halts in force can be read."""
    assert (await wire.ask("GET", PATH)).json["state"] == "ACTIVE"
    gateway.halts = (halt("signal"),)
    answer = await wire.ask("GET", PATH)
    assert list(answer.json) == FIELDS + MORE
    assert answer.json["halts"][0]["source"] == "signal"


async def test_receipt(wire: Wire, gateway: FakeGateway) -> None:
    """What a halt did is read by the id in its answer."""
    gateway.receipts["receipt-1"] = receipt()
    answer = await wire.ask("GET", f"{PATH}/receipts/receipt-1")
    assert answer.status == 200
    assert answer.json["complete"] is False
    assert answer.json["cancelled"][0]["filled_meanwhile"] == 3
    missing = await wire.ask("GET", f"{PATH}/receipts/receipt-2")
    assert (missing.status, missing.json["code"]) == (404, "NOT_FOUND")


async def test_other_methods_are_405(wire: Wire) -> None:
    """There is no deleting of a kill switch."""
    answer = await wire.ask("DELETE", PATH)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
