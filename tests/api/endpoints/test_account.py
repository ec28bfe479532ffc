"""Positions, balances, safeguards, alerts and movements of money over HTTP."""

import json
from typing import Any

import pytest

from arbees.core.language.units import MICRO
from arbees.core.language.words import KeyScope
from arbees.interface.operator import Conflict
from arbees.interface.views import Undecided
from tests.api.fake import FakeGateway, Wire

LISTS = ("/v1/positions", "/v1/balances", "/v1/safeguards", "/v1/alerts", "/v1/reconciliations")


@pytest.mark.parametrize("path", [*LISTS, "/v1/orders"])
async def test_lists_name_their_record(wire: Wire, gateway: FakeGateway, path: str) -> None:
    """Items and the record that they reflect; a parameter nobody knows is refused."""
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["sequence"]) == (200, 9)
    assert answer.json["items"]
    assert (await wire.ask("GET", f"{path}?limit=5")).status == 400
    gateway.operator_error = Undecided("JOURNAL_FAILED", "look again after the restart")
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["code"]) == (503, "JOURNAL_FAILED")


@pytest.mark.parametrize("path", LISTS)
async def test_a_key_of_one_strategy_does_not_see_the_account(
    wire: Wire, gateway: FakeGateway, path: str
) -> None:
    """What belongs to all is shown to keys of all."""
    secret = gateway.hold("alpha", KeyScope.READ, strategy="alpha")
    answer = await wire.ask("GET", path, headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status, answer.json["code"]) == (403, "STRATEGY_REFUSED")


async def test_position(wire: Wire) -> None:
    """A mark that was never seen is null, not 0."""
    (position,) = (await wire.ask("GET", "/v1/positions")).json["items"]
    assert position["mark"] is None
    assert position["worst_case_loss"] == 32.375
    assert list(position) == [
        *("platform", "market_id", "market_key", "side", "quantity", "avg_cost", "mark"),
        *("mark_age_secs", "unrealized_pnl", "realized_pnl", "worst_case_loss", "sport", "game_id"),
    ]


async def test_balance(wire: Wire) -> None:
    """As it stands in the design."""
    (balance,) = (await wire.ask("GET", "/v1/balances")).json["items"]
    assert list(balance)[:6] == [*("platform", "available", "reserved", "equity", "as_of", "stale")]
    assert balance["stale"] is True


async def test_safeguards(wire: Wire) -> None:
    """Settings as text; each use with value, limit and headroom."""
    exposure, size = (await wire.ask("GET", "/v1/safeguards")).json["items"]
    assert list(exposure) == ["name", "enabled", "settings", "used", "denials_today"]
    (use,) = exposure["used"]
    assert (use["scope"], use["value"], use["limit"]) == ("market:NBA-BOS", 32.375, 200)
    assert use["headroom"] == 167.625
    assert (size["enabled"], size["used"]) == (False, [])


# Money -----------------------------------------------------------------------------------------


def flow(amount: object = 500, **changes: Any) -> bytes:
    """Return a movement as JSON."""
    return json.dumps(
        {"platform": "kalshi", "amount": amount, "reason": "bank", **changes}
    ).encode()


@pytest.mark.parametrize(
    ("amount", "micro"),
    [(500, 500 * MICRO), (-0.01, -10_000), ("-12.345678", -12_345_678), (1e9, 10**15)],
)
async def test_a_movement_is_exact(
    wire: Wire, gateway: FakeGateway, amount: object, micro: int
) -> None:
    """In millionths, as it was written."""
    answer = await wire.ask("POST", "/v1/cashflows", flow(amount, actor="ann"))
    assert (answer.status, answer.json["platform"]) == (201, "Kalshi")
    assert gateway.did == [
        {
            "what": "move_cash",
            "platform": "Kalshi",
            "amount": micro,
            "reason": "bank",
            "actor": "ann",
        }
    ]


@pytest.mark.parametrize(
    "raw",
    [
        *("0", "-0", "0.0", "-0.000000", '"-0"', "1e-7", "0.0000001", "1000000000.000001", "-1e10"),
        *("NaN", "Infinity", "-Infinity", '"NaN"', '" 5"', '"+5"', "null", "true", "[]", '"1_000"'),
    ],
)
async def test_an_amount_that_is_none(wire: Wire, gateway: FakeGateway, raw: str) -> None:
    """Nothing, less than nothing, no number, too much, too fine: nothing is moved."""
    body = f'{{"platform": "Kalshi", "amount": {raw}, "reason": "bank"}}'.encode()
    answer = await wire.ask("POST", "/v1/cashflows", body)
    assert (answer.status, answer.json["code"]) == (400, "MALFORMED")
    assert gateway.did == []


async def test_more_than_there_is(wire: Wire, gateway: FakeGateway) -> None:
    """A withdrawal that the paper account does not cover is a conflict with what is."""
    gateway.operator_error = Conflict("INSUFFICIENT_BALANCE", "at most what is available")
    answer = await wire.ask("POST", "/v1/cashflows", flow(-1_000_000))
    assert (answer.status, answer.json["code"]) == (409, "INSUFFICIENT_BALANCE")


async def test_only_an_administrator_moves_money(wire: Wire, gateway: FakeGateway) -> None:
    """Whoever may trade may not."""
    secret = gateway.hold("alpha", KeyScope.SUBMIT, KeyScope.READ, KeyScope.CANCEL)
    head = {"Authorization": f"Bearer {secret}"}
    for path in ("/v1/cashflows", "/v1/reconciliations", "/v1/reconciliations/resolve"):
        answer = await wire.ask("POST", path, flow(), head)
        assert (answer.status, answer.json["code"]) == (403, "SCOPE_REQUIRED")
    assert gateway.did == []
