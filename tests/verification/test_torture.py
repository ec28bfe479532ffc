"""A small torture: real processes, real kills, nothing lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from verification.evidence import DUPLICATE, VERIFY
from verification.process import contradictions
from verification.torture import (
    TITLES,
    TortureTally,
    fall,
    main,
    run_once,
    table,
)

ENOUGH = 40
"""Requests decided in a run that says something about how many pass."""
RUNS_MAX = 6


@pytest.mark.parametrize("lost", ["0", "0.1"], ids=["answers", "lost answers"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_gateway_loses_nothing(tmp_path: Path, lost: str, seed: int) -> None:
    """Killed under fire and started again, it keeps every promise, and half of it passed."""
    for run in range(1, RUNS_MAX + 1):
        place = tmp_path / str(run)
        place.mkdir()
        tally = asyncio.run(run_once(place, run, 100 * run + seed, lost, 0.6))
        assert tally.texts == []
        if tally.requests >= ENOUGH:
            break
    # On a busy machine a kill may come before anything was decided: then another run follows.
    assert tally.requests >= ENOUGH
    assert tally.is_clean
    assert tally.acknowledged > 0
    assert tally.orders > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_no_restart_makes_a_loss_smaller(tmp_path: Path, seed: int) -> None:
    """Killed, or told to stop, while prices fall: what was lost stays lost."""
    for run in range(1, RUNS_MAX + 1):
        place = tmp_path / str(run)
        place.mkdir()
        tally = asyncio.run(fall(place, run, 100 * run + seed, 0.6))
        assert tally.texts == []
        if tally.acknowledged:
            break
    assert tally.acknowledged > 0


def test_the_table_counts_every_check() -> None:
    """What was found stands under its title."""
    tally = TortureTally(runs=3, sent=10)
    tally.say(1, DUPLICATE, "two orders")
    tally.say(2, DUPLICATE, "two orders again")
    lines = {line[:36].strip(): line[36:].strip() for line in table(tally, 1.2).splitlines()}
    assert lines["runs"] == "3"
    assert lines[TITLES[DUPLICATE]] == "2"
    assert lines[TITLES[VERIFY]] == "0"
    assert set(TITLES.values()) <= lines.keys()
    assert not tally.is_clean


def test_a_gateway_that_lets_nothing_pass_proves_nothing() -> None:
    """Less than half passed is a failure, also if nothing was found."""
    assert not TortureTally(requests=100, passed=49).is_clean
    assert TortureTally(requests=100, passed=50).is_clean


def test_no_runs_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the table and ends with 0 where nothing was found."""
    assert main(["--runs", "0", "--lost-acks", "0", "--falls", "0"]) == 0
    assert "requests sent" in capsys.readouterr().out


FINAL = {
    "sequence": 7,
    "status": "Partial",
    "code": None,
    "final": True,
    "order_id": "paper-1",
    "filled_qty": 3,
    "avg_price": 0.5,
    "fees": 0.01,
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, None),
        ({"sequence": 9}, None),
        ({"sequence": 6}, "sequence"),
        ({"final": False}, "final"),
        ({"status": "Cancelled"}, "status"),
        ({"code": "HALTED"}, "code"),
        ({"order_id": "paper-2"}, "order_id"),
        ({"filled_qty": 4}, "filled_qty"),
        ({"fees": 0.02}, "fees"),
        ({"status": "Filled", "filled_qty": 4, "corrects": 7}, None),
        ({"filled_qty": 2, "corrects": 7}, "filled_qty"),
    ],
)
def test_a_later_word_may_correct_but_not_contradict(
    change: dict[str, Any], named: str | None
) -> None:
    """A final result stays what it was, unless a correction says so."""
    found = contradictions(FINAL, FINAL | change)
    assert [text.split()[0] for text in found] == ([] if named is None else [named])


def test_a_result_that_is_not_final_may_go_on() -> None:
    """Pending may become filled, but not another order, and never less filled."""
    before = FINAL | {"final": False, "status": "Pending", "order_id": None}
    assert contradictions(before, FINAL) == []
    assert contradictions(before | {"filled_qty": 5}, FINAL)
