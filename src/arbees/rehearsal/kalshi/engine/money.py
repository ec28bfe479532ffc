"""Cash of the simulated Kalshi that moves without a trade, and what is put away in its archive.

Guarantees that each movement moves cash by exactly what it says, and that it is listed exactly
where Kalshi lists its kind: deposits, withdrawals and transfers have lists; interest, incentives
and corrections have none.
"""

from collections.abc import Callable

import msgspec

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.rules import ExchangeAccount, part_of

LIVE_NS = 14 * 86_400 * NS_PER_SECOND
"""Orders and fills older than this are in the archive alone."""


class Movement(msgspec.Struct, kw_only=True, frozen=True):
    """A movement of cash that has a list; amounts in micro-dollars."""

    kind: str
    """deposit, withdrawal, transfer (between shards), internal (between subaccounts)."""
    movement_id: str
    time_ns: int
    amount: int
    source: int = 0
    target: int = 0
    shard: int = 0


class Money:
    """What moves the cash of one user, besides trades."""

    def __init__(
        self,
        account: Callable[[str], ExchangeAccount],
        now_ns: Callable[[], int],
        new_id: Callable[[], str],
        user: str,
    ) -> None:
        """Move the cash of a user's accounts."""
        self._account = account
        self._now_ns = now_ns
        self._new_id = new_id
        self._user = user
        self.movements: list[Movement] = []

    def move(self, shard: int, amount: int, *, subaccount: int = 0) -> None:
        """Add to the cash of a shard, or take from it, without a word: interest, a correction."""
        cash = self._account(part_of(self._user, subaccount)).cash
        cash[shard] = cash.get(shard, 0) + amount

    def deposit(self, amount: int) -> None:
        """Let money come in, on shard 0; below nothing it is a withdrawal."""
        self.move(0, amount)
        self._note("deposit" if amount > 0 else "withdrawal", abs(amount))

    def transfer(self, source: int, target: int, amount: int, *, subaccount: int = 0) -> None:
        """Move money from shard to shard."""
        self.move(source, -amount, subaccount=subaccount)
        self.move(target, amount, subaccount=subaccount)
        self._note("transfer", amount, source, target)

    def lend(self, source: int, target: int, amount: int, *, shard: int = 0) -> None:
        """Move money from subaccount to subaccount, on a shard."""
        self.move(shard, -amount, subaccount=source)
        self.move(shard, amount, subaccount=target)
        self._note("internal", amount, source, target, shard)

    def _note(
        self, kind: str, amount: int, source: int = 0, target: int = 0, shard: int = 0
    ) -> None:
        self.movements.append(
            Movement(
                kind=kind,
                movement_id=self._new_id(),
                time_ns=self._now_ns(),
                amount=amount,
                source=source,
                target=target,
                shard=shard,
            )
        )

    def listed(self, kind: str) -> list[Movement]:
        """Return the movements of a kind, newest first."""
        return [each for each in reversed(self.movements) if each.kind == kind]


class Archive:
    """Since when orders and fills are live; what is older has calls of its own."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Archive what is two weeks old."""
        self._now_ns = now_ns
        self.set_ns: dict[str, int] = {}
        """Cutoffs that were set by hand, by `orders` and `fills`."""

    def before_ns(self, name: str) -> int:
        """Return before when orders, or fills, are in the archive alone."""
        return self.set_ns.get(name, self._now_ns() - LIVE_NS)


def returned(held: dict[str, int]) -> int:
    """
    Return what an event whose markets exclude each other gives back of its collateral.

    Of positions of No in several such markets at most one loses, so all but the largest are sure
    to be paid; Kalshi pays that at once (`MECNET`), and takes it back from what they bring.

    Args:
        held: positions of one account in the markets of the event.

    Returns:
        Micro-dollars.
    """
    against = [-quantity for quantity in held.values() if quantity < 0]
    return sum(against) - max(against, default=0)
