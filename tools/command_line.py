"""Write down the command line: a page of the reference, and the manual page.

Guarantees that both say what `--help` says: all are made from the commands' docstrings and
parameters (`arbees.cli.shared.texts`). A test compares the committed files, and looks for every
command and option. `python -m tools.command_line` writes them anew below the current directory.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from arbees.cli.command_list import COMMANDS, GROUPS
from arbees.cli.commands.administer.man import manual
from arbees.cli.main import build
from arbees.cli.shared.exits import MEANINGS
from arbees.cli.shared.texts import CommandPage, Taken, pages

COMMAND_LINE_PAGE = Path("docs/reference/command-line.md")
MANUAL_PAGE = Path("docs/man/arbees.1")

_HEAD = """\
# Command line

`arbees COMMAND --help` shows each command with its options and examples; `arbees man` prints all of
this as a manual page. Data goes to stdout, messages to stderr. `--json` prints JSON on everything
that reads. Colour is there on terminals alone; `NO_COLOR=1` turns it off there too.

Commands that speak to the gateway find it by `ARBEES_URL`, else by `HTTP_HOST` and `HTTP_PORT`,
from the environment, `.env` or `arbees.toml` in the current directory. `ARBEES_API_KEY` is sent as
a bearer where it is set.

`arbees completion --install` lets bash, zsh or fish complete commands, options and files.

## Exit codes

| code | means |
|---|---|
"""


def every_page() -> list[CommandPage]:
    """Return the pages of all commands, the whole command's first."""
    return list(pages(build()))


def command_line_page() -> str:
    """Return the text of the page on the command line."""
    every = every_page()
    parts = [_HEAD + "\n".join(f"| {code:d} | {text} |" for code, text in MEANINGS.items())]
    overview = ["## Commands", "", "| | |", "|---|---|"]
    for group in GROUPS:
        names = [f"`arbees {name}`" for name, each in COMMANDS.items() if each.group == group]
        overview.append(f"| {group} | {', '.join(names)} |")
    parts.append("\n".join(overview))
    for page in every[1:]:
        parts += _section(page)
    return "\n\n".join(parts) + "\n"


def _section(page: CommandPage) -> Iterator[str]:
    yield f"{'#' * (1 + len(page.words))} `arbees {' '.join(page.words)}`"
    if page.is_group:
        yield page.said.sentence
        return
    yield f"Usage: `{page.usage}`"
    yield from (page.said.sentence, *page.said.more)
    if page.taken:
        yield "\n".join(["| | |", "|---|---|", *(_row(each) for each in page.taken)])
    if page.said.ends:
        yield page.said.ends
    label = "Examples" if len(page.said.examples) > 1 else "Example"
    yield "\n".join([f"{label}:", "", *(f"- `{example}`" for example in page.said.examples)])


def _row(taken: Taken) -> str:
    value = f" {taken.value}" if taken.value and taken.is_option else ""
    names = ", ".join(f"`{name}{value}`" for name in taken.names).replace("|", "\\|")
    needed = "; required" if taken.is_required and taken.is_option else ""
    default = f"; `{taken.default}` unless given" if taken.default else ""
    return f"| {names} | {taken.about.rstrip('.')}{needed}{default} |"


def manual_page() -> str:
    """Return the text of the manual page."""
    return manual(every_page())


PAGES = {COMMAND_LINE_PAGE: command_line_page, MANUAL_PAGE: manual_page}


def write(folder: Path) -> None:
    """Write all pages below a folder."""
    for path, page in PAGES.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path())
    sys.stdout.write("".join(f"{path}\n" for path in PAGES))
