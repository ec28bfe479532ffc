"""The terms of the venues as the paper exchange charges and checks them."""

from msgspec.structs import replace

from arbees.venues.registry import VENUES

FINEST_TICK = 1_000
"""Of a market whose quotes name none: any price that some market of the venue has."""
TERMS = {each: replace(spec.terms, tick=FINEST_TICK) for each, spec in VENUES.items()}
ACCUMULATING = frozenset(each for each, spec in VENUES.items() if spec.is_fee_of_order)
"""Venues that round the fees of an order as a whole instead of each fill on its own."""
