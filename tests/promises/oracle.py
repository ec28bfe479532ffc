"""The promises, worked out the slow and obvious way from the text of the design.

Exact fractions, every subset and order of fills, every sum anew; nothing is shared with the core
but the shapes of its data.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import permutations, product

import msgspec
from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.market import Market
from arbees.core.book.open_order import NOTHING, Order
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, OrderStatus, Side
from arbees.core.orders.closed_orders import closed_order
from arbees.core.orders.result import Recorded, fold
from verification.evidence import is_final

ENUMERATED = 4
"""Open orders of a market of which every order of fills is tried; more are filled as they came."""


class Held(msgspec.Struct):
    """Position of one market, exactly."""

    quantity: dict[Side, Fraction]
    cost: dict[Side, Fraction]

    def copy(self) -> "Held":
        """Return another one like this."""
        return Held(dict(self.quantity), dict(self.cost))

    def fill(
        self, side: Side, action: Action, quantity: int, price: int, *, is_netting: bool
    ) -> None:
        """Buy opens (where positions net it closes the other side first); Sell closes."""
        left = Fraction(quantity)
        if action is Action.SELL:
            left -= self._close(side, left)
            side, price = side.opposite, MICRO - price
            if not is_netting:
                return
        elif is_netting:
            left -= self._close(side.opposite, left)
        self.quantity[side] += left
        self.cost[side] += left * price / MICRO

    def _close(self, side: Side, quantity: Fraction) -> Fraction:
        closed = min(quantity, self.quantity[side])
        if closed:
            self.cost[side] -= self.cost[side] * closed / self.quantity[side]
            self.quantity[side] -= closed
        return closed

    def exposure(self) -> Fraction:
        """Return the worst of cost held less payout."""
        cost = self.cost[Side.YES] + self.cost[Side.NO]
        return max(cost - self.quantity[Side.YES], cost - self.quantity[Side.NO])


def flat() -> Held:
    """Return an empty position."""
    return Held(dict.fromkeys(Side, Fraction(0)), dict.fromkeys(Side, Fraction(0)))


def positions(records: Iterable[Recorded], book: Book) -> dict[str, Held]:
    """Work out what is held of each market from the fills alone."""
    sides: dict[str, tuple[Side, Action]] = {}
    held: dict[str, Held] = {key: flat() for key in book.markets}
    for _, _, event in records:
        if isinstance(event, events.OrderApproved):
            sides[event.client_order_id] = (event.side, event.request.action)
        elif isinstance(event, events.OrderFilled):
            side, action = sides[event.client_order_id]
            is_netting = book.markets[event.market_key].listing.is_netting
            held[event.market_key].fill(
                side, action, event.quantity, event.price, is_netting=is_netting
            )
        elif isinstance(event, events.MarketSettled):
            held[event.market_key] = flat()
    return held


def futures(market: Market, orders: list[Order], held: Held) -> Iterator[Held]:
    """Yield the position after every way in which the open orders may turn out."""
    is_netting = market.listing.is_netting
    sequences = permutations(orders) if len(orders) <= ENUMERATED else [tuple(orders)]
    for sequence in sequences:
        for parts in product((0, 1, 2), repeat=len(sequence)):
            after = held.copy()
            for order, part in zip(sequence, parts, strict=True):
                quantity = order.remaining * part // 2
                if quantity > 0:
                    after.fill(
                        order.side,
                        order.action,
                        quantity,
                        order.limit_price,
                        is_netting=is_netting,
                    )
            yield after


def worst_futures(records: Iterable[Recorded], book: Book) -> dict[str, Fraction]:
    """Work out the highest exposure of each market over every future."""
    now = positions(records, book)
    return {
        key: max(
            after.exposure()
            for after in futures(market, [book.orders[n] for n in market.orders], now[key])
        )
        for key, market in book.markets.items()
    }


# Sums ------------------------------------------------------------------------------------------


def broken_sums(book: Book) -> list[str]:
    """Return which of the sums that the book keeps are not the sums of their parts."""
    found: list[str] = []

    def must(name: str, kept: object, added: object) -> None:
        if kept != added:
            found.append(f"{name}: kept {kept}, adds up to {added}")

    games: dict[str, int] = {}
    sports: dict[str, int] = {}
    for key, market in book.markets.items():
        mine = [order for order in book.orders.values() if order.market_key == key]
        must(f"orders of {key}", market.orders, [order.client_order_id for order in mine])
        must(f"loss_yes {key}", market.loss_yes, sum(o.reserved.loss_yes for o in mine))
        must(f"loss_no {key}", market.loss_no, sum(o.reserved.loss_no for o in mine))
        for side in Side:
            closing = sum(o.reserved.closing for o in mine if _closes(o) is side)
            must(f"closing {key} {side}", market.holding(side).closing, closing)
        must(f"unknown {key}", market.unknown, sum(_is_unknown(order) for order in mine))
        games[market.game_id] = games.get(market.game_id, 0) + market.worst
        sports[market.sport] = sports.get(market.sport, 0) + market.worst
    must("games", book.game_worst, {name: worst for name, worst in games.items() if worst})
    must("sports", book.sport_worst, {name: worst for name, worst in sports.items() if worst})
    must("total", book.total_worst, sum(market.worst for market in book.markets.values()))
    must("unknown", book.unknown, sum(_is_unknown(order) for order in book.orders.values()))
    day_loss = sum(order.reserved.day_loss for order in book.orders.values())
    must("open_day_loss", book.open_day_loss, day_loss)
    must("realized", book.realized, sum(market.realized for market in book.markets.values()))
    must("fees", book.fees, sum(market.fees for market in book.markets.values()))
    for name, pool in book.pools.items():
        reserved = sum(
            order.reserved.cash
            for order in book.orders.values()
            if order.platform == pool.platform and not order.is_inside
        )
        spent = sum(amount for _, amount in pool.spent)
        must(f"outside {name}", pool.outside, reserved + spent)
    return found


def _closes(order: Order) -> Side:
    return order.side if order.action is Action.SELL else order.side.opposite


def _is_unknown(order: Order) -> bool:
    return order.status is OrderStatus.UNKNOWN


def released_unknowns(book: Book) -> list[str]:
    """Return the unknown orders whose worst case is not reserved any more (P7)."""
    return [
        order.client_order_id
        for order in book.orders.values()
        if _is_unknown(order) and order.remaining > 0 and order.reserved == NOTHING
    ]


def corrections(records: Iterable[Recorded]) -> list[str]:
    """Return the orders of which a final result had to be corrected."""
    return [
        event.client_order_id
        for _, _, event in records
        if isinstance(event, events.OrderFilled) and event.corrects is not None
    ]


# Results ---------------------------------------------------------------------------------------


def wrong_finals(records: Iterable[Recorded], book: Book) -> list[str]:
    """Return the requests that have not exactly one final result, or none while open (P8)."""
    finals: dict[str, list[int]] = {}
    found: list[str] = []
    for sequence, _, event in records:
        if isinstance(event, events.RequestDenied | events.OrderApproved):
            finals.setdefault(event.request.request_id, [])
        if is_final(event):
            request_id = (
                event.request.request_id
                if isinstance(event, events.RequestDenied)
                else getattr(event, "request_id", "")
            )
            finals[request_id].append(sequence)
        elif isinstance(event, events.OrderReopened):
            if finals[event.request_id] != [event.corrects]:
                found.append(f"{event.request_id}: reopened from {finals[event.request_id]}")
            finals[event.request_id] = []
        elif isinstance(event, events.OrderFilled):
            ended = finals[event.request_id][-1:]
            if ended != ([] if event.corrects is None else [event.corrects]):
                found.append(f"{event.request_id}: corrects {event.corrects}, ended at {ended}")
    still_open = {order.request_id for order in book.orders.values()}
    for request_id, sequences in finals.items():
        if len(sequences) != (request_id not in still_open):
            found.append(f"{request_id}: final results {sequences}")
    return found


def disagreements(lives: dict[str, list[Recorded]], book: Book) -> list[str]:
    """
    Return where book, result and closed order do not say the same of a request as its records.

    Args:
        lives: the records of each request.
        book: as it is now.
    """
    found: list[str] = []
    for request_id, records in lives.items():
        filled = fees = 0
        for _, _, event in records:
            sign = isinstance(event, events.OrderFilled) - isinstance(event, events.FillReversed)
            if isinstance(event, events.OrderFilled | events.FillReversed):
                filled += sign * event.quantity
                fees += sign * event.fee
        life, past = fold(records), closed_order(records)
        if life is None or (life.filled, life.fees) != (filled, fees):
            found.append(f"{request_id}: {filled} filled by its records, not by its result")
            continue
        if past is None:
            continue
        order = book.orders.get(past.order.client_order_id)
        is_open = order is not None and order.request_id == request_id
        if life.result().final is is_open:
            found.append(f"{request_id}: final {life.result().final}, open {is_open}")
        if (
            order is not None
            and is_open
            and order != replace(past.order, is_inside=order.is_inside)
        ):
            found.append(f"{request_id}: the book has {order}, its records {past.order}")
    return found


def scope_covers(scope: str, order: events.OrderApproved) -> bool:
    """Tell whether a scope means an approved order, as the design lists the scopes."""
    request = order.request
    return scope in {
        "all",
        f"platform:{order.platform}",
        f"sport:{order.sport}",
        f"market:{order.market_key}",
        f"market:{order.market_id}",
        f"strategy:{order.strategy}",
        f"model_version:{request.model_version}",
    }
