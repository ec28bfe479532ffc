"""Settings describe themselves: the fields of a section that carry a `Setting`, and no others."""

from typing import Annotated, ClassVar

import msgspec
import pytest

from arbees.core.language.setting import Setting, SettingKind, settings_of

SIZE = Setting(
    name="MAX_ORDER_SIZE", kind=SettingKind.DOLLARS, doc="Most dollars.", default="100.0"
)
MODE = Setting(
    name="LOG_LEVEL", kind=SettingKind.CHOICE, doc="How much.", choices=("info", "debug")
)


class Section(msgspec.Struct, frozen=True):
    """A section."""

    name: ClassVar[str] = "section"
    plain: int = 0
    noted: Annotated[int, "a note that is none"] = 0
    size: Annotated[int, "first", SIZE] = 0
    mode: Annotated[str, MODE] = "info"


def test_settings_of_a_section() -> None:
    """By field, in order; what has no description is no setting."""
    assert list(settings_of(Section).items()) == [("size", SIZE), ("mode", MODE)]


def test_a_class_without_settings_has_none() -> None:
    """A safeguard that is always on has no setting."""

    class Empty(msgspec.Struct):
        """No field."""

    assert settings_of(Empty) == {}


def test_what_is_not_said_of_a_setting() -> None:
    """No default is unset, no bound is no bound, no choices are none, and nothing is a secret."""
    plain = Setting(name="X", kind=SettingKind.TEXT, doc="x")
    assert (plain.default, plain.low, plain.high) == ("", None, None)
    assert (plain.choices, plain.is_secret) == ((), False)


def test_kinds_are_named_in_the_documentation() -> None:
    """The words of the reference."""
    assert tuple(SettingKind) == (
        *("dollars", "price", "contracts", "ratio", "points", "count", "seconds", "flag"),
        *("choice", "text", "list", "time", "zone", "path", "url", "table"),
    )


def test_a_setting_is_a_value() -> None:
    """Nobody changes a description."""
    with pytest.raises(AttributeError):
        SIZE.name = "OTHER"  # type: ignore[misc]
