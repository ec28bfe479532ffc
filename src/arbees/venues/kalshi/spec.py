"""Kalshi: terms, pause, settings.

Sources: Kalshi's fee schedule (0.07 taker, no maker fee for plain quadratic series) and fee
rounding page ($0.0001 grid of direct members, kept in a per-order accumulator).
"""

from datetime import datetime
from typing import Annotated

from arbees.core.book.market import Terms
from arbees.core.language.setting import Section, Setting, SettingKind
from arbees.core.language.units import NS_PER_SECOND, div_floor, whole_seconds
from arbees.core.language.weekly_hours import zone_of
from arbees.core.language.words import Platform
from arbees.venues.spec import VenueSpec, WeeklyPause

_WEEK = 604_800
_HOUR = 3_600
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""


class Kalshi(Section, frozen=True, kw_only=True):
    """The account at Kalshi."""

    api_key_id: Annotated[
        str | None,
        Setting(
            name="KALSHI_API_KEY_ID",
            kind=SettingKind.TEXT,
            doc="Id of the API key.",
            is_secret=True,
        ),
    ] = None
    private_key: Annotated[
        str | None,
        Setting(
            name="KALSHI_PRIVATE_KEY",
            kind=SettingKind.TEXT,
            doc="Private key of the API key: RSA or Ed25519, in PEM.",
            is_secret=True,
        ),
    ] = None
    base_url: Annotated[
        str,
        Setting(
            name="KALSHI_BASE_URL",
            kind=SettingKind.URL,
            doc="Kalshi's trading API.",
            default="https://external-api.kalshi.com/trade-api/v2",
        ),
    ] = "https://external-api.kalshi.com/trade-api/v2"
    ws_url: Annotated[
        str,
        Setting(
            name="KALSHI_WS_URL",
            kind=SettingKind.URL,
            doc="Kalshi's stream.",
            default="wss://external-api-ws.kalshi.com/trade-api/ws/v2",
            choices=("wss", "ws"),
        ),
    ] = "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
    subaccount: Annotated[
        int,
        Setting(
            name="KALSHI_SUBACCOUNT",
            kind=SettingKind.COUNT,
            default="0",
            low="0",
            high="63",
            doc="Subaccount that is traded; 0 is the primary one. What others do is left alone.",
        ),
    ] = 0


def weekly_pause(now_ns: int) -> WeeklyPause | None:
    """
    Return Kalshi's weekly pause, or None outside it.

    Thursdays from 03:00 to before 05:00 in New York, which is four or five hours behind UTC; no
    clocks change on a Thursday.
    """
    second = whole_seconds(now_ns)
    # The epoch was a Thursday.
    thursday = second - div_floor(second, _WEEK) * _WEEK
    if not 7 * _HOUR <= thursday < 10 * _HOUR or not 0 <= second <= _LAST_SECOND:
        return None
    local = datetime.fromtimestamp(second, zone_of("America/New_York"))
    if local.hour not in {3, 4}:
        return None
    since_midnight = local.hour * _HOUR + local.minute * 60 + local.second
    ends_ns = (second - since_midnight + 5 * _HOUR) * NS_PER_SECOND
    return WeeklyPause(ends_ns, "Thursdays 03:00-05:00 New York")


KALSHI = VenueSpec(
    platform=Platform.KALSHI,
    terms=Terms(
        is_netting=True,
        taker_rate=70_000,
        maker_rate=0,
        fee_grid=100,
        tick=10_000,
        lot=10_000,
        names_event=True,
    ),
    is_fee_of_order=True,
    pause=weekly_pause,
    account=Kalshi,
    credentials=("api_key_id", "private_key"),
    adapter_module="arbees.venues.kalshi.adapter",
)
"""Taker fee 0.07 x C x P x (1 - P), on the $0.0001 grid of direct members; hundredths."""
