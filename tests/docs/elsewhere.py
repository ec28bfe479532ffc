"""Commands on pages that no test can type, each with the reason, and what is checked instead.

Guarantees that this is the one place where a command is excused: everything else on a page is run.
An entry that excuses nothing fails its test. It fails by a command that neither runs nor is here.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.docs.spoken import wrong_in

ROOT = Path(__file__).resolve().parents[2]
_OURS = re.compile(
    r"\b(?:deploy|tests|tools|docs|examples|benchmarks|src)/[\w./-]*\w|\bDockerfile\b"
)
_WORD = re.compile(r"\bmake ([a-z-]+)")


class Elsewhere(NamedTuple):
    """A kind of command that is not typed here."""

    pattern: str
    """Matches the command from its beginning, behind `sudo`."""
    reason: str
    check: Callable[[str], str | None]
    """Says what is wrong with a command, None if nothing is."""


def files_are_there(command: str) -> str | None:
    """Look up every file of ours that a command names."""
    missing = [name for name in _OURS.findall(command) if not (ROOT / name).exists()]
    return f"no such file: {missing}" if missing else None


def word_is_there(command: str) -> str | None:
    """Look up the word that `make` is given."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    missing = [
        word for word in _WORD.findall(command) if not re.search(rf"(?m)^{word}:.*##", makefile)
    ]
    return f"no such word: {missing}" if missing else None


def container_is_right(command: str) -> str | None:
    """Look up the files of ours that a command names, and what it runs in the container."""
    whole = command.replace("\\\n", " ")
    inside = re.search(r"(?:gateway|--rm arbees) +(?:arbees )?(.*)$", whole)
    said = wrong_in(inside.group(1).split()) if inside and "touch" not in command else None
    return files_are_there(command) or said


def arguments_are_right(command: str) -> str | None:
    """Parse what a command of ours is given."""
    return wrong_in(command.split()[1:])


ALL = (
    Elsewhere(
        r"arbees restore ",
        "needs the gateway stopped, which a page cannot do here; its own test types it",
        arguments_are_right,
    ),
    Elsewhere(
        r"make (browser|demo-kalshi|test|bench|mutants|torture|recorded|docs|dist|release"
        r"|fuzz|fuzz-kalshi|hostile|load|mechanisms|replay)\b",
        "takes minutes, or builds what the tests of delivery build; CI runs those that it needs",
        word_is_there,
    ),
    Elsewhere(
        r"\.venv/bin/pytest ", "is the test command itself, with other options", files_are_there
    ),
    Elsewhere(
        r"docker ",
        "needs a builder, a registry and a daemon; tests/delivery/test_image.py reads the recipe",
        container_is_right,
    ),
    Elsewhere(
        r"(systemctl|systemd-analyze|journalctl|timedatectl) ?",
        "needs systemd as the first process; tests/delivery/test_service.py checks the unit, and "
        "the tests of the pages play start, stop and restart",
        files_are_there,
    ),
    Elsewhere(
        r"(useradd|install|python3 -m venv /opt|/opt/arbees/bin/pip) ?",
        "changes the machine outside the checkout; tests/delivery/test_distributions.py installs "
        "the wheel into an environment of its own",
        files_are_there,
    ),
    Elsewhere(r"ssh ", "needs a second machine", files_are_there),
    Elsewhere(
        r"sqlite3 -readonly ",
        "opens a shell for queries; each query on the pages is run by its own test",
        files_are_there,
    ),
)


def entry_for(command: str) -> Elsewhere | None:
    """Return the entry that excuses a command, None if it has to run."""
    bare = command.strip().removeprefix("sudo ")
    return next((entry for entry in ALL if re.match(entry.pattern, bare)), None)
