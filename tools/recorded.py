"""Plays every recorded data set to its end, twice, and checks what is known of each.

Reads ARBEES_DATA_DIR (default ../shared/data). Not part of the test suite: recorded data are not
in the repository. Exits 1 if anything differs from what it must be.
"""

import csv
import os
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from arbees.core.language.request import Request
from arbees.core.language.strict_json import Malformed
from arbees.core.orders.result import Result
from arbees.rehearsal.playback import (
    Input,
    in_order,
    play,
    read_quotes,
    read_requests,
    read_settlements,
)
from arbees.rehearsal.requests import make_requests
from arbees.settings import load

DATA = Path(os.environ.get("ARBEES_DATA_DIR", "../shared/data"))
GENERATED = 400
SEED = 20260124
RAW_FEES = DATA / "recorded/kalshi/mlb_signal_trades/live_policy_backtest_trades.csv"
GRID = Decimal("0.0001")


def main() -> int:
    """Play all data sets; return the exit code."""
    folder = DATA / "normalized"
    names = sorted(
        path.name.removesuffix(".quotes.jsonl") for path in folder.glob("*.quotes.jsonl")
    )
    if not names:
        print(f"Expected recorded data in {folder}, there are none. Set ARBEES_DATA_DIR.")
        return 1
    wrong: list[str] = []
    for name in names:
        started = time.monotonic()
        inputs, is_generated = read(folder, name)
        first, second = (play(load({}), inputs) for _ in range(2))
        wrong += [f"{name}: {complaint}" for complaint in check(name, inputs, first, second)]
        kind = " (generated requests)" if is_generated else ""
        print(f"{name}{kind}: {len(first['results'])} requests, {time.monotonic() - started:.1f} s")
        for field, value in first["summary"].items():
            print(f"    {field}: {readable(value)}")
    for complaint in wrong:
        print(f"WRONG {complaint}")
    print(f"{len(names)} data sets played twice, {len(wrong)} complaints")
    return 1 if wrong else 0


def readable(value: object) -> str:
    """Return a value of the summary for people."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "none"
    return str(value)


def read(folder: Path, name: str) -> tuple[list[Input], bool]:
    """Read a data set; requests are generated where it has none."""
    quotes = read_quotes(folder / f"{name}.quotes.jsonl")
    settled = folder / f"{name}.settlements.jsonl"
    settlements = read_settlements(settled) if settled.exists() else []
    asked = folder / f"{name}.requests.jsonl"
    if asked.exists():
        return in_order(settlements, quotes, read_requests(asked, quotes[0].time_ns)), False
    made = make_requests([each.item for each in quotes], GENERATED, SEED)
    requests = [Input(each.created_ns, each, line) for line, each in enumerate(made, 1)]
    return in_order(settlements, quotes, requests), True


def check(
    name: str, inputs: list[Input], first: dict[str, Any], second: dict[str, Any]
) -> list[str]:
    """Return what is wrong with a data set's two plays."""
    wrong: list[str] = []
    if [repr(each) for each in first["results"]] != [repr(each) for each in second["results"]]:
        wrong.append("two plays give different results")
    if first["summary"] != second["summary"]:
        wrong.append("two plays give different summaries")
    lines = sum(1 for each in inputs if isinstance(each.item, Request | Malformed))
    if len(first["results"]) != lines:
        wrong.append(f"{lines} lines, {len(first['results'])} results")
    wrong += [
        f"{result.request_id} has no final result: {result.status}"
        for result in first["results"]
        if isinstance(result, Result) and not result.final
    ]
    if name in CHECKS:
        wrong += CHECKS[name](inputs, first["results"])
    return wrong


def check_bot(_inputs: list[Input], results: list[Any]) -> list[str]:
    """Each order of the bot that misread its book is denied, with a reason to follow."""
    return [
        f"{each.request_id} was {each.status}"
        for each in results
        if each.status != "Rejected" or each.rejected_by != "gateway" or not each.rejection_reason
    ]


def check_fees(inputs: list[Input], results: list[Any]) -> list[str]:
    """Compare the fee of each execution with the one that was recorded with it."""
    recorded = read_fees()
    requests = [each.item for each in inputs if isinstance(each.item, Request)]
    wrong: list[str] = []
    for request, result in zip(requests, results, strict=True):
        found = recorded.pop(
            (request.game_id or "", result.requested_size, result.limit_price), None
        )
        if found is None:
            wrong.append(f"{result.request_id}: no recorded fee")
        elif result.fees != found or result.filled_qty != result.requested_size:
            wrong.append(f"{result.request_id}: fees {result.fees}, recorded {found}")
    return wrong + [f"never played: {name}" for name in recorded]


def read_fees() -> dict[tuple[str, Decimal, Decimal], Decimal]:
    """Return the recorded fees by game, contracts and price."""
    with RAW_FEES.open(encoding="utf-8", newline="") as file:
        return {
            (
                f"mlb_{row['game_pk']}",
                Decimal(row["contracts"]).normalize(),
                Decimal(row["fill_price"]).normalize(),
            ): Decimal(row["entry_fee"]).quantize(GRID)
            for row in csv.DictReader(file)
        }


CHECKS: dict[str, Callable[[list[Input], list[Any]], list[str]]] = {
    "nba_bot_2025-12": check_bot,
    "mlb_policy_2026": check_fees,
}

if __name__ == "__main__":
    sys.exit(main())
