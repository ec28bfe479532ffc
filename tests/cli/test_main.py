"""What goes wrong ends with one message and the right exit code."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclopts import App

from arbees import __version__
from arbees.cli.command_list import COMMANDS
from arbees.cli.main import build, main, run
from arbees.cli.shared.exits import (
    WORST_LAST,
    Exit,
    of_problem,
    worse,
)
from arbees.cli.shared.texts import pages
from arbees.errors import ConfigurationError, JournalCorrupt, LeaseLost

Capture = pytest.CaptureFixture[str]
SOURCE = str(Path(__file__).parents[2] / "src")


def python(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run Python on this package in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": SOURCE, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_version(capsys: Capture) -> None:
    """The version is data."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(words: list[str], capsys: Capture) -> None:
    """The help names each command and the exit codes."""
    assert main(words) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)
    assert "69" in said


WITHOUT_JSON = {"init", "demo", "run", "completion", "man", "exchange"}
"""Commands that read nothing of a gateway, or run for long."""
LEAVES = [page.words for page in pages(build()) if not page.is_group]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_shows_an_example(words: tuple[str, ...], capsys: Capture) -> None:
    """Whoever asks for help sees how it is typed, behind everything else, in 80 columns."""
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr().out
    assert re.search(rf"╭─ Examples ─.*arbees {' '.join(words)}", " ".join(said.split()))
    assert "Example:" not in said
    assert "[default: None]" not in said
    assert "[default: ()]" not in said
    assert "--empty-" not in said
    assert max(len(line) for line in said.splitlines()) <= 80


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["status", "--jsn"],
        ["kill"],
        ["kill", "of"],
        ["submit"],
        ["submit", "a", "b"],
        ["submit", "a", "--wait", "soon"],
        ["play"],
        ["play", "--quotes", "q", "--seed", "x"],
    ],
    ids=" ".join,
)
def test_usage_is_2(words: list[str], capsys: Capture) -> None:
    """What is typed wrongly ends with 2, and says where to read on."""
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r"Try: arbees .*--help", said.err)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigurationError("Expected x", setting="A", value="b", fix="Do y"), 78, "A: Expected x"),
        (JournalCorrupt("the chain is broken", sequence=7), 65, "record 7: the chain"),
        (LeaseLost(), 1, "Another writer"),
        (PermissionError(13, "Permission denied", "/x"), 77, "/x"),
        (FileNotFoundError(2, "No such file", "/x"), 1, "/x"),
        (KeyboardInterrupt(), 130, "Interrupted"),
    ],
)
def test_faults(error: BaseException, code: int, text: str, capsys: Capture) -> None:
    """Each fault ends with its own code and one message on stderr."""
    assert run(_raising(error), []) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert text in said.err
    assert "Traceback" not in said.err


def test_bug_shows_its_trace() -> None:
    """A bug is not hidden behind a message."""
    with pytest.raises(ZeroDivisionError):
        run(_raising(ZeroDivisionError()), [])


def _raising(error: BaseException) -> App:
    def fail() -> None:
        raise error

    app = App(suppress_keyboard_interrupt=False)
    app.default(fail)
    return app


@pytest.mark.parametrize("result", [None, "text"])
def test_command_without_a_code_ends_with_0(result: object) -> None:
    """Help and version have no code of their own."""
    app = App()
    command: Callable[[], object] = lambda: result  # noqa: E731 - one line
    app.default(command)
    assert run(app, []) == 0


def test_bad_settings_are_78(capsys: Capture) -> None:
    """A malformed setting refuses to run, and names the setting."""
    os.environ["MAX_ORDER_SIZE"] = "abc"
    for words in (["run"], ["submit", "-"], ["audit", "verify"]):
        assert main(words) == 78
        assert "MAX_ORDER_SIZE" in capsys.readouterr().err


def test_optimized_python_is_refused() -> None:
    """Without assertions nothing starts."""
    for found in (
        python("-O", "-m", "arbees", "status"),
        python("-m", "arbees", PYTHONOPTIMIZE="1"),
    ):
        assert (found.returncode, found.stdout) == (78, "")
        assert "python -O" in found.stderr


def test_closed_pipe_ends_quietly() -> None:
    """A reader that has seen enough is no fault."""
    command = f"{sys.executable} -m arbees config show; echo $? >&2"
    found = subprocess.run(
        ["bash", "-c", f"({command}) | head -c 1"],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in found.stderr
    assert found.stderr.strip() in {"0", "141"}


def test_module_is_the_command() -> None:
    """`python -m arbees` is `arbees`, on a pipe without colour."""
    found = python("-m", "arbees", "--version")
    assert (found.returncode, found.stdout.strip()) == (0, __version__)
    shown = python("-m", "arbees", "--help")
    assert "\x1b" not in shown.stdout


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 77), (403, 77), (404, 1), (413, 2), (415, 2), (429, 5), (500, 1), (503, 5)],
)
def test_of_problem(status: int, code: int) -> None:
    """Each status of an error has its exit code."""
    assert of_problem(status) == code


def test_worse() -> None:
    """An unknown outcome is the worst that can be, a denial the least."""
    assert worse(Exit.OK, Exit.DENIED) is Exit.DENIED
    assert worse(Exit.UNKNOWN, Exit.UNREACHABLE) is Exit.UNKNOWN
    assert WORST_LAST[0] is Exit.OK


def test_every_command_of_the_interface_exists() -> None:
    """What others were promised is there, and whatever reads prints JSON too."""
    promised = (
        "init doctor config authorize demo run play replay submit status top kill orders cancel "
        "positions balances safeguards explain reconcile audit alerts cashflow keys report "
        "preflight drill exchange"
    )
    assert set(promised.split()) - set(COMMANDS) == set()
    silent = {
        page.words
        for page in pages(build())
        if not page.is_group and not any("--json" in each.names for each in page.taken)
    }
    assert {words[0] for words in silent} == WITHOUT_JSON


def test_commands_are_apps() -> None:
    """Each command is found where its name says."""
    app = build()
    assert [name for name in COMMANDS if name not in set(app)] == []
