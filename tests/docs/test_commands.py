"""What the README and the tutorial say is typed, and what they show is seen."""

import socket
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, Reader, blocks_of, holds


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def walk(page: Path, folder: Path, *, is_cloned: bool) -> int:
    """Type every command of a page, compare what it shows, and return how many blocks it had."""
    with Reader(folder, free_port()) as reader:
        if is_cloned:
            reader.clone()
        printed, count = "", 0
        for block in blocks_of(page):
            if block.language in {"sh", "console"}:
                printed = reader.type(block.text)
                count += 1
            elif block.language == "text":
                missing = holds(printed, block.text)
                assert missing is None, f"{page.name} shows {missing!r}, printed was\n{printed}"
        return count


def test_the_readme(tmp_path: Path) -> None:
    """Every command of the README works as typed, in two terminals, from the clone on."""
    assert walk(ROOT / "README.md", tmp_path, is_cloned=False) == 2


def test_the_tutorial(tmp_path: Path) -> None:
    """Every command of the tutorial works as typed, and prints what the page shows."""
    assert walk(DOCS / "tutorial.md", tmp_path, is_cloned=True) >= 10


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
