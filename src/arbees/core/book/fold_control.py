"""Folds control and venue truth: halts, balances, days, marks, breaks, authority, keys.

Also which process writes.
"""

from arbees.core import events
from arbees.core.book.api_keys import REVOKED_MAX, ApiKey, key_of
from arbees.core.book.book import (
    Authority,
    Book,
    Break,
    Day,
    Halt,
    Pool,
    StandingAlert,
    halt_name,
)
from arbees.core.language.words import HaltSource, TradingState


def halt_raised(book: Book, event: events.HaltRaised, time_ns: int) -> None:
    """Put a halt in force."""
    book.halts[halt_name(event.source, event.scope, event.owner)] = Halt(
        source=event.source,
        scope=event.scope,
        state=TradingState(event.state),
        reason=event.reason,
        actor=event.actor,
        since_ns=time_ns,
        is_automatic=HaltSource(event.source).is_automatic,
        receipt_id=event.receipt_id,
        sequence=book.sequence,
        owner=event.owner,
        loss=event.loss,
    )


def halt_lifted(book: Book, event: events.HaltLifted, _time_ns: int) -> None:
    """Lift a halt; of a repeated execution, forget the cycles too."""
    del book.halts[halt_name(event.source, event.scope, event.owner)]
    if event.source == HaltSource.REPEATED_EXECUTION:
        strategy = event.scope.removeprefix("strategy:")
        for cycle in book.cycles.values():
            if cycle.strategy == strategy:
                cycle.entries.clear()


def balance_observed(book: Book, event: events.BalanceObserved, _time_ns: int) -> None:
    """Take a venue's figure."""
    known = book.pools.get(event.pool)
    spent = [] if known is None else [each for each in known.spent if each[0] >= event.as_of_ns]
    book.pools[event.pool] = Pool(
        platform=event.platform,
        available=event.available,
        as_of_ns=event.as_of_ns,
        outside=event.outside,
        spent=spent,
    )
    for client_order_id in event.inside:
        book.orders[client_order_id].is_inside = True


def cash_counted(book: Book, event: events.CashCounted, _time_ns: int) -> None:
    """Begin to count the cash of a pool."""
    book.ledgers[event.pool] = event.amount


REMEMBERED_MAX = 2_000
"""Movements and accepted differences that are remembered; the oldest are forgotten first."""


def cash_explained(book: Book, event: events.CashExplained, _time_ns: int) -> None:
    """Follow cash that moved without a trade, once."""
    book.movements.append(event.movement_id)
    del book.movements[:-REMEMBERED_MAX]
    if not event.is_counted:
        return
    if event.pool in book.ledgers:
        book.ledgers[event.pool] += event.amount
    if event.movement in OUTSIDE:
        book.cash_moved += event.amount
    book.fees += event.fee
    if event.market_key in book.markets:
        book.markets[event.market_key].fees += event.fee


OUTSIDE = frozenset({"deposit", "withdrawal", "subaccount"})
"""Movements to and from the account; the others stay within it, or are its costs."""


def difference_accepted(book: Book, event: events.DifferenceAccepted, _time_ns: int) -> None:
    """Remember what an operator lets stand."""
    book.accepted.pop(event.break_id, None)
    book.accepted[event.break_id] = event.observed
    if len(book.accepted) > REMEMBERED_MAX:
        del book.accepted[next(iter(book.accepted))]


def cash_moved(book: Book, event: events.CashMoved, _time_ns: int) -> None:
    """Take a deposit or withdrawal."""
    book.cash_moved += event.amount
    if event.platform in book.ledgers:
        book.ledgers[event.platform] += event.amount


def day_opened(book: Book, event: events.DayOpened, _time_ns: int) -> None:
    """Begin a trading day."""
    book.day = Day(day=event.day, baseline=event.baseline)
    book.denials = {}
    for halt in book.halts.values():
        halt.loss = None


def marked(book: Book, event: events.Marked, time_ns: int) -> None:
    """Take the prices at which what is held could be closed."""
    for key, (yes, no) in event.marks.items():
        market = book.markets[key]
        market.mark_yes = yes if yes is not None else market.mark_yes
        market.mark_no = no if no is not None else market.mark_no
        market.marked_ns = time_ns


def break_opened(book: Book, event: events.BreakOpened, time_ns: int) -> None:
    """Freeze what a break's policy freezes."""
    book.breaks[event.break_id] = Break(
        break_id=event.break_id,
        kind=event.kind,
        platform=event.platform,
        market_key=event.market_key,
        expected=event.expected,
        observed=event.observed,
        policy=event.policy,
        since_ns=time_ns,
        pool=event.pool,
        amount=event.amount,
    )
    market = book.markets.get(event.market_key or "")
    if market is not None and event.policy in {"freeze_market", "halt"}:
        market.break_kinds.append(event.kind)


def break_closed(book: Book, event: events.BreakClosed, _time_ns: int) -> None:
    """Thaw it."""
    ended = book.breaks.pop(event.break_id)
    market = book.markets.get(ended.market_key or "")
    if market is not None and ended.policy in {"freeze_market", "halt"}:
        market.break_kinds.remove(ended.kind)


def bound(book: Book, event: events.Bound, _time_ns: int) -> None:
    """Learn whose book this is."""
    book.account, book.environment, book.mode = event.account, event.environment, event.mode


def started(book: Book, event: events.Started, _time_ns: int) -> None:
    """Learn which process writes."""
    book.version, book.settings_hash = event.version, event.settings_hash
    book.disabled = dict(event.disabled)
    book.is_started = True


def stopped(book: Book, _event: events.Stopped, _time_ns: int) -> None:
    """Learn that it ended in order."""
    book.is_started = False


def authorized(book: Book, event: events.Authorized, time_ns: int) -> None:
    """Take an operator's authority."""
    book.authority = Authority(
        actor=event.actor,
        reason=event.reason,
        settings_hash=event.settings_hash,
        until_ns=event.until_ns,
        since_ns=time_ns,
        settings=dict(event.settings),
    )


def venue_state(book: Book, event: events.VenueStateChanged, _time_ns: int) -> None:
    """Take a venue's move along the lattice, or that of one of its shards."""
    shard = "" if event.shard is None else f":{event.shard}"
    book.venue_states[event.platform + shard] = event.state


def venue_noted(book: Book, event: events.VenueNoted, _time_ns: int) -> None:
    """Keep what an adapter must know after a restart; one note a name."""
    notes = book.venue_notes.setdefault(event.platform, {})
    notes.pop(event.name, None)
    if event.value:
        notes[event.name] = event.value


ALERTS_MAX = 200
"""Alerts on record; cleared ones are forgotten first."""


def alert_raised(book: Book, event: events.AlertRaised, _time_ns: int) -> None:
    """Put an alert on record, or the last word on one that stands."""
    book.alerts.pop(event.alert_id, None)
    book.alerts[event.alert_id] = StandingAlert(
        alert_id=event.alert_id,
        name=event.name,
        severity=event.severity,
        message=event.message,
        since_ns=event.since_ns,
        count=event.count,
        data=dict(event.data),
        sequence=book.sequence,
    )
    if len(book.alerts) > ALERTS_MAX:
        over = (name for name, each in book.alerts.items() if each.cleared_ns is not None)
        del book.alerts[next(over, next(iter(book.alerts)))]


def alert_cleared(book: Book, event: events.AlertCleared, time_ns: int) -> None:
    """End an alert; one that is forgotten has no end to tell of."""
    known = book.alerts.pop(event.alert_id, None)
    if known is not None:
        known.cleared_ns = time_ns
        known.sequence = book.sequence
        book.alerts[event.alert_id] = known


def key_created(book: Book, event: events.KeyCreated, time_ns: int) -> None:
    """Take a new API key."""
    book.keys[event.key_id] = key_of(event, time_ns)


def key_revoked(book: Book, event: events.KeyRevoked, time_ns: int) -> None:
    """End an API key; its name and times stay, those of very old ones in the journal alone."""
    key = book.keys.pop(event.key_id)
    book.keys[key.key_id] = ApiKey(
        key_id=key.key_id, name=key.name, created_ns=key.created_ns, revoked_ns=time_ns
    )
    book.opened_by.pop(f"key:{key.key_id}", None)
    ended = [each.key_id for each in book.keys.values() if not each.is_active]
    for key_id in ended[:-REVOKED_MAX]:
        del book.keys[key_id]
