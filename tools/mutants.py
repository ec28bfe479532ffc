"""Changes the deciding code in thousands of ways; the tests must notice nine of ten.

Guarantees a fair count: all mutants of `safeguards`, and a seeded sample of `core` of which at
least the wanted number can be imported. Prints progress, a table by file and every survivor with
its line and its change; ends with 1 if less than 90 % of either is killed, or if a test fails
without any change. Which changes there are says `mutating`, who counts as killed `judging`.
"""

import argparse
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.judging import Judge, Judgement, Status, Unfit
from tools.mutating import Mutant, Source, sources

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/core", "tests/safeguards")
ENOUGH_PERCENT = 90
SAMPLE = 1_000
SEED = 20260128
REPORT_EVERY = 100
SURVIVORS = ROOT / ".cache" / "mutants" / "survivors.txt"

Named = tuple[Source, Mutant]


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants as the arguments say; return the exit code."""
    asked = _arguments(arguments)
    os.chdir(ROOT)
    try:
        return _run(asked)
    except Unfit as error:
        print(error)
        return 1


def _run(asked: argparse.Namespace) -> int:
    started = time.monotonic()
    found = {name: sources(Path("src/arbees") / name, ROOT) for name in ("safeguards", "core")}
    judge = Judge(ROOT, TESTS, asked.jobs)
    judge.prepare(["arbees.core", "arbees.safeguards"])
    baseline = judge.baseline
    for test in baseline.failed:
        print(f"Fails without any change, so it judges nothing: {test}")
    print(
        f"{len(baseline.seconds)} tests in {sum(baseline.seconds.values()):.0f} s of processor "
        f"time judge, {asked.jobs} at once"
    )
    is_enough: list[bool] = []
    for name, modules in found.items():
        mutants = _chosen(modules, asked)
        wanted = min(asked.sample, len(mutants)) if name == "core" and not asked.all else None
        if mutants:
            judged = _judge(name, judge, mutants, wanted, asked.seed)
            is_enough.append(_report(name, judged, modules))
    print(f"{time.monotonic() - started:.0f} s in all")
    return 0 if is_enough and all(is_enough) and not baseline.failed else 1


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many of core")
    parser.add_argument("--all", action="store_true", help="all of core, no sample")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample")
    parser.add_argument("--only", default="", help="part of the path of the files to change")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4))
    return parser.parse_args(arguments)


def _chosen(modules: Iterable[Source], asked: argparse.Namespace) -> list[Named]:
    last = set(SURVIVORS.read_text(encoding="utf-8").splitlines()) if asked.again else set()
    return [
        (source, mutant)
        for source in modules
        if asked.only in str(source.path)
        for mutant in source.mutants
        if not asked.again or _name(source, mutant) in last
    ]


def _name(source: Source, mutant: Mutant) -> str:
    return f"{mutant.path}: {source.difference(mutant.number)}"


def _judge(
    name: str, judge: Judge, mutants: list[Named], wanted: int | None, seed: int
) -> list[Judgement]:
    """Judge all mutants, or as many of a shuffled list that `wanted` of them can be imported."""
    queue = list(mutants)
    if wanted is not None:
        random.Random(seed).shuffle(queue)
    total = len(queue) if wanted is None else wanted
    print(f"\n{name}: {total} of {len(mutants)} mutants")
    judged: list[Judgement] = []
    started = time.monotonic()
    while queue:
        missing = total - sum(each.status is not Status.BROKEN for each in judged)
        if wanted is not None and missing <= 0:
            break
        batch = queue if wanted is None else queue[:missing]
        queue = queue[len(batch) :]
        for judgement in judge.judge(batch):
            judged.append(judgement)
            if len(judged) % REPORT_EVERY == 0:
                _progress(judged, total, time.monotonic() - started)
    return judged


def _progress(judged: list[Judgement], total: int, seconds: float) -> None:
    counts = {status: sum(each.status is status for each in judged) for status in Status}
    left = max(0, total - len(judged)) * seconds / len(judged)
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(
        f"  {len(judged)}/{total}: {words}; {seconds / 60:.1f} min, about {left / 60:.1f} left",
        flush=True,
    )


def _report(name: str, judged: list[Judgement], modules: Iterable[Source]) -> bool:
    """Print the table and the survivors of one package; return whether enough were killed."""
    by_path: dict[Path, list[Judgement]] = defaultdict(list)
    for each in judged:
        by_path[each.mutant.path].append(each)
    print(f"\n{'file':<44} {'mutants':>8} {'killed':>7} {'%':>6} {'not importable':>15}")
    for path in sorted(by_path):
        _row(str(path), by_path[path])
    percent = _row(f"{name}, all", judged)
    by_file = {source.path: source for source in modules}
    alive = sorted(
        (each for each in judged if each.status is Status.SURVIVED),
        key=lambda each: (each.mutant.path, each.mutant.line, each.mutant.number),
    )
    print(f"\nSurvivors in {name}: {len(alive)}")
    names = []
    for each in alive:
        source = by_file[each.mutant.path]
        names.append(_name(source, each.mutant))
        print(
            f"  {each.mutant.place} ({each.tests} tests)\n"
            f"      {source.difference(each.mutant.number)}"
        )
    _keep(name, names)
    return percent >= ENOUGH_PERCENT


def _row(title: str, judged: list[Judgement]) -> float:
    counted = [each for each in judged if each.status is not Status.BROKEN]
    killed = sum(each.status.is_death for each in counted)
    percent = 100 * killed / len(counted) if counted else 100.0
    broken = len(judged) - len(counted)
    print(f"{title:<44} {len(counted):>8} {killed:>7} {percent:>6.1f} {broken:>15}")
    return percent


def _keep(name: str, names: list[str]) -> None:
    """Remember the survivors of a package for `--again`."""
    SURVIVORS.parent.mkdir(parents=True, exist_ok=True)
    old = SURVIVORS.read_text(encoding="utf-8").splitlines() if SURVIVORS.exists() else []
    others = [line for line in old if not line.startswith(f"src/arbees/{name}/")]
    SURVIVORS.write_text("\n".join([*others, *names]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
