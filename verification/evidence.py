"""Evidence after the fact: what a gateway left on disk, compared with what the exchange has.

Guarantees that every check reads files alone (journal, audit log, the exchange's own book) and
names what it found, so that a crash, a drill or a year of trading can be judged by somebody who
was not there. A check that finds nothing wrong says nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.book.book import encode as encode_book
from arbees.core.book.market import Terms
from arbees.core.language.units import format_micro
from arbees.core.language.words import Side
from arbees.core.orders.lifecycle import end_of, falls_back
from arbees.journal import JournalReader, implied_by_events, verify
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.proof import missing
from verification.exchange_book import ExchangeBook, highest_exposures, read_book

VERIFY = "verify"
"""The journal is not what was written."""
FINAL = "final"
"""A request without exactly one final result."""
DUPLICATE = "duplicate"
"""A key with more than one order at the exchange, or an order that no key explains."""
LIMIT = "limit"
"""More at stake at the exchange than a limit allows."""
DIFFERENCE = "difference"
"""Orders, fills, positions or cash of gateway and exchange differ."""
UNKNOWN = "unknown"
"""An order whose fate is still not known."""
REPLAY = "replay"
"""The book is not the fold of the journal."""
AUDIT = "audit"
"""The audit log is not what the journal says."""
CHECKS = (VERIFY, FINAL, DUPLICATE, LIMIT, DIFFERENCE, UNKNOWN, REPLAY, AUDIT)


class ExposureLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the exchange's own book is held against, in millionths."""

    order: int
    contracts: int
    market: int
    total: int


class Evidence(msgspec.Struct, kw_only=True):
    """What was found; nothing in `findings` means that nothing was."""

    requests: int = 0
    """Requests that were decided, duplicates apart."""
    passed: int = 0
    """Of them, those that every safeguard passed."""
    orders: int = 0
    """Orders that the exchange accepted."""
    fills: int = 0
    findings: list[tuple[str, str]] = []
    """(check, what was found)."""

    def say(self, check: str, text: str) -> None:
        """Keep a finding."""
        self.findings.append((check, text))

    def count(self, check: str) -> int:
        """Return how often a check found something."""
        return sum(found == check for found, _ in self.findings)


Recorded = tuple[int, int, events.Event]


def examine(
    *,
    journal: Path,
    paper_book: Path,
    audit_log: Path | None,
    limits: ExposureLimits,
    terms: dict[str, Terms],
    is_timed: bool = True,
    book: bytes | None = None,
) -> Evidence:
    """
    Examine what a stopped gateway left.

    Args:
        journal: its journal.
        paper_book: the exchange's own book.
        audit_log: the current audit file; None = there is none.
        limits: those in force all along.
        terms: of the venues, by platform.
        is_timed: whether the audit log holds latencies.
        book: the gateway's book in memory as it stopped, encoded; None = not known.
    """
    found = Evidence()
    report = verify(journal, index_of=implied_by_events())
    for finding in report.findings:
        found.say(VERIFY, f"{finding.code}: {finding.message}")
    reader = JournalReader(journal)
    try:
        records = [
            (stored.sequence, stored.time_ns, events.decode(stored.body))
            for stored in reader.records()
        ]
        folded = _fold(records, found, book)
        exchange = read_book(paper_book)
        found.orders, found.fills = len(exchange.orders), len(exchange.fills)
        _look_at_results(records, folded, found)
        _look_at_keys(records, exchange, found)
        _look_at_limits(exchange, limits, terms, found)
        _compare(records, folded, exchange, found)
        if audit_log is not None:
            files = AuditFiles(audit_log).all()
            for each in missing(reader, files, is_timed=is_timed).findings:
                found.say(AUDIT, f"{each.kind} ({each.sequence}): {each.text}")
    finally:
        reader.close()
    return found


def _fold(records: Iterable[Recorded], found: Evidence, book: bytes | None) -> Book:
    folded = fresh()
    for sequence, time_ns, event in records:
        apply(folded, event, sequence, time_ns)
    if book is not None and encode_book(folded) != book:
        found.say(REPLAY, "the book in memory is not the fold of the journal")
    for client_order_id, order in folded.orders.items():
        found.say(UNKNOWN, f"{client_order_id} is {order.status} at the end")
    return folded


def is_final(event: events.Event) -> bool:
    """Tell whether a record is the final result of its request's attempt, unless it is reopened."""
    if isinstance(event, events.RequestDenied):
        return not event.falls_back
    if isinstance(event, events.OrderFilled) and event.corrects is not None:
        return False
    return end_of(event) is not None and not falls_back(event)


def _request_of(event: events.Event) -> str | None:
    if isinstance(event, events.RequestDenied | events.OrderApproved):
        return event.request.request_id
    return event.request_id if isinstance(event, events.OrderEvent) else None


def _look_at_results(records: Iterable[Recorded], book: Book, found: Evidence) -> None:
    """Each accepted request has exactly one final result; an open one none yet."""
    finals: Counter[str] = Counter()
    asked: dict[str, None] = {}
    passed: set[str] = set()
    for _, _, event in records:
        request_id = _request_of(event)
        if request_id is None:
            continue
        asked.setdefault(request_id)
        if isinstance(event, events.OrderApproved):
            passed.add(request_id)
        if is_final(event):
            finals[request_id] += 1
        elif isinstance(event, events.OrderReopened):
            finals[request_id] -= 1  # taken back; what ends it next is the correction
    still_open = {order.request_id for order in book.orders.values()}
    found.requests, found.passed = len(asked), len(passed)
    for request_id in asked:
        expected = 0 if request_id in still_open else 1
        if finals[request_id] != expected:
            text = f"{request_id}: expected {expected} final result, was {finals[request_id]}"
            found.say(FINAL, text)


def _look_at_keys(records: Iterable[Recorded], exchange: ExchangeBook, found: Evidence) -> None:
    """Each order at the exchange has one key, and each key at most one order."""
    key_of: dict[str, str] = {}
    size_of: dict[str, int] = {}
    for _, _, event in records:
        if isinstance(event, events.OrderApproved):
            key_of[event.client_order_id] = event.request.idempotency_key
            size_of[event.client_order_id] = event.request.size
    placed: Counter[str] = Counter()
    for order in exchange.orders:
        key = key_of.get(order.client_order_id)
        if key is None:
            found.say(DUPLICATE, f"no key explains the exchange's order {order.client_order_id}")
            continue
        placed[key] += 1
        if order.quantity != size_of[order.client_order_id]:
            found.say(DUPLICATE, f"{order.client_order_id} has another size than was approved")
    for key, count in placed.items():
        if count > 1:
            found.say(DUPLICATE, f"key {key} has {count} orders at the exchange")


def _look_at_limits(
    exchange: ExchangeBook, limits: ExposureLimits, terms: dict[str, Terms], found: Evidence
) -> None:
    """At no moment was more at stake than the limits allow."""
    for order in exchange.orders:
        if order.action == "Buy" and order.quantity * order.limit_price > limits.order * 1_000_000:
            found.say(LIMIT, f"{order.client_order_id}: larger than MAX_ORDER_SIZE")
        if order.quantity > limits.contracts:
            found.say(LIMIT, f"{order.client_order_id}: larger than MAX_ORDER_CONTRACTS")
    netting = {platform: each.is_netting for platform, each in terms.items()}
    markets, total = highest_exposures(exchange, netting)
    for key, exposure in markets.items():
        if exposure > limits.market:
            found.say(LIMIT, f"market {key}: {float(exposure) / 1e6} dollars at stake")
    if total > limits.total:
        found.say(LIMIT, f"account: {float(total) / 1e6} dollars at stake")


def _compare(
    records: Iterable[Recorded], book: Book, exchange: ExchangeBook, found: Evidence
) -> None:
    """Orders, fills, positions and cash are the same on both sides."""
    ours: dict[str, events.OrderFilled] = {}
    earned: dict[str, int] = defaultdict(int)
    for _, _, event in records:
        if isinstance(event, events.OrderFilled):
            if event.trade_id in ours:
                found.say(DIFFERENCE, f"fill {event.trade_id} counts twice")
            ours[event.trade_id] = event
            earned[event.platform] += event.cash
        elif isinstance(event, events.FillReversed):
            ours.pop(event.trade_id, None)
            earned[event.platform] += event.cash
        elif isinstance(event, events.MarketSettled | events.SettlementCorrected):
            earned[book.markets[event.market_key].listing.platform] += event.payout
    theirs = {fill.trade_id: fill for fill in exchange.fills}
    for trade_id in sorted(ours.keys() ^ theirs.keys()):
        side = "the exchange" if trade_id in theirs else "the gateway"
        found.say(DIFFERENCE, f"only {side} knows fill {trade_id}")
    for trade_id in sorted(ours.keys() & theirs.keys()):
        a, b = ours[trade_id], theirs[trade_id]
        if (a.quantity, a.price, a.fee) != (b.quantity, b.price, b.fee):
            found.say(DIFFERENCE, f"fill {trade_id} is not the same on both sides")
    _compare_positions(book, exchange, found)
    for platform, cash in exchange.earned.items():
        if cash != earned[platform]:
            text = f"{platform}: earned {format_micro(cash)}, by the journal "
            found.say(DIFFERENCE, text + format_micro(earned[platform]))


def _compare_positions(book: Book, exchange: ExchangeBook, found: Evidence) -> None:
    held = {
        (market.listing.platform, key, str(side)): market.holding(side).quantity
        for key, market in book.markets.items()
        for side in Side
        if market.holding(side).quantity
    }
    for place in sorted(held.keys() | exchange.held.keys()):
        a, b = held.get(place, 0), exchange.held.get(place, 0)
        if a != b:
            text = f"{'/'.join(place)}: the gateway holds {format_micro(a)}, the exchange "
            found.say(DIFFERENCE, text + format_micro(b))
    working = {order.client_order_id for order in exchange.orders if order.status in _WORKING}
    for name in sorted(working - book.orders.keys()):
        found.say(DIFFERENCE, f"{name} works at the exchange, the gateway has ended it")


_WORKING = frozenset({"working", "partially_filled", "pending"})
