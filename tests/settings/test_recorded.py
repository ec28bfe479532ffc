"""Settings made again from a journal's record of them."""

from pathlib import Path

import pytest

from arbees.settings import SettingsRefused, load
from arbees.settings.recorded import read_changes, restore

TABLES = """
MAX_ORDER_SIZE = 51.5
[sport_exposure.limits]
NBA = 500
[trading_window.NBA]
days = ["Mon", "Tue"]
hours = "18:00-23:30"
zone = "America/New_York"
"""


def test_what_was_recorded_is_what_was_in_force(tmp_path: Path) -> None:
    """Safeguards, off ones included, tables, mode and hash are those of the start."""
    toml = tmp_path / "arbees.toml"
    toml.write_text(TABLES)
    off = {"DISABLED_SAFEGUARDS": "market", "DISABLED_SAFEGUARDS_REASON": "a test"}
    for given in ({}, off, {"LIMIT_PROFILE": "week1"}, {"MAX_QUOTE_AGE_SECS": "0.5"}):
        settings = load(given, toml_path=toml)
        restored = restore(settings.recorded())
        assert restored.strange == ()
        assert restored.settings.safeguards == settings.safeguards
        assert restored.settings.disabled == settings.disabled
        assert restored.settings.hash == settings.hash
        assert restored.settings.mode == settings.mode


def test_secrets_stay_hidden() -> None:
    """They are not in the record, and nothing that decides needs one."""
    settings = load({"REDIS_URL": "redis://:word@localhost:6379", "KALSHI_API_KEY_ID": "id"})
    restored = restore(settings.recorded())
    assert restored.settings.hash == settings.hash
    assert "word" not in str(restored.settings.recorded())


def test_changes_lie_over_what_was_recorded() -> None:
    """What is named changes, a profile sets what it sets, everything else stays."""
    recorded = load({"MAX_ORDER_SIZE": "77", "MAX_OPEN_ORDERS": "7"}).recorded()
    changes = read_changes([], {"LIMIT_PROFILE": "day1", "MAX_ORDER_CONTRACTS": "9"})
    after = restore(recorded, changes).settings.recorded()
    assert after["MAX_ORDER_SIZE"] == "50"
    assert after["MAX_ORDER_CONTRACTS"] == "9"
    assert after["MAX_OPEN_ORDERS"] == "7"
    assert {name for name in after if after[name] != recorded.get(name)} <= set(changes.names)


def test_settings_of_another_version() -> None:
    """What this version does not know, or cannot read, is named; its default stands in."""
    recorded = load({}).recorded()
    del recorded["MAX_OPEN_ORDERS"]
    recorded |= {"MAX_MOON_PHASE": "3", "QUOTE_POLICY": "shrug"}
    restored = restore(recorded)
    assert set(restored.strange) == {
        "MAX_OPEN_ORDERS is not recorded",
        "MAX_MOON_PHASE=3",
        "QUOTE_POLICY=shrug",
    }
    assert restored.settings.recorded()["MAX_OPEN_ORDERS"] == "50"


def test_contradictions_of_changes_are_refused() -> None:
    """As at a start; what was recorded is not judged again."""
    recorded = load({}).recorded() | {"MAX_ORDER_SIZE": "900"}
    restore(recorded)
    with pytest.raises(SettingsRefused, match="MAX_ORDER_SIZE"):
        restore(recorded, read_changes([], {"MAX_OPEN_ORDERS": "3"}))


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """A file that is not there, an unknown name and a malformed value."""
    env = tmp_path / "other.env"
    env.write_text("MAX_ORDR_SIZE=1\nMAX_OPEN_ORDERS=many\n")
    with pytest.raises(SettingsRefused) as refused:
        read_changes([env, tmp_path / "none.toml"], {"NONSENSE": "1"})
    told = str(refused.value)
    for name in ("MAX_ORDR_SIZE", "MAX_OPEN_ORDERS", "none.toml", "NONSENSE"):
        assert name in told
