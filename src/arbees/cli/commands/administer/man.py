"""`arbees man`: the manual page, from the same texts as `--help`.

Guarantees that every command with its parameters, exit codes and examples stands there. The page is
plain roff with the `man` macros; what a text holds is escaped, so that no line of it is a request.
"""

import re
import sys
from collections.abc import Iterable, Iterator

from cyclopts import App

from arbees import __version__
from arbees.cli.shared.exits import MEANINGS, Exit
from arbees.cli.shared.texts import CommandPage, Taken, pages
from arbees.core.language.setting import settings_of
from arbees.safeguards.kill_switch import KillSwitch

KILL_FILE = settings_of(KillSwitch)["kill_switch_file"].default
FILES = (
    (".env", "Settings, NAME=value lines."),
    ("arbees.toml", "Settings with structure."),
    ("var/arbees-paper.db", "The journal (JOURNAL_PATH)."),
    (KILL_FILE, "Halts everything while it exists (KILL_SWITCH_FILE)."),
)
ENVIRONMENT = (
    ("ARBEES_URL", "Where the gateway is; unset = HTTP_HOST and HTTP_PORT."),
    ("ARBEES_API_KEY", "Key that the command line shows to the gateway."),
    ("NO_COLOR", "Set to anything, no colour, on terminals too."),
    ("arbees config show", "Names every setting, each of which may be set in the environment."),
)

app = App(name="man")


@app.default
def man() -> int:
    """Print the manual page, in roff.

    Example: `arbees man | man -l -`

    Example: `arbees man > ~/.local/share/man/man1/arbees.1`
    """
    from arbees.cli.main import build

    sys.stdout.write(manual(list(pages(build()))))
    return Exit.OK


def manual(every: list[CommandPage]) -> str:
    """
    Return the manual page.

    Args:
        every: the pages of all commands, the whole command's first.
    """
    whole, *commands = every
    lines = [
        f'.TH ARBEES 1 "" "Arbees {__version__}" "Arbees"',
        ".SH NAME",
        f"arbees \\- {_text(whole.said.sentence[0].lower() + whole.said.sentence[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B arbees",
        "COMMAND [OPTIONS]",
        ".SH DESCRIPTION",
        "Data goes to stdout, messages to stderr;",
        "\\fB\\-\\-json\\fR is taken by all that reads.",
        ".SH COMMANDS",
    ]
    for page in commands:
        if not page.is_group:
            lines += _command(page)
    lines += [".SH EXIT STATUS", *_list((str(int(code)), text) for code, text in MEANINGS.items())]
    lines += [".SH ENVIRONMENT", *_list(ENVIRONMENT), ".SH FILES", *_list(FILES)]
    lines += [".SH EXAMPLES", *_examples(whole.said.examples)]
    return "\n".join(lines) + "\n"


def _command(page: CommandPage) -> Iterator[str]:
    yield f".SS {_text(page.usage)}"
    yield from _paragraphs([page.said.sentence, *page.said.more])
    yield from _list((_typed(each), _meaning(each)) for each in page.taken)
    yield from _paragraphs([page.said.ends] if page.said.ends else [])
    yield from _examples(page.said.examples)


def _typed(taken: Taken) -> str:
    return ", ".join(taken.names) + (f" {taken.value}" if taken.value and taken.is_option else "")


def _meaning(taken: Taken) -> str:
    default = f" [{taken.default}]" if taken.default else ""
    return f"{taken.about}{default}"


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield ".PP"
        yield _text(text)


def _list(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in entries:
        yield ".TP"
        yield f".B {_text(name)}"
        yield _text(text)


def _examples(examples: Iterable[str]) -> Iterator[str]:
    for example in examples:
        yield from (".PP", ".RS", ".nf", _text(example), ".fi", ".RE")


def _text(text: str) -> str:
    """Return a text as roff reads it: backslashes, dashes and quotes as they stand."""
    plain = re.sub(r"`([^`]*)`", r"\1", text)
    escaped = plain.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    escaped = escaped.replace('"', "\\(dq").replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
