"""What a safeguard says, how the journal keeps it, and the shape that every safeguard has."""

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import msgspec

from arbees.core.deciding.facts import Facts
from arbees.core.language.codes import NUMBERED

if TYPE_CHECKING:
    from arbees.core.book.book import Book
    from arbees.core.deciding.candidate import Candidate

Observed = int | str | None
"""A number in the unit of the code (see `core.language.codes`), or text."""


class Pass(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """The order passes this test: what was observed, against which limit, and what is left."""

    code: str
    observed: Observed = None
    limit: Observed = None
    headroom: int | None = None


class Skipped(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """The test does not apply, and why: an optional field is absent, or the order reduces."""

    code: str
    why: str


class Deny(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """The order is denied: what was observed, the limit, and until when if it lifts by itself."""

    code: str
    observed: Observed = None
    limit: Observed = None
    until_ns: int | None = None


class Warn(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """The order passes, but somebody should look."""

    code: str
    observed: Observed = None
    limit: Observed = None


Verdict = Pass | Skipped | Deny | Warn


_NUMBERS: dict[str, int | str] = {code: number for number, code in enumerate(NUMBERED)}
_TAGS = frozenset({"Pass", "Skipped", "Deny", "Warn"})
_ENCODE = msgspec.json.Encoder().encode


def journaled(verdicts: list[Verdict]) -> msgspec.Raw:
    """
    Return verdicts as a record keeps them, in their order.

    What denies or warns stands there in full: `["Deny", code, observed, limit, until]`. A test that
    passed is its code's number (its name where it has none), alone or as `[number, observed,
    limit]`, with the headroom behind where that is not `limit - observed`; one that did not apply
    is `[number, why]`. Records of before have all of them in full.
    """
    kept: list[Any] = []
    for each in verdicts:
        name = _NUMBERS.get(each.code, each.code)
        if isinstance(each, Pass):
            observed, limit, headroom = each.observed, each.limit, each.headroom
            if headroom != _headroom(observed, limit):
                kept.append((name, observed, limit, headroom))
            elif observed is None and limit is None:
                kept.append(name)
            else:
                kept.append((name, observed, limit))
        elif isinstance(each, Skipped):
            kept.append((name, each.why))
        else:
            kept.append(each)
    return msgspec.Raw(_ENCODE(kept))


def verdicts_of(kept: msgspec.Raw) -> list[list[Any]]:
    """Return what a record keeps in full: `[verdict, code, observed, limit, ...]` each."""
    return [_in_full(each) for each in msgspec.json.decode(kept)]


def _in_full(kept: Any) -> list[Any]:  # noqa: ANN401 - as decoded
    if not isinstance(kept, list):
        return ["Pass", _named(kept), None, None, None]
    if kept[0] in _TAGS:
        return kept
    code, rest = _named(kept[0]), kept[1:]
    if len(rest) == 1:
        return ["Skipped", code, *rest]
    return ["Pass", code, *rest] if len(rest) > 2 else ["Pass", code, *rest, _headroom(*rest)]


def _named(code: int | str) -> str:
    return code if isinstance(code, str) else NUMBERED[code]


def _headroom(observed: Observed, limit: Observed) -> int | None:
    if isinstance(observed, int) and isinstance(limit, int):
        return limit - observed
    return None


class Use(msgspec.Struct, frozen=True, gc=False):
    """How much of a limit is used in one scope, before the next order."""

    scope: str
    """As halts write it (`all`, `market:X`, ...), or `game:X`, or `reducing` for such orders."""
    code: str
    """The code that an order over the limit is denied with; its unit is theirs."""
    value: int
    limit: int


class Safeguard(Protocol):
    """One safeguard, one file, one frozen class whose fields are its settings."""

    name: ClassVar[str]
    """Permanent: file, setting section, metric label, document and drill."""
    codes: ClassVar[tuple[str, ...]]
    """The codes that it can deny with, in the order of its verdicts."""

    def check(self, order: "Candidate", book: "Book", facts: Facts) -> tuple[Verdict, ...]:
        """Return the verdicts in the order of the codes. Never raises, reads a clock or mutates."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A safeguard with limits that fill up; what it shows is what its verdicts count from."""

    def used(self, book: "Book", facts: Facts) -> tuple[Use, ...]:
        """Return how much of each limit is used. Never raises, reads a clock or mutates."""
        ...
