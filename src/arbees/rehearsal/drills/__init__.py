"""Drills: one for each safeguard and one for the key, which prove it alive on this host.

Guarantees that a drill asks a gateway of its own, made of the same parts with the settings of now,
on the paper exchange and in recorded time: it touches nothing that is running. In each, only the
safeguard that is drilled can be in the way, so that an order at the limit reaches the exchange, and
one just above it is denied by that safeguard alone, with its code.
"""

from arbees.rehearsal.drills.run import (
    DRILLS,
    Drill,
    drill,
    drill_all,
)

__all__ = ["DRILLS", "Drill", "drill", "drill_all"]
