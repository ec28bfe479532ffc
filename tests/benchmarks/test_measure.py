"""Measuring: turns are fair, percentiles are values that occurred, and a row judges its figure."""

import pytest

from benchmarks import run
from benchmarks.client import complete, request
from benchmarks.measure import Row, Stopwatch, in_turns, percentile, ratio, row


def test_every_subject_has_its_turn_each_round() -> None:
    """Each begins as often as the others, so that none always follows the same one."""
    order: list[str] = []

    def subject(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = in_turns(2, lambda: subject("a"), lambda: subject("b"))
    assert order == ["a", "b", "b", "a"]
    assert found == [[1.0, 4.0], [2.0, 3.0]]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 3), (0.99, 4), (1.0, 4)])
def test_percentiles(share: float, expected: float) -> None:
    """A share of the values does not exceed it; nothing is made up in between."""
    assert percentile([4, 2, 3, 1], share) == expected
    assert percentile([], share) == 0


def test_ratios_are_taken_round_by_round() -> None:
    """A round in which everything was slow says as much as any other."""
    assert ratio([2, 40, 6], [1, 10, 2]) == 3


@pytest.mark.parametrize(
    ("figure", "at_least", "is_met"),
    [(2.0, False, True), (2.01, False, False), (2.0, True, True), (1.99, True, False)],
)
def test_a_row_judges_its_figure(figure: float, at_least: bool, is_met: bool) -> None:
    """The target itself is met."""
    found = row("n", figure, 2.0, "x", "against", at_least=at_least)
    assert found.is_met is is_met
    assert found.target == (">= 2.00 x" if at_least else "<= 2.00 x")


def test_a_stopwatch_starts_anew_after_its_median() -> None:
    """Laps of one round do not count in the next."""
    watch = Stopwatch()
    with watch:
        pass
    assert watch.p50() >= 0
    assert watch.laps == []


def test_an_answer_is_complete_when_its_body_is() -> None:
    """A head alone, or half a body, is not; anything but success is refused."""
    head = b"HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\n\r\n"
    assert [complete(head[:20]), complete(head + b"12"), complete(head + b"1234")] == [
        False,
        False,
        True,
    ]
    with pytest.raises(RuntimeError, match="Expected 200 or 202"):
        complete(head.replace(b"202", b"503") + b"1234")
    assert request(b"{}").endswith(b"content-length: 2\r\n\r\n{}")


def test_the_table_tells_what_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    """A row that is not met says so, one without a target says nothing."""
    run.show(Row("a", "1.00 x", "<= 2.00 x", True, "b"))
    run.show(Row("a", "3.00 x", "<= 2.00 x", False, "b"))
    run.show(Row("a", "-", "-", None, "later"))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[-1] for line in lines] == ["met", "b", "MET", "b", "-", "later"]


def test_a_quick_run_has_the_same_parts() -> None:
    """Only with fewer samples."""
    names = [name for name, _ in run.parts(is_quick=False)]
    assert names == [name for name, _ in run.parts(is_quick=True)]
    assert len(set(names)) == len(names) == 10
