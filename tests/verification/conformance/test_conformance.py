"""Every venue passes every card, and the docs say what came of it."""

import asyncio
from pathlib import Path

import pytest

from verification.conformance.__main__ import CAPABILITIES, CONTENTS, SHOWN, contents, placed
from verification.conformance.benches import BENCHES
from verification.conformance.cards import CARDS

ROOT = Path(__file__).parents[3]


def cell(card: str, venue: str) -> str:
    """Return what the table of capabilities says of a venue."""
    (line,) = (
        line
        for line in (ROOT / CAPABILITIES).read_text().splitlines()
        if line.startswith(f"| {CARDS[card].promise} |")
    )
    return line.split("|")[2 + SHOWN.index(venue)].strip()


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("venue", BENCHES)
def test_card(venue: str, card: str) -> None:
    """Each on a bench of its own."""

    async def play() -> str:
        async with asyncio.timeout(60), BENCHES[venue]() as bench:
            return await CARDS[card].play(bench)

    came = asyncio.run(play())
    assert venue not in SHOWN or came == cell(card, venue)


def test_the_guide_lists_every_card() -> None:
    """As `python -m verification.conformance --write` writes it."""
    page = (ROOT / CONTENTS).read_text()
    assert page == placed(page, contents())
