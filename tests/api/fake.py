"""A gateway by hand, and a client that speaks to a socket byte by byte."""

import asyncio
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from arbees.core.events import DenialReviewed, Drilled
from arbees.core.language.ids import own
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.units import to_decimal
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Leg, Line, Result
from arbees.interface.denial_reviews import NoDenial, ReviewView
from arbees.interface.drills import DrillsView
from arbees.interface.operator import Conflict
from arbees.interface.views import (
    EventView,
    Execution,
    HaltView,
    JournalView,
    KillReply,
    Readiness,
    Receipt,
    ReceiptOrder,
    StatusView,
    Undecided,
    VenueView,
)
from tests.api.fake_keys import FakeKeys
from tests.api.fake_operator import FakeOperator

NOW_NS = 1_769_632_200_000_000_000
NO_DENIAL = 404
"""A record that is none."""
SINCE = "2026-01-28T20:30:00.000Z"

BODY = {
    "request_id": "req-1",
    "idempotency_key": "key-1",
    "platform": "Kalshi",
    "market_id": "NBA-BOS",
    "side": "Yes",
    "size": 50,
    "limit_price": 0.65,
}


def body(**changes: Any) -> bytes:
    """Return a request as JSON; a change to None leaves the field out."""
    fields = {**BODY, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def result(request: Request, status: ResultStatus = ResultStatus.FILLED, **more: Any) -> Result:
    """Return a result of a request."""
    fields: dict[str, Any] = {
        "final": status not in {ResultStatus.PENDING, ResultStatus.UNKNOWN},
        "filled_qty": Decimal(50) if status is ResultStatus.FILLED else Decimal(0),
        "avg_price": Decimal("0.64") if status is ResultStatus.FILLED else Decimal(0),
        "sequence": 7,
        "client_order_id": "arb-1",
        "order_id": "venue-1",
        "route": (Leg(request.platform, request.market_id, status, None, "venue-1"),),
    }
    return Result(
        request_id=request.request_id,
        idempotency_key=request.idempotency_key,
        attempt=request.attempt,
        status=status,
        platform=request.platform,
        market_id=request.market_id,
        side=request.side,
        action=request.action,
        requested_size=to_decimal(request.size),
        limit_price=to_decimal(request.limit_price),
        **(fields | more),
    )


def denied(request: Request, code: str = "MAX_ORDER_SIZE", **more: Any) -> Result:
    """Return a denial of a request."""
    text = "Order value $120.00 exceeds maximum $100.00"
    line = Line("order_size", code, Decimal(120), Decimal(100), None, text)
    return result(
        request,
        ResultStatus.REJECTED,
        rejected_by="gateway",
        code=code,
        rejection_reason=text,
        denials=(line,),
        order_id=None,
        **more,
    )


def halt(source: str = "http", scope: str = "all", *, automatic: bool = False) -> HaltView:
    """Return a halt in force."""
    return HaltView(
        source=source,
        scope=scope,
        state="HALTED",
        reason=f"a reason of {source}",
        since=SINCE,
        automatic=automatic,
    )


class FakeGateway(FakeKeys, FakeOperator):
    """Answers what a test tells it to, and remembers what it was asked."""

    def __init__(self) -> None:
        FakeKeys.__init__(self)
        FakeOperator.__init__(self)
        self.requests: list[tuple[Request, float]] = []
        self.key_ids: list[str | None] = []
        self.reviews: list[DenialReviewed] = []
        self.drills: list[Drilled] = []
        self.journal = JournalView(sequence=9, hash="ab" * 32)
        self.quotes: list[Quote] = []
        self.settlements: list[Settlement] = []
        self.switched: list[dict[str, Any]] = []
        self.answer: Callable[[Request], Result] = result
        """Makes the result of a request, or raises."""
        self.halts: tuple[HaltView, ...] = ()
        self.remaining: tuple[HaltView, ...] = ()
        self.kill_error: Exception | None = None
        self.owners: list[str] = []
        """Of the kill-switch commands, the bound keys."""
        self.every = False
        self.known: dict[str, Execution] = {}
        self.receipts: dict[str, Receipt] = {}
        self.ready = Readiness(ready=True)
        self.live = False
        self.conflict: Conflict | None = None
        self.gate = asyncio.Event()
        """Until it is set, `answer` is waited for."""
        self.gate.set()
        self.asked = asyncio.Event()

    async def submit(
        self, request: Request, wait_seconds: float, key_id: str | None = None
    ) -> Result:
        self.requests.append((request, wait_seconds))
        self.key_ids.append(key_id)
        self.asked.set()
        await self.gate.wait()
        answer: Result = self.answer(request)
        event = EventView(sequence=7, time=SINCE, kind="OrderApproved", body={"size": 50_000_000})
        self.known[own(request.request_id)] = Execution(result=answer, events=(event,))
        return answer

    async def record_drills(self, drills: Sequence[Drilled]) -> DrillsView:
        self.drills += drills
        agree = all(each.limits_hash == "here" for each in drills)
        return DrillsView(recorded=len(drills), limits_agree=agree, sequence=9)

    async def review_denials(self, reviews: Sequence[DenialReviewed]) -> ReviewView:
        if any(each.sequence == NO_DENIAL for each in reviews):
            raise NoDenial(f"Record {NO_DENIAL} is no denial")
        self.reviews += reviews
        return ReviewView(recorded=len(reviews), sequence=9)

    def execution(self, request_id: str, strategy: str | None = None) -> Execution | None:
        return self.known.get(request_id)

    def execution_by_key(self, key: str, strategy: str | None = None) -> Execution | None:
        for execution in self.known.values():
            if own(execution.result.idempotency_key) == key:
                return execution
        return None

    async def feed(self, quotes: Sequence[Quote]) -> None:
        if self.conflict is not None:
            raise self.conflict
        self.quotes += quotes

    async def settle(self, settlement: Settlement) -> None:
        if self.conflict is not None:
            raise self.conflict
        self.settlements.append(settlement)

    async def kill_switch(
        self,
        action: str,
        *,
        scope: str,
        reason: str,
        source: str,
        actor: str,
        acknowledge: bool = False,
        owner: str = "",
        every: bool = False,
    ) -> KillReply:
        self.switched.append(
            {
                "action": action,
                "scope": scope,
                "reason": reason,
                "source": source,
                "actor": actor,
                "acknowledge": acknowledge,
            }
        )
        if self.kill_error is not None:
            raise self.kill_error
        if action == "DISABLE":
            self.halts = self.remaining
        else:
            state = "HALTED" if action == "ENABLE" else "REDUCING"
            self.halts = (replace(halt(source, scope), state=state),)
        self.owners.append(owner)
        self.every = every
        return self._reply("receipt-1", self.remaining if action == "DISABLE" else ())

    def kill_status(self) -> KillReply:
        return self._reply(None, ())

    def _reply(self, receipt_id: str | None, remaining: tuple[HaltView, ...]) -> KillReply:
        return KillReply(
            in_force=True,
            durable=True,
            state="HALTED" if self.halts else "ACTIVE",
            halts=self.halts,
            sequence=9,
            receipt_id=receipt_id,
            remaining=remaining,
        )

    def receipt(self, receipt_id: str) -> Receipt | None:
        return self.receipts.get(receipt_id)

    def status(self) -> StatusView:
        return StatusView(
            mode="live" if self.live else "paper",
            state="HALTED" if self.halts else "ACTIVE",
            halts=self.halts,
            venues=(VenueView(platform="Kalshi", state="ACTIVE"),),
            journal=self.journal,
            pnl_today=Decimal("-12.5"),
            version="0.1.0",
            settings_hash="cd" * 32,
            disabled_safeguards=("order_size",),
            disabled_reason="a test",
            account="main",
            environment="local",
            open_orders=2,
            unknown_orders=1,
            total_exposure=Decimal("65.25"),
            warnings=("The disk is nearly full",),
        )

    def readiness(self) -> Readiness:
        return self.ready

    @property
    def is_live(self) -> bool:
        return self.live


def receipt() -> Receipt:
    """Return a receipt of a halt that is not through."""
    order = ReceiptOrder(
        client_order_id="arb-1",
        order_id="venue-1",
        platform="Kalshi",
        market_id="NBA-BOS",
        status="CANCELLED",
        filled_meanwhile=Decimal(3),
    )
    return Receipt(
        receipt_id="receipt-1",
        sequence=9,
        kind="halt",
        scope="all",
        state="HALTED",
        reason="a test",
        since=SINCE,
        cancelled=(order,),
        in_flight=(),
        filled_meanwhile=(order,),
        complete=False,
        completed_at=None,
    )


def undecided(code: str) -> Callable[[Request], Result]:
    """Return what a gateway does that decides nothing."""

    def refuse(_request: Request) -> Result:
        raise Undecided(code, f"Come again with the same key ({code})")

    return refuse


class Answer(NamedTuple):
    """An answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body, read."""
        return json.loads(self.body)


class Wire:
    """A connection of which a test says every byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: str) -> "Wire":
        """Connect."""
        host, port = address.removeprefix("http://").rsplit(":", 1)
        return cls(*await asyncio.open_connection(host.strip("[]"), int(port)))

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, *, has_body: bool = True) -> Answer:
        """Read one answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        pairs = [line.partition(": ") for line in lines]
        headers = {name.lower(): text for name, _, text in pairs}
        size = int(headers["content-length"]) if has_body else 0
        return Answer(int(first.split()[1]), headers, await self.reader.readexactly(size))

    async def ask(
        self, method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Ask and read the answer."""
        await self.send(ask(method, path, data, headers))
        return await self.answer(has_body=method != "HEAD")

    async def is_closed(self) -> bool:
        """Wait for the server to close, and tell whether it did so without a further byte."""
        try:
            return await asyncio.wait_for(self.reader.read(), 5) == b""
        except ConnectionResetError:
            return True
        finally:
            self.close()

    def close(self) -> None:
        """Close."""
        self.writer.close()


def ask(method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """Return a request as bytes; a header of "" is left out."""
    fields = {"Host": "127.0.0.1:8321", "Content-Length": str(len(data))}
    if method == "POST":
        fields["Content-Type"] = "application/json"
    fields |= headers or {}
    lines = "".join(f"{name}: {text}\r\n" for name, text in fields.items() if text)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + data
