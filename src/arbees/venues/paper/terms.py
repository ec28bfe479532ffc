"""The terms of both venues as the paper exchange charges and checks them.

Guarantees one place for each number. Sources: Kalshi fee schedule (0.07 taker, no maker fee for
plain quadratic series) and fee rounding page ($0.0001 grid of direct members, kept in a per-order
accumulator); Polymarket fee schedule of sports (0.05 taker, 5 decimals, each match on its own).
"""

from arbees.core.book.market import Terms
from arbees.core.language.words import Platform

KALSHI = Terms(
    is_netting=True,
    taker_rate=70_000,
    maker_rate=0,
    fee_grid=100,
    tick=1_000,
    lot=10_000,
    names_event=True,
)
POLYMARKET = Terms(
    is_netting=False,
    taker_rate=50_000,
    maker_rate=0,
    fee_grid=10,
    tick=1_000,
    lot=10_000,
)
TERMS = {Platform.KALSHI: KALSHI, Platform.POLYMARKET: POLYMARKET}

ACCUMULATING = frozenset({Platform.KALSHI})
"""Venues that round the fees of an order as a whole instead of each fill on its own."""
