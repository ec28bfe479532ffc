"""Facts: what a decision consults besides the book; volatile, and copied into its event.

A decision gets exactly these and its event keeps exactly these, so that it can be understood and
made again without market data.
"""

import msgspec


class Touch(msgspec.Struct, frozen=True, omit_defaults=True):
    """The best prices of a market's Yes side, and when they were quoted. None = that side empty."""

    ts_ns: int
    bid: int | None = None
    ask: int | None = None

    @property
    def is_crossed(self) -> bool:
        """Whether it is crossed or locked, which is no quote."""
        return self.bid is not None and self.ask is not None and self.bid >= self.ask


class VenueHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """State of a venue as its monitor sees it."""

    is_open: bool = True
    """The breaker lets orders through."""
    reason: str | None = None
    """Why not, or what restricts it: breaker, post_only, cancel_only, re_arm, read_only."""
    until_ns: int | None = None
    """When that lifts, if it is known."""
    is_heartbeat_late: bool = False
    is_blind: bool = False
    """Our own stream of orders and fills is not trusted."""
    is_paused: bool = False
    """The venue's trading pause, by its own word or by its calendar; not on paper."""
    blind_reason: str | None = None
    """Why not, where that is known."""
    is_sendable: bool = True
    """Whether anything can be sent at all; where it can, what reduces passes."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything volatile that the safeguards may consult for one order."""

    now_ns: int
    touch: Touch | None = None
    """None = no quote was ever seen for this market."""
    venue: VenueHealth = VenueHealth()
    unrealized: int = 0
    """Marks less cost over all positions, in micro-dollars."""
    marks_ns: int | None = None
    """When what is held was marked, the oldest of it; 0 = some of it not since the start."""
    has_own_books: bool = False
    """Quotes are the venue's own books, also where paper stands in for it; else they are fed."""
    market_ns: int | None = None
    """As of when the venue's word on the market is; None = it is fed, 0 = not since the start."""
    balance_ns: int = 0
    """The venue's own time of its last figure of our balance, whether it changed or not."""
    clock_offset_ns: int = 0
    """Our clock less the venue's."""
