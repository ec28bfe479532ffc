"""Draws whole situations, absurd ones too: a request, a book, facts, and the order of them."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from arbees.core.book.book import (
    Authority,
    Book,
    Cycle,
    Halt,
    Pool,
    cycle_name,
)
from arbees.core.book.market import Listing, Market, OutcomeHolding
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.facts import Facts, Touch, VenueHealth
from arbees.core.language.request import SIZE_MAX, Alternate, Request
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TradingState,
)
from tests.safeguards.build import BUFFER, CONDITION, KALSHI, NO_TOKEN, NOW, TERMS, YES_TOKEN
from tests.safeguards.build import book_with as make_book

FIRST_NS = -(1 << 63)
LAST_NS = (1 << 63) - 1
"""The first and the last moment that can be written."""

near = st.integers(NOW - 7_200 * 10**9, NOW + 7_200 * 10**9)
moments = st.one_of(near, st.integers(FIRST_NS, LAST_NS))
prices = st.one_of(st.sampled_from([1, 50_000, 950_000, 999_999]), st.integers(1, MICRO - 1))
probabilities = st.one_of(st.none(), st.integers(0, MICRO))
money = st.integers(-(10**18), 10**18)
names = st.sampled_from(["NBA", "nba", "NFL", "m1", "m2", "x", "UNCLASSIFIED", "UNNAMED"])
market_ids = st.sampled_from([KALSHI, YES_TOKEN, NO_TOKEN, CONDITION, "nowhere"])
platforms = st.sampled_from(Platform)
sides = st.sampled_from(Side)

requests: st.SearchStrategy[Request] = st.builds(
    Request,
    request_id=st.just("r"),
    idempotency_key=st.just("k"),
    platform=platforms,
    market_id=market_ids,
    side=sides,
    size=st.one_of(st.integers(1, SIZE_MAX), st.integers(1, 100).map(lambda n: n * MICRO)),
    limit_price=prices,
    created_ns=moments,
    action=st.sampled_from(Action),
    expires_ns=st.none() | moments,
    game_id=st.none() | names,
    sport=st.none() | names,
    edge_pct=st.none() | money,
    model_prob=probabilities,
    pregame_prob=probabilities,
    model_version=st.none() | names,
    strategy=st.none() | names,
    token_id=st.none() | market_ids,
    game_start_ns=st.none() | moments,
    alternates=st.just(())
    | st.tuples(
        st.builds(
            Alternate, platform=platforms, market_id=market_ids, side=sides, limit_price=prices
        )
    ),
)


def _listing(
    platform: str, market_id: str, key: str, opposite: str | None
) -> st.SearchStrategy[Any]:
    return st.builds(
        Listing,
        platform=st.just(platform),
        market_id=st.just(market_id),
        market_key=st.just(key),
        is_flipped=st.booleans(),
        opposite_id=st.just(opposite) | st.none(),
        sport=st.none() | names,
        game_id=st.none() | names,
        game_start_ns=st.none() | moments,
        close_ns=st.none() | moments,
        tick=st.sampled_from([-1, 0, 1, 1_000, 10_000, 30_000]),
        lot=st.sampled_from([-1, 0, 1, 10_000, MICRO]),
        minimum=st.sampled_from([0, 5 * MICRO]),
        is_netting=st.booleans(),
    )


listings = _listing("Kalshi", KALSHI, KALSHI, None) | _listing(
    "Polymarket", YES_TOKEN, CONDITION, NO_TOKEN
)
holdings = st.builds(
    OutcomeHolding,
    quantity=st.integers(0, 10**15),
    cost=st.integers(0, 10**15),
    closing=st.integers(0, 10**15),
)
amounts = st.integers(0, 10**15)


@st.composite
def markets(draw: Callable[..., Any]) -> Market:
    """Draw a market, consistent in nothing but its names."""
    listing = draw(listings)
    return Market(
        listing=listing,
        sport=listing.sport or draw(names),
        game_id=listing.game_id or draw(names | st.just(f"market:{listing.market_key}")),
        is_open=draw(st.booleans()),
        yes=draw(holdings),
        no=draw(holdings),
        loss_yes=draw(amounts),
        loss_no=draw(amounts),
        worst=draw(money),
        unknown=draw(st.integers(0, 5)),
        mark_yes=draw(probabilities),
        mark_no=draw(probabilities),
        break_kinds=draw(st.lists(names, max_size=2)),
    )


scopes = st.sampled_from(
    [
        "all",
        "",
        "platform:Kalshi",
        "sport:NBA",
        "strategy:x",
        f"market:{KALSHI}",
        "model_version:m1",
    ]
)
halts = st.builds(
    Halt,
    source=st.sampled_from(["file", "http", "repeated_execution", "daily_loss"]),
    scope=scopes,
    state=st.sampled_from(TradingState),
    reason=st.just("why"),
    actor=st.just("who"),
    since_ns=moments,
    is_automatic=st.booleans(),
    receipt_id=st.just("h"),
    sequence=st.just(1),
)
times = st.lists(near, max_size=30).map(sorted)


@st.composite
def books(draw: Callable[..., Any]) -> Book:
    """Draw a book of up to two markets."""
    found = draw(st.lists(markets(), max_size=2, unique_by=lambda each: each.listing.market_key))
    authority = st.builds(
        Authority,
        actor=st.just("who"),
        reason=st.just("why"),
        settings_hash=st.sampled_from(["a", "b"]),
        until_ns=st.none() | moments,
        since_ns=moments,
    )
    book = make_book(
        *found,
        mode=draw(st.sampled_from(["paper", "live", ""])),
        settings_hash=draw(st.sampled_from(["a", "b"])),
        authority=draw(st.none() | authority),
        halts={f"{each.source}|{each.scope}": each for each in draw(st.lists(halts, max_size=3))},
        opened=draw(times),
        reduced=draw(times),
        opened_by={f"market:{KALSHI}": draw(times), "strategy:x": draw(times)},
        cycles={
            cycle_name("x", KALSHI): Cycle(
                strategy="x", market_key=KALSHI, quantity=draw(money), entries=draw(times)
            )
        },
        unknown=draw(st.integers(0, 5)),
        realized=draw(money),
        fees=draw(money),
        open_day_loss=draw(amounts),
        total_worst=draw(money),
    )
    for platform in draw(st.lists(platforms, max_size=2, unique=True)):
        book.pools[platform] = Pool(
            platform=platform, available=draw(money), as_of_ns=draw(moments), outside=draw(amounts)
        )
    return book


touches = st.builds(
    Touch,
    ts_ns=moments,
    bid=st.none() | st.integers(0, MICRO),
    ask=st.none() | st.integers(0, MICRO),
)
venues = st.builds(
    VenueHealth,
    is_open=st.booleans(),
    reason=st.none() | st.just("breaker"),
    until_ns=st.none() | moments,
    is_heartbeat_late=st.booleans(),
    is_blind=st.booleans(),
    is_paused=st.booleans(),
)
seen: st.SearchStrategy[Facts] = st.builds(
    Facts,
    now_ns=moments,
    touch=st.none() | touches,
    venue=venues,
    unrealized=money,
    clock_offset_ns=st.integers(-(10**12), 10**12),
)


@st.composite
def scenes(draw: Callable[..., Any]) -> tuple[Candidate, Book, Facts]:
    """Draw an order, the book and the facts that it was made from."""
    request, book, facts = draw(requests), draw(books()), draw(seen)
    leg = draw(st.integers(0, len(request.alternates)))
    return make_candidate(request, leg, book, facts, TERMS, BUFFER), book, facts
