"""Markets of the simulated Kalshi: paused, moved, closed, decided, settled, and who is told."""

from typing import Any

import pytest

from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.catalogue import GAME_SECONDS
from arbees.rehearsal.kalshi.engine.rules import Status
from tests.rehearsal.kalshi.served import (
    MARKET,
    NFL,
    Heard,
    Served,
    book,
    served,
)
from tests.rehearsal.kalshi.stand import START_NS, TICKER, Stand

EVENT = MARKET.rpartition("-")[0]
HOUR_NS = 3_600 * NS_PER_SECOND
LIFECYCLE = "market_lifecycle_v2"


async def row(made: Served, market: str = MARKET) -> dict[str, Any]:
    """Read a market."""
    found: dict[str, Any] = (await made.get(f"/markets/{market}")).body["market"]
    return found


async def told(heard: Heard) -> dict[str, Any]:
    """Return what the lifecycle channel says next."""
    said: dict[str, Any] = (await heard.of(LIFECYCLE))["msg"]
    return said


async def test_only_the_milestone_knows_the_start() -> None:
    """`occurrence_datetime` lies hours after it; a game that is moved moves both, untold."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(LIFECYCLE, market=None)
        spread = book(MARKET.replace("KXNBAGAME", "KXNBASPREAD"))
        made.server.show(spread)
        start_ns = START_NS + HOUR_NS
        changed = await made.control("market", ticker=MARKET, start=format_time(start_ns))
        after = format_time(start_ns + GAME_SECONDS * NS_PER_SECOND)
        assert changed["market"]["occurrence_datetime"] == after
        read = await made.get("/milestones", related_event_ticker=EVENT, limit="10")
        (game,) = read.body["milestones"]
        assert game["start_date"] == format_time(start_ns)
        assert game["related_event_tickers"] == [EVENT, EVENT.replace("GAME", "SPREAD")]
        none = await made.get("/milestones", related_event_ticker="KXNONE-1", limit="10")
        assert none.body["milestones"] == []
        await heard.nothing()


async def test_a_paused_market_cancels_what_rests_as_it_opens_again() -> None:
    """Told both times; in between orders rest, none is taken, and quotes open nothing."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(LIFECYCLE, market=None)
        placed = (await made.create(MARKET, price="0.1000")).body["order_id"]
        await made.control("market", ticker=MARKET, do="deactivate")
        assert (await told(heard))["event_type"] == "deactivated"
        made.server.show(book(bid=30))
        assert (await row(made))["status"] == "inactive"
        assert (await made.create(MARKET)).body["error"]["code"] == "market_inactive"
        assert (await made.get(f"/portfolio/orders/{placed}")).body["order"]["status"] == "resting"
        await made.control("market", ticker=MARKET, do="activate")
        assert (await told(heard))["event_type"] == "activated"
        gone = (await made.get(f"/portfolio/orders/{placed}")).body["order"]
        assert gone["status"] == "canceled"
        assert (await made.create(MARKET)).status == 201


async def test_close_ticks_and_fees_move_while_it_trades() -> None:
    """Each is told with its new value, and is in force at once."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(LIFECYCLE, market=None)
        close = format_time(4_000_000_000 * NS_PER_SECOND)
        await made.control("market", ticker=MARKET, close=close, tick="0.001")
        assert (await told(heard))["close_ts"] == 4_000_000_000
        assert (await told(heard))["price_ranges"][0]["step"] == "0.0010"
        assert (await row(made))["close_time"] == close
        assert (await made.create(MARKET, price="0.1010")).status == 201
        await made.control("fees", ticker=EVENT, fee_type="quadratic", multiplier="2")
        fee = (await heard.of("event_fee_update"))["msg"]
        assert (fee["event_ticker"], fee["fee_multiplier_override"]) == (EVENT, 2)
        taken = await made.create(MARKET, price="0.4000", time_in_force="immediate_or_cancel")
        assert float(taken.body["average_fee_paid"]) == pytest.approx(0.0336, abs=1e-4)
        await made.control("fees", ticker=EVENT, fee_type=None, multiplier=None)
        cleared = (await heard.of("event_fee_update"))["msg"]
        assert cleared["fee_type_override"] is None


async def test_fees_are_announced_before_they_are_charged() -> None:
    """Series and events, each in its list until its time comes."""
    async with served() as made:
        later = format_time(4_000_000_000 * NS_PER_SECOND)
        for ticker in ("KXNBAGAME", EVENT):
            await made.control("fees", ticker=ticker, fee_type="flat", at=later)
        series = (await made.get("/series/fee_changes")).body["series_fee_change_arr"]
        assert [(each["series_ticker"], each["scheduled_ts"]) for each in series] == [
            ("KXNBAGAME", later)
        ]
        (event,) = (await made.get("/events/fee_changes")).body["event_fee_changes"]
        assert (event["event_ticker"], event["fee_type_override"]) == (EVENT, "flat")
        assert (await made.get("/series/KXNBAGAME")).body["series"]["fee_type"] == "quadratic"


def test_an_announced_fee_takes_effect_by_itself() -> None:
    """Of a series with maker fees both sides pay, makers a quarter."""
    stand = Stand()
    later = stand.time_ns + HOUR_NS
    stand.exchange.lifecycle.charge("KXNBAGAME", "quadratic_with_maker_fees", at_ns=later)
    stand.place("bob", 40, sells=True)
    stand.place("ann", 40)
    stand.wait(3_600)
    stand.place("bob", 40, sells=True)
    stand.place("ann", 40)
    assert [fill.fee for fill in stand.exchange.fills] == [16_800, 0, 16_800, 4_200]


def test_a_market_closes_by_its_clock_without_a_word() -> None:
    """What rests is cancelled; it may open again."""
    stand = Stand()
    stand.market.close_ns = stand.time_ns + HOUR_NS
    rests = stand.place("ann", 30)
    stand.told.clear()
    stand.wait(3_600)
    assert (stand.market.status, rests.status, rests.reason) == (
        "closed",
        Status.CANCELED,
        "CloseCancel",
    )
    assert LIFECYCLE not in {each.channel for each in stand.told}
    stand.exchange.lifecycle.activate(TICKER)
    assert stand.place("ann", 30).status is Status.RESTING


@pytest.mark.parametrize(
    ("payout", "result", "ann", "bob"),
    [
        (MICRO, "yes", 10 * MICRO, 0),
        (0, "no", 0, 10 * MICRO),
        (500_000, "scalar", 5 * MICRO, 5 * MICRO),
        (370_000, "scalar", 3_700_000, 6_300_000),
    ],
)
def test_a_market_pays_what_it_was_decided_at(payout: int, result: str, ann: int, bob: int) -> None:
    """Nothing when it is determined, everything when it is final."""
    stand = Stand()
    stand.place("bob", 40, 10, sells=True)
    stand.place("ann", 40, 10)
    before = [stand.exchange.account(each).cash[3] for each in ("ann", "bob")]
    stand.exchange.lifecycle.determine(TICKER, payout)
    assert (stand.market.status, stand.market.result) == ("determined", result)
    assert [stand.exchange.account(each).cash[3] for each in ("ann", "bob")] == before
    stand.exchange.lifecycle.finalize(TICKER)
    after = [stand.exchange.account(each).cash[3] for each in ("ann", "bob")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [ann, bob]


def test_a_result_may_be_amended_before_and_after_it_is_final() -> None:
    """Before: another payout; after: what was paid is put right, to the cent."""
    stand = Stand()
    stand.place("bob", 40, 10, sells=True)
    stand.place("ann", 40, 10)
    before = stand.exchange.account("ann").cash[3]
    life = stand.exchange.lifecycle
    life.determine(TICKER, MICRO)
    life.dispute(TICKER)
    assert stand.market.status == "disputed"
    life.amend(TICKER, 500_000)
    assert stand.market.status == "amended"
    life.finalize(TICKER, fee=30_000)
    assert stand.exchange.account("ann").cash[3] == before + 5 * MICRO - 30_000
    life.amend(TICKER, 0)
    assert stand.exchange.account("ann").cash[3] == before - 30_000
    assert (stand.market.status, stand.market.result) == ("finalized", "no")


async def test_settlements_are_listed_with_what_was_held() -> None:
    """A void pays the last price; once put away, market and settlement are gone from the lists."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe(LIFECYCLE, market=None)
        await made.create(MARKET, price="0.4000", count="3.00", time_in_force="immediate_or_cancel")
        await made.control("market", ticker=MARKET, do="void")
        said = await told(heard)
        assert (said["event_type"], said["result"], said["settlement_value"]) == (
            "determined",
            "scalar",
            "0.4000",
        )
        assert (await row(made))["settlement_value_dollars"] == "0.4000"
        await made.control("market", ticker=MARKET, do="finalize")
        assert (await told(heard))["event_type"] == "settled"
        (paid,) = (await made.get("/portfolio/settlements")).body["settlements"]
        assert (paid["market_result"], paid["value"], paid["revenue"]) == ("scalar", 40, 120)
        assert (paid["yes_count_fp"], paid["yes_total_cost_dollars"]) == ("3.00", "1.200000")
        await made.control("market", ticker=MARKET, do="archive")
        assert (await made.get("/portfolio/settlements")).body["settlements"] == []
        assert (await made.get(f"/markets/{MARKET}")).status == 404
        assert (await made.get(f"/historical/markets/{MARKET}")).status == 200


async def test_odd_markets_can_be_made() -> None:
    """A close of the year 1; an event that is not there."""
    async with served() as made:
        made.server.show(book(NFL))
        await made.control(
            "market", ticker=NFL, odd={"close_time": "0001-01-01T00:00:00Z"}, do="lose_event"
        )
        assert (await row(made, NFL))["close_time"] == "0001-01-01T00:00:00Z"
        assert (await made.get(f"/events/{NFL.rpartition('-')[0]}")).status == 404
        assert (await made.get(f"/events/{EVENT}")).status == 200


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("market", {"ticker": "NONE"}, "expected a market"),
        ("market", {"ticker": MARKET, "do": "explode"}, "was explode"),
        ("market", {"ticker": MARKET, "do": "finalize"}, "determined"),
        ("market", {"ticker": MARKET, "do": "determine"}, "payout"),
        ("market", {"ticker": MARKET, "close": "soon"}, "soon"),
        ("market", {"ticker": MARKET, "colour": "red"}, "colour"),
        ("fees", {"ticker": "NONE"}, "a series or an event"),
    ],
)
async def test_the_control_says_what_it_expected(
    name: str, asked: dict[str, Any], said: str
) -> None:
    """400, and nothing is changed."""
    async with served() as made:
        answer = await made.control(name, expects=400, **asked)
        assert said in answer["error"]
        assert (await row(made))["status"] == "active"


async def test_one_shard_is_paused_and_the_others_trade() -> None:
    """Orders there are refused, cancels taken; the top of the status speaks of shard 0 alone."""
    async with served() as made:
        made.server.show(book(NFL))
        placed = (await made.create(MARKET, price="0.1000")).body["order_id"]
        await made.fault("trading_pause", shard=3)
        status = (await made.get("/exchange/status")).body
        assert status["trading_active"] is True
        assert [each["trading_active"] for each in status["exchange_index_statuses"]] == [
            True,
            True,
            True,
            False,
        ]
        assert (await made.create(MARKET)).body["error"]["code"] == "trading_is_paused"
        assert (await made.create(NFL)).status == 201
        path = f"/portfolio/events/orders/{placed}"
        gone = await made.call("DELETE", path, query={"market_ticker": MARKET})
        assert gone.status == 200


async def test_a_market_says_that_it_has_no_settlement_bounds() -> None:
    """In the word that Kalshi's own client takes; an empty one it refuses."""
    async with served() as made:
        assert (await row(made))["settlement_bounds_type"] == "default"
