"""The tool that holds replay and what-if against a recomputation of its own, in small."""

import json
from pathlib import Path

import pytest

from arbees.settings import load
from tools.replaying import HALVED, LIMITS, brute, compare, history, main


def test_a_small_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under halved limits both name the same decisions; widened again, the same back."""
    assert main(["--records", "2500", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    figures = json.loads(printed[printed.index("{") :])
    assert figures["is_exact"] is True
    assert figures["same_under_recorded_settings"] is True
    assert figures["changes"] > 0
    journal = history(tmp_path, 2500)
    wider = {
        "MAX_ORDER_SIZE": "2000",
        "MAX_ORDERS_PER_MINUTE": "1000",
        "MAX_POSITION_PER_MARKET": "9000",
    }
    found = compare(journal, wider)
    assert found["is_exact"] is True
    assert found["by"]["denied_to_approved"] > 0


def test_the_oracle_sees_a_difference(tmp_path: Path) -> None:
    """It is no oracle that always agrees."""
    journal = history(tmp_path, 2500)
    then = load(LIMITS)
    assert brute(journal, then, then) == []
    assert brute(journal, then, load({**LIMITS, **HALVED})) != []
