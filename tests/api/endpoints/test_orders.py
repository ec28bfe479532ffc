"""Orders over HTTP: looking, cancelling one, cancelling many, ending by hand."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from arbees.core.language.words import KeyScope
from arbees.interface.operator import Conflict
from arbees.interface.views import Undecided
from tests.api.fake import FakeGateway, Wire, receipt
from tests.api.fake_operator import CANCEL, ORDER, filled

PATH = "/v1/orders"


def bearer(secret: str) -> dict[str, str]:
    """Return the head of a request with a key."""
    return {"Authorization": f"Bearer {secret}"}


async def test_open_orders(wire: Wire) -> None:
    """Each with its fields, as numbers, and the record that the list reflects."""
    answer = await wire.ask("GET", PATH)
    assert answer.status == 200
    assert answer.json["sequence"] == 9
    (order,) = answer.json["items"]
    assert order["filled_qty"] == 12.5
    assert order["limit_price"] == 0.65
    assert list(order)[:14] == [
        "order_id",
        "client_order_id",
        "request_id",
        "idempotency_key",
        "platform",
        "market_id",
        "side",
        "action",
        "size",
        "filled_qty",
        "limit_price",
        "time_in_force",
        "status",
        "created_at",
    ]


async def test_a_key_of_one_strategy_sees_its_own_orders(wire: Wire, gateway: FakeGateway) -> None:
    """Another strategy's are not there."""
    secret = gateway.hold("beta", KeyScope.READ, strategy="beta")
    gateway.open_orders = (ORDER, replace(ORDER, client_order_id="arb-2", strategy="beta"))
    answer = await wire.ask("GET", PATH, headers=bearer(secret))
    assert [each["client_order_id"] for each in answer.json["items"]] == ["arb-2"]


# One order -------------------------------------------------------------------------------------


async def test_a_cancel_that_goes_out_is_202(wire: Wire, gateway: FakeGateway) -> None:
    """The order works: it is on record that it shall not, with who and why."""
    answer = await wire.ask("DELETE", f"{PATH}/arb-1?reason=too%20slow&actor=ann")
    assert answer.status == 202
    assert answer.json["status"] == "WORKING"
    assert answer.json["final"] is False
    assert gateway.did == [
        {
            "what": "cancel",
            "order_id": "arb-1",
            "reason": "too slow",
            "actor": "ann",
            "platform": None,
            "strategy": None,
        }
    ]


async def test_a_cancel_that_comes_after_the_fill_is_200(wire: Wire, gateway: FakeGateway) -> None:
    """It has ended; how, says its status, so that nobody takes a fill for a cancel."""
    gateway.cancel_reply = filled()
    answer = await wire.ask("DELETE", f"{PATH}/venue-1?platform=kalshi")
    assert (answer.status, answer.json["status"], answer.json["final"]) == (200, "FILLED", True)
    assert answer.json["filled_qty"] == 50
    assert gateway.did[0]["platform"] == "Kalshi"
    assert gateway.did[0]["actor"] == "127.0.0.1"


async def test_ids_with_slashes(wire: Wire, gateway: FakeGateway) -> None:
    """An id may hold what a path may not."""
    await wire.ask("DELETE", f"{PATH}/a%2Fb%3Fc")
    assert gateway.did[0]["order_id"] == "a/b?c"


async def test_what_nobody_knows_is_404(wire: Wire, gateway: FakeGateway) -> None:
    """And says of which order."""
    gateway.cancel_reply = None
    answer = await wire.ask("DELETE", f"{PATH}/arb-9")
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert "arb-9" in answer.json["detail"]


async def test_an_id_that_two_venues_use_is_409(wire: Wire, gateway: FakeGateway) -> None:
    """Nothing is guessed."""
    gateway.operator_error = Conflict("AMBIGUOUS_ORDER_ID", "name the platform")
    answer = await wire.ask("DELETE", f"{PATH}/venue-1")
    assert (answer.status, answer.json["code"]) == (409, "AMBIGUOUS_ORDER_ID")


async def test_a_journal_that_failed_is_503(wire: Wire, gateway: FakeGateway) -> None:
    """The answer says that the venue was asked all the same."""
    gateway.operator_error = Undecided("JOURNAL_FAILED", "the venue was asked to cancel")
    for path in (f"{PATH}/arb-1", f"{PATH}?scope=all"):
        answer = await wire.ask("DELETE", path)
        assert (answer.status, answer.json["code"]) == (503, "JOURNAL_FAILED")
        assert "asked to cancel" in answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?platform=Binance", "platform"),
        ("?scope=all", "scope"),
        ("?reason=a&reason=b", "reason"),
    ],
)
async def test_a_cancel_that_cannot_be_read(
    wire: Wire, gateway: FakeGateway, query: str, field: str
) -> None:
    """Nothing is asked for, and the field is named."""
    answer = await wire.ask("DELETE", f"{PATH}/arb-1{query}")
    assert (answer.status, answer.json["field"]) == (400, field)
    assert gateway.did == []


@pytest.mark.parametrize("path", [f"{PATH}/arb-1?", f"{PATH}?scope=all&"])
@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("reason=", "asked for"),
        ("reason=%20", "asked for"),
        ("reason=a%00b", "a?b"),
        (f"reason={'x' * 2_000}", "x" * 500),
        ("actor=", "asked for"),
        ("actor=caf%C3%A9%0A" + "x" * 200, "asked for"),
    ],
)
async def test_words_never_refuse_a_cancel(
    wire: Wire, gateway: FakeGateway, path: str, query: str, reason: str
) -> None:
    """What is missing, too long or unprintable of them is made good: cancels always pass."""
    gateway.receipts["receipt-1"] = receipt()
    answer = await wire.ask("DELETE", path + query)
    assert answer.status in {200, 202}
    (asked,) = gateway.did
    assert asked["reason"] == reason
    assert asked["actor"].isascii()
    assert 0 < len(asked["actor"]) <= 128


async def test_a_key_cancels_with_its_name_and_its_own_alone(
    wire: Wire, gateway: FakeGateway
) -> None:
    """Whoever it says it is; and the gateway is told whose orders it may touch."""
    secret = gateway.hold("alpha", KeyScope.CANCEL, strategy="alpha")
    await wire.ask("DELETE", f"{PATH}/arb-1?actor=somebody", headers=bearer(secret))
    assert (gateway.did[0]["actor"], gateway.did[0]["strategy"]) == ("key:alpha", "alpha")


# Many ------------------------------------------------------------------------------------------


async def test_a_mass_cancel_answers_its_receipt(wire: Wire, gateway: FakeGateway) -> None:
    """202 while something is left to come, 200 when it is complete."""
    gateway.receipts["receipt-1"] = receipt()
    answer = await wire.ask("DELETE", f"{PATH}?scope=sport:NBA&reason=news")
    assert (answer.status, answer.json["receipt_id"]) == (202, "receipt-1")
    assert gateway.did == [
        {"what": "cancel_all", "scope": "sport:NBA", "reason": "news", "actor": "127.0.0.1"}
    ]
    gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    assert (await wire.ask("DELETE", f"{PATH}?scope=all")).status == 200


async def test_no_scope_is_the_whole_account(wire: Wire, gateway: FakeGateway) -> None:
    """As with a halt, `all` is what is meant where nothing is said; an id of no text is none."""
    gateway.receipts["receipt-1"] = receipt()
    assert (await wire.ask("DELETE", PATH)).status == 202
    assert gateway.did[0]["scope"] == "all"
    assert (await wire.ask("DELETE", f"{PATH}/")).status == 400
    assert len(gateway.did) == 1


async def test_a_scope_that_is_none(wire: Wire, gateway: FakeGateway) -> None:
    """The gateway says what it expects."""
    gateway.operator_error = ValueError("Expected all, platform:X, was 'x'")
    answer = await wire.ask("DELETE", f"{PATH}?scope=x")
    assert (answer.status, answer.json["field"]) == (400, "scope")


async def test_a_key_of_one_strategy_cancels_no_other(wire: Wire, gateway: FakeGateway) -> None:
    """Its own scope passes, everything does not."""
    gateway.receipts["receipt-1"] = receipt()
    secret = gateway.hold("alpha", KeyScope.CANCEL, strategy="alpha")
    answer = await wire.ask("DELETE", f"{PATH}?scope=all", headers=bearer(secret))
    assert (answer.status, answer.json["code"]) == (403, "STRATEGY_REFUSED")
    assert gateway.did == []
    own = await wire.ask("DELETE", f"{PATH}?scope=strategy:alpha", headers=bearer(secret))
    assert own.status == 202


# By hand ---------------------------------------------------------------------------------------


def hand(**changes: Any) -> bytes:
    """Return the end of an order as JSON."""
    fields = {"client_order_id": "arb-1", "end": "not_sent", "reason": "asked support", **changes}
    return json.dumps({name: text for name, text in fields.items() if text is not None}).encode()


async def test_an_unknown_order_is_ended_by_hand(wire: Wire, gateway: FakeGateway) -> None:
    """With who and why."""
    answer = await wire.ask("POST", f"{PATH}/resolve", hand(actor="ann"))
    assert (answer.status, answer.json) == (200, {"name": "arb-1", "sequence": 9})
    assert gateway.did[0]["end"] == "not_sent"
    assert gateway.did[0]["actor"] == "ann"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (hand(end="filled"), "end"),
        (hand(reason=""), "reason"),
        (hand(reason=None), "reason"),
        (hand(client_order_id=""), "client_order_id"),
        (hand(actor="a\nb"), "actor"),
        (
            b'{"client_order_id": "a", "client_order_id": "b", "end": "cancelled", "reason": "x"}',
            "client_order_id",
        ),
        (b"[]", None),
    ],
)
async def test_an_end_that_cannot_be_read(
    wire: Wire, gateway: FakeGateway, body: bytes, field: str | None
) -> None:
    """Nothing is ended, and the field is named."""
    answer = await wire.ask("POST", f"{PATH}/resolve", body)
    assert answer.status == 400
    assert field is None or answer.json["field"] == field
    assert gateway.did == []


async def test_what_is_known_is_not_ended_by_hand(wire: Wire, gateway: FakeGateway) -> None:
    """409 says what it is; 404 that there is none."""
    gateway.operator_error = Conflict("NOT_UNKNOWN", "The order is WORKING; cancel it instead")
    answer = await wire.ask("POST", f"{PATH}/resolve", hand())
    assert (answer.status, answer.json["code"]) == (409, "NOT_UNKNOWN")
    gateway.operator_error, gateway.resolves = None, False
    assert (await wire.ask("POST", f"{PATH}/resolve", hand())).status == 404


async def test_cancel_reply_is_whole(wire: Wire) -> None:
    """The answer holds the ids by which to ask on."""
    answer = await wire.ask("DELETE", f"{PATH}/arb-1")
    assert answer.json["request_id"] == CANCEL.request_id
    assert answer.json["client_order_id"] == CANCEL.client_order_id
