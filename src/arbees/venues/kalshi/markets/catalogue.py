"""What Kalshi says of events, series and games: fees that change, starts that move.

Guarantees that each word has an age and is asked for again: the start of a game is that of its
milestone, fees are the override of the event before those of the series, and one that is announced
counts from a while before it holds. What the venue answers and cannot be read is not known, which
is that event's trouble alone; where it does not answer, nothing new is concluded.

Source: OpenAPI 3.34 (`Milestone`, fee changes); fee schedule of 2026-07-07.
"""

from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from arbees.core.language.units import NS_PER_SECOND, mul_ceil
from arbees.core.ports import Clock
from arbees.errors import VenueOutcomeUnknown
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import KalshiApi
from arbees.venues.kalshi.markets.series import series_of, sport_of
from arbees.venues.kalshi.orders.answers import read_error

T = TypeVar("T")

TAKER_RATE = 70_000
MAKER_RATE = 17_500
MAKER_FEES = frozenset({"quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"})
COMBO_FACTOR = 2
"""Makers of combos pay half the taker's rate instead of a quarter."""
GAME_SECONDS = 45.0
"""The start of a game is asked for again after this: no stream tells that it moved."""
FEES_SECONDS = 300.0
"""Fees of events and series, and those that are announced, after this."""
AHEAD_NS = 120 * NS_PER_SECOND
"""A fee that is announced counts so long before it holds, where it is the dearer one."""
MILESTONES_MAX = 100
KEPT_MAX = 5_000
"""Events that are remembered; the oldest are asked for anew."""


class Game(msgspec.Struct, frozen=True):
    """The game of an event: the venue's name of it, and when it starts."""

    milestone_id: str | None = None
    start_ns: int | None = None


class EventFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an event, as of a moment."""

    sport: str | None
    taker_rate: int
    maker_rate: int
    game: Game
    as_of_ns: int


class _TimedAnswer(msgspec.Struct):
    """An answer, and when it came."""

    value: object
    as_of_ns: int


Changes = list[tuple[int, shapes.FeeChangeRow]]
"""Fees that are announced, by the moment from which they hold."""


class Catalogue:
    """Events, series and milestones, as fresh as is asked for."""

    def __init__(self, api: KalshiApi, clock: Clock) -> None:
        """Know nothing yet."""
        self._api = api
        self._clock = clock
        self._kept: dict[tuple[str, str], _TimedAnswer] = {}

    async def facts(self, event_ticker: str) -> EventFacts:
        """
        Return what is known of an event and its game, no older than it may be.

        Raises:
            VenueError: the venue does not answer.
        """
        event, event_ns = await self._event(event_ticker)
        name = event.series_ticker or series_of(event_ticker)
        series, series_ns = await self._series(name)
        game, as_of_ns = await self._game(event_ticker)
        now_ns = self._clock.now_ns()
        of_event = await self._announced("events", event_ticker, event_ns)
        of_series = await self._announced("series", name, series_ns)
        soon = [at for at, _ in (*of_event, *of_series) if now_ns < at <= now_ns + AHEAD_NS]
        rates = [_rates(event, series, of_event, of_series, at) for at in (now_ns, *soon)]
        return EventFacts(
            sport=sport_of(name, series.category, series.tags or ()),
            taker_rate=max(taker for taker, _ in rates),
            maker_rate=max(maker for _, maker in rates),
            game=game,
            as_of_ns=as_of_ns,
        )

    def forget(self, event_ticker: str) -> None:
        """Ask for an event anew: the venue says that something of it changed."""
        self._kept.pop(("event", event_ticker), None)
        self._kept.pop(("game", event_ticker), None)

    # Answers -----------------------------------------------------------------------------------

    async def _event(self, ticker: str) -> tuple[shapes.EventRow, int]:
        place, path = ("event", ticker), f"/events/{quote(ticker, safe='')}"
        found, as_of_ns = await self._ask(place, path, shapes.OneEvent, FEES_SECONDS)
        return (shapes.EventRow(event_ticker=ticker) if found is None else found.event), as_of_ns

    async def _series(self, ticker: str) -> tuple[shapes.SeriesRow, int]:
        place, path = ("series", ticker), f"/series/{quote(ticker, safe='')}"
        found, as_of_ns = await self._ask(place, path, shapes.OneSeries, FEES_SECONDS)
        return (shapes.SeriesRow(ticker=ticker) if found is None else found.series), as_of_ns

    async def _game(self, event_ticker: str) -> tuple[Game, int]:
        """Return the game of an event, and as of when: the milestone that is about it first."""
        place = ("game", event_ticker)
        query: dict[str, str | int] = {
            "related_event_ticker": event_ticker,
            "limit": MILESTONES_MAX,
        }
        page, as_of_ns = await self._ask(
            place, "/milestones", shapes.Milestones, GAME_SECONDS, query
        )
        rows = [] if page is None else shapes.readable(page.milestones, shapes.MilestoneRow)
        rows = [each for each in rows if event_ticker in each.related_event_tickers]
        rows = [each for each in rows if event_ticker in each.primary_event_tickers] or rows
        games = [(shapes.known_moment(each.start_date), each.id) for each in rows]
        started = sorted((start, name) for start, name in games if start is not None)
        if started:
            return Game(started[0][1], started[0][0]), as_of_ns
        return Game(min((name for _, name in games), default=None)), as_of_ns

    async def _announced(self, kind: str, ticker: str, since_ns: int) -> Changes:
        """Return the fees of an event or a series that were announced for after a moment."""
        place, path = ("changes", kind), f"/{kind}/fee_changes"
        page, _ = await self._ask(place, path, shapes.FeeChanges, FEES_SECONDS)
        rows = () if page is None else (*page.series_fee_change_arr, *page.event_fee_changes)
        changes = [
            (at_ns, each)
            for each in shapes.readable(rows, shapes.FeeChangeRow)
            if (each.event_ticker or each.series_ticker) == ticker
            and (at_ns := shapes.known_moment(each.scheduled_ts)) is not None
            and at_ns > since_ns
        ]
        return sorted(changes, key=lambda change: change[0])

    async def _ask(
        self,
        place: tuple[str, str],
        path: str,
        shape: type[T],
        seconds: float,
        query: dict[str, str | int] | None = None,
    ) -> tuple[T | None, int]:
        """
        Return an answer that is not too old, and of when it is.

        None = the venue knows nothing, or nothing that can be read.
        """
        now_ns = self._clock.now_ns()
        kept = self._kept.get(place)
        if kept is not None and now_ns - kept.as_of_ns < seconds * NS_PER_SECOND:
            return kept.value, kept.as_of_ns  # type: ignore[return-value]
        answer = await self._api.call("GET", path, query)
        if answer.status == 429 or answer.status >= 500:
            raise read_error(answer.status, answer.body)
        found: T | None = None
        if answer.status == 200:
            try:
                found = shapes.read(answer.body, shape)
            except VenueOutcomeUnknown:
                found = None
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept.pop(place, None)
        self._kept[place] = _TimedAnswer(found, now_ns)
        return found, now_ns


def _rates(
    event: shapes.EventRow,
    series: shapes.SeriesRow,
    of_event: Changes,
    of_series: Changes,
    at_ns: int,
) -> tuple[int, int]:
    """Return both rates as of a moment; what makes no sense costs as much as the dearest."""
    for since_ns, change in of_event:
        if since_ns <= at_ns:
            event = replace(
                event,
                fee_type_override=change.fee_type_override,
                fee_multiplier_override=change.fee_multiplier_override,
            )
    for since_ns, change in of_series:
        if since_ns <= at_ns:
            factor = change.fee_multiplier
            series = replace(
                series,
                fee_type=change.fee_type or series.fee_type,
                fee_multiplier=series.fee_multiplier if factor is None else factor,
            )
    try:
        return rates_of(event, series)
    except VenueOutcomeUnknown:
        return TAKER_RATE, TAKER_RATE


def rates_of(event: shapes.EventRow, series: shapes.SeriesRow) -> tuple[int, int]:
    """
    Return the taker's and the maker's fee rate, in millionths; the event's word before the series'.

    A type of fee that we do not know, `flat` among them, counts as the dearest that we do. A waiver
    is not counted on.

    Source: fee schedule of 2026-07-07 (0.07 and 0.0175 x multiplier; combos 0.035).
    """
    kind = event.fee_type_override or series.fee_type
    multiplier = event.fee_multiplier_override
    factor = _micro(series.fee_multiplier if multiplier is None else multiplier)
    taker, maker = mul_ceil(TAKER_RATE, factor), 0
    if kind in MAKER_FEES:
        maker = mul_ceil(MAKER_RATE, factor)
    if kind == "quadratic_with_combo_maker_fees":
        maker *= COMBO_FACTOR
    if kind not in MAKER_FEES | {"quadratic"}:
        taker, maker = max(taker, TAKER_RATE), max(taker, TAKER_RATE)
    return taker, maker


def _micro(number: float) -> int:
    """Read a factor that Kalshi writes as a JSON number."""
    return shapes.plausible("fee_multiplier", shapes.micro("fee_multiplier", repr(number)), 0)
