"""`arbees top` fits on its terminal, and says first what must not be missed."""

from typing import Any

import pytest

from arbees.cli.commands.prove.decisions import RecordLine
from arbees.cli.commands.watch.screen import HALTS_MAX, Seen, lines

HALT = {
    "source": "http",
    "scope": "all",
    "state": "HALTED",
    "reason": "the model is wrong",
    "since": "2026-01-28T20:30:00.000Z",
    "automatic": False,
}


def status(**more: Any) -> dict[str, Any]:
    """Return a status as the gateway answers it."""
    return {
        "mode": "paper",
        "state": "ACTIVE",
        "halts": [],
        "venues": [
            {"platform": "Kalshi", "state": "ACTIVE", "reasons": []},
            {"platform": "Polymarket", "state": "READ_ONLY", "reasons": ["heartbeat late"]},
        ],
        "journal": {"sequence": 1234567, "hash": "ab" * 32},
        "pnl_today": -1234.5,
        "version": "0.1.0",
        "settings_hash": "cd" * 32,
        "disabled_safeguards": [],
        "account": "main",
        "environment": "local",
        "open_orders": 12,
        "unknown_orders": 0,
        "total_exposure": 1065.25,
        "warnings": [],
        **more,
    }


def use(scope: str, value: float, limit: float, code: str = "MAX_TOTAL_EXPOSURE") -> dict[str, Any]:
    """Return how much of a limit is used."""
    found = {"scope": scope, "value": value, "limit": limit, "headroom": limit - value}
    return {"name": "x", "enabled": True, "used": [found | {"code": code}]}


def seen(**more: Any) -> Seen:
    """Return what was seen of a busy gateway."""
    fields: dict[str, Any] = {
        "at": "20:30:05",
        "status": status(),
        "safeguards": (
            use("all", 1065.25, 2000),
            use("market:A-VERY-LONG-TICKER", 150, 100, "MAX_POSITION_PER_MARKET"),
            use("sport:NBA", 450, 500, "MAX_SPORT_EXPOSURE"),
        ),
        "alerts": (
            {"name": "BALANCE_LOW", "severity": "critical", "message": "low", "cleared_at": None},
            {"name": "RATE_LIMIT_HIT", "severity": "warning", "message": "over", "cleared_at": "t"},
        ),
        "told": tuple(
            RecordLine("20:30:05", "DENIED", "red", f"req-{n} " + "x" * 99) for n in range(40)
        ),
    }
    return Seen("http://127.0.0.1:8321", 1.0, **(fields | more))


def text_of(what: Seen, width: int = 80, height: int = 24) -> str:
    """Return what is shown, and assert that it fits."""
    drawn = lines(what, width, height)
    assert len(drawn) == height
    assert max(line.cell_len for line in drawn) <= width
    return "\n".join(line.plain.rstrip() for line in drawn)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 10), (200, 60), (40, 12)])
def test_fits(width: int, height: int) -> None:
    """Whatever there is to show, it has the size of the terminal."""
    busy = status(
        halts=[HALT] * 9,
        disabled_safeguards=["freshness"],
        disabled_reason="a test",
        warnings=["The disk is nearly full"] * 5,
    )
    text = text_of(seen(status=busy), width, height)
    assert "PAPER" in text
    assert "HALTED   all by http" in text


def test_shows_all_of_it() -> None:
    """State, money, venues, limits, alerts and decisions are on one screen of 80 by 24."""
    text = text_of(seen())
    for part in (
        "  PAPER   ACTIVE",
        "main@local  0.1.0",
        "P&L today -$1,234.50",
        "exposure $1,065.25",
        "open orders 12",
        "Journal 1234567 abab",
        "Kalshi ACTIVE   Polymarket READ_ONLY (heartbeat late)",
        "1,065.25 of 2,000",
        "ALERT  BALANCE_LOW: low",
        "Last decisions",
        "DENIED    req-39 xxx",
        "q quits   http://127.0.0.1:8321   every 1 s   20:30:05",
    ):
        assert part in text, text
    assert "RATE_LIMIT_HIT" not in text
    assert "…" in text


def test_bars_show_the_fullest_first() -> None:
    """A limit that is passed is full and red, one that is near is yellow."""
    drawn = [line for line in lines(seen(), 80, 24) if "█" in line.plain]
    assert [line.plain.split()[0] for line in drawn] == [
        "MAX_POSITION_PER_MARKET",
        "MAX_SPORT_EXPOSURE",
        "MAX_TOTAL_EXPOSURE",
    ]
    styles = [{str(span.style) for span in line.spans} for line in drawn]
    assert ["bold red" in styles[0], "yellow" in styles[1], "green" in styles[2]] == [True] * 3
    assert "░" not in drawn[0].plain


def test_limit_of_nothing() -> None:
    """A closed sport is full as soon as anything is in it, and empty before."""
    closed = (use("sport:NBA", 0, 0), use("sport:NHL", 1, 0))
    drawn = [line.plain for line in lines(seen(safeguards=closed), 80, 24)]
    assert ["█" in line for line in drawn if "sport:" in line] == [True, False]


def test_little_is_not_nothing() -> None:
    """What is used of a limit shows, however little."""
    (line,) = [each.plain for each in lines(seen(safeguards=(use("all", 0.01, 2000),)), 80, 24)][
        4:5
    ]
    assert "█░" in line


def test_halts_come_before_everything_else() -> None:
    """Halts, what is off and unknown orders are red, on top; of many halts the first are shown."""
    halted = status(
        state="HALTED",
        halts=[HALT] * (HALTS_MAX + 2),
        unknown_orders=3,
        disabled_safeguards=["freshness"],
        disabled_reason="a test",
    )
    drawn = lines(seen(status=halted), 80, 24)
    text = [line.plain for line in drawn]
    assert str(drawn[0].style) == "bold white on red"
    assert text[3] == "HALTED   all by http since 20:30:00: the model is wrong"
    assert "and 2 more halts: arbees kill status" in text
    assert "OFF    freshness: a test" in text
    assert any(str(span.style) == "bold red" for span in drawn[1].spans)


def test_live_is_marked() -> None:
    """Real money is not overlooked."""
    (banner, *_) = lines(seen(status=status(mode="live")), 80, 24)
    assert banner.plain.startswith("  LIVE   ACTIVE")
    assert any("magenta" in str(span.style) for span in banner.spans)


def test_unreachable() -> None:
    """Before the first answer, and after a lost one, it says so in red and goes on."""
    never = Seen("http://127.0.0.1:1", 1.0, error="Connection refused")
    drawn = lines(never, 80, 24)
    assert "UNREACHABLE  Connection refused" in drawn[0].plain
    assert str(drawn[0].style) == "bold white on red"
    assert "trying again" in drawn[1].plain
    lost = text_of(seen(error="no answer in time"))
    assert "UNREACHABLE  no answer in time" in lost
    refused = text_of(seen(error="KEY_REQUIRED: no key", trouble="REFUSED"))
    assert "REFUSED  KEY_REQUIRED: no key" in refused
    assert "What follows is of 20:30:05" in lost


def test_text_from_outside_is_no_command() -> None:
    """A reason or a ticker cannot drive the terminal."""
    bad = status(halts=[HALT | {"reason": "\x1b[2J\x07"}], warnings=["\x1b]0;x\x07"])
    assert "\x1b" not in text_of(seen(status=bad))
