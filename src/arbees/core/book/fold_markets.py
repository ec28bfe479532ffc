"""Folds what is said of markets: listings, classification, holdings, and the sums of exposure.

Guarantees that the sums by game, sport and account equal those over the markets at any moment.
"""

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.market import Listing, Market, own_game
from arbees.core.book.worst_case import worst_ahead
from arbees.core.language.payouts import Payouts, won_by
from arbees.core.language.words import UNCLASSIFIED, Side
from arbees.errors import InvariantViolation


def _add(sums: dict[str, int], name: str, amount: int) -> None:
    total = sums.get(name, 0) + amount
    if total:
        sums[name] = total
    else:
        sums.pop(name, None)


def recount(book: Book, market: Market) -> None:
    """Bring the sums of exposure up to date after a change in a market."""
    worst = worst_ahead(market, book.orders)
    added = worst - market.worst
    if added:
        market.worst = worst
        _add(book.game_worst, market.game_id, added)
        _add(book.sport_worst, market.sport, added)
        book.total_worst += added


def classify(book: Book, market: Market, sport: str, game_id: str) -> None:
    """Move a market to the sport and game that are known of it now."""
    if market.sport != sport:
        _add(book.sport_worst, market.sport, -market.worst)
        _add(book.sport_worst, sport, market.worst)
        market.sport = sport
    if market.game_id != game_id:
        _add(book.game_worst, market.game_id, -market.worst)
        _add(book.game_worst, game_id, market.worst)
        market.game_id = game_id


def market_listed(book: Book, event: events.MarketListed, _time_ns: int) -> None:
    """Take the first word on a market, or a newer one."""
    listing = event.listing
    key = listing.market_key
    market = book.markets.get(key)
    game_id = None
    for name in listing.games:
        if game_id is None:
            game_id = book.game(name)
        elif book.game(name) != game_id:
            book.games[name] = game_id
    if market is None:
        market = Market(
            listing=listing,
            sport=listing.sport or UNCLASSIFIED,
            game_id=game_id or own_game(key),
            status=event.status,
            orders=[],
            break_kinds=[],
        )
        book.markets[key] = market
    elif not listing.is_flipped:
        classify(book, market, listing.sport or market.sport, game_id or market.game_id)
        market.listing = listing
    _name(book, listing)


def _name(book: Book, listing: Listing) -> None:
    platform, flipped = listing.platform, listing.is_flipped
    book.names[f"{platform}|{listing.market_id}"] = (listing.market_key, flipped)
    if listing.opposite_id is not None:
        book.names[f"{platform}|{listing.opposite_id}"] = (listing.market_key, not flipped)


def market_status(book: Book, event: events.MarketStatusChanged, _time_ns: int) -> None:
    """Open or close a market for trading."""
    market = book.markets[event.market_key]
    market.is_open, market.status = event.is_open, event.status


def games_joined(book: Book, event: events.GamesJoined, _time_ns: int) -> None:
    """Make all markets of several games those of one; nothing parts them again."""
    joined = {book.game(name) for name in event.names} - {event.game}
    for market in book.markets.values():
        if market.game_id in joined:
            classify(book, market, market.sport, event.game)
    for name, game in book.games.items():
        if game in joined:
            book.games[name] = event.game
    book.games.pop(event.game, None)
    book.games.update(dict.fromkeys(event.names, event.game))


def market_settled(book: Book, event: events.MarketSettled, time_ns: int) -> None:
    """Close both sides of a market, for ever."""
    market = book.markets[event.market_key]
    hold(market, event)
    market.is_open = False
    market.is_settled = True
    market.settled_yes -= event.yes_quantity
    market.settled_no -= event.no_quantity
    _pay(book, market, payouts_of(event), event, time_ns)
    recount(book, market)
    for cycle in book.cycles.values():
        if cycle.market_key == event.market_key:
            cycle.quantity = 0


def settlement_corrected(book: Book, event: events.SettlementCorrected, time_ns: int) -> None:
    """Pay the difference that an amended result makes."""
    _pay(book, book.markets[event.market_key], payouts_of(event), event, time_ns)


def payouts_of(event: events.MarketSettled | events.SettlementCorrected) -> Payouts:
    """Return what contracts of the market pay; records of the first versions name the winner."""
    if event.yes_payout is not None and event.no_payout is not None:
        return Payouts(event.yes_payout, event.no_payout)
    return won_by(getattr(event, "result", None) or Side.NO)


def _pay(
    book: Book,
    market: Market,
    payouts: Payouts,
    event: events.MarketSettled | events.SettlementCorrected,
    time_ns: int,
) -> None:
    market.payouts = payouts
    market.settled_sequence, market.settled_ns = book.sequence, time_ns
    market.realized += event.realized
    book.realized += event.realized
    name = market.listing.pool or market.listing.platform
    if name in book.ledgers:
        book.ledgers[name] += event.payout


def position_adopted(book: Book, event: events.PositionAdopted, _time_ns: int) -> None:
    """Hold what the venue says is held."""
    market = book.markets[event.market_key]
    hold(market, event)
    market.realized += event.realized
    book.realized += event.realized
    recount(book, market)


def hold(
    market: Market,
    event: events.OrderFilled | events.FillReversed | events.MarketSettled | events.PositionAdopted,
) -> None:
    """Change what is held of both sides."""
    yes, no = market.yes, market.no
    yes.quantity += event.yes_quantity
    yes.cost += event.yes_cost
    no.quantity += event.no_quantity
    no.cost += event.no_cost
    if yes.quantity < 0 or yes.cost < 0 or no.quantity < 0 or no.cost < 0:
        wrong = yes if yes.quantity < 0 or yes.cost < 0 else no
        msg = f"Expected holdings of 0 and more in {market.listing.market_key}, was {wrong}"
        raise InvariantViolation(msg)
