"""Keep tests honest: nothing skipped, nothing of the developer's machine seen.

Guarantees that a skipped or expectedly failing test fails the session, that no test sees settings
from the environment or from files beside the one who runs it, and that randomized tests are the
same in every run (`--hypothesis-profile explore` looks for new cases). It fails by making a test
fail, never by hiding one.
"""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Run in the background or under nohup, Python starts with SIGINT or SIGHUP ignored, and so would
# all that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

KEPT_NAMES = {"HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ"}
"""What a test may see of the environment: what a process needs, and no setting of Arbees."""
KEPT_PREFIXES = (
    *("LC_", "LD_", "DYLD_", "XDG_"),
    *("COVERAGE", "COV_", "HYPOTHESIS", "MUTANT", "PYTEST", "PYTHON", "VIRTUAL_ENV"),
)
"""The same, by their beginnings: locale, loader and the test tools' own."""

settings.register_profile(
    "check",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("check"), derandomize=False, max_examples=1000
)
settings.load_profile("check")


def is_kept(name: str) -> bool:
    """Return whether a test may see this variable of the environment."""
    return name in KEPT_NAMES or name.startswith(KEPT_PREFIXES)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def empty_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that holds no `.env`, no `arbees.toml` and no data."""
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(autouse=True)
def _clean_surroundings(empty_directory: Path) -> Iterator[None]:
    """Hide the environment's settings and the current directory's files from every test."""
    hidden = {name: value for name, value in os.environ.items() if not is_kept(name)}
    for name in hidden:
        del os.environ[name]
    before = Path.cwd()
    os.chdir(empty_directory)
    yield
    os.chdir(before)
    for name in [name for name in os.environ if not is_kept(name)]:
        del os.environ[name]
    os.environ.update(hidden)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped or expectedly failing test into a failure."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into an error."""
    report = yield
    _forbid_skip(report)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Fail a report that says skipped, and keep the reason that it gave."""
    if not report.skipped:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if isinstance(report, pytest.TestReport) and hasattr(report, "wasxfail"):
        reason = f"expected failure: {report.wasxfail}"
        del report.wasxfail
    report.outcome = "failed"
    report.longrepr = f"Expected every test to run, {report.nodeid} did not: {reason}"
