"""Denies orders that a halt covers (R5).

Guarantees that the strictest halt of any source decides, and that its source, scope and reason are
told. Halts of `repeated_execution` are that safeguard's own, since reducing orders pass it. Files,
Redis and the other sources are watched by the runtime; here halts are what the journal says.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book, Halt
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.words import HaltSource, TradingState

_NOT_HALTED = Pass("HALTED")
_NOT_REDUCED = Pass("REDUCE_ONLY")
_REDUCING = Skipped("REDUCE_ONLY", "reducing order")
_FREE: tuple[Verdict, ...] = (_NOT_HALTED, _NOT_REDUCED)


class KillSwitch(msgspec.Struct, frozen=True):
    """The emergency stop."""

    name: ClassVar[str] = "kill_switch"
    codes: ClassVar[tuple[str, ...]] = ("HALTED", "REDUCE_ONLY")

    kill_switch_file: Annotated[
        str,
        Setting(
            name="KILL_SWITCH_FILE",
            kind=SettingKind.PATH,
            default="/tmp/arbees_kill_switch",  # noqa: S108 - the requirements' own path
            doc="Trading is halted while this file exists or cannot be looked at.",
        ),
    ] = "/tmp/arbees_kill_switch"  # noqa: S108 - the requirements' own path
    redis_down_policy: Annotated[
        str,
        Setting(
            name="REDIS_DOWN_POLICY",
            kind=SettingKind.CHOICE,
            choices=("continue", "reduce", "halt"),
            default="continue",
            doc="What to do while the kill switch in Redis cannot be heard.",
        ),
    ] = "continue"

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Deny what a halt covers; while reducing, deny what adds risk."""
        if not book.halts:
            return _FREE
        halted: Halt | None = None
        reduced: Halt | None = None
        for halt in book.halts.values():
            if (
                halt.source == HaltSource.REPEATED_EXECUTION
                or halt.state is TradingState.ACTIVE
                or not book.covers(halt.scope, order.subject)
            ):
                continue
            if halt.state is TradingState.REDUCING:
                reduced = reduced or halt
            elif halted is None or halt.state.rank > halted.state.rank:
                halted = halt
        return (
            _NOT_HALTED if halted is None else Deny("HALTED", _observed(halted)),
            _NOT_REDUCED if reduced is None else _judge(order, reduced),
        )


def _judge(order: Candidate, halt: Halt) -> Verdict:
    return _REDUCING if order.is_reducing else Deny("REDUCE_ONLY", _observed(halt))


def _observed(halt: Halt) -> str:
    state = "read only, " if halt.state is TradingState.READ_ONLY else ""
    return f"{state}{halt.source} for {halt.scope}: {halt.reason}"
