"""A wrong word gets a message that says what to type."""

import pytest

from arbees.cli.command_list import COMMANDS
from arbees.cli.main import build, main
from arbees.cli.shared.mistakes import MEANT
from arbees.cli.shared.texts import names_below

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("kil on", "Did you mean `arbees kill`?"),
        ("KILL on", "Did you mean `arbees kill`?"),
        ("kill of", "Did you mean `arbees kill off`?"),
        ("stop", "Did you mean `arbees kill on`?"),
        ("verify", "Did you mean `arbees audit verify`?"),
        ("logs", "Did you mean `arbees audit tail`?"),
        ("help", "Did you mean `arbees --help`?"),
        ("nothing", f"There are: {', '.join(COMMANDS)}"),
        ("kill nothing", "There are: on, reduce, off, status"),
        ("kill", "was nothing. There are: on, reduce, off, status"),
        ("--json status", "Options stand behind the command"),
        ("status --jsno", "Did you mean --json?"),
        ("status extra", "Expected nothing more after `arbees status`, was 'extra'"),
        ("play", "arbees play: Expected --quotes PATH, was missing. It means: Recorded quotes"),
        ("submit", "arbees submit: Expected FILE, was missing"),
        ("submit a --wait soon", "--wait: Expected a number, was 'soon'"),
        ("play --quotes q --seed x", "--seed: Expected a whole number, was 'x'"),
        ("authorize --reason", "arbees authorize: Expected --reason STR, was missing"),
    ],
)
def test_says_what_to_type(typed: str, answer: str, capsys: Capture) -> None:
    """The message names what was typed and what is near to it."""
    assert main(typed.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert answer in said.err
    assert "Try: arbees" in said.err


def test_words_in_place_of_commands_lead_somewhere() -> None:
    """What a word means is a command, or will be one; no word hides a command."""
    assert not MEANT.keys() & COMMANDS.keys()
    app = build()
    for meant in MEANT.values():
        first, *rest = meant.split()
        if first in COMMANDS and rest:
            assert rest[0] in names_below(app[first])
