"""Plays the recorded MLB requests through the live gateway at a simulated Kalshi, and compares.

Every request goes the whole way: signatures, sockets, the user stream, a journal on disk; each at
its recorded moment, with the book that was recorded there, and with the settlement of its market.
What was filled, its fee and its profit are compared with the record, line by line; where the fill
is another, the line says why. Reads ARBEES_DATA_DIR, like `recorded.py`, which calls it.
"""

import csv
import os
import sys
import time
from decimal import Decimal
from pathlib import Path

import msgspec

from arbees.core.language.units import to_decimal
from arbees.rehearsal.playback import (
    in_order,
    read_quotes,
    read_requests,
    read_settlements,
)
from verification.live.recorded import Played, RecordedOutcome, play_live

DATA = Path(os.environ.get("ARBEES_DATA_DIR", "../shared/data"))
NAME = "mlb_policy_2026"
RAW = DATA / "recorded/kalshi/mlb_signal_trades/live_policy_backtest_trades.csv"
SHOWN_MAX = 20
GRID = Decimal("0.0001")

Key = tuple[str, Decimal, Decimal]
"""Game, contracts, price: no two of the recorded trades share all three."""


class Trade(msgspec.Struct, frozen=True):
    """What was recorded of a request."""

    contracts: Decimal
    price: Decimal
    fee: Decimal
    profit: Decimal


class Line(msgspec.Struct, frozen=True):
    """A request whose recorded figures are not ours."""

    request_id: str
    recorded: str
    ours: str
    why: str
    is_explained: bool
    """Whether the fill is another; figures that differ for the same fill are an error."""


def main() -> int:
    """Play, print and return the exit code."""
    started = time.monotonic()
    folder = DATA / "normalized"
    if not RAW.exists():
        print(f"Expected recorded data in {DATA}, there are none. Set ARBEES_DATA_DIR.")
        return 1
    quotes = read_quotes(folder / f"{NAME}.quotes.jsonl")
    settlements = read_settlements(folder / f"{NAME}.settlements.jsonl")
    requests = read_requests(folder / f"{NAME}.requests.jsonl", quotes[0].time_ns)
    recorded = read_trades()
    played = play_live(in_order(settlements, quotes, requests))
    lines = [line for each in played.outcomes if (line := compare(each, recorded)) is not None]
    wrong = check(played, len(requests), lines)
    show(played, recorded, lines, time.monotonic() - started)
    for complaint in wrong[:SHOWN_MAX]:
        print(f"WRONG {complaint}")
    return 1 if wrong else 0


def read_trades() -> dict[Key, Trade]:
    """Return the recorded trades by what identifies them."""
    with RAW.open(encoding="utf-8", newline="") as file:
        return {
            (f"mlb_{row['game_pk']}", _plain(row["contracts"]), _plain(row["fill_price"])): Trade(
                contracts=_plain(row["contracts"]),
                price=_plain(row["fill_price"]),
                fee=Decimal(row["entry_fee"]).quantize(GRID),
                profit=Decimal(row["pnl"]).quantize(GRID),
            )
            for row in csv.DictReader(file)
        }


def _plain(text: str) -> Decimal:
    return Decimal(text).normalize()


def of(outcome: RecordedOutcome, recorded: dict[Key, Trade]) -> Trade:
    """Return the recorded trade of a request."""
    request = outcome.request
    size, price = to_decimal(request.size).normalize(), to_decimal(request.limit_price).normalize()
    return recorded[request.game_id or "", size, price]


def compare(outcome: RecordedOutcome, recorded: dict[Key, Trade]) -> Line | None:
    """Compare one request with its record; None = the same to the last micro-dollar."""
    trade = of(outcome, recorded)
    filled, fee, profit = (
        to_decimal(each) for each in (outcome.filled, outcome.fee, outcome.profit)
    )
    cost = to_decimal(outcome.cost)
    is_same_fill = filled == trade.contracts and cost == trade.contracts * trade.price
    if is_same_fill and (fee, profit) == (trade.fee, trade.profit):
        return None
    return Line(
        request_id=outcome.request.request_id,
        recorded=f"{trade.contracts} at {trade.price}, fee {trade.fee}, profit {trade.profit}",
        ours=f"{filled} for {cost}, fee {fee}, profit {profit}",
        why="the same fill, another fee or result" if is_same_fill else why(outcome, trade),
        is_explained=not is_same_fill and outcome.result is not None,
    )


def why(outcome: RecordedOutcome, trade: Trade) -> str:
    """Return why a fill is not the recorded one, by the result that the caller was given."""
    result = outcome.result
    if result is None:
        return "no answer"
    if result.code is not None:
        return f"{result.rejected_by}: {result.code}, {result.rejection_reason}"
    if to_decimal(outcome.filled) < trade.contracts:
        return f"{result.status}: the book offered no more at this price"
    return f"{result.status}: filled at another price"


def check(played: Played, requests: int, lines: list[Line]) -> list[str]:
    """Return what is wrong: with the figures of one fill, with the two ends, with the sums."""
    wrong = [f"{each.request_id}: {each.why}" for each in lines if not each.is_explained]
    profit = sum(each.profit for each in played.outcomes)
    if len(played.outcomes) != requests:
        wrong.append(f"{requests} requests, {len(played.outcomes)} answers")
    if not played.comparison.is_agreed:
        wrong.append(f"gateway and exchange differ: {played.comparison}")
    if not profit == played.cash == played.counted:
        wrong.append(
            f"profit {profit}, cash at the exchange {played.cash}, by our count {played.counted}"
        )
    for each in played.outcomes:
        told = 0 if each.result is None else each.result.fees
        if told != to_decimal(each.fee):
            wrong.append(f"{each.request.request_id}: told fees {told}, paid {each.fee}")
    return wrong


def show(played: Played, recorded: dict[Key, Trade], lines: list[Line], seconds: float) -> None:
    """Print the sums, and a line for each request that differs."""
    trades = list(recorded.values())
    figures = (
        ("filled, contracts", "contracts", "filled"),
        ("fees", "fee", "fee"),
        ("profit after fees", "profit", "profit"),
    )
    print(f"{NAME}, live at a simulated Kalshi: {len(played.outcomes)} requests, {seconds:.1f} s")
    for name, theirs, ours in figures:
        first = sum(getattr(each, theirs) for each in trades)
        second = to_decimal(sum(getattr(each, ours) for each in played.outcomes))
        print(f"    {name}: recorded {first}, ours {second}, difference {second - first}")
    print(f"    equal to the record: {len(played.outcomes) - len(lines)} requests")
    for each in lines:
        print(f"    {each.request_id} | {each.recorded} | {each.ours} | {each.why}")


if __name__ == "__main__":
    sys.exit(main())
