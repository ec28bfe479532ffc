"""Generates a seeded evening of basketball: games on both venues, quotes and results.

Guarantees that the same seed gives the same evening, byte for byte, and that nothing recorded is
needed: whoever has the project has an evening to rehearse with.
"""

import random

import msgspec

from arbees.core.language.payouts import NO_WON, YES_WON
from arbees.core.language.quote import Level, Quote, Settlement
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform

START_NS = 1_769_641_200 * NS_PER_SECOND
"""2026-01-28 23:00 UTC: six in the evening in New York."""
STEP_NS = 30 * NS_PER_SECOND
_CENT = 10_000
_GAMES = (
    ("BOS", "HOU"),
    ("LAL", "DEN"),
    ("MIA", "NYK"),
    ("CHI", "MIL"),
    ("PHX", "GSW"),
    ("DAL", "SAS"),
)


class Evening(msgspec.Struct, frozen=True):
    """Quotes and settlements of an evening, each in order of time."""

    quotes: tuple[Quote, ...]
    settlements: tuple[Settlement, ...]


class EveningGame(msgspec.Struct, frozen=True):
    """One game and its two markets."""

    home: str
    away: str
    game_id: str
    ticker: str
    condition_id: str
    yes_token: str
    no_token: str
    start_ns: int


def games(number: int = len(_GAMES)) -> list[EveningGame]:
    """Return the games of the evening."""
    return [
        EveningGame(
            home,
            away,
            f"nba_{away}@{home}_2026-01-28",
            f"KXNBAGAME-26JAN28{away}{home}-{home}",
            f"0x{index + 1:064x}",
            str(10**40 + 2 * index),
            str(10**40 + 2 * index + 1),
            START_NS + index * 20 * 60 * NS_PER_SECOND,
        )
        for index, (home, away) in enumerate(_GAMES[:number])
    ]


def make_evening(seed: int, minutes: int = 60, number: int = len(_GAMES)) -> Evening:
    """
    Return an evening.

    Args:
        seed: of everything that is drawn.
        minutes: how long it is; results come at its end.
        number: of games, at most six.
    """
    draw = random.Random(seed)
    playing = games(number)
    fair = {game.game_id: draw.randrange(35, 66) * _CENT for game in playing}
    quotes: list[Quote] = []
    steps = minutes * 60 * NS_PER_SECOND // STEP_NS
    for step in range(steps):
        for game in playing:
            drift = draw.choice((-2, -1, -1, 0, 0, 0, 1, 1, 2)) * _CENT
            fair[game.game_id] = min(max(fair[game.game_id] + drift, 8 * _CENT), 92 * _CENT)
            ts_ns = START_NS + step * STEP_NS + draw.randrange(0, 1_000) * 1_000_000
            quotes += _quotes(draw, game, fair[game.game_id], ts_ns)
    end_ns = START_NS + steps * STEP_NS + 60 * NS_PER_SECOND
    settlements = [
        settlement
        for game in playing
        for settlement in _settlements(game, fair[game.game_id] >= MICRO // 2, end_ns)
    ]
    return Evening(tuple(sorted(quotes, key=lambda quote: quote.ts_ns)), tuple(settlements))


def _quotes(draw: random.Random, game: EveningGame, fair: int, ts_ns: int) -> list[Quote]:
    kalshi = Quote(
        ts_ns=ts_ns,
        platform=Platform.KALSHI,
        market_id=game.ticker,
        bids=_levels(draw, fair - _CENT, -_CENT),
        asks=_levels(draw, fair + _CENT, _CENT),
        sport="NBA",
        game_id=game.game_id,
        game_start_ns=game.start_ns,
    )
    shift = draw.choice((-1, 0, 1)) * _CENT
    polymarket = Quote(
        ts_ns=ts_ns,
        platform=Platform.POLYMARKET,
        market_id=game.yes_token,
        bids=_levels(draw, fair - _CENT + shift, -_CENT),
        asks=_levels(draw, fair + _CENT + shift, _CENT),
        sport="NBA",
        game_id=game.game_id,
        game_start_ns=game.start_ns,
        condition_id=game.condition_id,
        opposite_token_id=game.no_token,
    )
    return [kalshi, polymarket]


def _levels(draw: random.Random, first: int, step: int) -> tuple[Level, ...]:
    prices = (first + index * step for index in range(4))
    return tuple((price, draw.randrange(20, 400) * MICRO) for price in prices if 0 < price < MICRO)


def _settlements(game: EveningGame, is_home: bool, ts_ns: int) -> list[Settlement]:  # noqa: FBT001
    payouts = YES_WON if is_home else NO_WON
    return [
        Settlement(ts_ns=ts_ns, platform=Platform.KALSHI, market_id=game.ticker, payouts=payouts),
        Settlement(
            ts_ns=ts_ns, platform=Platform.POLYMARKET, market_id=game.yes_token, payouts=payouts
        ),
    ]
