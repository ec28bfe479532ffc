"""Judges mutants: each in a process of its own, by the tests that run its line, quickest first.

Guarantees that a mutant counts as killed only if a test failed that passes on the unchanged code,
or if the tests came to no end in many times the processor time that they need. A module that
cannot even be imported with its change is `broken` and counts neither way. Fails by `Unfit` if
the tests do not run at all.

The parent imports what the tests need except `arbees`; each child is forked from it, imports the
changed module through a finder of its own and runs pytest. A process costs about half a second,
and nothing is left over from one mutant for the next.
"""

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import CodeType, ModuleType

import coverage
import hypothesis
import msgspec
import pytest
from hypothesis import strategies  # noqa: F401 - imported once, for all children

from tools.mutating import Mutant, Source

BUDGET_SECONDS = 15.0
"""Most processor time, on the unchanged code, of the tests that judge one mutant."""
_IMPATIENCE = 8
_GRACE_SECONDS = 10
_MEMORY_BYTES = 2 << 30
_BROKEN = 90
_LOST = 91
_UNUSABLE = {_LOST, int(pytest.ExitCode.USAGE_ERROR), int(pytest.ExitCode.NO_TESTS_COLLECTED)}
"""Exit codes that say nothing of the mutant."""
_IMPORT_ERRORS = (
    *(ArithmeticError, AttributeError, ImportError, LookupError, NameError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, re.error, msgspec.MsgspecError),
)
"""What a changed module may end in before it is there."""
_ARGUMENTS = (
    *("-x", "-q", "--no-header", "--tb=no", "--hypothesis-profile=mutants"),
    *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler"),
    *("-o", "timeout=0", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


class Unfit(Exception):  # noqa: N818 - the tests are
    """The tests cannot judge: none passes, or they do not run."""


class Status(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    BROKEN = "broken"

    @property
    def is_death(self) -> bool:
        """Whether the tests noticed."""
        return self in {Status.KILLED, Status.TIMED_OUT}


@dataclass(frozen=True)
class Judgement:
    """One mutant, what became of it, how many tests judged it and which one failed."""

    mutant: Mutant
    status: Status
    tests: int
    killer: str


class Baseline(msgspec.Struct):
    """What the tests do on the unchanged code."""

    seconds: dict[str, float] = {}
    failed: list[str] = []
    lines: dict[str, dict[int, list[str]]] = {}
    """Path -> line -> tests that run it; none for a line that runs at import."""


@dataclass
class Judge:
    """Judges mutants by tests."""

    root: Path
    tests: tuple[str, ...]
    jobs: int
    baseline: Baseline = field(default_factory=Baseline)

    def prepare(self, modules: Iterable[str]) -> None:
        """
        Run the tests once, and learn which lines each of them runs.

        Raises:
            Unfit: no test passed.
        """
        hypothesis.settings.register_profile(
            "mutants",
            deadline=None,
            derandomize=True,
            database=None,
            max_examples=30,
            phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        sys.dont_write_bytecode = False  # else each child would compile the tests anew
        with _quiet():
            # Loads the plugins and the suite's own conftest, which know nothing of `arbees`.
            pytest.main([*_ARGUMENTS, "--collect-only", str(self.root / "tests" / "conftest.py")])
        gc.collect()
        gc.freeze()
        with tempfile.NamedTemporaryFile() as kept:
            pid = os.fork()
            if not pid:
                _leave(lambda: self._look(tuple(modules), kept.name))
            os.waitpid(pid, 0)
            body = Path(kept.name).read_bytes()
        if body:
            self.baseline = msgspec.json.decode(body, type=Baseline)
        self.require_tests()

    def require_tests(self) -> None:
        """Make sure that there is somebody to judge. Raises Unfit."""
        if not self.baseline.seconds:
            msg = "Expected tests that pass on the unchanged code, there are none"
            raise Unfit(msg)

    def _look(self, modules: tuple[str, ...], path: str) -> int:
        measured = coverage.Coverage(
            data_file=None, config_file=False, source_pkgs=list(modules), messages=False
        )
        measured.start()
        plugin = _Watch(measured, Baseline())
        with _quiet():
            pytest.main([*_ARGUMENTS[1:], *self.tests], plugins=[plugin])
        measured.stop()
        data = measured.get_data()
        for name in data.measured_files():
            by_line = data.contexts_by_lineno(name)
            plugin.found.lines[os.path.relpath(name, self.root)] = {
                line: [test for test in tests if test in plugin.found.seconds]
                for line, tests in by_line.items()
            }
        Path(path).write_bytes(msgspec.json.encode(plugin.found))
        return 0

    def tests_of(self, source: Source, mutant: Mutant) -> list[str]:
        """Return the tests that judge a mutant, best first, within the budget."""
        lines = self.baseline.lines.get(str(mutant.path), {})
        near = _within(lines, mutant.lines)
        if not near and mutant.number in source.functions:
            near = _within(lines, source.functions[mutant.number])
        seconds = self.baseline.seconds
        # What runs at import may change anything.
        chosen = near or set(seconds)
        own = f"/test_{mutant.path.stem}.py"
        ranked = sorted(chosen, key=lambda test: (own not in test, seconds[test], test))
        total, within = 0.0, []
        for test in ranked:
            total += seconds[test]
            if total > BUDGET_SECONDS:
                break
            within.append(test)
        return within

    def judge(self, mutants: Sequence[tuple[Source, Mutant]]) -> Iterator[Judgement]:
        """Judge mutants, several at once; they come as they are done."""
        running: dict[int, _Trial] = {}
        waiting = iter(mutants)
        with tempfile.TemporaryDirectory(prefix="mutants-") as place:
            try:
                while True:
                    for source, mutant in itertools.islice(waiting, self.jobs - len(running)):
                        trial = _Trial(self, source, mutant, place)
                        running[trial.pid] = trial
                    if not running:
                        return
                    pid, code = _any_child(running)
                    yield running.pop(pid).judgement(code)
            finally:
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def _within(lines: dict[int, list[str]], span: tuple[int, int]) -> set[str]:
    return {test for line in range(span[0], span[1] + 1) for test in lines.get(line, ())}


def _any_child(running: "dict[int, _Trial]") -> tuple[int, int]:
    """Wait for one of the children; those that hang without working are ended."""
    while True:
        for pid, trial in running.items():
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return pid, os.waitstatus_to_exitcode(status)
            if time.monotonic() > trial.deadline:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.004)


class _Trial:
    """One mutant in a child."""

    def __init__(self, judge: Judge, source: Source, mutant: Mutant, place: str) -> None:
        self.mutant = mutant
        self.tests = judge.tests_of(source, mutant)
        expected = sum(judge.baseline.seconds[test] for test in self.tests)
        self.limit = int(_GRACE_SECONDS + _IMPATIENCE * expected)
        self.deadline = time.monotonic() + 20 * self.limit
        self.heard, says = os.pipe()
        text = source.changed(mutant.number)
        self.pid = os.fork()
        if not self.pid:
            os.close(self.heard)
            _leave(lambda: self._run(judge.root, text, says, place))
        os.close(says)

    def _run(self, root: Path, text: str, says: int, place: str) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (self.limit, self.limit))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        path = str(root / self.mutant.path)
        sys.meta_path.insert(0, _Finder(self.mutant.module, path, text))
        with _quiet():
            try:
                importlib.import_module(self.mutant.module)
            except _IMPORT_ERRORS:
                return _BROKEN
            for tests in _stages(self.tests):
                plugin = _Chosen(tests, says)
                # A place of its own: pytest's shared one is cleaned up by whoever ends first.
                arguments = [*_ARGUMENTS, f"--basetemp={place}/{os.getpid()}", *_files(tests)]
                if code := pytest.main(arguments, plugins=[plugin]):
                    return int(code)
        return 0

    def judgement(self, code: int) -> Judgement:
        """Return what an exit code says."""
        with os.fdopen(self.heard, "rb") as pipe:
            killer = pipe.read().decode()
        if code in _UNUSABLE:
            msg = f"Expected tests to judge {self.mutant.place}, they ended with {code}"
            raise Unfit(msg)
        if code == _BROKEN:
            status = Status.BROKEN
        elif code < 0:
            status = Status.TIMED_OUT
        else:
            status = Status.SURVIVED if code == 0 else Status.KILLED
        return Judgement(self.mutant, status, len(self.tests), killer)


def _files(tests: Iterable[str]) -> list[str]:
    """Return the files of tests, in the order in which they come first."""
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def _stages(tests: list[str]) -> Iterator[list[str]]:
    """Yield the tests of the best file, which kill most, and then the others."""
    best = _files(tests)[:1]
    first = [test for test in tests if test.partition("::")[0] in best]
    rest = [test for test in tests if test.partition("::")[0] not in best]
    yield from (stage for stage in (first, rest) if stage)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module in its changed form."""

    def __init__(self, name: str, path: str, text: str) -> None:
        self.name, self.loader = name, _Loader(name, path, text)
        self.path = path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the changed module's specification, or none for all others."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self.loader)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a text instead of the file's."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed text."""
        return compile(self.text, self.path, "exec", dont_inherit=True)


class _Watch:
    """Learns what passes, how long it takes, and which lines it runs."""

    def __init__(self, measured: coverage.Coverage, found: Baseline) -> None:
        self.measured, self.found = measured, found

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run one test under its name."""
        self.measured.switch_context(item.nodeid)
        started = time.process_time()
        done = yield
        if item.nodeid not in self.found.failed:
            self.found.seconds[item.nodeid] = time.process_time() - started
        self.measured.switch_context("")
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what fails without any change."""
        if report.failed and report.nodeid not in self.found.failed:
            self.found.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what cannot be collected."""
        if report.failed:
            self.found.failed.append(report.nodeid)


class _Chosen:
    """Runs the chosen tests in their order, and tells which one fails."""

    def __init__(self, tests: list[str], says: int) -> None:
        self.rank = {test: rank for rank, test in enumerate(tests)}
        self.says = says

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop what was not chosen, and sort."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.rank),
            key=lambda item: self.rank[item.nodeid],
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell the parent the name of the test that failed."""
        if report.failed:
            os.write(self.says, report.nodeid.encode())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send what is printed meanwhile to nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = [(os.dup(descriptor), descriptor) for descriptor in (1, 2)]
    for _, descriptor in kept:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for copy, descriptor in kept:
            os.dup2(copy, descriptor)
            os.close(copy)


def _leave(work: Callable[[], int]) -> None:
    """Do a child's work and end it, without what the parent would do at its end."""
    code = _LOST
    try:
        code = int(work())
    finally:
        if code == _LOST:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)
