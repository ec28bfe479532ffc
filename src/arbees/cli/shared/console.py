"""Where commands print: data to stdout, messages to stderr.

Guarantees that colour is there for terminals alone (`NO_COLOR` is honoured), that text from outside
is never read as markup, that control characters in it reach no terminal, and that tables fit the
terminal; in a pipe or a file each row is one line, with every cell whole.
"""

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arbees.core.language.units import MICRO, format_dollars
from arbees.core.language.visible_text import harmless, visible
from arbees.core.orders.result import encode

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]

STATE_STYLES = {
    "ACTIVE": "green",
    "REDUCING": "yellow",
    "HALTED": "bold red",
    "READ_ONLY": "bold red",
}
PIPE_COLUMNS = 10_000
"""Width of what is no terminal: a row is never folded there, whatever COLUMNS says."""


def plain(value: object) -> str:
    """Return a value for people: nothing as `-`, what cannot be seen escaped."""
    if value is None or value == "":
        return "-"
    return visible(str(value))


def out(*texts: object, style: str | None = None) -> None:
    """Print a line of data."""
    Console(file=sys.stdout, highlight=False).print(_text(texts, style), soft_wrap=True)


def say(*texts: object, style: str | None = None) -> None:
    """Print a line of a message."""
    Console(file=sys.stderr, highlight=False).print(_text(texts, style), soft_wrap=True)


def _text(texts: Iterable[object], style: str | None) -> Text:
    joined = Text(" ").join(
        each if isinstance(each, Text) else Text(visible(str(each), has_lines=True))
        for each in texts
    )
    if style is not None:
        joined.stylize(style)
    return joined


def styled(value: object, style: str) -> Text:
    """Return a value for people, in a style."""
    return Text(plain(value), style)


def state(value: object) -> Text:
    """Return a trading state in its colour."""
    return styled(value, STATE_STYLES.get(str(value), ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table of data; long cells are folded, never cut."""
    drawn = Table(title=plain(title) if title else None, title_justify="left", box=None)
    for name in columns:
        drawn.add_column(name, overflow="fold", header_style="bold")
    for row in rows:
        drawn.add_row(*(each if isinstance(each, Text) else Text(plain(each)) for each in row))
    _print_table(drawn)


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values below each other."""
    drawn = Table(box=None, show_header=False)
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in rows:
        drawn.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
    _print_table(drawn)


def _print_table(drawn: Table) -> None:
    width = None if sys.stdout.isatty() else PIPE_COLUMNS
    Console(file=sys.stdout, highlight=False, width=width).print(drawn)


def dollars(value: Decimal | int) -> str:
    """Return an exact amount for people: `$1,234.50`, `-$0.0154`."""
    return format_dollars(int(value * MICRO))


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Print a value as one line of JSON with exact numbers."""
    print_bytes(encode(value))


def print_bytes(line: bytes) -> None:
    """Print a line that is JSON already."""
    sys.stdout.write(harmless(line).decode("utf-8").rstrip("\n") + "\n")
