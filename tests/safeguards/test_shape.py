"""All safeguards have one shape, and none of them can be made to fail."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from arbees.core.book.book import Book, encode
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Safeguard,
    Skipped,
    Warn,
)
from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES, message
from arbees.core.language.setting import SettingKind, settings_of
from arbees.safeguards import ALL
from tests.safeguards.strategies import scenes

ROOT = Path(__file__).parents[2]
ORDER = [
    "authorization",
    "kill_switch",
    "freshness",
    "model_version",
    "market",
    "holding",
    "trading_window",
    "order_size",
    "price_range",
    "price_reference",
    "rate_limit",
    "repeated_execution",
    "opposing_order",
    "open_orders",
    "market_exposure",
    "game_exposure",
    "sport_exposure",
    "total_exposure",
    "balance",
    "daily_loss",
    "unknown_orders",
    "venue_health",
    "reconciliation",
]
SAFEGUARDS: list[type[Any]] = list(ALL)
made: list[Safeguard] = [safeguard() for safeguard in SAFEGUARDS]
each = pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda found: found.name)


def test_all_run_in_the_order_of_the_design() -> None:
    """The order of evaluation is fixed: it decides which denial is the headline."""
    assert [safeguard.name for safeguard in SAFEGUARDS] == ORDER


@each
def test_a_name_is_the_name_of_everything(safeguard: type[Any]) -> None:
    """File, class, test and page of a safeguard are found by its name."""
    name = safeguard.name
    assert safeguard.__module__ == f"arbees.safeguards.{name}"
    assert safeguard.__name__ == "".join(word.capitalize() for word in name.split("_"))
    assert (ROOT / "tests" / "safeguards" / f"test_{name}.py").is_file()
    assert (ROOT / "docs" / "safeguards" / f"{name}.md").is_file()


def test_every_file_is_a_safeguard() -> None:
    """There is no file of a safeguard that does not run."""
    files = {path.stem for path in (ROOT / "src/arbees/safeguards").glob("*.py")} - {"__init__"}
    assert files == set(ORDER)


@each
def test_codes_are_those_of_the_list(safeguard: type[Any]) -> None:
    """The codes of a safeguard are exactly those that the list of codes says are its."""
    listed = {name for name, code in CODES.items() if code.safeguard == safeguard.name}
    assert set(safeguard.codes) == listed
    assert len(set(safeguard.codes)) == len(safeguard.codes)


@each
def test_fields_are_settings(safeguard: type[Any]) -> None:
    """Each field of a safeguard is a described setting with a default, and nothing else is."""
    described = settings_of(safeguard)
    assert tuple(described) == safeguard.__struct_fields__
    assert len(safeguard.__struct_defaults__) == len(safeguard.__struct_fields__)
    for setting in described.values():
        assert setting.doc.endswith(".")
        if setting.kind in {
            SettingKind.DOLLARS,
            SettingKind.PRICE,
            SettingKind.CONTRACTS,
            SettingKind.RATIO,
            SettingKind.POINTS,
        }:
            assert setting.low is not None
            assert setting.high is not None


@each
def test_settings_cannot_be_changed(safeguard: type[Any]) -> None:
    """A safeguard is frozen: limits change only with a start."""
    assert safeguard.__struct_config__.frozen
    for field in safeguard.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(safeguard(), field, None)


@each
def test_the_page_names_settings_and_codes(safeguard: type[Any]) -> None:
    """The page of a safeguard names each of its settings and codes."""
    page = (ROOT / "docs" / "safeguards" / f"{safeguard.name}.md").read_text(encoding="utf-8")
    for name in safeguard.codes:
        assert f"`{name}`" in page
    for setting in settings_of(safeguard).values():
        assert setting.name in page


def _is_told(code: str, value: object) -> bool:
    """Return whether a value is of the unit of its code, or text."""
    if value is None or isinstance(value, str):
        return True
    return type(value) is int and CODES[code].unit is not Unit.TEXT


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_no_input_makes_one_fail(scene: tuple[Candidate, Book, Facts]) -> None:
    """Whatever comes, each gives one verdict a code, in order, in its unit, and changes nothing."""
    order, book, facts = scene
    before = encode(book)
    for safeguard in made:
        said = safeguard.check(order, book, facts)
        assert tuple(verdict.code for verdict in said) == safeguard.codes
        for verdict in said:
            assert isinstance(verdict, Pass | Skipped | Deny | Warn)
            if not isinstance(verdict, Skipped):
                assert _is_told(verdict.code, verdict.observed)
                assert _is_told(verdict.code, verdict.limit)
            if isinstance(verdict, Deny | Warn):
                assert "{" not in message(verdict.code, verdict.observed, verdict.limit)
        assert said == safeguard.check(order, book, facts)
        assert msgspec.json.encode(said)
    assert encode(book) == before
