"""Events that a person's hand brings about; each names who it was, and why.

Part of `core.events`, which is where everybody finds them.
"""

from arbees.core.event import Event


class Authorized(Event, frozen=True, kw_only=True):
    """An operator allowed live trading under exactly these settings."""

    actor: str
    reason: str
    settings_hash: str
    until_ns: int | None = None
    settings: dict[str, str] = {}  # noqa: RUF012 - a struct copies it


class CashMoved(Event, frozen=True, kw_only=True):
    """A deposit (> 0) or withdrawal (< 0)."""

    platform: str
    amount: int
    reason: str
    actor: str


class DenialReviewed(Event, frozen=True, kw_only=True):
    """An operator said whether a denial was right; the last word on it counts."""

    request_id: str
    """Of the request that was denied."""
    sequence: int
    """Of the denial's record."""
    verdict: str
    """`confirmed`: it was right. `disputed`: the request should have passed."""
    reason: str
    actor: str


class Drilled(Event, frozen=True, kw_only=True):
    """An operator drilled a safeguard: whether it stopped what it must, on a host, under limits."""

    safeguard: str
    """Name of the safeguard, or `idempotency`."""
    is_passed: bool
    """Every step was as expected."""
    limits_hash: str
    """Of the settings of all safeguards but the authorization; others void the drill."""
    settings_hash: str
    """Of all settings."""
    host: str
    """Name of the machine."""
    version: str
    """Of the Arbees that drilled."""
    failures: tuple[str, ...] = ()
    """What was not as expected."""
    actor: str
