"""Authorization (R1): paper passes; live needs flag, platform, authority, settings and time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Authority, Book
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.words import Action, Platform
from arbees.safeguards.authorization import Authorization
from tests.safeguards.build import NOW, book_with, facts, market, polymarket, verdicts

LIVE = Authorization(paper_trading=False, live_trading_authorized=True)
NOW_TEXT = "2026-01-28T20:30:00.000Z"
PAPER = (
    Skipped("NOT_AUTHORIZED", "paper trading"),
    Skipped("AUTHORIZATION_EXPIRED", "paper trading"),
)
GRANTED = (Pass("NOT_AUTHORIZED"), Pass("AUTHORIZATION_EXPIRED"))


def live_book(*, until_ns: int | None = None, settings_hash: str = "h", held: str = "0") -> Book:
    """Return the book of a live journal on which `arbees authorize` ran."""
    authority = Authority(
        actor="ann", reason="go", settings_hash="h", until_ns=until_ns, since_ns=NOW
    )
    return book_with(
        market(yes=held),
        market(polymarket()),
        mode="live",
        settings_hash=settings_hash,
        authority=authority,
    )


def refused(said: tuple[Verdict, ...]) -> str:
    """Return why the first code denied."""
    denied = said[0]
    assert isinstance(denied, Deny)
    assert (denied.code, denied.limit, denied.until_ns) == ("NOT_AUTHORIZED", None, None)
    return str(denied.observed)


def test_paper_orders_need_no_authority() -> None:
    """On paper both tests do not apply, whatever the second flag says."""
    assert verdicts(Authorization()) == PAPER
    assert verdicts(Authorization(live_trading_authorized=True)) == PAPER
    assert verdicts(Authorization(live_trading_authorized_until=NOW - 1)) == PAPER


def test_a_live_order_with_everything_passes() -> None:
    """Both flags and an authorization of these settings: the order may go."""
    assert verdicts(LIVE, live_book()) == GRANTED


def test_defaults_are_paper() -> None:
    """Without any setting nothing is live."""
    made = Authorization()
    assert made.paper_trading
    assert not made.live_trading_authorized
    assert made.live_trading_authorized_until is None
    assert made.live_platforms == ()
    assert not made.live_confirm
    assert made.live_requires_preflight


@pytest.mark.parametrize(
    ("safeguard", "mode"),
    [
        (Authorization(live_trading_authorized=True), "live"),
        (LIVE, "paper"),
        (Authorization(), ""),
        (LIVE, ""),
    ],
)
def test_settings_and_journal_must_agree(safeguard: Authorization, mode: str) -> None:
    """If settings and journal do not both say paper, or both live, nothing passes."""
    book = live_book()
    book.mode = mode
    assert refused(verdicts(safeguard, book)) == (
        "settings and journal disagree whether this is live"
    )


def test_one_flag_is_not_enough() -> None:
    """PAPER_TRADING=0 alone authorizes nothing."""
    said = verdicts(Authorization(paper_trading=False), live_book())
    assert refused(said) == "LIVE_TRADING_AUTHORIZED is not set to true"
    assert said[1] == Pass("AUTHORIZATION_EXPIRED")


def test_flags_without_an_authorization_on_record() -> None:
    """Settings alone do not authorize; an operator must have."""
    book = live_book()
    book.authority = None
    assert refused(verdicts(LIVE, book)) == "no `arbees authorize` is on record"


def test_an_authorization_holds_for_its_settings() -> None:
    """Once the settings changed, the authorization is for something else."""
    said = verdicts(LIVE, live_book(settings_hash="other"))
    assert refused(said) == "the settings changed since `arbees authorize`"


@pytest.mark.parametrize("listed", [("Kalshi",), ("kalshi",), ("Polymarket", "KALSHI")])
def test_a_listed_platform_is_live(listed: tuple[str, ...]) -> None:
    """A platform of the list may trade, in any case of letters."""
    safeguard = Authorization(
        paper_trading=False, live_trading_authorized=True, live_platforms=listed
    )
    assert verdicts(safeguard, live_book()) == GRANTED


def test_a_platform_that_is_not_listed_is_not_live() -> None:
    """With a list, other platforms do not trade live; an alternate does not either."""
    safeguard = Authorization(
        paper_trading=False, live_trading_authorized=True, live_platforms=("Kalshi",)
    )
    said = verdicts(safeguard, live_book(), platform=Platform.POLYMARKET, market_id="1111")
    assert refused(said) == "Polymarket is not in LIVE_PLATFORMS"


def test_at_its_end_an_authorization_still_holds() -> None:
    """Exactly at the end it passes, one nanosecond later it denies and names both times."""
    assert verdicts(LIVE, live_book(until_ns=NOW)) == GRANTED
    said = verdicts(LIVE, live_book(until_ns=NOW - 1))
    assert said == (
        Pass("NOT_AUTHORIZED"),
        Deny("AUTHORIZATION_EXPIRED", NOW_TEXT, "2026-01-28T20:29:59.999Z"),
    )


def test_a_reducing_order_outlives_the_end_but_not_the_authority() -> None:
    """After the end what is held may be closed; without any authority nothing may."""
    over = live_book(until_ns=NOW - 1, held="10")
    assert verdicts(LIVE, over, action=Action.SELL) == (
        Pass("NOT_AUTHORIZED"),
        Skipped("AUTHORIZATION_EXPIRED", "reducing order"),
    )
    over.authority = None
    said = verdicts(LIVE, over, action=Action.SELL)
    assert refused(said) == "no `arbees authorize` is on record"
    assert said[1] == Skipped("AUTHORIZATION_EXPIRED", "reducing order")


ends = st.none() | st.integers(NOW - 3, NOW + 3)


@given(ends, ends)
def test_the_earlier_end_counts(setting: int | None, granted: int | None) -> None:
    """Of the setting's end and the operator's the earlier one counts; none is no end."""
    safeguard = Authorization(
        paper_trading=False, live_trading_authorized=True, live_trading_authorized_until=setting
    )
    said = verdicts(safeguard, live_book(until_ns=granted))
    known = [end for end in (setting, granted) if end is not None]
    is_over = any(end < NOW for end in known)
    assert isinstance(said[1], Deny) is is_over
    assert said[0] == Pass("NOT_AUTHORIZED")


def test_the_end_of_the_settings_counts_without_an_authorization() -> None:
    """The setting's end is judged even where nobody ever authorized."""
    safeguard = Authorization(paper_trading=False, live_trading_authorized_until=NOW - 10**9)
    book = live_book()
    book.authority = None
    assert verdicts(safeguard, book, facts())[1] == Deny(
        "AUTHORIZATION_EXPIRED", NOW_TEXT, "2026-01-28T20:29:59.000Z"
    )
