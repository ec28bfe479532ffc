"""Each wrong input that people really make at the command line is told what to do."""

import os
from pathlib import Path

import pytest

from arbees.cli.main import main
from arbees.core.book.book import fresh
from arbees.runtime.looking.scopes import Scopes
from tests.cli.conftest import Served
from tests.cli.wrong_inputs import CASES, Wrong, lay_out

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_wrong_input(case: Wrong, served: Served, tmp_path: Path, capsys: Capture) -> None:
    """The message is the table's, the exit code its own, and no trace of the stack shows."""
    folder = tmp_path / "here"
    folder.mkdir()
    lay_out(folder)
    os.chdir(folder)
    os.environ |= {"AUDIT_LOG_PATH": "audit.jsonl", **case.environ}
    if "--scope" in case.words:
        served.gateway.kill_error = refusal(case.words[-1])
    code = main(case.words)
    said = capsys.readouterr()
    assert case.message in " ".join((said.err + said.out).split())
    assert code == case.code
    assert "Traceback" not in said.err


def refusal(scope: str) -> ValueError:
    """Return what a gateway says to a scope that is none."""
    with pytest.raises(ValueError, match="Expected") as refused:
        Scopes(fresh()).canonical(scope)
    return refused.value


def test_table_is_long_enough() -> None:
    """There are many, each once."""
    assert len(CASES) >= 15
    assert len({case.typed for case in CASES}) == len(CASES)
