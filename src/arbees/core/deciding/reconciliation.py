"""Reconciliation, decided: breaks, cash that moved, absence, and what an operator takes over.

Guarantees that breaks and orders of unknown fate end by evidence, or by a named operator whose word
and reason are journaled (P7, R11); that no order is absent while the cash is not explained without
it; and that what was ended meanwhile is not ended twice.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations

from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.book import Book, Break
from arbees.core.book.market import OutcomeHolding
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    CashMovement,
    Inconclusive,
    Missing,
    PoolBalance,
)
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import (
    MICRO,
    NS_PER_SECOND,
    format_dollars,
    mul_ceil,
    mul_floor,
    share_floor,
)
from arbees.core.language.words import Action


def take_comparison(book: Book, command: commands.TakeComparison) -> commands.Decision:
    """
    Open what is new of what does not agree, and close what agrees again.

    A break of which the figures changed is closed and opened anew: what was seen is on record. What
    an operator lets stand is none, for as long as it is as it was then.
    """
    found = {
        each.break_id: each
        for each in command.found
        if book.accepted.get(each.break_id) != each.observed
    }
    new_events: list[events.Event] = []
    for name, known in sorted(book.breaks.items()):
        is_compared = known.platform == command.platform and known.kind in command.kinds
        if not is_compared or name in command.untold:
            continue
        present = found.get(name)
        if present is None:
            how = "agrees with the venue again"
        elif (taken := _adopted(book, present, command.claims.get(name))) is not None:
            del found[name]
            new_events.append(taken)
            how = "adopted"
        elif _figures(present) != _figures(known):
            how = "differs otherwise now"
        else:
            del found[name]
            continue
        new_events.append(events.BreakClosed(break_id=name, how=how, actor="arbees"))
    for each in found.values():
        taken = _adopted(book, each, command.claims.get(each.break_id))
        if taken is None and each.policy == "adopt":
            # There is nothing to take over, or no price for it: nobody builds on it.
            new_events.append(replace(each, policy="freeze_market"))
            continue
        new_events.append(each)
        if taken is not None:
            closed = events.BreakClosed(break_id=each.break_id, how="adopted", actor="arbees")
            new_events += (taken, closed)
    return commands.Decision(tuple(new_events))


def adopt_break(book: Book, command: commands.AdoptBreak) -> commands.Decision:
    """
    Take the venue's word of a break, for a named operator; the next comparison agrees.

    A position and cash become the venue's; what has no price costs the most that it can, and
    fetches nothing. An order of ours that the venue has no more is cancelled. What is no figure of
    ours (an order of another hand, or of a journal that is lost) is let stand as it is.
    """
    found, claim = command.found, command.claim
    new_events: list[events.Event] = []
    order = book.orders.get(command.client_order_id)
    if claim is not None:
        taken = _taken(book, claim, is_priced=False)
        if taken is None:
            return commands.NO_DECISION
        new_events.append(taken)
    elif found.kind == "missing_order" and order is not None:
        word = f"absent at the venue; adopted by {command.actor}: {command.reason}"
        ids = {"client_order_id": order.client_order_id, "request_id": order.request_id}
        new_events.append(events.OrderCancelled(**ids, reason=word))
    elif found.kind != "missing_fill":
        new_events.append(
            events.DifferenceAccepted(
                break_id=found.break_id,
                observed=found.observed,
                reason=command.reason,
                actor=command.actor,
            )
        )
    if found.break_id not in book.breaks:
        new_events.insert(0, found)
    how = f"adopted: {command.reason}"
    new_events.append(events.BreakClosed(break_id=found.break_id, how=how, actor=command.actor))
    return commands.Decision(tuple(new_events))


def _adopted(
    book: Book, each: events.BreakOpened, claim: commands.Claim | None
) -> events.Event | None:
    """Return how the venue's word is taken over by policy; None = it is not."""
    if claim is None or each.policy != "adopt":
        return None
    return _taken(book, claim, is_priced=True)


def _taken(book: Book, claim: commands.Claim, *, is_priced: bool) -> events.Event | None:
    """
    Return how the venue's word becomes ours.

    Args:
        book: what it is taken into.
        claim: what the venue says.
        is_priced: only where there is a price for it.

    Returns:
        None = it is not: no price, or something moved since it was compared, which is newer than
        the claim and would be undone by it.
    """
    if claim.pool:
        if book.ledgers.get(claim.pool) != claim.expected[0]:
            return None
        return events.CashCounted(pool=claim.pool, amount=claim.amount)
    market = book.markets.get(claim.market_key)
    if market is None or (market.yes.quantity, market.no.quantity) != claim.expected:
        return None
    yes = _changed(market.yes, claim.yes, claim.yes_price, is_priced=is_priced)
    no = _changed(market.no, claim.no, claim.no_price, is_priced=is_priced)
    if yes is None or no is None:
        return None
    return events.PositionAdopted(
        market_key=claim.market_key,
        realized=yes[2] + no[2],
        yes_quantity=yes[0],
        yes_cost=yes[1],
        no_quantity=no[0],
        no_cost=no[1],
    )


def _changed(
    holding: OutcomeHolding, theirs: int, price: int | None, *, is_priced: bool
) -> tuple[int, int, int] | None:
    """
    Return the change of quantity and cost of a side, and what it realizes.

    What is new costs what it could be closed at, so that nothing is gained or lost by adopting it;
    what is gone went at that price. None = it changes, and a price that it must have is not known.
    """
    more = theirs - holding.quantity
    if not more:
        return 0, 0, 0
    if price is None and is_priced:
        return None
    if price is None:
        price = MICRO if more > 0 else 0
    if more > 0:
        return more, mul_ceil(price, more), 0
    removed = share_floor(holding.cost, -more, holding.quantity)
    return more, -removed, mul_floor(price, -more) - removed


def explained(book: Book, order: Order, absence: Missing) -> Missing | Inconclusive:
    """
    Return an absence only where the cash is explained without the order (design, section 4).

    What rests unlisted ties up cash, and what filled unlisted took some: both are missing from what
    the venue has, with what its listed orders tie up, against our own count. Breaks that stood when
    the order was made are part of that count; whatever else differs proves nothing.

    Args:
        book: with our count.
        order: whose fate is not known.
        absence: what the venue's lists say, with its cash as of after them.
    """
    if not absence.cash:
        return absence
    pool = order.pool or order.platform
    there = next((each for each in absence.cash if each.pool == pool), None)
    ours = book.ledgers.get(pool)
    if there is None or there.total is None:
        return Inconclusive(message=f"The cash of {pool} with what orders tie up is not known")
    if ours is None:
        return Inconclusive(message=f"The cash of {pool} was never compared")
    ours += sum(
        each.amount
        for each in book.breaks.values()
        if each.pool == pool and each.since_ns < order.created_ns
    )
    gap, ties = ours - there.total, least_cash(book, order)
    if gap and not 0 < gap <= there.uncertain < ties:
        text = f"{format_dollars(there.total)} there, {format_dollars(ours)} by our count"
        return Inconclusive(message=f"The cash of {pool} is not explained without it: {text}")
    said = (
        f"cash of {pool}: {format_dollars(there.total)} with what listed orders tie up, as of "
        f"{format_time(there.as_of_ns)}, explained without it; it would tie up at least "
        f"{format_dollars(ties)}"
    )
    return replace(absence, evidence=(*absence.evidence, said))


def least_cash(book: Book, order: Order) -> int:
    """Return what an order ties up or took at the least: what it cannot but open, at its price."""
    market = book.markets[order.market_key]
    if order.action is Action.SELL:
        return 0
    closes = market.holding(order.side.opposite).quantity if market.listing.is_netting else 0
    return mul_floor(order.limit_price, max(0, order.remaining - closes))


def _figures(each: events.BreakOpened | Break) -> tuple[str, str, str]:
    # What could not be adopted was frozen: the same policy, as it is in force.
    policy = "freeze_market" if each.policy == "adopt" else each.policy
    return each.expected, each.observed, policy


SETTLEMENT_FEE = "settlement_fee"
SUMS_MAX = 4_096
"""Sums of fees that are tried."""
EXPLAIN_MAX = 12
"""Movements of a pool that are told apart; of more all are taken."""


UNSETTLED_NS = 60 * NS_PER_SECOND
"""A movement that is younger than the figure less this may not be inside it yet: what it does not
explain now it may explain later."""


def take_movements(book: Book, command: commands.TakeMovements) -> commands.Decision:
    """
    Explain cash that our count does not have by what the venue's own lists say moved it.

    Each movement is taken once. Of a pool those are counted that bring our count closest to what is
    there: an operator may have recorded one of them by hand already.
    """
    there = {each.pool: each for each in command.balances if each.total is not None}
    known = set(book.movements)
    new_events: list[events.Event] = []
    for pool, figure in there.items():
        ours = book.ledgers.get(pool)
        if ours is None or figure.total is None:
            continue
        fresh = [
            each
            for each in command.movements
            if each.pool == pool and each.movement_id not in known
        ]
        new_events += (fees := _fees_of(book, figure, ours, fresh))
        ours += sum(each.amount for each in fees if each.is_counted)
        fresh = [each for each in fresh if each.kind != SETTLEMENT_FEE]
        settled_ns = figure.as_of_ns - UNSETTLED_NS
        counted = explain(figure.total - ours, [each.amount for each in fresh])
        new_events += (
            events.CashExplained(
                platform=each.platform,
                pool=pool,
                amount=each.amount,
                movement=each.kind,
                movement_id=each.movement_id,
                venue_ns=each.time_ns,
                is_counted=place in counted,
            )
            for place, each in enumerate(fresh)
            if place in counted or each.time_ns < settled_ns
        )
    return commands.Decision(tuple(new_events))


def _fees_of(
    book: Book, figure: PoolBalance, ours: int, fresh: Sequence[CashMovement]
) -> list[events.CashExplained]:
    """
    Return the fees that venues took of what markets paid, for what they explain to the last unit.

    A venue lists all fees of a market, so that those of its trades are known already, or that of
    its settlement alone: whichever it is, only what leaves no difference is booked as a cost. None
    is forgotten before the cash agrees without it.
    """
    rows = [each for each in fresh if each.kind == SETTLEMENT_FEE][-EXPLAIN_MAX:]
    others = [each.amount for each in fresh if each.kind != SETTLEMENT_FEE]
    gap, fees = (figure.total or 0) - ours, [0] * len(rows)
    if gap and len(others) <= EXPLAIN_MAX:
        choices = [_fee_choices(book, each) for each in rows]
        sums = {0, *(sum(part) for size in range(1, 3) for part in combinations(others, size))}
        sums.add(sum(others))
        fees = _chosen(choices, {gap - each for each in sums}) or fees
    is_agreed = not gap and not figure.uncertain
    found: list[events.CashExplained] = []
    for row, fee in zip(rows, fees, strict=True):
        is_settled = row.time_ns < figure.as_of_ns - UNSETTLED_NS
        if not fee and not (is_agreed and is_settled):
            continue
        known = book.market_of(row.platform, row.market_id)
        found.append(
            events.CashExplained(
                platform=row.platform,
                pool=row.pool,
                amount=-fee if fee else row.amount,
                movement=row.kind,
                movement_id=row.movement_id,
                venue_ns=row.time_ns,
                is_counted=bool(fee),
                market_key="" if known is None else known[0].listing.market_key,
                fee=fee,
            )
        )
    return found


def _fee_choices(book: Book, row: CashMovement) -> tuple[int, ...]:
    """Return what a settlement may have cost: nothing, all that is listed, or less the trades'."""
    known = book.market_of(row.platform, row.market_id)
    if known is None or not known[0].is_settled:
        return (0,)  # what it paid is not booked yet
    listed = -row.amount
    return tuple(dict.fromkeys((0, listed, max(0, listed - known[0].fees))))


def _chosen(choices: Sequence[tuple[int, ...]], gaps: AbstractSet[int]) -> list[int] | None:
    """Return one choice of each whose sum, paid, is one of the gaps; the fewest fees first."""
    sums: dict[int, list[int]] = {0: []}
    for options in choices:
        longer: dict[int, list[int]] = {}
        for total, taken in sums.items():
            for fee in options:
                way = [*taken, fee]
                best = longer.get(total + fee)
                if best is None or sum(map(bool, way)) < sum(map(bool, best)):
                    longer[total + fee] = way
        sums = dict(list(longer.items())[:SUMS_MAX])
    ways = [way for total, way in sums.items() if total and -total in gaps]
    return min(ways, key=lambda way: sum(map(bool, way)), default=None)


def explain(gap: int, amounts: Sequence[int]) -> frozenset[int]:
    """Return the places of the amounts whose sum is closest to a gap; of equals the fewest."""
    if len(amounts) > EXPLAIN_MAX:
        return frozenset(range(len(amounts)))
    places = range(len(amounts))
    chosen = (each for size in range(len(amounts) + 1) for each in combinations(places, size))
    best = min(chosen, key=lambda each: abs(gap - sum(amounts[place] for place in each)))
    return frozenset(best)


def end_break(book: Book, command: commands.EndBreak) -> commands.Decision:
    """End a break by an operator's word; the next comparison opens it again if it still differs."""
    if command.break_id not in book.breaks:
        return commands.NO_DECISION
    how = f"by hand: {command.reason}"
    return commands.Decision(
        (events.BreakClosed(break_id=command.break_id, how=how, actor=command.actor),)
    )
