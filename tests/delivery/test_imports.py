"""What the code imports is asked for: nothing works because something else brought it along."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = PROJECT["project"]["dependencies"]
DEV = PROJECT["dependency-groups"]["dev"]
OURS = {"arbees", "verification", "tests", "tools", "benchmarks"}
PEER, BROWSER = (
    (ROOT / folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for folder in ("benchmarks/peer", "verification/browser")
)
"""What the stack that Arbees is compared with, and the browser, import in their environments."""
OTHERWISE = {"yaml": "pyyaml", "_pytest": "pytest"}
"""Modules whose package is called something else."""


def asked_for(lines: list[str]) -> set[str]:
    """Return the names of packages as modules are called."""
    found = {re.match(r"[A-Za-z0-9._-]+", line) for line in lines}
    return {match.group().lower().replace("-", "_") for match in found if match}


def imported(folder: Path) -> dict[str, str]:
    """Return each module from outside that a folder imports, with a file that does."""
    found: dict[str, str] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                module = name.split(".")[0]
                if module not in OURS and module not in sys.stdlib_module_names:
                    found[OTHERWISE.get(module, module)] = path.relative_to(ROOT).as_posix()
    return found


@pytest.mark.parametrize(
    ("folder", "lines"),
    [
        ("src", RUN),
        ("tests", RUN + DEV),
        ("tools", RUN + DEV),
        ("verification", RUN + DEV + BROWSER),
        ("benchmarks", RUN + DEV + PEER),
    ],
)
def test_imports_are_asked_for(folder: str, lines: list[str]) -> None:
    """Every package that a folder imports stands in pyproject.toml, where this folder needs it."""
    missing = {
        module: path
        for module, path in imported(ROOT / folder).items()
        if module not in asked_for(lines)
    }
    assert not missing, missing


def test_what_is_asked_for_is_imported() -> None:
    """No dependency of the running gateway is idle."""
    idle = asked_for(RUN) - imported(ROOT / "src").keys() - {"tzdata"}
    assert not idle, idle
