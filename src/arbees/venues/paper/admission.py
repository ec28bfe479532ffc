"""Which orders the paper exchange refuses, with the venues' own words where they have one.

Guarantees that no accepted order can overdraw an account or sell what is not held. Pure: a refusal
is a value and changes nothing.
"""

from arbees.core.book.fees import worst_fee
from arbees.core.deciding.outcomes import ApprovedOrder, Refused
from arbees.core.language.quote import Level
from arbees.core.language.units import (
    MICRO,
    format_dollars,
    format_micro,
    is_multiple,
    mul_ceil,
    mul_floor,
)
from arbees.core.language.words import Action, Side, TimeInForce
from arbees.venues.paper import matching
from arbees.venues.paper.charges import taker_fees
from arbees.venues.paper.state import Extra, PaperAccount, PaperMarket, PaperOrder, lock_of
from arbees.venues.paper.terms import TERMS


def draft(
    approved: ApprovedOrder, market: PaperMarket, sequence: int, now_ns: int, *, is_flipped: bool
) -> PaperOrder:
    """Return the order as the book would keep it; its id follows from the client order id."""
    return PaperOrder(
        client_order_id=approved.client_order_id,
        order_id=f"paper-{approved.client_order_id}",
        platform=approved.platform,
        market_id=approved.market_id,
        market_key=market.key,
        side=approved.side,
        outcome=approved.side.opposite if is_flipped else approved.side,
        action=approved.action,
        quantity=approved.quantity,
        limit_price=approved.limit_price,
        time_in_force=approved.time_in_force,
        expires_ns=approved.expires_ns,
        created_ns=now_ns,
        updated_ns=now_ns,
        sequence=sequence,
    )


def named_price(order: PaperOrder, yes_price: int) -> int:
    """Return a price of the market's Yes as one of the side that the order names."""
    return yes_price if order.outcome is Side.YES else MICRO - yes_price


def refuse_form(order: PaperOrder, market: PaperMarket, now_ns: int) -> Refused | None:
    """Refuse what can be seen from the order and its market alone."""
    if not market.is_open:
        return Refused(venue_code="market_inactive", message="The market is closed")
    price, quantity = order.limit_price, order.quantity
    if not 0 < price < MICRO or not is_multiple(price, market.tick):
        tick, was = format_micro(market.tick), format_micro(price)
        return Refused(
            venue_code="invalid_price", message=f"Expected a multiple of {tick}, was {was}"
        )
    if quantity <= 0 or not is_multiple(quantity, market.lot):
        lot, was = format_micro(market.lot), format_micro(quantity)
        return Refused(
            venue_code="invalid_order_size", message=f"Expected a multiple of {lot}, was {was}"
        )
    if order.time_in_force is TimeInForce.GTD and (
        order.expires_ns is None or order.expires_ns < now_ns
    ):
        return Refused(
            venue_code="invalid_expiration", message="Expected an expiry that is not past"
        )
    return None


def refuse_means(
    order: PaperOrder, market: PaperMarket, account: PaperAccount, plan: list[Level]
) -> Refused | None:
    """
    Refuse what the account cannot cover, however the order may still fill.

    Args:
        order: as drafted.
        market: its market, without it.
        account: who pays.
        plan: what it would take at once, in prices of the market's Yes.
    """
    if order.action is Action.SELL:
        left = market.held(order.outcome) - market.selling(order.outcome)
        if order.quantity > left:
            most, was = format_micro(left), format_micro(order.quantity)
            return Refused(
                venue_code="insufficient_position",
                message=f"Expected at most {most} held and not for sale, was {was}",
            )
        need = _sell_need(order, plan)
        extra = Extra(outcome=order.outcome, selling=order.quantity)
    else:
        need = 0
        extra = Extra(outcome=order.outcome, outlay=_buy_need(order, plan), buying=order.quantity)
    lock = lock_of(market, TERMS[order.platform], extra)
    spare = account.available + market.locked
    if lock + need > spare:
        most = format_dollars(max(0, account.available))
        was = format_dollars(lock + need - market.locked)
        return Refused(
            venue_code="insufficient_balance",
            message=f"Expected at most {most} available, was {was}",
        )
    return None


def _buy_need(order: PaperOrder, plan: list[Level]) -> int:
    """Return the most that a Buy may cost, fee included: at its limit, or as it would fill now."""
    terms = TERMS[order.platform]
    fee = worst_fee(terms.taker_rate, order.quantity, 0, order.limit_price, terms.fee_grid)
    worst = mul_ceil(order.limit_price, order.quantity) + fee
    rest = order.quantity - matching.total(plan)
    now = mul_ceil(order.limit_price, rest) + sum(
        mul_ceil(named_price(order, price), quantity) for price, quantity in plan
    )
    return max(worst, now + taker_fees(order.platform, plan))


def _sell_need(order: PaperOrder, plan: list[Level]) -> int:
    """Return what the fee of a tiny Sell may cost beyond what it brings."""
    brings = sum(mul_floor(named_price(order, price), quantity) for price, quantity in plan)
    return max(0, taker_fees(order.platform, plan) - brings)
