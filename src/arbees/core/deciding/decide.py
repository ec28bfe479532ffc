"""Decides requests: the one place where an order can be approved.

Guarantees that a request is judged by every safeguard, that the key is looked up before anything
else, and that only what every safeguard passed becomes an `ApprovedOrder` (P2, P9, P10).
"""

from collections.abc import Callable
from typing import Any

from arbees.core import events
from arbees.core.book.book import Book, halt_name
from arbees.core.book.index_rows import RETRIABLE
from arbees.core.book.market import own_game
from arbees.core.deciding import commands, control, executions, reconciliation
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import _SEAL, ApprovedOrder
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
    Warn,
    journaled,
)
from arbees.core.language.ids import client_order_id, own
from arbees.core.language.request import Request
from arbees.core.language.words import HaltSource, TradingState

VENUE_STATE_CODES = frozenset(
    {"VENUE_UNAVAILABLE", "VENUE_HEARTBEAT_LATE", "VENUE_BLIND", "VENUE_PAUSED"}
)
"""A denial for these alone is about the venue's state: an alternate may be tried."""

_QUIET = frozenset({Pass, Skipped})

Findings = tuple[events.Finding, ...]


def decide_request(
    book: Book, facts: Facts, command: commands.Submit, rules: commands.Rules
) -> commands.Decision:
    """Decide a request, or the next leg of one."""
    request = command.request
    if command.leg == 0:
        duplicate = _look_up(command)
        if duplicate is not None:
            return commands.Decision((duplicate,))
    order = make_candidate(request, command.leg, book, facts, rules.terms, rules.balance_buffer)
    if command.key_id is not None:
        key = book.keys.get(command.key_id)
        if key is None or not key.is_active:
            # Revoked while it waited, or before this leg of it.
            name = command.key_id if key is None else key.name
            finding = events.Finding("access", "KEY_REVOKED", name)
            return _deny(order, facts, command, (finding,), (), [], book)
        order.api_key = key
    if command.leg and command.known.signal is not None:
        # Another shard's execution of the signal may stand in the way at the alternate alone.
        signal = command.known.signal
        finding = events.Finding(
            "idempotency", "DUPLICATE_SIGNAL", own(signal.signal_id), own(signal.idempotency_key)
        )
        return _deny(order, facts, command, (finding,), (), [], book)
    verdicts: list[Verdict] = []
    for check in rules.checks:
        verdicts += check(order, book, facts)
    if _QUIET.issuperset(map(type, verdicts)):
        return _approve(order, facts, command, (), verdicts, rules)
    denials, warnings = _findings(verdicts, rules)
    if denials:
        return _deny(order, facts, command, denials, warnings, verdicts, book)
    return _approve(order, facts, command, warnings, verdicts, rules)


def _findings(verdicts: list[Verdict], rules: commands.Rules) -> tuple[Findings, Findings]:
    """Return denials and warnings, each under the name of its safeguard."""
    denials: list[events.Finding] = []
    warnings: list[events.Finding] = []
    for said in verdicts:
        if isinstance(said, Deny):
            name = rules.owners[said.code]
            denials.append(
                events.Finding(name, said.code, said.observed, said.limit, said.until_ns)
            )
        elif isinstance(said, Warn):
            name = rules.owners[said.code]
            warnings.append(events.Finding(name, said.code, said.observed, said.limit))
    return tuple(denials), tuple(warnings)


# The key ---------------------------------------------------------------------------------------


def _look_up(command: commands.Submit) -> events.DuplicateRefused | None:
    """Return the refusal of a request whose key, id or signal is known; None = go on."""
    request, known = command.request, command.known
    key = known.key
    if known.request_key is not None and known.request_key != request.idempotency_key:
        return _refuse(
            command,
            "IDEMPOTENCY_CONFLICT",
            f"request_id was seen under idempotency_key {own(known.request_key)}",
        )
    if key is None:
        if request.attempt != 1:
            return _refuse(
                command,
                "IDEMPOTENCY_CONFLICT",
                f"expected attempt 1 of a new key, was {request.attempt}",
            )
        return _look_up_signal(command)
    if key.fingerprint != request.fingerprint():
        return _refuse(
            command,
            "IDEMPOTENCY_CONFLICT",
            "expected the economic fields of the first request under this key, was others",
            key.request_id,
        )
    if request.attempt <= key.attempt or key.outcome not in RETRIABLE:
        return _refuse(command, "DUPLICATE_REQUEST", own(request.idempotency_key), key.request_id)
    if request.attempt > key.attempt + 1:
        return _refuse(
            command,
            "IDEMPOTENCY_CONFLICT",
            f"expected attempt {key.attempt + 1}, was {request.attempt}",
            key.request_id,
        )
    if known.request_key is not None:
        return _refuse(
            command,
            "IDEMPOTENCY_CONFLICT",
            f"expected a fresh request_id for attempt {request.attempt}, was one seen before",
            key.request_id,
        )
    return _look_up_signal(command)


def _look_up_signal(command: commands.Submit) -> events.DuplicateRefused | None:
    signal = command.known.signal
    if signal is None:
        return None
    return _refuse(
        command,
        "DUPLICATE_SIGNAL",
        own(signal.signal_id),
        command.known.signal_request_id or "",
        own(signal.idempotency_key),
    )


def _refuse(
    command: commands.Submit,
    code: str,
    observed: str,
    original_request_id: str = "",
    limit: str | None = None,
) -> events.DuplicateRefused:
    return events.DuplicateRefused(
        request=command.request,
        code=code,
        original_request_id=original_request_id,
        observed=observed,
        limit=limit,
        received_ns=command.received_ns,
        key_id=command.key_id,
    )


# Denial and approval ---------------------------------------------------------------------------


def _deny(  # noqa: PLR0917 - what was judged, by place
    order: Candidate,
    facts: Facts,
    command: commands.Submit,
    denials: Findings,
    warnings: Findings,
    verdicts: list[Verdict],
    book: Book,
) -> commands.Decision:
    request = command.request
    falls_back = command.leg < len(request.alternates) and all(
        finding.code in VENUE_STATE_CODES for finding in denials
    )
    denied = events.RequestDenied(
        request=request,
        leg=command.leg,
        findings=denials,
        warnings=warnings,
        verdicts=journaled(verdicts),
        facts=facts,
        falls_back=falls_back,
        received_ns=command.received_ns,
        key_id=command.key_id,
    )
    new_events: tuple[events.Event, ...] = (denied,)
    halt = _repeated_execution(order, denials, book)
    if halt is not None:
        new_events = (denied, halt)
    effects: tuple[commands.Effect, ...] = ()
    if falls_back:
        effects = (commands.TryAlternate(request, command.leg + 1, command.key_id),)
    return commands.Decision(new_events, effects)


def _repeated_execution(
    order: Candidate, denials: Findings, book: Book
) -> events.HaltRaised | None:
    """Return the halt that a repeated execution sets off; it stays until acknowledged."""
    source, scope = HaltSource.REPEATED_EXECUTION, f"strategy:{order.strategy}"
    if halt_name(source, scope) in book.halts:
        return None
    for finding in denials:
        if finding.code == "REPEATED_EXECUTION":
            return events.HaltRaised(
                source=source,
                scope=scope,
                state=TradingState.REDUCING,
                reason=f"repeated execution in market {order.market_key}",
                actor="arbees",
                receipt_id=f"repeated-{book.sequence + 2}",
            )
    return None


def _approve(  # noqa: PLR0917 - what was judged, by place
    order: Candidate,
    facts: Facts,
    command: commands.Submit,
    warnings: Findings,
    verdicts: list[Verdict],
    rules: commands.Rules,
) -> commands.Decision:
    request = command.request
    order_id = client_order_id(rules.account, rules.environment, request.idempotency_key)
    new_events: list[events.Event] = []
    if not order.is_known:
        # Only with the market safeguard switched off: what is sent must be in the book.
        new_events.append(events.MarketListed(listing=order.market.listing))
    if len(order.games) > 1 and own_game(order.market_key) not in order.games:
        new_events.append(events.GamesJoined(game=order.games[0], names=order.games[1:]))
    approved = events.OrderApproved(
        request=request,
        leg=command.leg,
        client_order_id=order_id,
        market_id=order.market_id,
        market_key=order.market_key,
        platform=order.platform,
        side=order.key_side,
        is_flipped=order.is_flipped,
        limit_price=order.limit_price,
        is_reducing=order.is_reducing,
        reserved=order.reserved,
        reference=order.reference,
        rates=order.rates,
        sport=order.sport,
        game_id=order.game_id,
        strategy=order.strategy,
        pool=order.market.listing.pool,
        warnings=warnings,
        verdicts=journaled(verdicts),
        facts=facts,
        received_ns=command.received_ns,
        key_id=command.key_id,
    )
    new_events.append(approved)
    send = commands.SendOrder(_seal(order, request, order_id, command.leg), request)
    return commands.Decision(tuple(new_events), (send,))


def _seal(order: Candidate, request: Request, order_id: str, leg: int) -> ApprovedOrder:
    return ApprovedOrder(
        _SEAL,
        order_id,
        request.request_id,
        leg,
        order.platform,
        order.market_id,
        order.market_key,
        order.side,
        order.action,
        order.quantity,
        order.limit_price,
        request.time_in_force,
        request.expires_ns,
        order.is_reducing,
    )


# All commands ----------------------------------------------------------------------------------


def decide(
    book: Book, facts: Facts, command: commands.Command, rules: commands.Rules
) -> commands.Decision:
    """
    Decide one command: what happened, and what to do once that is durable.

    Args:
        book: not changed.
        facts: what may be consulted besides the book, and the time.
        command: what is asked, or what a venue said.
        rules: the safeguards that are on, and constants of the account.

    Returns:
        Events with their index rows, and effects. Never raises for what a command says.
    """
    if isinstance(command, commands.Submit):
        return decide_request(book, facts, command, rules)
    word = _VENUE_WORDS.get(type(command))
    if word is not None:
        return word(book, command, rules, facts.now_ns)
    handler = _HANDLERS[type(command)]
    return handler(book, command, facts.now_ns)


def _record(_book: Book, command: commands.Record, _now_ns: int) -> commands.Decision:
    return commands.Decision(command.events)


def _move_cash(_book: Book, command: commands.MoveCash, now_ns: int) -> commands.Decision:
    event = events.CashMoved(
        platform=command.platform,
        amount=command.amount,
        reason=command.reason,
        actor=command.actor,
    )
    return _record(_book, commands.Record(events=(event,)), now_ns)


_VENUE_WORDS: dict[type, Callable[[Book, Any, commands.Rules, int], commands.Decision]] = {
    commands.TakeOutcome: executions.take_outcome,
    commands.TakeFill: executions.take_fill,
    commands.TakeReversal: executions.take_reversal,
    commands.TakeClosed: executions.take_closed,
    commands.TakeLookup: executions.take_lookup,
    commands.TakeVenueOrder: executions.take_venue_order,
    commands.TakeCancel: executions.take_cancel,
    commands.EndUnknown: executions.end_by_hand,
}
"""What a venue, or a person who looked there, says of an order; a contradiction is a break."""

_HANDLERS: dict[type, Callable[[Book, Any, int], commands.Decision]] = {
    commands.RequestCancel: lambda book, command, _now: control.request_cancel(book, command),
    commands.RaiseHalt: lambda book, command, _now: control.raise_halt(book, command),
    commands.LiftHalt: lambda book, command, _now: control.lift_halt(book, command),
    commands.ListMarket: lambda book, command, _now: control.list_market(book, command),
    commands.SettleMarket: lambda book, command, _now: control.settle_market(book, command),
    commands.ObserveBalance: lambda book, command, _now: control.observe_balance(book, command),
    commands.OpenDay: lambda book, command, _now: control.open_day(book, command),
    commands.MoveCash: _move_cash,
    commands.TakeComparison: lambda book, command, _now: reconciliation.take_comparison(
        book, command
    ),
    commands.TakeMovements: lambda book, command, _now: reconciliation.take_movements(
        book, command
    ),
    commands.AdoptBreak: lambda book, command, _now: reconciliation.adopt_break(book, command),
    commands.EndBreak: lambda book, command, _now: reconciliation.end_break(book, command),
    commands.CreateKey: lambda book, command, _now: control.create_key(book, command),
    commands.RevokeKey: lambda book, command, _now: control.revoke_key(book, command),
    commands.Record: _record,
}
