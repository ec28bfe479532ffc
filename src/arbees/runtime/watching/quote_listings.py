"""Listings from quotes: what is known of a market where no venue is asked."""

from arbees.core.book.market import Listing, Terms
from arbees.core.language.quote import Quote
from arbees.core.language.words import Platform


def listing_of(quote: Quote, terms: Terms) -> Listing:
    """
    Return the metadata of a market as its first quote has it.

    The token first seen of a Polymarket condition is the one that Yes means.
    """
    return plain_listing(
        quote.platform,
        quote.market_id,
        terms,
        market_key=quote.condition_id,
        opposite_id=quote.opposite_token_id,
        sport=quote.sport,
        game_id=quote.game_id,
        game_start_ns=quote.game_start_ns,
        tick=quote.tick,
        lot=quote.lot,
    )


def says_more(quote: Quote, listing: Listing) -> bool:
    """Tell whether a quote says something of its market that is not known of it."""
    return (
        quote.tick not in {None, listing.tick}
        or quote.lot not in {None, listing.lot}
        or quote.game_id not in {None, listing.game_id}
        or quote.game_start_ns not in {None, listing.game_start_ns}
        or (quote.sport is not None and quote.sport.upper() != listing.sport)
    )


def plain_listing(
    platform: Platform,
    market_id: str,
    terms: Terms,
    *,
    market_key: str | None = None,
    opposite_id: str | None = None,
    sport: str | None = None,
    game_id: str | None = None,
    game_start_ns: int | None = None,
    tick: int | None = None,
    lot: int | None = None,
) -> Listing:
    """Return a listing with the venue's terms where nothing else is known."""
    return Listing(
        platform=platform,
        market_id=market_id,
        market_key=market_id if terms.is_netting else market_key or market_id,
        opposite_id=None if terms.is_netting else opposite_id,
        sport=None if sport is None else sport.upper(),
        game_id=game_id,
        game_start_ns=game_start_ns,
        tick=terms.tick if tick is None else tick,
        lot=terms.lot if lot is None else lot,
        minimum=terms.minimum,
        is_netting=terms.is_netting,
        taker_rate=terms.taker_rate,
        maker_rate=terms.maker_rate,
        fee_grid=terms.fee_grid,
        event_id=terms.event_of(market_id),
    )
