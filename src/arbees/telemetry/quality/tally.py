"""Sums of execution quality: what is counted of one group of requests, and how it reads.

Guarantees that sums are exact integers, that two tallies add up to the same as one that saw
everything, and that a rate is rounded against us, null where there is nothing to divide by.
"""

from collections import Counter
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from arbees.core.language.units import (
    MICRO,
    div_ceil,
    ratio_floor,
    to_decimal,
)
from arbees.interface.measures import (
    CodeCount,
    DenialCount,
    QualityRow,
    RejectCount,
    SlippageView,
)
from arbees.telemetry.quality.latencies import Latencies

N = TypeVar("N", str, tuple[str, str])


class OrderOutcome(StrEnum):
    """What became of an order; each approved one is in exactly one of them."""

    OPEN = "open"
    STOPPED = "stopped"
    NOT_SENT = "not_sent"
    REJECTED = "rejected"
    FILLED = "filled"
    PARTIAL = "partial"
    UNFILLED = "unfilled"


class Stage(StrEnum):
    """What is timed, from record to record."""

    DECIDE = "decide"
    """From the arrival of a request to its decision."""
    ACKNOWLEDGE = "acknowledge"
    """From the decision to the venue's acknowledgement."""
    FIRST_FILL = "first_fill"
    """From the decision to the first fill."""
    FINAL = "final"
    """From the arrival of a request to the end of its order, or its denial."""


class Slippage:
    """Fills against a reference price; sums in millionths of a micro-dollar, > 0 = worse."""

    __slots__ = ("quantity", "value")

    def __init__(self) -> None:
        """Begin without fills."""
        self.quantity = 0
        self.value = 0

    def add(self, quantity: int, value: int) -> None:
        """Take a fill: micro-contracts, and by how much it was worse than the reference."""
        self.quantity += quantity
        self.value += value

    def view(self) -> SlippageView:
        """Return it for people and programs."""
        per = div_ceil(self.value, self.quantity) if self.quantity else None
        return SlippageView(
            contracts=to_decimal(self.quantity),
            dollars=to_decimal(div_ceil(self.value, MICRO)),
            per_contract=None if per is None else to_decimal(per),
        )


_SUMS = (
    "requests",
    "duplicates",
    "denied",
    "approved",
    "unknown",
    "placed",
    "fills",
    "placed_quantity",
    "filled_quantity",
    "placed_with_fill",
    "value",
    "fees",
)


class Tally:
    """What is counted of one group."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.requests = 0
        self.duplicates = 0
        self.denied = 0
        self.approved = 0
        self.unknown = 0
        self.placed = 0
        self.fills = 0
        self.placed_quantity = 0
        self.filled_quantity = 0
        self.placed_with_fill = 0
        self.value = 0
        """Of the fills, in millionths of a micro-dollar."""
        self.fees = 0
        self.outcomes: Counter[OrderOutcome] = Counter()
        self.denials: Counter[str] = Counter()
        self.headlines: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.rejects: Counter[tuple[str, str]] = Counter()
        self.against_limit = Slippage()
        self.against_quote = Slippage()
        self.stages: dict[Stage, Latencies] = {stage: Latencies() for stage in Stage}

    def merge(self, other: "Tally") -> None:
        """Add all that another one counted."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.outcomes.update(other.outcomes)
        self.denials.update(other.denials)
        self.headlines.update(other.headlines)
        self.codes.update(other.codes)
        self.rejects.update(other.rejects)
        self.against_limit.add(other.against_limit.quantity, other.against_limit.value)
        self.against_quote.add(other.against_quote.quantity, other.against_quote.value)
        for stage, times in other.stages.items():
            self.stages[stage].merge(times)

    def row(self, name: str = "") -> QualityRow:
        """Return it for people and programs."""
        outcomes = self.outcomes
        return QualityRow(
            name=name,
            requests=self.requests,
            duplicates=self.duplicates,
            denied=self.denied,
            approved=self.approved,
            stopped=outcomes[OrderOutcome.STOPPED],
            not_sent=outcomes[OrderOutcome.NOT_SENT],
            rejected=outcomes[OrderOutcome.REJECTED],
            filled=outcomes[OrderOutcome.FILLED],
            partial=outcomes[OrderOutcome.PARTIAL],
            unfilled=outcomes[OrderOutcome.UNFILLED],
            open=outcomes[OrderOutcome.OPEN],
            unknown=self.unknown,
            placed=self.placed,
            fills=self.fills,
            placed_qty=to_decimal(self.placed_quantity),
            filled_qty=to_decimal(self.filled_quantity),
            volume=to_decimal(div_ceil(self.value, MICRO)),
            fees=to_decimal(self.fees),
            fill_rate=_rate(self.filled_quantity, self.placed_quantity),
            order_fill_rate=_rate(self.placed_with_fill, self.placed),
            slippage_limit=self.against_limit.view(),
            slippage_quote=self.against_quote.view(),
            latency=tuple(times.view(stage) for stage, times in self.stages.items()),
            denials=tuple(
                DenialCount(safeguard=name, count=count, headlines=self.headlines[name])
                for name, count in _most_first(self.denials)
            ),
            codes=tuple(CodeCount(code=name, count=n) for name, n in _most_first(self.codes)),
            rejects=tuple(
                RejectCount(platform=platform, venue_code=code, count=count)
                for (platform, code), count in _most_first(self.rejects)
            ),
        )


def _rate(part: int, whole: int) -> Decimal | None:
    return to_decimal(ratio_floor(part, whole)) if whole else None


def _most_first(counts: Counter[N]) -> list[tuple[N, int]]:
    found = [(name, count) for name, count in counts.items() if count]
    return sorted(found, key=lambda each: (-each[1], each[0]))
