"""The control of the simulated Kalshi over HTTP: faults, and all that no caller can bring about.

Guarantees that each call says what it expected where it is wrong, and changes nothing then. It has
a path of its own, outside of `/trade-api`, and no key: it exists for rehearsals.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from arbees.core.language import strict_json
from arbees.core.language.units import MICRO, NS_PER_SECOND, parse_micro
from arbees.rehearsal.kalshi.engine.faults import ExchangeFault
from arbees.rehearsal.kalshi.engine.rules import (
    OWNER,
    ExchangeOrder,
    ExchangeRefusal,
    TickRange,
)
from arbees.rehearsal.kalshi.rest import bodies

if TYPE_CHECKING:
    from arbees.rehearsal.kalshi.server import KalshiServer

Said = dict[str, Any]


class Wrong(Exception):  # noqa: N818 - an answer, not a fault
    """What was asked for is none."""


class MarketChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a market: everything that is named, in this order."""

    ticker: str
    start: str | None = None
    """When its game starts, RFC 3339: only the milestone tells."""
    close: str | None = None
    tick: str | None = None
    odd: dict[str, Any] | None = None
    """Fields of its row that are made something else."""
    do: str | None = None
    """deactivate, activate, close, void, dispute, finalize, archive, lose_event."""
    payout: str | None = None
    """Of Yes, in dollars: with `determine` or `amend`."""
    fee: str = "0"
    """Of its settlement."""


class FeeChangeBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Another fee of a series or of an event."""

    ticker: str
    fee_type: str | None = None
    multiplier: str | None = "1"
    at: str | None = None
    """From then on, RFC 3339; none = now."""


class OrderChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What somebody does at the web site, or what is told and never happened."""

    do: str
    """create, decrease (to `count` that remain), amend (to `count` in all, at `price`), cancel,
    trade (`count` of it), hide (for `seconds`), invent (a fill), repeat (its last fill)."""
    order: str = ""
    """Order id or client order id."""
    ticker: str = ""
    side: str = "bid"
    price: str | None = None
    count: str = "1"
    time_in_force: str = "good_till_canceled"
    client_order_id: str = ""
    trade_id: str = ""
    is_listed: bool = False
    seconds: float = 0.0


class CashChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Money that moves without a trade; amounts in dollars, below nothing = taken."""

    kind: str
    """interest, incentive, collateral, correction (none of them is listed); deposit, withdrawal;
    transfer (from `shard` to `to_shard`), internal (from `subaccount` to `to_subaccount`)."""
    amount: str
    shard: int = 0
    to_shard: int = 0
    subaccount: int = 0
    to_subaccount: int = 0


class AccountChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the account and its key are from now on; what is not named stays."""

    is_fcm: bool | None = None
    scopes: list[str] | None = None
    subaccount: int | None = None
    """The only one that the key may see; -1 = all again."""
    region_expires: str | None = None
    """RFC 3339."""
    archive_orders: str | None = None
    """Orders that ended before this moment are in the archive alone; RFC 3339."""
    archive_fills: str | None = None
    exclusive: str | None = None
    """An event whose markets exclude each other, and give collateral back."""


class Words(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a stream says out of turn."""

    channel: str
    message: dict[str, Any] = {}
    """`type` and `msg`."""
    hex: str = ""
    """Bytes, as they are."""


class Control:
    """What can be asked of an exchange that no caller of Kalshi could ask."""

    def __init__(self, server: "KalshiServer") -> None:
        """Control a server."""
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Return all of it."""
        posts: dict[str, Callable[[bytes], Said]] = {
            "faults": self._fault,
            "settle": self._settle,
            "limits": self._limits,
            "market": self._market,
            "fees": self._fees,
            "order": self._order,
            "say": self._say,
            "cash": self._cash,
            "account": self._account,
        }
        found = [web.post(f"/control/{name}", _answered(do)) for name, do in posts.items()]
        heals = web.delete("/control/faults", _answered(self._heal))
        return [*found, heals, web.get("/control/state", _answered(self._state))]

    def _fault(self, body: bytes) -> Said:
        self._server.apply(msgspec.json.decode(body, type=ExchangeFault))
        return {"happened": self._server.faults.happened}

    def _heal(self, _body: bytes) -> Said:
        self._server.heal()
        return {"happened": self._server.faults.happened}

    def _settle(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=dict[str, str])
        ticker, result = asked.get("ticker", ""), asked.get("result", "")
        if ticker not in self._server.exchange.markets or result not in {"yes", "no"}:
            raise Wrong("expected a market and yes or no")
        self._server.exchange.settle(ticker, result)
        return {}

    def _limits(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=dict[str, tuple[float, float]])
        if not asked.keys() >= {"read", "write"}:
            raise Wrong("expected read and write")
        self._server.rest.set_limits(asked["read"], asked["write"])
        return {}

    # Markets -----------------------------------------------------------------------------------

    def _market(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=MarketChange)
        exchange, ticker = self._server.exchange, asked.ticker
        market = exchange.markets.get(ticker)
        if market is None:
            raise Wrong(f"expected a market, was {ticker}")
        lifecycle = exchange.lifecycle
        if asked.start is not None:
            lifecycle.move_start(ticker, strict_json.parse_time(asked.start))
        if asked.close is not None:
            lifecycle.move_close(ticker, strict_json.parse_time(asked.close))
        if asked.tick is not None:
            lifecycle.set_ticks(ticker, TickRange(0, MICRO, parse_micro(asked.tick)))
        if asked.odd is not None:
            market.odd = asked.odd
        if asked.do is not None:
            self._do(asked)
        return {"market": bodies.market_row(market, exchange.catalogue)}

    def _do(self, asked: MarketChange) -> None:
        exchange, ticker = self._server.exchange, asked.ticker
        lifecycle = exchange.lifecycle
        payout = None if asked.payout is None else parse_micro(asked.payout)
        if asked.do in {"determine", "amend"}:
            if payout is None or not 0 <= payout <= MICRO:
                raise Wrong("expected a payout from 0 to 1")
            (lifecycle.determine if asked.do == "determine" else lifecycle.amend)(ticker, payout)
        elif asked.do == "finalize":
            if exchange.markets[ticker].payout is None:
                raise Wrong("expected a market that is determined")
            lifecycle.finalize(ticker, parse_micro(asked.fee))
        elif asked.do == "lose_event":
            exchange.catalogue.events[exchange.markets[ticker].event_ticker].is_missing = True
        elif asked.do in {"deactivate", "activate", "close", "void", "dispute", "archive"}:
            getattr(lifecycle, asked.do)(ticker)
        else:
            raise Wrong(f"do: expected something that can become of a market, was {asked.do}")

    def _fees(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=FeeChangeBody)
        catalogue = self._server.exchange.catalogue
        if asked.ticker not in catalogue.series.keys() | catalogue.events.keys():
            raise Wrong(f"expected a series or an event, was {asked.ticker}")
        self._server.exchange.lifecycle.charge(
            asked.ticker,
            asked.fee_type,
            None if asked.multiplier is None else parse_micro(asked.multiplier),
            None if asked.at is None else strict_json.parse_time(asked.at),
        )
        return {}

    # Orders ------------------------------------------------------------------------------------

    def _order(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=OrderChange)
        order = self._placed(asked) if asked.do == "create" else self._found(asked.order)
        exchange, count = self._server.exchange, parse_micro(asked.count)
        price = order.price if asked.price is None else parse_micro(asked.price)
        by_hand, is_listed = exchange.by_hand, asked.is_listed
        if asked.do == "decrease":
            by_hand.decrease(order, count)
        elif asked.do == "amend":
            by_hand.amend(order, count, price)
        elif asked.do == "cancel":
            exchange.cancel(order.owner, order.order_id)
        elif asked.do == "trade":
            by_hand.trade(order, count)
        elif asked.do == "hide":
            until_ns = exchange.now_ns() + int(asked.seconds * NS_PER_SECOND)
            self._server.desk.hidden[order.order_id] = until_ns
        elif asked.do == "invent":
            by_hand.invent(order, count, price, trade_id=asked.trade_id, is_listed=is_listed)
        elif asked.do == "repeat":
            by_hand.repeat(order, is_listed=is_listed)
        elif asked.do != "create":
            raise Wrong(f"do: expected something that can become of an order, was {asked.do}")
        return {"order": bodies.order_row(order, self._server.desk.shard(order.ticker))}

    def _placed(self, asked: OrderChange) -> ExchangeOrder:
        if asked.price is None or asked.side not in {"bid", "ask"}:
            raise Wrong("expected a side, bid or ask, and a price")
        exchange = self._server.exchange
        order = exchange.by_hand.order(
            OWNER,
            asked.ticker,
            is_bid=asked.side == "bid",
            price=parse_micro(asked.price),
            count=parse_micro(asked.count),
            time_in_force=asked.time_in_force,
            client_order_id=asked.client_order_id,
        )
        return exchange.create(order)

    def _found(self, name: str) -> ExchangeOrder:
        for order in self._server.exchange.orders.values():
            if name in {order.order_id, order.client_order_id}:
                return order
        raise Wrong(f"expected an order, was {name}")

    def _say(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=Words)
        said = bytes.fromhex(asked.hex) if asked.hex else asked.message
        self._server.streams.say(asked.channel, said)
        return {}

    # The account -------------------------------------------------------------------------------

    def _cash(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=CashChange)
        money, amount = self._server.exchange.money, parse_micro(asked.amount)
        if asked.kind in {"interest", "incentive", "collateral", "correction"}:
            money.move(asked.shard, amount, subaccount=asked.subaccount)
        elif asked.kind == "deposit":
            money.deposit(amount)
        elif asked.kind == "withdrawal":
            money.deposit(-amount)
        elif asked.kind == "transfer":
            money.transfer(asked.shard, asked.to_shard, amount, subaccount=asked.subaccount)
        elif asked.kind == "internal":
            money.lend(asked.subaccount, asked.to_subaccount, amount, shard=asked.shard)
        else:
            raise Wrong(f"kind: expected one of cash, was {asked.kind}")
        account = self._server.exchange.account(OWNER)
        return {"cash": {str(shard): bodies.money(cash) for shard, cash in account.cash.items()}}

    def _account(self, body: bytes) -> Said:
        asked = msgspec.json.decode(body, type=AccountChange)
        server, doorman = self._server, self._server.doorman
        if asked.is_fcm is not None:
            server.desk.is_fcm = asked.is_fcm
        for key in doorman.keys.values():
            if asked.scopes is not None:
                key.scopes = tuple(asked.scopes)
            if asked.subaccount is not None:
                key.subaccount = None if asked.subaccount < 0 else asked.subaccount
        if asked.region_expires is not None:
            doorman.region_expires_ns = strict_json.parse_time(asked.region_expires)
        archive = {"orders": asked.archive_orders, "fills": asked.archive_fills}
        for name, moment in archive.items():
            if moment is not None:
                server.exchange.archive.set_ns[name] = strict_json.parse_time(moment)
        if asked.exclusive is not None:
            event = server.exchange.catalogue.events.get(asked.exclusive)
            if event is None:
                raise Wrong(f"expected an event, was {asked.exclusive}")
            event.is_exclusive, event.collateral = True, "MECNET"
        return {}

    # The exchange's own record -----------------------------------------------------------------

    def _state(self, _body: bytes) -> Said:
        """Tell everything that happened to the account, for a test to compare with."""
        server = self._server
        exchange, shard = server.exchange, server.desk.shard
        account = exchange.account(OWNER)
        return {
            "orders": [bodies.order_row(o, shard(o.ticker)) for o in exchange.orders.values()],
            "fills": [
                bodies.fill_row(fill, shard(fill.ticker)) | {"coid": fill.client_order_id}
                for fill in exchange.fills
            ],
            "positions": {name: bodies.count(held) for name, held in account.positions.items()},
            "cash": {str(number): bodies.money(cash) for number, cash in account.cash.items()},
            "happened": server.faults.happened,
            "over_limit": server.rest.over_limit,
            "repeated_signatures": server.doorman.repeats,
        }


def _answered(do: Callable[[bytes], Said]) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(do(await request.read()))
        except (
            msgspec.DecodeError,
            strict_json.Malformed,
            ValueError,
            ExchangeRefusal,
            Wrong,
        ) as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer
