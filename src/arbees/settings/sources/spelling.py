"""Finds the setting that a misspelt name meant.

Exists because a typo in `MAX_ORDER_SIZE` must not silently leave its default in force. Guarantees
that one edit (a letter wrong, dropped, added, doubled or two swapped) is noticed in every name, two
in long ones, and another case or a prefix of ours always; ordinary variables of a process are left
alone. It fails by refusing a stranger whose name is that close, and says so.
"""

from collections import Counter
from collections.abc import Collection, Sequence

PREFIX = "ARBEES_"
LONG = 16
"""From this many letters on two edits are a misspelling too."""
ORDINARY = frozenset({"HTTPS_HOST", "HTTPS_PORT", "ARBEES_DATA_DIR"})
"""Names of other programs that lie one edit from a setting, and variables of our own tools."""


def edits(left: str, right: str, most: int) -> int:
    """
    Count the edits between two names: insertions, deletions, substitutions, swaps of neighbours.

    Args:
        left: a name.
        right: another.
        most: the count beyond which it does not matter; then `most + 1` is returned.
    """
    if abs(len(left) - len(right)) > most:
        return most + 1
    bag, other = Counter(left), Counter(right)
    if max((bag - other).total(), (other - bag).total()) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i] + [0] * len(right)
        for j, b in enumerate(right, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > most and (not before or min(before) > most):
            return most + 1
    return min(row[-1], most + 1)


def nearest(name: str, known: Collection[str]) -> tuple[str, ...]:
    """
    Return the known names that a wrong one most likely means.

    Args:
        name: a name that is not known.
        known: all names that are.

    Returns:
        The closest ones within reach, several where they are equally close; empty if none is.
    """
    plain = _plain(name)
    best: list[str] = []
    least = 2
    for candidate in known:
        reach = min(least, 2 if len(candidate) >= LONG else 1)
        distance = edits(plain, candidate.upper(), reach)
        if distance > reach:
            continue
        if distance < least:
            best, least = [], distance
        best.append(candidate)
    if not best and plain.startswith(PREFIX):
        return nearest(plain.removeprefix(PREFIX), known)
    return tuple(best)


def question(meant: Sequence[str]) -> str:
    """Return the question that a message asks about names: `Did you mean A or B?`."""
    return f"Did you mean {' or '.join(meant)}?"


def misspelt(name: str, known: Collection[str]) -> bool:
    """
    Return whether a variable of the environment seems to mean a setting, and is none.

    The environment is full of strangers, so only what is very close counts.
    """
    return name not in known and name not in ORDINARY and bool(nearest(name, known))


def _plain(name: str) -> str:
    return name.strip().upper().translate(str.maketrans("-. ", "___"))
