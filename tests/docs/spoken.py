"""What pages say of `arbees ...`: whether it could be typed.

Guarantees that a command, a sub-command or an option that is none is found by asking the command
line itself, without running anything. It fails by saying too little: values are not looked at.
"""

import importlib
import re
from collections.abc import Iterator
from functools import cache

from cyclopts import App

from arbees.cli.command_list import COMMANDS


@cache
def application(name: str) -> App:
    """Return the application of a command."""
    found: App = importlib.import_module(COMMANDS[name].module(name)).app
    return found


def options_of(app: App) -> set[str]:
    """Return the options of a command, those that every command has among them."""
    known = {"--help", "-h", "--version"}
    if app.default_command is not None:
        for argument in app.assemble_argument_collection():
            known |= {name for name in argument.names if name.startswith("-")}
    return known


def wrong_in(words: list[str]) -> str | None:
    """Say what is wrong with `arbees WORDS`; None if it could be typed."""
    if not words or not re.fullmatch("[a-z]+", words[0]):
        return None
    name, *rest = words
    if name not in COMMANDS:
        return f"no command {name}"
    app = application(name)
    below = {each for each in app if not each.startswith("-")}
    chosen = [app]
    if below and rest and re.fullmatch(r"[a-z|-]+", rest[0]) and not rest[0].startswith("-"):
        named = rest[0].split("|")
        missing = [each for each in named if each not in below]
        if missing:
            return f"no command {name} {missing[0]}"
        chosen = [app[each] for each in named]
    elif below:
        chosen += [app[each] for each in below]
    known = set().union(*(options_of(each) for each in chosen))
    for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(rest)):
        if option not in known:
            return f"{name} has no option {option}"
    return None


def spoken(text: str) -> Iterator[list[str]]:
    """Yield the words behind each `arbees` of a command or of a phrase."""
    for part in re.split(r"&&|\|\||(?<=\s)\|(?=\s)|;|\n|#|\"[^\"]*\"", text):
        found = re.search(r"(?:^|[\s/(])arbees ([a-z].*)$", part.strip())
        if found:
            yield [word.strip("[]`,.") for word in found.group(1).split()]


def arguments() -> set[str]:
    """Return the names that help puts in place of what is typed: `ORDER_ID`."""
    found: set[str] = set()
    for name in COMMANDS:
        app = application(name)
        for each in (app, *(app[below] for below in app if not below.startswith("-"))):
            if each.default_command is not None:
                for argument in each.assemble_argument_collection():
                    found |= {text for text in argument.names if not text.startswith("-")}
    return found
