"""Where alerts go besides the log, as the settings say."""

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from arbees.runtime.desk import JumpingClock
from arbees.runtime.gateway import TradingGateway
from arbees.safeguards.daily_loss import DailyLoss
from arbees.settings import Alerting, Settings
from arbees.telemetry.alerts.outgoing import QuietHours
from arbees.telemetry.alerts.sinks import (
    AlertCommand,
    Deliver,
    Heartbeat,
    QueuedSink,
    Webhook,
    apprise_of,
)


def alert_sinks(settings: Settings, now_ns: Callable[[], int]) -> list[QueuedSink]:
    """Return where alerts go besides the log. Raises ConfigurationError."""
    asked, found = settings.section(Alerting), list[tuple[str, Deliver]]()
    quiet = None
    if asked.quiet_hours is not None:
        zone = ZoneInfo(settings.section(DailyLoss).trading_day_timezone)
        quiet = QuietHours(asked.quiet_hours, zone)
    if asked.webhook_url is not None:
        found.append(("webhook", Webhook(asked.webhook_url, asked.webhook_secret, now_ns)))
    if asked.command is not None:
        found.append(("command", AlertCommand(asked.command, now_ns)))
    if asked.urls is not None:
        found += apprise_of(asked.urls)
    return [QueuedSink(name, each, asked.least, now_ns, quiet) for name, each in found]


def heartbeat_of(settings: Settings, is_well: Callable[[], bool]) -> Heartbeat | None:
    """Return what tells somebody elsewhere that the gateway lives; None where nobody is named."""
    url = settings.section(Alerting).heartbeat_url
    return None if url is None else Heartbeat(url, is_well)


def keep_alerting(
    settings: Settings,
    gateway: TradingGateway,
    sinks: Sequence[QueuedSink],
    clock: JumpingClock,
) -> None:
    """Deliver what the sinks take, and beat, in tasks of the gateway."""
    desk = gateway.desk
    beat = heartbeat_of(settings, lambda: gateway.readiness().ready)
    kept: list[QueuedSink | Heartbeat] = [*sinks, *([] if beat is None else [beat])]
    for each in kept:
        work = partial(each.run, desk.alert, desk.alert_over, clock.sleep)
        desk.supervisor.keep(work, f"alerts by {each.name}")
