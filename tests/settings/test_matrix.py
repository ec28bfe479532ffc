"""Every setting of the requirements' template, against everything that may be wrong with it."""

import re
from pathlib import Path

import pytest

from arbees.core.language.setting import SettingKind
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.errors import ConfigurationError
from arbees.safeguards.authorization import Authorization
from arbees.safeguards.balance import Balance
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.price_range import PriceRange
from arbees.safeguards.price_reference import PriceReference
from arbees.safeguards.rate_limit import RateLimit
from arbees.settings import AuditLogSettings, SettingsRefused, all_sections, load
from arbees.settings.catalog import Catalog
from arbees.settings.parse import UNITS
from arbees.settings.reference import TEMPLATE

CATALOG = Catalog(all_sections())
NAMES = [name for names in TEMPLATE.values() for name in names]
NUMBERS = [name for name in NAMES if CATALOG.settings[name].kind in UNITS]
FLAGS = [name for name in NAMES if CATALOG.settings[name].kind is SettingKind.FLAG]

VALUES: list[tuple[str, str, type, str, object]] = [
    ("PAPER_TRADING", "0", Authorization, "paper_trading", False),
    ("LIVE_TRADING_AUTHORIZED", "true", Authorization, "live_trading_authorized", True),
    ("MAX_ORDER_SIZE", "50.25", OrderSize, "max_order_size", 50_250_000),
    ("MAX_ORDER_CONTRACTS", "40", OrderSize, "max_order_contracts", 40 * MICRO),
    ("MAX_POSITION_PER_MARKET", "150", MarketExposure, "max_position_per_market", 150 * MICRO),
    ("MAX_ORDERS_PER_MINUTE", "7", RateLimit, "max_orders_per_minute", 7),
    ("MAX_ORDERS_PER_HOUR", "70", RateLimit, "max_orders_per_hour", 70),
    ("MIN_SAFE_PRICE", "0.1", PriceRange, "min_safe_price", 100_000),
    ("MAX_SAFE_PRICE", "0.9", PriceRange, "max_safe_price", 900_000),
    (
        "MAX_PRICE_DELTA_FROM_PREGAME",
        "0.25",
        PriceReference,
        "max_price_delta_from_pregame",
        250_000,
    ),
    (
        "BALANCE_REFRESH_INTERVAL_SECS",
        "30",
        Balance,
        "balance_refresh_interval",
        30 * NS_PER_SECOND,
    ),
    ("BALANCE_LOW_THRESHOLD", "250", Balance, "balance_low_threshold", 250 * MICRO),
    ("DAILY_LOSS_ALERT_THRESHOLD", "0.5", DailyLoss, "daily_loss_alert_threshold", 500_000),
    ("AUDIT_LOG_ENABLED", "false", AuditLogSettings, "is_enabled", False),
    ("AUDIT_LOG_PATH", "var/audit.jsonl", AuditLogSettings, "path", "var/audit.jsonl"),
    ("AUDIT_LOG_RETENTION_DAYS", "30", AuditLogSettings, "retention_days", 30),
]

REQUIREMENTS = """\
# .env additions for live trading security

# ============================================================================
# LIVE TRADING AUTHORIZATION (Critical - Phase 1)
# ============================================================================
PAPER_TRADING=0                          # Disable paper trading
LIVE_TRADING_AUTHORIZED=true             # Explicitly authorize live trading
MAX_ORDER_SIZE=100.0                     # Max $100 per order (start conservative)
MIN_SAFE_PRICE=0.05                      # Reject prices <5%
AUDIT_LOG_PATH=/var/log/arbees/execution_audit.jsonl
"""


def refusal(environ: dict[str, str], dotenv: Path | None = None) -> SettingsRefused:
    """Return how settings are refused."""
    with pytest.raises(SettingsRefused) as caught:
        load(environ, dotenv)
    assert caught.value.exit_code == 78
    return caught.value


def the_problem(refused: SettingsRefused, setting: str) -> ConfigurationError:
    """Return the one problem about a setting."""
    (found,) = [problem for problem in refused.problems if problem.setting == setting]
    return found


def test_matrix_covers_the_template() -> None:
    """The table of values names every setting of the requirements' template, in its order."""
    assert [row[0] for row in VALUES] == NAMES


@pytest.mark.parametrize("source", ["environment", ".env"])
@pytest.mark.parametrize("row", VALUES, ids=NAMES)
def test_exact_name_works(
    tmp_path: Path, row: tuple[str, str, type, str, object], source: str
) -> None:
    """Each setting, by its exact name, takes effect in the class that reads it."""
    name, text, section, field, value = row
    environ, dotenv = {name: text}, None
    if source == ".env":
        environ, dotenv = {}, tmp_path / ".env"
        dotenv.write_text(f"{name}={text}    # as in the template\n")
    settings = load(environ, dotenv)
    assert getattr(settings.section(section), field) == value
    assert settings.shown()[name].origin == source


def test_template_lines_are_read(tmp_path: Path) -> None:
    """Lines as the requirements write them, comments behind the values, are understood."""
    dotenv = tmp_path / ".env"
    dotenv.write_text(REQUIREMENTS)
    settings = load({}, dotenv)
    assert settings.mode == "live"
    assert settings.section(Authorization).live_trading_authorized
    assert settings.section(OrderSize).max_order_size == 100 * MICRO


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "-1", "NaN", "1e400", "", " ", "nan", "inf", "-Infinity", "1_000", "+5", " 5"),
        *("5 ", "0x10", "1,5", "٣", "1e-7", "--1", "1.", ".5", "05", "99999999999999999999"),
    ],
)
@pytest.mark.parametrize("name", NUMBERS)
def test_bad_number_refuses(name: str, text: str) -> None:
    """What is no number in range refuses, and names setting, value and fix."""
    found = the_problem(refusal({name: text}), name)
    assert found.value == text
    assert found.fix is not None
    assert found.fix.startswith("Set a number from ")
    line = str(found)
    assert name in line
    assert repr(text) in line
    assert found.fix in line


@pytest.mark.parametrize("text", ["", "maybe", "2", "on", "off", "-1", " true", "tru", "01", "y"])
@pytest.mark.parametrize("name", FLAGS)
def test_bad_flag_refuses(name: str, text: str) -> None:
    """What is no flag refuses, and names setting, value and fix."""
    found = the_problem(refusal({name: text}), name)
    assert (found.value, found.fix) == (text, "Set true or false.")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("Yes", True), ("0", False), ("False", False), ("nO", False)],
)
def test_flags_in_any_case(text: str, value: bool) -> None:
    """1, true, yes and 0, false, no are flags in any case."""
    settings = load({"LIVE_TRADING_AUTHORIZED": text})
    assert settings.section(Authorization).live_trading_authorized is value


def misspellings(name: str) -> list[str]:
    """Return a name with each letter wrong, dropped, doubled, swapped with the next one."""
    found = [name.lower(), name.title(), f"ARBEES_{name}", f"{name}_", name.replace("_", "-")]
    for at, letter in enumerate(name):
        before, behind = name[:at], name[at + 1 :]
        found += [before + other + behind for other in "XQ_"]
        found += [before + behind, before + letter + letter + behind]
        found.append(before + behind[:1] + letter + behind[1:])
    return [wrong for wrong in dict.fromkeys(found) if wrong not in CATALOG.names]


@pytest.mark.parametrize("name", sorted(CATALOG.names))
def test_misspelt_name_refuses(tmp_path: Path, name: str) -> None:
    """Each name, of all settings, with one letter wrong refuses and tells the right one."""
    wrong = misspellings(name)
    fix = re.compile(rf"Did you mean (\w+ or )*{name}( or \w+)*\?(?P<more> Rename it)?")
    refused = refusal(dict.fromkeys(wrong, "1"))
    assert sorted(str(found.setting) for found in refused.problems) == sorted(wrong)
    for found in refused.problems:
        told = fix.match(str(found.fix))
        assert told, f"{found.setting}: {found.fix}"
        assert told["more"]
    dotenv = tmp_path / ".env"
    writable = [each for each in wrong if "-" not in each]
    dotenv.write_text("".join(f"{each}=1\n" for each in writable))
    problems = refusal({}, dotenv).problems
    assert [found.setting for found in problems] == writable
    for line, found in enumerate(problems, 1):
        assert fix.fullmatch(str(found.fix)), f"{found.setting}: {found.fix}"
        assert f".env line {line}" in found.message


def test_everything_wrong_is_told_at_once() -> None:
    """One start lists all problems, one line each."""
    refused = refusal({"MAX_ORDER_SIZE": "abc", "PAPER_TRADIN": "0", "MIN_SAFE_PRICE": "0.99"})
    assert [found.setting for found in refused.problems] == [
        "PAPER_TRADIN",
        "MAX_ORDER_SIZE",
        "MIN_SAFE_PRICE",
    ]
    assert len(str(refused).splitlines()) == 3
