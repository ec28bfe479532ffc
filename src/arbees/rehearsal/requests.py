"""Makes seeded requests from recorded quotes: what strategies would have asked for.

Guarantees that the same quotes, number and seed give the same requests, and that all times in
force, both actions, retries and prices on both sides of the book occur among them.
"""

import random
from collections.abc import Sequence

from msgspec.structs import replace

from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.units import (
    MICRO,
    NS_PER_MILLISECOND,
    NS_PER_SECOND,
    round_up,
)
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)

_TIMES_IN_FORCE = (
    (TimeInForce.IOC, 60),
    (TimeInForce.GTC, 25),
    (TimeInForce.FOK, 8),
    (TimeInForce.GTD, 7),
)
_CENT = 10_000
_LIFE_NS = 120 * NS_PER_SECOND


def make_requests(quotes: Sequence[Quote], number: int, seed: int) -> list[Request]:
    """
    Return requests in order of time, each a few milliseconds after a quote that it refers to.

    Args:
        quotes: in order of time; those with an empty side are used as they are.
        number: how many requests; none where no quote has a price.
        seed: of everything that is drawn.
    """
    draw = random.Random(seed)
    usable = [quote for quote in quotes if quote.bids or quote.asks]
    if not usable:
        return []
    chosen = sorted((draw.choice(usable) for _ in range(number)), key=lambda quote: quote.ts_ns)
    held: dict[tuple[str, Side], int] = {}
    made: list[Request] = []
    for index, quote in enumerate(chosen):
        if made and draw.random() < 0.02:
            made.append(_retry(made[-1], index, quote.ts_ns))
            continue
        after_ns = made[-1].created_ns if made else 0
        made.append(_request(draw, quote, index, seed, held, after_ns))
    return made


def _retry(request: Request, index: int, ts_ns: int) -> Request:
    """Return a retry of a request: the same key, a new id."""
    return replace(
        request,
        request_id=f"{request.request_id}-retry-{index}",
        created_ns=max(request.created_ns, ts_ns) + NS_PER_MILLISECOND,
    )


def _request(  # noqa: PLR0917 - what it is drawn from
    draw: random.Random,
    quote: Quote,
    index: int,
    seed: int,
    held: dict[tuple[str, Side], int],
    after_ns: int,
) -> Request:
    """Return a request that refers to a quote; a Sell comes after its Buy."""
    side = draw.choice((Side.YES, Side.NO))
    place = (quote.market_id, side)
    action, size = Action.BUY, draw.randrange(1, 40) * MICRO
    if held.get(place) and draw.random() < 0.45:
        action, size = Action.SELL, held.pop(place)
    time_in_force = draw.choices(
        [each for each, _ in _TIMES_IN_FORCE], [weight for _, weight in _TIMES_IN_FORCE]
    )[0]
    price = _price(draw, quote, side, action, time_in_force)
    created_ns = max(after_ns, quote.ts_ns + draw.randrange(1, 40) * NS_PER_MILLISECOND)
    if action is Action.BUY:
        held[place] = size
    probability = min(max(price + draw.randrange(-20_000, 60_000), _CENT), MICRO - _CENT)
    return Request(
        request_id=f"gen-{seed}-{index}",
        idempotency_key=f"gen-{seed}-{index}",
        platform=Platform(quote.platform),
        market_id=quote.market_id,
        side=side,
        action=action,
        size=size,
        limit_price=price,
        time_in_force=time_in_force,
        created_ns=created_ns,
        expires_ns=created_ns + _LIFE_NS if time_in_force is TimeInForce.GTD else None,
        sport=quote.sport,
        game_id=quote.game_id,
        strategy=draw.choice(("momentum", "fair-value")),
        signal_id=f"signal-{seed}-{index}",
        signal_type="Generated",
        model_prob=probability if side is Side.YES else MICRO - probability,
        model_version="generated-1",
    )


def _price(
    draw: random.Random, quote: Quote, side: Side, action: Action, time_in_force: TimeInForce
) -> int:
    """Return a price on the cent: crossing the book, or resting behind it."""
    bid = quote.bids[0][0] if quote.bids else _CENT
    ask = quote.asks[0][0] if quote.asks else MICRO - _CENT
    if side is Side.NO:
        bid, ask = MICRO - ask, MICRO - bid
    is_resting = time_in_force in {TimeInForce.GTC, TimeInForce.GTD} and draw.random() < 0.7
    away = draw.randrange(0, 4) * _CENT
    if action is Action.BUY:
        price = bid - away if is_resting else ask + away
    else:
        price = ask + away if is_resting else bid - away
    on_cent = round_up(price, _CENT)
    return min(max(on_cent, _CENT), MICRO - _CENT)
