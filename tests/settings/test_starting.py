"""A first `.env` and `arbees.toml` explain themselves and read back as they were meant."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.words import Mode
from arbees.settings import load
from arbees.settings.profile import STEPS, limits_of
from arbees.settings.sources.dotenv import read_dotenv
from arbees.settings.starting import dotenv_text, toml_text


@pytest.mark.parametrize("profile", [*STEPS, None])
def test_both_load_and_mean_paper(profile: str | None, tmp_path: Path) -> None:
    """The files load without a word, mean paper, and set the profile's limits."""
    dotenv, toml = tmp_path / ".env", tmp_path / "arbees.toml"
    dotenv.write_text(dotenv_text({"HTTP_PORT": "8400"}))
    toml.write_text(toml_text(profile, {"NBA": "500", "Table tennis": "20.5"}, ["alpha"]))
    settings = load({}, dotenv, toml)
    assert settings.mode is Mode.PAPER
    assert settings.warnings == ()
    assert settings.gateway.http_port == 8400
    shown = settings.shown()
    for name, text in (limits_of(profile) if profile else {}).items():
        assert float(shown[name].text) == float(text)
    assert '"Table tennis":"20.5"' in shown["sport_exposure.limits"].text


def test_lines_that_are_commented_out_are_good(tmp_path: Path) -> None:
    """Whoever takes the # away from a limit gets what stands there."""
    toml = tmp_path / "arbees.toml"
    bare = re.sub(r"(?m)^# (MAX_\w+ = )", r"\1", toml_text("day1", {}, []))
    toml.write_text(bare)
    assert load({}, None, toml).shown()["MAX_ORDER_SIZE"].origin == "toml"


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_any_text_reads_back(text: str) -> None:
    """Blanks, quotes, marks and dollars in a value are read as they were given."""
    lines, bad = read_dotenv(dotenv_text({"ACCOUNT": text}))
    assert bad == []
    assert {line.name: line.text for line in lines}["ACCOUNT"] == text


@pytest.mark.parametrize("text", ["a\nPAPER_TRADING=0", "a\x00", "\r"])
def test_text_that_spans_lines_is_refused(text: str) -> None:
    """A value cannot smuggle in a second setting."""
    with pytest.raises(ValueError, match="one line"):
        dotenv_text({"ACCOUNT": text})
