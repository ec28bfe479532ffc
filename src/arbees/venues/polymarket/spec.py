"""Polymarket: terms and settings.

Source: Polymarket's fee schedule of sports (0.05 taker, 5 decimals, each match on its own).
"""

from typing import Annotated

from arbees.core.book.market import Terms
from arbees.core.language.setting import Section, Setting, SettingKind
from arbees.core.language.words import Platform
from arbees.venues.spec import VenueSpec


class Polymarket(Section, frozen=True, kw_only=True):
    """The account at Polymarket."""

    private_key: Annotated[
        str | None,
        Setting(
            name="POLYMARKET_PRIVATE_KEY",
            kind=SettingKind.TEXT,
            doc="Private key that signs orders, hexadecimal.",
            is_secret=True,
        ),
    ] = None
    funder_address: Annotated[
        str | None,
        Setting(
            name="POLYMARKET_FUNDER_ADDRESS",
            kind=SettingKind.TEXT,
            doc="Address of the wallet that holds the funds.",
        ),
    ] = None
    signature_type: Annotated[
        int,
        Setting(
            name="POLYMARKET_SIGNATURE_TYPE",
            kind=SettingKind.COUNT,
            doc="0 own account, 1 proxy, 2 Gnosis Safe, 3 deposit wallet.",
            default="3",
            low="0",
            high="3",
        ),
    ] = 3
    clob_url: Annotated[
        str,
        Setting(
            name="POLYMARKET_CLOB_URL",
            kind=SettingKind.URL,
            doc="Polymarket's order book API.",
            default="https://clob.polymarket.com",
        ),
    ] = "https://clob.polymarket.com"
    ws_url: Annotated[
        str,
        Setting(
            name="POLYMARKET_WS_URL",
            kind=SettingKind.URL,
            doc="Polymarket's streams.",
            default="wss://ws-subscriptions-clob.polymarket.com/ws",
            choices=("wss", "ws"),
        ),
    ] = "wss://ws-subscriptions-clob.polymarket.com/ws"
    data_url: Annotated[
        str,
        Setting(
            name="POLYMARKET_DATA_URL",
            kind=SettingKind.URL,
            doc="Polymarket's data API.",
            default="https://data-api.polymarket.com",
        ),
    ] = "https://data-api.polymarket.com"
    gamma_url: Annotated[
        str,
        Setting(
            name="POLYMARKET_GAMMA_URL",
            kind=SettingKind.URL,
            doc="Polymarket's list of markets.",
            default="https://gamma-api.polymarket.com",
        ),
    ] = "https://gamma-api.polymarket.com"


POLYMARKET = VenueSpec(
    platform=Platform.POLYMARKET,
    terms=Terms(
        is_netting=False,
        taker_rate=50_000,
        maker_rate=0,
        fee_grid=10,
        tick=1_000,
        lot=10_000,
    ),
    dust=10_000,  # it settles in units that leave dust
    account=Polymarket,
    credentials=("private_key", "funder_address"),
)
