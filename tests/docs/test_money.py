"""The fees on the page about money are what the formula says."""

import re
from pathlib import Path

from arbees.core.book.fees import fee_on_grid
from arbees.core.language.units import format_dollars, parse_micro
from arbees.core.language.words import Platform
from arbees.venues.paper.terms import TERMS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "money-and-numbers.md"
ROW = re.compile(r"(?m)^\| (\d+) at (0\.\d+) \| (\S+) \| (\S+) \|$")


def test_fees() -> None:
    """Each row holds what a taker pays for it at both venues."""
    rows = ROW.findall(PAGE.read_text())
    assert len(rows) >= 3
    for quantity, price, *said in rows:
        expected = [
            format_dollars(
                fee_on_grid(
                    terms.taker_rate, parse_micro(quantity), parse_micro(price), terms.fee_grid
                )
            )
            for terms in (TERMS[Platform.KALSHI], TERMS[Platform.POLYMARKET])
        ]
        assert said == expected, (quantity, price)
