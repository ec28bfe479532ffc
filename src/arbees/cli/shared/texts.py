"""What commands say about themselves, taken apart: sentence, exit codes, examples, parameters.

Guarantees that `--help`, the man page and the reference say the same, since all are made from the
commands' own docstrings and parameters by way of this module. It runs no command. A docstring that
has no first paragraph gives an empty sentence; the tests do not allow one.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from types import NoneType
from typing import NamedTuple, get_args

from cyclopts import App, Argument, Parameter

_EXAMPLE = re.compile(r"Example: `(.*)`", re.DOTALL)
_ENDS = "Ends with "
FLAGS = ("--help", "-h", "--version")


class DocstringParts(NamedTuple):
    """A docstring, taken apart."""

    sentence: str
    more: tuple[str, ...]
    """Paragraphs behind it."""
    ends: str
    """Exit codes that are special to this command; empty = none."""
    examples: tuple[str, ...]

    @property
    def about(self) -> str:
        """All but the examples, as one text of paragraphs."""
        return "\n\n".join(part for part in (self.sentence, *self.more, self.ends) if part)


class Taken(NamedTuple):
    """One argument or option of a command."""

    names: tuple[str, ...]
    """As they are typed; one name without dashes for an argument by its place."""
    value: str
    """What stands for its value; empty for a flag."""
    about: str
    default: str
    """As it is typed; empty = none."""
    is_required: bool

    @property
    def is_option(self) -> bool:
        """Whether it is given by name."""
        return self.names[0].startswith("-")


class CommandPage(NamedTuple):
    """All about one command."""

    words: tuple[str, ...]
    """As it is typed, without the program's name."""
    said: DocstringParts
    taken: tuple[Taken, ...]
    commands: tuple[str, ...]
    """The commands below this one."""
    is_group: bool = False
    """Whether it does nothing by itself."""

    @property
    def usage(self) -> str:
        """How it is typed."""
        parts = ["arbees", *self.words]
        if self.is_group:
            return " ".join([*parts, "COMMAND"])
        if self.commands:
            parts.append("[COMMAND]")
        for each in self.taken:
            if not each.is_option:
                parts.append(each.names[0] if each.is_required else f"[{each.names[0]}]")
            elif each.is_required:
                parts.append(f"{each.names[0]} {each.value}")
        if any(each.is_option and not each.is_required for each in self.taken):
            parts.append("[OPTIONS]")
        return " ".join(parts)


def parts_of(docstring: str) -> DocstringParts:
    """Take a docstring apart."""
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(docstring).split("\n\n")]
    more: list[str] = []
    ends: list[str] = []
    examples: list[str] = []
    for text in paragraphs[1:]:
        if example := _EXAMPLE.fullmatch(text):
            examples.append(example[1])
        elif text.startswith(_ENDS):
            ends.append(text)
        elif text:
            more.append(text)
    return DocstringParts(paragraphs[0], tuple(more), " ".join(ends), tuple(examples))


def text_of(app: App) -> DocstringParts:
    """Take apart what a command says: its function's docstring, else its own text."""
    docstring = None if app.default_command is None else app.default_command.__doc__
    return parts_of(docstring or app.help)


def names_below(app: App) -> list[str]:
    """Return the names of the commands below one, in the order in which they were made."""
    return [name for name in app if name not in FLAGS]


def pages(
    app: App, words: Sequence[str] = (), inherited: Parameter | None = None
) -> Iterator[CommandPage]:
    """
    Yield a page for a command and all below it, parents first; imports all of them.

    Args:
        app: the command.
        words: as it is typed, without the program's name.
        inherited: what parameters have from the commands above.
    """
    common = Parameter.combine(inherited, app.default_parameter)
    names = names_below(app)
    taken: tuple[Taken, ...] = ()
    if app.default_command is not None:
        found = app.assemble_argument_collection(default_parameter=common)
        taken = tuple(taken_by(each) for each in found if each.show)
    is_group = app.default_command is None
    yield CommandPage(tuple(words), text_of(app), taken, tuple(names), is_group=is_group)
    for name in names:
        yield from pages(app[name], (*words, name), common)


def taken_by(argument: Argument) -> Taken:
    """Return what a parameter of a command's function is on the command line."""
    default = argument.field_info.default
    is_flag = argument.hint is bool
    is_silent = is_flag or default in {inspect.Parameter.empty, None, ()}
    return Taken(
        tuple(argument.names),
        "" if is_flag else argument.parameter.metavar or _value(argument),
        " ".join((argument.parameter.help or "").split()),
        "" if is_silent else str(default),
        is_required=bool(argument.required),
    )


def _value(argument: Argument) -> str:
    """Return what stands for a value: its choices, or the name of its type."""
    if choices := argument.get_choices():
        return "|".join(choices)
    parts = get_args(argument.hint) or (argument.hint,)
    kinds = [kind for kind in parts if kind not in {NoneType, Ellipsis}]
    text = "|".join(getattr(kind, "__name__", str(kind)).upper() for kind in kinds)
    return f"{text}..." if Ellipsis in parts else text
