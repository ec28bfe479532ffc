"""Safeguards as operators see them: settings, and exactly the room that the next order has."""

from decimal import Decimal
from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import Filled
from arbees.core.deciding.verdicts import verdicts_of
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action
from arbees.interface.operator import SafeguardView, Usage
from arbees.safeguards.balance import Balance
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.game_exposure import GameExposure
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.open_orders import OpenOrders
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.rate_limit import RateLimit
from arbees.safeguards.sport_exposure import SportExposure
from arbees.safeguards.total_exposure import TotalExposure
from arbees.safeguards.unknown_orders import UnknownOrders
from arbees.settings import load
from tests.runtime.rig import Rig, fill, running
from tests.safeguards.build import KALSHI

ALL: tuple[Any, ...] = (
    OrderSize(),
    RateLimit(),
    OpenOrders(),
    MarketExposure(),
    GameExposure(),
    SportExposure(),
    TotalExposure(),
    Balance(),
    DailyLoss(),
    UnknownOrders(),
)
SCOPES = {
    "all",
    f"market:{KALSHI}",
    "game:nba_BOS@ATL",
    "sport:NBA",
    "platform:Kalshi",
}


async def shown(rig: Rig) -> dict[str, SafeguardView]:
    """Return the safeguards by name."""
    return {each.name: each for each in (await rig.gateway.safeguards()).items}


async def rooms(rig: Rig) -> dict[str, Usage]:
    """Return the use of each limit that the next order counts in, by code."""
    return {
        use.code: use
        for each in (await shown(rig)).values()
        for use in each.used
        if use.scope in SCOPES
    }


def headrooms(approved: events.OrderApproved) -> dict[str, int]:
    """Return the headroom that each verdict of an approval told."""
    verdicts = verdicts_of(approved.verdicts)
    return {each[1]: each[4] for each in verdicts if each[0] == "Pass" and each[4] is not None}


@pytest.mark.parametrize("size", [1, 7, 20])
async def test_what_is_shown_is_what_the_next_verdict_counts_from(size: int) -> None:
    """For each limit: the headroom shown, less what the order takes, is that of its verdict."""
    async with running(*ALL) as rig:
        await rig.rest("a", size=5 * MICRO)
        order = await rig.rest("b")
        rig.kalshi.report(Filled(fill=fill(order, 4 * MICRO)))
        await rig.settle()
        before = await rooms(rig)
        await rig.ask("next", size=size * MICRO)
        approved = rig.events(events.OrderApproved)[-1]
        told = headrooms(approved)
        reserved = approved.reserved
        worst = reserved.loss_no
        taken = {
            "RATE_LIMIT_MINUTE": 1,
            "RATE_LIMIT_HOUR": 1,
            "MAX_OPEN_ORDERS": 1,
            "MAX_UNKNOWN_ORDERS": 0,
            "INSUFFICIENT_BALANCE": reserved.cash,
            "MAX_DAILY_LOSS": reserved.day_loss,
            **dict.fromkeys(
                (
                    "MAX_POSITION_PER_MARKET",
                    "MAX_GAME_EXPOSURE",
                    "MAX_SPORT_EXPOSURE",
                    "MAX_TOTAL_EXPOSURE",
                ),
                worst,
            ),
        }
        for code, less in taken.items():
            is_count = code.startswith(("RATE", "MAX_OPEN", "MAX_UNKNOWN"))
            left = before[code].headroom * (1 if is_count else MICRO)
            assert left - less == told[code], code
        assert rig.events(events.RequestDenied) == []


async def test_the_last_order_that_fits_leaves_nothing() -> None:
    """Exactly the headroom passes, and then none is left; one millionth more is denied."""
    async with running(MarketExposure(13 * MICRO)) as rig:
        await rig.ask("a")
        (use,) = (await shown(rig))["market_exposure"].used
        assert (use.value, use.headroom) == (Decimal("6.5"), Decimal("6.5"))
        denied = await rig.ask("b", size=10_000_001)
        assert denied.code == "MAX_POSITION_PER_MARKET"
        assert (await rig.ask("c")).status == "Pending"
        (use,) = (await shown(rig))["market_exposure"].used
        assert use.headroom == 0


async def test_denials_of_today() -> None:
    """Counted by safeguard; tomorrow they begin anew."""
    async with running(OrderSize(MICRO), MarketExposure(MICRO)) as rig:
        await rig.ask("a")
        await rig.ask("b")
        found = await shown(rig)
        assert [each.denials_today for each in found.values()] == [2, 2]
        await rig.wait(9 * 3_600)
        assert [each.denials_today for each in (await shown(rig)).values()] == [0, 0]


async def test_one_that_is_off_is_there() -> None:
    """With its settings and without a use: nothing is limited by it."""
    settings = load({"DISABLED_SAFEGUARDS": "market_exposure", "DISABLED_SAFEGUARDS_REASON": "x"})
    sheets = settings.sheets()
    async with running(*settings.safeguards, sheets=sheets, disabled=settings.disabled) as rig:
        await rig.ask()
        found = await shown(rig)
        assert list(found) == list(sheets)
        off = found["market_exposure"]
        assert (off.enabled, off.used) == (False, ())
        assert off.settings == {"MAX_POSITION_PER_MARKET": "200"}
        assert found["game_exposure"].enabled


def test_settings_are_texts_without_secrets() -> None:
    """As people write them, in the order of evaluation, every safeguard."""
    sheets = load({"MAX_ORDER_SIZE": "50", "RECONCILE_POLICY": "halt"}).sheets()
    assert next(iter(sheets)) == "authorization"
    assert len(sheets) == 23
    assert sheets["order_size"]["MAX_ORDER_SIZE"] == "50"
    assert sheets["reconciliation"]["RECONCILE_POLICY"] == "halt"
    assert all(isinstance(text, str) for sheet in sheets.values() for text in sheet.values())


async def test_reducing_orders_have_room_of_their_own() -> None:
    """It is shown apart, and counts apart."""
    async with running(RateLimit(max_orders_per_minute=2)) as rig:
        order = await rig.rest("a")
        rig.kalshi.report(Filled(fill=fill(order, 10 * MICRO)))
        await rig.settle()
        await rig.ask("out", action=Action.SELL, size=MICRO)
        used = {(use.scope, use.code): use.value for use in (await shown(rig))["rate_limit"].used}
        assert used["all", "RATE_LIMIT_MINUTE"] == used["reducing", "RATE_LIMIT_MINUTE"] == 1
