"""Feeding the paper exchange over HTTP."""

import json
from typing import Any

import pytest

from arbees.core.language.payouts import NO_WON, YES_WON
from arbees.core.language.words import KeyScope
from arbees.interface.operator import Conflict
from tests.api.fake import NOW_NS, FakeGateway, Wire

PATH = "/v1/quotes"
QUOTE = {
    "platform": "Kalshi",
    "market_id": "NBA-BOS",
    "bids": [["0.64", "100"]],
    "asks": [["0.66", 50]],
}
SETTLEMENT = {"platform": "Kalshi", "market_id": "NBA-BOS", "result": "Yes"}


def quote(**changes: Any) -> dict[str, Any]:
    """Return a quote."""
    return {**QUOTE, **changes}


async def test_one_quote(wire: Wire, gateway: FakeGateway) -> None:
    """A quote is read exactly, and takes the arrival where it has no time."""
    answer = await wire.ask("POST", PATH, json.dumps(QUOTE).encode())
    assert (answer.status, answer.json) == (200, {"accepted": 1})
    assert gateway.quotes[0].bids == ((640_000, 100_000_000),)
    assert gateway.quotes[0].ts_ns == NOW_NS


async def test_list_of_quotes(wire: Wire, gateway: FakeGateway) -> None:
    """A list is taken in its order."""
    data = b"\n " + json.dumps([quote(market_id=str(n)) for n in range(3)]).encode()
    assert (await wire.ask("POST", PATH, data)).json == {"accepted": 3}
    assert [each.market_id for each in gateway.quotes] == ["0", "1", "2"]


async def test_empty_list(wire: Wire, gateway: FakeGateway) -> None:
    """Nothing is nothing."""
    assert (await wire.ask("POST", PATH, b"[]")).json == {"accepted": 0}
    assert gateway.quotes == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (json.dumps([QUOTE, quote(bids=[["2", "1"]])]), "[1].bids"),
        (json.dumps([QUOTE, 7]), "[1]"),
        (json.dumps([QUOTE, [QUOTE]]), "[1]"),
        (json.dumps(quote(sise=1)), "sise"),
        ("[" + json.dumps(QUOTE), None),
        ("[" + json.dumps(QUOTE)[:-1] + ', "tick": 1, "tick": 1}]', "[0].tick"),
        (json.dumps([QUOTE] * 1_001), None),
        ("[" * 100_000, None),
    ],
)
async def test_bad_item_takes_none(
    wire: Wire, gateway: FakeGateway, data: str, field: str | None
) -> None:
    """One quote that cannot be read refuses the list, and names its place."""
    answer = await wire.ask("POST", PATH, data.encode())
    assert (answer.status, answer.json["code"]) == (400, "MALFORMED")
    assert answer.json.get("field") == field
    assert gateway.quotes == []


async def test_long_list_is_413(wire: Wire, gateway: FakeGateway) -> None:
    """A list has a bound in bytes too."""
    answer = await wire.ask("POST", PATH, b"[" + b" " * 1_048_576 + b"]")
    assert (answer.status, answer.json["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize("path", [PATH, "/v1/settlements"])
async def test_live_is_409(wire: Wire, gateway: FakeGateway, path: str) -> None:
    """In live trading nobody feeds prices by hand."""
    gateway.live = True
    headers = {"Authorization": f"Bearer {gateway.hold('feeder', KeyScope.ADMIN)}"}
    answer = await wire.ask("POST", path, json.dumps(QUOTE).encode(), headers)
    assert (answer.status, answer.json["code"]) == (409, "PAPER_ONLY")
    assert (gateway.quotes, gateway.settlements) == ([], [])


@pytest.mark.parametrize(("path", "item"), [(PATH, QUOTE), ("/v1/settlements", SETTLEMENT)])
async def test_a_venue_that_speaks_for_itself_is_409(
    wire: Wire, gateway: FakeGateway, path: str, item: dict[str, object]
) -> None:
    """On paper over a venue's own books nobody else says what they are."""
    gateway.conflict = Conflict("VENUE_SPEAKS", "Kalshi tells its own books")
    answer = await wire.ask("POST", path, json.dumps(item).encode())
    assert (answer.status, answer.json["code"]) == (409, "VENUE_SPEAKS")
    assert (gateway.quotes, gateway.settlements) == ([], [])


async def test_settlement(wire: Wire, gateway: FakeGateway) -> None:
    """A market is settled on the paper exchange, one or a list."""
    data = json.dumps([SETTLEMENT, {**SETTLEMENT, "result": "no"}]).encode()
    assert (await wire.ask("POST", "/v1/settlements", data)).json == {"accepted": 2}
    assert [each.payouts for each in gateway.settlements] == [YES_WON, NO_WON]


async def test_the_newest_quotes_are_shown(wire: Wire) -> None:
    """One a market, the best prices of Yes, null where that side is empty."""
    found = (await wire.ask("GET", PATH)).json
    assert found == {
        "items": [
            {
                "platform": "Kalshi",
                "market_id": "NBA-BOS",
                "market_key": "NBA-BOS",
                "bid": 0.64,
                "ask": None,
                "ts": "2026-01-28T20:30:00.000Z",
                "open": True,
                "sport": "NBA",
                "game_id": "g1",
            }
        ],
        "sequence": 9,
    }


async def test_reading_settlements_is_405(wire: Wire) -> None:
    """There is nothing to read here."""
    answer = await wire.ask("GET", "/v1/settlements")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
