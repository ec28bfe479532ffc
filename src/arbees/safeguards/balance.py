"""Denies orders that the balance does not cover, or whose balance is not known (R3).

Guarantees that what all open orders may take, fees included, is there: money that the figure of the
venue may not know yet is taken off it, and a figure that is too old is none.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book, Pool
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
from arbees.core.language.units import MICRO, NS_PER_SECOND

_REDUCING: tuple[Verdict, ...] = (
    Skipped("INSUFFICIENT_BALANCE", "reducing order"),
    Skipped("BALANCE_STALE", "reducing order"),
)
_NOTHING_KNOWN = Skipped("INSUFFICIENT_BALANCE", "no balance is known")
_REFRESHES = 3
"""A figure older than so many intervals is stale."""


class Balance(msgspec.Struct, frozen=True):
    """What must be available, and how fresh that figure must be."""

    name: ClassVar[str] = "balance"
    codes: ClassVar[tuple[str, ...]] = ("INSUFFICIENT_BALANCE", "BALANCE_STALE")

    balance_refresh_interval: Annotated[
        int,
        Setting(
            name="BALANCE_REFRESH_INTERVAL_SECS",
            kind=SettingKind.SECONDS,
            default="60",
            low="1",
            high="3600",
            doc="How often balances are asked for; after three of these a figure is stale.",
        ),
    ] = 60 * NS_PER_SECOND
    balance_buffer: Annotated[
        int,
        Setting(
            name="BALANCE_BUFFER",
            kind=SettingKind.RATIO,
            default="0.10",
            low="0",
            high="1",
            doc="Share of the cost kept for fees, where the worst fee is less.",
        ),
    ] = 100_000
    paper_balance: Annotated[
        int,
        Setting(
            name="PAPER_BALANCE",
            kind=SettingKind.DOLLARS,
            default="10000.0",
            low="0",
            high="1000000000",
            doc="What each venue's paper account begins with.",
        ),
    ] = 10_000 * MICRO
    balance_low_threshold: Annotated[
        int,
        Setting(
            name="BALANCE_LOW_THRESHOLD",
            kind=SettingKind.DOLLARS,
            default="100.0",
            low="0",
            high="1000000000",
            doc="Alert when less than this is available at a venue.",
        ),
    ] = 100 * MICRO

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Compare what the order may take with what is available for certain.

        A figure from the future is as useless as one that is as old.
        """
        if order.is_reducing:
            return _REDUCING
        limit = stale_after(self.balance_refresh_interval)
        pool = book.pools.get(pool_of(order))
        if pool is None:
            return _NOTHING_KNOWN, Deny("BALANCE_STALE", "unknown", limit)
        have, need = pool.available - pool.outside, order.reserved.cash
        age = age_of(pool, facts.balance_ns, facts.now_ns)
        return (
            Deny("INSUFFICIENT_BALANCE", need, have)
            if need > have
            else Pass("INSUFFICIENT_BALANCE", need, have, have - need),
            Deny("BALANCE_STALE", age, limit)
            if age > limit
            else Pass("BALANCE_STALE", age, limit, limit - age),
        )

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return what is reserved of each venue's figure and not provably inside it."""
        return tuple(
            Use(_scope(name, pool), "INSUFFICIENT_BALANCE", pool.outside, pool.available)
            for name, pool in book.pools.items()
        )


def _scope(name: str, pool: Pool) -> str:
    """Return the scope of a pool: its platform, where that has no other."""
    return f"platform:{pool.platform}" if name == pool.platform else f"pool:{name}"


def age_of(pool: Pool, balance_ns: int, now_ns: int) -> int:
    """
    Return how far the time of a venue's figure is from now, in nanoseconds.

    Args:
        pool: with the time of the figure that changed last.
        balance_ns: of the last figure, whether it changed or not.
        now_ns: now.
    """
    seen = pool.as_of_ns if pool.as_of_ns > balance_ns else balance_ns
    return abs(now_ns - seen)


def stale_after(refresh_interval: int) -> int:
    """Return the greatest age of a figure that is asked for at an interval."""
    return refresh_interval * _REFRESHES


def pool_of(order: Candidate) -> str:
    """Return the name of the pool of money that an order draws on: a venue's, or its shard's."""
    return order.market.listing.pool or order.platform
