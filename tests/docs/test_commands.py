"""What the pages say is typed, and what they show is seen: every command of every page."""

import re
from pathlib import Path

import pytest

from tests.docs import elsewhere
from tests.docs.pages import (
    SHELL,
    Block,
    blocks_of,
    commands_of,
    holds,
    is_open,
    name_of,
    pages,
    typed,
)
from tests.docs.reader import RUNS, Reader


def is_run(block: Block) -> bool:
    """Return whether something in a block is run: a command that is not excused, or Python."""
    if block.language not in SHELL:
        return block.language == "python"
    return any(elsewhere.entry_for(command.text) is None for command in commands_of(block.text))


PAGES = [page for page in pages() if any(is_run(block) for block in blocks_of(page))]


def starts_alone(blocks: list[Block]) -> bool:
    """Return whether a page starts its gateway itself, so that none runs when it is opened."""
    return any(
        command.text.strip() in RUNS and not command.promised
        for block in blocks
        if block.language in SHELL
        for command in commands_of(block.text)
    )


def walk(page: Path, folder: Path) -> None:
    """Type and run everything of a page; compare what it shows."""
    blocks = blocks_of(page)
    is_fresh = any("git clone" in block.text for block in blocks if block.language in SHELL)
    with Reader(folder) as reader:
        if not starts_alone(blocks):
            reader.settle()
        elif not is_fresh:
            reader.clone()
        printed: str | None = None
        for block in blocks:
            if block.language in SHELL:
                printed = reader.type(block.text)
            elif block.language == "python":
                printed = reader.run_python(block.text)
            elif block.language == "text" and printed is not None:
                missing = holds(printed, block.text)
                assert missing is None, f"{page.name} shows {missing!r}, printed was\n{printed}"
            else:
                printed = None


@pytest.mark.timeout(300)  # a page is a whole session of somebody's, beside other tests
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_runs(page: Path, tmp_path: Path) -> None:
    """All commands of a page work as typed, in its order, and print what the page shows."""
    walk(page, tmp_path)


def test_what_is_not_typed_is_right_otherwise() -> None:
    """A command that is excused names files and words that are there."""
    wrong = []
    for page, command in typed():
        entry = elsewhere.entry_for(command)
        said = None if entry is None else entry.check(command)
        if said is not None:
            wrong.append(f"{page}: {command}: {said}")
    assert not wrong, wrong


def test_every_excuse_is_needed() -> None:
    """An entry of the list that excuses no command is none."""
    commands = [command.strip().removeprefix("sudo ") for _, command in typed()]
    idle = [
        entry.pattern
        for entry in elsewhere.ALL
        if not any(re.match(entry.pattern, command) for command in commands)
    ]
    assert not idle, idle


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("one\nthree", None),
        ("one ... two", None),
        ("three\none", "one"),
        ("four", "four"),
        ("one  two", None),
    ],
)
def test_comparing_what_was_printed(shown: str, missing: str | None) -> None:
    """Lines must be there in order; `...` and blanks may differ."""
    assert holds("one two\n  three\n", shown) == missing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  # exit 3\nb\n", [("a", 3), ("b", 0)]),
        ("# a remark\n\na  # b\n", [("a  # b", 0)]),
        ("a '{\n}'  # exit 4: so\nb\n", [("a '{\n}'", 4), ("b", 0)]),
        ("a \\\n  b\n", [("a \\\n  b", 0)]),
        ("cat > f <<'E'  \nit's\nE\nb\n", [("cat > f <<'E'  \nit's\nE", 0), ("b", 0)]),
    ],
)
def test_finding_commands(text: str, expected: list[tuple[str, int]]) -> None:
    """A command may span lines by a quote, a backslash or a document; remarks are none."""
    assert list(commands_of(text)) == expected
    assert not any(is_open(command) for command, _ in expected)
