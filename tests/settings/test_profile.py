"""The ramp sets what moves with the order's dollars, and yields to what is explicit."""

import pytest

from arbees.settings import SettingsRefused, load
from arbees.settings.contradictions import ORDERED
from arbees.settings.general import PROFILES
from arbees.settings.profile import limits_of

TABLE = {
    "day1": ("50", "100", "10", "50", "1000", "200", "500", "1000"),
    "week1": ("100", "200", "20", "100", "1000", "400", "1000", "2000"),
    "week2": ("200", "500", "20", "100", "1000", "1000", "2500", "5000"),
    "month1": ("500", "1000", "30", "200", "1000", "2000", "5000", "10000"),
}
NAMES = (
    *("MAX_ORDER_SIZE", "MAX_POSITION_PER_MARKET", "MAX_ORDERS_PER_MINUTE"),
    *("MAX_ORDERS_PER_HOUR", "MAX_ORDER_CONTRACTS", "MAX_GAME_EXPOSURE"),
    *("MAX_SPORT_EXPOSURE", "MAX_TOTAL_EXPOSURE"),
)


@pytest.mark.parametrize("profile", PROFILES)
def test_steps_are_the_requirements(profile: str) -> None:
    """Each step sets exactly its row of the ramp, and is shown as where they come from."""
    shown = load({"LIMIT_PROFILE": profile.upper()}).shown()
    assert tuple(shown[name].text for name in NAMES) == TABLE[profile]
    assert {name for name, found in shown.items() if found.origin == "profile"} == set(NAMES)
    assert set(limits_of(profile)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_explicit_setting_wins(name: str) -> None:
    """A setting that is set stays, also at its default; the others follow the profile."""
    text = load({}).shown()[name].text
    shown = load({"LIMIT_PROFILE": "day1", name: text}).shown()
    assert shown[name] == (text, "environment")
    others = [other for other in NAMES if other != name]
    assert all(shown[other].origin == "profile" for other in others)


def test_wider_explicit_setting_is_told() -> None:
    """A limit that was left in place wider than the ramp's step is a warning, a narrower is not."""
    environ = {"LIMIT_PROFILE": "day1", "MAX_ORDER_SIZE": "100.0", "MAX_ORDERS_PER_HOUR": "40"}
    assert load(environ).warnings == (
        "LIMIT_PROFILE=day1 would set MAX_ORDER_SIZE to 50, but the environment sets 100",
    )


def test_explicit_setting_is_blamed() -> None:
    """Where an explicit setting and the profile contradict, the explicit one is named."""
    with pytest.raises(SettingsRefused, match=r"^MAX_POSITION_PER_MARKET: .*MAX_ORDER_SIZE"):
        load({"LIMIT_PROFILE": "month1", "MAX_POSITION_PER_MARKET": "200"})


def test_unset_profile_sets_nothing() -> None:
    """Without a profile the defaults stand."""
    assert all(found.origin == "default" for found in load({}).shown().values())


def test_unknown_profile_refuses() -> None:
    """A profile that does not exist refuses and lists those that do."""
    with pytest.raises(SettingsRefused, match="Set one of day1, week1, week2, month1"):
        load({"LIMIT_PROFILE": "day2"})


def test_profiles_do_not_contradict_themselves() -> None:
    """No step sets limits that refuse each other."""
    for profile in PROFILES:
        limits = limits_of(profile)
        for lower, upper in ORDERED:
            assert float(limits.get(lower, "0")) <= float(limits.get(upper, "1"))
