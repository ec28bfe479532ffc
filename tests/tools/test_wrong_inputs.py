"""The page of wrong inputs is what the tests have seen."""

from pathlib import Path

from tests.cli.wrong_inputs import CASES
from tools import wrong_inputs

ROOT = Path(__file__).resolve().parents[2]


def test_page_is_current() -> None:
    """The committed page is what the tables make; `python -m tools.wrong_inputs` writes it anew."""
    assert (ROOT / wrong_inputs.PAGE).read_text(encoding="utf-8") == wrong_inputs.page()


def test_page_tells_every_case(tmp_path: Path) -> None:
    """Each mistake is there with its command, its message and its exit code."""
    wrong_inputs.write(tmp_path)
    text = (tmp_path / wrong_inputs.PAGE).read_text(encoding="utf-8")
    for case in CASES:
        assert f"**{case.title}** ends with {case.code}." in text
        assert f"$ {case.typed}\n{case.message}\n" in text
