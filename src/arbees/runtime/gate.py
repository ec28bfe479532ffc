"""The gate: the last look before the first byte, in the same synchronous step as the write.

Guarantees that a halt is in force from its arrival, before it is journaled, and that nothing
approved before it leaves after it (P4). Lifting takes effect only once it is durable.
"""

import os
import stat
from collections.abc import Callable

from arbees.core.book import Book
from arbees.core.control import subject_of
from arbees.core.order import Order
from arbees.core.outcomes import ApprovedOrder, Refusal
from arbees.core.words import TradingState


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


class Gate:
    """Asked for each approved order right before its first byte."""

    def __init__(self, book: Book, kill_file: KillFile, now_ns: Callable[[], int]) -> None:
        """Open, unless the book or the file says otherwise."""
        self._book = book
        self._kill_file = kill_file
        self._now_ns = now_ns
        self.pending: dict[tuple[str, str], tuple[TradingState, str]] = {}
        """Halts in force in memory that are not in the book yet: (source, scope) -> state, why."""
        self.closed: Refusal | None = None
        """Set when nothing at all may leave any more: stopping, or the journal failed."""
        self.authority_until_ns: int | None = None

    def halt(self, source: str, scope: str, state: TradingState, reason: str) -> None:
        """Put a halt in force at once."""
        self.pending[source, scope] = (state, reason)

    def settled(self, source: str, scope: str) -> None:
        """Forget a pending halt: the book has it, or it failed to get there and stays poisoned."""
        self.pending.pop((source, scope), None)

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
        now_ns = self._now_ns()
        if approved.expires_ns is not None and approved.expires_ns < now_ns:
            return Refusal(code="EXPIRED", message="expired before it could be sent")
        if (
            self.authority_until_ns is not None
            and self.authority_until_ns < now_ns
            and not order.is_reducing
        ):
            return Refusal(code="AUTHORIZATION_EXPIRED", message="authorization ended meanwhile")
        return None

    def _halted(self, order: Order) -> Refusal | None:
        state, why = TradingState.ACTIVE, ""
        reason = self._kill_file.reason()
        if reason is not None:
            state, why = TradingState.HALTED, reason
        subject = subject_of(order)
        for (_, scope), (pending, text) in self.pending.items():
            if pending.rank > state.rank and subject.is_in(scope):
                state, why = pending, text
        found, halt = self._book.state_for(subject)
        if halt is not None and found.rank > state.rank:
            state, why = found, f"{halt.source}: {halt.reason}"
        if state.rank >= TradingState.HALTED.rank:
            return Refusal(code="HALTED", message=f"Trading halted: {why}")
        if state is TradingState.REDUCING and not order.is_reducing:
            return Refusal(code="REDUCE_ONLY", message=f"Only reducing orders pass: {why}")
        return None
