"""Fuzz the HTTP interface from its own OpenAPI document, against a gateway that really runs.

Guarantees that so many cases were asked, calls in a row that build on each other among them, and
that every answer had a documented status and fitted its schema to the letter, and none was a fault
(503 says that nothing was decided). Quotes are fed all the while, so that requests reach decisions
and orders fill; how many did is told. `python -m tools.fuzz --cases 5000` exits 1 with what it
found. It needs no network but loopback.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from arbees.journal import JournalReader
from tools.served import Served, serving

HOOKS = "tools.fuzz_hooks"
ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = 40
"""Cases an operation, phase and round, at least."""
SUBMITS_MORE = 5
"""Times as many cases of requests as of anything else."""
ROUND_SECONDS = 900
ROUNDS_MAX = 100
LOG_CHARACTERS = 4_000
_CONFIG = """\
hooks = "{hooks}"
continue-on-failure = true
request-timeout = 30
max-stream-events = 2
warnings = false
[auth.openapi.key]
bearer = "{secret}"
[generation]
database = "none"
max-examples = {examples}
[[operations]]
include-operation-id = "submit"
generation.max-examples = {submits}
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
# A schema cannot say all that is asked of a body: prices in order, six decimals, a zone.
[checks.positive_data_acceptance]
enabled = false
# Not every POST makes what another path names: a reconciliation makes no break.
[checks.ensure_resource_availability]
enabled = false
"""


class Finding(Exception):  # noqa: N818 - what a tool is for
    """What the fuzzer found; its text is the fuzzer's own report."""


def one_round(served: Served, folder: Path, seed: int, examples: int, more: list[str]) -> int:
    """
    Run all phases once.

    Args:
        served: the gateway.
        folder: for the files of the round.
        seed: of what is generated.
        examples: cases an operation and phase.
        more: words for the fuzzer's command line.

    Returns:
        How many cases were asked.

    Raises:
        Finding: an answer was wrong, or the fuzzer could not do its work.
    """
    config, report = folder / "schemathesis.toml", folder / f"round-{seed}.json"
    config.write_text(
        _CONFIG.format(
            hooks=HOOKS,
            secret=served.secret,
            examples=examples,
            submits=examples * SUBMITS_MORE,
        ),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    command += [f"{served.url}/openapi.json", "--seed", str(seed), *more]
    command += ["--report", "json", "--report-json-path", str(report)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**served.environment, "FUZZ_KEY_ID": served.key_id},
        capture_output=True,
        text=True,
        timeout=ROUND_SECONDS,
        check=False,
    )
    said = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    if done.returncode != 0 or not said.get("complete"):
        raise Finding(f"{done.stdout}\n{done.stderr}\n{served.log[-LOG_CHARACTERS:]}")
    cases: int = said["test_cases"]["generated"]
    return cases


def outcomes(journal: Path) -> Counter[str]:
    """Count the kinds of records of a journal: what the requests came to."""
    with JournalReader(journal) as reader:
        return Counter(record.kind for record in reader.records())


def fuzz(cases_min: int, seed: int, examples: int = EXAMPLES, more: list[str] | None = None) -> str:
    """
    Fuzz until so many cases were asked.

    Returns:
        What was done, in a sentence.

    Raises:
        Finding: an answer was wrong.
    """
    began, cases, rounds = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder) as served:
            served.take_key()
            while cases < cases_min and rounds < ROUNDS_MAX:
                cases += one_round(served, folder, seed + rounds, examples, more or [])
                rounds += 1
        found = outcomes(folder / "journal.db")
    seconds = time.monotonic() - began
    counts = ", ".join(f"{name} {count}" for name, count in found.most_common())
    return (
        f"{cases} cases in {rounds} rounds and {seconds:.0f} s, nothing found. Journal: {counts}."
    )


def main() -> int:
    """Fuzz, and tell what came of it."""
    parser = argparse.ArgumentParser(description="Fuzz the HTTP interface.")
    parser.add_argument("--cases", type=int, default=5_000, help="at least (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default 1)")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="cases an operation")
    given = parser.parse_args()
    try:
        print(fuzz(given.cases, given.seed, given.examples))
    except Finding as finding:
        print(finding)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
