"""`arbees.toml`: the same names, sections of safeguards, and tables."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.rate_limit import RateLimit
from arbees.safeguards.sport_exposure import SportExposure
from arbees.settings import Settings, SettingsRefused, all_sections, load
from arbees.settings.catalog import Catalog
from arbees.settings.reference import EXAMPLES
from arbees.settings.sources.given import Gathered
from arbees.settings.sources.structured import read_structured

CATALOG = Catalog(all_sections())


def read(tmp_path: Path, text: str) -> Settings:
    """Load settings of an arbees.toml."""
    path = tmp_path / "arbees.toml"
    path.write_text(text)
    return load({}, None, path)


def refused(tmp_path: Path, text: str) -> list[str]:
    """Return the lines that refuse an arbees.toml."""
    with pytest.raises(SettingsRefused) as caught:
        read(tmp_path, text)
    return str(caught.value).splitlines()


def test_names_at_the_top_and_in_their_section(tmp_path: Path) -> None:
    """A setting stands at the top, or in the section named like its safeguard."""
    settings = read(
        tmp_path,
        """
        MAX_ORDER_SIZE = 50.25
        LIVE_CONFIRM = true
        MODEL_VERSIONS_DENIED = ["v1", "v2"]
        LIVE_TRADING_AUTHORIZED_UNTIL = 2026-12-01T00:00:00Z
        [order_size]
        MAX_ORDER_CONTRACTS = 40
        [rate_limit]
        MAX_ORDERS_PER_MINUTE = 5
        """,
    )
    size = settings.section(OrderSize)
    assert (size.max_order_size, size.max_order_contracts) == (50_250_000, 40_000_000)
    assert settings.section(RateLimit).max_orders_per_minute == 5
    shown = settings.shown()
    assert shown["LIVE_CONFIRM"] == ("true", "toml")
    assert shown["MODEL_VERSIONS_DENIED"] == ("v1,v2", "toml")
    assert shown["LIVE_TRADING_AUTHORIZED_UNTIL"].text == "2026-12-01T00:00:00.000Z"
    assert shown["rate_limit"] == ("", "default")


def test_decimals_are_exact(tmp_path: Path) -> None:
    """A decimal is read as it was written, never as a float."""
    settings = read(tmp_path, "MAX_ORDER_SIZE = 0.300001\n[sport_exposure.limits]\nNBA = 0.3\n")
    assert settings.section(OrderSize).max_order_size == 300_001
    assert settings.section(SportExposure).limits.of == {"nba": 300_000}


@pytest.mark.parametrize("name", sorted(CATALOG.tables))
def test_examples_work(tmp_path: Path, name: str) -> None:
    """The reference's example of each table is read, and takes effect."""
    settings = read(tmp_path, EXAMPLES[name])
    assert settings.shown()[name].origin == "toml"
    (field,) = [found for found in CATALOG.fields if found.setting.name == name]
    changed: object = settings.section(field.section)
    assert getattr(changed, field.field) != getattr(field.section(), field.field)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("MAX_ORDER_SIZ = 5", ["MAX_ORDER_SIZ: ", "'5'", "Did you mean MAX_ORDER_SIZE?"]),
        ("max_order_size = 5", ["max_order_size: ", "Did you mean MAX_ORDER_SIZE?"]),
        ("STRANGER = 5", ["STRANGER: ", "'5'", "Remove it"]),
        ("MAX_ORDER_SIZE = nan", ["MAX_ORDER_SIZE: ", "'nan'", "Set a number"]),
        ("MAX_ORDER_SIZE = inf", ["MAX_ORDER_SIZE: ", "'inf'", "Set a number"]),
        ("MAX_ORDER_SIZE = 1e400", ["MAX_ORDER_SIZE: ", "'1e400'", "Set a number"]),
        ("MAX_ORDER_SIZE = ''", ["MAX_ORDER_SIZE: ", "''", "Set a number"]),
        ("MAX_ORDER_SIZE = true", ["MAX_ORDER_SIZE: ", "'true'", "Set a number"]),
        ("MAX_ORDER_SIZE = 1_0.5", ["MAX_ORDER_SIZE: ", "'1_0.5'", "Set a number"]),
        ("MAX_ORDER_SIZE = {}", ["MAX_ORDER_SIZE: ", "structure", "MAX_ORDER_SIZE = value"]),
        ("MAX_ORDERS_PER_HOUR = 20.0", ["MAX_ORDERS_PER_HOUR: ", "'20.0'", "Set a number"]),
        ("LIVE_TRADING_AUTHORIZED_UNTIL = 2026-12-01", ["'2026-12-01'", "2026-01-28T20:30:00Z"]),
        ("[order_sise]\nMAX_ORDER_SIZE = 5", ["[order_sise]: ", "Did you mean [order_size]?"]),
        ("[stranger]\na = 5", ["[stranger]: ", "Remove it; there are [authorization]"]),
        ("[order_size]\nMAX_DAILY_LOSS = 5", ["MAX_DAILY_LOSS: ", "[order_size]", "at the top"]),
        ("[order_size]\na = 5", ["a: ", "[order_size]", "Remove it"]),
        ("order_size = 5", ["order_size: ", "'5'"]),
        (
            "MAX_ORDER_SIZE = 5\n[order_size]\nMAX_ORDER_SIZE = 5",
            ["MAX_ORDER_SIZE: ", "once", "Remove one"],
        ),
        ("[sport_exposure.limit]\nNBA = 5", ["Did you mean [sport_exposure.limits]?"]),
        ("[sport_exposure.limits]\nNBA = -5", ["sport_exposure.limits.NBA: ", "'-5'", "See ["]),
        ("[trading_window.NBA]\nphase = 'late'", ["trading_window.NBA.phase: ", "'late'", "See ["]),
        ("[rate_limit]\nper_market_hour = 0", ["rate_limit.per_market_hour: ", "'0'", "See ["]),
        ("[reconciliation.policy]\ncash = 'x'", ["reconciliation.policy.cash: ", "'x'", "See ["]),
        ("MAX_ORDER_SIZE =\n", ["MAX_ORDER_SIZE: ", "line 1", "''", "NAME = value"]),
        ("MAX_ORDER_SIZE = ", ["MAX_ORDER_SIZE: ", "line 1", "''", "NAME = value"]),
        ("\nMAX_ORDER_SIZE = abc", ["MAX_ORDER_SIZE: ", "line 2", "'abc'", "with text in quotes"]),
        ("MAX_ORDER_SIZE = 5\nMAX_ORDER_SIZE = 6", ["line 2", "'6'", "each name once"]),
        ("KALSHI_PRIVATE_KEY = hunter2", ["KALSHI_PRIVATE_KEY: ", "'***'"]),
        ("hunter2", ["arbees.toml: Expected TOML (in arbees.toml line 1). "]),
    ],
)
def test_refused(tmp_path: Path, text: str, parts: list[str]) -> None:
    """What is wrong in arbees.toml is told with its place, its value and the fix."""
    (line,) = refused(tmp_path, text)
    assert "arbees.toml" in line
    for part in parts:
        assert part in line


TOML = st.recursive(
    st.sampled_from(["1", "0.5", "nan", "'x'", "true", "2026-01-28", "[1, 'a']", "{}", "''"]),
    lambda inner: st.lists(inner, max_size=2).map(lambda parts: f"[{', '.join(parts)}]"),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        *("MAX_ORDER_SIZE", "PAPER_TRADING", "KALSHI_PRIVATE_KEY", "KALSHI_PRIVATE_KEY_FILE"),
        *("rate_limit", "trading_window", "trading_window.NBA", "order_size", "sport_exposure"),
        *("sport_exposure.limits", "reconciliation.policy.cash", "x", "x.y", "order_size.x"),
    ]
)


@given(st.dictionaries(KEYS, TOML, max_size=4))
def test_any_structure_is_read_or_refused(entries: dict[str, str]) -> None:
    """Whatever stands where, it is a setting, a table or a problem; nothing raises."""
    found = Gathered()
    text = "\n".join(f"{key} = {value}" for key, value in entries.items())
    layer = read_structured(CATALOG, text, "arbees.toml", found)
    assert layer.keys() <= CATALOG.names | CATALOG.tables
    assert all(problem.setting and problem.fix for problem in found.problems)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever the file holds, it is read or told; nothing raises."""
    found = Gathered()
    assert read_structured(CATALOG, text, "arbees.toml", found) is not None
