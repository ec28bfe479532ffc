"""A question ends with an answer that is understood, or gives up."""

import pytest

from arbees.cli.shared.prompts import (
    TRIES,
    GivenUp,
    Question,
    ask,
    given,
)

Capture = pytest.CaptureFixture[str]


def number(text: str) -> str:
    """Understand a number."""
    if not text.isdigit():
        raise ValueError(f"Expected a number, was {text!r}")
    return text


QUESTION = Question("--port", "Port", "8321", number)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [(["\n"], "8321"), (["9\n"], "9"), ([" 9 \n"], "9"), (["x\n", "9"], "9")],
)
def test_answers(lines: list[str], answer: str, capsys: Capture) -> None:
    """Enter takes the default; what is not understood is asked again, with the reason."""
    assert ask(QUESTION, iter(lines).__next__) == answer
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("Port [8321]: ") == len(lines)
    assert said.err.count("Expected a number, was 'x'") == len(lines) - 1


def test_gives_up() -> None:
    """Nobody, or nothing but nonsense, ends the question."""
    with pytest.raises(GivenUp, match="Nobody"):
        ask(QUESTION, lambda: "")
    with pytest.raises(GivenUp, match=str(TRIES)):
        ask(QUESTION, lambda: "x\n")


def test_flags_are_understood_alike() -> None:
    """A flag's answer is read by the same rule, and the message names the flag."""
    assert given(QUESTION, "9") == "9"
    assert given(QUESTION._replace(default=""), "") == ""
    with pytest.raises(ValueError, match="--port: Expected a number, was 'x'"):
        given(QUESTION, "x")
