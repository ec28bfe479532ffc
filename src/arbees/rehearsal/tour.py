"""A tour of the safeguards: for each, the smallest story that ends in its denial.

Guarantees that each safeguard that can deny on paper is seen to deny, by the way that real
requests go. The demonstration prints it, and a test walks it.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.rehearsal.scene import MARKET, Scene
from arbees.venues.paper.faults import Fault

OTHER = "KXNBAGAME-26JAN28DENLAL-LAL"


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """One stop of the tour."""

    safeguard: str
    code: str
    story: str
    tell: Callable[[Scene], Awaitable[Result]]
    settings: Mapping[str, str] = {}
    toml: str = ""


async def _halted(scene: Scene) -> Result:
    await scene.quote()
    await scene.assembly.gateway.kill_switch(
        "ENABLE", scope="all", reason="a drill", source="command", actor="operator"
    )
    return await scene.ask()


async def _stale(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask(age=31)


async def _retired(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask(model_version="nba-v1")


async def _unknown_market(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask(market="KXNBAGAME-26JAN28HOUBOS-BSO")


async def _oversold(scene: Scene) -> Result:
    await scene.quote()
    await scene.ask(size="10")
    return await scene.ask(size="11", price="0.59", action=Action.SELL)


async def _outside_hours(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask()


async def _too_large(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask(size="500")


async def _extreme(scene: Scene) -> Result:
    await scene.quote("0.96", "0.97")
    return await scene.ask(price="0.97")


async def _through(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask(price="0.75")


async def _burst(scene: Scene) -> Result:
    await scene.quote()
    for _ in range(20):
        last = await scene.ask(size="1")
    return await scene.ask(size="1") if last.final else last


async def _repeatedly(scene: Scene) -> Result:
    await scene.quote()
    for _ in range(3):
        last = await scene.ask()
        last = await scene.ask(price="0.59", action=Action.SELL)
    return await scene.ask() if last.final else last


async def _against_itself(scene: Scene) -> Result:
    await scene.quote()
    await scene.ask(size="10", price="0.61")
    await scene.ask(price="0.60", time_in_force=TimeInForce.GTC)
    return await scene.ask(
        size="10", price="0.60", action=Action.SELL, time_in_force=TimeInForce.GTC
    )


async def _too_many_open(scene: Scene) -> Result:
    await scene.quote()
    for price in ("0.55", "0.56", "0.57"):
        await scene.ask(size="1", price=price, time_in_force=TimeInForce.GTC)
    return await scene.ask(size="1", price="0.54", time_in_force=TimeInForce.GTC)


async def _market_full(scene: Scene) -> Result:
    await scene.quote()
    for _ in range(3):
        await scene.ask(size="100")
    return await scene.ask(size="100")


async def _game_full(scene: Scene) -> Result:
    await scene.quote()
    await scene.quote(market="KXNBATOTAL-26JAN28HOUBOS-220", ask="0.52", bid="0.50")
    await scene.ask(size="100")
    return await scene.ask(size="100", market="KXNBATOTAL-26JAN28HOUBOS-220", price="0.52")


async def _two_games(scene: Scene) -> Result:
    await scene.quote()
    await scene.quote(market=OTHER, game="nba_DEN@LAL")
    await scene.ask(size="100")
    return await scene.ask(size="100", market=OTHER)


async def _poor(scene: Scene) -> Result:
    await scene.quote()
    return await scene.ask(size="80")


async def _bad_day(scene: Scene) -> Result:
    await scene.quote()
    await scene.quote(market=OTHER, game="nba_DEN@LAL")
    await scene.ask(size="100")
    await scene.settle(Side.NO)
    return await scene.ask(market=OTHER)


async def _not_knowing(scene: Scene) -> Result:
    await scene.quote()
    faults = scene.assembly.exchange.faults
    faults.set(Fault.LOST_BEFORE, times=1)
    faults.set(Fault.READ_LAG)
    await scene.ask()
    return await scene.ask()


async def _outage(scene: Scene) -> Result:
    await scene.quote()
    scene.assembly.exchange.faults.set(Fault.OUTAGE, platform=Platform.KALSHI)
    for _ in range(5):
        last = await scene.ask(size="1")
        await scene.wait(4)
    return await scene.ask(size="1") if last.final else last


async def _disagreement(scene: Scene) -> Result:
    await scene.quote()
    planted = events.BreakOpened(
        break_id=f"Kalshi|position|{MARKET}",
        kind="position",
        platform=Platform.KALSHI,
        market_key=MARKET,
        expected="0 Yes",
        observed="10 Yes",
        policy="freeze_market",
    )
    scene.assembly.gateway.desk.writer.tell(commands.Record(events=(planted,)))
    await scene.player.settle()
    return await scene.ask()


STOPS: tuple[Stop, ...] = (
    Stop(safeguard="kill_switch", code="HALTED", story="Somebody pulled the switch.", tell=_halted),
    Stop(
        safeguard="freshness",
        code="STALE_SIGNAL",
        story="A signal that waited 31 seconds in a queue.",
        tell=_stale,
    ),
    Stop(
        safeguard="model_version",
        code="MODEL_VERSION_DENIED",
        story="A retired model is still running somewhere.",
        tell=_retired,
        settings={"MODEL_VERSIONS_DENIED": "nba-v1"},
    ),
    Stop(
        safeguard="market",
        code="MARKET_UNKNOWN",
        story="Two letters of the ticker swapped.",
        tell=_unknown_market,
    ),
    Stop(
        safeguard="holding",
        code="SELL_EXCEEDS_POSITION",
        story="Sell 11 of the 10 that are held.",
        tell=_oversold,
    ),
    Stop(
        safeguard="trading_window",
        code="OUTSIDE_WINDOW",
        story="NBA is set to trade from 19:00 in New York; it is 18:00.",
        tell=_outside_hours,
        toml='[trading_window.NBA]\nhours = "19:00-23:59"\nzone = "America/New_York"\n',
    ),
    Stop(
        safeguard="order_size",
        code="MAX_ORDER_SIZE",
        story="500 contracts instead of 50.",
        tell=_too_large,
    ),
    Stop(
        safeguard="price_range",
        code="PRICE_OUT_OF_RANGE",
        story="Pay 97 cents to win three.",
        tell=_extreme,
    ),
    Stop(
        safeguard="price_reference",
        code="THROUGH_QUOTE",
        story="Bid 0.75 where 0.61 is asked.",
        tell=_through,
    ),
    Stop(
        safeguard="rate_limit",
        code="RATE_LIMIT_MINUTE",
        story="A loop without a brake: 21 orders at once.",
        tell=_burst,
    ),
    Stop(
        safeguard="repeated_execution",
        code="REPEATED_EXECUTION",
        story="In, out, in, out, in, out, in.",
        tell=_repeatedly,
        settings={"MAX_REPEATED_EXECUTIONS": "2"},
    ),
    Stop(
        safeguard="opposing_order",
        code="SELF_TRADE",
        story="Sell at 0.60 into its own bid at 0.60.",
        tell=_against_itself,
    ),
    Stop(
        safeguard="open_orders",
        code="MAX_OPEN_ORDERS",
        story="A fourth resting order of three.",
        tell=_too_many_open,
        settings={"MAX_OPEN_ORDERS": "3"},
    ),
    Stop(
        safeguard="market_exposure",
        code="MAX_POSITION_PER_MARKET",
        story="Four times $61 in one market of $200.",
        tell=_market_full,
    ),
    Stop(
        safeguard="game_exposure",
        code="MAX_GAME_EXPOSURE",
        story="Winner and total of the same game.",
        tell=_game_full,
        settings={"MAX_GAME_EXPOSURE": "100"},
    ),
    Stop(
        safeguard="sport_exposure",
        code="MAX_SPORT_EXPOSURE",
        story="Two games, one sport.",
        tell=_two_games,
        toml="[sport_exposure.limits]\nNBA = 100\n",
    ),
    Stop(
        safeguard="total_exposure",
        code="MAX_TOTAL_EXPOSURE",
        story="Two games, one account.",
        tell=_two_games,
        settings={"MAX_TOTAL_EXPOSURE": "100"},
    ),
    Stop(
        safeguard="balance",
        code="INSUFFICIENT_BALANCE",
        story="$48.80 with $50 in the account.",
        tell=_poor,
        settings={"PAPER_BALANCE": "50"},
    ),
    Stop(
        safeguard="daily_loss",
        code="MAX_DAILY_LOSS",
        story="$61 was lost at settlement; the limit of the day is $65.",
        tell=_bad_day,
        settings={"MAX_DAILY_LOSS": "65"},
    ),
    Stop(
        safeguard="unknown_orders",
        code="UNKNOWN_IN_MARKET",
        story="The last order got no answer, and the venue's reads lag.",
        tell=_not_knowing,
    ),
    Stop(
        safeguard="venue_health",
        code="VENUE_UNAVAILABLE",
        story="Five orders in a row could not reach the venue.",
        tell=_outage,
    ),
    Stop(
        safeguard="reconciliation",
        code="RECONCILIATION_BREAK",
        story="The venue says that we hold 10 which we do not know of.",
        tell=_disagreement,
    ),
)
"""Every safeguard but `authorization`, which denies only what is live."""
