"""What the runtime is told by the settings; built by bootstrap alone."""

from zoneinfo import ZoneInfo

import msgspec

from arbees.core.language.units import NS_PER_SECOND

SNAPSHOT_EVERY = 20_000
"""Records between snapshots, which is what a start replays at most: about a second. One costs the
loop some milliseconds, spread over as many records nothing; `make bench` has both rows."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the shell around the core."""

    version: str
    snapshot_version: str
    """Of the program and of the book's shape: another one's snapshot is not read."""
    settings_hash: str
    limits_hash: str = ""
    """Of the settings of the safeguards, as drills name it."""
    settings: dict[str, str] = {}
    """As shown, secrets left out; journaled at the start."""
    sheets: dict[str, dict[str, str]] = {}
    """By safeguard, in the order of evaluation, those that are off too: its settings as text."""
    disabled: dict[str, str] = {}
    overridden: str | None = None
    """Why this live start did without the pre-flight evidence; None = it did not."""
    zone: ZoneInfo
    """Of the trading day."""
    kill_file: str | None = None
    max_daily_loss: int
    daily_loss_threshold: int
    """In millionths of the limit."""
    does_loss_reduce: bool = False
    """A loss of the day over the limit lets reducing orders pass, instead of halting."""
    max_mark_age_ns: int = 120 * NS_PER_SECOND
    max_quote_age_ns: int = 10 * NS_PER_SECOND
    balance_interval_ns: int = 60 * NS_PER_SECOND
    balance_low: int
    reconcile_interval_ns: int = 3_600 * NS_PER_SECOND
    reconcile_default: str = "freeze_market"
    reconcile_policy: dict[str, str] = {}
    """By kind of break, where it is not the default."""
    errors_to_open: int = 5
    cooldown_ns: int = 30 * NS_PER_SECOND
    cancel_on_shutdown: bool = True
    authority_until_ns: int | None = None
    is_inline: bool = False
    """No threads: recorded time."""
    snapshot_every: int = SNAPSHOT_EVERY
    """Records between snapshots of the book."""
