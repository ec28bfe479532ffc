"""The settings of the gateway itself: everything that no safeguard owns.

Guarantees that each is described where it is declared, with its default and range, in the same
shape in which safeguards describe theirs. Fails only by being incomplete; the parity test knows.
"""

from typing import Annotated

from arbees.core.language.setting import Section, Setting, SettingKind
from arbees.core.language.units import NS_PER_SECOND
from arbees.venues.registry import VENUES

PROFILES = ("day1", "week1", "week2", "month1")


class GatewaySettings(Section, frozen=True, kw_only=True):
    """Who this gateway is, where it keeps things, where it listens."""

    account: Annotated[
        str,
        Setting(
            name="ACCOUNT",
            kind=SettingKind.TEXT,
            doc="Name of the account; bound to the journal by its first record.",
            default="main",
        ),
    ] = "main"
    environment: Annotated[
        str,
        Setting(
            name="ENVIRONMENT",
            kind=SettingKind.TEXT,
            doc="Name of the environment; bound to the journal by its first record.",
            default="local",
        ),
    ] = "local"
    journal_path: Annotated[
        str,
        Setting(
            name="JOURNAL_PATH",
            kind=SettingKind.PATH,
            doc="The journal; {mode} becomes paper or live. Its head witness lies beside it.",
            default="var/arbees-{mode}.db",
        ),
    ] = "var/arbees-{mode}.db"
    journal_url: Annotated[
        str | None,
        Setting(
            name="JOURNAL_URL",
            kind=SettingKind.URL,
            doc="A journal that several machines share. Refused: this version keeps it in a file.",
            choices=("postgresql", "postgres"),
            is_secret=True,
        ),
    ] = None
    paper_book_path: Annotated[
        str,
        Setting(
            name="PAPER_BOOK_PATH",
            kind=SettingKind.PATH,
            doc="The paper exchange's own book.",
            default="var/paper.db",
        ),
    ] = "var/paper.db"
    http_host: Annotated[
        str,
        Setting(
            name="HTTP_HOST",
            kind=SettingKind.TEXT,
            doc="Address to listen on; without API keys only a loopback address.",
            default="127.0.0.1",
        ),
    ] = "127.0.0.1"
    http_port: Annotated[
        int,
        Setting(
            name="HTTP_PORT",
            kind=SettingKind.COUNT,
            doc="Port to listen on.",
            default="8321",
            low="1",
            high="65535",
        ),
    ] = 8321
    redis_url: Annotated[
        str | None,
        Setting(
            name="REDIS_URL",
            kind=SettingKind.URL,
            doc="Redis to take requests and the kill switch from; none = no Redis.",
            choices=("redis", "rediss", "unix"),
            is_secret=True,
        ),
    ] = None
    cancel_on_shutdown: Annotated[
        bool,
        Setting(
            name="CANCEL_ON_SHUTDOWN",
            kind=SettingKind.FLAG,
            doc="Cancel our working orders at an orderly end.",
            default="true",
        ),
    ] = True
    absence_after_ns: Annotated[
        int,
        Setting(
            name="ABSENCE_AFTER_SECS",
            kind=SettingKind.SECONDS,
            doc="How long Polymarket may still accept an order after it was sent.",
            default="300",
            low="60",
            high="86400",
        ),
    ] = 300 * NS_PER_SECOND
    log_level: Annotated[
        str,
        Setting(
            name="LOG_LEVEL",
            kind=SettingKind.CHOICE,
            doc="Least level of a log line.",
            default="info",
            choices=("debug", "info", "warning", "error"),
        ),
    ] = "info"
    log_format: Annotated[
        str,
        Setting(
            name="LOG_FORMAT",
            kind=SettingKind.CHOICE,
            doc="How log lines look; auto = console on a terminal, json elsewhere.",
            default="auto",
            choices=("auto", "console", "json"),
        ),
    ] = "auto"


class AuditLogSettings(Section, frozen=True, kw_only=True):
    """The audit log (requirement 7)."""

    is_enabled: Annotated[
        bool,
        Setting(
            name="AUDIT_LOG_ENABLED",
            kind=SettingKind.FLAG,
            doc="Write the audit log; false stops file, console and Redis copy, never the journal, "
            "and is refused in live trading.",
            default="true",
        ),
    ] = True
    path: Annotated[
        str,
        Setting(
            name="AUDIT_LOG_PATH",
            kind=SettingKind.PATH,
            doc="The audit log, JSON lines.",
            default="/var/log/arbees/execution_audit.jsonl",
        ),
    ] = "/var/log/arbees/execution_audit.jsonl"
    console: Annotated[
        str,
        Setting(
            name="AUDIT_LOG_CONSOLE",
            kind=SettingKind.TEXT,
            doc="The copy of the audit log among the log lines: one short line for each result, "
            "each line whole as JSON, or none.",
            default="short",
            choices=("off", "short", "json"),
        ),
    ] = "short"
    retention_days: Annotated[
        int,
        Setting(
            name="AUDIT_LOG_RETENTION_DAYS",
            kind=SettingKind.COUNT,
            doc="How many days rotated audit logs are kept.",
            default="90",
            low="1",
            high="36500",
        ),
    ] = 90


class Alerting(Section, frozen=True, kw_only=True):
    """Where alerts go besides the log, and which."""

    urls: Annotated[
        str | None,
        Setting(
            name="ALERT_URLS",
            kind=SettingKind.TEXT,
            doc="Addresses as Apprise reads them (ntfy://topic, mailto://...), blanks between; "
            "needs the extra `alerts`.",
            is_secret=True,
        ),
    ] = None
    webhook_url: Annotated[
        str | None,
        Setting(
            name="ALERT_WEBHOOK_URL",
            kind=SettingKind.URL,
            doc="Where each alert is posted as JSON.",
            choices=("https", "http"),
            is_secret=True,
        ),
    ] = None
    webhook_secret: Annotated[
        str | None,
        Setting(
            name="ALERT_WEBHOOK_SECRET",
            kind=SettingKind.TEXT,
            doc="Signs what is posted: HMAC-SHA256 of the body in X-Arbees-Signature.",
            is_secret=True,
        ),
    ] = None
    least: Annotated[
        str,
        Setting(
            name="ALERT_MIN_PRIORITY",
            kind=SettingKind.TEXT,
            doc="The least important alerts that are sent there.",
            default="warning",
            choices=("info", "warning", "critical"),
        ),
    ] = "warning"
    command: Annotated[
        str | None,
        Setting(
            name="ALERT_COMMAND",
            kind=SettingKind.TEXT,
            doc="A program, with arguments, that is run for each alert and gets it as JSON on its "
            "input; no shell reads it.",
        ),
    ] = None
    quiet_hours: Annotated[
        str | None,
        Setting(
            name="ALERT_QUIET_HOURS",
            kind=SettingKind.TEXT,
            doc="When only critical alerts are sent, such as 22:00-07:00 in the zone of "
            "TRADING_DAY_TIMEZONE; the rest is sent together behind it.",
        ),
    ] = None
    heartbeat_url: Annotated[
        str | None,
        Setting(
            name="ALERT_HEARTBEAT_URL",
            kind=SettingKind.URL,
            doc="Asked every minute while the gateway is ready: a dead man's switch elsewhere.",
            choices=("https", "http"),
            is_secret=True,
        ),
    ] = None


class Exceptions(Section, frozen=True, kw_only=True):
    """What an operator changed on purpose: the ramp, safeguards off, evidence overridden."""

    limit_profile: Annotated[
        str | None,
        Setting(
            name="LIMIT_PROFILE",
            kind=SettingKind.TEXT,
            doc="Step of the recommended ramp; sets the limits that are not set otherwise.",
            choices=PROFILES,
        ),
    ] = None
    disabled: Annotated[
        tuple[str, ...],
        Setting(
            name="DISABLED_SAFEGUARDS",
            kind=SettingKind.LIST,
            doc="Safeguards switched off, by name: on paper all but five at the most, in live "
            "trading three, and never authorization or kill_switch.",
        ),
    ] = ()
    disabled_reason: Annotated[
        str | None,
        Setting(
            name="DISABLED_SAFEGUARDS_REASON",
            kind=SettingKind.TEXT,
            doc="Why they are off; needed with DISABLED_SAFEGUARDS, journaled.",
        ),
    ] = None
    preflight_override_reason: Annotated[
        str | None,
        Setting(
            name="LIVE_PREFLIGHT_OVERRIDE_REASON",
            kind=SettingKind.TEXT,
            doc="Why live trading starts without its evidence; needed with "
            "LIVE_REQUIRES_PREFLIGHT=false, journaled.",
        ),
    ] = None
    preflight_paper_days: Annotated[
        int,
        Setting(
            name="PREFLIGHT_PAPER_DAYS",
            kind=SettingKind.COUNT,
            doc="Days of paper trading with every safeguard on that live trading asks for.",
            default="7",
            low="1",
            high="365",
        ),
    ] = 7
    preflight_hours: Annotated[
        int,
        Setting(
            name="PREFLIGHT_HOURS",
            kind=SettingKind.COUNT,
            doc="Hours that a gateway must have been up for a day of paper trading to count.",
            default="4",
            low="1",
            high="24",
        ),
    ] = 4
    drill_age_days_max: Annotated[
        int,
        Setting(
            name="DRILL_MAX_AGE_DAYS",
            kind=SettingKind.COUNT,
            doc="How old the drills may be that live trading asks for.",
            default="7",
            low="1",
            high="365",
        ),
    ] = 7


class ClientSettings(Section, frozen=True, kw_only=True):
    """Where the command line finds the gateway."""

    url: Annotated[
        str | None,
        Setting(
            name="ARBEES_URL",
            kind=SettingKind.URL,
            doc="Where the gateway is; unset = HTTP_HOST and HTTP_PORT.",
        ),
    ] = None
    api_key: Annotated[
        str | None,
        Setting(
            name="ARBEES_API_KEY",
            kind=SettingKind.TEXT,
            doc="Key that the command line shows to the gateway.",
            is_secret=True,
        ),
    ] = None


GENERAL: tuple[type, ...] = (
    GatewaySettings,
    AuditLogSettings,
    Alerting,
    Exceptions,
    ClientSettings,
    *(each.account for each in VENUES.values()),
)
"""The sections that are no safeguards, in the order in which they are shown."""

LATER: dict[str, str] = {
    "ABSENCE_AFTER_SECS": "the live adapter of Polymarket",
    "POLYMARKET_SIGNATURE_TYPE": "the live adapter of Polymarket",
}
"""Settings that the interfaces name and that this version does not read yet: what will read them.
Setting one is a warning. A test fails if one of them is read, or another one is not."""
