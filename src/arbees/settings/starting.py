"""Writes the text of a first `.env` and `arbees.toml`, each setting explained in a line.

Guarantees that what is said of a setting is its own description, that values read back as they were
given, whatever is in them, and that the mode is paper. Nothing is written to a disk here; a value
that no file can hold raises `ValueError`.
"""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence

from arbees.core.language.setting import Setting
from arbees.settings.catalog import Catalog
from arbees.settings.loaded import all_sections
from arbees.settings.profile import STEPS, limits_of
from arbees.settings.reference import meaning

PAPER = {"PAPER_TRADING": "1", "LIVE_TRADING_AUTHORIZED": "false"}
"""What every first `.env` begins with."""

_DOTENV_HEAD = """\
# Settings of Arbees, written by `arbees init`. What is not here stands in arbees.toml or at its
# default; `arbees config show` prints what is in force, `arbees config check` says whether a
# gateway would start on it. All settings: docs/reference/settings.md.
"""
_TOML_HEAD = """\
# Limits of Arbees, written by `arbees init`. .env and the environment win over this file. A name or
# value that is not understood refuses the start and says what to write; check with
# `arbees config check`. All settings: docs/reference/settings.md.
"""
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,{}-]+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dotenv_text(values: Mapping[str, str]) -> str:
    """
    Return the text of a `.env` for paper trading.

    Args:
        values: text by setting name, besides the mode; secrets as `NAME_FILE`.

    Raises:
        ValueError: a value spans lines.
    """
    catalog = Catalog(all_sections())
    parts = [_DOTENV_HEAD]
    for name, text in (PAPER | dict(values)).items():
        parts.append(f"{comment(catalog, name)}\n{name}={_quoted(text)}\n")
    return "\n".join(parts)


def toml_text(profile: str | None, sports: Mapping[str, str], strategies: Sequence[str]) -> str:
    """
    Return the text of an `arbees.toml`.

    Args:
        profile: step of the ramp; None = the safeguards' own defaults.
        sports: dollars, as text, by sport.
        strategies: names of strategies that will send requests; named in a comment, since no
            setting knows them.
    """
    catalog = Catalog(all_sections())
    parts = [_TOML_HEAD]
    known = "; ".join(f"{name}: ${step.order} an order" for name, step in STEPS.items())
    profile_line = f"LIMIT_PROFILE = {json.dumps(profile)}" if profile else "# LIMIT_PROFILE = ..."
    parts.append(f"{comment(catalog, 'LIMIT_PROFILE')}\n# {known}.\n{profile_line}\n")
    if profile is None:
        parts.append("# No step is set: each limit stands at its default. To change one, write it:")
        limits = {name: catalog.settings[name].default for name in limits_of(next(iter(STEPS)))}
    else:
        parts.append(f"# What {profile} sets. A line without its # wins over the profile:")
        limits = limits_of(profile)
    for name, text in limits.items():
        parts.append(f"{comment(catalog, name)}\n# {name} = {text}\n")
    if strategies:
        said = f"Strategies that will send requests: {', '.join(strategies)}. Give each a key of "
        said += "its own with `arbees keys create`, which may carry tighter limits than these."
        parts.append(_wrapped(said) + "\n")
    parts.append(_wrapped(catalog.settings["sport_exposure.limits"].doc))
    if sports:
        rows = [f"{_key(sport)} = {text}" for sport, text in sports.items()]
        parts.append("\n".join(["[sport_exposure.limits]", *rows, ""]))
    else:
        parts.append("# [sport_exposure.limits]\n# NBA = 500\n")
    return "\n".join(parts)


def comment(catalog: Catalog, name: str) -> str:
    """Return what a setting does as lines of a comment; `NAME_FILE` is explained by `NAME`."""
    secret = catalog.files.get(name)
    setting: Setting = catalog.settings[secret or name]
    about = f"{setting.doc} ({meaning(setting)})"
    if secret is not None:
        about = f"File that holds {secret}: {setting.doc} (path of a file; only you may read it)"
    return _wrapped(about)


def _wrapped(text: str) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(text, 97))


def _quoted(text: str) -> str:
    """Return a value as a `.env` holds it."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError(f"Expected text on one line, was {text!r}")
    if _PLAIN.fullmatch(text):
        return text
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
