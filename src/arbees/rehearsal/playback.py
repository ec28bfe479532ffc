"""Plays recorded quotes, requests and settlements through the gateway in recorded time.

Guarantees that the recorded clock drives everything: now is `created_at`, every due timer comes in
its order, and two plays of the same input give the same results and summary. The parts are those
of the service, wired by the same bootstrap; only the clock and the files differ.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import fields

from arbees.core.book.market import Market
from arbees.core.events import OrderFilled
from arbees.core.language.quote import (
    Quote,
    Settlement,
    parse_recorded_quote,
    parse_settlement,
)
from arbees.core.language.request import Request, parse_request
from arbees.core.language.strict_json import Malformed
from arbees.core.language.units import mul_floor, to_decimal
from arbees.core.orders.result import Recorded, Result
from arbees.errors import ConfigurationError
from arbees.runtime.clock import RecordedClock
from arbees.runtime.signals import Ends
from arbees.settings import Settings
from arbees.wiring.bootstrap import Assembly, Files, assemble

IDLE_TURNS = 3
"""Turns of the event loop in which nothing happened: everything that was set off is done."""
TURNS_MAX = 20_000
"""More is no work, but a wait that cannot end while the clock stands still."""

_ORDER = {Settlement: 0, Quote: 1, Request: 2, Malformed: 2}


class Input(msgspec.Struct, frozen=True):
    """One line of input at its recorded time; requests also know their line."""

    time_ns: int
    item: Any
    line: int = 0


class Worst(msgspec.Struct):
    """The highest exposures that were ever reached, in micro-dollars."""

    market: int = 0
    game: int = 0
    sport: int = 0
    total: int = 0


Progress = Callable[[int, int], None]
"""Called with how many inputs are done, of how many."""


def read_quotes(path: Path) -> list[Input]:
    """Read `quotes.jsonl`. Raises ValueError that names the line."""
    return _read(path, parse_recorded_quote)


def read_settlements(path: Path) -> list[Input]:
    """Read `settlements.jsonl`. Raises ValueError that names the line."""
    return _read(path, parse_settlement)


def _read(path: Path, parse: Callable[[bytes, int], Quote | Settlement]) -> list[Input]:
    found: list[Input] = []
    last_ns = 0
    for number, line in _lines(path):
        try:
            item = parse(line, last_ns)
            _require_playable("ts", item.ts_ns)
        except Malformed as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        last_ns = item.ts_ns
        found.append(Input(item.ts_ns, item, number))
    return found


def _require_playable(field: str, time_ns: int) -> None:
    """Refuse a time at which no journal can have been written. Raises Malformed."""
    if time_ns < 0:
        raise Malformed(field, "Expected a time to play from 1970 or later, was an earlier one")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line.strip()


def read_requests(path: Path, start_ns: int) -> list[Input]:
    """
    Read `requests.jsonl`; malformed lines stay in, as what is wrong with them.

    A line without a time takes that of the line before, the first one that of the first quote.
    """
    found: list[Input] = []
    last_ns = start_ns
    for number, line in _lines(path):
        try:
            request = parse_request(line, last_ns)
            _require_playable("created_at", request.created_ns)
        except Malformed as error:
            found.append(Input(last_ns, error, number))
        else:
            last_ns = request.created_ns
            found.append(Input(last_ns, request, number))
    return found


def in_order(*inputs: list[Input]) -> list[Input]:
    """Merge inputs by time; at the same time settlements, quotes, requests, each in its order."""
    merged = [each for group in inputs for each in group]
    return sorted(merged, key=lambda each: (each.time_ns, _ORDER[type(each.item)]))


class Player:
    """One playback."""

    def __init__(self, assembly: Assembly, clock: RecordedClock) -> None:
        """Play through a wired gateway whose clock this is."""
        self.assembly = assembly
        self.clock = clock
        self.results: list[Result | dict[str, Any]] = []
        self._asked: list[tuple[int, str]] = []
        self._lines: list[int] = []
        self.worst = Worst()
        self.fills = 0
        self.fees = 0
        assembly.gateway.listen(self._look)

    def _look(self, records: Sequence[Recorded]) -> None:
        """Follow fills, fees and exposures (by the plain formula of the design)."""
        for _, _, event in records:
            if isinstance(event, OrderFilled):
                self.fills += 1
                self.fees += event.fee
        games: Counter[str] = Counter()
        sports: Counter[str] = Counter()
        worst, total = self.worst, 0
        for market in self.assembly.gateway.desk.book.markets.values():
            exposure = market.worst_case()
            if exposure:
                worst.market = max(worst.market, exposure)
                games[market.game_id] += exposure
                sports[market.sport] += exposure
                total += exposure
        worst.total = max(worst.total, total)
        worst.game = max(worst.game, *games.values(), 0)
        worst.sport = max(worst.sport, *sports.values(), 0)

    async def settle(self) -> None:
        """
        Wait until everything that was set off is done, but for pauses on the clock.

        Raises:
            RuntimeError: it never is; what waits, waits for the clock to move.
        """
        idle = 0
        for _ in range(TURNS_MAX):
            await asyncio.sleep(0)
            idle = idle + 1 if self.assembly.gateway.desk.is_idle else 0
            if idle == IDLE_TURNS:
                return
        raise RuntimeError(f"Expected everything to settle within {TURNS_MAX} turns of the loop")

    async def move_to(self, ns: int) -> None:
        """Move the clock, with every timer due on the way: the exchange's and the gateway's."""
        while True:
            due = self.assembly.exchange.next_due_ns()
            if due is None or due > ns:
                break
            await self.clock.move_to(due, self.settle)
            self.assembly.exchange.tick(due)
            await self.settle()
        await self.clock.move_to(ns, self.settle)

    async def take(self, each: Input) -> None:
        """Take one line of input at its time."""
        await self.move_to(each.time_ns)
        gateway = self.assembly.gateway
        if isinstance(each.item, Quote):
            await gateway.feed([each.item])
        elif isinstance(each.item, Settlement):
            await gateway.settle(each.item)
        elif isinstance(each.item, Request):
            result = await gateway.submit(each.item, 0)
            await self.settle()
            self._asked.append((len(self.results), each.item.request_id))
            self._lines.append(each.line)
            self.results.append(result)
        else:
            self._lines.append(each.line)
            self.results.append(malformed_result(each.item, each.line))
        await self.settle()

    def finish(self) -> None:
        """Put results in the order of lines, each as known at the end; duplicates stay."""
        for index, request_id in self._asked:
            before = self.results[index]
            if isinstance(before, Result) and before.code not in _OWN:
                known = self.assembly.gateway.reads.result(request_id)
                self.results[index] = before if known is None else known
        for result in self.results:
            for each in (result, getattr(result, "original", None)):
                if isinstance(each, Result):
                    each.latency_ms = Decimal(0)  # recorded time measures nothing
        by_line = sorted(range(len(self.results)), key=self._lines.__getitem__)
        self.results = [self.results[index] for index in by_line]


_OWN = frozenset({"DUPLICATE_REQUEST", "DUPLICATE_SIGNAL", "IDEMPOTENCY_CONFLICT"})


def malformed_result(error: Malformed, line: int) -> dict[str, Any]:
    """Return the result of a line that could not be read: the fields of any result, and `line`."""
    return {
        **_NOTHING_READ,
        "status": "Rejected",
        "final": True,
        "rejected_by": "gateway",
        "code": "MALFORMED",
        "field": error.field,
        "rejection_reason": str(error),
        "line": line,
    }


_NOTHING_READ: dict[str, Any] = {
    field.name: None if field.default is msgspec.NODEFAULT else field.default
    for field in fields(Result)
    if field.default is not msgspec.UNSET
}


def play(
    settings: Settings,
    inputs: list[Input],
    *,
    journal: Path | None = None,
    progress: Progress = lambda _done, _all: None,
    pace: Callable[[int], None] = lambda _ns: None,
) -> dict[str, Any]:
    """
    Play inputs and return `{results, summary}` (interfaces, `play`).

    Args:
        settings: limits and the rest; files and the kill switch of others are not touched.
        inputs: in order, see `in_order`.
        journal: where to keep the journal; paper book and audit log lie beside it.
        progress: told after each input.
        pace: told the recorded time of each input before it is taken.

    Raises:
        ConfigurationError: the journal exists already (exit 2).
    """
    if journal is not None and journal.exists():
        raise ConfigurationError(f"Expected no file at {journal}, there is one; choose another")
    with tempfile.TemporaryDirectory(prefix="arbees-play-") as folder:
        place = Path(folder) / "journal.db" if journal is None else journal
        files = Files(place, place.with_suffix(".paper.db"), place.with_suffix(".audit.jsonl"))
        return asyncio.run(_play(settings, inputs, files, progress, pace))


async def _play(
    settings: Settings,
    inputs: list[Input],
    files: Files,
    progress: Progress,
    pace: Callable[[int], None],
) -> dict[str, Any]:
    clock = RecordedClock(inputs[0].time_ns if inputs else 0)
    assembly = assemble(settings, clock=clock, files=files, ends=Ends(), is_inline=True)
    player = Player(assembly, clock)
    await assembly.start(follow=False)
    try:
        for done, each in enumerate(inputs, 1):
            pace(each.time_ns)
            await player.take(each)
            progress(done, len(inputs))
        await player.settle()
        pnl = pnl_of(assembly)
        await assembly.gateway.cancel_all(
            scope="all", reason="end of the recording", actor="arbees"
        )
        await player.settle()
        player.finish()
        summary = summary_of(player, pnl)
    finally:
        await assembly.stop("end of the recording")
    return {"results": player.results, "summary": summary}


def pnl_of(assembly: Assembly) -> dict[str, Decimal]:
    """Return realized and unrealized P&L, by average cost, before fees."""
    desk = assembly.gateway.desk
    unrealized = sum(
        _unrealized(market, desk.marks.closing_prices(key))
        for key, market in desk.book.markets.items()
    )
    return {"realized": to_decimal(desk.book.realized), "unrealized": to_decimal(unrealized)}


def _unrealized(market: Market, prices: tuple[int | None, int | None]) -> int:
    total = 0
    for holding, price in zip((market.yes, market.no), prices, strict=True):
        if holding.quantity and price is not None:
            total += mul_floor(price, holding.quantity) - holding.cost
    return total


def summary_of(player: Player, pnl: dict[str, Decimal]) -> dict[str, Any]:
    """Return the summary of a playback (interfaces, `play`)."""
    statuses: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for result in player.results:
        status = result["status"] if isinstance(result, dict) else str(result.status)
        code = result["code"] if isinstance(result, dict) else result.code
        statuses[status] += 1
        if code is not None:
            codes[code] += 1
    head = player.assembly.gateway.desk.journal.head
    worst = player.worst
    return {
        "by_status": dict(sorted(statuses.items())),
        "by_code": dict(sorted(codes.items())),
        "fills": player.fills,
        "fees": to_decimal(player.fees),
        "pnl": pnl,
        "worst_exposure": {
            "market": to_decimal(worst.market),
            "game": to_decimal(worst.game),
            "sport": to_decimal(worst.sport),
            "total": to_decimal(worst.total),
        },
        "journal": {"sequence": head.sequence, "hash": head.hash.hex()},
    }
