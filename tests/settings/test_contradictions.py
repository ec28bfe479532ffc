"""Settings that are each right and together wrong refuse, and both are named."""

import pytest

from arbees import safeguards
from arbees.settings import SettingsRefused, load

NAMES = [section.name for section in safeguards.ALL]  # type: ignore[attr-defined]
LIVE = {"PAPER_TRADING": "0", "LIVE_TRADING_AUTHORIZED": "true"}


def refused(environ: dict[str, str]) -> list[str]:
    """Return the lines that refuse settings."""
    with pytest.raises(SettingsRefused) as caught:
        load(environ)
    assert caught.value.exit_code == 78
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("environ", "parts"),
    [
        (
            {"MIN_SAFE_PRICE": "0.96"},
            ["MIN_SAFE_PRICE: ", "at most MAX_SAFE_PRICE, which is 0.95 (default)", "'0.96'"],
        ),
        (
            {"MAX_SAFE_PRICE": "0.04"},
            ["MAX_SAFE_PRICE: ", "at least MIN_SAFE_PRICE, which is 0.05 (default)", "'0.04'"],
        ),
        (
            {"MIN_SAFE_PRICE": "0.6", "MAX_SAFE_PRICE": "0.5"},
            ["MIN_SAFE_PRICE: ", "which is 0.5 (the environment)", "'0.6'", "Lower MIN_SAFE_PRICE"],
        ),
        (
            {"MAX_ORDERS_PER_MINUTE": "101"},
            ["MAX_ORDERS_PER_MINUTE: ", "MAX_ORDERS_PER_HOUR, which is 100", "'101'", "raise"],
        ),
        (
            {"MAX_ORDERS_PER_HOUR": "19"},
            ["MAX_ORDERS_PER_HOUR: ", "MAX_ORDERS_PER_MINUTE, which is 20", "'19'", "raise"],
        ),
        (
            {"MAX_ORDER_SIZE": "200.000001"},
            ["MAX_ORDER_SIZE: ", "MAX_POSITION_PER_MARKET, which is 200", "'200.000001'"],
        ),
        (
            {"MAX_ORDER_SIZE": "101", "LIMIT_PROFILE": "day1"},
            ["MAX_ORDER_SIZE: ", "MAX_POSITION_PER_MARKET, which is 100 (LIMIT_PROFILE=day1)"],
        ),
        (
            {"PAPER_BOOK_PATH": "./x.db", "JOURNAL_PATH": "x.db"},
            ["PAPER_BOOK_PATH: ", "a file of its own, JOURNAL_PATH names it too", "'./x.db'"],
        ),
        (
            {"AUDIT_LOG_PATH": "/tmp/arbees_kill_switch"},
            ["KILL_SWITCH_FILE: ", "AUDIT_LOG_PATH names it too"],
        ),
        (
            {"DISABLED_SAFEGUARDS": "order_size"},
            ["DISABLED_SAFEGUARDS: ", "'order_size'", "Set DISABLED_SAFEGUARDS_REASON"],
        ),
        (
            {"DISABLED_SAFEGUARDS": "order_sise", "DISABLED_SAFEGUARDS_REASON": "x"},
            ["DISABLED_SAFEGUARDS: ", "'order_sise' is none", "Did you mean order_size?"],
        ),
        (
            {"DISABLED_SAFEGUARDS": "idempotency", "DISABLED_SAFEGUARDS_REASON": "x"},
            ["DISABLED_SAFEGUARDS: ", "'idempotency' is none", "Name some of authorization, "],
        ),
        (
            {"DISABLED_SAFEGUARDS": ",".join(NAMES), "DISABLED_SAFEGUARDS_REASON": "x"},
            ["DISABLED_SAFEGUARDS: ", "at least 5 safeguards to stay on"],
        ),
        (
            {"DISABLED_SAFEGUARDS": ",".join(NAMES[4:]), "DISABLED_SAFEGUARDS_REASON": "x"},
            ["DISABLED_SAFEGUARDS: ", "at least 5 safeguards to stay on"],
        ),
        (
            {
                **LIVE,
                "DISABLED_SAFEGUARDS": "freshness,market,holding,order_size",
                "DISABLED_SAFEGUARDS_REASON": "x",
            },
            ["DISABLED_SAFEGUARDS: ", "at most 3 safeguards off in live trading", "4 are named"],
        ),
        (
            {"JOURNAL_URL": "postgresql://trader:secret@db/arbees"},
            ["JOURNAL_URL: Expected no shared journal", "***", "Remove JOURNAL_URL."],
        ),
        (
            {**LIVE, "AUDIT_LOG_ENABLED": "false"},
            ["AUDIT_LOG_ENABLED: ", "'false'", "Set AUDIT_LOG_ENABLED=true."],
        ),
        (
            {**LIVE, "LIVE_REQUIRES_PREFLIGHT": "0"},
            ["LIVE_REQUIRES_PREFLIGHT: ", "'false'", "Set LIVE_PREFLIGHT_OVERRIDE_REASON"],
        ),
        (
            {
                **LIVE,
                "DISABLED_SAFEGUARDS": "market,authorization",
                "DISABLED_SAFEGUARDS_REASON": "x",
            },
            ["DISABLED_SAFEGUARDS: ", "authorization to stay on", "Remove authorization"],
        ),
        (
            {**LIVE, "DISABLED_SAFEGUARDS": "kill_switch", "DISABLED_SAFEGUARDS_REASON": "x"},
            ["DISABLED_SAFEGUARDS: ", "kill_switch to stay on", "Remove kill_switch"],
        ),
    ],
)
def test_refused(environ: dict[str, str], parts: list[str]) -> None:
    """Each contradiction is one line that names the settings, the value and the way out."""
    (line,) = refused(environ)
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    "environ",
    [
        {"MIN_SAFE_PRICE": "0.5", "MAX_SAFE_PRICE": "0.5"},
        {"MAX_ORDERS_PER_MINUTE": "100"},
        {"MAX_ORDER_SIZE": "200"},
        {"MAX_POSITION_PER_MARKET": "5000"},
        {"DISABLED_SAFEGUARDS": "authorization", "DISABLED_SAFEGUARDS_REASON": "x"},
        {"DISABLED_SAFEGUARDS": ",".join(NAMES[5:]), "DISABLED_SAFEGUARDS_REASON": "x"},
        {
            **LIVE,
            "DISABLED_SAFEGUARDS": "freshness,market,holding",
            "DISABLED_SAFEGUARDS_REASON": "x",
        },
        {"DISABLED_SAFEGUARDS_REASON": "a reason that was left behind"},
        {"AUDIT_LOG_ENABLED": "false"},
        {"LIVE_REQUIRES_PREFLIGHT": "false"},
        {**LIVE, "LIVE_REQUIRES_PREFLIGHT": "no", "LIVE_PREFLIGHT_OVERRIDE_REASON": "rehearsal"},
        {"PAPER_TRADING": "1", "LIVE_TRADING_AUTHORIZED": "true"},
        {"PAPER_TRADING": "0"},
    ],
)
def test_allowed(environ: dict[str, str]) -> None:
    """Exactly equal, wider, or careless only in paper trading, is no contradiction."""
    load(environ)


def test_several_are_told_together() -> None:
    """All contradictions are told, and what cannot be read takes part in none."""
    lines = refused(
        {
            **LIVE,
            "MIN_SAFE_PRICE": "0.96",
            "MAX_ORDERS_PER_MINUTE": "abc",
            "MAX_ORDERS_PER_HOUR": "1",
            "AUDIT_LOG_ENABLED": "0",
        }
    )
    assert [line.partition(":")[0] for line in lines] == [
        "MAX_ORDERS_PER_MINUTE",
        "MIN_SAFE_PRICE",
        "AUDIT_LOG_ENABLED",
    ]
