"""The demonstration: it holds, it fits the screen, and it says so if something does not hold."""

import asyncio
import re
from pathlib import Path

import pytest

from arbees.core.language.words import TimeInForce
from arbees.rehearsal import demo
from arbees.rehearsal.scene import stage

Capture = pytest.CaptureFixture[str]


def test_everything_holds(capsys: Capture) -> None:
    """It ends with 0 and the proof, in plain text of at most 80 columns."""
    assert demo.main() == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert "\x1b" not in said.out
    assert re.findall(r"(?m)^(\d)\. ", said.out) == ["1", "2", "3", "4", "5", "6"]
    assert "Everything above holds." in said.out
    assert "0 missing, 0 twice, 0 changed" in said.out
    assert "FOUND" not in said.out
    assert "One key, one order." in said.out


def test_a_paragraph_is_wrapped(capsys: Capture) -> None:
    """Long text is broken, an empty line stays one, and what is indented stays within."""
    demo.say("word " * 40)
    demo.say()
    demo.say("word " * 40, 10)
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= demo.WIDTH
    assert "" in lines
    assert lines[-1].startswith(" " * 10 + "word")


def test_a_title_is_underlined(capsys: Capture) -> None:
    """A chapter has a number and a line as long as its title."""
    demo.title(3, "The end")
    assert capsys.readouterr().out == "\n3. The end\n----------\n"


def test_a_claim_that_does_not_hold_ends_it() -> None:
    """What is claimed is required."""
    demo.require(holds=True, claim="this holds")
    with pytest.raises(demo.Unmet, match="this does not"):
        demo.require(holds=False, claim="this does not")


def test_a_journal_that_was_changed_is_no_proof(tmp_path: Path, capsys: Capture) -> None:
    """The proof reads what is on disk: a changed record fails it, with what was found."""

    async def evening() -> None:
        async with stage(folder=tmp_path) as scene:
            await scene.quote()
            await scene.ask(time_in_force=TimeInForce.GTC)

    asyncio.run(evening())
    assert demo._prove(tmp_path) == 0
    journal = (tmp_path / "journal.db").read_bytes()
    changed = journal.replace(
        b'"reason":"the scene is over"', b'"reason":"the scene was over"'[:28]
    )
    assert changed != journal
    assert len(changed) == len(journal)
    (tmp_path / "journal.db").write_bytes(changed)
    capsys.readouterr()
    assert demo._prove(tmp_path) == 1
    said = capsys.readouterr().out
    assert "FOUND" in said
    assert "The proof failed." in said
