"""Denies a strategy that enters and leaves a market again and again (RTS 6 article 15(3)).

Guarantees that a loop which buys high and sells low ends by itself after so many rounds, and begins
again only when a person says so: a denial sets off a halt of the strategy, and that halt denies.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import (
    HOUR_NS,
    Book,
    Cycle,
    Subject,
    count_within,
    cycle_name,
)
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Use,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.words import HaltSource

_REDUCING: tuple[Verdict, ...] = (Skipped("REPEATED_EXECUTION", "reducing order"),)


class RepeatedExecution(msgspec.Struct, frozen=True):
    """Cap of the cycles of one strategy in one market within an hour."""

    name: ClassVar[str] = "repeated_execution"
    codes: ClassVar[tuple[str, ...]] = ("REPEATED_EXECUTION",)

    max_repeated_executions: Annotated[
        int,
        Setting(
            name="MAX_REPEATED_EXECUTIONS",
            kind=SettingKind.COUNT,
            default="10",
            low="1",
            high="1000000",
            doc="Greatest number of cycles (enter, leave, enter again) of a strategy in a market "
            "within an hour.",
        ),
    ] = 10

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Count the cycles within the last hour, the one that this order may complete included.

        A cycle begins when a fill takes the strategy from flat into the market, and is complete
        when another one does so again. The first entry completes none.
        """
        if order.is_reducing:
            return _REDUCING
        cycle = book.cycles.get(cycle_name(order.strategy, order.market_key))
        cycles = 0 if cycle is None else _completed(cycle, facts.now_ns)
        maximum = self.max_repeated_executions
        if cycles > maximum or (book.halts and _is_latched(book, order.subject)):
            return (Deny("REPEATED_EXECUTION", cycles, maximum),)
        return (Pass("REPEATED_EXECUTION", cycles, maximum, maximum - cycles),)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the cycles of each strategy in each market, the next entry included."""
        return tuple(
            Use(
                f"strategy:{cycle.strategy} market:{cycle.market_key}",
                "REPEATED_EXECUTION",
                cycles,
                self.max_repeated_executions,
            )
            for cycle in book.cycles.values()
            if (cycles := _completed(cycle, facts.now_ns))
        )


def _completed(cycle: Cycle, now_ns: int) -> int:
    """Count the cycles within the last hour that the next entry completes."""
    cycles = count_within(cycle.entries, now_ns, HOUR_NS)
    return cycles - 1 if cycle.quantity and cycles else cycles


def _is_latched(book: Book, subject: Subject) -> bool:
    """Tell whether an earlier denial's halt still stands."""
    return any(
        halt.source == HaltSource.REPEATED_EXECUTION and subject.is_in(halt.scope)
        for halt in book.halts.values()
    )
