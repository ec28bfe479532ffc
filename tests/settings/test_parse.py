"""The text of a setting has one value, and a value has one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO, NS_PER_SECOND, parse_micro
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.settings.parse import (
    UNITS,
    BadValue,
    hidden,
    parse,
    range_of,
    text_of,
    written,
)

SCALARS = [
    setting
    for setting in Catalog(all_sections()).settings.values()
    if setting.kind is not SettingKind.TABLE
]


def make(
    kind: SettingKind, *, choices: tuple[str, ...] = (), is_secret: bool = False, **limits: str
) -> Setting:
    """Return a setting of a kind."""
    low, high = limits.get("low"), limits.get("high")
    return Setting(
        name="X", kind=kind, doc="x", low=low, high=high, choices=choices, is_secret=is_secret
    )


@pytest.mark.parametrize(
    ("setting", "text", "value", "again"),
    [
        (make(SettingKind.DOLLARS), "100.0", 100 * MICRO, "100"),
        (make(SettingKind.DOLLARS), "1e2", 100 * MICRO, "100"),
        (make(SettingKind.PRICE), "0.05", 50_000, "0.05"),
        (make(SettingKind.CONTRACTS), "0.000001", 1, "0.000001"),
        (make(SettingKind.COUNT), "20", 20, "20"),
        (make(SettingKind.SECONDS), "0.001", 1_000_000, "0.001"),
        (make(SettingKind.SECONDS), "60", 60 * NS_PER_SECOND, "60"),
        (make(SettingKind.CHOICE, choices=("warn", "deny")), "DENY", "deny", "deny"),
        (make(SettingKind.TEXT), "some text", "some text", "some text"),
        (make(SettingKind.LIST), "a, b ,c", ("a", "b", "c"), "a,b,c"),
        (make(SettingKind.LIST, choices=("Kalshi",)), "kalshi", ("Kalshi",), "Kalshi"),
        (make(SettingKind.TIME), "2026-01-28T20:30:00Z", 1769632200 * NS_PER_SECOND, None),
        (make(SettingKind.ZONE), "America/New_York", "America/New_York", "America/New_York"),
        (make(SettingKind.PATH), "var/{mode}.db", "var/{mode}.db", "var/{mode}.db"),
        (make(SettingKind.URL), "https://host:1/a", "https://host:1/a", "https://host:1/a"),
        (make(SettingKind.URL, choices=("unix",)), "unix:///run/x", "unix:///run/x", None),
    ],
)
def test_values(setting: Setting, text: str, value: object, again: str | None) -> None:
    """Each kind reads its text into its Python value, and writes it in one spelling."""
    read = parse(setting, text)
    assert read == value
    assert type(read) is type(value)
    if again is not None:
        assert written(setting, read) == again
    assert parse(setting, written(setting, read)) == value


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (make(SettingKind.COUNT), "20.0"),
        (make(SettingKind.COUNT), "2e1"),
        (make(SettingKind.COUNT), "1000000001"),
        (make(SettingKind.DOLLARS, low="0.01"), "0.009999"),
        (make(SettingKind.DOLLARS, high="5"), "5.000001"),
        (make(SettingKind.PRICE), "1.000001"),
        (make(SettingKind.SECONDS), "0.0000001"),
        (make(SettingKind.CHOICE, choices=("warn", "deny")), "warm"),
        (make(SettingKind.TEXT), "a\nb"),
        (make(SettingKind.TEXT), " a"),
        (make(SettingKind.TEXT), "a\udcff"),
        (make(SettingKind.TEXT, is_secret=True), "a\udcff"),
        (make(SettingKind.LIST), "a,\udcff"),
        (make(SettingKind.PATH), "a\udcff"),
        (make(SettingKind.TEXT), "a" * 5000),
        (make(SettingKind.TEXT, choices=("day1",)), "day2"),
        (make(SettingKind.LIST), "a,,b"),
        (make(SettingKind.LIST), "a,b,"),
        (make(SettingKind.LIST), "a,a"),
        (make(SettingKind.LIST, choices=("Kalshi",)), "Kalschi"),
        (make(SettingKind.TIME), "2026-01-28"),
        (make(SettingKind.TIME), "2026-01-28T20:30:00"),
        (make(SettingKind.TIME), "2026-02-30T20:30:00Z"),
        (make(SettingKind.ZONE), "America/Nowhere"),
        (make(SettingKind.ZONE), "America"),
        (make(SettingKind.ZONE), "../etc/passwd"),
        (make(SettingKind.PATH), "~/journal.db"),
        (make(SettingKind.PATH), "var/"),
        (make(SettingKind.PATH), "a\0b"),
        (make(SettingKind.PATH), " a"),
        (make(SettingKind.URL), "host"),
        (make(SettingKind.URL), "ftp://host"),
        (make(SettingKind.URL), "https://"),
        (make(SettingKind.URL), "https://host:0"),
        (make(SettingKind.URL), "https://host:99999"),
        (make(SettingKind.URL), "https://ho st"),
        (make(SettingKind.URL), "https://user:word@host"),
        (make(SettingKind.URL), "https://[::1"),
        (make(SettingKind.URL, choices=("redis",)), "https://host"),
    ],
)
def test_refused(setting: Setting, text: str) -> None:
    """What is no value is refused with what was expected and what to write."""
    with pytest.raises(BadValue, match=r"^Expected ") as caught:
        parse(setting, text)
    assert caught.value.fix.endswith((".", "\N{HORIZONTAL ELLIPSIS}"))


@pytest.mark.parametrize("setting", SCALARS, ids=lambda setting: setting.name)
@given(text=st.text(max_size=30) | st.from_regex(r"-?[0-9]{0,4}\.?[0-9]{0,7}", fullmatch=True))
def test_any_text_is_read_or_refused(setting: Setting, text: str) -> None:
    """Every setting reads any text or refuses it; what it writes of it has the same value."""
    if not text:
        return
    try:
        value = parse(setting, text)
    except BadValue:
        return
    again = written(setting, value)
    if setting.kind is not SettingKind.TIME:
        assert parse(setting, again) == value
    if setting.kind in UNITS:
        low, high = range_of(setting)
        assert parse_micro(low) <= parse_micro(text) <= parse_micro(high)


@pytest.mark.parametrize(
    "setting",
    [setting for setting in SCALARS if setting.kind in UNITS],
    ids=lambda setting: setting.name,
)
def test_ends_of_the_range(setting: Setting) -> None:
    """Each number states its range; both ends are in it, a millionth beyond is out of it."""
    assert setting.low is not None
    assert setting.high is not None
    parse(setting, setting.low)
    parse(setting, setting.high)
    beyond = (
        str(int(setting.high) + 1)
        if setting.kind is SettingKind.COUNT
        else f"{setting.high}.000001"
    )
    with pytest.raises(BadValue):
        parse(setting, beyond)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:hunter2@host:6379/0", "redis://***@host:6379/0"),
        ("redis://me:hunter2@host", "redis://***@host"),
        ("redis://host/0?password=hunter2", "redis://host/0?***"),
        ("redis://host/hunter2", "redis://host/***"),
        ("unix:///hunter2", "***"),
        ("redis://[hunter2", "***"),
        ("", ""),
    ],
)
def test_secret_urls_show_where_they_lead(text: str, shown: str) -> None:
    """Of a URL that may hold a password people see scheme, host and port."""
    setting = make(SettingKind.URL, choices=("redis", "unix"), is_secret=True)
    assert hidden(setting, text) == shown
    assert hidden(make(SettingKind.TEXT, is_secret=True), text) == ("***" if text else "")


def test_key_in_one_line_spans_lines() -> None:
    r"""In a private key of one line `\n` means a new line; other secrets stay as they are."""
    setting = make(SettingKind.TEXT, is_secret=True)
    assert parse(setting, r"-----BEGIN X-----\na") == "-----BEGIN X-----\na"
    assert parse(setting, r"pass\nword ") == r"pass\nword "


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (True, "true"),
        (5, "5"),
        ("0.5", "0.5"),
        (["a", "b"], "a,b"),
        ([], ""),
        (["a,b"], None),
        ([{}], None),
        ({}, None),
    ],
)
def test_toml_scalars_become_text(raw: object, text: str | None) -> None:
    """A scalar of arbees.toml is read like the text of `.env`; a structure is none."""
    assert text_of(raw) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [("95", "95 cents is 0.95: set 0.95."), ("1.5", ""), ("1.01", ""), ("100", "")],
)
def test_only_whole_cents_are_taken_for_cents(text: str, hint: str) -> None:
    """Nobody means a cent and a half by 1.5: a hint is given only where it is likely right."""
    with pytest.raises(BadValue) as refused:
        parse(make(SettingKind.PRICE), text)
    assert ("is 0." in refused.value.fix) is bool(hint)
    assert hint in refused.value.fix
