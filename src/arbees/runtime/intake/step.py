"""One step: a command in; records, and effects for when they are durable, out.

Guarantees that deciding is synchronous, reads no clock but the one that it was given, and does no
I/O but for what the journal's tables are asked: what simulation and playback drive is what runs.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book
from arbees.core.book.index_rows import rows_of
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts, VenueHealth
from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.words import Platform
from arbees.core.orders.result import Recorded
from arbees.core.ports import Entry
from arbees.runtime.intake.key_lookup import Lookups
from arbees.runtime.watching.marks import Marks
from arbees.runtime.watching.quote_listings import listing_of, says_more


class Surroundings(Protocol):
    """What a decision consults besides the book, each as of a moment."""

    def health(self, platform: Platform, now_ns: int, pool: str) -> VenueHealth:
        """Return the state of a venue for an order in a pool."""
        ...

    def balance_ns(self, pool: str) -> int:
        """Return when a pool's balance was told last; 0 = never."""
        ...

    def market_ns(self, platform: Platform, market_id: str) -> int | None:
        """Return as of when the venue's word on a market is; 0 = never, None = none is asked."""
        ...

    def has_own_books(self, platform: Platform) -> bool:
        """Tell whether books come from the venue itself."""
        ...

    def clock_offset_ns(self, platform: Platform) -> int:
        """Return our clock less the venue's."""
        ...


class TakeQuote(msgspec.Struct):
    """A quote: volatile, but the first one of a market lists it."""

    quote: Quote


class Step:
    """Decides commands one after the other against one book."""

    def __init__(
        self,
        *,
        book: Book,
        rules: commands.Rules,
        now_ns: Callable[[], int],
        marks: Marks,
        lookups: Lookups,
        surroundings: Surroundings,
    ) -> None:
        """
        Take over a book.

        Args:
            book: the fold of the journal.
            rules: safeguards and constants.
            now_ns: the gateway's clock.
            marks: the newest quotes.
            lookups: the journal's tables, with what is not durable yet.
            surroundings: what is known of the venues.
        """
        self._book = book
        self._rules = rules
        self._now_ns = now_ns
        self._marks = marks
        self._lookups = lookups
        self._surroundings = surroundings

    def decide(
        self,
        command: commands.Command | TakeQuote,
        entries: list[Entry],
        effects: list[commands.Effect],
    ) -> tuple[Recorded, ...]:
        """
        Decide one command against the book, and apply what came of it.

        Args:
            command: what is asked.
            entries: takes what must become durable.
            effects: takes what may be done then.

        Returns:
            The records; of an alternate leg too.
        """
        if isinstance(command, TakeQuote):
            listed = self._take_quote(command.quote)
            if listed is None:
                return ()
            command = listed
        command = self._lookups.complete(command)
        decision = decide(self._book, self._facts(command), command, self._rules)
        past = getattr(command, "past", None)
        records: list[Recorded] = []
        for event in decision.events:
            sequence, time_ns = self._book.sequence + 1, self._stamp()
            order = self._order_of(event, past)
            apply(self._book, event, sequence, time_ns)
            if isinstance(event, events.OrderApproved):
                order = self._book.orders[event.client_order_id]
            rows = rows_of(event, time_ns, order)
            self._follow(event)
            about = about_of(event, command)
            entries.append(Entry(time_ns, events.kind(event), events.encode(event), about, rows))
            records.append((sequence, time_ns, event))
            self._lookups.remember(about, (sequence, time_ns, event), rows)
        for effect in decision.effects:
            if isinstance(effect, commands.TryAlternate):
                follow = _following(effect, records, self._book.time_ns)
                records.extend(self.decide(follow, entries, effects))
            else:
                effects.append(effect)
        if isinstance(command, commands.ListMarket) and command.quote is not None:
            self._touch(command.quote)
        return tuple(records)

    def _stamp(self) -> int:
        """Return the time of the next record: strictly after everything before it."""
        return max(self._book.time_ns + 1, self._now_ns())

    def _take_quote(self, quote: Quote) -> commands.ListMarket | None:
        """Return the listing that a quote needs first; None if its market is known."""
        found = self._book.market_of(quote.platform, quote.market_id)
        is_open = quote.status != "closed"
        if found is not None:
            market, _ = found
            key = market.listing.market_key
            if market.is_settled or self._marks.is_newer_known(key, quote, self._now_ns()):
                return None
            if self._surroundings.has_own_books(quote.platform):
                is_open = market.is_open  # the venue's own word of that comes with its metadata
            if market.is_open == is_open and not says_more(quote, market.listing):
                self._touch(quote)
                return None
        listing = listing_of(quote, self._rules.terms[quote.platform])
        return commands.ListMarket(listing=listing, is_open=is_open, quote=quote)

    def _touch(self, quote: Quote) -> None:
        found = self._book.market_of(quote.platform, quote.market_id)
        if found is not None:
            market, is_flipped = found
            key, now_ns = market.listing.market_key, self._now_ns()
            self._marks.take(key, quote, is_flipped=is_flipped, now_ns=now_ns)

    def _follow(self, event: events.Event) -> None:
        """Keep the marks in step with positions."""
        if isinstance(event, events.OrderFilled | events.FillReversed | events.PositionAdopted):
            self._marks.recount(event.market_key)
        elif isinstance(event, events.MarketSettled):
            self._marks.forget(event.market_key)
            self._marks.recount(event.market_key)
        elif isinstance(event, events.Marked):
            for key in event.marks:
                self._marks.recount(key)

    def _order_of(self, event: events.Event, past: commands.ClosedOrder | None) -> Order | None:
        if not isinstance(event, events.OrderEvent):
            return None
        order = self._book.orders.get(event.client_order_id)
        return past.order if order is None and past is not None else order

    def facts_for(self, request: Request) -> Facts:
        """Return what a request would be judged by now."""
        return self._facts(commands.Submit(request=request, received_ns=self._now_ns()))

    def _facts(self, command: commands.Command) -> Facts:
        now_ns = self._now_ns()
        if not isinstance(command, commands.Submit):
            return Facts(now_ns=now_ns)
        there = command.request.alternates[command.leg - 1] if command.leg else command.request
        found = self._book.market_of(there.platform, there.market_id)
        listing = None if found is None else found[0].listing
        touch = None if listing is None else self._marks.touches.get(listing.market_key)
        pool = there.platform if listing is None else listing.pool or there.platform
        return Facts(
            now_ns=now_ns,
            touch=touch,
            venue=self._surroundings.health(there.platform, now_ns, pool),
            unrealized=self._marks.unrealized,
            marks_ns=self._marks.oldest_ns(),
            has_own_books=self._surroundings.has_own_books(there.platform),
            market_ns=self._surroundings.market_ns(there.platform, there.market_id),
            balance_ns=self._surroundings.balance_ns(pool),
            clock_offset_ns=self._surroundings.clock_offset_ns(there.platform),
        )


_ASKED = (events.OrderApproved, events.RequestDenied, events.DuplicateRefused)
_JUDGED = (events.OrderApproved, events.RequestDenied)
_RECEIPTS = (events.HaltRaised, events.MassCancelled, events.FlattenPlanned)


def about_of(event: events.Event, command: commands.Command) -> str | None:
    """
    Return the id under which a record is found: its request's, or its receipt's.

    A duplicate under an id that was seen before is found under none. A caller in a loop would make
    the records of one request grow for ever, and each answer slower than the one before.
    """
    if isinstance(event, events.OrderEvent | events.DenialReviewed):
        return event.request_id
    if isinstance(event, _ASKED):
        is_again = isinstance(command, commands.Submit) and command.known.request_key is not None
        if is_again and isinstance(event, events.DuplicateRefused):
            return None
        return event.request.request_id
    if isinstance(event, _RECEIPTS):
        return event.receipt_id or None
    return None


def _following(
    tries: commands.TryAlternate, records: list[Recorded], time_ns: int
) -> commands.Submit:
    """Return the next leg of a request that falls back; it came in when its first leg did."""
    asked = (event for _, _, event in records if isinstance(event, _JUDGED))
    received_ns = next((event.received_ns for event in asked), time_ns)
    return commands.Submit(
        request=tries.request, received_ns=received_ns, leg=tries.leg, key_id=tries.key_id
    )
