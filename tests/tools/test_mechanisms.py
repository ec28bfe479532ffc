"""Each mechanism that is taken out is still there, and one that nothing misses is a finding."""

import pytest
from msgspec.structs import replace

from tools.mechanisms import ALL, ROOT, judge
from verification.live.reading_faults import reading_cells


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_a_mechanism_is_where_it_is_taken_out(each: object) -> None:
    """Its text stands once in its file, what is left compiles, and cells are there to miss it."""
    assert isinstance(each, type(ALL[0]))
    text = (ROOT / "src/arbees" / each.path).read_text(encoding="utf-8")
    changed = each.taken_out(text)
    assert changed != text
    compile(changed, each.path, "exec")
    assert any(each.cells in cell.name for cell in reading_cells())


def test_there_are_ten_of_distinct_names() -> None:
    """At least ten mechanisms, each told apart."""
    assert len({each.name for each in ALL}) == len(ALL) >= 10


def test_a_text_that_is_not_there_is_named() -> None:
    """A mechanism whose code was changed meanwhile is not passed over."""
    gone = replace(ALL[0], old="never written")
    with pytest.raises(ValueError, match="Expected its text once"):
        gone.taken_out("something else")


def test_what_cells_miss_and_what_they_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    """A shard's own state is missed where another one pauses; a change of nothing is not."""
    (shard,) = [each for each in ALL if each.name.startswith("each shard")]
    cell = "another shard paused x nothing, killed"
    same = replace(shard, name="nothing", new=f"{shard.old}  # as it was", cells=cell)
    assert judge([replace(shard, cells=cell), same], jobs=1) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("another shard paused nothing yes")
    assert "NOT MISSED" in lines[1]
