"""The order as the safeguards see it: the request against the market that it means.

Guarantees that everything that several safeguards need is worked out once, exactly, and rounded
against ourselves.
"""

import msgspec

from arbees.core.book.api_keys import ApiKey
from arbees.core.book.book import (
    Book,
    Subject,
    closable,
    mark_price,
)
from arbees.core.book.market import (
    Listing,
    Market,
    Terms,
    own_game,
)
from arbees.core.book.open_order import Reservation
from arbees.core.book.reservation import reserve
from arbees.core.book.worst_case import close_of, worst_ahead
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.language.request import Alternate, Request
from arbees.core.language.units import MICRO, mul_ceil
from arbees.core.language.words import (
    UNCLASSIFIED,
    UNNAMED,
    Action,
    Platform,
    Side,
)


class Candidate(msgspec.Struct, gc=False):
    """
    One order under judgement: the request's own market, or one of its alternates.

    Sides with `key_` are those of the market's key; the others are as named in the request. Prices
    are of the named side, which is the same token whatever it is called.
    """

    request: Request
    leg: int
    platform: Platform
    market_id: str
    side: Side
    limit_price: int
    quantity: int
    action: Action
    is_buy: bool
    market: Market
    """State of the market; an empty one if the market is unknown."""
    market_key: str
    is_known: bool
    is_flipped: bool
    key_side: Side
    sport: str
    games: tuple[str, ...]
    """
    Games that this order makes one, for their exposure: that of its market and that of its label.

    The leading one first; `market:KEY` where no game is known.
    """
    strategy: str
    subject: Subject
    closable: int
    """Held and not already being closed: of this side for a Sell, of the other for a Buy."""
    is_reducing: bool
    notional: int
    """Price x quantity, rounded up."""
    reserved: Reservation
    """What is reserved once it is approved."""
    rates: tuple[int, int, int]
    """Taker rate, fee grid, balance buffer."""
    market_worst: int
    """Worst case of the market with this order."""
    added_worst: int
    """How much this order adds to it (never below 0 for a risk-increasing one)."""
    reference: int | None
    """Price at which the held side could be closed now (reducing orders)."""
    touch_bid: int | None
    """Best bid and ask of the named side; None = empty or never seen."""
    touch_ask: int | None
    key_yes_price: int
    """Limit price in terms of the key's Yes."""
    api_key: ApiKey | None = None
    """With which it was asked for; None = keys are not in use."""

    @property
    def game_id(self) -> str:
        """The game that its market is of once it is approved."""
        return self.games[0]

    @property
    def is_bid(self) -> bool:
        """Whether it bids for the key's Yes (Buy Yes or Sell No)."""
        return self.is_buy is (self.key_side is Side.YES)

    def of_side(self, probability: int) -> int:
        """Return a probability of Yes (of `market_id`) as one of the named side."""
        return probability if self.side is Side.YES else MICRO - probability


def make_candidate(  # noqa: PLR0917 - hot: passed by place
    request: Request,
    leg: int,
    book: Book,
    facts: Facts,
    terms: dict[Platform, Terms],
    balance_buffer: int,
) -> Candidate:
    """
    Work out one order against the book.

    Args:
        request: what was asked for.
        leg: 0 = the request's own market, n = its n-th alternate.
        book: what is held and open.
        facts: the quote is taken from them.
        terms: what holds for markets that are not known.
        balance_buffer: fee allowance in millionths of the cost (R3).
    """
    there = request.alternates[leg - 1] if leg else request
    platform, market_id = there.platform, there.market_id
    found = book.market_of(platform, market_id)
    if found is None:
        unknown = _unknown_market(book, platform, market_id, terms[platform])
        return _against(unknown, request, leg, there, book, facts, balance_buffer)
    return _against(
        found[0],
        request,
        leg,
        there,
        book,
        facts,
        balance_buffer,
        is_known=True,
        is_flipped=found[1],
    )


def _against(  # noqa: PLR0917 - hot: passed by place
    market: Market,
    request: Request,
    leg: int,
    there: Request | Alternate,
    book: Book,
    facts: Facts,
    balance_buffer: int,
    *,
    is_known: bool = False,
    is_flipped: bool = False,
) -> Candidate:
    """Work out one order against the market that it means."""
    listing = market.listing
    platform, market_id, key = there.platform, there.market_id, listing.market_key
    side, price = there.side, there.limit_price
    action, quantity = request.action, request.size
    is_buy = action is Action.BUY
    key_side = side.opposite if is_flipped else side
    held = _held(market, key_side, is_buy=is_buy)
    is_reducing = quantity <= held
    bid, ask = _touch_of(facts.touch, key_side)
    reference = _reference(market, key_side, bid, ask, is_buy=is_buy) if is_reducing else None
    rates = (listing.taker_rate, listing.fee_grid, balance_buffer)
    reserved = reserve(
        key_side,
        action,
        quantity,
        price,
        rates,
        reference,
        is_reducing=is_reducing,
        closing=held,
    )
    close = None
    if market.yes.quantity or market.no.quantity:
        close = close_of(key_side, action, price, quantity, is_netting=listing.is_netting)
    worst = worst_ahead(market, book.orders, reserved.loss_yes, reserved.loss_no, close)
    sport, games = _classification(book, market, request)
    strategy, pool = request.strategy or UNNAMED, listing.pool or platform
    return Candidate(
        request,
        leg,
        platform,
        market_id,
        side,
        price,
        quantity,
        action,
        is_buy,
        market,
        key,
        is_known,
        is_flipped,
        key_side,
        sport,
        games,
        strategy,
        Subject(platform, sport, key, market_id, strategy, request.model_version, games, pool),
        held,
        is_reducing,
        mul_ceil(price, quantity),
        reserved,
        rates,
        worst,
        worst - market.worst,
        reference,
        bid,
        ask,
        price if key_side is Side.YES else MICRO - price,
    )


def _held(market: Market, key_side: Side, *, is_buy: bool) -> int:
    """Return what an order may close: a Sell its side, on a netting venue a Buy the other."""
    if not is_buy:
        return closable(market, key_side)
    return closable(market, key_side.opposite) if market.listing.is_netting else 0


def _classification(book: Book, market: Market, request: Request) -> tuple[str, tuple[str, ...]]:
    """Return the sport, known or said, and the games that are one: what is known leads."""
    sport = market.sport
    if sport == UNCLASSIFIED and request.sport is not None:
        sport = request.sport.upper()
    known = market.game_id
    if request.game_id is None:
        return sport, (known,)
    said = book.game(request.game_id)
    if said == known:
        return sport, (known,)
    is_alone = known == own_game(market.listing.market_key)
    return sport, ((said, known) if is_alone else (known, said))


def _touch_of(touch: Touch | None, key_side: Side) -> tuple[int | None, int | None]:
    if touch is None or touch.is_crossed:
        return None, None
    if key_side is Side.YES:
        return touch.bid, touch.ask
    return (
        None if touch.ask is None else MICRO - touch.ask,
        None if touch.bid is None else MICRO - touch.bid,
    )


def _reference(
    market: Market, key_side: Side, bid: int | None, ask: int | None, *, is_buy: bool
) -> int | None:
    """Return the mark of the held side: its closing price, where there is one."""
    held = key_side
    if is_buy:
        held = key_side.opposite
        bid, ask = (
            None if ask is None else MICRO - ask,
            None if bid is None else MICRO - bid,
        )
    return mark_price(bid, ask, market.mark_yes if held is Side.YES else market.mark_no)


def _unknown_market(book: Book, platform: Platform, market_id: str, terms: Terms) -> Market:
    listing = Listing(
        platform=platform,
        market_id=market_id,
        market_key=market_id,
        tick=terms.tick,
        lot=terms.lot,
        minimum=terms.minimum,
        is_netting=terms.is_netting,
        taker_rate=terms.taker_rate,
        maker_rate=terms.maker_rate,
        fee_grid=terms.fee_grid,
        event_id=terms.event_of(market_id),
    )
    game = book.game(listing.games[0]) if listing.games else own_game(market_id)
    return Market(listing=listing, sport=UNCLASSIFIED, game_id=game, is_open=False)
