"""What a person does to an account of the simulated Kalshi at its web site, and what nobody did.

Guarantees that an order which is placed, decreased, amended or cancelled by hand is as real as any:
it holds cash, trades and is told of. Fills that are invented move nothing: only lists and streams
speak of them.
"""

from typing import TYPE_CHECKING

import msgspec

from arbees.rehearsal.kalshi.engine.rules import (
    MAKER,
    ExchangeFill,
    ExchangeOrder,
    ExchangeRefusal,
    Status,
)

if TYPE_CHECKING:
    from arbees.rehearsal.kalshi.engine.exchange import Exchange


class AccountOwner:
    """What somebody does at the web site."""

    def __init__(self, exchange: "Exchange") -> None:
        """Serve an exchange."""
        self._exchange = exchange

    def order(
        self,
        owner: str,
        ticker: str,
        *,
        is_bid: bool,
        price: int,
        count: int,
        time_in_force: str = "good_till_canceled",
        client_order_id: str = "",
    ) -> ExchangeOrder:
        """
        Return an order of somebody, which is not placed yet.

        Args:
            owner: whose; `MAKER` = nobody's.
            ticker: of the market.
            is_bid: buys Yes, or sells it.
            price: of Yes, in micro-dollars.
            count: micro-contracts.
            time_in_force: as Kalshi has it.
            client_order_id: none = lists have null for it.
        """
        now_ns = self._exchange.now_ns()
        return ExchangeOrder(
            order_id=self._exchange.new_order_id(),
            owner=owner,
            client_order_id=client_order_id,
            ticker=ticker,
            is_bid=is_bid,
            price=price,
            count=count,
            time_in_force=time_in_force,
            created_ns=now_ns,
            updated_ns=now_ns,
            is_nameless=not client_order_id,
        )

    def decrease(self, order: ExchangeOrder, remaining: int) -> None:
        """
        Let less of an order work; at nothing it is cancelled.

        Raises:
            Refused: it does not rest, or it would grow.
        """
        if order.status is not Status.RESTING:
            raise ExchangeRefusal(404, "not_found")
        if not 0 <= remaining <= order.remaining:
            raise ExchangeRefusal(400, "invalid_order_size")
        self._resize(order, order.filled + remaining, order.price, "Decrease")

    def amend(self, order: ExchangeOrder, count: int, price: int) -> int:
        """
        Give an order another price and another size, its fills counted in.

        Returns:
            How much of it filled thereby.

        Raises:
            Refused: it does not rest, or the new one is none.
        """
        market = self._exchange.markets[order.ticker]
        if order.status is not Status.RESTING:
            raise ExchangeRefusal(404, "not_found")
        if not market.is_on_grid(price):
            raise ExchangeRefusal(400, "invalid_price")
        if count < order.filled:
            raise ExchangeRefusal(400, "invalid_order_size")
        before = order.filled
        self._resize(order, count, price, "Amend")
        return order.filled - before

    def _resize(self, order: ExchangeOrder, count: int, price: int, reason: str) -> None:
        order.initial = order.initial or order.count
        self._exchange.replace(order, count, price, reason)

    def trade(self, order: ExchangeOrder, count: int) -> None:
        """Let somebody trade with a resting order, at its price, as much of it as there is."""
        count = min(count, order.remaining)
        other = self.order(
            MAKER, order.ticker, is_bid=not order.is_bid, price=order.price, count=count
        )
        if count:
            self._exchange.trade(other, order, count)

    # What nobody did ---------------------------------------------------------------------------

    def invent(
        self,
        order: ExchangeOrder,
        count: int,
        price: int,
        *,
        trade_id: str = "",
        is_listed: bool = False,
    ) -> ExchangeFill:
        """
        Tell of a fill that did not happen.

        Args:
            order: that it names.
            count: micro-contracts, more than remains or not.
            price: of Yes, within the limit or not.
            trade_id: none = a new one.
            is_listed: whether lists have it too, not the stream alone.
        """
        account = self._exchange.account(order.owner)
        fill = ExchangeFill(
            trade_id=trade_id or self._exchange.new_order_id(),
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            owner=order.owner,
            ticker=order.ticker,
            is_bid=order.is_bid,
            count=count,
            price=price,
            fee=0,
            is_taker=False,
            time_ns=self._exchange.now_ns(),
            position=account.positions.get(order.ticker, 0),
        )
        return self._say(fill, is_listed=is_listed)

    def repeat(self, order: ExchangeOrder, *, is_listed: bool = False) -> ExchangeFill:
        """Tell of the last fill of an order once more, as another trade. Raises Refused."""
        found = [each for each in self._exchange.fills if each.order_id == order.order_id]
        if not found:
            raise ExchangeRefusal(404, "not_found", "no fill of this order")
        again = msgspec.structs.replace(found[-1], trade_id=self._exchange.new_order_id())
        return self._say(again, is_listed=is_listed)

    def _say(self, fill: ExchangeFill, *, is_listed: bool) -> ExchangeFill:
        if is_listed:
            self._exchange.invented.append(fill)
        self._exchange.tell("fill", fill.owner, fill)
        return fill
