"""Exit codes: what a script may rely on (sysexits where one fits).

Guarantees that a number means one thing for every command. What is refused while starting carries
its own number in `arbees.errors`; the two agree.
"""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ends."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    DENIED = 3
    HALTED = 4
    UNAVAILABLE = 5
    """Nothing was decided: the venue, or the gateway itself, cannot now."""
    UNKNOWN = 6
    """What became of an order is not known; ask again with the same key."""
    CORRUPT = 65
    UNREACHABLE = 69
    NO_PERMISSION = 77
    BAD_SETTINGS = 78
    INTERRUPTED = 130
    PIPE_CLOSED = 141


MEANINGS = {
    Exit.OK: "ok",
    Exit.FAILURE: "failure",
    Exit.USAGE: "wrong usage, or a malformed request",
    Exit.DENIED: "denied",
    Exit.HALTED: "halted: `HALTED`, `REDUCE_ONLY`, or a halt that remains",
    Exit.UNAVAILABLE: "unavailable now, nothing decided: come again with the same key",
    Exit.UNKNOWN: "what became of an order is not known: ask again with the same key",
    Exit.CORRUPT: "the journal is not what was written",
    Exit.UNREACHABLE: "the gateway is not reached",
    Exit.NO_PERMISSION: "no permission",
    Exit.BAD_SETTINGS: "bad settings; the message names the setting, the value and the fix",
    Exit.INTERRUPTED: "interrupted",
    Exit.PIPE_CLOSED: "the reader of the output went away",
}
"""What a code tells, for the manual page and the reference."""

WORST_LAST = (
    Exit.OK,
    Exit.DENIED,
    Exit.HALTED,
    Exit.USAGE,
    Exit.FAILURE,
    Exit.UNAVAILABLE,
    Exit.UNREACHABLE,
    Exit.NO_PERMISSION,
    Exit.UNKNOWN,
)
"""Of several requests the worst counts: last what needs somebody's eyes first."""


def worse(one: Exit, other: Exit) -> Exit:
    """Return the worse of two ends."""
    return max(one, other, key=WORST_LAST.index)


def of_problem(status: int) -> Exit:
    """
    Return how a command ends whose request was answered with an error.

    Args:
        status: of HTTP.
    """
    if status in {401, 403}:
        return Exit.NO_PERMISSION
    if status in {429, 503}:
        return Exit.UNAVAILABLE
    if status in {400, 413, 415, 422}:
        return Exit.USAGE
    return Exit.FAILURE
