"""What the simulated Kalshi knows of series, events and games, and what they charge.

Guarantees that the fee of a market is the override of its event before that of its series, as of
the moment asked for: a scheduled change takes effect by itself. Events of one game share a
milestone, which alone knows when the game starts.

Source: OpenAPI 3.34 (`Series`, `EventData`, `Milestone`, fee changes); fee schedule of 2026-07-07.
"""

import uuid

import msgspec

from arbees.core.language.units import MICRO, NS_PER_SECOND, mul_ceil
from arbees.rehearsal.kalshi.engine.rules import TAKER_RATE, ExchangeMarket

MAKER_RATES = {
    "quadratic": 0,
    "quadratic_with_maker_fees": 17_500,
    "quadratic_with_combo_maker_fees": 35_000,
    "flat": TAKER_RATE,
}
"""What makers pay by type of fee; of `flat` no formula is published: as dear as a taker's."""
GAME_SECONDS = 3 * 3_600
"""`occurrence_datetime` lies about so long after the start of the game."""
_NAMES = uuid.UUID("6b616c73-6869-4000-8000-000000000000")


class Series(msgspec.Struct, kw_only=True):
    """A series and its fee."""

    ticker: str
    fee_type: str = "quadratic"
    multiplier: int = MICRO


class ExchangeEvent(msgspec.Struct, kw_only=True):
    """An event; its override, where it has one, outranks the series."""

    ticker: str
    series_ticker: str
    fee_type: str | None = None
    multiplier: int | None = None
    is_exclusive: bool = False
    collateral: str = ""
    is_missing: bool = False
    """A fault: 404."""


class Milestone(msgspec.Struct, kw_only=True):
    """A game, and the events about it."""

    milestone_id: str
    game: str
    start_ns: int
    updated_ns: int
    events: list[str] = []


class ScheduledFeeChange(msgspec.Struct, kw_only=True, frozen=True):
    """A fee that is announced; None = the override of the event ends."""

    change_id: str
    series_ticker: str
    event_ticker: str | None
    fee_type: str | None
    multiplier: int | None
    at_ns: int


class ExchangeCatalogue:
    """Series, events, milestones, and fees that are announced."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.series: dict[str, Series] = {}
        self.events: dict[str, ExchangeEvent] = {}
        self.milestones: dict[str, Milestone] = {}
        """By game."""
        self.announced: list[ScheduledFeeChange] = []
        self.applied: list[ScheduledFeeChange] = []

    def add(self, market: ExchangeMarket, start_ns: int | None, now_ns: int) -> None:
        """
        Know the series, the event and the game of a market.

        Args:
            market: that is listed.
            start_ns: of its game; None = the venue has no milestone for it.
            now_ns: of the exchange.
        """
        self.series.setdefault(market.series_ticker, Series(ticker=market.series_ticker))
        event = ExchangeEvent(ticker=market.event_ticker, series_ticker=market.series_ticker)
        self.events.setdefault(market.event_ticker, event)
        if start_ns is not None:
            self.start(market.event_ticker, start_ns, now_ns)

    def milestone(self, event_ticker: str) -> Milestone | None:
        """Return the game of an event."""
        return self.milestones.get(game_of(event_ticker))

    def start(self, event_ticker: str, start_ns: int, now_ns: int) -> None:
        """Let a game start at a moment, for all of its events."""
        game = game_of(event_ticker)
        if game not in self.milestones:
            self.milestones[game] = Milestone(
                milestone_id=str(uuid.uuid5(_NAMES, game)),
                game=game,
                start_ns=start_ns,
                updated_ns=now_ns,
            )
        found = self.milestones[game]
        found.start_ns, found.updated_ns = start_ns, now_ns
        if event_ticker not in found.events:
            found.events.append(event_ticker)

    def announce(
        self, ticker: str, fee_type: str | None, multiplier: int | None, at_ns: int
    ) -> ScheduledFeeChange:
        """Announce the fee of a series, or the override of an event, from a moment on."""
        event = self.events.get(ticker)
        made = ScheduledFeeChange(
            change_id=str(uuid.uuid5(_NAMES, f"{ticker} {at_ns} {len(self.applied)}")),
            series_ticker=ticker if event is None else event.series_ticker,
            event_ticker=None if event is None else ticker,
            fee_type=fee_type,
            multiplier=multiplier,
            at_ns=at_ns,
        )
        self.announced.append(made)
        return made

    def due(self, now_ns: int) -> list[ScheduledFeeChange]:
        """Let the changes take effect that are due; return them."""
        found = [each for each in self.announced if each.at_ns <= now_ns]
        for each in found:
            self.announced.remove(each)
            self.applied.append(each)
            if each.event_ticker is not None:
                event = self.events[each.event_ticker]
                event.fee_type, event.multiplier = each.fee_type, each.multiplier
            elif each.series_ticker in self.series:
                series = self.series[each.series_ticker]
                series.fee_type = each.fee_type or series.fee_type
                series.multiplier = (
                    series.multiplier if each.multiplier is None else each.multiplier
                )
        return found

    def rate(self, market: ExchangeMarket, now_ns: int, *, is_taker: bool) -> int:
        """Return what a trade in a market pays, in millionths of C x P x (1 - P)."""
        if market.waived_until_ns > now_ns:
            return 0
        event = self.events.get(market.event_ticker)
        series = self.series.get(market.series_ticker)
        kind = (event and event.fee_type) or (series and series.fee_type) or "quadratic"
        factor = MICRO if series is None else series.multiplier
        if event is not None and event.multiplier is not None:
            factor = event.multiplier
        return mul_ceil(TAKER_RATE if is_taker else MAKER_RATES.get(kind, TAKER_RATE), factor)

    def occurrence_ns(self, event_ticker: str) -> int | None:
        """Return when the game is recorded to have happened: hours after it started."""
        found = self.milestone(event_ticker)
        return None if found is None else found.start_ns + GAME_SECONDS * NS_PER_SECOND


def game_of(event_ticker: str) -> str:
    """Return what events of one game share: their ticker without the series."""
    return event_ticker.partition("-")[2] or event_ticker
