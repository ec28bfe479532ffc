"""What the benchmarks decide: markets, requests as they come over the wire, and wide limits.

Guarantees that every safeguard is on and that none denies, so that each request costs all of them.
"""

import random
from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.book.index_rows import rows_of
from arbees.core.book.market import Listing
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.deciding.verdicts import Safeguard
from arbees.core.language.request import Request
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO
from arbees.core.language.words import Mode, Platform
from arbees.core.ports import Entry, Journal
from arbees.runtime.watching.quote_listings import plain_listing
from arbees.safeguards import ALL
from arbees.venues.paper.terms import TERMS

ACCOUNT, ENVIRONMENT = "main", "bench"
WIDE = 10**15
"""A limit in millionths that nothing here reaches: a billion."""
_WIDE_COUNTS = ("max_orders_per_minute", "max_orders_per_hour", "max_open_orders")
_WIDE_MONEY = (
    "max_position_per_market",
    "max_game_exposure",
    "max_sport_exposure",
    "max_total_exposure",
    "max_daily_loss",
)


def wide(safeguards: Sequence[Safeguard]) -> tuple[Safeguard, ...]:
    """Return the same safeguards with limits that are never reached."""
    return tuple(_widen(safeguard) for safeguard in safeguards)


def _widen(safeguard: Safeguard) -> Safeguard:
    assert isinstance(safeguard, msgspec.Struct)
    fields = safeguard.__struct_fields__
    changes = {name: 10**9 for name in _WIDE_COUNTS if name in fields}
    changes |= {name: WIDE for name in _WIDE_MONEY if name in fields}
    return cast("Safeguard", replace(safeguard, **changes))


def rules() -> commands.Rules:
    """Return rules with every safeguard on and wide limits."""
    return commands.Rules(
        mode=Mode.PAPER,
        account=ACCOUNT,
        environment=ENVIRONMENT,
        safeguards=wide([each() for each in ALL]),
        terms=TERMS,
        balance_buffer=100_000,
    )


def market_id(number: int) -> str:
    """Return the ticker of a market."""
    return f"KXNBAGAME-26JAN28G{number:05d}-HOM"


def listing(number: int) -> Listing:
    """Return the metadata of a market; two markets a game."""
    return plain_listing(
        Platform.KALSHI,
        market_id(number),
        TERMS[Platform.KALSHI],
        sport="NBA",
        game_id=f"nba_game_{number // 2:05d}",
    )


def opening(markets: int, now_ns: int) -> tuple[events.Event, ...]:
    """Return what a book needs before it can decide: its markets and its money."""
    listed = (events.MarketListed(listing=listing(number)) for number in range(markets))
    money = events.BalanceObserved(
        pool=Platform.KALSHI,
        platform=Platform.KALSHI,
        available=WIDE,
        as_of_ns=now_ns,
        outside=0,
    )
    return (*listed, money)


def book_with(markets: int, now_ns: int) -> Book:
    """Return a paper book that knows some markets."""
    book = fresh()
    bound = events.Bound(account=ACCOUNT, environment=ENVIRONMENT, mode=Mode.PAPER)
    for event in (bound, *opening(markets, now_ns)):
        apply(book, event, book.sequence + 1, now_ns)
    return book


def touch(now_ns: int) -> Touch:
    """Return a quote of 0.60 to 0.62."""
    return Touch(now_ns, 600_000, 620_000)


def facts(now_ns: int) -> Facts:
    """Return facts: a fresh quote, a healthy venue, a fresh balance."""
    return Facts(now_ns=now_ns, touch=touch(now_ns), balance_ns=now_ns)


def body(draw: random.Random, market: int, now_ns: int) -> bytes:
    """Return one request as a strategy sends it: its model's numbers, its signal, its reason."""
    price = draw.randrange(55, 66)
    model = price * 10_000 + draw.randrange(20_000, 90_000)
    number = f"{draw.getrandbits(64):016x}"
    fields = {
        "request_id": f"req_{number}",
        "idempotency_key": f"key_{draw.getrandbits(64):016x}",
        "platform": "kalshi",
        "market_id": market_id(market),
        "side": "yes",
        "size": draw.randrange(1, 40),
        "limit_price": price / 100,
        "created_at": format_time(now_ns),
        "game_id": f"nba_game_{market // 2:05d}",
        "sport": "NBA",
        "signal_id": f"sig_{number}",
        "signal_type": "model_edge_yes",
        "edge_pct": (model - price * 10_000) / 10_000,
        "model_prob": model / MICRO,
        "market_prob": price / 100,
        "pregame_prob": 0.58,
        "model_version": "v7.2",
        "strategy": "nba-live",
        "contract_team": "HOM",
        "reason": "model above market by more than the threshold",
    }
    return msgspec.json.encode(fields)


def bodies(count: int, markets: int, now_ns: int, seed: int = 1) -> list[bytes]:
    """Return requests over all markets in turn, each with ids of its own."""
    draw = random.Random(seed)
    return [body(draw, number % markets, now_ns) for number in range(count)]


def replayed(journal: Journal) -> Book:
    """Return the book of a journal, from its first record."""
    book = fresh()
    for stored in journal.records(0):
        apply(book, events.decode(stored.body), stored.sequence, stored.time_ns)
    return book


def decided(requests: Sequence[Request], markets: int, now_ns: int) -> list[Entry]:
    """Return the record of each request's approval, as the writer would append it."""
    book, known, on = book_with(markets, now_ns), facts(now_ns), rules()
    entries: list[Entry] = []
    for number, request in enumerate(requests):
        command = commands.Submit(request=request, received_ns=now_ns)
        event = decide(book, known, command, on).events[0]
        rows = rows_of(event, now_ns, None)
        entries.append(
            Entry(
                now_ns + number, events.kind(event), events.encode(event), request.request_id, rows
            )
        )
    return entries
