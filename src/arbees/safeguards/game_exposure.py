"""Denies orders after which too much could be lost on one game, over the markets of both venues.

Guarantees that the sum of the worst cases of a game's markets stays within the limit: the same
opinion on the same game, bought on two venues and in three markets, is one risk.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.book.exposure import judge
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Skipped, Use, Verdict
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO

_REDUCING = (Skipped("MAX_GAME_EXPOSURE", "reducing order"),)


class GameExposure(msgspec.Struct, frozen=True):
    """Cap of the worst case over all markets of one game."""

    name: ClassVar[str] = "game_exposure"
    codes: ClassVar[tuple[str, ...]] = ("MAX_GAME_EXPOSURE",)

    max_game_exposure: Annotated[
        int,
        Setting(
            name="MAX_GAME_EXPOSURE",
            kind=SettingKind.DOLLARS,
            default="400.0",
            low="0.01",
            high="1000000000",
            doc="Greatest worst-case loss on one game, over all of its markets and both venues.",
        ),
    ] = 400 * MICRO

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Compare the game's worst case, this order included, with the limit.

        A request may say that its market is of another game too: then both are one, with all that
        is held and open in either.
        """
        worst = book.game_worst
        before = sum(worst.get(game, 0) for game in order.games)
        after = before + order.added_worst
        return judge(order, before, after, self.max_game_exposure, _REDUCING)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the worst case of each game; a market of which no game is known is one."""
        limit = self.max_game_exposure
        return tuple(
            Use(f"game:{game_id}", "MAX_GAME_EXPOSURE", worst, limit)
            for game_id, worst in book.game_worst.items()
        )
