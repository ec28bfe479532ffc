"""Orders at Kalshi: placed at most once, cancelled as often as it takes, found by evidence.

Guarantees the promises of `core.ports.Venue` for creates, cancels and lookups: the connection and
the signature are there before the gate is asked, from the gate to the write nothing is awaited, and
an order is absent only when the venue can no longer take the bytes that we sent, its reads are
fresher than that, everything that filled in the market belongs to other orders, and the cash is
explained without it, which who counts it (`core.deciding.reconciliation`) has the last word on.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from arbees.core.deciding.outcomes import (
    ApprovedOrder,
    CancelOutcome,
    CancelUnknown,
    Fill,
    Found,
    Gated,
    Inconclusive,
    Lookup,
    Missing,
    NotSent,
    Outcome,
    Refused,
    Unknown,
    VenueOrder,
)
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO, NS_PER_SECOND, whole_seconds
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.ports import Gate
from arbees.errors import VenueError, VenueNotSent, VenueOutcomeUnknown
from arbees.venues.http_client import Wire
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.connection import CREATE, KalshiConnection
from arbees.venues.kalshi.connection.signing import BUDGET_NS, Signed
from arbees.venues.kalshi.connection.turns import Turns
from arbees.venues.kalshi.orders.answers import CreateTerms, cancel_outcome, create_outcome
from arbees.venues.kalshi.orders.cash import Cash
from arbees.venues.kalshi.orders.groups import Groups
from arbees.venues.kalshi.orders.portfolio import Rows

ABSENT_AFTER_NS = 60 * NS_PER_SECOND + 2 * BUDGET_NS
"""After the moment that a signature names plus this, Kalshi takes the bytes no more (it refuses
at 30 s already, as measured); with the budget of signatures on both sides."""
LISTED_BEFORE_SECONDS = 120
"""How far before the sending a list begins: the clocks may differ."""
_TIMES = {
    TimeInForce.IOC: "immediate_or_cancel",
    TimeInForce.FOK: "fill_or_kill",
    TimeInForce.GTC: "good_till_canceled",
    TimeInForce.GTD: "good_till_canceled",
}
_COUNT_PLACES = 2
_PRICE_PLACES = 4


class KalshiOrders:
    """Creates, cancels and lookups of one account."""

    def __init__(
        self,
        connection: KalshiConnection,
        wire: Wire,
        *,
        cash: Cash,
        shard_of: Callable[[str], int | None],
        groups: Groups,
    ) -> None:
        """
        Hold what an order needs.

        Args:
            connection: the account's; its signer has signatures of creates ready.
            wire: connections for creates alone.
            cash: the account's, with its lists.
            shard_of: the shard of a ticker; None = not known, the venue routes it.
            groups: the order groups that orders which open are put into.
        """
        self._api = connection.api
        self._wire = wire
        self._portfolio = cash.portfolio
        self._cash = cash
        self._signer = connection.signer
        self._venue_clock = connection.venue_clock
        self._clock = connection.clock
        self._shard_of = shard_of
        self._groups = groups
        self._turns = Turns(connection.clock)

    # Create ------------------------------------------------------------------------------------

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Send one order, at most once, and say what the answer proves."""
        try:
            body = self._body(order)
        except ValueError as error:
            return NotSent(message=f"Kalshi cannot be told this order: {error}", is_health=False)
        wait_ns = await self._pay(order)
        if wait_ns:
            return NotSent(
                message=f"the rate budget is used up for {wait_ns / NS_PER_SECOND:.1f} s more",
                is_health=False,
            )
        try:
            async with self._wire.connection() as connection:
                signed = self._signer.take() or await self._sign()
                head = self._api.head(self._wire, CREATE, signed, len(body))
                # From here to the write nothing may be awaited.
                refusal = gate()
                if refusal is not None:
                    return Gated(code=refusal.code, message=refusal.message)
                if not self._signer.is_timely(signed):
                    return NotSent(
                        message="the signature is too old by the venue's clock", is_health=False
                    )
                if not connection.is_usable:
                    return NotSent(message="the connection ended before the first byte")
                sent_ns = self._clock.now_ns()
                pending = connection.write(head + body)
                try:
                    answer = await self._wire.wait(pending)
                except VenueOutcomeUnknown as error:
                    connection.close()
                    return Unknown(message=error.message, sent_ns=signed.timestamp_ns)
        except VenueNotSent as error:
            return NotSent(message=error.message)
        self._api.compare(sent_ns, answer)
        if answer.status == 429:
            self._api.budget.exceeded("POST", self._clock.now_ns())
        outcome = create_outcome(answer.status, answer.body, _terms(order, signed.timestamp_ns))
        if isinstance(outcome, Refused) and not order.is_reducing:
            refusal_text = f"{outcome.venue_code} {outcome.message}"
            self._groups.refused(self._shard_of(order.market_id), refusal_text)
        return outcome

    def _body(self, order: ApprovedOrder) -> bytes:
        """Return the body of a create. Raises ValueError: Kalshi has no way to say it."""
        book_side, price = shapes.book_order(order.side, order.action, order.limit_price)
        body: dict[str, Any] = {
            "ticker": order.market_id,
            "client_order_id": order.client_order_id,
            "side": book_side,
            "count": shapes.decimal_text(order.quantity, _COUNT_PLACES),
            "price": shapes.decimal_text(price, _PRICE_PLACES),
            "time_in_force": _TIMES[order.time_in_force],
            "self_trade_prevention_type": "taker_at_cross",
            "subaccount": self._api.subaccount,
        }
        if order.time_in_force is TimeInForce.GTD:
            expires = whole_seconds(order.expires_ns or 0)
            if expires <= whole_seconds(self._clock.now_ns()):
                raise ValueError("it expires within this second")
            body["expiration_time"] = expires
        if order.time_in_force in {TimeInForce.GTC, TimeInForce.GTD}:
            body["cancel_order_on_pause"] = True
        elif order.action is Action.SELL and order.time_in_force is TimeInForce.IOC:
            # The venue's own last word: a Sell never opens the other side.
            body["reduce_only"] = True
        shard = self._shard_of(order.market_id)
        if shard is not None:
            body["exchange_index"] = shard
            if not order.is_reducing and (group := self._groups.ids.get(shard)) is not None:
                body["order_group_id"] = group
        return msgspec.json.encode(body)

    async def _pay(self, order: ApprovedOrder) -> int:
        """Take the tokens of a create; return how long they would take, 0 = taken."""

        def tokens(now_ns: int) -> int:
            return self._api.budget.order(now_ns, is_reducing=order.is_reducing)

        return await self._turns.take(
            tokens, is_reducing=order.is_reducing, expires_ns=order.expires_ns
        )

    async def _sign(self) -> Signed:
        return await asyncio.to_thread(self._signer.sign, "POST", self._api.path(CREATE))

    # Cancel ------------------------------------------------------------------------------------

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Cancel one order; may be repeated without harm."""
        try:
            if venue_order_id is None:
                row = await self._row(client_order_id, market_id, None)
                if row is None:
                    return CancelUnknown(
                        message="Kalshi does not list this order (yet)", is_health=False
                    )
                venue_order_id = row.order_id
            query: dict[str, str | int] = {"market_ticker": market_id}
            shard = self._shard_of(market_id)
            if shard is not None:
                query["exchange_index"] = shard
            answer = await self._api.call(
                "DELETE",
                f"{CREATE}/{quote(venue_order_id, safe='')}",
                query,
                priced_as=f"{CREATE}/:order_id",
            )
        except VenueError as error:
            return CancelUnknown(message=error.message, is_health=error.is_health)
        return cancel_outcome(answer.status, answer.body, venue_order_id)

    # Evidence ----------------------------------------------------------------------------------

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """
        Look for an order in all states, and for what of it filled. Raises VenueError.

        The last orders of the market come first: they cost the least. But `sent_ns` is the latest
        moment of the sending, not the earliest: only a list from the beginning, with the archive,
        shows an absence.
        """
        row = await self._row(client_order_id, market_id, sent_ns)
        if row is not None:
            return await self._found(row)
        past_ns = sent_ns + ABSENT_AFTER_NS
        venue_ns = self._venue_clock.venue_ns()
        if venue_ns is None:
            return Inconclusive(message="Kalshi's clock is not known")
        fresh_ns = await self._api.freshness()
        rows = await self._portfolio.orders({"ticker": market_id})
        row = _named(rows, client_order_id)
        if row is not None:
            return await self._found(row)
        if venue_ns <= past_ns:
            left = (past_ns - venue_ns) / NS_PER_SECOND
            return Inconclusive(message=f"Kalshi may still take the bytes, for {left:.0f} s more")
        if fresh_ns <= past_ns:
            return Inconclusive(message=f"Kalshi's reads are as of {format_time(fresh_ns)} only")
        if rows.hides(client_order_id):
            return Inconclusive(message="Kalshi lists an order of the market that cannot be read")
        said = (
            f"signature: Kalshi's clock {format_time(venue_ns)} is past {format_time(past_ns)}",
            f"reads: as of {format_time(fresh_ns)}",
            f"orders in all states: {len(rows.read)} listed, none under this id",
        )
        known = {each.order_id for each in rows.read}
        found = await self._missing(market_id, sent_ns, known, said)
        # What tied up cash is counted from a later list: it must not have been in that one alone.
        row = await self._row(client_order_id, market_id, None)
        return found if row is None else await self._found(row)

    async def _found(self, row: shapes.KalshiOrderRow) -> Found:
        """Return an order with its fills; whether these explain its end is for the core to say."""
        filled = shapes.count("fill_count_fp", row.fill_count_fp)
        fills = _fills_of(row, await self._portfolio.recent_fills({"order_id": row.order_id}))
        if sum(each.quantity for each in fills) != filled:
            # The archive has no list by order; that of the market is longer, and whole.
            fills = _fills_of(row, await self._portfolio.fills({"ticker": row.ticker}))
        updated = shapes.moment("last_update_time", row.last_update_time)
        return Found(
            venue_order_id=row.order_id,
            by="list",
            time_ns=updated,
            fills=fills,
            closed=closed_by(row),
            listed=listed_order(row),
        )

    async def _missing(
        self, market_id: str, sent_ns: int, known: set[str], said: tuple[str, ...]
    ) -> Lookup:
        """
        Return absence with all of its evidence, or what of it is not there yet.

        Args:
            market_id: where it was sent.
            sent_ns: the latest moment of it.
            known: the venue's ids of the market's orders.
            said: the evidence so far.
        """
        rows = await self._portfolio.fills({"ticker": market_id})
        if rows.unread:
            return Inconclusive(message="Kalshi lists a fill of the market that cannot be read")
        fills = rows.read
        since_ns = sent_ns - LISTED_BEFORE_SECONDS * NS_PER_SECOND
        strays = [
            each.trade_id
            for each in fills
            if shapes.fill_ns(each) >= since_ns and each.order_id not in known
        ]
        if strays:
            return Inconclusive(message=f"Fills of orders that are not listed: {strays[:3]}")
        theirs = await self._position(market_id)
        if sum(_signed(each) for each in fills) != shapes.micro("position_fp", theirs):
            if not await self._is_settled(market_id):
                return Inconclusive(
                    message=f"The position {theirs} is not what the fills of the market add up to"
                )
            theirs = "0 after the settlement"
        return Missing(
            evidence=(
                *said,
                f"fills: {len(fills)} in the market, none of an order that is not listed",
                f"position: {theirs}, explained by those fills",
            ),
            cash=await self._cash.balances(),
        )

    async def _position(self, market_id: str) -> str:
        rows = await self._portfolio.positions({"ticker": market_id})
        if rows.unread:
            raise VenueOutcomeUnknown("Kalshi's position of the market cannot be read")
        return next((each.position_fp for each in rows.read if each.ticker == market_id), "0")

    async def _is_settled(self, market_id: str) -> bool:
        """Tell whether what was held of a market is paid out: no position is left to explain."""
        rows = await self._api.markets([market_id])
        return any(
            each.ticker == market_id and each.status.lower() in shapes.FINAL for each in rows
        )

    async def _row(
        self, client_order_id: str, market_id: str, sent_ns: int | None
    ) -> shapes.KalshiOrderRow | None:
        """Return an order by our id from the list that is not archived; None = it is not there."""
        before_ns = LISTED_BEFORE_SECONDS * NS_PER_SECOND
        since_ns = 0 if sent_ns is None else max(0, sent_ns - before_ns)
        rows = await self._portfolio.recent_orders({"ticker": market_id}, since_ns)
        return _named(rows, client_order_id)


def _named(rows: Rows[shapes.KalshiOrderRow], client_order_id: str) -> shapes.KalshiOrderRow | None:
    return next((each for each in rows.read if each.name == client_order_id), None)


def _fills_of(row: shapes.KalshiOrderRow, rows: Rows[shapes.FillRow]) -> tuple[Fill, ...]:
    return tuple(fill_of(each, row.name) for each in rows.read if each.order_id == row.order_id)


def _terms(order: ApprovedOrder, sent_ns: int) -> CreateTerms:
    """Return what an answer to a create is held against."""
    book_side, price = shapes.book_order(order.side, order.action, order.limit_price)
    return CreateTerms(
        client_order_id=order.client_order_id,
        quantity=order.quantity,
        price=price,
        is_bid=book_side == "bid",
        rests=order.time_in_force in {TimeInForce.GTC, TimeInForce.GTD},
        sent_ns=sent_ns,
    )


def fill_of(row: shapes.FillRow, client_order_id: str) -> Fill:
    """Return a fill of one of our orders. Raises VenueOutcomeUnknown: it can be none."""
    quantity = shapes.count("count_fp", row.count_fp)
    fee, most = shapes.micro("fee_cost", row.fee_cost), quantity + shapes.CENT
    # Nothing costs more than all that it can bring, its rounding to cents aside.
    return Fill(
        client_order_id=client_order_id,
        trade_id=row.trade_id,
        quantity=shapes.plausible("count_fp", quantity, low=1),
        price=shapes.price("yes_price_dollars", row.yes_price_dollars),
        fee=shapes.plausible("fee_cost", fee, -most, most),
        is_maker=not row.is_taker,
        time_ns=shapes.fill_ns(row),
        venue_order_id=row.order_id,
        is_of_yes=True,
    )


def closed_by(row: shapes.KalshiOrderRow) -> str | None:
    """Return how an order ended, None = it works; a word that we do not know ends nothing."""
    if row.status == "executed":
        return "filled"
    if row.status in {"canceled", "cancelled"}:
        return "expired" if row.last_update_reason == "ExpiryCancel" else "cancelled"
    return None


def listed_order(row: shapes.KalshiOrderRow) -> VenueOrder:
    """
    Return an order as Kalshi shows it: what it buys, at the price of that side.

    Raises:
        VenueOutcomeUnknown: no order can have such a side, price or count.
    """
    side = shapes.bought(row.book_side, row.outcome_side)
    price = shapes.price("yes_price_dollars", row.yes_price_dollars)
    filled = shapes.count("fill_count_fp", row.fill_count_fp)
    return VenueOrder(
        client_order_id=row.name or None,
        venue_order_id=row.order_id,
        platform=Platform.KALSHI,
        market_id=row.ticker,
        side=side,
        action=Action.BUY,
        quantity=filled + shapes.count("remaining_count_fp", row.remaining_count_fp),
        filled=filled,
        limit_price=price if side is Side.YES else MICRO - price,
        closed=closed_by(row),
        reason=row.last_update_reason or "",
        time_ns=shapes.moment("last_update_time", row.last_update_time),
    )


def is_ours(client_order_id: str) -> bool:
    """Tell whether a client order id is of our making."""
    return client_order_id.startswith(CLIENT_ORDER_ID_PREFIX)


def _signed(row: shapes.FillRow) -> int:
    quantity = shapes.micro("count_fp", row.count_fp)
    return quantity if _bought(row) is Side.YES else -quantity


def _bought(row: shapes.FillRow) -> Side:
    return shapes.bought(row.book_side, row.outcome_side)
