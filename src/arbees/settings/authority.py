"""Decides whether a live start may go on, before anything is opened (R1).

Guarantees that live trading needs two flags, an operator's record for exactly these settings, and
where asked for the typed words. Says what is missing and what to do; grants nothing by itself: each
live order meets the safeguard `authorization` again.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO
from urllib.parse import urlsplit

from arbees.core.book.book import Authority
from arbees.core.language.strict_json import format_time
from arbees.core.language.words import Mode, Platform
from arbees.errors import ConfigurationError
from arbees.safeguards.authorization import Authorization
from arbees.settings.loaded import Settings
from arbees.venues.registry import VENUES

CONFIRMATION = "CONFIRM LIVE TRADING"
"""What is typed at the terminal, exactly."""
_CHANGES_MAX = 20


def refusal(settings: Settings) -> str | None:
    """Return the requirements' three facts where the second flag is missing, None otherwise."""
    if settings.mode is Mode.PAPER or settings.section(Authorization).live_trading_authorized:
        return None
    return (
        "CRITICAL: PAPER_TRADING=0 but LIVE_TRADING_AUTHORIZED not set\n"
        "Live trading is DISABLED for safety\n"
        "To enable live trading, set LIVE_TRADING_AUTHORIZED=true in .env"
    )


def credentialed(settings: Settings) -> tuple[Platform, ...]:
    """Return the platforms whose credentials are complete."""
    return tuple(
        platform
        for platform, spec in VENUES.items()
        if all(getattr(settings.section(spec.account), field) for field in spec.credentials)
    )


def live_platforms(settings: Settings) -> tuple[Platform, ...]:
    """
    Return the platforms that a live start would trade on: `LIVE_PLATFORMS`, else all credentialed.

    Raises:
        ConfigurationError: there is none, or one that is named has no credentials.
    """
    complete = credentialed(settings)
    words = settings.section(Authorization).live_platforms
    named = tuple(Platform(word) for word in words) or complete
    text = ",".join(words)
    for platform in named:
        if platform not in complete:
            needed = VENUES[platform].credential_names
            raise ConfigurationError(
                f"Expected credentials of {platform.value}",
                setting="LIVE_PLATFORMS",
                value=text,
                fix=f"Set {needed}, or remove {platform.value} from the list.",
            )
    if not named:
        names = (spec.credential_names for spec in VENUES.values())
        raise ConfigurationError(
            "Expected credentials of a platform for live trading",
            setting="LIVE_PLATFORMS",
            value=text,
            fix=f"Set {' or '.join(names)}, or PAPER_TRADING=1.",
        )
    return named


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return how recorded settings differ, one sentence a setting: `NAME: was X, is Y`."""
    found = [
        f"{name}: was {before.get(name) or 'unset'}, is {now.get(name) or 'unset'}"
        for name in sorted({*before, *now})
        if before.get(name, "") != now.get(name, "")
    ]
    if len(found) > _CHANGES_MAX:
        found[_CHANGES_MAX:] = [f"and {len(found) - _CHANGES_MAX} more"]
    return found


def unauthorized(settings: Settings, record: Authority | None, now_ns: int) -> str | None:
    """
    Return why the record on file does not cover a live start, None if it does.

    Args:
        settings: those of the start.
        record: the newest authorization in the live journal, None if there is none.
        now_ns: UTC nanoseconds.
    """
    again = "Look at them, then run `arbees authorize --reason TEXT`."
    if record is None:
        return f"Expected an authorization on record, there is none. {again}"
    if record.settings_hash != settings.hash:
        changed = changes(record.settings, settings.recorded()) or ["what is recorded of them"]
        listed = "\n".join(f"  {line}" for line in changed)
        return f"Expected the settings that {record.actor} authorized; changed:\n{listed}\n{again}"
    flags = settings.section(Authorization)
    ends = {
        "the record": record.until_ns,
        "LIVE_TRADING_AUTHORIZED_UNTIL": flags.live_trading_authorized_until,
    }
    for by, until_ns in ends.items():
        if until_ns is not None and until_ns < now_ns:
            ended = f"by {by} it ended {format_time(until_ns)}"
            return f"Expected an authorization in force, {ended}. {again}"
    return None


Unmet = Callable[[Settings, int], Sequence[str]]
"""Returns which lines of the pre-flight evidence are not met now, a sentence each."""


def not_looked_at(_settings: Settings, _now_ns: int) -> Sequence[str]:
    """Return that nobody looked, which is no evidence."""
    return ("it was not looked at: start with arbees run",)


def obstacles(
    settings: Settings, record: Authority | None, now_ns: int, unmet: Unmet = not_looked_at
) -> list[str]:
    """
    Return everything that keeps a live start from going on, in the order to deal with it.

    Args:
        settings: those of the start; live.
        record: the newest authorization in the live journal, None if there is none.
        now_ns: UTC nanoseconds.
        unmet: looks at the pre-flight evidence; only asked where it counts.
    """
    found = refusals(settings)
    missing = unauthorized(settings, record, now_ns)
    if missing is not None:
        found.append(missing)
    if not is_rehearsal(settings, _platforms(settings)):
        evidence = missing_evidence(settings, now_ns, unmet)
        found += [] if evidence is None else [evidence]
    return found


def refusals(settings: Settings) -> list[str]:
    """Return why no live start could go on with these settings, whatever is on record."""
    if settings.mode is Mode.PAPER:
        return []
    flags = refusal(settings)
    found = [] if flags is None else [flags]
    try:
        platforms = live_platforms(settings)
    except ConfigurationError as error:
        return [*found, str(error)]
    adapters = missing_adapters(platforms)
    return [*found, *unencrypted(settings, platforms), *([] if adapters is None else [adapters])]


def _platforms(settings: Settings) -> tuple[Platform, ...]:
    try:
        return live_platforms(settings)
    except ConfigurationError:
        return ()


def missing_evidence(settings: Settings, now_ns: int, unmet: Unmet = not_looked_at) -> str | None:
    """Return which pre-flight evidence is not there; None if the operator does without it."""
    exceptions = settings.exceptions
    if not settings.section(Authorization).live_requires_preflight:
        return None
    lines = unmet(settings, now_ns)
    if not lines:
        return None
    return (
        f"Expected pre-flight evidence: {exceptions.preflight_paper_days} days of paper trading "
        "with every safeguard on, and drills of all of them no older than "
        f"{exceptions.drill_age_days_max} days; missing:\n"
        + "".join(f"  {line}\n" for line in lines)
        + "See arbees preflight. Without it: "
        "LIVE_REQUIRES_PREFLIGHT=false with LIVE_PREFLIGHT_OVERRIDE_REASON"
    )


def overridden(settings: Settings) -> str | None:
    """Return why a live start does without the evidence; None if it does not, and on paper."""
    is_asked = settings.section(Authorization).live_requires_preflight
    if settings.mode is Mode.PAPER or is_asked:
        return None
    return settings.exceptions.preflight_override_reason or "no reason is given"


def missing_adapters(platforms: Sequence[Platform]) -> str | None:
    """Return which of these platforms this version cannot trade on live, None if it can on all."""
    there = [each.value for each, spec in VENUES.items() if spec.adapter_module is not None]
    missing = [platform.value for platform in platforms if platform.value not in there]
    if not missing:
        return None
    return (
        f"There is no live adapter for {', '.join(missing)} in this version.\n"
        f"Set LIVE_PLATFORMS={','.join(there)}, or PAPER_TRADING=1 for the paper exchange"
    )


def is_rehearsal(settings: Settings, platforms: Sequence[Platform]) -> bool:
    """Tell whether a live start means exchanges of this machine alone: no money is at stake."""
    return bool(platforms) and all(_is_local(url) for url in _urls(settings, platforms))


def unencrypted(settings: Settings, platforms: Sequence[Platform]) -> list[str]:
    """Return which addresses would carry orders readable and changeable: only ours may."""
    return [
        f"Expected https or wss beyond this machine, was {url}"
        for url in _urls(settings, platforms)
        if urlsplit(url).scheme in {"http", "ws"} and not _is_local(url)
    ]


def _urls(settings: Settings, platforms: Sequence[Platform]) -> list[str]:
    specs = [VENUES[platform] for platform in platforms]
    return [
        getattr(settings.section(spec.account), field) for spec in specs for field in spec.url_names
    ]


def _is_local(url: str) -> bool:
    return _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def confirm_live(
    venues: Sequence[Platform], source: TextIO, output: TextIO, *, is_terminal: bool
) -> bool:
    """
    Ask for the typed confirmation of `LIVE_CONFIRM`.

    Args:
        venues: the platforms that are live.
        source: where the answer is read.
        output: where the question goes.
        is_terminal: whether a person sits there; without one the answer is no.

    Returns:
        Whether exactly `CONFIRM LIVE TRADING` was typed.
    """
    if not is_terminal:
        output.write("LIVE_CONFIRM=true needs a terminal to ask at, there is none.\n")
        return False
    output.write("WARNING: LIVE TRADING. Real orders will be placed with real money.\n")
    output.writelines(
        f"{platform.value} live: {'yes' if platform in venues else 'no'}\n" for platform in Platform
    )
    output.write(f"Type '{CONFIRMATION}' to continue, or Ctrl+C to abort: ")
    output.flush()
    typed = source.readline(len(CONFIRMATION) + 2)
    if typed.removesuffix("\n").removesuffix("\r") != CONFIRMATION:
        output.write("Live trading not confirmed.\n")
        return False
    return True


def require_assertions(*, are_on: bool = __debug__) -> None:
    """
    Refuse to run without assertions: they are the seat belt.

    Raises:
        ConfigurationError: Python was started with -O or PYTHONOPTIMIZE.
    """
    if not are_on:
        raise ConfigurationError(
            "Expected Python to check assertions",
            setting="PYTHONOPTIMIZE",
            fix="Start it without -O and without PYTHONOPTIMIZE.",
        )
