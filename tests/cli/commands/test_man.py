"""The manual page is printed whole, and no text of a command becomes a request of roff."""

import pytest

from arbees.cli.commands.administer.man import manual
from arbees.cli.main import main
from arbees.cli.shared.texts import CommandPage, DocstringParts, Taken

Capture = pytest.CaptureFixture[str]


def test_prints_the_page(capsys: Capture) -> None:
    """`arbees man` is for `man -l -`."""
    assert main(["man"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith('.TH ARBEES 1 "" "Arbees ')
    assert ".SS arbees kill on [OPTIONS]\n" in said.out
    assert said.err == ""


def test_escapes_what_roff_would_read() -> None:
    """Dots and quotes at the start of a line, backslashes and dashes stand for themselves."""
    said = DocstringParts(
        ".Begins with a dot.", ("'Quoted' \\ back", "`code`"), "", ("arbees do -x ~ ^",)
    )
    taken = Taken(("--deep",), "INT", ".5 is no number", "1", is_required=False)
    lines = manual(
        [CommandPage((), said, (), ("do",)), CommandPage(("do",), said, (taken,), ())]
    ).splitlines()
    assert "\\&.Begins with a dot." in lines
    assert "\\(aqQuoted\\(aq \\e back" in lines
    assert "code" in lines
    assert "arbees do \\-x \\(ti \\(ha" in lines
    assert ".B \\-\\-deep INT" in lines
    assert "\\&.5 is no number [1]" in lines
