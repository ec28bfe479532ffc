"""Drills of the safeguards that add up: exposures, balance, loss, rates, counts of orders."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from arbees.core.book.book import HOUR_NS, MINUTE_NS
from arbees.core.book.open_order import Reservation
from arbees.core.book.reservation import reserve
from arbees.core.language.units import MICRO, format_dollars
from arbees.core.language.words import (
    Action,
    HaltSource,
    Platform,
    Side,
    TimeInForce,
)
from arbees.rehearsal.drills.generous import only
from arbees.rehearsal.drills.orders import SIZE_MAX
from arbees.rehearsal.drills.stage import (
    HALF,
    MARKET,
    OTHER_MARKET,
    SPORT,
    STRATEGY,
    DrillStage,
    Theatre,
)
from arbees.safeguards.balance import Balance, stale_after
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.game_exposure import GameExposure
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.open_orders import OpenOrders
from arbees.safeguards.opposing_order import OpposingOrder
from arbees.safeguards.rate_limit import HOUR_MAX, MINUTE_MAX, NO_LIMITS, RateLimit
from arbees.safeguards.repeated_execution import RepeatedExecution
from arbees.safeguards.sport_exposure import SportExposure
from arbees.safeguards.total_exposure import TotalExposure
from arbees.safeguards.unknown_orders import UnknownOrders
from arbees.venues.kalshi.spec import KALSHI
from arbees.venues.paper.faults import Fault

COUNT_MAX = 2_000
"""Orders that a drill sends one by one; a higher limit is proved at this one instead."""
ASK = 510_000
LOSS_MAX = 1_000_000_000 * MICRO
"""A limit of the day's loss that no drill reaches."""
ELSEWHERE = "70000000000000000001"
"""Of the market on the other venue."""


def _bounded(theatre: Theatre, limit: int, name: str) -> int:
    """Return a limit of orders that a drill can reach."""
    if limit > COUNT_MAX:
        theatre.note(f"{name} is {limit}; the safeguard is tried with {COUNT_MAX}")
    return min(limit, COUNT_MAX)


# Exposure --------------------------------------------------------------------------------------


async def market_exposure(theatre: Theatre) -> None:
    """Fill a market's limit with what rests and one more order, and go a millionth beyond."""
    mine = theatre.settings.section(MarketExposure)
    await _exposure(
        theatre, mine, mine.max_position_per_market, "MAX_POSITION_PER_MARKET", second=MARKET
    )


async def game_exposure(theatre: Theatre) -> None:
    """Do the same over the markets of a game on both venues."""
    mine = theatre.settings.section(GameExposure)
    await _exposure(theatre, mine, mine.max_game_exposure, "MAX_GAME_EXPOSURE")


async def sport_exposure(theatre: Theatre) -> None:
    """Do the same over the games of a sport, and of each sport with a limit of its own."""
    mine = theatre.settings.section(SportExposure)
    for sport in (SPORT, *mine.limits.of):
        await _exposure(
            theatre, mine, mine.limit_of(sport), "MAX_SPORT_EXPOSURE", sport=sport.upper()
        )


async def total_exposure(theatre: Theatre) -> None:
    """Do the same over the whole account."""
    mine = theatre.settings.section(TotalExposure)
    await _exposure(theatre, mine, mine.max_total_exposure, "MAX_TOTAL_EXPOSURE", other="CURLING")


async def _exposure(
    theatre: Theatre,
    mine: object,
    limit: int,
    code: str,
    *,
    second: str = ELSEWHERE,
    sport: str = SPORT,
    other: str | None = None,
) -> None:
    """Rest half of a limit in one market, then ask for the rest in the second one."""
    if 2 * limit >= SIZE_MAX:
        theatre.note(f"no order can be as large as {code}", is_as_expected=False)
        return
    place = Platform.KALSHI if second == MARKET else Platform.POLYMARKET
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        game = "a game of both venues"
        await stage.quote(MARKET, sport=sport, game_id=game)
        if second != MARKET:
            same_game = game if code == "MAX_GAME_EXPOSURE" else "another game"
            await stage.quote(second, platform=place, sport=other or sport, game_id=same_game)
        half = -(-limit // 2)
        if limit:
            resting = stage.request(MARKET, size=limit, time_in_force=TimeInForce.GTC)
            await stage.passes(f"{format_dollars(half)} at rest in {sport}", resting)
        size = 2 * (limit - half)
        above = stage.request(second, platform=place, size=size + 1)
        await stage.denies(f"a millionth above {format_dollars(limit)}", above, code)
        if size:
            exactly = stage.request(second, platform=place, size=size)
            await stage.passes(f"exactly {format_dollars(limit)}", exactly)


# Money -----------------------------------------------------------------------------------------


async def balance(theatre: Theatre) -> None:
    """Ask for all that is available, with a millionth too little, and with an old figure."""
    mine = theatre.settings.section(Balance)
    need = _reserved(10 * MICRO, mine.balance_buffer).cash
    for available, is_enough in ((need, True), (need - 1, False)):
        funded = replace(mine, paper_balance=available)
        async with theatre.stage(only(theatre.settings, funded)) as stage:
            await stage.quote()
            request = stage.request(size=10 * MICRO)
            what = f"an order that needs {format_dollars(need)}, {format_dollars(available)} there,"
            if is_enough:
                await stage.passes(what, request)
            else:
                await stage.denies(what, request, "INSUFFICIENT_BALANCE")
    limit = stale_after(mine.balance_refresh_interval)
    rich = replace(mine, paper_balance=10**9 * MICRO)
    async with theatre.stage(only(theatre.settings, rich)) as stage:
        await stage.quote()
        seen_ns = max(stage.gateway.desk.facts.balances_ns.values())
        stage.faults.set(Fault.OUTAGE)
        await stage.wait(seen_ns + limit - stage.now_ns)
        stage.faults.clear()
        await stage.passes("a figure exactly as old as it may be", stage.request())
    async with theatre.stage(only(theatre.settings, rich)) as stage:
        await stage.quote()
        seen_ns = max(stage.gateway.desk.facts.balances_ns.values())
        stage.faults.set(Fault.OUTAGE)
        await stage.wait(seen_ns + limit + 1 - stage.now_ns)
        await stage.denies("a figure a nanosecond older", stage.request(), "BALANCE_STALE")


def _reserved(size: int, buffer: int) -> Reservation:
    """Return what a Buy at one half reserves at Kalshi."""
    terms = KALSHI.terms
    rates = (terms.taker_rate, terms.fee_grid, buffer)
    return reserve(Side.YES, Action.BUY, size, HALF, rates, None, is_reducing=False)


async def daily_loss(theatre: Theatre) -> None:
    """Ask for the largest order that the loss of the day allows, and a millionth more."""
    mine = theatre.settings.section(DailyLoss)
    limit = mine.max_daily_loss
    low, high = 0, SIZE_MAX
    while low < high:
        middle = (low + high + 1) // 2
        if _reserved(middle, 0).day_loss <= limit:
            low = middle
        else:
            high = middle - 1
    if low >= SIZE_MAX - 1 or low == 0:
        theatre.note("no order can lose as much as MAX_DAILY_LOSS", is_as_expected=False)
        return
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        loss = _reserved(low, 0).day_loss
        largest = stage.request(size=low)
        await stage.passes(f"an order that may lose {format_dollars(loss)}", largest)
        more = stage.request(size=low + 1)
        await stage.denies("a millionth of a contract more", more, "MAX_DAILY_LOSS")
    strict = replace(mine, marks_policy="deny", max_daily_loss=LOSS_MAX)
    async with theatre.stage(only(theatre.settings, strict)) as stage:
        await stage.quote(age_ns=mine.max_mark_age)
        fills = stage.request(limit_price=ASK)
        await stage.passes("an order that fills", fills)
        await stage.quote(OTHER_MARKET)
        last = stage.request(OTHER_MARKET)
        await stage.passes("a mark exactly as old as it may be", last)
        await stage.wait(1)
        await stage.denies("a mark a nanosecond older", stage.request(OTHER_MARKET), "MARKS_STALE")


# Counts ----------------------------------------------------------------------------------------


async def rate_limit(theatre: Theatre) -> None:
    """Fill the minute and the hour, one more each, and come again when it lifts."""
    mine = replace(theatre.settings.section(RateLimit), limits=NO_LIMITS)
    per_minute = _bounded(theatre, mine.max_orders_per_minute, "MAX_ORDERS_PER_MINUTE")
    per_hour = _bounded(theatre, mine.max_orders_per_hour, "MAX_ORDERS_PER_HOUR")
    minute = replace(mine, max_orders_per_minute=per_minute, max_orders_per_hour=HOUR_MAX)
    hour = replace(mine, max_orders_per_minute=MINUTE_MAX, max_orders_per_hour=per_hour)
    await _window(theatre, minute, per_minute, MINUTE_NS, "RATE_LIMIT_MINUTE")
    await _window(theatre, hour, per_hour, HOUR_NS, "RATE_LIMIT_HOUR")
    limits = theatre.settings.section(RateLimit).limits
    for field, window_ns, code in (
        ("per_market_minute", MINUTE_NS, "RATE_LIMIT_MINUTE"),
        ("per_market_hour", HOUR_NS, "RATE_LIMIT_HOUR"),
        ("per_strategy_minute", MINUTE_NS, "RATE_LIMIT_MINUTE"),
        ("per_strategy_hour", HOUR_NS, "RATE_LIMIT_HOUR"),
    ):
        most = getattr(limits, field)
        if most is not None:
            most = _bounded(theatre, most, field)
            wide = replace(mine, max_orders_per_minute=MINUTE_MAX, max_orders_per_hour=HOUR_MAX)
            one = replace(wide, limits=replace(NO_LIMITS, **{field: most}))
            await _window(theatre, one, most, window_ns, code)


async def _window(theatre: Theatre, mine: RateLimit, most: int, window_ns: int, code: str) -> None:
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        await _burst(stage, most, f"{most} orders at once")
        result = await stage.denies("the next one", stage.request(), code)
        stage.note(
            f"the denial says when it lifts: {result.denials[0].until if result.denials else None}",
            is_as_expected=bool(result.denials) and result.denials[0].until is not None,
        )
        await stage.wait(window_ns)
        await stage.quote()
        await stage.passes("one when the window has passed", stage.request())


async def _burst(
    stage: DrillStage, count: int, what: str, send: Callable[[], Awaitable[bool]] | None = None
) -> None:
    """Expect so many orders to pass, one after the other."""

    async def ask() -> bool:
        return (await stage.ask()).rejected_by is None

    passed = 0
    for _ in range(count):
        passed += await (send or ask)()
    stage.note(f"{what}: {passed} pass", is_as_expected=passed == count)


async def open_orders(theatre: Theatre) -> None:
    """Rest as many orders as may be open, and one more."""
    mine = theatre.settings.section(OpenOrders)
    most = _bounded(theatre, mine.max_open_orders, "MAX_OPEN_ORDERS")
    mine = replace(mine, max_open_orders=most)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()

        async def rest() -> bool:
            resting = await stage.ask(limit_price=400_000, time_in_force=TimeInForce.GTC)
            return resting.rejected_by is None

        await _burst(stage, most, f"{most} orders at rest", rest)
        await stage.denies("one more", stage.request(), "MAX_OPEN_ORDERS")
        await stage.gateway.cancel_all(scope="all", reason="room for one", actor="drill")
        await stage.player.settle()
        await stage.passes("one when they are cancelled", stage.request())


async def opposing_order(theatre: Theatre) -> None:
    """Ask for what would trade with an order of our own, and for what just would not."""
    mine = theatre.settings.section(OpposingOrder)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        resting = stage.request(limit_price=400_000, time_in_force=TimeInForce.GTC)
        await stage.passes("a bid of 0.4 at rest", resting)
        meets = stage.request(side=Side.NO, limit_price=600_000)
        await stage.denies("a Buy of No at 0.6, which would meet it,", meets, "SELF_TRADE")
        apart = stage.request(side=Side.NO, limit_price=599_999)
        await stage.passes("a Buy of No a millionth away", apart)


async def repeated_execution(theatre: Theatre) -> None:
    """Enter and leave a market as often as may be, and once more; then acknowledge."""
    mine = theatre.settings.section(RepeatedExecution)
    most = _bounded(theatre, mine.max_repeated_executions, "MAX_REPEATED_EXECUTIONS")
    mine = replace(mine, max_repeated_executions=most)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()

        async def cycle() -> bool:
            bought = await stage.ask(limit_price=510_000)
            sold = await stage.ask(action=Action.SELL, limit_price=490_000)
            return bought.filled_qty == sold.filled_qty == 1

        await _burst(stage, most + 1, f"{most + 1} entries and exits", cycle)
        entry = stage.request(limit_price=510_000)
        await stage.denies("the next entry", entry, "REPEATED_EXECUTION")
        await stage.wait(HOUR_NS + 1)
        await stage.quote()
        latched = stage.request(limit_price=510_000)
        await stage.denies("one an hour later, not acknowledged,", latched, "REPEATED_EXECUTION")
        await stage.gateway.kill_switch(
            "DISABLE",
            scope=f"strategy:{STRATEGY}",
            reason="drill",
            source=HaltSource.COMMAND,
            actor="drill",
            acknowledge=True,
        )
        await stage.passes("one once it is acknowledged", stage.request(limit_price=510_000))


async def unknown_orders(theatre: Theatre) -> None:
    """Lose the answers of as many orders as may be unknown, and of one more."""
    mine = theatre.settings.section(UnknownOrders)
    most = _bounded(theatre, mine.max_unknown_orders, "MAX_UNKNOWN_ORDERS")
    mine = replace(mine, max_unknown_orders=most)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        for number in range(most + 2):
            await stage.quote(f"DRILL-{number}")
        stage.faults.set(Fault.READ_LAG)
        stage.faults.set(Fault.LOST_BEFORE, times=most + 1)
        lost = iter(range(most + 1))

        async def lose() -> bool:
            return (await stage.ask(f"DRILL-{next(lost)}")).status == "Unknown"

        await _burst(stage, most + 1, f"{most + 1} orders whose answers are lost", lose)
        elsewhere = stage.request(f"DRILL-{most + 1}")
        await stage.denies("an order elsewhere", elsewhere, "MAX_UNKNOWN_ORDERS")
    alone = only(theatre.settings, replace(mine, max_unknown_orders=COUNT_MAX))
    async with theatre.stage(alone) as stage:
        await stage.quote()
        stage.faults.set(Fault.READ_LAG)
        stage.faults.set(Fault.LOST_BEFORE, times=1)
        await stage.ask()
        await stage.denies("an order on top of one", stage.request(), "UNKNOWN_IN_MARKET")
