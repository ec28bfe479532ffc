"""Torture: kill the gateway at random moments, again and again, and count what is broken.

`python -m verification.torture`, or `make torture`. Guarantees that each run is a real process on
real files under a barrage from many connections, killed with SIGKILL, started again, asked
everything anew, and then compared, from its files alone, with the exchange's own book. A second
series loses the exchange's answers at random, a third kills it while prices fall. Ends with 1 if
anything at all was found.
"""

import argparse
import asyncio
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from arbees.errors import ArbeesError
from arbees.venues.paper.terms import TERMS
from verification.barrage import Barrage
from verification.evidence import (
    AUDIT,
    CHECKS,
    DIFFERENCE,
    DUPLICATE,
    FINAL,
    LIMIT,
    REPLAY,
    UNKNOWN,
    VERIFY,
    Evidence,
    examine,
)
from verification.falling_prices import fall_once
from verification.process import (
    LIMITS,
    Process,
    files_in,
    repeat_all,
    until_known,
)

LOST = "lost"
"""Something acknowledged is gone, or became something else."""
ENDING = "ending"
"""The gateway did not start again, or did not end as it should."""
SMALLER = "smaller"
"""A restart made the loss of the day smaller than it was told before."""
TITLES = {
    LOST: "acknowledged and lost",
    DUPLICATE: "duplicates at the exchange",
    LIMIT: "limit breaches",
    VERIFY: "verify failures",
    AUDIT: "audit gaps",
    UNKNOWN: "unknowns left",
    FINAL: "requests without one final result",
    DIFFERENCE: "differences from the exchange",
    REPLAY: "books that are not the fold",
    ENDING: "starts and ends gone wrong",
    SMALLER: "losses made smaller by a restart",
}
FALL = "fall"
"""Of the third series."""
PASSED_MIN = 0.5
"""So much of what was asked must pass: a gateway that denies everything breaks no limit."""


class TortureTally(msgspec.Struct):
    """The counts of all runs so far."""

    runs: int = 0
    kills: int = 0
    sent: int = 0
    acknowledged: int = 0
    requests: int = 0
    passed: int = 0
    orders: int = 0
    fills: int = 0
    found: Counter[str] = msgspec.field(default_factory=Counter)
    texts: list[str] = []

    def say(self, run: int, check: str, text: str) -> None:
        """Count a finding, and keep its text."""
        self.found[check] += 1
        self.texts.append(f"run {run}: {check}: {text}")

    def add(self, run: int, evidence: Evidence) -> None:
        """Add what was found in one run's files."""
        self.requests += evidence.requests
        self.passed += evidence.passed
        self.orders += evidence.orders
        self.fills += evidence.fills
        for check, text in evidence.findings:
            self.say(run, check, text)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and enough was let through to mean something."""
        return not self.texts and self.passed >= PASSED_MIN * self.requests


async def run_once(folder: Path, number: int, seed: int, lost: str, seconds: float) -> TortureTally:
    """
    Do one run: barrage, kill, start again, ask everything again, stop, examine.

    Args:
        folder: empty, for the files.
        number: of the run, for the texts.
        seed: of the barrage and of the moments.
        lost: chance that an answer of the exchange is lost, as text.
        seconds: longest time under fire.
    """
    tally = TortureTally(runs=1)
    barrage, process = Barrage(seed), Process(folder, lost)
    try:
        await _kill(process, barrage, random.Random(seed), seconds, tally)
        await process.start()
        for text in await repeat_all(process.port, barrage):
            tally.say(number, LOST, text)
        await until_known(process.port)
        code = await process.stop()
        if code != 0:
            tally.say(number, ENDING, f"ended with {code}: {process.last_words()}")
    except (TimeoutError, OSError) as error:
        await process.kill()
        tally.say(number, ENDING, f"{error!r}: {process.last_words()}")
    tally.sent = len(barrage.sent)
    tally.acknowledged = sum(sent.is_acknowledged for sent in barrage.sent)
    try:
        tally.add(number, judge(folder))
    except (ArbeesError, sqlite3.Error) as error:
        tally.say(number, VERIFY, f"what was left cannot be read: {error!r}")
    return tally


async def fall(folder: Path, number: int, seed: int, seconds: float) -> TortureTally:
    """
    Do one run in which prices fall until the kill; arguments as of `run_once`.

    The gateway of before is killed, or in a quarter of the runs told to stop.
    """
    tally = TortureTally(runs=1, kills=1)
    process = Process(folder)
    try:
        found = await fall_once(process, seed, seconds)
    except (TimeoutError, OSError) as error:
        await process.kill()
        tally.say(number, ENDING, f"{error!r}: {process.last_words()}")
        return tally
    tally.sent = tally.acknowledged = found.quotes
    if found.is_smaller:
        tally.say(number, SMALLER, f"P&L of the day {found.before}, then {found.after}")
    return tally


async def _kill(
    process: Process, barrage: Barrage, draw: random.Random, seconds: float, tally: TortureTally
) -> None:
    """Kill it under fire, and at times once more while it recovers."""
    await process.start()
    under_fire = asyncio.create_task(barrage.send(process.port))
    await asyncio.sleep(draw.uniform(0.02, seconds))
    await process.kill()
    await under_fire
    tally.kills += 1
    while draw.random() < 0.25:
        await process.start(wait=False)
        await asyncio.sleep(draw.uniform(0.2, 1.0))
        await process.kill()
        tally.kills += 1


def judge(folder: Path) -> Evidence:
    """Compare what the gateway left with the exchange's own book."""
    files = files_in(folder)
    return examine(
        journal=files.journal,
        paper_book=files.paper_book,
        audit_log=files.audit_log,
        limits=LIMITS,
        terms={str(platform): terms for platform, terms in TERMS.items()},
    )


async def torture(
    *,
    runs: int,
    lost_acks: int,
    falls: int = 0,
    seed: int,
    seconds: float,
    keep: Path | None,
    say: Callable[[str], None],
) -> TortureTally:
    """
    Do all runs, the second series with answers lost at random.

    Args:
        runs: without lost answers.
        lost_acks: with them.
        falls: while prices fall.
        seed: of everything but the machine.
        seconds: longest time under fire.
        keep: where the files of runs with findings are kept; None = nowhere.
        say: told after each run.
    """
    total = TortureTally()
    series = ["0"] * runs + ["0.1"] * lost_acks + [FALL] * falls
    for number, lost in enumerate(series, 1):
        with tempfile.TemporaryDirectory(prefix="arbees-torture-") as name:
            folder = Path(name)
            drawn = seed * 100_003 + number
            if lost == FALL:
                found = await fall(folder, number, drawn, seconds)
            else:
                found = await run_once(folder, number, drawn, lost, seconds)
            if keep is not None and found.texts:
                shutil.copytree(folder, keep / f"run-{number}", dirs_exist_ok=True)
        _merge(total, found)
        say(
            f"run {number} of {len(series)}: {found.sent} sent, {found.acknowledged} acknowledged,"
            f" {found.passed} of {found.requests} passed, {len(found.texts)} findings"
        )
        for text in found.texts[:10]:
            say(f"  {text}")
    return total


def _merge(total: TortureTally, one: TortureTally) -> None:
    for name in ("runs", "kills", "sent", "acknowledged", "requests", "passed", "orders", "fills"):
        setattr(total, name, getattr(total, name) + getattr(one, name))
    total.found += one.found
    total.texts += one.texts


def table(tally: TortureTally, seconds: float) -> str:
    """Return the counts as people read them."""
    rows: list[tuple[str, object]] = [
        ("runs", tally.runs),
        ("kills", tally.kills),
        ("requests sent", tally.sent),
        ("acknowledged", tally.acknowledged),
        ("decided", tally.requests),
        ("passed", tally.passed),
        ("orders at the exchange", tally.orders),
        ("fills", tally.fills),
        *((title, tally.found[check]) for check, title in TITLES.items()),
        ("seconds", round(seconds)),
    ]
    return "\n".join(f"{title:<36}{count:>12}" for title, count in rows)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m verification.torture", description="Kill the gateway, and count."
    )
    parser.add_argument("--runs", type=int, default=200, help="runs without lost answers")
    parser.add_argument("--lost-acks", type=int, default=200, help="runs with answers lost")
    parser.add_argument("--falls", type=int, default=20, help="runs while prices fall")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.5, help="longest time under fire")
    parser.add_argument("--keep", type=Path, help="where to keep the files of runs with findings")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    tally = asyncio.run(
        torture(
            runs=given.runs,
            lost_acks=given.lost_acks,
            falls=given.falls,
            seed=given.seed,
            seconds=given.seconds,
            keep=given.keep,
            say=lambda text: _say(sys.stderr.write, text),
        )
    )
    _say(sys.stdout.write, table(tally, time.monotonic() - began))
    if tally.is_clean:
        return 0
    if not tally.texts:
        _say(sys.stderr.write, f"Expected {PASSED_MIN:.0%} of the requests to pass")
    return 1


def _say(write: Callable[[str], object], text: str) -> None:
    write(f"{text}\n")
    sys.stderr.flush()


assert set(TITLES) == {*CHECKS, LOST, ENDING, SMALLER}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
