"""Replay a long journal, and hold what other limits would have done against a plain recomputation.

    python -m tools.replaying [--records 1000000] [--folder var/bench]

Guarantees that the comparison owes nothing to the short cuts of `arbees replay`: the oracle folds
the journal by itself and asks every safeguard of both rules for every recorded decision. Ends with
1 where the two name different decisions, or where the replay is slower than the target.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from arbees.cli.main import main as arbees
from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import fresh
from arbees.core.deciding.redecide import code_of, decided, redecide
from arbees.journal import JournalReader, SqliteJournal
from arbees.settings import Settings, load
from arbees.wiring.bootstrap import rules_of
from benchmarks import scene, stock
from benchmarks.history import Play

TARGET = 100_000
"""Records a second of the processor, decoded and applied; a neighbour would not count."""
LIMITS = {
    "ACCOUNT": scene.ACCOUNT,
    "ENVIRONMENT": scene.ENVIRONMENT,
    "MAX_ORDER_SIZE": "20",
    "MAX_ORDER_CONTRACTS": "100000",
    "MAX_POSITION_PER_MARKET": "4000",
    "MAX_GAME_EXPOSURE": "7000",
    "MAX_SPORT_EXPOSURE": "1000000000",
    "MAX_TOTAL_EXPOSURE": "1000000000",
    "MAX_DAILY_LOSS": "1000000000",
    "MAX_ORDERS_PER_MINUTE": "540",
    "MAX_ORDERS_PER_HOUR": "30000",
    "MAX_REPEATED_EXECUTIONS": "1000000",
    "BALANCE_REFRESH_INTERVAL_SECS": "3600",
}
HALVED = {
    "MAX_ORDER_SIZE": "10",
    "MAX_POSITION_PER_MARKET": "2000",
    "MAX_GAME_EXPOSURE": "3500",
    "MAX_ORDERS_PER_MINUTE": "270",
    "MAX_ORDERS_PER_HOUR": "15000",
}
Named = list[tuple[int, str | None, str | None]]


def history(folder: Path, records: int) -> Path:
    """Return a kept journal of so many records, decided under `LIMITS`."""
    settings = load(LIMITS)

    def make(journal: SqliteJournal) -> None:
        started = events.Started(
            version="0", settings_hash=settings.hash, settings=settings.recorded()
        )
        Play(journal, rules_of(settings), (started,)).play(records)

    return stock.kept(folder, f"limits-{records}", make) / "journal.db"


def brute(journal: Path, then: Settings, now: Settings) -> Named:
    """Decide each recorded request twice, under both settings, from a fold of our own."""
    before, after, book = rules_of(then), rules_of(now), fresh()
    found: Named = []
    with JournalReader(journal) as reader:
        for stored in reader.records():
            event = events.decode(stored.body)
            if isinstance(event, events.RequestDenied | events.OrderApproved):
                was = code_of(decided(redecide(book, event, before)))
                again = code_of(decided(redecide(book, event, after)))
                if code_of(event) != was:
                    raise AssertionError(f"record {stored.sequence} is not decided again")
                if was != again:
                    found.append((stored.sequence, was, again))
            apply(book, event, stored.sequence, stored.time_ns)
    return found


def asked(words: Sequence[str]) -> list[dict[str, Any]]:
    """Run a command and return the lines that it prints in JSON."""
    heard = io.StringIO()
    with redirect_stdout(heard):
        code = arbees([*words, "--json"])
    if code:
        raise AssertionError(f"arbees {' '.join(words)}: exit {code}")
    return [json.loads(line) for line in heard.getvalue().splitlines()]


def compare(journal: Path, halved: dict[str, str]) -> dict[str, Any]:
    """Return figures of replay and what-if, and whether they name what the oracle names."""
    (replayed,) = asked(["replay", str(journal)])
    words = [word for name, text in halved.items() for word in ("--set", f"{name}={text}")]
    begun = time.monotonic()
    *changed, last = asked(["replay", str(journal), *words])
    took = time.monotonic() - begun
    named: Named = [
        (
            each["change"]["sequence"],
            (each["change"]["was"] or {}).get("code"),
            (each["change"]["now"] or {}).get("code"),
        )
        for each in changed
    ]
    summary = last["summary"]
    expected = brute(journal, load(LIMITS), load({**LIMITS, **halved}))
    return {
        "records": replayed["records"],
        "replayed_per_second": replayed["records_per_second"],
        "replayed_per_cpu_second": replayed["records_per_cpu_second"],
        "verified_per_second": replayed["verified_records_per_second"],
        "snapshot": replayed["snapshot"] and replayed["snapshot"]["is_equal"],
        "decisions": summary["decisions"],
        "same_under_recorded_settings": not summary["baseline"]["differing"],
        "changes": len(named),
        "by": {each["turn"]: each["count"] for each in summary["turns"]},
        "what_if_seconds": round(took, 1),
        "what_if_records_per_second": round(replayed["records"] / took),
        "is_exact": named == expected,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the journal once, measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("var/bench"))
    chosen = parser.parse_args(arguments)
    figures = compare(history(chosen.folder, chosen.records), HALVED)
    print(json.dumps(figures, indent=2))
    is_fast = figures["replayed_per_cpu_second"] >= TARGET
    return 0 if figures["is_exact"] and (is_fast or chosen.records < TARGET) else 1


if __name__ == "__main__":
    sys.exit(main())
