"""Flattening: cancels what is open of a scope, then sells what is held, by orders like any other.

Guarantees that nothing passes a safeguard unasked: each order is a request with a key of its own,
made from the receipt's id, so that nothing is sold twice. An order is sent once the one before it
in its market has filled. It is never resumed after a restart: the receipt says what was not asked
for, and whoever wants it asks again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from arbees.core.deciding import commands
from arbees.core.deciding.control import covered
from arbees.core.deciding.flatten_plan import (
    Bounds,
    Close,
    FlattenPlanned,
    plan,
)
from arbees.core.language.request import Request
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    Platform,
    ResultStatus,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.interface.views import Undecided
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane
from arbees.runtime.looking.stop_receipts import Receipts
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.price_reference import PriceReference

CANCELS_SECONDS = 5.0
"""How long what is cancelled first may take to end; what works on keeps what it closes."""
FILL_SECONDS = 10.0
_POLL_SECONDS = 0.02
_REASON_MAX = 128

Submit = Callable[[Request, float, str | None], Awaitable[Result]]
"""Decides, sends and waits, as for anybody."""


class Flattening:
    """Closes positions of one desk."""

    def __init__(self, desk: Desk, receipts: Receipts, submit: Submit) -> None:
        """Take a desk, its receipts, and the way in for requests."""
        self._desk = desk
        self._receipts = receipts
        self._submit = submit

    def begin(
        self, receipt_id: str, scope: str, reason: str, max_slippage: int | None, key_id: str | None
    ) -> None:
        """Close what is held of a scope, in a task; its cancels have been asked for."""
        self._receipts.flattening.add(receipt_id)
        work = self._run(receipt_id, scope, reason, max_slippage, key_id)
        self._desk.supervisor.once(work, f"flatten {receipt_id}", lambda _error: None)

    async def _run(
        self, receipt_id: str, scope: str, reason: str, max_slippage: int | None, key_id: str | None
    ) -> None:
        try:
            planned = await self._plan(receipt_id, scope, self._bounds(max_slippage, key_id))
            markets: dict[tuple[str, str], list[Close]] = {}
            for close in planned.closes:
                markets.setdefault((close.platform, close.market_id), []).append(close)
            await asyncio.gather(
                *(self._close(closes, reason, key_id) for closes in markets.values())
            )
        except Undecided:
            return  # the receipt says what was not asked for
        finally:
            self._receipts.flattening.discard(receipt_id)

    async def _plan(self, receipt_id: str, scope: str, bounds: Bounds) -> FlattenPlanned:
        """Wait for the cancels, for a moment, and put on record what is to be closed, and how."""
        desk = self._desk
        until_ns = desk.clock.now_ns() + round(CANCELS_SECONDS * NS_PER_SECOND)
        while covered(desk.book, scope) and desk.clock.now_ns() < until_ns:
            await desk.clock.sleep(_POLL_SECONDS)
        planned = plan(desk.book, desk.marks.touches, scope, receipt_id, bounds)
        await desk.writer.put(commands.Record(events=(planned,)), Lane.CONTROL)
        return planned

    def _bounds(self, max_slippage: int | None, key_id: str | None) -> Bounds:
        """Return the bounds in force, of the account and the key; the collar is never widened."""
        size, reference = OrderSize(), PriceReference()
        for each in self._desk.rules.safeguards:
            if isinstance(each, OrderSize):
                size = each
            elif isinstance(each, PriceReference):
                reference = each
        collar = reference.max_price_through_quote
        slippage = collar if max_slippage is None else min(max_slippage, collar)
        key = None if key_id is None else self._desk.book.keys.get(key_id)
        cap = None if key is None else key.caps.max_order_contracts
        contracts = size.max_order_contracts
        return Bounds(
            slippage=slippage, contracts=contracts if cap is None else min(cap, contracts)
        )

    async def _close(self, closes: Sequence[Close], reason: str, key_id: str | None) -> None:
        """Close one market, order by order, for as long as they fill."""
        for close in closes:
            request = Request(
                request_id=close.request_id,
                idempotency_key=close.request_id,
                platform=Platform(close.platform),
                market_id=close.market_id,
                side=Side(close.side),
                size=close.quantity,
                limit_price=close.limit_price,
                created_ns=self._desk.clock.now_ns(),
                action=Action.SELL,
                time_in_force=TimeInForce.IOC,
                strategy=close.strategy,
                reason=f"flatten: {reason}"[:_REASON_MAX],
            )
            try:
                result = await self._submit(request, FILL_SECONDS, key_id)
            except Undecided:
                return  # of this market; the others go on
            if result.status != ResultStatus.FILLED:
                return
