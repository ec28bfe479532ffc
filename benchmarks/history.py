"""A long evening: a journal of many records, made by the core itself.

Requests over many markets: some are denied, most are approved and acknowledged, and then fill or
are killed; balances are observed in between. A snapshot stands where the newest one would be in the
worst case, the rest is the tail that a restart must replay.
"""

import random
from pathlib import Path

from msgspec.structs import replace

from arbees.core import events
from arbees.core.book import book as books
from arbees.core.book.apply import apply
from arbees.core.book.book import Book
from arbees.core.book.index_rows import rows_of
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    Fill,
    PoolBalance,
)
from arbees.core.language.request import parse_request
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.core.ports import Entry
from arbees.history.recovery import snapshot_version
from arbees.journal import SqliteJournal
from arbees.runtime.options import SNAPSHOT_EVERY
from benchmarks import scene, stock

STEP_NS = 100_000_000
"""Between two requests."""
TAIL = SNAPSHOT_EVERY
"""Records after the newest snapshot, at most."""
BALANCE_EVERY = 500
MARKETS = 1_000
_TOO_MANY = 200 * MICRO


def history(folder: Path, records: int) -> Path:
    """Return the folder of a kept journal of so many records."""

    def make(journal: SqliteJournal) -> None:
        Play(journal, scene.rules()).play(records)

    return stock.kept(folder, f"history-{records}-tail-{TAIL}-markets-{MARKETS}", make)


class Play:
    """Decides, applies and appends, as the writer does, without its loop."""

    def __init__(
        self,
        journal: SqliteJournal,
        rules: commands.Rules,
        new_events: tuple[events.Event, ...] = (),
    ) -> None:
        """
        Begin on a journal.

        Args:
            journal: bound, and nothing more.
            rules: what decides.
            new_events: what stands before the markets, such as a start.
        """
        self._journal = journal
        self._book: Book = scene.replayed(journal)
        self._rules = rules
        self._before = new_events
        self._draw = random.Random(7)
        self._now_ns = stock.START_NS
        self._entries: list[Entry] = []

    def play(self, records: int) -> None:
        """Go on until the journal holds so many records."""
        opening = (*self._before, *scene.opening(MARKETS, self._now_ns))
        stock.append_events(self._journal, self._book, opening)
        number = 0
        snapshot_at = records - TAIL
        while self._book.sequence < records:
            self._request(number)
            number += 1
            if number % BALANCE_EVERY == 0:
                self._balance()
            if len(self._entries) >= stock.BATCH:
                self._append()
            if snapshot_at and self._book.sequence >= snapshot_at:
                self._append()
                body = books.encode(self._book)
                self._journal.write_snapshot(self._book.sequence, snapshot_version(), body)
                snapshot_at = 0
        self._append()

    def _append(self) -> None:
        self._journal.append(self._entries)
        self._entries.clear()

    def _request(self, number: int) -> None:
        self._now_ns += STEP_NS
        market = self._draw.randrange(MARKETS)
        request = parse_request(scene.body(self._draw, market, self._now_ns), self._now_ns)
        if self._draw.random() < 0.3:
            request = replace(request, size=_TOO_MANY)
        command = commands.Submit(request=request, received_ns=self._now_ns)
        for effect in self._take(command).effects:
            if isinstance(effect, commands.SendOrder):
                self._answer(effect.order, command)

    def _answer(self, order: ApprovedOrder, command: commands.Submit) -> None:
        name = f"{self._draw.getrandbits(64):016x}"
        fill = Fill(
            client_order_id=order.client_order_id,
            trade_id=f"trade-{name}",
            quantity=order.quantity,
            price=order.limit_price,
            fee=100,
            is_maker=False,
            time_ns=self._now_ns,
        )
        is_filled = self._draw.random() < 0.6
        outcome = Accepted(
            venue_order_id=f"venue-{name}",
            time_ns=self._now_ns,
            fills=(fill,) if is_filled else (),
            closed="filled" if is_filled else "killed",
        )
        self._take(
            commands.TakeOutcome(
                client_order_id=order.client_order_id, outcome=outcome, request=command.request
            )
        )

    def _balance(self) -> None:
        balance = PoolBalance(
            platform=Platform.KALSHI,
            pool=Platform.KALSHI,
            available=scene.WIDE,
            as_of_ns=self._now_ns,
        )
        self._take(commands.ObserveBalance(balance=balance))

    def _take(self, command: commands.Command) -> commands.Decision:
        book = self._book
        facts = scene.facts(self._now_ns)
        decision = decide(book, facts, command, self._rules)
        for event in decision.events:
            time_ns = max(book.time_ns + 1, self._now_ns)
            order = None
            if isinstance(event, events.OrderEvent):
                order = book.orders.get(event.client_order_id)
            rows = rows_of(event, time_ns, order)
            apply(book, event, book.sequence + 1, time_ns)
            about = getattr(event, "request_id", None) or _request_id(event)
            self._entries.append(
                Entry(time_ns, events.kind(event), events.encode(event), about, rows)
            )
        return decision


def _request_id(event: events.Event) -> str | None:
    if isinstance(event, events.OrderApproved | events.RequestDenied):
        return event.request.request_id
    return None
