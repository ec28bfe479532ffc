"""Writes down every setting: `.env.example` and `docs/reference/settings.md`.

Guarantees that both say what the code says: they are made from the settings' own descriptions, and
a test compares the committed files. `python -m arbees.settings.reference` writes them anew, into
the current directory.
"""

import textwrap
from pathlib import Path

from arbees.core.language.setting import Setting, SettingKind
from arbees.settings.catalog import FILE_SUFFIX, Catalog
from arbees.settings.general import LATER
from arbees.settings.loaded import all_sections
from arbees.settings.parse import UNITS, range_of
from arbees.settings.profile import STEPS, limits_of
from arbees.venues.registry import VENUES

ENV_EXAMPLE = Path(".env.example")
REFERENCE = Path("docs/reference/settings.md")

TEMPLATE: dict[str, tuple[str, ...]] = {
    "Live trading authorization": ("PAPER_TRADING", "LIVE_TRADING_AUTHORIZED"),
    "Order size limits": ("MAX_ORDER_SIZE", "MAX_ORDER_CONTRACTS", "MAX_POSITION_PER_MARKET"),
    "Rate limiting": ("MAX_ORDERS_PER_MINUTE", "MAX_ORDERS_PER_HOUR"),
    "Price safety": ("MIN_SAFE_PRICE", "MAX_SAFE_PRICE", "MAX_PRICE_DELTA_FROM_PREGAME"),
    "Balance monitoring": (
        "BALANCE_REFRESH_INTERVAL_SECS",
        "BALANCE_LOW_THRESHOLD",
        "DAILY_LOSS_ALERT_THRESHOLD",
    ),
    "Audit logging": ("AUDIT_LOG_ENABLED", "AUDIT_LOG_PATH", "AUDIT_LOG_RETENTION_DAYS"),
}
"""The settings of the requirements' template, in its order; `.env.example` sets these."""

EXAMPLES = {
    "trading_window": """\
[trading_window.NBA]
days = ["Fri", "Sat", "Sun"]    # or "daily"
hours = "18:00-01:30"           # over midnight
zone = "America/New_York"
phase = "in_game"               # any, pregame or in_game
stop_minutes_before_close = 5
""",
    "rate_limit": """\
[rate_limit]
per_market_minute = 5
per_market_hour = 20
per_strategy_minute = 10
per_strategy_hour = 50
""",
    "sport_exposure.limits": """\
[sport_exposure.limits]
NBA = 500
NHL = 250.50
""",
    "reconciliation.policy": """\
[reconciliation.policy]
cash = "halt"
""",
}
"""One example for each table of arbees.toml."""

_HEAD = """\
# Settings of Arbees. Copy this file to .env and change what you need; what is commented out stands
# at its default. A name or value that is not understood refuses the start and says what to write.
# All of them, and arbees.toml: docs/reference/settings.md. Look at what is in force with
# `arbees config show`.
"""

_INTRODUCTION = """\
# Settings

Settings come from five places; the later one counts: defaults, `arbees.toml`, `.env`, the
environment, flags of the command. `arbees config show` prints what is in force and where it comes
from, `arbees config check` says whether a gateway would start on it.

What is not understood refuses the start with exit code 78, all problems at once, each with the
setting, the value and what to write instead:

- a **malformed** value (`abc`, `NaN`, `1e400`; an empty one where a number, a flag or a choice is
  meant; an empty text, list, time, path or URL means unset),
- one **out of range**,
- two that **contradict**: `MIN_SAFE_PRICE` above `MAX_SAFE_PRICE`, `MAX_ORDERS_PER_MINUTE` above
  `MAX_ORDERS_PER_HOUR`, `MAX_ORDER_SIZE` above `MAX_POSITION_PER_MARKET`, two files in one place,
  a safeguard switched off without a reason, the audit log switched off in live trading,
- an **unknown name**: any in `arbees.toml` and `.env`; in the environment one that is nearly a
  setting's (one letter wrong, dropped, doubled or two swapped; two such in long names; another
  case; `ARBEES_` in front).

Numbers are written as in JSON, in steps of 0.000001, and read exactly. Flags are `1`, `true`, `yes`
and `0`, `false`, `no` in any case.

**`.env`** holds `NAME=value` lines. Comments begin with `#`, on a line of their own or behind a
value and a blank; values may stand in single or double quotes; `export` may stand in front. There
are no blanks around the `=`, nothing is expanded, and no name stands twice. Only a quoted
`-----BEGIN` block (a private key) may span lines.

**`arbees.toml`** takes the same names at its top (`MAX_ORDER_SIZE = 100.0`), or in the section
named like their safeguard (`[order_size]`), and the tables at the end of this page.

**Secrets** are never shown. Each may be read from a file instead, named by `NAME_FILE`; setting
both refuses. A file that others may write refuses; one that others may read is used, with a
warning from `arbees config check` (container platforms mount secrets that way). Other settings are
not read from files.
"""


def env_example() -> str:
    """Return the text of `.env.example`."""
    catalog = Catalog(all_sections())
    parts = [_HEAD]
    for title, names in TEMPLATE.items():
        parts.append(_banner(title))
        parts += [_entry(catalog.settings[name], is_set=True) for name in names]
    shown = {name for names in TEMPLATE.values() for name in names}
    for section in catalog.sections:
        rest = [
            setting
            for owner, _, setting in catalog.fields
            if owner is section
            and setting.name not in shown
            and setting.kind is not SettingKind.TABLE
        ]
        if rest:
            parts.append(_banner(_title(section)))
            parts += [_entry(setting, is_set=False) for setting in rest]
            shown.update(setting.name for setting in rest)
    return "\n".join(parts)


def reference_markdown() -> str:
    """Return the text of `docs/reference/settings.md`."""
    catalog = Catalog(all_sections())
    parts = [_INTRODUCTION]
    shown: set[str] = set()
    for section in catalog.sections:
        rows = [
            _row(setting)
            for owner, _, setting in catalog.fields
            if owner is section
            and setting.name not in shown
            and setting.kind is not SettingKind.TABLE
        ]
        shown.update(setting.name for owner, _, setting in catalog.fields if owner is section)
        if rows:
            head = "| setting | default | range | what it does |\n|---|---|---|---|\n"
            parts.append(f"## {_title(section)}\n\n{_doc(section)}\n\n{head}{''.join(rows)}")
    parts.append(_ramp())
    parts.append("## Tables of arbees.toml\n")
    for name in sorted(catalog.tables):
        doc = catalog.settings[name].doc
        parts.append(f"### `[{name}]`\n\n{doc}\n\n```toml\n{EXAMPLES[name]}```\n")
    return "\n".join(parts)


def meaning(setting: Setting) -> str:
    """Return what may be written, for people: a range with its unit, the choices, the kind."""
    if setting.kind in UNITS:
        low, high = range_of(setting)
        unit = "" if setting.kind is SettingKind.COUNT else f", {UNITS[setting.kind]}"
        return f"{low} to {high}{unit}"
    if setting.kind is SettingKind.FLAG:
        return "true or false"
    if setting.kind is SettingKind.URL:
        return " or ".join(f"{scheme}://" for scheme in setting.choices or ("https", "http"))
    if setting.choices:
        words = ", ".join(setting.choices)
        return f"some of {words}" if setting.kind is SettingKind.LIST else f"one of {words}"
    return {
        SettingKind.LIST: "names separated by commas",
        SettingKind.TIME: "time with a zone, 2026-01-28T20:30:00Z",
        SettingKind.ZONE: "name of a time zone",
        SettingKind.PATH: "path of a file",
    }.get(setting.kind, "secret text" if setting.is_secret else "text")


def _banner(title: str) -> str:
    return f"# --- {title} {'-' * (93 - len(title))}\n"


def _entry(setting: Setting, *, is_set: bool) -> str:
    also = f" Or {setting.name}{FILE_SUFFIX}." if setting.is_secret else ""
    about = f"{setting.doc} ({meaning(setting)}){also}"
    comment = "\n".join(f"# {line}" for line in textwrap.wrap(about, 97))
    return f"{comment}\n{'' if is_set else '# '}{setting.name}={setting.default}\n"


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "unset"
    also = f" May be read from `{setting.name}{FILE_SUFFIX}`." if setting.is_secret else ""
    later = f" Not read yet: {LATER[setting.name]} will." if setting.name in LATER else ""
    doc = setting.doc.replace("|", "\\|")
    return f"| `{setting.name}` | {default} | {meaning(setting)} | {doc}{also}{later} |\n"


def _title(section: type) -> str:
    name = getattr(section, "name", None)
    return f"Safeguard `{name}`" if isinstance(name, str) else _TITLES[section.__name__]


_TITLES = {
    "GatewaySettings": "The gateway",
    "AuditLogSettings": "The audit log",
    "Alerting": "Alerts",
    "Exceptions": "Ramp, exceptions and evidence",
    "ClientSettings": "The command line",
    **{each.account.__name__: str(each.platform) for each in VENUES.values()},
}


def _doc(section: type) -> str:
    return (section.__doc__ or "").strip().partition("\n\n")[0]


def _ramp() -> str:
    names = list(limits_of(next(iter(STEPS))))
    lines = [
        "## The ramp\n",
        "`LIMIT_PROFILE` sets what is not set explicitly. Contracts are the order's dollars at the",
        "lowest safe price, at most 1000; game, sport and account are 2, 5 and 10 times the",
        "market. Without a profile an order of the default 100 contracts is at most $95, so the",
        "dollar cap never binds alone.\n",
        "| profile | " + " | ".join(f"`{name}`" for name in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for profile in STEPS:
        limits = limits_of(profile)
        lines.append(f"| `{profile}` | " + " | ".join(limits[name] for name in names) + " |")
    return "\n".join(lines) + "\n"


def write(root: Path) -> None:
    """Write both files below a checkout."""
    for path, text in ((ENV_EXAMPLE, env_example()), (REFERENCE, reference_markdown())):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path.cwd())
