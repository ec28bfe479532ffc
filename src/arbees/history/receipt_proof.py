"""Proves a receipt: from itself alone, and against a journal where there is one.

Guarantees that whatever in it was changed is named, the first thing first. It collects what each
step proved, so that nobody takes a document that agrees with itself for one that a journal holds.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.orders.result import encode
from arbees.history.receipt import (
    FORMAT,
    Document,
    Link,
    digest_of,
    make_receipt,
    plain_of,
)
from arbees.history.timeline import tell
from arbees.journal.proof.chain import (
    COLUMNS,
    Chain,
    Row,
    record_hash,
)
from arbees.journal.proof.witness import NotedRecord, parse_known, read_witness
from arbees.journal.reader import JournalReader

_DECODER = msgspec.json.Decoder(Document)
_SHOWN_MAX = 60

AGREES, LEADS, KNOWN, HELD, UNBROKEN, WITNESSED = LEVELS = (
    *("agrees", "leads", "known"),
    *("held", "unbroken", "witnessed"),
)
IN_WORDS = {
    AGREES: "it agrees with itself: hashes, records, story",
    LEADS: "its records lead to the head that it states, every one in between is there (needs "
    "--links when it is made); whose journal it is, and what was before the request, is as told",
    KNOWN: "its records lead to the head that is known from elsewhere (--head)",
    HELD: "a journal holds these records of the request and no others, up to the head stated",
    UNBROKEN: "the chain of that journal is unbroken from the first of them to its end",
    WITNESSED: "the end of that journal is the one that its witness saw",
}


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved of a receipt, and the first thing that does not fit."""

    request_id: str | None
    is_good: bool
    proved: tuple[str, ...]
    """Of `LEVELS`."""
    not_proved: tuple[str, ...]
    problem: str | None
    place: str | None
    """Where in the document, as a path."""
    head: str | None
    """The head that it states, `SEQUENCE:HASH`."""


class _Unfit(Exception):  # noqa: N818 - an expected outcome
    """Something does not fit."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(f"{place}: {problem}")


def prove(text: bytes, *, journal: Path | None = None, head: str | None = None) -> Proof:
    """
    Check a receipt.

    Args:
        text: the document.
        journal: a journal to hold it against.
        head: a head that is known from elsewhere: `SEQUENCE:HASH`, or the hash in hex. That the
            records lead to it is shown by links or by the journal; a head that is merely stated in
            the document, where anybody may write it, proves nothing.

    Raises:
        JournalUnavailable, JournalCorrupt, ConfigurationError: the journal cannot be read.
    """
    proved: list[str] = []
    document: Document | None = None
    problem: _Unfit | None = None
    try:
        document = _read(text)
        _check(document, plain_of(text))
        proved.append(AGREES)
        if _leads(document):
            proved.append(LEADS)
        if journal is not None:
            proved += _held(document, text, journal)
        if head is not None:
            _check_known(document, parse_known(head), journal, is_led=LEADS in proved)
            proved.append(KNOWN)
    except _Unfit as unfit:
        problem = unfit
    return Proof(
        request_id=None if document is None else document.request_id,
        is_good=problem is None,
        proved=tuple(each for each in LEVELS if each in proved),
        not_proved=tuple(each for each in LEVELS if each not in proved),
        problem=None if problem is None else problem.problem,
        place=None if problem is None else problem.place,
        head=None if document is None else f"{document.head.sequence}:{document.head.hash}",
    )


def _read(text: bytes) -> Document:
    try:
        plain_of(text)  # each field once
        document = _DECODER.decode(text)
    except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError) as error:
        raise _Unfit("receipt", f"Expected a receipt: {error}") from None
    if document.format != FORMAT:
        raise _Unfit("format", f"Expected {FORMAT}, was {document.format}")
    return document


# From itself alone -----------------------------------------------------------------------------


def _check(document: Document, plain: dict[str, Any]) -> None:
    """Check all that a receipt says by itself."""
    for place, link in _placed(document):
        _check_link(place, link)
    _check_order(document)
    _check_records(document)
    _check_timeline(document, plain)
    stated = digest_of(plain)
    if document.digest != stated:
        raise _Unfit("digest", f"Expected {stated}, was {document.digest}")


def _placed(document: Document) -> Iterator[tuple[str, Link]]:
    for name in ("records", "around", "links"):
        for index, link in enumerate(getattr(document, name) or ()):
            yield f"{name}[{index}]", link


def _check_link(place: str, link: Link) -> None:
    """Make a record's hash again."""
    try:
        made = record_hash(
            bytes.fromhex(link.previous),
            link.sequence,
            link.time_ns,
            link.epoch,
            link.kind,
            link.request_id,
            link.body.encode(),
        ).hex()
    except (ValueError, struct.error) as error:
        raise _Unfit(place, f"Expected the columns of a record: {error}") from None
    if made != link.hash:
        raise _Unfit(place, f"Expected hash {made} of what is stated, was {link.hash[:64]}")
    try:
        _, _, event = link.recorded()
    except msgspec.MsgspecError as error:
        raise _Unfit(f"{place}.body", f"Expected an event: {error}") from None
    if events.kind(event) != link.kind:
        raise _Unfit(f"{place}.kind", f"Expected {events.kind(event)}, was {link.kind}")


def _check_order(document: Document) -> None:
    """Follow the records by number: times, epochs, and hashes where they are neighbours."""
    placed = sorted(_placed(document), key=lambda each: each[1].sequence)
    before: Link | None = None
    for place, link in placed:
        if before is not None:
            if link.sequence <= before.sequence:
                raise _Unfit(f"{place}.sequence", f"Expected each record once: {link.sequence}")
            if link.time_ns < before.time_ns or link.epoch < before.epoch:
                raise _Unfit(place, "Expected time and epoch at or after the record before")
            if link.sequence == before.sequence + 1 and link.previous != before.hash:
                raise _Unfit(f"{place}.previous", f"Expected {before.hash}, was {link.previous}")
        before = link
    if before is not None:
        _check_head(document, before)
    if document.links is not None:
        _check_links(document)


def _check_head(document: Document, last: Link) -> None:
    head = document.head
    if head.sequence < last.sequence or head.time_ns < last.time_ns:
        raise _Unfit("head", f"Expected a head at or after record {last.sequence}")
    is_last = head.sequence == last.sequence
    if is_last and (head.hash, head.time_ns) != (last.hash, last.time_ns):
        raise _Unfit("head.hash", f"Expected that of record {last.sequence}: {last.hash}")
    if len(head.hash) != 64 or not set(head.hash) <= set("0123456789abcdef"):
        raise _Unfit("head.hash", "Expected 64 hexadecimal digits")


def _check_known(
    document: Document, known: NotedRecord, journal: Path | None, *, is_led: bool
) -> None:
    """Check that the records lead to a head that is known from elsewhere."""
    last = document.records[-1].sequence
    if is_led:
        links = (link for _, link in _placed(document) if link.sequence >= last)
        if any(known.is_of(link.sequence, link.hash) for link in links):
            return
    if journal is not None:
        with JournalReader(journal) as reader:
            if any(row[0] >= last for row in _known_rows(reader, known)):
                return
    head = document.head
    if not known.is_of(head.sequence, head.hash):
        raise _Unfit("head.hash", f"Expected {known}, was {head.sequence}:{head.hash}")
    raise _Unfit(
        "links",
        "Expected every record up to that head: a head that is only stated proves nothing. Make "
        "the receipt with --links, or name the journal with --journal",
    )


def _known_rows(reader: JournalReader, known: NotedRecord) -> Iterator[Row]:
    try:
        digest = bytes.fromhex(known.hash)
    except ValueError:
        return
    where = "hash = ?" if known.sequence is None else "hash = ? AND sequence = ?"
    values = (digest,) if known.sequence is None else (digest, known.sequence)
    yield from reader.ask(f"SELECT {COLUMNS} FROM records WHERE {where}", values)  # noqa: S608


def _leads(document: Document) -> bool:
    """Tell whether every number is there, from the first record of the request to the head."""
    there = {link.sequence for _, link in _placed(document)}
    numbers = range(document.records[0].sequence, document.head.sequence + 1)
    return len(numbers) <= len(there) and all(number in there for number in numbers)


def _check_links(document: Document) -> None:
    """With links there is every number up to the head, and nothing of the request among them."""
    there = {link.sequence for _, link in _placed(document)}
    for sequence in range(document.records[0].sequence, document.head.sequence + 1):
        if sequence not in there:
            raise _Unfit("links", f"Expected record {sequence}, was none")
    for index, link in enumerate(document.links or ()):
        if link.request_id == document.request_id:
            raise _Unfit(f"links[{index}]", f"Expected record {link.sequence} among the records")


def _check_records(document: Document) -> None:
    """Check that the records are of this request, and those around it what they may be."""
    if not document.records:
        raise _Unfit("records", "Expected the records of a request, was none")
    for index, link in enumerate(document.records):
        if link.request_id != document.request_id:
            expected = f"Expected {document.request_id}, was {link.request_id}"
            raise _Unfit(f"records[{index}].request_id", expected)
    if list(document.records) != sorted(document.records, key=lambda each: each.sequence):
        raise _Unfit("records", "Expected the order of the journal")
    if list(document.around) != sorted(document.around, key=lambda each: each.sequence):
        raise _Unfit("around", "Expected the order of the journal")
    if not document.around or document.around[0].kind != "Bound":
        raise _Unfit("around", "Expected the record that says whose journal it is")
    for index, link in enumerate(document.around):
        if link.kind not in {"Bound", "Started", "DuplicateRefused", "HaltRaised"}:
            raise _Unfit(f"around[{index}].kind", f"Expected no {link.kind} here")


def _check_timeline(document: Document, plain: dict[str, Any]) -> None:
    """Tell the story again from the records, and compare it leaf by leaf."""
    try:
        story = tell(
            [link.recorded() for link in document.records],
            [link.recorded() for link in document.around],
        )
    except (ValueError, LookupError, msgspec.MsgspecError) as error:
        raise _Unfit("records", f"Expected the life of a request: {error}") from None
    expected = plain_of(encode(story))
    for place, was, should in differences(expected, plain["story"], "story"):
        raise _Unfit(place, f"Expected {_shown(should)}, was {_shown(was)}")
    foreign = [sent for sent in story.sent if not sent.is_derived]
    if foreign:
        place = "story.sent"
        raise _Unfit(place, f"{foreign[0].client_order_id} does not derive from account and key")


def differences(
    expected: object, found: object, place: str
) -> Iterator[tuple[str, object, object]]:
    """Yield where two documents differ: the place, what was found, what was expected."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in (*expected, *(name for name in found if name not in expected)):
            if name not in found or name not in expected:
                yield f"{place}.{name}", found.get(name), expected.get(name)
            else:
                yield from differences(expected[name], found[name], f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{place}[{index}]")
    elif expected != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield place, found, expected


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."


# Against a journal -----------------------------------------------------------------------------


def _held(document: Document, text: bytes, journal: Path) -> list[str]:
    """Make the receipt anew from the journal as of the stated head; it must be the same."""
    with JournalReader(journal) as reader:
        head = reader.record(document.head.sequence)
        if head is None or head.hash.hex() != document.head.hash:
            is_hash = "none" if head is None else head.hash.hex()
            where = f"record {document.head.sequence} of {journal}"
            raise _Unfit("head", f"Expected {where} to be {document.head.hash}, was {is_hash}")
        anew = make_receipt(
            reader,
            document.request_id,
            until=document.head.sequence,
            has_links=document.links is not None,
        )
        if anew is None:
            raise _Unfit("request_id", f"The journal knows no request {document.request_id}")
        said = plain_of(text)
        for place, was, should in differences(
            _without_maker(anew.document), _without_maker(said), "receipt"
        ):
            raise _Unfit(place, f"The journal says {_shown(should)}, was {_shown(was)}")
        found = [HELD, UNBROKEN]
        mark = read_witness(journal)  # first: what it saw is in the journal from then on
        last = _follow(reader, document.records[0])
        if mark is not None:
            if mark.sequence > last.sequence:
                raise _Unfit("journal", f"It ends at {last.sequence}, its witness saw more")
            if mark.sequence == last.sequence and mark.hash != last.last:
                raise _Unfit("journal", "Its last record is not the one that its witness saw")
            found.append(WITNESSED)
    return found


def _without_maker(plain: dict[str, Any]) -> dict[str, Any]:
    """Return a document without what another version, at the same head, may say otherwise."""
    return {name: plain[name] for name in plain if name not in {"made_by", "digest"}}


def _follow(reader: JournalReader, first: Link) -> Chain:
    """Follow the chain of a journal from a record to its end."""
    chain = Chain(first.sequence - 1, bytes.fromhex(first.previous))
    query = f"SELECT {COLUMNS} FROM records WHERE sequence > ? ORDER BY 1 LIMIT 2000"  # noqa: S608
    while rows := reader.ask(query, (chain.sequence,)):
        for row in rows:
            for broken in chain.follow(row):
                raise _Unfit("journal", f"record {broken.sequence}: {broken.message}")
    return chain
