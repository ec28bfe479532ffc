"""Denies orders that are too large, in dollars or in contracts (R2).

Guarantees that no single order exceeds either cap, however it came about: a slipped decimal or a
model gone mad costs at most one order of the cap. An API key may have tighter caps of its own.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO

_REDUCING = Skipped("MAX_ORDER_SIZE", "reducing order")


class OrderSize(msgspec.Struct, frozen=True):
    """Caps of one order. A reducing order passes the dollars, not the contracts."""

    name: ClassVar[str] = "order_size"
    codes: ClassVar[tuple[str, ...]] = ("MAX_ORDER_SIZE", "MAX_ORDER_CONTRACTS")

    max_order_size: Annotated[
        int,
        Setting(
            name="MAX_ORDER_SIZE",
            kind=SettingKind.DOLLARS,
            default="100.0",
            low="0.01",
            high="1000000000",
            doc="Greatest notional of an order: limit price x quantity.",
        ),
    ] = 100 * MICRO
    max_order_contracts: Annotated[
        int,
        Setting(
            name="MAX_ORDER_CONTRACTS",
            kind=SettingKind.CONTRACTS,
            default="100",
            low="0.01",
            high="1000000000",
            doc="Greatest quantity of an order.",
        ),
    ] = 100 * MICRO

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare notional and quantity with the caps."""
        dollars, contracts = self.max_order_size, self.max_order_contracts
        notional, quantity = order.notional, order.quantity
        if order.api_key is not None:
            caps = order.api_key.caps
            dollars = _tighter(dollars, caps.max_order_size)
            contracts = _tighter(contracts, caps.max_order_contracts)
        if order.is_reducing:
            size: Verdict = _REDUCING
        elif notional > dollars:
            size = Deny("MAX_ORDER_SIZE", notional, dollars)
        else:
            size = Pass("MAX_ORDER_SIZE", notional, dollars, dollars - notional)
        if quantity > contracts:
            return size, Deny("MAX_ORDER_CONTRACTS", quantity, contracts)
        return size, Pass("MAX_ORDER_CONTRACTS", quantity, contracts, contracts - quantity)


def _tighter(limit: int, cap: int | None) -> int:
    """Return the smaller of the account's limit and a key's own."""
    return limit if cap is None or limit < cap else cap
