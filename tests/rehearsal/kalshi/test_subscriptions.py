"""Subscriptions of the simulated Kalshi: refused by name, lost in silence, late, badly numbered."""

import aiohttp
import pytest

from arbees.rehearsal.kalshi.engine.faults import FaultKind
from tests.rehearsal.kalshi.served import (
    MARKET,
    NFL,
    Heard,
    book,
    served,
)

BOOKS = "orderbook_delta"


async def listed(heard: Heard) -> list[str]:
    """Return the channels that the stream says it has."""
    said = await heard.command("list_subscriptions")
    return [each["channel"] for each in said["msg"]]


@pytest.mark.parametrize(
    ("asked", "fault", "price"),
    [
        (True, None, "0.4000"),
        (False, None, "0.6000"),
        (True, FaultKind.YES_PRICE_IGNORED, "0.6000"),
        (False, FaultKind.YES_PRICE_FORCED, "0.4000"),
    ],
)
async def test_the_side_of_no_is_priced_as_asked(
    asked: bool, fault: FaultKind | None, price: str
) -> None:
    """In prices of Yes or of No, snapshot and change alike; a fault has its own way."""
    async with served() as made, made.stream() as heard:
        if fault is not None:
            made.server.fault(fault)
        params = {"channels": [BOOKS], "market_tickers": [MARKET], "use_yes_price": asked}
        await heard.command("subscribe", **params)
        snapshot = (await heard.of("orderbook_snapshot"))["msg"]
        assert snapshot["yes_dollars_fp"] == [["0.3800", "100.00"]]
        assert snapshot["no_dollars_fp"] == [[price, "100.00"]]
        made.server.show(book(ask=40, size=70))
        found = await heard.until(lambda said: said["msg"].get("side") == "no")
        assert found["msg"]["price_dollars"] == price


async def test_a_lost_subscription_is_listed_no_more_and_silent() -> None:
    """No word of its end; the connection stands, other channels go on."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe("user_orders", BOOKS)
        await heard.of("orderbook_snapshot")
        assert await listed(heard) == ["user_orders", BOOKS]
        await made.fault(FaultKind.SUBSCRIPTION_LOST)
        assert await listed(heard) == ["user_orders"]
        made.server.show(book(bid=30))
        await heard.nothing()


async def test_one_market_of_a_subscription_is_lost() -> None:
    """The subscription is listed on; the market is silent, an answer names what is left."""
    async with served() as made, made.stream() as heard:
        made.server.show(book(NFL))
        (sid,) = await heard.subscribe(BOOKS)
        params = {"sids": [sid], "action": "add_markets", "market_tickers": [NFL]}
        both = await heard.command("update_subscription", **params)
        assert both["msg"]["market_tickers"] == sorted([MARKET, NFL])
        await heard.of("orderbook_snapshot")
        await made.fault(FaultKind.SUBSCRIPTION_LOST, ticker=MARKET)
        assert await listed(heard) == [BOOKS]
        made.server.show(book(bid=30))
        await heard.nothing()
        again = await heard.command("update_subscription", **params)
        assert again["msg"]["market_tickers"] == [NFL]


async def test_a_subscription_may_be_confirmed_late() -> None:
    """Nothing comes until then, and it is not listed."""
    async with served() as made, made.stream() as heard:
        await made.fault(FaultKind.LATE_SUBSCRIPTION, seconds=0.3, channel=BOOKS)
        params = {"channels": [BOOKS], "market_tickers": [MARKET]}
        await heard.socket.send_json({"id": 77, "cmd": "subscribe", "params": params})
        assert await listed(heard) == []
        assert (await heard.of("subscribed"))["id"] == 77
        await heard.of("orderbook_snapshot")


async def test_a_refused_market_names_itself_and_others_are_taken() -> None:
    """Settled, unknown, or refused by a fault: by name, with a number; the rest has its book."""
    async with served() as made, made.stream() as heard:
        made.server.show(book(NFL))
        made.server.exchange.settle(NFL, "yes")
        tickers = [MARKET, NFL, "NONE"]
        await heard.socket.send_json(
            {
                "id": 5,
                "cmd": "subscribe",
                "params": {"channels": [BOOKS], "market_tickers": tickers},
            }
        )
        sid = (await heard.of("subscribed"))["msg"]["sid"]
        errors = [await heard.of("error") for _ in range(2)]
        assert [each["msg"]["market_ticker"] for each in errors] == [NFL, "NONE"]
        assert [(each["msg"]["code"], each["sid"], each["seq"]) for each in errors] == [
            (16, sid, 1),
            (16, sid, 2),
        ]
        assert (await heard.of("orderbook_snapshot"))["seq"] == 3
        await made.fault(FaultKind.REFUSED_TICKER, ticker=MARKET, code=18)
        params = {"sids": [sid], "action": "get_snapshot", "market_tickers": [MARKET]}
        error = await heard.command("update_subscription", **params)
        assert (error["msg"]["code"], error["msg"]["market_ticker"]) == (18, MARKET)


async def test_a_subscription_of_refused_markets_alone_is_none() -> None:
    """Only the error comes, without a sid; nothing is listed."""
    async with served() as made, made.stream() as heard:
        error = await heard.command("subscribe", channels=[BOOKS], market_tickers=["NONE"])
        assert error["msg"]["code"] == 16
        assert "sid" not in error
        assert await listed(heard) == []


async def test_an_optional_channel_may_be_refused() -> None:
    """That channel alone; the others of the same command are confirmed."""
    async with served() as made, made.stream() as heard:
        await made.fault(FaultKind.REFUSED_CHANNEL, channel="market_positions", code=9)
        await heard.socket.send_json(
            {"id": 9, "cmd": "subscribe", "params": {"channels": ["market_positions", "fill"]}}
        )
        assert (await heard.of("error"))["msg"]["code"] == 9
        assert (await heard.of("subscribed"))["msg"]["channel"] == "fill"


@pytest.mark.parametrize("code", [10, 25])
async def test_two_errors_end_the_connection(code: int) -> None:
    """After they were said, with the number of the sequence."""
    async with served() as made, made.stream() as heard:
        (sid,) = await heard.subscribe(BOOKS)
        await heard.of("orderbook_snapshot")
        await made.fault(FaultKind.STREAM_ERROR, code=code)
        error = await heard.of("error")
        assert (error["msg"]["code"], error["sid"], error["seq"]) == (code, sid, 2)
        assert (await heard.socket.receive(2)).type is aiohttp.WSMsgType.CLOSE


async def test_other_errors_end_nothing() -> None:
    """An internal error, and too many commands: the stream goes on."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(BOOKS)
        await heard.of("orderbook_snapshot")
        await made.fault(FaultKind.STREAM_ERROR, code=17, ticker=MARKET)
        assert (await heard.of("error"))["msg"]["market_ticker"] == MARKET
        await made.fault(FaultKind.COMMAND_REFUSED, call="list_subscriptions")
        assert (await heard.command("list_subscriptions"))["msg"]["code"] == 27
        assert await listed(heard) == [BOOKS]
        made.server.show(book(bid=30))
        await heard.of("orderbook_delta")


async def test_a_message_is_lost_or_comes_twice() -> None:
    """A lost one leaves a gap in the numbers; one that comes twice has the same number."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(BOOKS)
        await heard.of("orderbook_snapshot")
        await made.fault(FaultKind.SEQUENCE_GAP, call=BOOKS)
        await made.create(MARKET, price="0.1000")
        await made.create(MARKET, price="0.1100")
        assert (await heard.of(BOOKS))["seq"] == 3
        await made.fault(FaultKind.REPEATED_MESSAGE, call=BOOKS)
        await made.create(MARKET, price="0.1200")
        assert [(await heard.of(BOOKS))["seq"] for _ in range(2)] == [4, 4]


async def test_an_answer_may_repeat_the_last_number() -> None:
    """The next message then follows it without a gap."""
    async with served() as made, made.stream() as heard:
        (sid,) = await heard.subscribe(BOOKS)
        await heard.of("orderbook_snapshot")
        await made.fault(FaultKind.ANSWERS_REPEAT_NUMBER)
        params = {"sids": [sid], "action": "get_snapshot", "market_tickers": [MARKET]}
        assert (await heard.command("update_subscription", **params))["seq"] == 1
        assert (await heard.of("orderbook_snapshot"))["seq"] == 2
