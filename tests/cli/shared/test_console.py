"""What reaches a terminal."""

import contextlib
import json
import os
import re
import subprocess
import sys
from decimal import Decimal

import pytest

from arbees.cli.shared import console
from tests.cli.test_main import SOURCE

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
    assert r"[red]x[/red] :boom: \x1b[2J\x07 \u202e" in said
    assert r"[bold]y\x1b" in said


@pytest.mark.parametrize("character", ["\u200b", "\u2028", "\u202e", "\x9b", "\u2066", "\x1b"])
def test_json_drives_no_terminal(character: str, capsys: Capture) -> None:
    """What is printed as JSON has it escaped, whoever wrote it, and says the same to programs."""
    console.print_json({"reason": f"a{character}b"})
    console.print_bytes(json.dumps({"reason": f"a{character}b"}, ensure_ascii=False).encode())
    said = capsys.readouterr().out
    assert said.isascii()
    assert [json.loads(line)["reason"] for line in said.splitlines()] == [f"a{character}b"] * 2


LONG = "x" * 200


def draw() -> None:
    """Print a table and pairs with a long cell."""
    console.table(("Name", "Text"), [("a", LONG)])
    console.pairs([("name", LONG)])


def test_tables_fit_the_terminal() -> None:
    """At a terminal long cells are folded and nothing of them is lost."""
    os.environ["COLUMNS"] = "80"
    main, side = os.openpty()
    with os.fdopen(main, "rb", buffering=0) as seen, os.fdopen(side, "w") as terminal:
        with contextlib.redirect_stdout(terminal):
            draw()
            console.out("the end")
        terminal.flush()
        drawn = b""
        while b"the end" not in drawn:
            drawn += seen.read(4_096)
    said = re.sub(r"\x1b\[[\d;]*m", "", drawn.decode())
    assert max(len(line) for line in said.splitlines()) <= 80
    assert said.replace("Text", "").count("x") == 400


@pytest.mark.parametrize("columns", ["", "80", "20"])
def test_rows_are_whole_in_a_pipe(columns: str, capsys: Capture) -> None:
    """What reads a pipe finds each cell whole on one line, however narrow somebody's screen is."""
    os.environ["COLUMNS"] = columns
    draw()
    assert sum(LONG in line for line in capsys.readouterr().out.splitlines()) == 2


def test_nothing_is_a_dash() -> None:
    """What is not there shows as such."""
    assert [console.plain(each) for each in (None, "", 0, "a\nb")] == ["-", "-", "0", "a\\nb"]


def test_no_colour_without_a_terminal(capsys: Capture) -> None:
    """A pipe gets plain text."""
    console.out(console.state("HALTED"), style="red")
    assert capsys.readouterr().out == "HALTED\n"


def test_json_is_exact(capsys: Capture) -> None:
    """Numbers leave as they are."""
    os.environ["COLUMNS"] = "20"
    console.print_json({"fees": Decimal("0.000001"), "text": "x" * 100})
    assert capsys.readouterr().out == '{"fees":0.000001,"text":"' + "x" * 100 + '"}\n'


@pytest.mark.parametrize(("no_color", "has_color"), [("", True), ("1", False)])
def test_colour_is_for_terminals(no_color: str, has_color: bool) -> None:
    """A terminal gets colour, unless its user does not want any."""
    ours, theirs = os.openpty()
    code = "from arbees.cli.shared import console; console.out(console.state('HALTED'))"
    subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": SOURCE,
            "TERM": "xterm",
            "NO_COLOR": no_color,
        },
        stdout=theirs,
        check=True,
        timeout=60,
    )
    said = os.read(ours, 1_024)
    os.close(ours)
    os.close(theirs)
    assert b"HALTED" in said
    assert (b"[31m" in said or b";31m" in said) is has_color
