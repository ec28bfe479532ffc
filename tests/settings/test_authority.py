"""A live start needs two flags, credentials, a record for these settings, and the typed words."""

import io
import subprocess
import sys

import pytest

from arbees.core.book.book import Authority
from arbees.core.language.words import Platform
from arbees.errors import ConfigurationError
from arbees.settings import Settings, load
from arbees.settings.authority import (
    CONFIRMATION,
    changes,
    confirm_live,
    credentialed,
    live_platforms,
    missing_evidence,
    obstacles,
    overridden,
    refusal,
    require_assertions,
    unauthorized,
)

KALSHI = {"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "key"}
POLYMARKET = {"POLYMARKET_PRIVATE_KEY": "0x1", "POLYMARKET_FUNDER_ADDRESS": "0x2"}
FLAGS = {"PAPER_TRADING": "0", "LIVE_TRADING_AUTHORIZED": "true"}


def record(settings: Settings, until_ns: int | None = None) -> Authority:
    """Return what `arbees authorize` leaves in the book."""
    return Authority(
        actor="ann@desk",
        reason="first day",
        settings_hash=settings.hash,
        until_ns=until_ns,
        since_ns=1,
        settings=settings.recorded(),
    )


def test_the_three_facts() -> None:
    """PAPER_TRADING=0 alone is refused with the requirements' three facts."""
    for environ in ({"PAPER_TRADING": "0"}, {**FLAGS, "LIVE_TRADING_AUTHORIZED": "no"}):
        assert refusal(load(environ)) == (
            "CRITICAL: PAPER_TRADING=0 but LIVE_TRADING_AUTHORIZED not set\n"
            "Live trading is DISABLED for safety\n"
            "To enable live trading, set LIVE_TRADING_AUTHORIZED=true in .env"
        )


def test_both_flags_or_paper_are_not_refused() -> None:
    """Both flags pass here; paper trading passes whatever the second flag says."""
    for environ in (FLAGS, {}, {"LIVE_TRADING_AUTHORIZED": "true"}, {"PAPER_TRADING": "yes"}):
        assert refusal(load(environ)) is None


@pytest.mark.parametrize(
    ("environ", "platforms"),
    [
        ({}, ()),
        (KALSHI, (Platform.KALSHI,)),
        (POLYMARKET, (Platform.POLYMARKET,)),
        ({**POLYMARKET, **KALSHI}, (Platform.KALSHI, Platform.POLYMARKET)),
        ({"KALSHI_API_KEY_ID": "id", "POLYMARKET_PRIVATE_KEY": "0x1"}, ()),
    ],
)
def test_credentialed(environ: dict[str, str], platforms: tuple[Platform, ...]) -> None:
    """A platform counts when its credentials are complete."""
    assert credentialed(load(environ)) == platforms


def test_live_platforms() -> None:
    """Named platforms are live, else all with credentials; one without any refuses."""
    both = {**FLAGS, **KALSHI, **POLYMARKET}
    assert live_platforms(load(both)) == (Platform.KALSHI, Platform.POLYMARKET)
    assert live_platforms(load({**both, "LIVE_PLATFORMS": "polymarket"})) == (Platform.POLYMARKET,)
    with pytest.raises(ConfigurationError, match="credentials of Polymarket") as caught:
        live_platforms(load({**FLAGS, **KALSHI, "LIVE_PLATFORMS": "Kalshi,Polymarket"}))
    assert (caught.value.setting, caught.value.value) == ("LIVE_PLATFORMS", "Kalshi,Polymarket")
    with pytest.raises(ConfigurationError, match="PAPER_TRADING=1"):
        live_platforms(load(FLAGS))


def test_record_must_be_of_these_settings() -> None:
    """Without a record, with one of other settings, or with an ended one, a start is refused."""
    settings = load({**FLAGS, **KALSHI})
    assert "there is none" in str(unauthorized(settings, None, 5))
    assert unauthorized(settings, record(settings), 5) is None
    assert unauthorized(settings, record(settings, until_ns=5), 5) is None
    assert "it ended 1970-01-01" in str(unauthorized(settings, record(settings, until_ns=4), 5))
    other = load({**FLAGS, **KALSHI, "MAX_ORDER_SIZE": "150", "LIVE_PLATFORMS": "Kalshi"})
    said = str(unauthorized(other, record(settings), 5))
    assert "ann@desk" in said
    assert "  MAX_ORDER_SIZE: was 100, is 150\n" in said
    assert "  LIVE_PLATFORMS: was unset, is Kalshi\n" in said
    assert said.endswith("run `arbees authorize --reason TEXT`.")


def test_end_set_by_the_settings_counts_too() -> None:
    """LIVE_TRADING_AUTHORIZED_UNTIL ends what a record without end allows."""
    until = {"LIVE_TRADING_AUTHORIZED_UNTIL": "1970-01-01T00:00:05Z"}
    settings = load({**FLAGS, **KALSHI, **until})
    assert unauthorized(settings, record(settings), 5_000_000_000) is None
    said = str(unauthorized(settings, record(settings), 5_000_000_001))
    assert "LIVE_TRADING_AUTHORIZED_UNTIL" in said


def test_changes_are_bounded() -> None:
    """At most twenty changes are listed, and the rest is counted."""
    assert changes({"A": "1", "B": "2"}, {"B": "2"}) == ["A: was 1, is unset"]
    listed = changes({}, {f"N{number:02}": "x" for number in range(25)})
    assert len(listed) == 21
    assert listed[-1] == "and 5 more"


def test_obstacles_come_in_order() -> None:
    """A live start is told everything that is missing, in the order to deal with it."""
    found = obstacles(load({"PAPER_TRADING": "0"}), None, 5)
    starts = (
        "CRITICAL",
        "LIVE_PLATFORMS",
        "Expected an auth",
        "Expected pre-flight",
    )
    assert [line.startswith(start) for line, start in zip(found, starts, strict=True)] == [True] * 4
    reasons = {"LIVE_REQUIRES_PREFLIGHT": "0", "LIVE_PREFLIGHT_OVERRIDE_REASON": "rehearsal"}
    settings = load({**FLAGS, **KALSHI, **POLYMARKET, **reasons})
    (left,) = obstacles(settings, record(settings), 5)
    assert left.startswith("There is no live adapter for Polymarket in this version")
    assert "LIVE_PLATFORMS=Kalshi" in left


@pytest.mark.parametrize(
    ("rest", "ws", "is_one"),
    [
        ("http://127.0.0.1:9/trade-api/v2", "ws://localhost:9/trade-api/ws/v2", True),
        ("http://[::1]:9/trade-api/v2", "ws://127.0.0.2:9/trade-api/ws/v2", True),
        ("http://127.0.0.1:9/trade-api/v2", "wss://external-api-ws.kalshi.com/x", False),
        ("https://external-api.kalshi.com/trade-api/v2", "ws://127.0.0.1:9/x", False),
        ("https://127.0.0.1.example.com/trade-api/v2", "ws://127.0.0.1:9/x", False),
    ],
)
def test_a_rehearsal_means_this_machine_alone(rest: str, ws: str, *, is_one: bool) -> None:
    """Evidence is not asked of a start whose every address is loopback, and of no other."""
    urls = {"KALSHI_BASE_URL": rest, "KALSHI_WS_URL": ws}
    settings = load({**FLAGS, **KALSHI, **urls})
    found = obstacles(settings, record(settings), 5)
    assert [line.startswith("Expected pre-flight") for line in found] == [True] * (not is_one)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("KALSHI_BASE_URL", "http://127.0.0.1.example.com/trade-api/v2"),
        ("KALSHI_BASE_URL", "http://external-api.kalshi.com/trade-api/v2"),
        ("KALSHI_WS_URL", "ws://external-api-ws.kalshi.com/trade-api/ws/v2"),
    ],
)
def test_orders_never_leave_this_machine_unencrypted(name: str, url: str) -> None:
    """The body of an order is not signed: who carries it could change it."""
    reasons = {"LIVE_REQUIRES_PREFLIGHT": "false", "LIVE_PREFLIGHT_OVERRIDE_REASON": "a test"}
    settings = load({**FLAGS, **KALSHI, **reasons, name: url})
    (left,) = obstacles(settings, record(settings), 5)
    assert left == f"Expected https or wss beyond this machine, was {url}"


def test_evidence_asks_for_days_and_drills() -> None:
    """Missing evidence names how many days and how fresh the drills must be."""
    settings = load({**FLAGS, "PREFLIGHT_PAPER_DAYS": "14", "DRILL_MAX_AGE_DAYS": "3"})
    said = str(missing_evidence(settings, 5))
    assert "14 days of paper trading" in said
    assert "no older than 3 days" in said
    assert "it was not looked at" in said


def test_evidence_that_is_there_is_no_obstacle() -> None:
    """What is not met is listed; nothing is asked for where the operator does without it."""
    asked: list[int] = []

    def unmet(_settings: Settings, now_ns: int) -> list[str]:
        asked.append(now_ns)
        return [] if now_ns > 5 else ["drills: none", "denials: 3 are open"]

    settings = load(FLAGS)
    said = str(missing_evidence(settings, 5, unmet))
    assert "  drills: none\n  denials: 3 are open\nSee arbees preflight" in said
    assert missing_evidence(settings, 6, unmet) is None
    without = {"LIVE_REQUIRES_PREFLIGHT": "0", "LIVE_PREFLIGHT_OVERRIDE_REASON": "an emergency"}
    assert missing_evidence(load({**FLAGS, **without}), 5, unmet) is None
    assert asked == [5, 6]


def test_an_override_is_named() -> None:
    """Who does without the evidence is told why, in live trading alone."""
    without = {"LIVE_REQUIRES_PREFLIGHT": "0", "LIVE_PREFLIGHT_OVERRIDE_REASON": "an emergency"}
    assert overridden(load({**FLAGS, **without})) == "an emergency"
    assert overridden(load(FLAGS)) is None
    assert overridden(load(without)) is None


@pytest.mark.parametrize(
    ("typed", "is_confirmed"),
    [
        (CONFIRMATION, True),
        (f"{CONFIRMATION}\n", True),
        (f"{CONFIRMATION}\r\n", True),
        (f"{CONFIRMATION}\nmore", True),
        (f" {CONFIRMATION}\n", False),
        (f"{CONFIRMATION} \n", False),
        (f"{CONFIRMATION}!\n", False),
        ("confirm live trading\n", False),
        ("yes\n", False),
        ("\n", False),
        ("", False),
    ],
)
def test_typed_confirmation(typed: str, is_confirmed: bool) -> None:
    """Exactly the words confirm; the question shows which venues are live."""
    output = io.StringIO()
    venues = (Platform.POLYMARKET,)
    assert confirm_live(venues, io.StringIO(typed), output, is_terminal=True) is is_confirmed
    said = output.getvalue()
    assert "Kalshi live: no\nPolymarket live: yes\n" in said
    assert "Real orders will be placed with real money." in said
    assert ("not confirmed" in said) is not is_confirmed


def test_confirmation_needs_a_terminal() -> None:
    """Words that no person typed confirm nothing."""
    output = io.StringIO()
    source = io.StringIO(CONFIRMATION)
    assert not confirm_live((Platform.KALSHI,), source, output, is_terminal=False)
    assert "needs a terminal" in output.getvalue()


def test_assertions_must_be_on() -> None:
    """Under `python -O` the service refuses with 78."""
    require_assertions()
    with pytest.raises(ConfigurationError, match="PYTHONOPTIMIZE"):
        require_assertions(are_on=False)
    code = (
        "from arbees.settings.authority import require_assertions as ask\n"
        "from arbees.errors import ConfigurationError\n"
        "try: ask()\n"
        "except ConfigurationError as error: raise SystemExit(error.exit_code)\n"
    )
    command = [sys.executable, "-O", "-c", code]
    assert subprocess.run(command, check=False, timeout=60).returncode == 78
