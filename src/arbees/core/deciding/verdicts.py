"""What a safeguard says, and the shape that every safeguard has."""

from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import msgspec

from arbees.core.deciding.facts import Facts

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
