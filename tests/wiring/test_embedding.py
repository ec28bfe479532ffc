"""A gateway inside the program: the very service, without a socket, gone without a trace."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import arbees
from arbees import Gateway
from arbees.client.async_http import AsyncHttp
from arbees.client.place import find
from arbees.client.steps import Call, Heard
from arbees.errors import ConfigurationError, GatewayBusy, GatewayRefused, LeaseLost
from arbees.journal import JournalReader
from arbees.runtime.clock import SystemClock
from arbees.settings import load
from arbees.wiring.bootstrap import Files

QUOTE: dict[str, Any] = {
    "platform": "Kalshi",
    "market_id": "NBA-BOS",
    "sport": "NBA",
    "game_id": "g",
    "bids": [["0.59", "500"]],
    "asks": [["0.61", "500"]],
}
FIELDS: dict[str, Any] = {
    "platform": "Kalshi",
    "market_id": "NBA-BOS",
    "side": "Yes",
    "size": 5,
    "limit_price": "0.61",
}


def gateway(folder: Path, **changes: str) -> Gateway:
    """Return a gateway that keeps everything in a folder."""
    settings = {"KILL_SWITCH_FILE": str(folder / "kill"), **changes}
    return Gateway(settings, folder=folder / "data")


def kinds(folder: Path) -> list[str]:
    """Return the kinds of all records."""
    with JournalReader(folder / "data" / "journal.db") as reader:
        return [stored.kind for stored in reader.records()]


async def test_a_life(tmp_path: Path) -> None:
    """It trades, denies, halts and resumes, cancels and tells, as the service does."""
    async with gateway(tmp_path) as one:
        await one.feed(QUOTE)
        assert (await one.submit(**FIELDS, idempotency_key="a")).status == "Filled"
        again = await one.submit(**FIELDS, idempotency_key="a")
        assert again.original is not None
        denied = await one.submit(**{**FIELDS, "size": 500}, idempotency_key="b")
        assert denied.code == "MAX_ORDER_SIZE"
        rests = await one.submit(
            **{**FIELDS, "limit_price": "0.55"}, idempotency_key="c", time_in_force="GTC"
        )
        assert rests.order_id is not None
        assert [order.client_order_id for order in (await one.orders()).items] == [
            rests.client_order_id
        ]
        await one.cancel(rests.order_id)
        assert (await one.wait(rests.request_id, 5)).status == "Cancelled"
        receipt = await one.cancel_all("sport:NBA", reason="a test")
        assert receipt.complete
        assert (await one.receipt(receipt.receipt_id)).kind == "mass_cancel"
        assert (await one.kill("a test")).state == "HALTED"
        assert [halt.reason for halt in (await one.kill_status()).halts] == ["a test"]
        assert (await one.submit(**FIELDS, idempotency_key="d")).is_halted
        assert (await one.resume("over")).state == "ACTIVE"
        assert (await one.positions()).items[0].quantity == 5
        assert {each.platform for each in (await one.balances()).items} == {"Kalshi", "Polymarket"}
        assert (await one.status()).mode == "paper"
        assert (await one.execution(rests.request_id)).events[0].kind == "OrderApproved"
    assert "Stopped" in kinds(tmp_path)
    assert (tmp_path / "data" / "audit.jsonl").read_bytes().count(b"\n") > 5


async def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """A second life knows the keys of the first one; the block may be entered by each in turn."""
    async with gateway(tmp_path) as one:
        await one.feed(QUOTE)
        await one.submit(**FIELDS, idempotency_key="a")
    async with gateway(tmp_path) as one:
        again = await one.submit(**FIELDS, idempotency_key="a")
        assert again.original is not None
        assert again.original.status == "Filled"


async def test_events(tmp_path: Path) -> None:
    """Its events are those of the journal, from anywhere on, and one beyond it is refused."""
    async with gateway(tmp_path) as one:
        await one.feed(QUOTE)
        await one.submit(**FIELDS, idempotency_key="a")
        found = []
        async for event in one.events(0):
            found.append(event.kind)
            if event.kind == "OrderFilled":
                break
        with pytest.raises(GatewayRefused, match="AHEAD_OF_JOURNAL"):
            await anext(one.events(1_000))
    assert found == kinds(tmp_path)[: len(found)]


async def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A malformed request is refused with its field, as over HTTP."""
    async with gateway(tmp_path) as one:
        with pytest.raises(GatewayRefused, match=r"MALFORMED \(size\)"):
            await one.submit(**{**FIELDS, "size": -1}, idempotency_key="a")
        with pytest.raises(GatewayRefused, match="NOT_FOUND"):
            await one.execution("nobody")


async def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    """A second gateway on the same files is refused, and the first one goes on."""
    async with gateway(tmp_path) as one:
        with pytest.raises(LeaseLost):
            await gateway(tmp_path).__aenter__()
        assert (await one.status()).state == "ACTIVE"


async def test_before_and_after(tmp_path: Path) -> None:
    """Outside of its block nothing is decided: starting, or stopping."""
    one = Gateway(
        {"KILL_SWITCH_FILE": str(tmp_path / "kill")}, folder=tmp_path / "data", patience_seconds=0
    )
    with pytest.raises(GatewayBusy, match="STARTING"):
        await one.status()
    async with one:
        await one.feed(QUOTE)
    with pytest.raises(GatewayBusy, match="SHUTTING_DOWN"):
        await one.submit(**FIELDS, idempotency_key="a")


async def test_a_journal_that_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It says why it must end, to the program's own log too, and decides nothing any more."""
    one = Gateway(
        {"KILL_SWITCH_FILE": str(tmp_path / "kill")}, folder=tmp_path / "data", patience_seconds=0
    )
    async with one:
        assert one.failure is None
        await one.feed(QUOTE)
        (tmp_path / "data" / "journal.db").rename(tmp_path / "away")
        with caplog.at_level(logging.ERROR), pytest.raises(GatewayBusy, match="JOURNAL_FAILED"):
            await one.submit(**FIELDS, idempotency_key="a")
        async with asyncio.timeout(5):
            while one.failure is None:  # noqa: ASYNC110 - the end comes of itself
                await asyncio.sleep(0.01)
        assert "journal failed" in one.failure
    assert any("JOURNAL_TROUBLE" in record.getMessage() for record in caplog.records)


async def test_keys_are_not_asked_for(tmp_path: Path) -> None:
    """Once there are API keys, whoever runs the gateway still needs none."""
    async with gateway(tmp_path) as one:
        body = b'{"name": "operator", "scopes": ["admin", "read"]}'
        made = await one._transport.ask(Call("POST", "/v1/keys", body))
        assert isinstance(made, Heard)
        assert made.is_ok, made
        assert (await one.status()).state == "ACTIVE"


def test_live_trading_is_refused() -> None:
    """Real money is traded by the service alone."""
    settings = {
        "PAPER_TRADING": "0",
        "LIVE_TRADING_AUTHORIZED": "true",
        "KALSHI_API_KEY_ID": "id",
        "KALSHI_PRIVATE_KEY": "key",
    }
    with pytest.raises(ConfigurationError, match="paper trading"):
        Gateway(settings)


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, as loaded, or those of this place; malformed ones refuse at once."""
    assert gateway(tmp_path, MAX_ORDER_SIZE="50").settings.hash
    loaded = load({"MAX_ORDER_SIZE": "50"})
    assert Gateway(loaded).settings is loaded
    monkeypatch.setenv("MAX_ORDER_SIZE", "51")
    assert Gateway().settings.recorded()["MAX_ORDER_SIZE"] == "51"
    with pytest.raises(ConfigurationError, match="MAX_ORDER_SIZE"):
        gateway(tmp_path, MAX_ORDER_SIZE="fifty")


async def test_a_clock_of_ones_own(tmp_path: Path) -> None:
    """Records carry the time of the clock that was given."""
    clock = SystemClock(lambda: 1_800_000_000_000_000_000, lambda: 0)
    settings = {"KILL_SWITCH_FILE": str(tmp_path / "kill")}
    async with Gateway(settings, folder=tmp_path / "data", clock=clock) as one:
        assert (await one.status()).state == "ACTIVE"
    with JournalReader(Files(tmp_path / "data" / "journal.db", tmp_path, None).journal) as reader:
        assert reader.head.time_ns // 10**9 == 1_800_000_000


CHEAP = "import sys, arbees; print(sorted({name.split('.')[0] for name in sys.modules}))"


def test_importing_the_package_is_cheap() -> None:
    """`import arbees` brings nothing heavy; names come when they are named."""
    done = subprocess.run(
        [sys.executable, "-c", CHEAP], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.replace("'", "").strip("[]\n").split(", "))
    assert not loaded & {"aiohttp", "msgspec", "starlette", "uvicorn", "apsw", "asyncio"}
    assert {name: getattr(arbees, name) for name in arbees.__all__}
    with pytest.raises(AttributeError, match="no attribute 'Exchange'"):
        arbees.Exchange  # noqa: B018


async def test_no_connection_is_opened(tmp_path: Path) -> None:
    """Nobody else reaches it: its address answers to nobody."""
    async with gateway(tmp_path):
        http = AsyncHttp(find("http://127.0.0.1", "", {}))
        outcome = await http.ask(Call("GET", "/healthz"))
        assert not isinstance(outcome, Heard)
        await http.close()
