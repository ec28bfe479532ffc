"""Short evenings on paper, what the gateway promised in them, and the life after a crash.

An evening runs the wired gateway on simulated time and writes down every promise at the step in
which it is made. `aftermath` starts another gateway on what a crash left and holds it to them.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from arbees.core.book.book import encode as encode_book
from arbees.core.language.payouts import Payouts, won_by
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Alternate, Request
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform, Side
from arbees.core.orders.result import Result
from arbees.interface.views import KillReply
from arbees.runtime.signals import Ends
from arbees.settings import Settings, load
from arbees.venues.paper.terms import TERMS
from arbees.wiring.bootstrap import Assembly, Files, assemble
from verification.evidence import ExposureLimits, examine
from verification.simulation import SimulatedClock

START_NS = parse_time("2026-01-28T20:30:00Z")
GAME, OTHER = "KXNBAGAME-26JAN28BOSATL-BOS", "KXNBAGAME-26JAN28LALDEN-LAL"
TOKEN, OPPOSITE, CONDITION = "1111", "2222", "0xc0ffee"
LIMITS = {
    "MAX_ORDER_SIZE": "40",
    "MAX_POSITION_PER_MARKET": "60",
    "MAX_GAME_EXPOSURE": "100",
    "MAX_TOTAL_EXPOSURE": "150",
    "MAX_SPORT_EXPOSURE": "150",
    "MAX_ORDERS_PER_MINUTE": "60",
    "MAX_ORDERS_PER_HOUR": "60",
}
IN_FORCE = ExposureLimits(
    order=40 * MICRO, contracts=100 * MICRO, market=60 * MICRO, total=150 * MICRO
)
PATIENCE = 30.0
"""Simulated seconds in which a gateway without faults must know what became of everything."""


class BrokenError(AssertionError):
    """A promise was broken."""


class Stop(msgspec.Struct):
    """A halt that was acknowledged: from when on, and until somebody began to lift it."""

    scope: str
    receipt_id: str
    since_ns: int
    until_ns: int | None = None


class Evening:
    """One gateway's life, and what it promised."""

    def __init__(
        self, folder: Path, settings: Settings | None = None, kill_file: Path | None = None
    ) -> None:
        self.folder = folder
        self.kill_file = None if kill_file is None else str(kill_file)
        self.settings = load(LIMITS) if settings is None else settings
        self.clock = SimulatedClock(START_NS)
        self.asked: list[Request] = []
        self.results: list[Result] = []
        self.halts: dict[str, KillReply] = {}
        """By scope, those said to be durable and that nobody has begun to lift."""
        self.stops: list[Stop] = []
        self.last_quotes: dict[str, Quote] = {}
        self.settlements: list[Settlement] = []
        self.assembly: Assembly
        self.on_started: Callable[[], None] = lambda: None

    @property
    def files(self) -> Files:
        """Where this life keeps what it keeps."""
        return files_in(self.folder)

    def promises(self) -> object:
        """Return what was promised so far."""
        return len(self.asked), len(self.results), sorted(self.halts), len(self.settlements)

    async def live(self, act: "Act") -> None:
        """Open, start, act, stop."""
        await self.open()
        self.on_started()
        await act(self)
        await self.assembly.stop("the evening is over")

    async def open(self) -> None:
        """Open the files and start."""
        self.ends = Ends()
        self.assembly = assemble(
            self.settings,
            clock=self.clock,
            files=self.files,
            ends=self.ends,
            kill_file=self.kill_file,
        )
        await self.assembly.start()

    # What happens in an evening ----------------------------------------------------------------

    async def quote(
        self,
        market: str = GAME,
        bid: tuple[int, int] | None = (600, 50),
        ask: tuple[int, int] | None = (620, 50),
    ) -> None:
        """Quote a market: price in thousandths of a dollar and contracts of each side."""
        quote = make_quote(market, bid, ask, self.clock.now_ns())
        self.last_quotes[market] = quote
        await self.assembly.gateway.feed([quote])

    async def ask(self, key: str, wait: float = 5.0, **fields: Any) -> Result:
        """Submit a request, and keep the answer as a promise."""
        return await self.repeat_all(make_request(key, self.clock.now_ns(), **fields), wait)

    async def repeat_all(self, request: Request, wait: float = 5.0) -> Result:
        """Submit a request as it is, and keep the answer as a promise."""
        self.asked.append(request)
        result = await self.assembly.gateway.submit(request, wait)
        self.results.append(result)
        return result

    async def settle(self, market: str, result: Side | Payouts) -> None:
        """Settle a market at the exchange."""
        settlement = Settlement(
            ts_ns=self.clock.now_ns(),
            platform=platform_of(market),
            market_id=market,
            payouts=won_by(result) if isinstance(result, Side) else result,
        )
        self.settlements.append(settlement)
        await self.assembly.gateway.settle(settlement)

    async def halt(self, scope: str = "all", action: str = "ENABLE") -> KillReply:
        """Pull the kill switch."""
        reply = await self.assembly.gateway.kill_switch(
            action, scope=scope, reason="drill", source="http", actor="test"
        )
        if reply.durable:
            self.halts[scope] = reply
        self.stops.append(Stop(scope, reply.receipt_id or "", self.clock.now_ns()))
        return reply

    def known(self, key: str) -> Result:
        """Return what is known of a request now."""
        found = self.assembly.gateway.reads.result(f"request-{key}")
        assert found is not None
        return found

    async def resume(self, scope: str = "all") -> KillReply:
        """Lift a halt; from the moment it is asked for it may be gone."""
        self.halts.pop(scope, None)
        for stop in self.stops:
            if stop.scope == scope and stop.until_ns is None:
                stop.until_ns = self.clock.now_ns()
        return await self.assembly.gateway.kill_switch(
            "DISABLE", scope=scope, reason="drill over", source="http", actor="test"
        )


Act = Callable[[Evening], Awaitable[None]]


def files_in(folder: Path) -> Files:
    """Return the files of a gateway in a folder."""
    return Files(folder / "journal.db", folder / "paper.db", folder / "audit.jsonl")


def platform_of(market: str) -> Platform:
    """Return the venue of one of the evening's markets."""
    return Platform.POLYMARKET if market in {TOKEN, OPPOSITE} else Platform.KALSHI


def make_quote(
    market: str, bid: tuple[int, int] | None, ask: tuple[int, int] | None, ts_ns: int
) -> Quote:
    """Return a quote; prices in thousandths of a dollar, quantities in contracts."""
    is_token = platform_of(market) is Platform.POLYMARKET
    return Quote(
        ts_ns=ts_ns,
        platform=platform_of(market),
        market_id=market,
        bids=() if bid is None else ((bid[0] * 1_000, bid[1] * MICRO),),
        asks=() if ask is None else ((ask[0] * 1_000, ask[1] * MICRO),),
        sport="NBA",
        game_id="BOS@ATL" if market != OTHER else "LAL@DEN",
        condition_id=CONDITION if is_token else None,
        opposite_token_id=OPPOSITE if is_token else None,
    )


def make_request(key: str, now_ns: int, **fields: Any) -> Request:
    """Return a request: Buy 10 Yes at 0.62 in the first market; prices in thousandths."""
    market = fields.pop("market", GAME)
    price = fields.pop("price", 620)
    known: dict[str, Any] = {
        "request_id": f"request-{key}",
        "idempotency_key": key,
        "platform": platform_of(market),
        "market_id": market,
        "side": Side.YES,
        "size": fields.pop("contracts", 10) * MICRO,
        "limit_price": price * 1_000,
        "created_ns": now_ns,
        "strategy": "edge",
    }
    return Request(**{**known, **fields})


def alternate(market: str, price: int = 620) -> tuple[Alternate, ...]:
    """Return one alternate: the same side of another market; price in thousandths."""
    return (
        Alternate(
            platform=platform_of(market),
            market_id=market,
            side=Side.YES,
            limit_price=price * 1_000,
        ),
    )


# After the crash -------------------------------------------------------------------------------


async def aftermath(evening: Evening, left: Path, clock: SimulatedClock) -> None:
    """Start on what a crash left, hold the gateway to its promises, ask everything again, stop."""
    assembly = assemble(evening.settings, clock=clock, files=files_in(left), ends=Ends())
    await assembly.start()
    gateway = assembly.gateway
    await until_known(assembly, clock)
    keep_promises(evening, assembly)
    for quote in evening.last_quotes.values():
        await gateway.feed([quote])
    for settlement in evening.settlements:
        await gateway.settle(settlement)
    for request in evening.asked:
        result = await gateway.submit(request, 5.0)
        if result.sequence > gateway.desk.journal.head.sequence:
            raise BrokenError(f"{request.request_id} was answered before it was durable")
    await until_known(assembly, clock)
    keep_promises(evening, assembly)
    if gateway.desk.book.breaks:
        raise BrokenError(f"reconciliation breaks: {list(gateway.desk.book.breaks)}")
    await assembly.stop("the aftermath is over")
    judge_files(left, evening.settings, encode_book(gateway.desk.book))


async def until_known(assembly: Assembly, clock: SimulatedClock) -> None:
    """Wait until no order is unknown; without faults that is a matter of seconds."""
    deadline = clock.now_ns() + int(PATIENCE * 1e9)
    desk = assembly.gateway.desk
    while not desk.is_idle or desk.book.unknown:
        if clock.now_ns() > deadline:
            raise BrokenError(
                f"still unknown: {[o.client_order_id for o in desk.book.orders.values()]}"
            )
        await clock.sleep(0.05)


def keep_promises(evening: Evening, assembly: Assembly) -> None:
    """Hold a gateway to everything that was acknowledged before the crash."""
    reads = assembly.gateway.reads
    for before in evening.results:
        after = reads.result(before.request_id)
        if after is None:
            raise BrokenError(f"lost: {before.request_id} was acknowledged as {before.status}")
        if before.code in {"DUPLICATE_REQUEST", "IDEMPOTENCY_CONFLICT"}:
            continue
        problems = differences(before, after)
        if problems:
            raise BrokenError(f"{before.request_id} became another: {problems}")
    for scope, reply in evening.halts.items():
        if f"http|{scope}" not in assembly.gateway.desk.book.halts:
            raise BrokenError(f"the halt of {scope} ({reply.receipt_id}) was lost")


def differences(before: Result, after: Result) -> list[str]:
    """Return where a later word on a result contradicts an earlier one."""
    found: list[str] = []
    if after.sequence < before.sequence:
        found.append(f"sequence {after.sequence} before {before.sequence}")
    if after.filled_qty < before.filled_qty:
        found.append(f"filled {after.filled_qty}, was {before.filled_qty}")
    if before.order_id is not None and after.order_id != before.order_id:
        found.append(f"order {after.order_id}, was {before.order_id}")
    if not before.final:
        return found
    is_corrected = isinstance(after.corrects, int)
    if not after.final:
        found.append("not final any more")
    if not is_corrected and (after.status, after.code) != (before.status, before.code):
        found.append(f"{after.status} {after.code}, was {before.status} {before.code}")
    if not is_corrected and (after.filled_qty, after.fees) != (before.filled_qty, before.fees):
        found.append(f"filled {after.filled_qty}, was {before.filled_qty}")
    return found


def judge_files(folder: Path, settings: Settings, book: bytes) -> None:
    """Compare what a stopped gateway left with the exchange's own book."""
    files = files_in(folder)
    evidence = examine(
        journal=files.journal,
        paper_book=files.paper_book,
        audit_log=files.audit_log,
        limits=IN_FORCE,
        terms={str(platform): terms for platform, terms in TERMS.items()},
        book=book,
    )
    if evidence.findings:
        raise BrokenError("\n".join(f"{check}: {text}" for check, text in evidence.findings))
