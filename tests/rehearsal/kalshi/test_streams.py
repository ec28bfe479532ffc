"""The streams of the simulated Kalshi: numbered books, own orders without numbers or replay."""

import aiohttp
import pytest
from msgspec.structs import replace

from arbees.rehearsal.kalshi.engine.faults import FaultKind
from tests.rehearsal.kalshi.served import (
    MARKET,
    NFL,
    Heard,
    Served,
    book,
    served,
)

IOC = "immediate_or_cancel"
OWN = ("user_orders", "fill", "market_positions")


def numbers(heard: Heard, sid: int) -> list[int]:
    """Return the numbers of a subscription's messages, as they came."""
    return [each["seq"] for each in heard.all if each.get("sid") == sid and "seq" in each]


async def quote_again(made: Served, heard: Heard) -> None:
    """Show another book, and wait until all of it was told."""
    made.server.show(book(bid=37, ask=41))
    await heard.until(lambda said: said["msg"].get("price_dollars") == "0.5900")


async def test_a_book_is_a_snapshot_and_then_numbered_changes() -> None:
    """Numbers begin at one and miss none; the changes lead from the snapshot to the book."""
    async with served() as made, made.stream() as heard:
        (sid,) = await heard.subscribe("orderbook_delta")
        snapshot = await heard.of("orderbook_snapshot")
        assert snapshot["msg"]["yes_dollars_fp"] == [["0.3800", "100.00"]]
        assert snapshot["msg"]["no_dollars_fp"] == [["0.6000", "100.00"]]
        await quote_again(made, heard)
        assert numbers(heard, sid) == list(range(1, len(numbers(heard, sid)) + 1))
        levels = {("yes", "0.3800"): 100.0, ("no", "0.6000"): 100.0}
        for said in heard.all:
            if said["type"] == "orderbook_delta":
                at = said["msg"]["side"], said["msg"]["price_dollars"]
                levels[at] = levels.get(at, 0.0) + float(said["msg"]["delta_fp"])
        assert {at: size for at, size in levels.items() if size} == {
            ("yes", "0.3700"): 100.0,
            ("no", "0.5900"): 100.0,
        }


async def test_an_empty_side_is_left_out() -> None:
    """A book without bids has no field for them."""
    async with served() as made, made.stream() as heard:
        made.server.show(replace(book(), bids=()))
        await heard.subscribe("orderbook_delta")
        said = (await heard.of("orderbook_snapshot"))["msg"]
        assert "yes_dollars_fp" not in said
        assert "no_dollars_fp" in said


async def test_markets_are_added_and_taken_away() -> None:
    """The answer has the next number, a new market comes with its snapshot, a gone one is mute."""
    async with served() as made, made.stream() as heard:
        made.server.show(book(NFL))
        (sid,) = await heard.subscribe("orderbook_delta")
        await heard.of("orderbook_snapshot")
        for action, market in (("add_markets", NFL), ("get_snapshot", MARKET)):
            said = await heard.command(
                "update_subscription", sids=[sid], action=action, market_tickers=[market]
            )
            assert (said["type"], said["sid"]) == ("ok", sid)
            assert (await heard.of("orderbook_snapshot"))["msg"]["market_ticker"] == market
        await heard.command(
            "update_subscription", sids=[sid], action="delete_markets", market_tickers=[MARKET]
        )
        made.server.show(book(bid=30))
        await heard.nothing()
        assert numbers(heard, sid) == [1, 2, 3, 4, 5, 6]


async def test_own_channels_have_no_numbers() -> None:
    """Orders, fills and positions come as they happen; nothing of them can be counted."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(*OWN, market=None)
        name = "mine-1"
        await made.create(MARKET, price="0.4000", time_in_force=IOC, client_order_id=name)
        fill = await heard.of("fill")
        position = await heard.of("market_position")
        order = await heard.of("user_order")
        assert (fill["msg"]["client_order_id"], fill["msg"]["count_fp"]) == (name, "1.00")
        assert (order["msg"]["client_order_id"], order["msg"]["status"]) == (name, "executed")
        assert position["msg"]["position_fp"] == "1.00"
        assert not any("seq" in each for each in (fill, position, order))


async def test_what_was_missed_is_never_told() -> None:
    """A stream that comes later begins with what comes next."""
    async with served() as made:
        await made.create(MARKET, price="0.4000", time_in_force=IOC)
        async with made.stream() as heard:
            await heard.subscribe(*OWN, market=None)
            await heard.nothing()


async def test_ones_own_order_is_named_in_the_book() -> None:
    """The change that an order of ours causes carries its id."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe("orderbook_delta", "ticker")
        await made.create(MARKET, price="0.3900", client_order_id="mine-2")
        delta = await heard.of("orderbook_delta")
        assert (delta["msg"]["client_order_id"], delta["msg"]["delta_fp"]) == ("mine-2", "1.00")
        assert (await heard.of("ticker"))["msg"]["yes_bid_dollars"] == "0.3900"


async def test_order_groups_tell_what_becomes_of_them() -> None:
    """Created, triggered, reset, deleted: in order, with numbers."""
    async with served() as made, made.stream() as heard:
        (sid,) = await heard.subscribe("order_group_updates", market=None)
        groups = "/portfolio/order_groups"
        body = {"contracts_limit": 10, "exchange_index": 3}
        group = (await made.call("POST", f"{groups}/create", body)).body["order_group_id"]
        for word in ("trigger", "reset"):
            await made.call("PUT", f"{groups}/{group}/{word}", {}, query={"exchange_index": "3"})
        await made.call("DELETE", f"{groups}/{group}", query={"exchange_index": "3"})
        await heard.until(lambda said: said.get("msg", {}).get("event_type") == "deleted")
        words = [each["msg"]["event_type"] for each in heard.all if "event_type" in each["msg"]]
        assert words == ["created", "triggered", "reset", "triggered", "deleted"]
        assert numbers(heard, sid) == [1, 2, 3, 4, 5]


async def test_unsubscribing_ends_it() -> None:
    """What was subscribed is listed, and is silent once it is not any more."""
    async with served() as made, made.stream() as heard:
        sids = await heard.subscribe("fill", "user_orders", market=None)
        listed = (await heard.command("list_subscriptions"))["msg"]
        assert [each["channel"] for each in listed] == ["fill", "user_orders"]
        await heard.command("unsubscribe", sids=sids)
        assert heard.all[-1]["type"] == "unsubscribed"
        await made.create(MARKET)


@pytest.mark.parametrize(
    ("word", "params", "code"),
    [
        ("subscribe", {"channels": ["none"]}, 8),
        ("unsubscribe", {}, 4),
        ("unsubscribe", {"sids": [99]}, 7),
        ("update_subscription", {"sids": [99], "action": "add_markets"}, 7),
        ("dance", {}, 5),
    ],
)
async def test_a_bad_command_has_a_numbered_error(
    word: str, params: dict[str, object], code: int
) -> None:
    """In the shape of the document, and the stream goes on."""
    async with served() as made, made.stream() as heard:
        said = await heard.command(word, **params)
        assert (said["type"], said["msg"]["code"]) == ("error", code)
        await heard.subscribe("fill", market=None)


async def test_what_cannot_be_read_is_told() -> None:
    """No JSON: error 1, without a number of a command."""
    async with served() as made, made.stream() as heard:
        await heard.socket.send_str("{")
        assert (await heard.of("error"))["msg"]["code"] == 1


async def test_a_stream_needs_a_signature() -> None:
    """401 at the handshake."""
    async with served() as made, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(made.root + "/trade-api/ws/v2")
        assert caught.value.status == 401


async def test_a_silent_stream_stays_open() -> None:
    """Nothing comes, no end either; healed, it goes on with a gap in its numbers."""
    async with served() as made, made.stream() as heard:
        (sid,) = await heard.subscribe("orderbook_delta")
        await heard.of("orderbook_snapshot")
        made.server.fault(FaultKind.STREAM_SILENT)
        made.server.show(book(bid=30))
        await heard.nothing()
        assert not heard.socket.closed
        made.server.heal()
        made.server.show(book(bid=31))
        await heard.of("orderbook_delta")
        found = numbers(heard, sid)
        assert found[-1] - found[-2] > 1


async def test_a_closed_stream_is_cut_without_a_word() -> None:
    """The connection ends; a new one is taken at once."""
    async with served() as made:
        async with made.stream() as heard:
            await heard.subscribe("fill", market=None)
            made.server.fault(FaultKind.STREAM_CLOSED)
            frame = await heard.socket.receive(2)
            assert frame.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        async with made.stream() as heard:
            await heard.subscribe("fill", market=None)


async def test_fills_may_come_twice_or_after_the_end() -> None:
    """Both as faults: each fill twice; the end of the order before its fill."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(*OWN, market=None)
        made.server.fault(FaultKind.DUPLICATE_FILLS)
        await made.create(MARKET, price="0.4000", time_in_force=IOC)
        twice = [await heard.of("fill") for _ in range(2)]
        assert twice[0]["msg"] == twice[1]["msg"]
        made.server.heal()
        heard.all.clear()
        made.server.fault(FaultKind.REORDERED_FILLS)
        await made.create(MARKET, price="0.4000", time_in_force=IOC)
        await heard.of("fill")
        kinds = [each["type"] for each in heard.all]
        assert kinds.index("user_order") < kinds.index("fill")
