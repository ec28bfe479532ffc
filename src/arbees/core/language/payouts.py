"""What contracts of a settled market pay, by outcome: never a winning side alone.

Guarantees that ties, voids and scalar results are numbers like any other, and that what a market
paid in all is worked out from the whole of what was settled: in however many steps it was booked,
no micro-dollar is lost to rounding.
"""

import msgspec

from arbees.core.language.units import MICRO, mul_floor
from arbees.core.language.words import Side


class Payouts(msgspec.Struct, frozen=True):
    """What a contract of each outcome pays, in micro-dollars; together maybe no whole dollar."""

    yes: int
    no: int

    def of(self, side: Side) -> int:
        """Return what a contract of a side pays."""
        return self.yes if side is Side.YES else self.no

    def value(self, yes_quantity: int, no_quantity: int) -> int:
        """Return what quantities in micro-contracts are paid, in micro-dollars rounded down."""
        return mul_floor(self.yes, yes_quantity) + mul_floor(self.no, no_quantity)

    @property
    def flipped(self) -> "Payouts":
        """The same with the outcomes named the other way round."""
        return Payouts(self.no, self.yes)

    @property
    def winner(self) -> Side | None:
        """The side that took the whole dollar; None = neither did."""
        return {(MICRO, 0): Side.YES, (0, MICRO): Side.NO}.get((self.yes, self.no))

    def describe(self) -> str:
        """Return the payouts for people: `Yes`, `No`, or both in millionths as `500000/500000`."""
        winner = self.winner
        return f"{self.yes}/{self.no}" if winner is None else winner.value

    @classmethod
    def parse(cls, text: str) -> "Payouts":
        """Read what `describe` wrote. Raises ValueError."""
        if text in set(Side):
            return won_by(Side(text))
        yes, _, no = text.partition("/")
        return cls(int(yes), int(no))


YES_WON = Payouts(MICRO, 0)
NO_WON = Payouts(0, MICRO)


def won_by(side: Side) -> Payouts:
    """Return the payouts of a market that one side won."""
    return YES_WON if side is Side.YES else NO_WON


def payout_of_yes(value: int) -> Payouts:
    """Return the payouts where Yes pays a value and No the rest of the dollar."""
    return Payouts(value, MICRO - value)
