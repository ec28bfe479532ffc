"""Receipts: all that the journal says of one request, in a document that proves itself.

Guarantees that a receipt is checked from itself alone: the hash of each record is made again from
its columns and the hash before it, the story is told again from the records, and nothing else is in
it. What that proves is that the document agrees with the hashes that it states. That the journal
contains these records, and no more of this request, is proved against a journal; that they lead to
the head that is stated, by `links`, all records in between.

It fails by naming the first thing that does not fit.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from arbees import __version__
from arbees.core import events
from arbees.core.book.book import Subject
from arbees.core.language.words import SCOPE_ALL
from arbees.core.orders.result import Recorded, encode
from arbees.errors import JournalCorrupt
from arbees.history.timeline import tell
from arbees.history.timeline_shapes import Timeline
from arbees.journal.proof.chain import COLUMNS, GENESIS, Row
from arbees.journal.reader import JournalReader

FORMAT = "arbees/receipt/v1"
_HALTED = frozenset({"HALTED", "REDUCE_ONLY"})


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record with everything that its hash covers."""

    sequence: int
    time_ns: int
    epoch: int
    kind: str
    request_id: str | None
    body: str
    """JSON, byte for byte."""
    previous: str
    """Hash of the record before, in hex."""
    hash: str

    def recorded(self) -> Recorded:
        """Return what it says. Raises msgspec.DecodeError."""
        return self.sequence, self.time_ns, events.decode(self.body.encode())


class Stated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The head of the journal when the receipt was made."""

    sequence: int
    hash: str
    time_ns: int


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receipt."""

    format: str
    made_by: str
    """Version of the program that wrote it."""
    request_id: str
    head: Stated
    story: msgspec.Raw
    """See `history.timeline`; for people and programs, proved by the records."""
    records: tuple[Link, ...]
    """Of the request, all there are up to the head."""
    around: tuple[Link, ...]
    """Whose journal it is, the start that decided, duplicates, halts."""
    links: tuple[Link, ...] | None
    """All other records from the first of the request to the head, if they were asked for."""
    digest: str
    """SHA-256 of everything else."""


class RequestReceipt(msgspec.Struct, frozen=True):
    """A receipt that was just made, and the story in it."""

    document: dict[str, Any]
    story: Timeline


def make_receipt(
    reader: JournalReader, request_id: str, *, until: int | None = None, has_links: bool = False
) -> RequestReceipt | None:
    """
    Make the receipt of a request.

    Args:
        reader: the journal.
        request_id: of the request.
        until: the record that counts as the head; None = the newest.
        has_links: whether it holds every record up to the head; they are of other requests too.

    Returns:
        None if there is no such request.

    Raises:
        JournalCorrupt: a record cannot be read.
    """
    head = reader.record(reader.head.sequence if until is None else until)
    if head is None:
        return None
    own = list(_rows(reader, "request_id = ? AND sequence <= ?", request_id, head.sequence))
    links = [_link(reader, row) for row in own]
    recorded = [_read(link) for link in links]
    first = next((i for i, (_, _, event) in enumerate(recorded) if _is_decision(event)), None)
    if first is None:
        return None
    around = [_link(reader, row) for row in _around(reader, recorded, head.sequence)]
    story = tell(recorded, [_read(link) for link in around])
    document = {
        "format": FORMAT,
        "made_by": __version__,
        "request_id": request_id,
        "head": Stated(sequence=head.sequence, hash=head.hash.hex(), time_ns=head.time_ns),
        "story": story,
        "records": links,
        "around": around,
        "links": _between(reader, links, around, head.sequence) if has_links else None,
    }
    plain = plain_of(encode(document))
    return RequestReceipt({**plain, "digest": digest_of(plain)}, story)


def _is_decision(event: events.Event) -> bool:
    return isinstance(event, events.OrderApproved | events.RequestDenied | events.DuplicateRefused)


# The document as JSON --------------------------------------------------------------------------


def plain_of(text: bytes) -> dict[str, Any]:
    """
    Return a document as plain values, numbers exact.

    Raises:
        ValueError: no JSON object, or one that names a field twice.
    """
    found = json.loads(text, object_pairs_hook=_once, parse_float=Decimal, parse_constant=_no)
    if not isinstance(found, dict):
        raise ValueError("Expected a JSON object")  # noqa: TRY004 - of what came, not of a caller
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"Expected each field once, {twice} is there twice")
    return found


def _no(text: str) -> None:
    raise ValueError(f"Expected numbers, was {text}")


def digest_of(plain: dict[str, Any]) -> str:
    """Return the digest of a document without its `digest`."""
    rest = {name: value for name, value in plain.items() if name != "digest"}
    return hashlib.sha256(encode(_sorted(rest))).hexdigest()


def _sorted(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value


# Out of the journal ----------------------------------------------------------------------------


def _rows(reader: JournalReader, where: str, *values: str | int) -> Iterator[Row]:
    yield from reader.ask(
        f"SELECT {COLUMNS} FROM records WHERE {where} ORDER BY sequence",  # noqa: S608
        values,
    )


def _link(reader: JournalReader, row: Row) -> Link:
    sequence, time_ns, epoch, kind, request_id, digest, body = row
    before = reader.record(sequence - 1)
    if before is None and sequence > 1:
        raise JournalCorrupt(f"Expected record {sequence - 1}, was none", sequence=sequence - 1)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise JournalCorrupt(f"Expected text, was none: {error}", sequence=sequence) from error
    return Link(
        sequence=sequence,
        time_ns=time_ns,
        epoch=epoch,
        kind=kind,
        request_id=request_id,
        body=text,
        previous=(GENESIS if before is None else before.hash).hex(),
        hash=digest.hex(),
    )


def _read(link: Link) -> Recorded:
    try:
        return link.recorded()
    except msgspec.MsgspecError as error:
        raise JournalCorrupt(
            f"Expected an event, was unreadable: {error}", sequence=link.sequence
        ) from error


def _around(reader: JournalReader, own: list[Recorded], until: int) -> list[Row]:
    """Return the records around a request, in order."""
    first, last = own[0][0], own[-1][0]
    known = {sequence for sequence, _, _ in own}
    found = [
        *_rows(reader, "sequence = 1"),
        *list(_rows(reader, "kind = 'Started' AND sequence < ?", first))[-1:],
        *_duplicates(reader, own, until),
    ]
    if _was_stopped(own):
        found += _halts(reader, own, last)
    unique = {row[0]: row for row in found if row[0] not in known}
    return [unique[sequence] for sequence in sorted(unique)]


def _duplicates(reader: JournalReader, own: list[Recorded], until: int) -> Iterator[Row]:
    """Yield the refusals of requests that asked for the same once more."""
    request_id = _request_id(own)
    name = msgspec.json.encode(request_id)
    for row in _rows(
        reader, "sequence > ? AND sequence <= ? AND kind = 'DuplicateRefused'", own[0][0], until
    ):
        if name in row[6] and _is_of(row, request_id):
            yield row


def _is_of(row: Row, request_id: str) -> bool:
    event = events.decode(row[6])
    if not isinstance(event, events.DuplicateRefused):
        return False
    return request_id in {event.original_request_id, event.request.request_id}


def _request_id(own: Iterable[Recorded]) -> str:
    for _, _, event in own:
        if isinstance(event, events.OrderApproved | events.RequestDenied | events.DuplicateRefused):
            return event.request.request_id
    return ""


def _was_stopped(own: list[Recorded]) -> bool:
    """Tell whether a halt had a part in a request's life."""
    for _, _, event in own:
        if isinstance(event, events.RequestDenied):
            if any(finding.code in _HALTED for finding in event.findings):
                return True
        elif isinstance(event, events.OrderDenied):
            if event.code in _HALTED:
                return True
        elif isinstance(event, events.CancelRequested) and event.reason.startswith("halt: "):
            return True
    return False


def _halts(reader: JournalReader, own: list[Recorded], last: int) -> list[Row]:
    """Return the halts that were in force during a request's life and cover it."""
    first = own[0][0]
    subjects = [subject for _, _, event in own if (subject := _subject(event)) is not None]
    standing: dict[tuple[str, str, str], Row] = {}
    ended: list[Row] = []
    kinds = "kind IN ('HaltRaised', 'HaltLifted') AND sequence <= ?"
    for row in _rows(reader, kinds, last):
        event = events.decode(row[6])
        if isinstance(event, events.HaltRaised):
            standing[event.source, event.scope, event.owner] = row
        elif isinstance(event, events.HaltLifted):
            lifted = standing.pop((event.source, event.scope, event.owner), None)
            if lifted is not None and row[0] > first:
                ended.append(lifted)
    found = []
    for row in (*standing.values(), *ended):
        event = events.decode(row[6])
        if isinstance(event, events.HaltRaised) and any(
            event.scope == SCOPE_ALL or each.is_in(event.scope) for each in subjects
        ):
            found.append(row)
    return found


def _games(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name is not None)


def _subject(event: events.Event) -> Subject | None:
    """Return what a scope may match, as far as the record says it."""
    if isinstance(event, events.OrderApproved):
        return Subject(
            event.platform,
            event.sport,
            event.market_key,
            event.market_id,
            event.strategy,
            event.request.model_version,
            _games(event.game_id, event.request.game_id),
            event.pool or event.platform,
        )
    if not isinstance(event, events.RequestDenied):
        return None
    request = event.request
    there = request.alternates[event.leg - 1] if event.leg else request
    return Subject(
        there.platform,
        (request.sport or "").upper(),
        there.market_id,
        there.market_id,
        request.strategy or "",
        request.model_version,
        _games(request.game_id),
    )


def _between(reader: JournalReader, own: list[Link], around: list[Link], until: int) -> list[Link]:
    """Return the other records from the first of the request to the head."""
    known = {link.sequence for link in (*own, *around)}
    found: list[Link] = []
    previous = own[0].previous
    for row in _rows(reader, "sequence >= ? AND sequence <= ?", own[0].sequence, until):
        if row[0] not in known:
            sequence, time_ns, epoch, kind, request_id, digest, body = row
            found.append(
                Link(
                    sequence=sequence,
                    time_ns=time_ns,
                    epoch=epoch,
                    kind=kind,
                    request_id=request_id,
                    body=body.decode(),
                    previous=previous,
                    hash=digest.hex(),
                )
            )
        previous = row[5].hex()
    return found
