"""How the gateway is, over HTTP."""

import pytest

from arbees.core.language.words import KeyScope
from arbees.interface.views import Readiness, RefusalView
from tests.api.fake import FakeGateway, Wire, halt


async def test_status(wire: Wire, gateway: FakeGateway) -> None:
    """The status stands there with the design's fields, numbers exact."""
    gateway.halts = (halt(),)
    answer = await wire.ask("GET", "/v1/status")
    assert answer.status == 200
    assert list(answer.json)[:10] == [
        *("mode", "state", "halts", "venues", "refuses", "journal", "pnl_today", "version"),
        *("settings_hash", "disabled_safeguards"),
    ]
    assert answer.json["venues"] == [
        {"platform": "Kalshi", "shard": None, "state": "ACTIVE", "reasons": [], "until": None}
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


REFUSES = (
    RefusalView(scope="strategy:secret-alpha", code="HALTED", reason="our secret remark"),
    RefusalView(scope="market:SECRET-1", code="HALTED", reason="another secret"),
    RefusalView(
        scope="all", code="RATE_LIMIT_MINUTE", reason="$20 a minute", until="2026-01-28T20:01:00Z"
    ),
)
READY = Readiness(
    ready=True, reasons=("strategy:secret-alpha: our secret remark",), refuses=REFUSES
)


async def test_ready_with_reasons(wire: Wire, gateway: FakeGateway) -> None:
    """A halted gateway decides (by denying): ready, with what it refuses; no key, no secrets."""
    gateway.ready = READY
    answer = await wire.ask("GET", "/readyz")
    assert answer.status == 200
    assert answer.json["reasons"] == ["strategy:secret-alpha: our secret remark"]
    assert answer.json["refuses"][2] == {
        "scope": "all",
        "code": "RATE_LIMIT_MINUTE",
        "reason": "$20 a minute",
        "until": "2026-01-28T20:01:00Z",
    }


@pytest.mark.parametrize(
    "scopes",
    [(), (KeyScope.SUBMIT, KeyScope.HALT), (KeyScope.ADMIN,)],
    ids=["none", "few", "admin"],
)
async def test_strangers_hear_codes_and_times_alone(
    wire: Wire, gateway: FakeGateway, scopes: tuple[KeyScope, ...]
) -> None:
    """Names, amounts and reasons are for a key with `read`; ready or not."""
    secret = gateway.hold("operator", KeyScope.READ)
    mine = gateway.hold("mine", *scopes) if scopes else "arb_none"
    for is_ready in (True, False):
        gateway.ready = Readiness(ready=is_ready, reasons=READY.reasons, refuses=REFUSES)
        for headers in ({}, {"Authorization": f"Bearer {mine}"}):
            answer = await wire.ask("GET", "/readyz", headers=headers)
            assert answer.status == (200 if is_ready else 503)
            assert [(each["code"], each["until"]) for each in answer.json["refuses"]] == [
                ("HALTED", None),
                ("RATE_LIMIT_MINUTE", "2026-01-28T20:01:00Z"),
            ]
            for word in (b"secret", b"SECRET", b"strategy", b"market", b"$20", b"all"):
                assert word not in answer.body
        answer = await wire.ask("GET", "/readyz", headers={"Authorization": f"Bearer {secret}"})
        assert b"our secret remark" in answer.body


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
