"""The rehearsal as a demonstration: two real processes, and every claim of it holds."""

import pytest

from verification.live.demo import main


def test_the_rehearsal_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """From authority to proof, through a lost answer and a kill -9; no line is over 80 columns."""
    code = main()
    said = capsys.readouterr().out
    assert code == 0, said
    assert "did not hold" not in said
    assert "Intact: nothing in it contradicts anything else" in said
    assert max(len(line) for line in said.splitlines()) <= 80
