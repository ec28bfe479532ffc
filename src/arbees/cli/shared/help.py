"""What `--help` shows: a command's sentence, its exit codes, its parameters, examples at the end.

Guarantees that the texts are those of the command's docstring (`cli/shared/texts.py`). Prints to
stdout, since whoever asks for help wants it as data.
"""

import sys
from collections.abc import Sequence

from cyclopts import App
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from arbees.cli.shared.texts import DocstringParts, text_of

ASKED = frozenset({"--help", "-h"})


def prepare(app: App, words: Sequence[str]) -> DocstringParts | None:
    """
    Take the examples out of the text of the command that is asked about, to stand at the end.

    Args:
        app: the whole command.
        words: what was typed.

    Returns:
        What the command says; None where no help is asked for.
    """
    if words and not ASKED.intersection(words):
        return None
    _, apps, _ = app.parse_commands([word for word in words if word not in ASKED])
    said = text_of(apps[-1])
    apps[-1].help = said.about
    return said


def show_examples(said: DocstringParts) -> None:
    """Print the examples of a command, if it has any."""
    if not said.examples:
        return
    lines = Text("\n").join(Text(example, "bold") for example in said.examples)
    panel = Panel(lines, title="Examples", title_align="left", box=box.ROUNDED, border_style="dim")
    Console(file=sys.stdout, highlight=False).print(panel)
