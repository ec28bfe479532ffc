"""The reference and the manual page say what the command line is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from arbees.cli.command_list import COMMANDS, GROUPS
from arbees.cli.shared.exits import MEANINGS, Exit
from tools import command_line

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", command_line.PAGES, ids=str)
def test_pages_are_current(path: Path) -> None:
    """The committed page is what the code makes; `python -m tools.command_line` writes it anew."""
    assert (ROOT / path).read_text(encoding="utf-8") == command_line.PAGES[path]()


def test_writing_pages(tmp_path: Path) -> None:
    """The command writes both below a folder."""
    command_line.write(tmp_path)
    assert [path for path in command_line.PAGES if not (tmp_path / path).is_file()] == []


def test_every_command_and_option_is_documented() -> None:
    """Each command has a section, which names each of its options; the manual page has them too."""
    reference = (ROOT / command_line.COMMAND_LINE_PAGE).read_text(encoding="utf-8")
    manual = (ROOT / command_line.MANUAL_PAGE).read_text(encoding="utf-8").replace("\\-", "-")
    sections = dict(re.findall(r"(?ms)^##+ `arbees ([\w ]+)`$(.*?)(?=^##|\Z)", reference))
    every = command_line.every_page()[1:]
    assert list(sections) == [" ".join(page.words) for page in every]
    for page in every:
        section = sections[" ".join(page.words)]
        for name in (name for each in page.taken for name in each.names):
            assert re.search(rf"`{name}[ `]", section), (page.words, name)
            assert name in manual
    assert {each.group for each in COMMANDS.values()} <= set(GROUPS)


def test_every_exit_code_is_documented() -> None:
    """The pages tell what each number means."""
    reference = (ROOT / command_line.COMMAND_LINE_PAGE).read_text(encoding="utf-8")
    assert set(MEANINGS) == set(Exit)
    assert [code for code in Exit if f"| {int(code)} |" not in reference] == []


def test_manual_page_is_roff_without_a_warning() -> None:
    """Every line is a known request or text; groff, where there is one, has nothing to say."""
    text = command_line.manual_page()
    known = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".RS", ".RE", ".nf", ".fi"}
    requests = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert requests <= known
    assert text.isascii()
    groff = shutil.which("groff")
    if groff is not None:
        found = subprocess.run(
            [groff, "-man", "-ww", "-Tascii"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert found.stderr == ""
        assert "arbees kill on" in found.stdout
