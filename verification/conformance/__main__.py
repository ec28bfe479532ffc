"""Plays every card on every venue and prints what came: `python -m verification.conformance`.

With `--write` the tables of the docs are made from it. Ends with 1 where a card fails.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from verification.conformance.bench import CardFailure
from verification.conformance.benches import BENCHES
from verification.conformance.cards import CARDS

BEGIN, END = "<!-- cards: begin -->", "<!-- cards: end -->"
CONTENTS = Path("docs/how-to/add-a-venue.md")
CAPABILITIES = Path("docs/venues/index.md")
CARD_SECONDS = 60
SHOWN = ("Kalshi", "paper")
"""Benches of the table of capabilities."""

Results = dict[str, dict[str, str]]
"""By card, then by venue: what came."""


async def play_all() -> Results:
    """Play every card, each on a bench of its own; a card that fails says so by `FAILED: ...`."""
    found: Results = {}
    for card in CARDS.values():
        for venue, opened in BENCHES.items():
            try:
                async with asyncio.timeout(CARD_SECONDS), opened() as bench:
                    came = await card.play(bench)
            except (CardFailure, TimeoutError) as error:
                came = f"FAILED: {error}"
            found.setdefault(card.name, {})[venue] = came
    return found


def contents() -> str:
    """Return the table of contents: every card and its promise."""
    rows = [f"| {each.number} | `{each.name}` | {each.promise} |" for each in CARDS.values()]
    return "\n".join(["| | card | what must hold |", "|---|---|---|", *rows])


def capabilities(results: Results) -> str:
    """Return the table of what each venue can do."""
    lines = ["| | " + " | ".join(SHOWN) + " |", "|---|" + "---|" * len(SHOWN)]
    for card in CARDS.values():
        came = results[card.name]
        lines.append(f"| {card.promise} | " + " | ".join(came[each] for each in SHOWN) + " |")
    return "\n".join(lines)


def placed(page: str, table: str) -> str:
    """Return a page with a table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main() -> int:
    """Play, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make the tables of the docs")
    is_written = parser.parse_args().write
    results = asyncio.run(play_all())
    for card in CARDS.values():
        came = "; ".join(f"{venue}: {text}" for venue, text in results[card.name].items())
        print(f"{card.number:2} {card.name:14} {came}")
    if is_written:
        for path, table in ((CONTENTS, contents()), (CAPABILITIES, capabilities(results))):
            path.write_text(placed(path.read_text(), table))
    is_failed = any(
        text.startswith("FAILED") for each in results.values() for text in each.values()
    )
    return int(is_failed)


if __name__ == "__main__":
    sys.exit(main())
