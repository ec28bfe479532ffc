"""Everything that has a name is in the reference, on the page where one would look for it."""

import re
import typing

import pytest

from arbees.api.table import ENDPOINTS
from arbees.cli.command_list import COMMANDS
from arbees.core import events
from arbees.core.language.codes import CODES
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Side,
    TimeInForce,
    TradingState,
)
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.telemetry.metrics.catalogue import CATALOGUE
from tests.docs.pages import DOCS

REFERENCE = DOCS / "reference"
NAMED = {
    "settings.md": [*Catalog(all_sections()).settings],
    "codes.md": [*CODES],
    "events.md": [each.__name__ for each in typing.get_args(events.AnyEvent)],
    "http.md": [f"{each.method} {each.path.replace(':path', '')}" for each in ENDPOINTS],
    "command-line.md": [f"arbees {name}" for name in COMMANDS],
    "metrics.md": [metric.name for metric in CATALOGUE],
    "glossary.md": [
        *(word.value for words in (Side, Action, TimeInForce) for word in words),
        *(word.value for words in (OrderStatus, TradingState) for word in words),
    ],
}


@pytest.mark.parametrize("page", NAMED)
def test_everything_is_in_the_reference(page: str) -> None:
    """The page names every setting, code, event, endpoint, command or word that there is."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    missing = [
        name for name in NAMED[page] if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    ]
    assert not missing, missing


def test_the_glossary_maps_to_fix_and_to_both_venues() -> None:
    """Each table of what others have a word for has a column for each of the three, filled."""
    text = (REFERENCE / "glossary.md").read_text(encoding="utf-8")
    tables = re.findall(
        r"(?ms)^\| word \| what it is \| FIX \| Kalshi \| Polymarket \|\n.*?\n\n", text
    )
    assert len(tables) >= 4
    for table in tables:
        for row in table.strip().splitlines()[2:]:
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert len(cells) == 5, row
            assert all(cells), row
