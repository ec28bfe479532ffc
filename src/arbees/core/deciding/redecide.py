"""Decides a recorded request again, from its record alone.

Guarantees that nothing but the record, the book of before it and rules is used (P6): the facts are
those that the decision kept, the key was as it must have been for a decision to be made at all.
Whether a key was known is proved apart, by `KeyFold`, since that depends on no setting.
"""

import msgspec

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.index_rows import (
    DENIED,
    RETRIABLE,
    SPENT,
    IndexFold,
)
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts
from arbees.core.language.request import Request
from arbees.core.language.words import Side
from arbees.core.ports import KeyRow, RequestRow, SignalRow

Judged = events.RequestDenied | events.OrderApproved
"""The two ends of a judgement by the safeguards."""

KEY_SAFEGUARD = "idempotency"


def submit_of(event: Judged) -> commands.Submit:
    """
    Return the command that led to a decision.

    The key was free, or its last attempt had ended without reaching a venue; at an alternate an
    execution of the same signal under another key may have stood in the way.
    """
    request = event.request
    known = commands.UNSEEN
    if event.leg == 0 and request.attempt > 1:
        last = KeyRow(
            request.idempotency_key, "", request.attempt - 1, request.fingerprint(), DENIED, 0
        )
        known = commands.Known(key=last)
    elif event.leg and isinstance(event, events.RequestDenied):
        known = _known_of_leg(event)
    return commands.Submit(
        request=request,
        received_ns=event.received_ns,
        known=known,
        leg=event.leg,
        key_id=event.key_id,
    )


def _known_of_leg(event: events.RequestDenied) -> commands.Known:
    first = event.findings[0]
    if first.safeguard != KEY_SAFEGUARD:
        return commands.UNSEEN
    signal, key = str(first.observed), str(first.limit)
    return commands.Known(signal=SignalRow(signal, "", "", event.request.action, key, SPENT))


def decided(decision: commands.Decision) -> Judged:
    """Return the judgement among the events of a decision."""
    return next(each for each in decision.events if isinstance(each, Judged))


def redecide(book: Book, event: Judged, rules: commands.Rules) -> commands.Decision:
    """
    Judge a recorded request again.

    Args:
        book: as it was before the decision; not changed.
        event: the recorded decision, with the facts that it consulted.
        rules: of then, or others.
    """
    return decide(book, event.facts, submit_of(event), rules)


def code_of(event: Judged) -> str | None:
    """Return the headline of a denial; None = approved."""
    return None if isinstance(event, events.OrderApproved) else event.findings[0].code


# Duplicates ------------------------------------------------------------------------------------


class Watched(msgspec.Struct, frozen=True):
    """The keys, request ids and signals that duplicates of a journal name; all others are left."""

    keys: frozenset[str] = frozenset()
    requests: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()


def watched(duplicates: "list[events.DuplicateRefused]") -> Watched:
    """Return what must be remembered to decide these duplicates again."""
    keys: list[str] = []
    for event in duplicates:
        keys.append(event.request.idempotency_key)
        if event.code == "DUPLICATE_SIGNAL" and event.limit is not None:
            keys.append(event.limit)
    return Watched(
        keys=frozenset(keys),
        requests=frozenset(event.request.request_id for event in duplicates),
        signals=frozenset(
            event.request.signal_id for event in duplicates if event.request.signal_id is not None
        ),
    )


class KeyFold:
    """The journal's key tables as of any record, for the names that are watched."""

    def __init__(self, names: Watched) -> None:
        """Start before the first record."""
        self._names = names
        self._index = IndexFold()
        self._keys: dict[str, KeyRow] = {}
        self._requests: dict[str, str] = {}
        self._signals: dict[tuple[str, str, str, str], dict[str, SignalRow]] = {}
        self._followed: dict[str, None] = {}

    def take(self, event: events.Event, time_ns: int) -> None:
        """Take the next record."""
        if not self._is_watched(event):
            return
        for row in self._index.rows(event, time_ns):
            if isinstance(row, KeyRow):
                self._keys[row.idempotency_key] = row
            elif isinstance(row, RequestRow):
                self._requests.setdefault(row.request_id, row.idempotency_key)
            elif isinstance(row, SignalRow):
                name = (row.signal_id, row.market_key, row.side, row.action)
                self._signals.setdefault(name, {})[row.idempotency_key] = row

    def _is_watched(self, event: events.Event) -> bool:
        if isinstance(event, events.OrderEvent):
            return event.client_order_id in self._followed
        if not isinstance(
            event, events.RequestDenied | events.OrderApproved | events.DuplicateRefused
        ):
            return False
        request, names = event.request, self._names
        is_watched = (
            request.idempotency_key in names.keys
            or request.request_id in names.requests
            or (request.signal_id is not None and request.signal_id in names.signals)
        )
        if is_watched and isinstance(event, events.OrderApproved):
            self._followed[event.client_order_id] = None
        return is_watched

    def is_refused_alike(
        self, book: Book, event: events.DuplicateRefused, rules: commands.Rules
    ) -> bool:
        """Tell whether a duplicate is refused again, with the same words."""
        known = self._known(book, event.request)
        command = commands.Submit(
            request=event.request,
            received_ns=event.received_ns,
            known=known,
            key_id=event.key_id,
        )
        if known == commands.UNSEEN and event.request.attempt == 1:
            return False  # it would be judged; what the safeguards say then is not on record
        decision = decide(book, Facts(now_ns=event.received_ns), command, rules)
        return decision.events == (event,)

    def _known(self, book: Book, request: Request) -> commands.Known:
        signal = self._signal(book, request)
        return commands.Known(
            key=self._keys.get(request.idempotency_key),
            request_key=self._requests.get(request.request_id),
            signal=signal,
            signal_request_id=(
                None if signal is None else self._keys[signal.idempotency_key].request_id
            ),
        )

    def _signal(self, book: Book, request: Request) -> SignalRow | None:
        found = book.market_of(request.platform, request.market_id)
        if request.signal_id is None or found is None:
            return None
        market, is_flipped = found
        side: Side = request.side.opposite if is_flipped else request.side
        name = (request.signal_id, market.listing.market_key, str(side), str(request.action))
        for key, row in self._signals.get(name, {}).items():
            if key != request.idempotency_key and row.outcome not in RETRIABLE:
                return row
        return None
