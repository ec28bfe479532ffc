"""Makes what a safeguard judges: an order, a book and facts, through the core's own functions.

Everything has a harmless default, so that a test names only what it is about. Amounts may be given
as text (`"0.65"`) or in millionths.
"""

from typing import Any

from arbees.core.book.book import Book, Subject, fresh
from arbees.core.book.market import (
    Listing,
    Market,
    OutcomeHolding,
    Terms,
)
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.deciding.verdicts import Safeguard, Verdict
from arbees.core.language.request import Request
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO, NS_PER_SECOND, parse_micro
from arbees.core.language.words import (
    UNCLASSIFIED,
    Action,
    Platform,
    Side,
)

NOW = parse_time("2026-01-28T20:30:00Z")
"""A Wednesday, 15:30 in New York."""
SECOND = NS_PER_SECOND

KALSHI = "KXNBAGAME-26JAN28BOSATL-BOS"
CONDITION = "0xc0ffee"
YES_TOKEN = "1111"
NO_TOKEN = "2222"

TERMS = {
    Platform.KALSHI: Terms(
        is_netting=True, taker_rate=70_000, maker_rate=0, fee_grid=100, tick=1_000, lot=10_000
    ),
    Platform.POLYMARKET: Terms(
        is_netting=False, taker_rate=50_000, maker_rate=0, fee_grid=10, tick=1_000, lot=10_000
    ),
}
BUFFER = 100_000
AMOUNTS = {"size", "limit_price", "edge_pct", "model_prob", "market_prob", "pregame_prob"}


def micro(value: str | int) -> int:
    """Return an amount in millionths."""
    return value if isinstance(value, int) else parse_micro(value)


def listing(**changes: Any) -> Listing:
    """Return a Kalshi market's metadata: an NBA game, tick 0.001, lot 0.01, no minimum."""
    fields: dict[str, Any] = {
        "platform": "Kalshi",
        "market_id": KALSHI,
        "market_key": KALSHI,
        "sport": "NBA",
        "game_id": "nba_BOS@ATL",
    }
    return Listing(**{**fields, **changes})


def polymarket(**changes: Any) -> Listing:
    """Return a Polymarket market's metadata: `1111` is the Yes token of `0xc0ffee`, `2222` No."""
    fields: dict[str, Any] = {
        "platform": "Polymarket",
        "market_id": YES_TOKEN,
        "market_key": CONDITION,
        "opposite_id": NO_TOKEN,
        "is_netting": False,
        "taker_rate": 50_000,
        "fee_grid": 10,
    }
    return listing(**{**fields, **changes})


def market(
    known: Listing | None = None,
    *,
    yes: str | int = 0,
    no: str | int = 0,
    yes_cost: str | int | None = None,
    no_cost: str | int | None = None,
    **changes: Any,
) -> Market:
    """
    Return an open market.

    Args:
        known: its metadata.
        yes: contracts of Yes held; bought at 0.50 each unless `yes_cost` says otherwise.
        no: contracts of No held.
        yes_cost: dollars paid for them.
        no_cost: dollars paid for them.
        changes: fields of Market.
    """
    known = listing() if known is None else known
    fields: dict[str, Any] = {
        "listing": known,
        "sport": known.sport or UNCLASSIFIED,
        "game_id": known.game_id or f"market:{known.market_key}",
        "yes": OutcomeHolding(micro(yes), micro(yes) // 2 if yes_cost is None else micro(yes_cost)),
        "no": OutcomeHolding(micro(no), micro(no) // 2 if no_cost is None else micro(no_cost)),
    }
    made = Market(**{**fields, **changes})
    made.worst = made.worst_case()
    return made


def book_with(*markets: Market, **fields: Any) -> Book:
    """Return a paper book that knows these markets (one Kalshi market by default)."""
    book = fresh()
    book.mode = "paper"
    book.time_ns = NOW
    for each in markets or (market(),):
        known = each.listing
        book.markets[known.market_key] = each
        book.names[f"{known.platform}|{known.market_id}"] = (known.market_key, known.is_flipped)
        if known.opposite_id is not None:
            opposite = f"{known.platform}|{known.opposite_id}"
            book.names[opposite] = (known.market_key, not known.is_flipped)
        book.game_worst[each.game_id] = book.game_worst.get(each.game_id, 0) + each.worst
        book.sport_worst[each.sport] = book.sport_worst.get(each.sport, 0) + each.worst
        book.total_worst += each.worst
    for name, value in fields.items():
        assert hasattr(book, name), name
        setattr(book, name, value)
    return book


def touch(
    bid: str | int | None = "0.64", ask: str | int | None = "0.66", ts_ns: int = NOW
) -> Touch:
    """Return a quote of the key's Yes."""
    return Touch(ts_ns, None if bid is None else micro(bid), None if ask is None else micro(ask))


def facts(**fields: Any) -> Facts:
    """Return facts: now, a fresh quote of 0.64 to 0.66, a healthy venue."""
    return Facts(**{"now_ns": NOW, "touch": touch(), **fields})


def request(**changes: Any) -> Request:
    """Return a request: Buy 10 Yes at 0.65 on Kalshi, made now."""
    fields: dict[str, Any] = {
        "request_id": "r-1",
        "idempotency_key": "k-1",
        "platform": Platform.KALSHI,
        "market_id": KALSHI,
        "side": Side.YES,
        "size": 10 * MICRO,
        "limit_price": 650_000,
        "created_ns": NOW,
        "action": Action.BUY,
        **changes,
    }
    for name in AMOUNTS & fields.keys():
        if fields[name] is not None:
            fields[name] = micro(fields[name])
    return Request(**fields)


def order(
    book: Book | None = None, seen: Facts | None = None, leg: int = 0, **changes: Any
) -> Candidate:
    """
    Return the order of a request as the safeguards get it.

    Args:
        book: the book against which it is judged; one Kalshi market by default.
        seen: the facts; `facts()` by default.
        leg: 0 = the request's own market, n = its n-th alternate.
        changes: fields of the request.
    """
    return make_candidate(
        request(**changes),
        leg,
        book_with() if book is None else book,
        facts() if seen is None else seen,
        TERMS,
        BUFFER,
    )


def verdicts(
    safeguard: Safeguard, book: Book | None = None, seen: Facts | None = None, **changes: Any
) -> tuple[Verdict, ...]:
    """Return what a safeguard says of an order made by `order` against the same book and facts."""
    book = book_with() if book is None else book
    seen = facts() if seen is None else seen
    said = safeguard.check(order(book, seen, **changes), book, seen)
    assert tuple(each.code for each in said) == safeguard.codes
    return said


def subject_of(**changes: Any) -> Subject:
    """Return the coordinates of the default order."""
    fields: dict[str, Any] = {
        "platform": "Kalshi",
        "sport": "NBA",
        "market_key": KALSHI,
        "market_id": KALSHI,
        "strategy": "UNNAMED",
        "model_version": None,
    }
    return Subject(**{**fields, **changes})
