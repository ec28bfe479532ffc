"""Both tokens of a condition are one market, however and in whatever order they are named."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.market import Listing
from arbees.core.deciding import commands
from tests.core.scene import Scene
from tests.safeguards.build import CONDITION, NO_TOKEN, YES_TOKEN, polymarket


def token(market_id: str, opposite_id: str | None = None, *, is_bare: bool = False) -> Listing:
    """Return the listing of a token; bare = its condition is not said."""
    key = market_id if is_bare else CONDITION
    return polymarket(market_id=market_id, market_key=key, opposite_id=opposite_id)


def names_after(*listings: Listing) -> dict[str, tuple[str, bool]]:
    """Return who is who once these were listed, in this order."""
    scene = Scene(is_bare=True)
    for each in listings:
        scene.do(commands.ListMarket(listing=each))
    scene.check()
    return {name.removeprefix("Polymarket|"): found for name, found in scene.book.names.items()}


BOTH = {YES_TOKEN: (CONDITION, False), NO_TOKEN: (CONDITION, True)}


@pytest.mark.parametrize(
    "listings",
    [
        [token(YES_TOKEN, NO_TOKEN)],
        [token(YES_TOKEN), token(NO_TOKEN)],
        [token(YES_TOKEN), token(NO_TOKEN, YES_TOKEN)],
        [token(YES_TOKEN), token(NO_TOKEN, YES_TOKEN, is_bare=True)],
    ],
)
def test_the_first_token_is_yes_the_second_no(listings: list[Listing]) -> None:
    """However much is said of them, and when: one market, the second token its No."""
    assert names_after(*listings) == BOTH


def test_tokens_without_a_condition_find_each_other() -> None:
    """Two tokens that name each other are one market, under the name of the first."""
    first = token(YES_TOKEN, is_bare=True)
    second = token(NO_TOKEN, YES_TOKEN, is_bare=True)
    assert names_after(first, second) == {
        YES_TOKEN: (YES_TOKEN, False),
        NO_TOKEN: (YES_TOKEN, True),
    }


@pytest.mark.parametrize("third", [token("3333"), token("3333", YES_TOKEN), token("3333", "4444")])
def test_a_third_token_stands_for_itself(third: Listing) -> None:
    """A condition has two tokens: another one is a market of its own, and takes no name away."""
    found = names_after(token(YES_TOKEN, NO_TOKEN), third)
    assert {name: found[name] for name in BOTH} == BOTH
    assert found["3333"] == ("3333", False)


def test_the_second_token_changes_nothing_else() -> None:
    """Naming the No of a market leaves its metadata as the first word had it."""
    scene = Scene(is_bare=True)
    first: Any = token(YES_TOKEN)
    scene.do(commands.ListMarket(listing=first))
    (listed,) = scene.do(commands.ListMarket(listing=token(NO_TOKEN))).events
    assert isinstance(listed, events.MarketListed)
    assert listed.listing.is_flipped
    assert scene.book.markets[CONDITION].listing == first
