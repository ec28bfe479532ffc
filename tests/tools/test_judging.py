"""Who judges a mutant, in which order, and what the end of a child says."""

import sys
from pathlib import Path

import pytest

from tools.judging import (
    BUDGET_SECONDS,
    Baseline,
    Judge,
    Judgement,
    Status,
    Unfit,
    _Finder,
    _stages,
)
from tools.mutants import _row
from tools.mutating import Mutant, Source

TEXT = "LIMIT = 3\n\n\ndef f(a):\n    b = a + 1\n    return b\n"
OWN, OTHER = "tests/x/test_m.py::test_a", "tests/x/test_n.py::test_b"
SLOW, LATE = "tests/x/test_n.py::test_slow", "tests/x/test_n.py::test_late"


def judge(lines: dict[int, list[str]], seconds: dict[str, float] | None = None) -> Judge:
    """Return a judge that knows which tests run which lines of `m.py`."""
    known = seconds or {OWN: 0.5, OTHER: 0.1, SLOW: 1.0}
    found = Baseline(seconds=known, failed=[], lines={"m.py": lines})
    return Judge(Path(), ("tests",), 1, found)


def judges(judge: Judge, line: int) -> list[str]:
    """Return the tests that judge the first mutant of a line."""
    source = Source(Path("m.py"), "m", TEXT)
    mutant = next(each for each in source.mutants if each.line == line)
    return judge.tests_of(source, mutant)


def test_the_tests_that_run_the_line_judge() -> None:
    """Those of the module's own file first, then the quickest."""
    assert judges(judge({5: [SLOW, OTHER, OWN]}), 5) == [OWN, OTHER, SLOW]
    assert judges(judge({5: [SLOW], 6: [OWN]}), 5) == [SLOW]


def test_tests_of_the_function_judge_a_line_that_no_test_runs() -> None:
    """A change may make it run."""
    assert judges(judge({5: [], 6: [OTHER]}), 5) == [OTHER]


def test_all_tests_judge_what_runs_at_import() -> None:
    """A value of the module may change anything."""
    assert judges(judge({5: [OTHER]}), 1) == [OWN, OTHER, SLOW]
    assert judges(judge({}), 5) == [OWN, OTHER, SLOW]


def test_the_budget_bounds_the_tests() -> None:
    """Slow tests at the end are left out; that makes the count of killed ones smaller at most."""
    slow = {OWN: BUDGET_SECONDS - 1, OTHER: 1.0, LATE: 1.5}
    assert judges(judge({5: [OWN, OTHER, LATE]}, slow), 5) == [OWN, OTHER]


def test_the_best_file_comes_first() -> None:
    """Most mutants end there, and the others need not be collected for them."""
    assert list(_stages([OWN, OTHER, SLOW])) == [[OWN], [OTHER, SLOW]]
    assert list(_stages([OTHER, OWN, SLOW])) == [[OTHER, SLOW], [OWN]]
    assert list(_stages([OWN])) == [[OWN]]


def test_a_changed_module_is_found_under_its_name() -> None:
    """And no other one; its file is not read."""
    finder = _Finder("changed_for_a_test", "nowhere.py", "VALUE = 7\n")
    assert finder.find_spec("another", None) is None
    sys.meta_path.insert(0, finder)
    try:
        module = __import__("changed_for_a_test")
    finally:
        sys.meta_path.remove(finder)
        sys.modules.pop("changed_for_a_test", None)
    assert module.VALUE == 7
    assert str(module.__file__).endswith("nowhere.py")


@pytest.mark.parametrize(
    ("status", "is_death"),
    [("killed", True), ("timed out", True), ("survived", False), ("broken", False)],
)
def test_what_counts_as_noticed(status: str, is_death: bool) -> None:
    """A failing test, or tests without an end."""
    assert Status(status).is_death is is_death


def test_what_cannot_be_imported_counts_neither_way(capsys: pytest.CaptureFixture[str]) -> None:
    """Three of four that can be imported were noticed."""
    mutant = Mutant(Path("m.py"), "m", 0, 1, (1, 1))
    statuses = ("killed", "killed", "timed out", "survived", "broken", "broken")
    judged = [Judgement(mutant, Status(status), 1, "") for status in statuses]
    assert _row("m.py", judged) == 75.0
    assert capsys.readouterr().out.split() == ["m.py", "4", "3", "75.0", "2"]


def test_tests_that_cannot_run_judge_nothing(tmp_path: Path) -> None:
    """Where no test passes, no mutant could be killed."""
    empty = Judge(tmp_path, ("tests",), 1)
    with pytest.raises(Unfit, match="Expected tests that pass on the unchanged code"):
        empty.require_tests()
