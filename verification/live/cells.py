"""The cells of the fault matrix: which fault, to which call, when, and whether the process dies.

Guarantees that every combination is either a cell or named with the reason why it is none.
"""

import random
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from arbees.rehearsal.kalshi.engine.faults import READING, STANDING, FaultKind


class Operation(StrEnum):
    """What the gateway does meanwhile."""

    CREATE = "create"
    CANCEL = "cancel"
    BATCH = "batch cancel"
    MASS = "mass cancel"


class Moment(StrEnum):
    """When the fault begins."""

    BEFORE = "before send"
    AFTER = "after send"
    """The exchange has just taken the call; its answer has not left yet."""
    RECOVERY = "during recovery"
    """The answer was lost, and the gateway finds out what became of it."""


class Cell(msgspec.Struct, frozen=True):
    """One combination."""

    fault: FaultKind
    operation: Operation
    moment: Moment
    is_killed: bool

    @property
    def name(self) -> str:
        """All of it, in one line."""
        end = ", killed" if self.is_killed else ""
        return f"{self.fault} x {self.operation} x {self.moment}{end}"


CALLS = {
    Operation.CREATE: "create",
    Operation.CANCEL: "cancel",
    Operation.BATCH: "batch",
    Operation.MASS: "any",
}
"""The call of the exchange that a fault of a single call hits; a mass cancel has several routes."""
_SECONDS = {
    FaultKind.LATE: 0.6,
    FaultKind.HIDDEN: 20.0,
    FaultKind.READ_LAG: 5.0,
    FaultKind.CLOCK_SKEW: 45.0,
}
_COUNTS = {FaultKind.RATE_LIMITED: 12, FaultKind.CANCEL_YET_FILLED: 2}
_NO_CANCEL = "nothing is cancelled that could fill instead"
_NO_CALL = "no call fails of it: it is about what is believed meanwhile"
_NO_BATCH = "this call has no items that could fail apart"


def reason_against(cell: Cell) -> str | None:
    """Return why a combination is no cell; None = it is one."""
    if cell.fault in READING:
        return _NO_CALL
    if cell.fault is FaultKind.CANCEL_YET_FILLED and cell.operation is Operation.CREATE:
        return _NO_CANCEL
    if cell.fault is FaultKind.PARTIAL_BATCH and cell.operation in {
        Operation.CREATE,
        Operation.CANCEL,
    }:
        return _NO_BATCH
    is_over = cell.moment is Moment.AFTER and not cell.is_killed
    if is_over and cell.fault in {FaultKind.PARTIAL_BATCH, FaultKind.CANCEL_YET_FILLED}:
        return "the exchange has taken the cancels already, and they are not asked for again"
    return None


def combinations() -> Iterator[Cell]:
    """Yield all of them, those that are no cells too."""
    for fault in FaultKind:
        for operation in Operation:
            for moment in Moment:
                for is_killed in (False, True):
                    yield Cell(fault, operation, moment, is_killed)


def cells() -> list[Cell]:
    """Return those that make sense."""
    return [cell for cell in combinations() if reason_against(cell) is None]


def words_of(cell: Cell, draw: random.Random) -> dict[str, object]:
    """Return how the fault of a cell is set, but for its kind."""
    words: dict[str, object] = {}
    if cell.fault in _SECONDS:
        words["seconds"] = _SECONDS[cell.fault]
    if cell.fault in STANDING or cell.fault is FaultKind.STREAM_CLOSED:
        return words
    words["count"] = _COUNTS.get(cell.fault, draw.randint(1, 3))
    words["call"] = CALLS[cell.operation] if cell.moment is Moment.BEFORE else "any"
    if cell.fault is FaultKind.HIDDEN and cell.operation is not Operation.CREATE:
        words["call"] = "any"
    return words
