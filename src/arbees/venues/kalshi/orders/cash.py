"""Cash at Kalshi: what each shard has, what resting orders tie up of it, and what moved it.

Guarantees that a figure is as of Kalshi's own mark, that what rests is counted from the list of
resting orders (Kalshi tells the sum to few accounts, and it would count what no list shows), and
that it is given only where the list was the same before and after the figure. What Kalshi holds
for the fee of a resting order is not documented: that is `uncertain`. Fails by `VenueError`.
"""

import contextlib
from collections.abc import Callable

import msgspec

from arbees.core.deciding.outcomes import CashMovement, PoolBalance
from arbees.core.language.units import (
    MICRO,
    NS_PER_SECOND,
    div_ceil,
    mul_ceil,
    whole_seconds,
)
from arbees.core.language.words import Platform, Side
from arbees.core.ports import Clock
from arbees.errors import VenueOutcomeUnknown, VenueRefused
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import KalshiApi
from arbees.venues.kalshi.connection.signing import VenueClock
from arbees.venues.kalshi.markets.markets import pool_name
from arbees.venues.kalshi.orders.portfolio import Portfolio

BALANCE = "/portfolio/balance"
SHARDS = (0, 1, 2, 3)
FEE_RATE = 70_000
"""The most that a taker pays: 0.07 x C x P x (1 - P)."""
_APPLIED = "applied"


class TiedUpCash(msgspec.Struct, frozen=True):
    """What resting orders tie up of the cash of a shard: at least, and how much more it may be."""

    least: int = 0
    uncertain: int = 0


NOTHING_HELD = TiedUpCash()


class Cash:
    """The money of one subaccount."""

    def __init__(
        self,
        api: KalshiApi,
        portfolio: Portfolio,
        *,
        clock: Clock,
        venue_clock: VenueClock,
        shard_of: Callable[[str], int | None],
    ) -> None:
        """
        Hold what a look needs.

        Args:
            api: makes the calls.
            portfolio: the lists.
            clock: ours.
            venue_clock: the venue's.
            shard_of: the shard of a ticker; None = not known.
        """
        self._api = api
        self.portfolio = portfolio
        self._clock = clock
        self._venue_clock = venue_clock
        self._shard_of = shard_of

    async def balances(self) -> tuple[PoolBalance, ...]:
        """Return the cash of each shard, as of Kalshi's own mark before. Raises VenueError."""
        as_of_ns = await self._as_of_ns()
        before = await self._resting()
        answer = await self._api.get(BALANCE, shapes.BalanceAnswer)
        parts = await self._parts(answer)
        if not parts:
            return (self._whole(answer, as_of_ns),)
        held = await self._counted(before)
        return tuple(
            PoolBalance(
                platform=Platform.KALSHI,
                pool=pool_name(shard) or Platform.KALSHI,
                available=available,
                as_of_ns=as_of_ns,
                total=None if (ties := (held or {}).get(shard)) is None else available + ties.least,
                uncertain=0 if ties is None else ties.uncertain,
                is_moving=ties is None and held is not None,
            )
            for shard, available in parts.items()
        )

    async def _parts(self, answer: shapes.BalanceAnswer) -> dict[int, int]:
        """Return the cash of each shard; nothing where Kalshi does not tell it by shard."""
        if answer.balance_breakdown:
            return {
                each.exchange_index: shapes.micro("balance_breakdown", each.balance)
                for each in answer.balance_breakdown
            }
        # A key that is locked to a subaccount is told no breakdown, but each shard by itself.
        parts: dict[int, int] = {}
        for shard in SHARDS:
            try:
                part = await self._api.get(BALANCE, shapes.BalanceAnswer, {"exchange_index": shard})
            except VenueRefused:
                return {}
            parts[shard] = _available(part)
        return parts if sum(parts.values()) == _available(answer) else {}

    def _whole(self, answer: shapes.BalanceAnswer, as_of_ns: int) -> PoolBalance:
        return PoolBalance(
            platform=Platform.KALSHI,
            pool=Platform.KALSHI,
            available=_available(answer),
            as_of_ns=as_of_ns,
        )

    async def _as_of_ns(self) -> int:
        """
        Return the moment before which everything is inside what is read from now on.

        Reads lag, and what is compared with it is told in our time (answers) or in Kalshi's
        (fills): the earlier of both is it.
        """
        asked_ns = self._clock.now_ns()
        fresh_ns = await self._api.freshness()
        offset_ns = self._venue_clock.offset_ns or 0
        return min(asked_ns, fresh_ns, fresh_ns + offset_ns)

    # What rests --------------------------------------------------------------------------------

    async def _resting(self) -> dict[str, shapes.KalshiOrderRow] | None:
        """Return the resting orders by id, whoever placed them; None = one cannot be read."""
        rows = await self.portfolio.orders({"status": "resting"})
        return None if rows.unread else {each.order_id: each for each in rows.read}

    async def _counted(
        self, before: dict[str, shapes.KalshiOrderRow] | None
    ) -> dict[int, TiedUpCash] | None:
        """
        Return what resting orders tie up, by shard; a shard where they changed is left out.

        None = one of them cannot be read.
        """
        if before is None:
            return None
        positions = await self._positions() if before else {}
        after = await self._resting()
        if after is None:
            return None
        held, moved = dict.fromkeys(SHARDS, NOTHING_HELD), set[int | None]()
        for name in before.keys() ^ after.keys():
            moved.add(self._shard(before.get(name) or after[name]))
        left = dict(positions)
        for name, row in before.items():
            if name not in after:
                continue
            shard = self._shard(row)
            if shard is None or _size(row) != _size(after[name]):
                moved.add(shard)
                continue
            ties, known = ties_of(row, positions, left), held.get(shard, NOTHING_HELD)
            held[shard] = TiedUpCash(known.least + ties.least, known.uncertain + ties.uncertain)
        if None in moved:
            return {}
        return {shard: ties for shard, ties in held.items() if shard not in moved}

    async def _positions(self) -> dict[str, int]:
        rows = await self.portfolio.positions({"settlement_status": "unsettled"})
        if rows.unread:
            raise VenueOutcomeUnknown("Kalshi's list of positions has a row that cannot be read")
        return {each.ticker: shapes.micro("position_fp", each.position_fp) for each in rows.read}

    def _shard(self, row: shapes.KalshiOrderRow) -> int | None:
        if row.exchange_index is not None:
            return row.exchange_index
        return self._shard_of(row.ticker)

    # What moved it -----------------------------------------------------------------------------

    async def movements(self, since_ns: int) -> tuple[CashMovement, ...]:
        """
        Return what moved cash other than fills and payouts since a moment, by Kalshi's own lists.

        Interest and incentives have no list. Raises VenueError.
        """
        found = [*await self._transfers()]
        if self._api.subaccount == 0:
            found += await self._deposits("deposits", 1)
            found += await self._deposits("withdrawals", -1)
        found += await self._between_subaccounts()
        found += await self._settlement_fees(since_ns)
        return tuple(each for each in found if each.time_ns >= since_ns)

    async def _deposits(self, name: str, sign: int) -> list[CashMovement]:
        rows = await self.portfolio.movements(f"/portfolio/{name}", name, shapes.Deposit)
        return [
            _moved(
                f"{name}:{row.id}",
                name.removesuffix("s"),
                0,
                # What arrives is the amount less the fee; what leaves is both.
                sign * row.amount_cents * shapes.CENT - row.fee_cents * shapes.CENT,
                row.finalized_ts or row.created_ts,
            )
            for row in rows
            if row.status == _APPLIED
        ]

    async def _transfers(self) -> list[CashMovement]:
        rows = await self.portfolio.movements(
            "/portfolio/intra_exchange_instance_transfers", "transfers", shapes.ShardTransfer
        )
        found: list[CashMovement] = []
        for row in rows:
            amount = shapes.micro("amount", row.amount)
            source, target = row.source_exchange_shard, row.destination_exchange_shard
            name = f"transfer:{row.transfer_id}"
            found.append(_moved(f"{name}:out", "transfer", source, -amount, row.created_ts))
            if row.status == "complete":
                found.append(_moved(f"{name}:in", "transfer", target, amount, row.created_ts))
        return found

    async def _settlement_fees(self, since_ns: int) -> list[CashMovement]:
        """Return the fees of what was settled; a row that cannot be read explains nothing."""
        query = {"min_ts": whole_seconds(max(0, since_ns))}
        rows = await self.portfolio.movements(
            "/portfolio/settlements", "settlements", shapes.SettlementRow, query
        )
        found: list[CashMovement] = []
        for row in rows:
            with contextlib.suppress(VenueOutcomeUnknown):
                fee = shapes.micro("fee_cost", row.fee_cost)
                settled_ns = shapes.moment("settled_time", row.settled_time)
                shard = row.exchange_index
                if shard is None:
                    shard = self._shard_of(row.ticker)
                if fee <= 0 or not settled_ns or shard is None:
                    continue
                found.append(
                    CashMovement(
                        platform=Platform.KALSHI,
                        pool=pool_name(shard) or Platform.KALSHI,
                        amount=-fee,
                        kind="settlement_fee",
                        movement_id=f"settlement_fee:{row.ticker}:{settled_ns}",
                        time_ns=settled_ns,
                        market_id=row.ticker,
                    )
                )
        return found

    async def _between_subaccounts(self) -> list[CashMovement]:
        rows = await self.portfolio.movements(
            "/portfolio/subaccounts/transfers", "transfers", shapes.SubaccountTransfer
        )
        found: list[CashMovement] = []
        for row in rows:
            amount, ours = row.amount_cents * shapes.CENT, self._api.subaccount
            sign = (row.to_subaccount == ours) - (row.from_subaccount == ours)
            if sign:
                name = f"subaccount:{row.transfer_id}"
                found.append(
                    _moved(name, "subaccount", row.exchange_index, sign * amount, row.created_ts)
                )
        return found


def ties_of(
    row: shapes.KalshiOrderRow, positions: dict[str, int], left: dict[str, int]
) -> TiedUpCash:
    """
    Return what a resting order ties up: what it would open, at its own price.

    Args:
        row: the order.
        positions: contracts held, by ticker; > 0 = Yes.
        left: the same, less what orders before this one close; it takes its part. Whether two
            orders may close the same contracts is not documented: that, and the fee, is uncertain.
    """
    remaining = shapes.count("remaining_count_fp", row.remaining_count_fp)
    price = shapes.price("yes_price_dollars", row.yes_price_dollars)
    is_bid = shapes.bought(row.book_side, row.outcome_side) is Side.YES
    pays = price if is_bid else MICRO - price
    sign = -1 if is_bid else 1
    closable = max(0, sign * positions.get(row.ticker, 0))
    closes = min(remaining, max(0, sign * left.get(row.ticker, 0)))
    left[row.ticker] = left.get(row.ticker, 0) - sign * closes
    least = mul_ceil(pays, max(0, remaining - closable))
    fee = div_ceil(FEE_RATE * remaining * price * (MICRO - price), MICRO**3)
    most = mul_ceil(pays, remaining - closes) + div_ceil(fee, shapes.CENT) * shapes.CENT
    return TiedUpCash(least, most - least)


def _size(row: shapes.KalshiOrderRow) -> tuple[str, str]:
    return row.remaining_count_fp, row.yes_price_dollars


def _available(answer: shapes.BalanceAnswer) -> int:
    if answer.balance_dollars is not None:
        return shapes.micro("balance_dollars", answer.balance_dollars)
    return shapes.plausible("balance", answer.balance * shapes.CENT)


def _moved(name: str, kind: str, shard: int, amount: int, seconds: int) -> CashMovement:
    return CashMovement(
        platform=Platform.KALSHI,
        pool=pool_name(shard) or Platform.KALSHI,
        amount=shapes.plausible("amount", amount),
        kind=kind,
        movement_id=name,
        time_ns=shapes.since_epoch("created_ts", seconds, NS_PER_SECOND),
    )
