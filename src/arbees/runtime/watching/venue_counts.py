"""Counts what a venue says of fills and cash against what the book has taken.

Guarantees that a fill which nobody told us of is taken, as the truth that it is, and that cash is
compared to the last micro-dollar from the first comparison on: what the venue has, with what orders
hold of it, against what our own count adds up to. Reads nothing by itself.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import Fill, PoolBalance, VenuePosition
from arbees.core.language.words import Platform, Side
from arbees.runtime.desk import Desk


def missing_fills(desk: Desk, platform: Platform, fills: Sequence[Fill]) -> list[Fill]:
    """
    Return those of our fills that the book has not taken, each with our own id.

    Args:
        desk: whose orders they are.
        platform: the venue that tells.
        fills: what it tells; of orders that are not ours too.
    """
    known = (events.OrderFilled, events.FillReversed, events.FillDisputed)
    return [
        fill
        for fill, new_events in _of_ours(desk, platform, fills)
        if not any(isinstance(event, known) for event in new_events)
    ]


def proven_fills(
    desk: Desk,
    platform: Platform,
    fills: Sequence[Fill],
    there: Mapping[tuple[str, Side], int],
    balances: Sequence[PoolBalance],
) -> list[commands.TakeFill]:
    """
    Return disputed fills that happened: position and cash are as if they were booked.

    Those of one order are booked together where that is what agrees, else each by itself.

    Args:
        desk: whose orders they are.
        platform: the venue that tells.
        fills: that it lists.
        there: what it says is held.
        balances: its cash.
    """
    totals = {each.pool: each.total for each in balances}
    disputed: dict[str, list[Fill]] = {}
    for fill, new_events in _of_ours(desk, platform, fills):
        if new_events and all(isinstance(event, events.FillDisputed) for event in new_events):
            disputed.setdefault(fill.client_order_id, []).append(fill)
    found: list[commands.TakeFill] = []
    for first, *more in disputed.values():
        together = _proven(first, *more)
        choices = [together] if _is_proven(desk, together, there, totals) else []
        if more and not choices:
            apart = (_proven(each) for each in (first, *more))
            choices = [each for each in apart if _is_proven(desk, each, there, totals)]
        found += choices
    return found


def _proven(fill: Fill, *more: Fill) -> commands.TakeFill:
    return commands.TakeFill(fill=fill, more=more, is_proven=True)


def _is_proven(
    desk: Desk,
    command: commands.TakeFill,
    there: Mapping[tuple[str, Side], int],
    totals: Mapping[str, int | None],
) -> bool:
    """Tell whether position and cash at the venue are as if some fills of one order were booked."""
    book, completed = desk.book, desk.lookups.complete(command)
    decision = decide(book, Facts(now_ns=desk.clock.now_ns()), completed, desk.rules)
    booked = [event for event in decision.events if isinstance(event, events.OrderFilled)]
    if not booked:
        return False
    key, pool = booked[0].market_key, booked[0].pool or booked[0].platform
    market, counted = book.markets[key], book.ledgers.get(pool)
    yes = market.yes.quantity + sum(event.yes_quantity for event in booked)
    no = market.no.quantity + sum(event.no_quantity for event in booked)
    is_held = (there.get((key, Side.YES), 0), there.get((key, Side.NO), 0)) == (yes, no)
    cash = sum(event.cash for event in booked)
    return is_held and counted is not None and totals.get(pool) == counted + cash


def _of_ours(
    desk: Desk, platform: Platform, fills: Sequence[Fill]
) -> Iterator[tuple[Fill, list[events.OrderEvent]]]:
    """Yield those of our orders, each with our own id, and what is on record of its trade."""
    records: dict[str, dict[str, list[events.OrderEvent]]] = {}
    for fill in fills:
        row = None
        if fill.client_order_id:
            row = desk.journal.order(fill.client_order_id)
        elif fill.venue_order_id:
            row = desk.journal.order_by_venue_id(platform, fill.venue_order_id)
        if row is None:
            continue  # of somebody else: a difference of positions tells
        if row.request_id not in records:
            trades = records[row.request_id] = {}
            for _, _, event in desk.lookups.records(row.request_id):
                if isinstance(
                    event, events.OrderFilled | events.FillReversed | events.FillDisputed
                ):
                    trades.setdefault(event.trade_id, []).append(event)
        named = msgspec.structs.replace(fill, client_order_id=row.client_order_id)
        yield named, records[row.request_id].get(fill.trade_id, [])


def first_counts(desk: Desk, balances: Sequence[PoolBalance]) -> tuple[events.Event, ...]:
    """Return the beginnings of our own count, of pools that have none yet."""
    return tuple(
        events.CashCounted(pool=each.pool, amount=each.total)
        for each in balances
        if each.total is not None and each.pool not in desk.book.ledgers
    )


def _wrong_cash(desk: Desk, balances: Sequence[PoolBalance]) -> list[tuple[str, int, int]]:
    """Return the pools whose cash is not what we count: name, ours, theirs, in micro-dollars."""
    ledgers = desk.book.ledgers
    return [
        (each.pool, ledgers[each.pool], each.total)
        for each in balances
        if each.total is not None and ledgers.get(each.pool, each.total) != each.total
    ]


def held_there(
    desk: Desk, platform: Platform, positions: Sequence[VenuePosition]
) -> dict[tuple[str, Side], int]:
    """Return what a venue says is held, by the market's own key and side."""
    found: dict[tuple[str, Side], int] = {}
    for position in positions:
        if position.trouble:
            continue
        known = desk.book.market_of(platform, position.market_id)
        key, side = position.market_id, position.side
        if known is not None:
            key = known[0].listing.market_key
            side = side.opposite if known[1] else side
        found[key, side] = found.get((key, side), 0) + position.quantity
    return found


def claims_of(
    desk: Desk,
    platform: Platform,
    there: Mapping[tuple[str, Side], int],
    balances: Sequence[PoolBalance],
) -> dict[str, commands.Claim]:
    """
    Return what may be adopted of a venue's word, by the id of the break that it would be.

    Args:
        desk: whose book it is.
        platform: the venue that tells.
        there: what it says is held.
        balances: its cash.
    """
    claims = {
        f"{platform}|cash|{pool}": commands.Claim(expected=(ours,), pool=pool, amount=theirs)
        for pool, ours, theirs in _wrong_cash(desk, balances)
    }
    markets = desk.book.markets
    keys = {key for key, each in markets.items() if each.listing.platform == platform}
    for key in sorted(keys | {key for key, _ in there if key not in markets}):
        market = markets.get(key)
        ours = (0, 0) if market is None else (market.yes.quantity, market.no.quantity)
        theirs = (there.get((key, Side.YES), 0), there.get((key, Side.NO), 0))
        if ours != theirs:
            yes_price, no_price = desk.marks.closing_prices(key)
            claims[f"{platform}|position|{key}"] = commands.Claim(
                expected=ours,
                market_key=key,
                yes=theirs[0],
                no=theirs[1],
                yes_price=yes_price,
                no_price=no_price,
            )
    return claims
