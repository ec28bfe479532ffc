"""Denies orders in a market whose record does not agree with the venue (R11).

Guarantees that nobody builds on a position, an order or a balance that is known to be wrong: until
the break is resolved, only reducing orders pass.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book, Break
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import NS_PER_SECOND

_AGREED: tuple[Verdict, ...] = (Pass("RECONCILIATION_BREAK"),)
_REDUCING: tuple[Verdict, ...] = (Skipped("RECONCILIATION_BREAK", "reducing order"),)

POLICIES = ("report", "freeze_market", "adopt", "halt")
KINDS = ("position", "missing_fill", "unknown_order", "foreign_order", "missing_order", "cash")
"""What may disagree."""
_HARMLESS = frozenset({"report", "adopt"})


class Policies(msgspec.Struct, frozen=True):
    """
    The table `[reconciliation.policy]`.

    Attributes:
        of: policies by kind of difference.
    """

    of: dict[str, str] = {}

    @classmethod
    def parse(cls, table: Mapping[str, object]) -> "Policies":
        """
        Read the table of arbees.toml.

        Raises:
            ValueError: which entry, what was expected, what came.
        """
        found: dict[str, str] = {}
        for kind, policy in table.items():
            place = f"reconciliation.policy.{kind}"
            if kind not in KINDS:
                raise ValueError(f"{place}: Expected one of {', '.join(KINDS)}, was {kind!r}")
            if policy not in POLICIES:
                raise ValueError(f"{place}: Expected one of {', '.join(POLICIES)}, was {policy!r}")
            found[kind] = str(policy)
        return cls(found)


NO_POLICIES = Policies()


class Reconciliation(msgspec.Struct, frozen=True):
    """How often the venue's word is compared with ours, and what a difference does."""

    name: ClassVar[str] = "reconciliation"
    codes: ClassVar[tuple[str, ...]] = ("RECONCILIATION_BREAK",)

    reconcile_interval: Annotated[
        int,
        Setting(
            name="RECONCILE_INTERVAL_SECS",
            kind=SettingKind.SECONDS,
            default="3600",
            low="1",
            high="86400",
            doc="How often positions, orders, fills and cash are compared with the venue's.",
        ),
    ] = 3_600 * NS_PER_SECOND
    reconcile_policy: Annotated[
        str,
        Setting(
            name="RECONCILE_POLICY",
            kind=SettingKind.CHOICE,
            choices=POLICIES,
            default="freeze_market",
            doc="What a difference does, unless its kind has a policy of its own.",
        ),
    ] = "freeze_market"
    policies: Annotated[
        Policies,
        Setting(
            name="reconciliation.policy",
            kind=SettingKind.TABLE,
            doc='Policies of single kinds of differences, such as `cash = "halt"`.',
        ),
    ] = NO_POLICIES

    def policy_of(self, kind: str) -> str:
        """Return what a difference of a kind does."""
        return self.policies.of.get(kind, self.reconcile_policy)

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Look for open breaks of the order's market, and for those of its whole venue.

        A break of cash freezes what draws on that pool alone; one that names neither market nor
        pool freezes every market of its venue.
        """
        if order.is_reducing:
            return _REDUCING
        kinds = order.market.break_kinds
        if not kinds and not book.breaks:
            return _AGREED
        found = set(kinds)
        found.update(each.kind for each in book.breaks.values() if _freezes(each, order))
        if not found:
            return _AGREED
        return (Deny("RECONCILIATION_BREAK", ", ".join(sorted(found))),)


def _freezes(each: Break, order: Candidate) -> bool:
    if each.platform != order.platform or each.policy in _HARMLESS:
        return False
    if each.pool:
        return each.pool == (order.market.listing.pool or order.platform)
    return each.market_key is None or each.market_key == order.market_key
