"""The rules that keep tests honest hold: checked on a small session of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DISHONEST = """
import pytest

@pytest.mark.skip(reason="no server")
def test_marked(): ...

def test_calls_skip():
    pytest.skip("no data")

@pytest.mark.xfail(reason="known")
def test_expected_failure():
    assert False
"""


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on one file under a copy of our conftest."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_skips_and_expected_failures_fail(tmp_path: Path) -> None:
    """A test that is skipped or expected to fail counts as failed, with its reason shown."""
    result = run(tmp_path, DISHONEST)
    assert result.returncode == 1
    assert "2 failed, 1 error" in result.stdout
    for reason in ("no server", "no data", "expected failure: known"):
        assert reason in result.stdout


def test_skipped_module_fails(tmp_path: Path) -> None:
    """A module that skips itself because something is missing stops the session."""
    result = run(tmp_path, "import pytest\npytest.importorskip('surely_not_there')\n")
    assert result.returncode != 0
    assert "Expected every test to run" in result.stdout


def test_honest_session_passes(tmp_path: Path) -> None:
    """A test that runs and passes is left alone."""
    assert run(tmp_path, "def test_it(): ...\n").returncode == 0


def test_surroundings_are_clean() -> None:
    """Neither settings of the environment nor files of the checkout reach a test."""
    assert not [name for name in os.environ if name.startswith(("ARBEES", "MAX_", "PAPER_"))]
    assert list(Path.cwd().iterdir()) == []


async def test_async_tests_run(anyio_backend: str) -> None:
    """An asynchronous test needs no mark and runs on asyncio."""
    assert anyio_backend == "asyncio"


@pytest.mark.parametrize("name", ["PATH", "PYTEST_CURRENT_TEST"])
def test_process_keeps_what_it_needs(name: str) -> None:
    """What a process needs to run stays in the environment."""
    assert name in os.environ
