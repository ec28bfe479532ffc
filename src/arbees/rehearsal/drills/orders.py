"""Drills of the safeguards that look at the order itself: size, price, times, market, model."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from arbees.core.language.request import Request
from arbees.core.language.units import MICRO, NS_PER_SECOND, format_dollars
from arbees.core.language.words import Action
from arbees.rehearsal.drills.generous import only
from arbees.rehearsal.drills.stage import (
    HALF,
    MARKET,
    OTHER_MARKET,
    SPORT,
    DrillStage,
    Theatre,
)
from arbees.safeguards.freshness import Freshness
from arbees.safeguards.holding import Holding
from arbees.safeguards.market import Market
from arbees.safeguards.model_version import ModelVersion
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.price_range import PriceRange
from arbees.safeguards.price_reference import PriceReference
from arbees.safeguards.trading_window import DEFAULT, TradingWindow, Window, Windows
from arbees.venues.kalshi.spec import weekly_pause

SIZE_MAX = 1_000_000_000 * MICRO
"""The largest order that a request may ask for."""
RETIRED = "drill-retired"
_MINUTE_NS = 60 * NS_PER_SECOND
_WEEK_MINUTES = 10_080


async def freshness(theatre: Theatre) -> None:
    """Send a request as old, as early and as close to its end as may be, and one beyond."""
    mine = theatre.settings.section(Freshness)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        now = stage.now_ns
        stale, ahead = mine.max_signal_age, mine.max_clock_skew
        for what, created, code in (
            ("a request", now - stale, "STALE_SIGNAL"),
            ("a request from the future", now + ahead, "FUTURE_DATED"),
        ):
            beyond = created - 1 if created < now else created + 1
            await stage.passes(f"{what} exactly at the limit", stage.request(created_ns=created))
            await stage.denies(
                f"{what} a nanosecond beyond", stage.request(created_ns=beyond), code
            )
        await stage.passes("at its expires_at", stage.request(expires_ns=now))
        await stage.denies("a nanosecond later", stage.request(expires_ns=now - 1), "EXPIRED")


async def model_version(theatre: Theatre) -> None:
    """Send a request of a retired model, of one that is not allowed, and of none."""
    mine = theatre.settings.section(ModelVersion)
    allowed = mine.model_versions_allowed
    good = next((each for each in allowed if each not in mine.model_versions_denied), None)
    if allowed and good is None:
        theatre.note("every allowed model is retired: nothing opens under these settings")
    mine_and_retired = replace(mine, model_versions_denied=(*mine.model_versions_denied, RETIRED))
    async with theatre.stage(only(theatre.settings, mine_and_retired)) as stage:
        await stage.quote()
        if good is not None or not allowed:
            of_good = stage.request(model_version=good or "drill-new")
            await stage.passes("a model that may trade", of_good)
        for retired in (*mine.model_versions_denied[:3], RETIRED):
            request = stage.request(model_version=retired)
            await stage.denies(f"the retired model {retired}", request, "MODEL_VERSION_DENIED")
        if allowed:
            stranger = stage.request(model_version="drill-stranger")
            await stage.denies("a model not on the list", stranger, "MODEL_VERSION_DENIED")
        if allowed or mine.require_model_version:
            await stage.denies("no model", stage.request(), "MODEL_VERSION_MISSING")
        else:
            await stage.passes("no model, which none is required to name,", stage.request())


async def market(theatre: Theatre) -> None:
    """Send orders that do not fit their market."""
    mine = theatre.settings.section(Market)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote(tick=10_000, lot=MICRO)
        await stage.passes("an order on the grid", stage.request())
        off_tick = stage.request(limit_price=HALF + 1)
        await stage.denies("a price a millionth off the tick", off_tick, "INVALID_TICK")
        off_lot = stage.request(size=MICRO + 1)
        await stage.denies("a millionth of a contract too much", off_lot, "INVALID_QUANTITY")
        await stage.denies("a market never seen", stage.request("DRILL-NONE"), "MARKET_UNKNOWN")
        other = stage.request(sport="CURLING")
        await stage.denies("another sport than is known", other, "CLASSIFICATION_CONFLICT")
        game = stage.request(game_id="another game")
        await stage.denies("another game than is known", game, "CLASSIFICATION_CONFLICT")
        await stage.quote(OTHER_MARKET)
        await stage.quote(OTHER_MARKET, status="closed")
        await stage.denies("a closed market", stage.request(OTHER_MARKET), "MARKET_CLOSED")


async def holding(theatre: Theatre) -> None:
    """Sell what is held to the last contract, and a millionth more."""
    mine = theatre.settings.section(Holding)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        nothing = stage.request(action=Action.SELL, size=1)
        await stage.denies("a Sell of what is not held", nothing, "SELL_EXCEEDS_POSITION")
        await stage.passes("a Buy", stage.request(size=10 * MICRO, limit_price=510_000))
        more = stage.request(action=Action.SELL, size=10 * MICRO + 1, limit_price=490_000)
        await stage.denies("a Sell of a millionth more than is held", more, "SELL_EXCEEDS_POSITION")
        exactly = stage.request(action=Action.SELL, size=10 * MICRO, limit_price=490_000)
        await stage.passes("a Sell of all that is held", exactly)


async def order_size(theatre: Theatre) -> None:
    """Send the largest order by dollars and by contracts, and a millionth more."""
    mine = theatre.settings.section(OrderSize)
    dollars = only(theatre.settings, replace(mine, max_order_contracts=SIZE_MAX))
    async with theatre.stage(dollars) as stage:
        await stage.quote()
        size = 2 * mine.max_order_size
        if size < SIZE_MAX:
            what = f"{format_dollars(mine.max_order_size)}"
            await stage.passes(f"an order of {what}", stage.request(size=size))
            more = stage.request(size=size + 1)
            await stage.denies("a millionth of a dollar more", more, "MAX_ORDER_SIZE")
        else:
            stage.note("no order can be as large as MAX_ORDER_SIZE", is_as_expected=False)
    contracts = only(theatre.settings, replace(mine, max_order_size=SIZE_MAX))
    async with theatre.stage(contracts) as stage:
        await stage.quote()
        size = mine.max_order_contracts
        if size < SIZE_MAX:
            what = f"{size / MICRO:g} contracts"
            await stage.passes(f"an order of {what}", stage.request(size=size))
            more = stage.request(size=size + 1)
            await stage.denies("a millionth of a contract more", more, "MAX_ORDER_CONTRACTS")
        else:
            stage.note("no order can be as large as MAX_ORDER_CONTRACTS", is_as_expected=False)


async def price_range(theatre: Theatre) -> None:
    """Send the lowest and the highest price, and a millionth beyond each."""
    mine = theatre.settings.section(PriceRange)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        for end, beyond in ((mine.min_safe_price, -1), (mine.max_safe_price, 1)):
            if not 0 < end + beyond < MICRO:
                stage.note(f"{end / MICRO:g} is where prices end by themselves")
                continue
            if 0 < end < MICRO:
                at_end = stage.request(limit_price=end)
                await stage.passes(f"the price {end / MICRO:g}", at_end)
            outside = stage.request(limit_price=end + beyond)
            await stage.denies("a millionth beyond it", outside, "PRICE_OUT_OF_RANGE")


async def price_reference(theatre: Theatre) -> None:
    """Send prices and quotes at the edge of what is near enough, and a step beyond."""
    mine = theatre.settings.section(PriceReference)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await _through_quote(stage, mine)
        await stage.quote()
        delta = mine.max_price_delta_from_pregame
        price = min(max(HALF, delta + 2), MICRO - 1)
        probability = price - delta
        if probability > 0:
            for off, is_beyond in ((0, False), (1, True)):
                request = stage.request(limit_price=price, pregame_prob=probability - off)
                # The quote is out of the way: the price stands below the ask, or just at it.
                await stage.quote(ask=MICRO - 1, bid=1)
                await _judged(
                    stage,
                    "the distance from pregame",
                    request,
                    "PREGAME_DELTA",
                    mine.pregame_policy,
                    is_beyond=is_beyond,
                )
        await _edge(stage, mine)
    await _quote_age(theatre, mine)


async def _through_quote(stage: DrillStage, mine: PriceReference) -> None:
    limit = mine.max_price_through_quote
    ask = min(510_000, MICRO - 2 - limit)
    if ask <= 1:
        stage.note("no price can be as far through a quote as MAX_PRICE_THROUGH_QUOTE")
        return
    await stage.quote(bid=ask - 1, ask=ask)
    at_limit = stage.request(limit_price=ask + limit)
    await stage.passes(f"a Buy {limit / MICRO:g} above the ask", at_limit)
    above = stage.request(limit_price=ask + limit + 1)
    await stage.denies("a millionth higher", above, "THROUGH_QUOTE")


async def _edge(stage: DrillStage, mine: PriceReference) -> None:
    for off, is_beyond in ((0, False), (1, True)):
        edge = mine.edge_tolerance + off
        request = stage.request(edge_pct=edge, model_prob=HALF)
        await _judged(
            stage,
            "an edge that does not follow",
            request,
            "EDGE_IMPLAUSIBLE",
            mine.edge_policy,
            is_beyond=is_beyond,
        )


async def _quote_age(theatre: Theatre, mine: PriceReference) -> None:
    policy = mine.quote_policy or "warn"
    for off, is_beyond in ((0, False), (1, True)):
        async with theatre.stage(only(theatre.settings, mine)) as stage:
            await stage.quote(age_ns=mine.max_quote_age + off)
            await _judged(
                stage,
                "the age of the quote",
                stage.request(),
                "QUOTE_STALE",
                policy,
                is_beyond=is_beyond,
            )
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote(ask=None)
        await _judged(
            stage,
            "a side without a quote",
            stage.request(),
            "QUOTE_MISSING",
            policy,
            is_beyond=True,
        )


async def _judged(
    stage: DrillStage, what: str, request: Request, code: str, policy: str, *, is_beyond: bool
) -> None:
    """Expect what a policy says: at the limit nothing, beyond it a denial or a warning."""
    if not is_beyond:
        await stage.passes(f"{what}, exactly at the limit,", request)
    elif policy == "deny":
        await stage.denies(f"{what}, a step beyond,", request, code)
    else:
        await stage.passes(f"{what}, a step beyond,", request, warning=code)


# Trading windows -------------------------------------------------------------------------------


async def trading_window(theatre: Theatre) -> None:
    """Send orders inside and outside the hours and phases set, and in the venue's pause."""
    mine = theatre.settings.section(TradingWindow)
    if not mine.windows.of:
        theatre.note("no window is set: one of the drill's own is tried")
        mine = replace(mine, windows=_own_window(theatre.now_ns))
    for sport, window in list(mine.windows.of.items())[:4]:
        name = SPORT if sport == DEFAULT else sport.upper()
        await _hours(theatre, mine, name, window)
        await _phase(theatre, mine, name, window)
    pause = _in_pause(theatre.now_ns)
    async with theatre.stage(only(theatre.settings, mine), start_ns=pause) as stage:
        sport = "NO WINDOW" if DEFAULT not in mine.windows.of else SPORT
        await stage.quote(sport=sport)
        result = await stage.send(stage.request())
        codes = [line.code for line in result.denials]
        stage.note(
            "in Kalshi's weekly pause an order is denied, VENUE_PAUSED",
            is_as_expected="VENUE_PAUSED" in codes,
        )


def _own_window(now_ns: int) -> Windows:
    """Return a window that is open for a few minutes, an hour from now."""
    opens = datetime.fromtimestamp(now_ns // NS_PER_SECOND, UTC) + timedelta(hours=1)
    closes = opens + timedelta(minutes=10)
    hours = f"{opens:%H:%M}-{closes:%H:%M}"
    return Windows.parse({SPORT: {"days": "daily", "hours": hours, "zone": "UTC"}})


async def _hours(theatre: Theatre, mine: TradingWindow, sport: str, window: Window) -> None:
    if window.hours is None:
        return
    inside = window.hours.opens_at(theatre.now_ns)
    outside = _first(
        theatre.now_ns, lambda ns: window.hours is not None and window.hours.opens_at(ns) != ns
    )
    plain = replace(mine, windows=Windows({sport.casefold(): Window(hours=window.hours)}))
    for moment, is_open in ((inside, True), (outside, False)):
        if moment is None or weekly_pause(moment) is not None:
            theatre.note(f"{sport}: {'never' if is_open else 'always'} open by its hours")
            continue
        async with theatre.stage(only(theatre.settings, plain), start_ns=moment) as stage:
            await stage.quote(sport=sport)
            if is_open:
                await stage.passes(f"{sport}: inside its hours an order", stage.request())
            else:
                await stage.denies(
                    f"{sport}: outside its hours an order", stage.request(), "OUTSIDE_WINDOW"
                )


def _first(start_ns: int, holds: Callable[[int], bool]) -> int | None:
    """Return the first minute of the coming week in which something holds."""
    for minute in range(_WEEK_MINUTES):
        moment = start_ns + minute * _MINUTE_NS
        if holds(moment) and weekly_pause(moment) is None:
            return moment
    return None


async def _phase(theatre: Theatre, mine: TradingWindow, sport: str, window: Window) -> None:
    if window.phase == "any":
        return
    plain = replace(mine, windows=Windows({sport.casefold(): Window(phase=window.phase)}))
    moment = _first(theatre.now_ns, lambda _ns: True) or theatre.now_ns
    is_pregame = window.phase == "pregame"
    async with theatre.stage(only(theatre.settings, plain), start_ns=moment) as stage:
        unknown = "DRILL-UNKNOWN"
        for market_id, start_ns in ((MARKET, moment), (OTHER_MARKET, moment + 1), (unknown, None)):
            await stage.quote(market_id, sport=sport, game_start_ns=start_ns)
        begun, ahead = stage.request(MARKET), stage.request(OTHER_MARKET)
        good, bad = (ahead, begun) if is_pregame else (begun, ahead)
        await stage.passes(f"{sport}: {window.phase} an order", good)
        await stage.denies(f"{sport}: a nanosecond off an order", bad, "OUTSIDE_WINDOW")
        await stage.denies(
            f"{sport}: with no start known an order", stage.request(unknown), "OUTSIDE_WINDOW"
        )


def _in_pause(now_ns: int) -> int:
    """Return a moment in the next weekly pause of Kalshi."""
    moment = now_ns
    while weekly_pause(moment) is None:
        moment += 10 * _MINUTE_NS
    return moment
