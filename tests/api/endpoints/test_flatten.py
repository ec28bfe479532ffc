"""Closing what is held, over HTTP."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from arbees.core.language.words import KeyScope
from tests.api.fake import FakeGateway, Wire, receipt

PATH = "/v1/flatten"


def body(**fields: Any) -> bytes:
    """Return a command as JSON."""
    return json.dumps(fields).encode()


async def test_it_is_handed_on(wire: Wire, gateway: FakeGateway) -> None:
    """Scope, reason, who, and the slippage in millionths; the answer is the receipt."""
    gateway.receipts["receipt-1"] = replace(receipt(), complete=True, kind="flatten")
    answer = await wire.ask(
        "POST", PATH, body(scope="sport:NBA", reason="a test", max_slippage="0.05")
    )
    assert (answer.status, answer.json["kind"], answer.json["left"]) == (200, "flatten", [])
    (said,) = [each for each in gateway.did if each["what"] == "flatten"]
    assert said == {
        "what": "flatten",
        "scope": "sport:NBA",
        "reason": "a test",
        "actor": "127.0.0.1",
        "max_slippage": 50_000,
        "key_id": None,
    }


async def test_nothing_but_itself_is_needed(wire: Wire, gateway: FakeGateway) -> None:
    """Without words it is everything, by the collar."""
    gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    assert (await wire.ask("POST", PATH, b"{}")).status == 200
    (said,) = [each for each in gateway.did if each["what"] == "flatten"]
    assert (said["scope"], said["max_slippage"]) == ("all", None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reason": None}, "asked for"),
        ({"reason": " "}, "asked for"),
        ({"reason": "caf\xe9\n" + "x" * 2_000}, "caf\xe9?" + "x" * 495),
        ({"actor": "caf\xe9 \n" + "x" * 200}, "asked for"),
    ],
)
async def test_words_never_refuse_it(
    wire: Wire, gateway: FakeGateway, fields: dict[str, Any], reason: str
) -> None:
    """Nobody is kept from closing what is held by the form of a reason or a name."""
    gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    assert (await wire.ask("POST", PATH, json.dumps(fields).encode())).status == 200
    (asked,) = [each for each in gateway.did if each["what"] == "flatten"]
    assert asked["reason"] == reason
    assert asked["actor"].isascii()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"max_slippage": 1}, "max_slippage"),
        ({"max_slippage": -0.01}, "max_slippage"),
        ({"max_slippage": "much"}, "max_slippage"),
        ({"size": 1}, "size"),
    ],
)
async def test_malformed_is_400(wire: Wire, fields: dict[str, Any], field: str) -> None:
    """What is not understood closes nothing and names the field."""
    answer = await wire.ask("POST", PATH, body(**fields))
    assert (answer.status, answer.json["field"]) == (400, field)


async def test_a_bound_key_closes_its_own(wire: Wire, gateway: FakeGateway) -> None:
    """Within its strategy, and only where it may both submit and cancel."""
    gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    both = gateway.hold("alpha", KeyScope.SUBMIT, KeyScope.CANCEL, strategy="alpha")
    one = gateway.hold("beta", KeyScope.SUBMIT, strategy="beta")

    async def ask(secret: str, **fields: Any) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return (await wire.ask("POST", PATH, body(**fields), headers=headers)).status

    assert await ask(both, scope="strategy:alpha") == 200
    assert await ask(both, scope="strategy:beta") == 403
    assert await ask(both, scope="sport:NBA") == 403
    assert await ask(one, scope="strategy:beta") == 403
    (said,) = [each for each in gateway.did if each["what"] == "flatten"]
    assert (said["key_id"], said["actor"]) == ("id-alpha", "key:alpha")
