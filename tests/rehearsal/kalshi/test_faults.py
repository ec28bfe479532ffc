"""Faults of the simulated Kalshi: each happens exactly as often as it was asked for."""

import aiohttp
import pytest

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import (
    STANDING,
    ExchangeFault,
    ExchangeFaults,
    FaultKind,
    parse_fault,
)
from tests.rehearsal.kalshi.served import MARKET, Served, served
from tools.conformity.caller import ORDERS, Answer

IOC = "immediate_or_cancel"
LOST = (FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.RESET)
TAKEN = (
    FaultKind.LOST_AFTER,
    FaultKind.RESET,
    FaultKind.ERROR_AFTER,
    FaultKind.EMPTY_SUCCESS,
    FaultKind.LATE,
)
NOT_TAKEN = (FaultKind.LOST_BEFORE, FaultKind.ERROR_BEFORE, FaultKind.RATE_LIMITED)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stream_silent", ExchangeFault(kind=FaultKind.STREAM_SILENT)),
        (
            "late:call=read,seconds=1.5,count=7",
            ExchangeFault(kind=FaultKind.LATE, call="read", seconds=1.5, count=7),
        ),
        (
            '{"kind": "edited", "path": "/markets", "edits": {"cursor": null}}',
            ExchangeFault(kind=FaultKind.EDITED, path="/markets", edits={"cursor": None}),
        ),
    ],
)
def test_a_fault_can_be_typed(text: str, fault: ExchangeFault) -> None:
    """Its kind alone, with fields, or as JSON."""
    assert parse_fault(text) == fault


async def ask(made: Served) -> Answer | None:
    """Place an order; None = no answer came."""
    try:
        return await made.create(MARKET)
    except aiohttp.ClientError:
        return None


@pytest.mark.parametrize("kind", [*TAKEN, *NOT_TAKEN])
async def test_it_happens_as_often_as_asked_and_then_no_more(kind: FaultKind) -> None:
    """Twice, counted; what is lost afterwards was taken, what fails before was not."""
    async with served() as made:
        await made.fault(kind, count=2, seconds=0.01)
        for _ in range(2):
            answer = await ask(made)
            assert (answer is None) is (kind in LOST)
        taken = len((await made.get("/portfolio/orders")).body["orders"])
        assert taken == (2 if kind in TAKEN else 0)
        state = await made.state()
        assert state["happened"] == {kind: 2}
        good = await ask(made)
        assert good is not None
        assert (good.status, bool(good.body["order_id"])) == (201, True)
        assert (await made.state())["happened"] == {kind: 2}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.ERROR_BEFORE, 500),
        (FaultKind.ERROR_AFTER, 503),
        (FaultKind.RATE_LIMITED, 429),
        (FaultKind.EMPTY_SUCCESS, 200),
    ],
)
async def test_a_wrong_answer_has_its_status(kind: FaultKind, status: int) -> None:
    """None of them names an order."""
    async with served() as made:
        await made.fault(kind)
        answer = await ask(made)
        assert answer is not None
        assert answer.status == status
        assert "order_id" not in answer.body


async def test_it_happens_to_the_calls_that_it_names() -> None:
    """A fault of cancels leaves orders and reads alone, and waits for its call."""
    async with served() as made:
        await made.fault(FaultKind.ERROR_AFTER, call="cancel")
        order = (await made.create(MARKET)).body["order_id"]
        assert (await made.get("/portfolio/orders")).status == 200
        gone = await made.call("DELETE", f"{ORDERS}/{order}", query={"market_ticker": MARKET})
        assert gone.status == 503
        assert (await made.get(f"/portfolio/orders/{order}")).body["order"]["status"] == "canceled"


async def test_an_order_is_missing_from_lists_for_a_while() -> None:
    """From the list and by its id; the fills have it all the same."""
    async with served() as made:
        await made.fault(FaultKind.HIDDEN, seconds=3600)
        made_order = await made.create(MARKET, price="0.4000", time_in_force=IOC)
        order = made_order.body["order_id"]
        assert (await made.get("/portfolio/orders")).body["orders"] == []
        assert (await made.get(f"/portfolio/orders/{order}")).status == 404
        assert len((await made.get("/portfolio/fills")).body["fills"]) == 1
        made.server.rest.desk.hidden.clear()
        assert len((await made.get("/portfolio/orders")).body["orders"]) == 1


async def test_a_cancel_may_be_answered_although_the_order_filled() -> None:
    """200 with all of it, and a fill of all of it."""
    async with served() as made:
        order = (await made.create(MARKET, price="0.2000", count="4.00")).body["order_id"]
        await made.fault(FaultKind.CANCEL_YET_FILLED, call="cancel")
        path = f"{ORDERS}/{order}"
        gone = await made.call("DELETE", path, query={"market_ticker": MARKET})
        assert (gone.status, gone.body["reduced_by"]) == (200, "4.00")
        row = (await made.get(f"/portfolio/orders/{order}")).body["order"]
        assert (row["status"], row["fill_count_fp"]) == ("executed", "4.00")


async def test_every_other_item_of_a_batch_may_fail() -> None:
    """The answer tells which; what failed was not placed."""
    async with served() as made:
        await made.fault(FaultKind.PARTIAL_BATCH, call="batch")
        item = {
            "ticker": MARKET,
            "side": "bid",
            "count": "1.00",
            "price": "0.0100",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "maker",
        }
        rows = (await made.call("POST", f"{ORDERS}/batched", {"orders": [item] * 4})).body["orders"]
        assert ["error" in row for row in rows] == [False, True, False, True]
        assert len((await made.get("/portfolio/orders")).body["orders"]) == 2


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (FaultKind.TRADING_PAUSE, "trading_is_paused", {"exchange_active": True}),
        (FaultKind.EXCHANGE_PAUSE, "exchange_is_paused", {"exchange_active": False}),
    ],
)
async def test_pauses_stand_until_they_are_healed(
    kind: FaultKind, code: str, status: dict[str, bool]
) -> None:
    """Orders are refused by the venue's words, and its status says it."""
    async with served() as made:
        await made.fault(kind)
        for _ in range(2):
            answer = await made.create(MARKET)
            assert (answer.status, answer.body["error"]["code"]) == (409, code)
        said = (await made.get("/exchange/status")).body
        assert (said["exchange_active"], said["trading_active"]) == (*status.values(), False)
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{made.root}/control/faults")
        assert (await made.create(MARKET)).status == 201


async def test_a_clock_that_is_off_refuses_and_says_its_time() -> None:
    """A minute ahead: 401 for us, and its `Date` is a minute ahead."""
    async with served() as made:
        await made.fault(FaultKind.CLOCK_SKEW, seconds=60)
        answer = await made.create(MARKET)
        assert (answer.status, answer.body["error"]["code"]) == (401, "header_timestamp_expired")


async def test_an_exchange_that_cannot_be_reached_is_back_when_healed() -> None:
    """Every call is cut, reads too; nothing of it was taken."""
    async with served() as made:
        await made.fault(FaultKind.UNREACHABLE)
        assert await ask(made) is None
        with pytest.raises(aiohttp.ClientError):
            await made.get("/exchange/status")
        made.server.heal()
        assert (await made.get("/portfolio/orders")).body["orders"] == []


async def test_a_fault_that_is_none_is_refused() -> None:
    """400, and nothing happens."""
    async with served() as made, aiohttp.ClientSession() as session:
        for body in (b'{"kind": "bad_luck"}', b'{"kind": "late", "often": 1}', b"{"):
            async with session.post(f"{made.root}/control/faults", data=body) as answer:
                assert answer.status == 400
        assert (await made.create(MARKET)).status == 201


@pytest.mark.parametrize("kind", sorted(STANDING))
def test_what_stands_ends_by_the_clock(kind: FaultKind) -> None:
    """It holds for its seconds, without being used up, and not a moment longer."""
    faults = ExchangeFaults()
    faults.add(ExchangeFault(kind=kind, for_seconds=2.0), 0)
    for now_ns in (0, 1, 2 * NS_PER_SECOND - 1):
        assert faults.standing(kind, now_ns) is not None
    assert faults.standing(kind, 2 * NS_PER_SECOND) is None
