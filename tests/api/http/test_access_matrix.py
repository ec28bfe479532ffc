"""The table of scopes in the documentation is what is enforced, cell by cell, by a real gateway.

What is expected is read from the page alone; every endpoint is asked with every kind of key.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace
from starlette.types import ASGIApp

from arbees.api.http.app import build_app
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.table import ENDPOINTS
from arbees.core.book.api_keys import KeyAsk
from arbees.core.language.words import KeyScope, TimeInForce
from arbees.core.orders.result import encode
from arbees.runtime.clock import SystemClock
from arbees.runtime.signals import Ends
from arbees.settings import load
from arbees.wiring.bootstrap import Assembly, Files, running
from tests.runtime.evenings import GAME, make_quote, make_request
from tools import access_table

ROOT = Path(__file__).resolve().parents[3]
OWN, OTHER = "s", "t"
SWITCH = "POST /v1/kill-switch"
ANOTHERS = {
    "POST /v1/executions": 403,
    "GET /v1/executions": 404,
    "GET /v1/executions/{request_id}": 404,
    f"{SWITCH} REDUCE of what the same source halted": 403,
    f"{SWITCH} DISABLE": 403,
    "GET /v1/kill-switch/receipts/{receipt_id}": 404,
    "GET /v1/fills": 200,
    "GET /v1/pnl": 200,
    "GET /v1/orders": 200,
    "DELETE /v1/orders": 403,
    "DELETE /v1/orders/{order_id}": 404,
}
"""What a key of another strategy hears where the table says `its own`; of lists nothing is left."""

LISTS = {"GET /v1/orders": "items", "GET /v1/fills": "items", "GET /v1/pnl": "rows"}
"""Lists, and where their items are."""


class Row(NamedTuple):
    """A row of the table: what is asked for, the cell of each scope, what bound keys may."""

    name: str
    cells: dict[str, str]
    bound: str


def page() -> str:
    """Return the text of the page."""
    return (ROOT / access_table.PAGE).read_text(encoding="utf-8")


def rows() -> Iterator[Row]:
    """Yield the rows of the table as the page has them."""
    text = page().partition(access_table.BEGIN)[2].partition(access_table.END)[0]
    head, _, *lines = [line for line in text.splitlines() if line]
    names = [cell.strip(" `") for cell in head.strip("|").split("|")]
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = cells[0].replace("`", "")
        yield Row(name, dict(zip(names[1:-1], cells[1:-1], strict=True)), cells[-1])


def test_the_table_is_made_from_the_endpoints() -> None:
    """`python -m tools.access_table` writes it anew."""
    assert access_table.page(page()) == page()


def test_the_table_names_every_scope_and_endpoint() -> None:
    """None is left out, and each has its row once."""
    found = list(rows())
    assert {scope for row in found for scope in row.cells} == set(KeyScope)
    names = [row.name for row in found]
    assert len(set(names)) == len(names)
    missing = [
        each
        for each in ENDPOINTS
        if not any(name.startswith(f"{each.method} {each.template}") for name in names)
    ]
    assert missing == []


class Desk:
    """A real gateway behind the real application, and one key of every kind."""

    def __init__(self, assembly: Assembly) -> None:
        self.gateway = assembly.gateway
        context = Context(assembly.gateway, follower=assembly.follower)
        self.app: ASGIApp = build_app(context, "127.0.0.1")
        self.number = 0
        self.receipt_id = ""

    async def key(self, strategy: str | None, *scopes: KeyScope) -> str:
        """Make a key of scopes."""
        self.number += 1
        ask = KeyAsk(name=f"n{self.number}", scopes=scopes, strategy=strategy)
        return (await self.gateway.create_key(ask, actor="test")).secret

    async def ask(self, row: Row, secret: str | None) -> tuple[int, bytes]:
        """Ask for what a row is about, in a way that works for whoever may."""
        endpoint = endpoint_of(row)
        path, query, body = await self._fields(endpoint, row)
        headers = [(b"host", b"127.0.0.1"), (b"content-length", b"%d" % len(body))]
        if endpoint.body is not None:
            headers.append((b"content-type", b"application/json"))
        if secret is not None:
            headers.append((b"authorization", b"Bearer " + secret.encode()))
        scope: dict[str, Any] = {
            "type": "http",
            "method": endpoint.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "extensions": {},
        }
        return await answer_of(self.app, scope, body)

    async def _fields(self, endpoint: Endpoint, row: Row) -> tuple[str, str, bytes]:
        """Return path, query and body."""
        self.number += 1
        path = endpoint.template.replace("{request_id}", "request-resting")
        path = path.replace("{order_id}", "no-order").replace("{receipt_id}", self.receipt_id)
        path = path.replace("{key_id}", "0" * 12)
        query: dict[str, str] = {"findExecution": "idempotency_key=resting"}
        query["cancelAll"] = f"scope=strategy:{OWN}"
        fields: Any = endpoint.example
        if endpoint.operation == "submit":
            name = {"request_id": f"r{self.number}", "idempotency_key": f"k{self.number}"}
            fields = {**fields, **name, "market_id": GAME, "strategy": OWN, "size": 1}
        elif endpoint.operation == "cancelOrder":
            path = path.replace("no-order", await self.resting())
        elif endpoint.operation == "createKey":
            fields = {**fields, "name": f"c{self.number}"}
        elif endpoint.operation == "switch":
            action = row.name.removeprefix(SWITCH).split()[0]
            await (self.halt() if "halted" in row.name else self.resume())
            fields = {"action": action, "scope": f"strategy:{OWN}", "reason": "a test"}
        body = b"" if fields is None else json.dumps(fields).encode()
        return path, query.get(endpoint.operation, ""), body

    async def halt(self) -> None:
        """Halt the strategy."""
        reply = await self.gateway.kill_switch(
            "ENABLE", scope=f"strategy:{OWN}", reason="a test", source="http", actor="test"
        )
        self.receipt_id = reply.receipt_id or self.receipt_id

    async def resume(self) -> None:
        """Lift every halt."""
        for halt in self.gateway.kill_status().halts:
            await self.gateway.kill_switch(
                "DISABLE", scope=halt.scope, reason="a test", source="http", actor="test"
            )

    async def resting(self) -> str:
        """Return our own id of an order of the strategy that rests; the first is `resting`."""
        found = [each for each in (await self.gateway.orders()).items if each.strategy == OWN]
        if found:
            return str(found[0].client_order_id)
        await self.resume()
        self.number += 1
        name = f"resting{self.number}" if self.gateway.execution("request-resting") else "resting"
        asked = make_request(name, SystemClock().now_ns(), price=500, contracts=1)
        result = await self.gateway.submit(
            replace(asked, strategy=OWN, time_in_force=TimeInForce.GTC), 5
        )
        assert result.order_id is not None, encode(result)
        return str(result.client_order_id)


def endpoint_of(row: Row) -> Endpoint:
    """Return the endpoint that a row is about."""
    method, template, *_ = row.name.split()
    (found,) = [each for each in ENDPOINTS if (each.method, each.template) == (method, template)]
    return found


async def answer_of(app: ASGIApp, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    """Return status and body; of a stream its beginning, after which the reader leaves."""
    told: list[Any] = []
    begun = asyncio.Event()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)
        if message["type"] == "http.response.body":
            begun.set()

    await app(scope, receive, send)
    assert told[0]["type"] == "http.response.start"
    return told[0]["status"], b"".join(each.get("body", b"") for each in told[1:])


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Desk]:
    """Run a gateway on files, with one market and an order that rests."""
    limits = {"MAX_ORDERS_PER_MINUTE": "1000", "MAX_ORDERS_PER_HOUR": "1000"}
    settings = load({**limits, "KILL_SWITCH_FILE": str(folder / "kill_switch")})
    files = Files(folder / "journal.db", folder / "paper.db", None)
    clock = SystemClock()
    async with running(settings, clock=clock, files=files, ends=Ends()) as assembly:
        await assembly.gateway.feed([make_quote(GAME, (400, 90), (900, 90), clock.now_ns())])
        desk = Desk(assembly)
        await desk.resting()
        await desk.halt()
        yield desk


def expected(row: Row, scope: str, kind: str) -> int | None:
    """Return the status that the page promises; None = whatever the endpoint itself answers."""
    if row.bound == access_table.OPEN:
        return None
    if kind in {"none", "wrong", "revoked"}:
        return 401
    if row.cells[scope] != access_table.YES:
        return 403
    if kind == "any" or row.bound in {"any scope", "as any key"}:
        return None
    if row.bound == "no":
        return 403
    return None if kind == OWN else ANOTHERS[row.name]


REFUSALS = {401, 403, 429}


async def test_every_cell_of_the_table(tmp_path: Path) -> None:
    """Every endpoint, every scope, and no, a wrong, a revoked, any, our own and another's key."""
    wrong: list[str] = []
    async with serving(tmp_path) as desk:
        keys: dict[tuple[str, str], str | None] = {}
        for scope in KeyScope:
            keys[scope, "none"] = None
            keys[scope, "any"] = await desk.key(None, scope)
            keys[scope, OWN] = await desk.key(OWN, scope)
            keys[scope, OTHER] = await desk.key(OTHER, scope)
            keys[scope, "wrong"] = (keys[scope, "any"] or "")[:-6] + "wrong-"
            keys[scope, "revoked"] = await desk.key(None, scope)
            ended = str(keys[scope, "revoked"]).split("_")[1]
            await desk.gateway.revoke_key(ended, reason="a test", actor="test")
        for row in rows():
            for (wanted, kind), secret in keys.items():
                status, body = await desk.ask(row, secret)
                promised = expected(row, wanted, kind)
                is_so = status not in REFUSALS if promised is None else status == promised
                if promised is None and kind == OWN and row.bound == "its own":
                    is_so = status < 300
                if not is_so:
                    wrong.append(f"{row.name}, {wanted}, {kind}: {promised}, was {status} {body!r}")
                if row.name in LISTS and kind == OTHER and status == 200:
                    assert json.loads(body)[LISTS[row.name]] == []
    assert not wrong, "\n" + "\n".join(wrong)


async def test_what_needs_both_needs_both(tmp_path: Path) -> None:
    """Two scopes where the table says so, for any key and for a key of that strategy."""
    async with serving(tmp_path) as desk:
        found = [each for each in rows() if access_table.BOTH in each.cells.values()]
        assert len(found) == 2
        for row in found:
            both = [KeyScope(scope) for scope, cell in row.cells.items() if cell]
            assert len(both) == 2
            for strategy, promised in ((None, 200), (OWN, 200), (OTHER, 403)):
                status, body = await desk.ask(row, await desk.key(strategy, *both))
                assert status == promised, body
