"""Style is executed, not remembered: the rules of `rules.py`, applied to the whole checkout."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from tests import rules

T = TypeVar("T", str, ast.Module)
ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "tests", "tools", "benchmarks", "docs", ".ci")
MADE = {"_build", "__pycache__"}
"""Folders that commands make; nobody writes in them."""

SUPERVISOR = "src/arbees/runtime/supervisor.py"
UNITS = "src/arbees/core/language/units.py"
TEXT_RULES = (rules.unfinished, rules.machine_paths)
CODE_TEXT_RULES = (rules.long_lines, rules.long_module)
CODE_RULES: tuple[rules.Rule, ...] = (
    rules.module_docstring,
    rules.long_functions,
    rules.swallowed_errors,
)
OWN_RULES: tuple[rules.Rule, ...] = (rules.long_classes, rules.vague_names, rules.short_aliases)
"""Of what is shipped and what verifies it."""
SHARED_CLASSES = {
    **dict.fromkeys(
        ("Alternate", "Event", "Execution", "Leg", "Line", "Problem", "Request", "Result"),
        "the client's own view of it, with Python's types",
    ),
    "Gateway": "the port, and what a program gets that runs one itself",
    "Market": "the safeguard that looks at it",
    "Stream": "one for each kind of client",
    "VenueHealth": "the safeguard that looks at it",
}
"""Names of classes that stand for one thing in two places, and why."""
PURE_RULES: tuple[rules.Rule, ...] = (rules.floats, rules.ambient, rules.set_order)


@cache
def files(pattern: str) -> tuple[Path, ...]:
    """Return the files of the checkout that people write, by a glob on their names."""
    found = [path for path in ROOT.glob(pattern) if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        found += [
            path
            for path in (ROOT / folder).rglob(pattern)
            if path.is_file() and not MADE & set(path.parts)
        ]
    return tuple(sorted(found))


@cache
def text_of(path: Path) -> str:
    """Return the text of a file, or nothing where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(text_of(path), filename=str(path))


def name_of(path: Path) -> str:
    """Return a path as people write it."""
    return path.relative_to(ROOT).as_posix()


def check(
    rule: Callable[[T], Iterator[str]], paths: tuple[Path, ...], read: Callable[[Path], T]
) -> None:
    """Assert that a rule has nothing to say about files; show each complaint with its place."""
    complaints = [f"{name_of(path)}:{said}" for path in paths for said in rule(read(path))]
    assert not complaints, "\n" + "\n".join(complaints)


def in_folder(*folders: str) -> tuple[Path, ...]:
    """Return the modules below folders."""
    return tuple(path for path in files("*.py") if name_of(path).startswith(folders))


@pytest.mark.parametrize("rule", TEXT_RULES)
def test_text(rule: Callable[[str], Iterator[str]]) -> None:
    """No file holds unfinished work, a path of one machine or a host of a registry."""
    paths = tuple(path for path in files("*") if path.name != "rules.py")
    check(rule, paths, text_of)


@pytest.mark.parametrize("rule", CODE_TEXT_RULES)
def test_code_text(rule: Callable[[str], Iterator[str]]) -> None:
    """Lines and modules are short enough to be read at once."""
    check(rule, files("*.py"), text_of)


@pytest.mark.parametrize("rule", CODE_RULES)
def test_code(rule: rules.Rule) -> None:
    """Modules say what they guarantee, functions do one thing, no error is swallowed."""
    check(rule, files("*.py"), tree_of)


@pytest.mark.parametrize("rule", OWN_RULES)
def test_own_code(rule: rules.Rule) -> None:
    """Classes have one responsibility, and names are the field's own."""
    check(rule, in_folder("src/", "verification/"), tree_of)


def test_a_part_is_given_what_it_uses() -> None:
    """Nothing is assigned to a part after it was made, and no hook stands in for a missing one."""
    rooms = ("src/arbees/wiring/", "src/arbees/runtime/", "src/arbees/rehearsal/drills/")
    check(rules.late_parts, in_folder(*rooms), tree_of)


def test_a_folder_is_a_room() -> None:
    """A folder holds few modules; one file a safeguard is a list (decision 0011)."""
    count = Counter(path.parent for path in in_folder("src/arbees/") if path.stem != "__init__")
    crowded = {name_of(folder): n for folder, n in count.items() if n > rules.FOLDER_MODULES_MAX}
    assert crowded.keys() <= {"src/arbees/safeguards"}, crowded


def test_a_class_name_means_one_thing() -> None:
    """No two classes have the same name, but for those that are the same thing."""
    places: dict[str, set[str]] = {}
    for path in in_folder("src/", "verification/"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(name_of(path))
    found = {name: where for name, where in places.items() if len(where) > 1}
    assert found.keys() == SHARED_CLASSES.keys(), found


def test_modules_have_names_of_the_field() -> None:
    """No module is called by a word that says little."""
    bad = [
        name_of(path)
        for path in in_folder("src/", "verification/")
        if rules.VAGUE_WORDS & set(path.stem.split("_"))
    ]
    assert bad == []


def test_no_module_waits_for_itself() -> None:
    """What modules import when they are loaded has no circle."""
    modules = {module_of(path): path for path in in_folder("src/", "verification/")}
    imports = {
        name: {
            full if (full := f"{node.module}.{alias.name}") in modules else node.module or ""
            for node in tree_of(path).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        & modules.keys() - {name}
        for name, path in modules.items()
    }
    assert sum(map(len, imports.values())) > len(modules)
    assert list(rules.circles(imports)) == []


def module_of(path: Path) -> str:
    """Return the name by which a module is imported."""
    parts = [part for part in path.relative_to(ROOT).with_suffix("").parts if part != "src"]
    return ".".join(part for part in parts if part != "__init__")


def test_only_the_supervisor_catches_everything() -> None:
    """Everywhere else a handler names the errors that it means."""
    paths = tuple(path for path in files("*.py") if name_of(path) != SUPERVISOR)
    check(rules.broad_handlers, paths, tree_of)


@pytest.mark.parametrize("rule", PURE_RULES)
def test_what_decides_is_exact_and_pure(rule: rules.Rule) -> None:
    """In core and safeguards there is no float, no clock, no chance and no order of a set."""
    paths = in_folder("src/arbees/core/", "src/arbees/safeguards/")
    assert paths
    check(rule, paths, tree_of)


def test_divisions_name_their_rounding() -> None:
    """In core and safeguards only `core/language/units.py` divides."""
    paths = in_folder("src/arbees/core/", "src/arbees/safeguards/")
    paths = tuple(path for path in paths if name_of(path) != UNITS)
    check(rules.divisions, paths, tree_of)


def test_tests_state_the_behaviour() -> None:
    """Every test function has a docstring."""
    check(rules.untold_tests, in_folder("tests/"), tree_of)


def test_names_say_what_is_inside() -> None:
    """No file or folder has a name that could hold anything."""
    bad = [
        name_of(path)
        for path in files("*")
        if rules.BANNED_NAMES & {Path(part).stem.lower() for part in path.relative_to(ROOT).parts}
    ]
    assert bad == []


def test_pages_have_one_title() -> None:
    """Every page, in docs and at the top, has exactly one title."""
    check(rules.titles, files("*.md"), text_of)


def test_decisions_are_numbered_without_gaps() -> None:
    """Records of decisions in docs/adr are numbered 0001, 0002, ... each number once."""
    here = [path.name for path in files("*.md") if path.parent == ROOT / "docs" / "adr"]
    numbers = [name[:4] for name in here if name != "index.md"]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
