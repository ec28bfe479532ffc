"""Takes the mechanisms of what is believed out, one at a time; the fault matrix must notice each.

Guarantees that the cells named pass as the code is, and that with a mechanism taken out at least
one of them breaks a promise: a mechanism that no cell misses is one that nothing proves. Changes a
copy of the sources; a change that fits no more is named, and ends with 1 like a mechanism that is
not missed. `python -m tools.mechanisms` prints which cells failed without which.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
MATRIX = "verification.live.matrix"
SECONDS_MAX = 300
KALSHI = "venues/kalshi"


class Mechanism(msgspec.Struct, frozen=True, kw_only=True):
    """One mechanism, how it is taken out, and the cells that must miss it."""

    name: str
    path: str
    """Below `src/arbees`."""
    old: str
    new: str
    cells: str
    """Part of their names."""

    def taken_out(self, text: str) -> str:
        """Return the source without it. Raises ValueError: it is not there, or twice."""
        if text.count(self.old) != 1:
            count = text.count(self.old)
            raise ValueError(f"{self.name}: Expected its text once in {self.path}, was {count}")
        return text.replace(self.old, self.new)


ALL = (
    Mechanism(
        name="a quote past its age denies",
        path="safeguards/price_reference.py",
        old="if -limit <= age <= limit:",
        new="if True:",
        cells="subscription lost for good x position held",
    ),
    Mechanism(
        name="no book is read before it is known in whose prices it is",
        path=f"{KALSHI}/markets/feed.py",
        old="is_misread = bool(each.book.asks) and self.scale is not Scale.YES",
        new="is_misread = False",
        cells="book in prices of No x position held",
    ),
    Mechanism(
        name="a connection in other prices is given up",
        path=f"{KALSHI}/markets/feed.py",
        old="if self.scale is Scale.NO:",
        new="if False:",
        cells="book in prices of No x nothing",
    ),
    Mechanism(
        name="a market that is refused is its own trouble",
        path=f"{KALSHI}/markets/feed.py",
        old="        if error.market_ticker:\n",
        new='        if error.market_ticker:\n            raise VenueError("refused")\n',
        cells="another market refused x order resting",
    ),
    Mechanism(
        name="a channel that may be done without may be refused",
        path=f"{KALSHI}/orders/stream.py",
        old="if channel in CHANNELS:",
        new="if True:",
        cells="channel refused x order resting",
    ),
    Mechanism(
        name="each shard has a state of its own",
        path=f"{KALSHI}/venue.py",
        old="return self._vitals(SHARD_OF_POOL.get(pool))",
        new="return self._vitals(None)",
        cells="another shard paused x nothing",
    ),
    Mechanism(
        name="movements of cash are explained by their lists",
        path=f"{KALSHI}/orders/cash.py",
        old="found = [*await self._transfers()]",
        new="found = list[CashMovement]()",
        cells="money moved between shards x position held",
    ),
    Mechanism(
        name="bytes that are no text are an unreadable answer",
        path=f"{KALSHI}/shapes.py",
        old="except (ValueError, RecursionError) as error:",
        new="except msgspec.ValidationError as error:",
        cells="bytes that are no text x position held",
    ),
    Mechanism(
        name="rates that are not told leave the venue in use",
        path=f"{KALSHI}/connection/connection.py",
        old="        self._asks_limits_ns = NEVER_NS\n        try:\n"
        "            await self.api.learn_limits()\n        except VenueError:\n"
        "            self._asks_limits_ns = self.clock.now_ns() + LIMITS_RETRY_NS\n",
        new="        try:\n            await self.api.learn_limits()\n"
        "        except VenueError as error:\n            self.trouble = error.message\n"
        "            raise\n",
        cells="limits refused x nothing",
    ),
    Mechanism(
        name="cash must explain an absence",
        path="core/deciding/reconciliation.py",
        old="if gap and not 0 < gap <= there.uncertain < ties:",
        new="if False:",
        cells="orders hidden for minutes x order unknown",
    ),
    Mechanism(
        name="a followed market without a book is said to be refused",
        path="runtime/looking/refusals.py",
        old="for place in self._watched():",
        new="for place in list(self._watched())[:0]:",
        cells="subscription lost for good x nothing",
    ),
    Mechanism(
        name="what is said is what the safeguards deny",
        path="runtime/looking/refusals.py",
        old="            for verdict in check(order, self._desk.book, facts):\n",
        new="            for verdict in check(order, self._desk.book, facts)[:0]:\n",
        cells="subscription lost for good x position held",
    ),
)


def failed(cells: str, source: Path, jobs: int) -> list[str]:
    """Run cells on a copy of the sources; return those that broke a promise."""
    command = [sys.executable, "-m", MATRIX, "--only-reading", "--only", cells]
    done = subprocess.run(
        [*command, "--jobs", str(jobs)],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    lines = [line.partition("<-")[0].split() for line in done.stdout.splitlines() if "<-" in line]
    names = [" ".join(each[: _words(each)]) for each in lines]
    if done.returncode not in {0, 1} or (done.returncode and not names):
        return [f"it does not run: {done.stderr.strip().splitlines()[-1:]}"]
    return names


def _words(line: Sequence[str]) -> int:
    """Return how many words of a row are its name: those before the figures."""
    return next((place for place, word in enumerate(line) if word.isdigit()), len(line))


def judge(chosen: Sequence[Mechanism], jobs: int) -> int:
    """Take out each mechanism and print what failed; return how many nothing misses."""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="arbees-mechanisms-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(
            ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
        for cells in dict.fromkeys(each.cells for each in chosen):
            for name in failed(cells, source, jobs):
                bad += 1
                print(f"Fails without any change, so it judges nothing: {name}", flush=True)
        for each in chosen:
            path = source / "arbees" / each.path
            text = path.read_text(encoding="utf-8")
            path.write_text(each.taken_out(text), encoding="utf-8")
            names = failed(each.cells, source, jobs)
            path.write_text(text, encoding="utf-8")
            bad += not names
            print(
                f"{each.name:<62} {'; '.join(names) or 'NOT MISSED by ' + each.cells}", flush=True
            )
    return bad


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mechanisms as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="make mechanisms", description=__doc__)
    parser.add_argument("--only", default="", help="part of the names of those to take out")
    parser.add_argument("--jobs", type=int, default=2, help="cells at once")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    chosen = [each for each in ALL if asked.only in each.name]
    bad = judge(chosen, asked.jobs)
    print(f"{len(chosen)} mechanisms taken out, {bad} findings, {time.monotonic() - began:.0f} s")
    return 1 if bad or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
