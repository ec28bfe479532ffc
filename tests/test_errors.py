"""The tree of errors is the one that its docstring draws, and each error speaks for itself."""

import inspect
import re

import pytest

from arbees import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, BaseException)
]


def test_docstring_draws_the_tree() -> None:
    """Each line of the drawing names a class under the parent that the indentation shows."""
    drawn: list[tuple[str, str | None]] = []
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([ |]*)(\+- )?([A-Z]\w+)(?:\(AssertionError\))?(?:  .*)?$", line)
        if match is None:
            continue
        depth, name = len(match[1]), match[3]
        if match[2] is None:
            path = [(-1, name)]
            drawn.append((name, None))
            continue
        while path[-1][0] >= depth:
            path.pop()
        drawn.append((name, path[-1][1]))
        path.append((depth, name))
    actual = [
        (cls.__name__, None if base in {Exception, AssertionError} else base.__name__)
        for cls in CLASSES
        for base in cls.__bases__
    ]
    assert drawn == actual


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_docstring_is_the_default_message(cls: type[Exception]) -> None:
    """An error without a message says the first line of its docstring, without a full stop."""
    first = (cls.__doc__ or "").splitlines()[0]
    assert str(cls()) == first.removesuffix(".")
    assert str(cls("Expected a tick")) == "Expected a tick"


def test_exit_codes() -> None:
    """Faults that end the process do so with the exit codes that the interfaces promise."""
    assert errors.ArbeesError.exit_code == 1
    assert errors.ConfigurationError.exit_code == 78
    assert errors.JournalCorrupt.exit_code == 65
    assert errors.JournalUnavailable.exit_code == 1
    assert errors.VenueError.exit_code == 5
    assert errors.VenueOutcomeUnknown.exit_code == 6


def test_configuration_error_names_setting_value_and_fix() -> None:
    """A refused setting is named with its value and what to write instead, on one line."""
    error = errors.ConfigurationError(
        "Expected a whole number", setting="MAX_POSITIONS", value="abc", fix="Write 20"
    )
    assert (error.setting, error.value, error.fix) == ("MAX_POSITIONS", "abc", "Write 20")
    assert str(error) == "MAX_POSITIONS: Expected a whole number, was 'abc'. Write 20"


def test_configuration_error_quotes_control_characters() -> None:
    """A value that holds a line break cannot forge a second line of the message."""
    error = errors.ConfigurationError("Expected a name", setting="NAME", value="a\nOK")
    assert str(error) == "NAME: Expected a name, was 'a\\nOK'"


def test_journal_corrupt_names_the_record() -> None:
    """The first bad record stands before the message; without one the message stands alone."""
    assert str(errors.JournalCorrupt("Expected a link", sequence=7)) == "record 7: Expected a link"
    assert errors.JournalCorrupt().sequence is None


def test_venue_errors_carry_what_the_venue_said() -> None:
    """The wait and the venue's own code are attributes, not text to be parsed."""
    assert errors.VenueRateLimited(retry_after_ns=1_500_000_000).retry_after_ns == 1_500_000_000
    assert errors.VenueRefused(venue_code="market_closed").venue_code == "market_closed"


def test_broken_invariant_is_not_a_fault() -> None:
    """No handler of ArbeesError can swallow a broken invariant."""
    assert not issubclass(errors.InvariantViolation, errors.ArbeesError)
    assert issubclass(errors.InvariantViolation, AssertionError)
