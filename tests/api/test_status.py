"""How the gateway is, over HTTP."""

import pytest

from arbees.core.views import Readiness
from tests.api.fake import FakeGateway, Wire, halt


async def test_status(wire: Wire, gateway: FakeGateway) -> None:
    """The status stands there with the design's fields, numbers exact."""
    gateway.halts = (halt(),)
    answer = await wire.ask("GET", "/v1/status")
    assert answer.status == 200
    assert list(answer.json)[:9] == [
        *("mode", "state", "halts", "venues", "journal", "pnl_today", "version"),
        *("settings_hash", "disabled_safeguards"),
    ]
    assert b'"pnl_today":-12.5,' in answer.body
    assert answer.json["disabled_safeguards"] == ["order_size"]
    assert answer.json["journal"] == {"sequence": 9, "hash": "ab" * 32}
    assert answer.json["halts"][0]["reason"] == "a reason of http"
    assert answer.headers["cache-control"] == "no-store"


async def test_alive(wire: Wire) -> None:
    """The process serves."""
    answer = await wire.ask("GET", "/healthz")
    assert (answer.status, answer.json) == (200, {"alive": True})


async def test_ready_with_reasons(wire: Wire, gateway: FakeGateway) -> None:
    """A halted gateway decides (by denying): ready, with the reasons."""
    gateway.ready = Readiness(ready=True, reasons=("halted: http on all",))
    answer = await wire.ask("GET", "/readyz")
    assert answer.status == 200
    assert answer.json == {"ready": True, "reasons": ["halted: http on all"]}


@pytest.mark.parametrize("reasons", [("stopping",), ("the journal failed", "disk"), ()])
async def test_not_ready_is_503(wire: Wire, gateway: FakeGateway, reasons: tuple[str, ...]) -> None:
    """A gateway that decides nothing is not ready, and says why."""
    gateway.ready = Readiness(ready=False, reasons=reasons)
    answer = await wire.ask("GET", "/readyz")
    assert (answer.status, answer.json["code"]) == (503, "NOT_READY")
    assert answer.json["reasons"] == list(reasons)
    assert answer.json["ready"] is False


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/status", "/v1/kill-switch"])
async def test_head(wire: Wire, path: str) -> None:
    """Asking for the head alone answers without a body, and the connection lives."""
    assert (await wire.ask("HEAD", path)).status == 200
    assert (await wire.ask("GET", path)).status == 200
