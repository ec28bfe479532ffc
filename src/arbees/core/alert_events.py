"""Events about alerts: what somebody should look at, so that it is on record after a restart.

Part of `core.events`, which is where everybody finds them.
"""

from arbees.core.event import Event


class AlertRaised(Event, frozen=True, kw_only=True):
    """An alert is new, or a reminder of one that stands."""

    alert_id: str
    """Name and subject: what tells two alerts apart."""
    name: str
    severity: str
    message: str
    since_ns: int
    count: int = 1
    """How often it was raised by now."""
    data: dict[str, str] = {}  # noqa: RUF012 - a struct copies it


class AlertCleared(Event, frozen=True, kw_only=True):
    """An alert is over."""

    alert_id: str
