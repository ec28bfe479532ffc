"""Recorded evenings in a few words: lines in, results and summary out, as `arbees play` does.

Guarantees that a test says only what the pages of the interfaces say: JSON lines go in, parsed as
the command parses them, JSON comes out. Recorded time makes every boundary exact.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from arbees.core.orders.result import encode
from arbees.rehearsal import playback
from arbees.settings import load

MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"
YES_TOKEN, NO_TOKEN, CONDITION = "111", "222", "0xc0"
_BEGINS = datetime(2026, 1, 28, 20, tzinfo=UTC)
_numbers = count()

Line = Any
"""An object, or text that stands as it is."""

WIDE = {
    "MAX_POSITION_PER_MARKET": "100000",
    "MAX_GAME_EXPOSURE": "100000",
    "MAX_SPORT_EXPOSURE": "100000",
    "MAX_TOTAL_EXPOSURE": "100000",
    "MAX_DAILY_LOSS": "100000",
    "PAPER_BALANCE": "1000000",
}
"""Money that is in nobody's way."""
QUICK = {"MAX_ORDERS_PER_MINUTE": "1000", "MAX_ORDERS_PER_HOUR": "10000"}
"""Rates that are in nobody's way."""


def at(second: float | str) -> str:
    """Return a moment of the evening, in seconds after 20:00 UTC; text stands as it is."""
    if isinstance(second, str):
        return second
    moment = _BEGINS + timedelta(microseconds=round(second * 1_000_000))
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def quote(second: float | str = 0, market_id: str = MARKET, **changes: Any) -> dict[str, Any]:
    """Return a quote, 0.50 at 0.52 with 1000 on each side; None leaves a field out."""
    fields = {
        "ts": at(second),
        "platform": "Kalshi",
        "market_id": market_id,
        "sport": "NBA",
        "game_id": "nba_1",
        "bids": [["0.50", "1000"]],
        "asks": [["0.52", "1000"]],
    }
    return _given(fields, changes)


def fine(second: float | str = 0, market_id: str = MARKET, **changes: Any) -> dict[str, Any]:
    """Return a quote of 0.40 at 0.50, deep, in the finest steps there are."""
    deep = {"bids": [["0.40", "100000"]], "asks": [["0.50", "100000"]]}
    steps = {"tick": "0.000001", "lot": "0.000001"}
    return quote(second, market_id, **{**deep, **steps, **changes})


def tokens(second: float | str = 0, **changes: Any) -> dict[str, Any]:
    """Return a quote of Polymarket's Yes token."""
    names = {"condition_id": CONDITION, "opposite_token_id": NO_TOKEN}
    return quote(second, YES_TOKEN, platform="Polymarket", **{**names, **changes})


def request(second: float | str | None = 1, **changes: Any) -> dict[str, Any]:
    """Return a request for 10 Yes at 0.52, with ids of its own; None leaves a field out."""
    number = next(_numbers)
    fields = {
        "request_id": f"req-{number}",
        "idempotency_key": f"key-{number}",
        "platform": "Kalshi",
        "market_id": MARKET,
        "side": "Yes",
        "size": "10",
        "limit_price": "0.52",
        "created_at": None if second is None else at(second),
    }
    return _given(fields, changes)


def sell(second: float | str, **changes: Any) -> dict[str, Any]:
    """Return a request that sells."""
    return request(second, **{"action": "Sell", **changes})


def settlement(second: float | str, result: str, market_id: str = MARKET) -> dict[str, Any]:
    """Return how a market ended."""
    platform = "Polymarket" if market_id in {YES_TOKEN, NO_TOKEN} else "Kalshi"
    return {"ts": at(second), "platform": platform, "market_id": market_id, "result": result}


def _given(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


class Played:
    """What a playback printed."""

    def __init__(self, printed: bytes) -> None:
        """Read it."""
        found = json.loads(printed, parse_float=Decimal)
        self.results: list[dict[str, Any]] = found["results"]
        self.summary: dict[str, Any] = found["summary"]

    @property
    def codes(self) -> list[str | None]:
        """The code of each line."""
        return [each["code"] for each in self.results]

    @property
    def statuses(self) -> list[str]:
        """The status of each line."""
        return [each["status"] for each in self.results]

    def of(self, *names: str) -> list[tuple[Any, ...]]:
        """Return some fields of each line."""
        return [tuple(each[name] for name in names) for each in self.results]

    def messages(self, line: int) -> list[str]:
        """Return why a line was denied."""
        return [each["message"] for each in self.results[line]["denials"]]


class Recorder:
    """Plays lines in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Write into a folder."""
        self.folder = folder

    def play(
        self,
        requests: Iterable[Line],
        quotes: Iterable[Line] = (),
        settlements: Iterable[Line] = (),
        *,
        settings: Mapping[str, str] | None = None,
        toml: str = "",
        journal: Path | None = None,
    ) -> Played:
        """Play lines under settings; what is not said stands at its default."""
        (self.folder / "arbees.toml").write_text(toml)
        books = playback.read_quotes(self._write("quotes.jsonl", quotes))
        ends = playback.read_settlements(self._write("settlements.jsonl", settlements))
        start_ns = min((each.time_ns for each in (*books, *ends)), default=0)
        asked = playback.read_requests(self._write("requests.jsonl", requests), start_ns)
        loaded = load(settings or {}, toml_path=self.folder / "arbees.toml")
        report = playback.play(loaded, playback.in_order(ends, books, asked), journal=journal)
        return Played(encode(report))

    def _write(self, name: str, lines: Iterable[Line]) -> Path:
        path = self.folder / name
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_text("".join(text + "\n" for text in texts))
        return path
