"""Asks an operator: a question, what it is for, a default, and again where an answer is none.

Guarantees that an answer was understood before it counts, and that a question ends: after some bad
answers, or where there is nobody to answer, it gives up. Questions go to stderr.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

from arbees.cli.shared.console import say

TRIES = 5


class GivenUp(Exception):  # noqa: N818 - an expected outcome
    """No answer that is understood came."""


class Question(NamedTuple):
    """Something to be known."""

    flag: str
    """How it is answered on the command line."""
    text: str
    default: str
    """Empty = nothing."""
    read: Callable[[str], str]
    """Understands an answer; raises ValueError, which says what was expected. Not asked about an
    empty one."""


def given(question: Question, answer: str) -> str:
    """
    Return an answer that came as a flag.

    Raises:
        ValueError: it is not understood; names the flag.
    """
    try:
        return question.read(answer) if answer else ""
    except ValueError as error:
        raise ValueError(f"{question.flag}: {error}") from None


def ask(question: Question, listen: Callable[[], str] = sys.stdin.readline) -> str:
    """
    Return what somebody answered.

    Args:
        question: what is asked.
        listen: returns a line with its end; nothing at the end of all lines.

    Raises:
        GivenUp: nobody answers, or not in a way that is understood.
    """
    for _ in range(TRIES):
        default = f" [{question.default}]" if question.default else ""
        sys.stderr.write(f"{question.text}{default}: ")
        sys.stderr.flush()
        line = listen()
        if not line:
            sys.stderr.write("\n")
            raise GivenUp("Nobody answers")
        answer = line.strip() or question.default
        try:
            return question.read(answer) if answer else ""
        except ValueError as error:
            say(f"  {error}", style="yellow")
    raise GivenUp(f"Expected an answer, had none that is understood in {TRIES}")
