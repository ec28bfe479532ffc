"""What reaches a terminal."""

import os
from decimal import Decimal

import pytest

from arbees.cli import console

Capture = pytest.CaptureFixture[str]


def test_data_and_messages_part(capsys: Capture) -> None:
    """Data goes to stdout, messages to stderr."""
    console.out("data")
    console.say("message", style="red")
    assert capsys.readouterr() == ("data\n", "message\n")


def test_text_from_outside_is_no_markup(capsys: Capture) -> None:
    """Brackets and emoji names are shown as they are; what moves a cursor is not."""
    console.out("[red]x[/red] :boom: \x1b[2J\x07 \u202e")
    console.table(("A",), [("[bold]y\x1b",)])
    said = capsys.readouterr().out
    assert "[red]x[/red] :boom: ?[2J? ?" in said
    assert "[bold]y?" in said


def test_tables_fit_into_80_columns(capsys: Capture) -> None:
    """Long cells are folded and nothing of them is lost."""
    long = "x" * 200
    console.table(("Name", "Text"), [("a", long)])
    console.pairs([("name", long)])
    said = capsys.readouterr().out
    assert max(len(line) for line in said.splitlines()) <= 80
    assert said.count("x") == 401 - 0 + said.count("Text") - 1


def test_nothing_is_a_dash() -> None:
    """What is not there shows as such."""
    assert [console.plain(each) for each in (None, "", 0, "a\nb")] == ["-", "-", "0", "a\nb"]


def test_no_colour_without_a_terminal(capsys: Capture) -> None:
    """A pipe gets plain text."""
    console.out(console.state("HALTED"), style="red")
    assert capsys.readouterr().out == "HALTED\n"


def test_json_is_exact(capsys: Capture) -> None:
    """Numbers leave as they are."""
    os.environ["COLUMNS"] = "20"
    console.print_json({"fees": Decimal("0.000001"), "text": "x" * 100})
    assert capsys.readouterr().out == '{"fees":0.000001,"text":"' + "x" * 100 + '"}\n'
