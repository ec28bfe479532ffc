"""Events about alerts: what somebody should look at, so that it is on record after a restart.

Part of `core.events`, which is where everybody finds them.
"""

from arbees.core.event import Event


class AlertRaised(Event, frozen=True, kw_only=True):
    """An alert is new, or a reminder of one that stands."""

    alert_id: str
    """Name and subject: what tells two alerts apart."""
    name: str
    """Of the closed list of alerts."""
    severity: str
    """`critical`, `warning` or `info`."""
    message: str
    """For people; the last one said."""
    since_ns: int
    """When it was first seen."""
    count: int = 1
    """How often it was raised by now."""
    data: dict[str, str] = {}  # noqa: RUF012 - a struct copies it
    """Details; money in dollars."""


class AlertCleared(Event, frozen=True, kw_only=True):
    """An alert is over."""

    alert_id: str
    """Of the alert that is over."""
