"""The gate: the last look before the first byte, in the same synchronous step as the write.

Guarantees that a halt is in force from its arrival, before it is journaled, and that nothing
approved before it leaves after it (P4). Lifting takes effect only once it is durable.
"""

import os
import stat
from collections.abc import Callable

import msgspec

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.open_order import Order
from arbees.core.deciding.control import subject_of
from arbees.core.deciding.outcomes import ApprovedOrder, Refusal
from arbees.core.language.words import TradingState


class KillFile:
    """The kill-switch file: trading halts while it exists; what cannot be read counts as there."""

    def __init__(self, path: str | None) -> None:
        """Watch a path; None = no file halts."""
        self.path = path

    def reason(self) -> str | None:
        """Return why the file halts, None if it does not."""
        if self.path is None:
            return None
        try:
            mode = os.lstat(self.path).st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"kill switch file {self.path} cannot be looked at: {error.strerror}"
        kind = "file" if stat.S_ISREG(mode) else "entry"
        return f"kill switch {kind} {self.path} exists"


class HaltInForce(msgspec.Struct, frozen=True):
    """A halt of one source for one scope, as the gate holds it."""

    state: TradingState
    reason: str
    since_ns: int
    actor: str = ""


Halts = dict[tuple[str, str, str], HaltInForce]
"""By source, scope, and the bound API key whose halt it is."""


class Gate:
    """Asked for each approved order right before its first byte."""

    def __init__(
        self,
        book: Book,
        kill_file: KillFile,
        now_ns: Callable[[], int],
        authority_until_ns: int | None,
    ) -> None:
        """Open, unless the book or the file says otherwise, or the authority has ended."""
        self._book = book
        self._kill_file = kill_file
        self._now_ns = now_ns
        self.pending: Halts = {}
        """Halts in force in memory that are not durable yet."""
        self._durable: Halts = {
            (halt.source, halt.scope, halt.owner): HaltInForce(
                halt.state, halt.reason, halt.since_ns, halt.actor
            )
            for halt in book.halts.values()
        }
        """Those that are: the book runs ahead, also with their ends."""
        self.closed: Refusal | None = None
        """Why nothing at all may leave any more: stopping, or the journal failed."""
        self._authority_until_ns = authority_until_ns

    def close(self, refusal: Refusal) -> None:
        """Let nothing leave any more, for good."""
        self.closed = refusal

    def halt(
        self,
        source: str,
        scope: str,
        state: TradingState,
        reason: str,
        *,
        owner: str = "",
        actor: str = "",
    ) -> HaltInForce:
        """Put a halt in force at once; a weaker one of the same source waits for the disk."""
        held = HaltInForce(state, reason, self._now_ns(), actor)
        known = self.pending.get((source, scope, owner))
        if known is None or state.rank >= known.state.rank:
            self.pending[source, scope, owner] = held
        return held

    def confirm(self, source: str, scope: str, owner: str, held: HaltInForce) -> None:
        """Take that the journal had a halt already, unless somebody halted anew meanwhile."""
        place = (source, scope, owner)
        durable = self._durable.get(place)
        is_covered = durable is not None and durable.state.rank >= held.state.rank
        if is_covered and self.pending.get(place) is held:
            del self.pending[place]

    def follow(self, event: events.Event, time_ns: int) -> None:
        """Take a durable event: a halt that the journal has, or the end of one."""
        if isinstance(event, events.HaltRaised):
            place = (event.source, event.scope, event.owner)
            held = HaltInForce(TradingState(event.state), event.reason, time_ns, event.actor)
            self._durable[place] = held
            pending = self.pending.get(place)
            if pending is not None and held.state.rank >= pending.state.rank:
                del self.pending[place]
        elif isinstance(event, events.HaltLifted):
            self._durable.pop((event.source, event.scope, event.owner), None)

    def in_force(self) -> Halts:
        """Return the halts in force, durable or not yet; the file's as it was journaled."""
        found = dict(self._durable)
        for place, pending in self.pending.items():
            known = found.get(place)
            if known is None or known.state.rank < pending.state.rank:
                found[place] = pending
        return found

    def check(self, approved: ApprovedOrder) -> Refusal | None:
        """Return why an order must not leave now; None lets it through."""
        if self.closed is not None:
            return self.closed
        order = self._book.orders.get(approved.client_order_id)
        if order is None:
            return Refusal(code="HALTED", message="the order is not open any more")
        refusal = self._halted(order)
        if refusal is not None:
            return refusal
        if order.cancel_reason is not None:
            message = f"its cancel was asked for before it was sent: {order.cancel_reason}"
            return Refusal(code="HALTED", message=message)
        now_ns = self._now_ns()
        if approved.expires_ns is not None and approved.expires_ns < now_ns:
            return Refusal(code="EXPIRED", message="expired before it could be sent")
        if (
            self._authority_until_ns is not None
            and self._authority_until_ns < now_ns
            and not order.is_reducing
        ):
            return Refusal(code="AUTHORIZATION_EXPIRED", message="authorization ended meanwhile")
        return None

    def _halted(self, order: Order) -> Refusal | None:
        state, why = TradingState.ACTIVE, ""
        reason = self._kill_file.reason()
        if reason is not None:
            state, why = TradingState.HALTED, reason
        subject = subject_of(order, self._book)
        for halts in (self.pending, self._durable):
            for (source, scope, _), held in halts.items():
                if held.state.rank > state.rank and self._book.covers(scope, subject):
                    state, why = held.state, f"{source}: {held.reason}"
        found, halt = self._book.state_for(subject)
        if halt is not None and found.rank > state.rank:
            state, why = found, f"{halt.source}: {halt.reason}"
        if state.rank >= TradingState.HALTED.rank:
            return Refusal(code="HALTED", message=f"Trading halted: {why}")
        if state is TradingState.REDUCING and not order.is_reducing:
            return Refusal(code="REDUCE_ONLY", message=f"Only reducing orders pass: {why}")
        return None
