"""Recorded input by hand: lines of quotes, requests and settlements at seconds after the start."""

import json
from pathlib import Path
from typing import Any

from arbees.core.language.payouts import won_by
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.strict_json import format_time, parse_time
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform, Side
from arbees.core.orders.result import Result
from arbees.rehearsal.playback import Input, in_order, play
from arbees.settings import load

START_NS = parse_time("2026-01-28T23:00:00Z")
MARKET = "KXNBAGAME-26JAN28BOSATL-BOS"


def at(seconds: float) -> int:
    """Return a time so many seconds after the start."""
    return START_NS + round(seconds * NS_PER_SECOND)


def quote(seconds: float, bid: int | None = 60, ask: int | None = 62, **changes: Any) -> Input:
    """Return a quote, in cents, 100 contracts a side."""
    fields: dict[str, Any] = {
        "ts_ns": at(seconds),
        "platform": Platform.KALSHI,
        "market_id": MARKET,
        "bids": () if bid is None else ((bid * 10_000, 100 * MICRO),),
        "asks": () if ask is None else ((ask * 10_000, 100 * MICRO),),
        "sport": "NBA",
        "game_id": "nba_BOS@ATL",
        **changes,
    }
    return Input(at(seconds), Quote(**fields))


def request(
    seconds: float, line: int, price: int = 62, contracts: int = 10, **changes: Any
) -> Input:
    """Return a request: Buy Yes, priced in cents; its line names it."""
    fields: dict[str, Any] = {
        "request_id": f"r-{line}",
        "idempotency_key": f"k-{line}",
        "platform": Platform.KALSHI,
        "market_id": MARKET,
        "side": Side.YES,
        "size": contracts * MICRO,
        "limit_price": price * 10_000,
        "created_ns": at(seconds),
        **changes,
    }
    return Input(at(seconds), Request(**fields), line)


def settlement(seconds: float, result: Side = Side.YES, market_id: str = MARKET) -> Input:
    """Return the result of a market."""
    settled = Settlement(
        ts_ns=at(seconds), platform=Platform.KALSHI, market_id=market_id, payouts=won_by(result)
    )
    return Input(at(seconds), settled)


def played(*inputs: Input, **settings: str) -> dict[str, Any]:
    """Play inputs in their order of time."""
    return play(load(settings), in_order(list(inputs)))


def results(*inputs: Input, **settings: str) -> list[Result]:
    """Play inputs; return their results."""
    found: list[Result] = played(*inputs, **settings)["results"]
    return found


def statuses(*inputs: Input, **settings: str) -> list[str]:
    """Play inputs; return the statuses of the results."""
    return [str(result.status) for result in results(*inputs, **settings)]


def line_of(seconds: float | None, number: int, **changes: Any) -> dict[str, Any]:
    """Return a line of requests.jsonl; without seconds one that carries no time."""
    fields: dict[str, Any] = {
        "request_id": f"r-{number}",
        "idempotency_key": f"k-{number}",
        "platform": "Kalshi",
        "market_id": MARKET,
        "side": "Yes",
        "size": 10,
        "limit_price": "0.62",
        **changes,
    }
    if seconds is not None:
        fields["created_at"] = format_time(at(seconds))
    return fields


def write(path: Path, *lines: dict[str, Any] | str) -> Path:
    """Write lines of JSON; text stands as it is."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts) + "\n")
    return path
