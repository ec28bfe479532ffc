"""Control and venue truth as events: halts, cancels, markets, settlements, balances, days.

Guarantees that a halt comes with the cancels of what it covers, and that figures of a venue are
taken only with what of ours they provably hold.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.api_keys import obstacle
from arbees.core.book.book import (
    Book,
    Halt,
    Subject,
    halt_name,
)
from arbees.core.book.market import Listing, Market, own_game
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.language.payouts import Payouts
from arbees.core.language.units import format_dollars
from arbees.core.language.words import (
    SCOPE_ALL,
    HaltSource,
    Side,
    TradingState,
)

ORDER_SCOPE = "order:"
REASON_MAX = 1_000
"""Characters of a reason that is made of several."""


def subject_of(order: Order, book: Book) -> Subject:
    """Return the coordinates of an open order, for scopes; its sport is what is known by now."""
    return Subject(
        order.platform,
        book.markets[order.market_key].sport,
        order.market_key,
        order.market_id,
        order.strategy,
        order.model_version,
        (book.markets[order.market_key].game_id,),
        order.pool or order.platform,
    )


def covered(book: Book, scope: str, *, opening_only: bool = False) -> list[Order]:
    """Return the open orders that a scope covers, oldest first."""
    if scope.startswith(ORDER_SCOPE):
        order = book.orders.get(scope.removeprefix(ORDER_SCOPE))
        return [] if order is None else [order]
    return [
        order
        for order in book.orders.values()
        if book.covers(scope, subject_of(order, book)) and not (opening_only and order.is_reducing)
    ]


def _cancels(
    orders: list[Order], reason: str, actor: str
) -> tuple[list[events.Event], list[commands.Effect]]:
    new_events: list[events.Event] = [
        events.CancelRequested(
            client_order_id=order.client_order_id,
            request_id=order.request_id,
            reason=reason,
            actor=actor,
        )
        for order in orders
        if order.cancel_reason is None
    ]
    return new_events, [commands.CancelOrder(order.client_order_id) for order in orders]


def _decision(new_events: list[events.Event], effects: list[commands.Effect]) -> commands.Decision:
    return commands.Decision(tuple(new_events), tuple(effects))


def request_cancel(book: Book, command: commands.RequestCancel) -> commands.Decision:
    """Ask for the cancel of all that a scope covers; cancels pass in every state."""
    orders = covered(book, command.scope, opening_only=command.opening_only)
    new_events, effects = _cancels(orders, command.reason, command.actor)
    if not command.scope.startswith(ORDER_SCOPE):
        new_events.insert(
            0,
            events.MassCancelled(
                scope=command.scope,
                reason=command.reason,
                actor=command.actor,
                orders=tuple(order.client_order_id for order in orders),
                receipt_id=command.receipt_id,
                is_flatten=command.is_flatten,
            ),
        )
    return _decision(new_events, effects)


def raise_halt(book: Book, command: commands.RaiseHalt) -> commands.Decision:
    """
    Halt a scope, or let it only reduce.

    HALTED cancels all that it covers, REDUCING what opens risk. The receipt names the
    risk-increasing orders that were handed over before. What somebody halted before in the same
    way, or harder, is not recorded again, but its cancels are asked for again: only what is
    acknowledged loosens a halt.
    """
    opening_only = command.state is TradingState.REDUCING
    orders = covered(book, command.scope, opening_only=opening_only)
    new_events, effects = _cancels(orders, f"halt: {command.reason}", command.actor)
    standing = book.halts.get(halt_name(command.source, command.scope, command.owner))
    is_harder = standing is not None and standing.state.rank > command.state.rank
    if is_harder and not command.acknowledge:
        return _decision(new_events, effects)
    stepped = _stepped_down(book, command)
    is_repeated = (
        standing is not None
        and standing.state is command.state
        and not (standing.is_automatic or new_events or stepped)
    )
    if is_repeated:
        return _decision([], effects)
    halt = events.HaltRaised(
        source=command.source,
        scope=command.scope,
        state=command.state,
        reason=command.reason,
        actor=command.actor,
        receipt_id=command.receipt_id,
        in_flight=tuple(order.client_order_id for order in orders),
        owner=command.owner,
        loss=command.loss if command.source == HaltSource.DAILY_LOSS else None,
    )
    return _decision([halt, *stepped, *new_events], effects)


def halt_over(book: Book, order: Order) -> str | None:
    """Return why a halt in force wants an order cancelled; None = none covers it."""
    state, halt = book.state_for(subject_of(order, book))
    if halt is None or (state is TradingState.REDUCING and order.is_reducing):
        return None
    return halt.reason


def _stepped_down(book: Book, command: commands.RaiseHalt) -> list[events.Event]:
    """Return the halts of the scope that an acknowledged reduction steps down to it."""
    if not command.acknowledge or command.state is not TradingState.REDUCING:
        return []
    lift = commands.LiftHalt(
        sources=(),
        scope=command.scope,
        reason=command.reason,
        actor=command.actor,
        acknowledge=True,
        owner=command.owner,
    )
    own = (command.source, command.scope, command.owner)
    return [
        events.HaltRaised(
            source=halt.source,
            scope=halt.scope,
            state=command.state,
            reason=f"{halt.reason}; stepped down: {command.reason}"[:REASON_MAX],
            actor=command.actor,
            receipt_id="",
            owner=halt.owner,
            loss=command.loss if halt.source == HaltSource.DAILY_LOSS else None,
        )
        for halt in liftable(book, lift)[0]
        if halt.state.rank > command.state.rank and (halt.source, halt.scope, halt.owner) != own
    ]


def liftable(book: Book, command: commands.LiftHalt) -> tuple[list[Halt], list[Halt]]:
    """Return the halts of the scope that the command lifts, and those that it leaves."""
    lifts: list[Halt] = []
    leaves: list[Halt] = []
    scope = book.canonical(command.scope)
    for halt in book.halts.values():
        # What a venue's own breaker stopped is no scope that somebody chose: whoever resumes all
        # resumes it too.
        is_part = halt.source == HaltSource.ORDER_GROUP and scope == SCOPE_ALL
        if not (command.every or is_part) and book.canonical(halt.scope) != scope:
            continue
        if command.owner and halt.owner != command.owner:
            does_lift = False
        elif command.sources:
            does_lift = halt.source in command.sources
        elif halt.source == HaltSource.FILE:
            does_lift = False
        else:
            does_lift = command.acknowledge or not halt.is_automatic
        (lifts if does_lift else leaves).append(halt)
    return lifts, leaves


def lift_halt(book: Book, command: commands.LiftHalt) -> commands.Decision:
    """Lift what the command may lift; the rest stays, and trading with it."""
    lifts, _ = liftable(book, command)
    return _decision(
        [
            events.HaltLifted(
                source=halt.source,
                scope=halt.scope,
                reason=command.reason,
                actor=command.actor,
                owner=halt.owner,
            )
            for halt in lifts
        ],
        [],
    )


# Markets ---------------------------------------------------------------------------------------


def list_market(book: Book, command: commands.ListMarket) -> commands.Decision:
    """
    Take a word on a market; only what it changes is recorded.

    A venue's own word replaces what was known, but for what it leaves out of sport and game: those
    are never unlearnt. What a quote says replaces only what it says. Under the name of the other
    outcome a market only opens and closes.
    """
    listing = command.listing
    found = book.market_of(listing.platform, listing.market_id)
    if found is None:
        listing = _placed(book, listing)
        new_events = _joins(book, listing, None)
        status = command.status if command.is_open else ""
        new_events.append(events.MarketListed(listing=listing, status=status))
        if not command.is_open:
            new_events.append(_status(listing.market_key, command))
        return _decision(new_events, [])
    market, is_flipped = found
    if market.is_settled:
        return commands.NO_DECISION
    new_events = [] if is_flipped else _renewed(book, market, command)
    said = command.status if command.quote is None else market.status
    if (market.is_open, market.status) != (command.is_open, said):
        new_events.append(_status(market.listing.market_key, command))
    return _decision(new_events, [])


def _status(market_key: str, command: commands.ListMarket) -> events.MarketStatusChanged:
    return events.MarketStatusChanged(
        market_key=market_key, is_open=command.is_open, status=command.status
    )


def _renewed(book: Book, market: Market, command: commands.ListMarket) -> list[events.Event]:
    """Return what a later word on a market changes, but for its status."""
    known, new, quote = market.listing, command.listing, command.quote
    if quote is None:
        new = replace(
            new,
            market_key=known.market_key,
            is_flipped=known.is_flipped,
            opposite_id=known.opposite_id,
            sport=new.sport or known.sport,
            game_id=new.game_id or known.game_id,
            event_id=new.event_id or known.event_id,
            milestone_id=new.milestone_id or known.milestone_id,
        )
    else:
        new = replace(
            known,
            tick=known.tick if quote.tick is None else quote.tick,
            ticks=known.ticks if quote.tick is None else (),
            lot=known.lot if quote.lot is None else quote.lot,
            sport=known.sport if quote.sport is None else new.sport,
            game_id=known.game_id if quote.game_id is None else quote.game_id,
            game_start_ns=(
                known.game_start_ns if quote.game_start_ns is None else quote.game_start_ns
            ),
        )
    if new == known:
        return []
    return [*_joins(book, new, market), events.MarketListed(listing=new)]


def _joins(book: Book, listing: Listing, market: Market | None) -> list[events.Event]:
    """
    Return the event that makes games one which were several, because a market is of all of them.

    Names that nobody used yet become its game's with the listing itself.
    """
    names = list(listing.games)
    if market is not None and market.game_id != own_game(market.listing.market_key):
        names.append(market.game_id)
    if len(names) < 2:
        return []
    game = book.game(names[0])
    used = {each.game_id for each in book.markets.values()}
    others = dict.fromkeys(book.game(name) for name in names)
    joined = tuple(other for other in others if other != game and other in used)
    return [events.GamesJoined(game=game, names=joined)] if joined else []


def _placed(book: Book, listing: Listing) -> Listing:
    """
    Return a new listing under the key where it belongs; it never takes a name that is another's.

    The first token seen of a condition is its Yes, the second its No; any other stands for itself.
    """
    platform, opposite = listing.platform, listing.opposite_id
    key = listing.market_key
    if opposite is not None and (partner := book.names.get(f"{platform}|{opposite}")) is not None:
        key, listing = partner[0], replace(listing, opposite_id=None)
    known = book.markets.get(key)
    if known is None:
        return listing
    if known.listing.platform != platform:
        # Two venues never share a market: give the newcomer a key of its own.
        return replace(listing, market_key=f"{platform}:{key}")
    if known.listing.is_netting:
        return listing
    if (key, True) in book.names.values():
        return replace(listing, market_key=listing.market_id)
    return replace(listing, market_key=key, opposite_id=None, is_flipped=True)


def settle_market(book: Book, command: commands.SettleMarket) -> commands.Decision:
    """Pay out both sides of a settled market; where the venue amends what it paid, correct it."""
    found = book.market_of(command.platform, command.market_id)
    if found is None:
        return commands.NO_DECISION
    market, is_flipped = found
    payouts = command.payouts.flipped if is_flipped else command.payouts
    if market.payouts is not None:
        corrected = _correction(market, market.payouts, payouts)
        if corrected is None:
            return commands.NO_DECISION
        told = _amended(market, market.payouts, payouts, corrected.payout)
        return _decision([corrected, *told], [])
    yes, no = market.yes, market.no
    held = {Side.YES: (yes.quantity, yes.cost), Side.NO: (no.quantity, no.cost)}
    paid = {Side.YES: market.settled_yes, Side.NO: market.settled_no}
    return _decision([settlement(market.listing.market_key, payouts, held, paid)], [])


def _correction(market: Market, paid: Payouts, now: Payouts) -> events.SettlementCorrected | None:
    """Return what an amended result changes; None = it says the same again."""
    if paid == now:
        return None
    quantities = market.settled_yes, market.settled_no
    more = now.value(*quantities) - paid.value(*quantities)
    return events.SettlementCorrected(
        market_key=market.listing.market_key,
        yes_payout=now.yes,
        no_payout=now.no,
        payout=more,
        realized=more,
        corrects=market.settled_sequence,
    )


def _amended(market: Market, paid: Payouts, now: Payouts, more: int) -> list[events.Event]:
    """Return the break that says what was amended, over at once: the difference is booked."""
    if not (market.settled_yes or market.settled_no):
        return []
    key, platform = market.listing.market_key, market.listing.platform
    opened = events.BreakOpened(
        break_id=f"{platform}|amended_settlement|{key}",
        kind="amended_settlement",
        platform=platform,
        market_key=key,
        expected=f"paid {paid.describe()}",
        observed=f"pays {now.describe()}, a difference of {format_dollars(more)}",
        policy="report",
    )
    closed = events.BreakClosed(
        break_id=opened.break_id, how="booked as a correction", actor="arbees"
    )
    return [opened, closed]


def settlement(
    market_key: str,
    payouts: Payouts,
    held: Mapping[Side, Sequence[int]],
    paid: Mapping[Side, int],
) -> events.MarketSettled:
    """
    Return what a settlement does to all that is held of a market.

    Args:
        market_key: of the market.
        payouts: what a contract of each side pays.
        held: quantity and cost of both sides.
        paid: quantities that were paid out before.
    """
    (yes_quantity, yes_cost), (no_quantity, no_cost) = held[Side.YES], held[Side.NO]
    yes_paid, no_paid = paid[Side.YES], paid[Side.NO]
    in_all = payouts.value(yes_paid + yes_quantity, no_paid + no_quantity)
    payout = in_all - payouts.value(yes_paid, no_paid)
    return events.MarketSettled(
        market_key=market_key,
        result=payouts.winner,
        yes_payout=payouts.yes,
        no_payout=payouts.no,
        payout=payout,
        realized=payout - yes_cost - no_cost,
        yes_quantity=-yes_quantity,
        yes_cost=-yes_cost,
        no_quantity=-no_quantity,
        no_cost=-no_cost,
    )


# Money -----------------------------------------------------------------------------------------


def observe_balance(book: Book, command: commands.ObserveBalance) -> commands.Decision:
    """
    Take a venue's figure, less what of ours is not provably inside it.

    Inside are open orders that the venue acknowledged before the figure, and fills before it.
    """
    balance = command.balance
    pool = book.pools.get(balance.pool)
    if pool is not None and balance.as_of_ns < pool.as_of_ns:
        return commands.NO_DECISION
    inside: list[str] = []
    outside = 0
    for order in book.orders.values():
        if (order.pool or order.platform) != balance.pool:
            continue
        acknowledged = order.acknowledged_ns
        if order.is_inside or (acknowledged is not None and acknowledged < balance.as_of_ns):
            inside.append(order.client_order_id)
        else:
            outside += order.reserved.cash
    if pool is not None:
        outside += sum(amount for ns, amount in pool.spent if ns >= balance.as_of_ns)
        is_news = (pool.available, pool.outside) != (balance.available, outside)
        if not is_news and len(pool.spent) == 0:
            return commands.NO_DECISION
    return _decision(
        [
            events.BalanceObserved(
                pool=balance.pool,
                platform=balance.platform,
                available=balance.available,
                as_of_ns=balance.as_of_ns,
                outside=outside,
                inside=tuple(inside),
            )
        ],
        [],
    )


def open_day(book: Book, command: commands.OpenDay) -> commands.Decision:
    """
    Begin a trading day: its P&L counts from the P&L since ever.

    An earlier day than the one that is open (a zone was changed, a clock put back) begins nothing:
    what was lost today would be forgotten.
    """
    if book.day is not None and command.day <= book.day.day:
        return commands.NO_DECISION
    return _decision(
        [events.DayOpened(day=command.day, baseline=book.equity(command.unrealized))], []
    )


# API keys --------------------------------------------------------------------------------------


def create_key(book: Book, command: commands.CreateKey) -> commands.Decision:
    """Make an API key, unless its name or id is taken or there are too many."""
    ask = command.ask
    if command.key_id in book.keys or obstacle(book.keys, ask.name) is not None:
        return commands.NO_DECISION
    created = events.KeyCreated(
        key_id=command.key_id,
        name=ask.name,
        digest=command.digest,
        scopes=tuple(str(scope) for scope in ask.scopes),
        actor=command.actor,
        strategy=ask.strategy,
        caps=ask.caps,
        requests_per_minute=ask.requests_per_minute,
    )
    return _decision([created], [])


def revoke_key(book: Book, command: commands.RevokeKey) -> commands.Decision:
    """End an API key; one that is unknown or ended changes nothing."""
    key = book.keys.get(command.key_id)
    if key is None or not key.is_active:
        return commands.NO_DECISION
    revoked = events.KeyRevoked(key_id=key.key_id, reason=command.reason, actor=command.actor)
    return _decision([revoked], [])
