"""Pages as tests read them: links, fenced blocks, and the commands in them.

Guarantees that what is found is what a reader sees: prose without blocks, blocks in their order,
and each command whole, also where it spans lines. It fails where a block never ends.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SHELL = frozenset({"sh", "console", "bash", "shell"})
"""Languages of blocks that are typed."""
_FENCE = re.compile(r"(?ms)^( *)(?:```|~~~)([\w{}-]*)[^\n]*\n(.*?)^\1(?:```|~~~)$")
_EXIT = re.compile(r"\s+# exit (\d+)\b.*$", re.MULTILINE)
_HERE = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str


class Command(NamedTuple):
    """A command with the exit code that the page promises, 0 unless told."""

    text: str
    promised: int


def pages() -> list[Path]:
    """Return every page that people read: those of the top, and those in docs."""
    found = [path for path in ROOT.glob("*.md") if path.is_file()]
    found += [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    return sorted(found)


def name_of(page: Path) -> str:
    """Return a page's name as people write it."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [
        Block(language, "".join(line.removeprefix(indent) for line in text.splitlines(True)))
        for indent, language, text in found
    ]


def prose_of(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def commands_of(text: str) -> Iterator[Command]:
    """Yield each command of a block."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = line
        while is_open(whole):
            following = next(lines, None)
            assert following is not None, f"never ends: {whole}"
            whole += "\n" + following
        promised = _EXIT.search(whole)
        yield Command(_EXIT.sub("", whole), int(promised.group(1)) if promised else 0)


def is_open(text: str) -> bool:
    """Return whether a command goes on in the next line: a quote, a backslash, or a document."""
    here = _HERE.search(text)
    if here is not None:
        return not re.search(rf"(?m)\n\s*{here.group(1)}$", text)
    if text.endswith("\\"):
        return True
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return False


def typed() -> Iterator[tuple[str, str]]:
    """Yield every command of every page, with the page's name."""
    for page in pages():
        for block in blocks_of(page):
            if block.language in SHELL:
                for command in commands_of(block.text):
                    yield name_of(page), command.text


def holds(printed: str, shown: str) -> str | None:
    """
    Return the first line of a block that was not printed, None if all were, in order.

    Args:
        printed: what commands printed.
        shown: what the page shows of it; `...` stands for anything within a line, blanks are not
            compared.
    """
    rest = " ".join(printed.split())
    for line in shown.splitlines():
        parts = [" ".join(part.split()) for part in line.split("...")]
        for part in parts:
            place = rest.find(part)
            if place < 0:
                return line
            rest = rest[place + len(part) :]
    return None
