"""Generated requests: seeded, valid, and of every kind."""

from collections import Counter

import msgspec
import pytest

from arbees.core.language.quote import Quote
from arbees.core.language.request import Request, parse_request
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO, format_micro
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.rehearsal.evening import START_NS, make_evening
from arbees.rehearsal.requests import make_requests

QUOTES = make_evening(3, 40).quotes
MADE = make_requests(QUOTES, 400, 11)


def test_the_same_seed_gives_the_same_requests() -> None:
    """Quotes, number and seed decide; another seed gives others."""
    assert make_requests(QUOTES, 50, 1) == make_requests(QUOTES, 50, 1)
    assert make_requests(QUOTES, 50, 1) != make_requests(QUOTES, 50, 2)


@pytest.mark.parametrize("number", [0, 1, 33])
def test_as_many_as_asked_for(number: int) -> None:
    """No more and no less, and none of none."""
    assert len(make_requests(QUOTES, number, 1)) == number


def empty(ts_ns: int = START_NS) -> Quote:
    """Return a quote of a market in which nobody quotes."""
    return Quote(ts_ns=ts_ns, platform=Platform.KALSHI, market_id="KX", bids=(), asks=())


@pytest.mark.parametrize("quotes", [(), (empty(),)])
def test_nothing_can_be_asked_of_empty_books(quotes: tuple[Quote, ...]) -> None:
    """Without any price there is nothing to refer to, and nothing is made."""
    assert make_requests(quotes, 5, 1) == []


def test_one_sided_books_are_used() -> None:
    """A book with one side is enough."""
    half = Quote(
        ts_ns=START_NS,
        platform=Platform.KALSHI,
        market_id="KX",
        bids=((500_000, MICRO),),
        asks=(),
    )
    assert {each.market_id for each in make_requests((empty(), half), 20, 1)} == {"KX"}


def test_in_order_of_time_and_after_their_quotes() -> None:
    """Each comes a moment after a quote of its market, and all in order."""
    times = [each.created_ns for each in MADE]
    assert times == sorted(times)
    for each in MADE:
        earlier = [quote for quote in QUOTES if quote.market_id == each.market_id]
        assert min(quote.ts_ns for quote in earlier) < each.created_ns


def test_every_kind_occurs() -> None:
    """All times in force, both actions and sides, both venues, several strategies."""
    assert {each.time_in_force for each in MADE} == set(TimeInForce)
    assert {each.action for each in MADE} == set(Action)
    assert {each.side for each in MADE} == set(Side)
    assert {each.platform for each in MADE} == set(Platform)
    assert len({each.strategy for each in MADE}) == 2


def test_retries_occur() -> None:
    """Now and then a request comes again: the same key and fields under a fresh id."""
    by_key = Counter(each.idempotency_key for each in MADE)
    again = [key for key, times in by_key.items() if times > 1]
    assert again
    for key in again:
        attempts = [each for each in MADE if each.idempotency_key == key]
        assert len({each.fingerprint() for each in attempts}) == 1
        assert len({each.request_id for each in attempts}) == len(attempts)
    assert len({each.request_id for each in MADE}) == len(MADE)


def test_a_sell_closes_what_was_bought_before() -> None:
    """Whoever sells asked to buy that much of it before."""
    asked: dict[tuple[str, str], list[int]] = {}
    sells = 0
    for each in MADE:
        place = (each.market_id, each.side)
        if each.action is Action.SELL:
            sells += 1
            assert each.size in asked[place]
        else:
            asked.setdefault(place, []).append(each.size)
    assert sells > 20


def test_prices_cross_and_rest() -> None:
    """Prices lie on the cent between 0 and 1; what is meant for now crosses the book."""
    for each in MADE:
        assert 0 < each.limit_price < MICRO
        assert each.limit_price % 10_000 == 0
    newest: dict[str, Quote] = {}
    crossing = Counter[bool]()
    quotes = iter(QUOTES)
    waiting = next(quotes, None)
    for each in MADE:
        while waiting is not None and waiting.ts_ns <= each.created_ns:
            newest[waiting.market_id] = waiting
            waiting = next(quotes, None)
        crossing[crosses(each, newest[each.market_id])] += 1
    assert crossing[True] > crossing[False] > 20


def crosses(request: Request, quote: Quote) -> bool:
    """Tell whether a request would trade at once."""
    bid, ask = quote.bids[0][0], quote.asks[0][0]
    if request.side is Side.NO:
        bid, ask = MICRO - ask, MICRO - bid
    if request.action is Action.BUY:
        return request.limit_price >= ask
    return request.limit_price <= bid


def test_what_expires_expires_later() -> None:
    """Good till a date has a date, two minutes later; nothing else has one."""
    for each in MADE:
        if each.time_in_force is TimeInForce.GTD:
            assert each.expires_ns is not None
            assert each.expires_ns > each.created_ns
        else:
            assert each.expires_ns is None


def test_they_are_requests_that_a_gateway_reads() -> None:
    """Written as a strategy would write it, each reads back as itself."""
    for each in MADE[:100]:
        written = {
            "request_id": each.request_id,
            "idempotency_key": each.idempotency_key,
            "platform": each.platform,
            "market_id": each.market_id,
            "side": each.side,
            "action": each.action,
            "time_in_force": each.time_in_force,
            "size": format_micro(each.size),
            "limit_price": format_micro(each.limit_price),
            "created_at": format_time(each.created_ns),
            "strategy": each.strategy,
        }
        if each.expires_ns is not None:
            written["expires_at"] = format_time(each.expires_ns)
        read = parse_request(msgspec.json.encode(written), 0)
        assert read.fingerprint() == each.fingerprint()
