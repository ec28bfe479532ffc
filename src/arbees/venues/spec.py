"""What the house must know of a venue: one `VenueSpec` each, and what connects to it.

Guarantees that whatever differs between venues is asked of the venue's own spec: nothing outside a
venue's folder asks which one it is. A spec is light; the adapter is loaded when it is used.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, cast

import msgspec

from arbees.core.book.market import Terms
from arbees.core.language.setting import Section, SettingKind, settings_of
from arbees.core.language.words import Platform
from arbees.core.ports import Clock, MarketData, Tasks, Venue


class WeeklyPause(msgspec.Struct, frozen=True):
    """A trading pause that the venue's calendar has: when it ends (UTC ns), and how it is known."""

    until_ns: int
    text: str


def no_pause(_now_ns: int) -> WeeklyPause | None:
    """Return None: the venue trades at any hour."""
    return None


class ConnectionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter is given besides the account."""

    clock: Clock
    tasks: Tasks
    """Where readers of the venue are started."""
    skew_max_ns: int
    """How far our clock and the venue's may be apart."""
    burst: int | None
    """The most micro-contracts that our own limits let through in 15 s; None = they do not say."""


class LiveVenue(msgspec.Struct, frozen=True):
    """Both ends of a live venue: who trades there, and its markets."""

    venue: Venue
    market_data: MarketData


class Adapter(Protocol):
    """The module of a venue that connects to it."""

    def connect(
        self,
        account: Any,  # noqa: ANN401 - the venue's own section
        options: ConnectionOptions,
    ) -> LiveVenue:
        """Make a venue that trades. Raises ConfigurationError: credentials that cannot be used."""
        ...

    def follow(
        self,
        account: Any,  # noqa: ANN401 - the venue's own section
        options: ConnectionOptions,
    ) -> MarketData:
        """Make what follows markets and places nothing. Raises ConfigurationError."""
        ...


class VenueSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One venue."""

    platform: Platform
    terms: Terms
    """What holds of a market of which nothing else is known."""
    is_fee_of_order: bool = False
    """Fees are rounded over an order as a whole, not each fill on its own."""
    dust: int = 0
    """Micro-contracts that may lie between its list of positions and the fills that made them."""
    pause: Callable[[int], WeeklyPause | None] = no_pause
    """Its weekly pause at a time (UTC ns); None = it trades."""
    account: type[Section]
    """Its settings."""
    credentials: tuple[str, ...]
    """Fields of `account` without which nothing can be placed."""
    adapter_module: str | None = None
    """What trades there live; None = nothing in this version."""

    @property
    def credential_names(self) -> str:
        """The settings of its credentials, as a sentence lists them."""
        settings = settings_of(self.account)
        return " and ".join(settings[field].name for field in self.credentials)

    @property
    def url_names(self) -> dict[str, str]:
        """The settings of its addresses, by field."""
        found = settings_of(self.account).items()
        return {field: each.name for field, each in found if each.kind is SettingKind.URL}

    def adapter(self) -> Adapter:
        """Load what connects to it; only where `adapter_module` names it."""
        assert self.adapter_module is not None
        return cast("Adapter", import_module(self.adapter_module))
