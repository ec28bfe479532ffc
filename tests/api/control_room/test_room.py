"""The control room over a connection: who may look, who may act, and what a page may run."""

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from arbees.api.control_room import room
from arbees.api.control_room.sessions import SECONDS, SESSIONS_MAX, Sessions
from arbees.core.language.words import KeyScope
from tests.api.control_room.reader import enter, text_of
from tests.api.fake import NOW_NS, FakeGateway, Wire, halt
from tests.api.fake_keys import FakeKeys

pytestmark = pytest.mark.anyio
STOP = json.dumps({"action": "ENABLE"}).encode()
RESUME = json.dumps({"action": "DISABLE", "reason": "looked"}).encode()


async def test_without_keys_everybody_on_this_machine_looks(
    wire: Wire, gateway: FakeGateway
) -> None:
    """The figures are the API's, and what they say is text, never a part of the page."""
    told = replace(halt("daily_loss", automatic=True), reason="<script>alert(1)</script>")
    gateway.halts = (told,)
    answer = await wire.ask("GET", "/")
    assert answer.status == 200
    assert answer.headers["content-security-policy"] == room.POLICY
    assert "<script>alert" not in answer.body.decode()
    said = text_of(answer)
    status = (await wire.ask("GET", "/v1/status")).json
    assert status["state"] in said
    assert room.dollars(Decimal(str(status["pnl_today"]))) in said
    for position in (await wire.ask("GET", "/v1/positions")).json["items"]:
        assert position["market_id"] in said
    part = await wire.ask("GET", "/room/now")
    assert text_of(part) in said


async def test_nobody_looks_without_a_key_where_there_are_some(
    wire: Wire, gateway: FakeGateway
) -> None:
    """The page is the way in; what changes on it is refused."""
    gateway.hold("eva", KeyScope.READ)
    answer = await wire.ask("GET", "/")
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert (await wire.ask("GET", "/room/now")).status == 401
    assert (await wire.ask("GET", "/login")).status == 200
    refused = await wire.ask("POST", "/login", b'{"key": "secret-nobody"}')
    assert (refused.status, "set-cookie" in refused.headers) == (401, False)


async def test_a_session_acts_with_the_token_of_its_page_alone(
    wire: Wire, gateway: FakeGateway
) -> None:
    """Another page that gets the browser to ask has the cookie, and not the token."""
    secret = gateway.hold("eva", KeyScope.READ, KeyScope.HALT)
    headers, token = await enter(wire, secret)
    for wrong in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": token[:-1]}):
        answer = await wire.ask("POST", "/v1/kill-switch", STOP, headers | wrong)
        assert (answer.status, answer.json["code"]) == (403, "ORIGIN_REFUSED")
    assert gateway.switched == []
    answer = await wire.ask("POST", "/v1/kill-switch", STOP, headers | {"X-CSRF-Token": token})
    assert answer.status == 200
    assert [each["actor"] for each in gateway.switched] == ["key:eva"]


async def test_a_session_may_no_more_than_its_key(wire: Wire, gateway: FakeGateway) -> None:
    """What the key does not allow is refused clearly, by the API itself."""
    gateway.loosens = True
    headers, token = await enter(wire, gateway.hold("eva", KeyScope.READ, KeyScope.HALT))
    answer = await wire.ask("POST", "/v1/kill-switch", RESUME, headers | {"X-CSRF-Token": token})
    assert (answer.status, answer.json["code"]) == (403, "SCOPE_REQUIRED")
    only, _ = await enter(wire, gateway.hold("bob", KeyScope.HALT))
    said = text_of(await wire.ask("GET", "/", headers=only))
    assert "Not shown: Expected a key with the scope read" in said


async def test_a_bound_key_sees_its_own(wire: Wire, gateway: FakeGateway) -> None:
    """What concerns the whole account is said to be, and not shown."""
    headers, _ = await enter(wire, gateway.hold("alpha", KeyScope.READ, strategy="s"))
    said = text_of(await wire.ask("GET", "/", headers=headers))
    assert "bound to strategy s" in said
    status = (await wire.ask("GET", "/v1/balances")).status
    assert status == 401


async def test_a_session_ends_with_its_key(wire: Wire, gateway: FakeGateway) -> None:
    """Revoked, neither the page nor the API answers it any more."""
    headers, token = await enter(wire, gateway.hold("eva", KeyScope.READ, KeyScope.HALT))
    gateway.end("eva")
    gateway.hold("other", KeyScope.READ)
    assert (await wire.ask("GET", "/room/now", headers=headers)).status == 401
    stop = await wire.ask("POST", "/v1/kill-switch", STOP, headers | {"X-CSRF-Token": token})
    assert stop.status == 401
    assert gateway.switched == []


async def test_logging_out(wire: Wire, gateway: FakeGateway) -> None:
    """The cookie is worth nothing afterwards."""
    headers, _ = await enter(wire, gateway.hold("eva", KeyScope.READ))
    assert (await wire.ask("POST", "/logout", b"{}", headers)).status == 200
    assert (await wire.ask("GET", "/", headers=headers)).status == 303


async def test_a_bearer_outranks_a_cookie(wire: Wire, gateway: FakeGateway) -> None:
    """What a program sends is what counts, also where it is wrong."""
    headers, _ = await enter(wire, gateway.hold("eva", KeyScope.READ))
    wrong = headers | {"Authorization": "Bearer nobody"}
    assert (await wire.ask("GET", "/v1/status", headers=wrong)).status == 401
    assert (await wire.ask("GET", "/v1/status", headers=headers)).status == 200


@pytest.mark.parametrize("header", ["a=b; =;;", 'arbees_session="', "arbees_session=\xff"])
async def test_odd_cookies(wire: Wire, gateway: FakeGateway, header: str) -> None:
    """They are nobody's."""
    gateway.hold("eva", KeyScope.READ)
    assert (await wire.ask("GET", "/", headers={"Cookie": header})).status == 303


@pytest.mark.parametrize("name", ["room.js", "room.css"])
async def test_what_the_page_loads(wire: Wire, name: str) -> None:
    """It is there without a key, and nothing else is."""
    assert (await wire.ask("GET", f"/room/{name}")).status == 200
    assert (await wire.ask("GET", "/room/sessions.py")).status == 404
    assert (await wire.ask("POST", "/room/now")).status == 405


def test_sessions_end_and_are_bounded() -> None:
    """After their time, and the oldest where there is one too many."""
    keys, sessions = FakeKeys(), Sessions()
    key = keys.authenticate(keys.hold("eva", KeyScope.READ))
    assert key is not None
    first = sessions.open(key, NOW_NS)
    cookie = [(b"cookie", f"arbees_session={first}".encode())]
    late_ns = NOW_NS + SECONDS * 10**9
    assert sessions.find(cookie, late_ns) is not None
    assert sessions.find(cookie, late_ns + 1) is None
    for _ in range(SESSIONS_MAX):
        sessions.open(key, NOW_NS)
    assert sessions.find(cookie, NOW_NS) is None
