"""Denials, and what operators said of them: was each right ("no false rejections").

Guarantees that a denial counts as open until an operator confirmed or disputed it, and that the
last word counts. What was answered with its original (`DUPLICATE_REQUEST`) is no denial: nothing
was refused that had not been decided before.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Protocol

import msgspec

from arbees.core import events
from arbees.core.deciding.redecide import KEY_SAFEGUARD
from arbees.core.language import strict_json
from arbees.core.language.ids import own
from arbees.core.language.strict_json import Identifier, Malformed
from arbees.core.orders.result import Recorded
from arbees.core.ports import Stored

Verdict = Literal["confirmed", "disputed"]
CONFIRMED, DISPUTED = "confirmed", "disputed"
GATE = "gate"
KINDS = ("RequestDenied", "OrderDenied", "DuplicateRefused", "DenialReviewed")
"""Kinds of records that are read."""
REVIEWS_MAX = 100
"""In one go, at a running gateway."""
_ANSWERED = "DUPLICATE_REQUEST"


class Denial(msgspec.Struct, kw_only=True):
    """One denial, and the last word on it."""

    sequence: int
    time_ns: int
    request_id: str
    safeguard: str
    code: str
    observed: int | str | None = None
    limit: int | str | None = None
    message: str | None = None
    """Of what the gate stopped."""
    verdict: str | None = None
    reason: str = ""
    actor: str = ""

    @property
    def group(self) -> str:
        """Name of its group: `safeguard/CODE`."""
        return f"{self.safeguard}/{self.code}"


class DenialGroup(msgspec.Struct, kw_only=True):
    """Denials of one safeguard for one reason."""

    name: str
    total: int = 0
    open: int = 0
    confirmed: int = 0
    disputed: int = 0
    first: int = 0
    """Sequence of the first one that is open, else of the first of all."""


def denial_of(record: Recorded) -> Denial | None:
    """Return the denial that a record is, None if it is none."""
    sequence, time_ns, event = record
    if isinstance(event, events.RequestDenied):
        head = event.findings[0]
        return Denial(
            sequence=sequence,
            time_ns=time_ns,
            request_id=event.request.request_id,
            safeguard=head.safeguard,
            code=head.code,
            observed=head.observed,
            limit=head.limit,
        )
    if isinstance(event, events.OrderDenied):
        return Denial(
            sequence=sequence,
            time_ns=time_ns,
            request_id=event.request_id,
            safeguard=GATE,
            code=event.code,
            message=event.message,
        )
    if isinstance(event, events.DuplicateRefused) and event.code != _ANSWERED:
        return Denial(
            sequence=sequence,
            time_ns=time_ns,
            request_id=event.request.request_id,
            safeguard=KEY_SAFEGUARD,
            code=event.code,
            observed=event.observed,
            limit=event.limit,
        )
    return None


class Denials:
    """The fold of a journal's denials and reviews; hand it the records of `KINDS`, in order."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.all: dict[int, Denial] = {}
        """By sequence."""

    def take(self, record: Recorded) -> None:
        """Take the next record."""
        event = record[2]
        if isinstance(event, events.DenialReviewed):
            denial = self.all.get(event.sequence)
            if denial is not None and own(denial.request_id) == own(event.request_id):
                denial.verdict = event.verdict
                denial.reason, denial.actor = event.reason, event.actor
            return
        denied = denial_of(record)
        if denied is not None:
            self.all[denied.sequence] = denied

    def where(self, verdict: str | None) -> list[Denial]:
        """Return the denials with a last word; None = the open ones."""
        return [each for each in self.all.values() if each.verdict == verdict]

    def named(self, name: str) -> list[Denial]:
        """Return the denials that a name means: a record, a request, or a group."""
        if name.isascii() and name.isdecimal():
            found = self.all.get(int(name))
            return [] if found is None else [found]
        return [each for each in self.all.values() if name in {each.group, own(each.request_id)}]

    def groups(self) -> list[DenialGroup]:
        """Return how many there are of each, those with most open ones first."""
        found: dict[str, DenialGroup] = {}
        for denial in self.all.values():
            group = found.setdefault(denial.group, DenialGroup(name=denial.group))
            group.total += 1
            if denial.verdict is None:
                if not group.open:
                    group.first = denial.sequence
                group.open += 1
            elif denial.verdict == CONFIRMED:
                group.confirmed += 1
            else:
                group.disputed += 1
            group.first = group.first or denial.sequence
        return sorted(found.values(), key=lambda each: (-each.open, -each.total, each.name))


def fold(stored: Iterable[Stored]) -> Denials:
    """
    Return the denials of a journal and what was said of them.

    Args:
        stored: its records, or only those of `KINDS`, in order.

    Raises:
        msgspec.DecodeError: a record cannot be read.
    """
    denials = Denials()
    for each in stored:
        if each.kind in KINDS:
            denials.take((each.sequence, each.time_ns, events.decode(each.body)))
    return denials


# At a running gateway --------------------------------------------------------------------------


class DenialWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A denial that is meant."""

    request_id: Identifier
    """Of the request that was denied."""
    sequence: Annotated[int, msgspec.Meta(ge=1)]
    """Of the denial's record."""


class ReviewsWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an operator says of some denials."""

    denials: Annotated[list[DenialWire], msgspec.Meta(min_length=1, max_length=REVIEWS_MAX)]
    """Which ones are meant; all or none is recorded."""
    verdict: Verdict
    """`confirmed`: they were right. `disputed`: the requests should have passed."""
    reason: str
    """Why."""
    actor: str | None = None
    """Who says so; the address that asks where nobody is named."""


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """Reviews that were recorded."""

    recorded: int
    """How many."""
    sequence: int
    """Of the last of their records."""


class NoDenial(Exception):  # noqa: N818 - an expected outcome
    """There is no such denial; nothing was recorded."""


class Reviewer(Protocol):
    """Who records reviews; a part of the gateway's port."""

    async def review_denials(self, reviews: Sequence[events.DenialReviewed]) -> ReviewView:
        """
        Journal reviews, all or none.

        Raises:
            NoDenial: one of them is of no denial.
            Undecided: the journal failed.
        """
        ...


_DECODER = msgspec.json.Decoder(ReviewsWire)


def parse_reviews(data: bytes) -> ReviewsWire:
    """Read reviews as they were sent. Raises Malformed."""
    raw = strict_json.decode(data, _DECODER)
    for each in raw.denials:
        strict_json.identifier("denials", each.request_id)
    if len({each.sequence for each in raw.denials}) != len(raw.denials):
        raise Malformed("denials", "Expected each denial once")
    return raw
