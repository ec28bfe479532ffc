"""How markets become known: from the first quote or settlement that names one, and for ever.

Guarantees one book a market however its outcomes are named: a Kalshi ticker, or either token of a
Polymarket condition. The first name seen is the market's Yes; tick and lot are the newest quote's
word. A token that fits neither side of a condition that is complete stands for itself.
"""

from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.words import Platform
from arbees.venues.paper.state import PaperMarket, PaperState
from arbees.venues.paper.terms import TERMS


def of_quote(state: PaperState, quote: Quote) -> tuple[PaperMarket, bool, bool]:
    """
    Return the market of a quote, whether it names the market's No, and whether that is news.

    News is a market, or a name of one, that was not known before.
    """
    known = state.names.get((quote.platform, quote.market_id))
    if known is not None:
        market, is_flipped = known
        is_new = _renew(market, quote)
        return (
            market,
            is_flipped,
            (not is_flipped and _learn_opposite(state, market, quote)) or is_new,
        )
    key = quote.condition_id or quote.market_id
    if (quote.platform, key) in state.markets:
        market = state.markets[quote.platform, key]
        if market.no_id is None and market.key != market.yes_id:
            market.no_id = quote.market_id
            state.list_market(market)
            return market, True, True
        key = quote.market_id
    partner = _partner(state, quote)
    if partner is not None:
        partner.no_id = quote.market_id
        state.list_market(partner)
        return partner, True, True
    market = _fresh(quote.platform, key, quote.market_id, quote.tick, quote.lot)
    market.no_id = _free_opposite(state, quote)
    state.list_market(market)
    return market, False, True


def of_settlement(state: PaperState, settlement: Settlement) -> tuple[PaperMarket, bool]:
    """Return the market of a settlement, and whether it names the market's No."""
    known = state.names.get((settlement.platform, settlement.market_id))
    if known is not None:
        return known
    market = _fresh(settlement.platform, settlement.market_id, settlement.market_id, None, None)
    state.list_market(market)
    return market, False


def _fresh(
    platform: Platform, key: str, market_id: str, tick: int | None, lot: int | None
) -> PaperMarket:
    terms = TERMS[platform]
    return PaperMarket(
        platform=platform,
        key=key,
        yes_id=market_id,
        tick=terms.tick if tick is None else tick,
        lot=terms.lot if lot is None else lot,
    )


def _renew(market: PaperMarket, quote: Quote) -> bool:
    """Take tick and lot where a quote says them."""
    tick = market.tick if quote.tick is None else quote.tick
    lot = market.lot if quote.lot is None else quote.lot
    is_new = (tick, lot) != (market.tick, market.lot)
    market.tick, market.lot = tick, lot
    return is_new


def _learn_opposite(state: PaperState, market: PaperMarket, quote: Quote) -> bool:
    """Take the opposite token from a later quote of the Yes token."""
    opposite = _free_opposite(state, quote)
    if market.no_id is not None or opposite is None:
        return False
    market.no_id = opposite
    state.list_market(market)
    return True


def _free_opposite(state: PaperState, quote: Quote) -> str | None:
    """Return the opposite token that a quote names, unless it names something else already."""
    opposite = quote.opposite_token_id
    if opposite is None or opposite == quote.market_id:
        return None
    return None if (quote.platform, opposite) in state.names else opposite


def _partner(state: PaperState, quote: Quote) -> PaperMarket | None:
    """Return a known market of the opposite token that waits for its No."""
    if quote.opposite_token_id is None:
        return None
    known = state.names.get((quote.platform, quote.opposite_token_id))
    if known is None or known[1] or known[0].no_id is not None:
        return None
    return known[0]
