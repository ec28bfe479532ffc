"""What was set, where, and which names are refused: what the sources have in common.

Guarantees that a name that means nothing is reported with the setting that it probably meant, and
that neither a report nor a repr shows what may be a secret.
"""

import re
from typing import Any

import msgspec

from arbees.errors import ConfigurationError
from arbees.settings.catalog import FILE_SUFFIX, Catalog
from arbees.settings.problems import problem
from arbees.settings.sources.spelling import nearest, question

TOML, DOTENV, ENVIRONMENT, FLAG = "toml", ".env", "environment", "flag"
IN_ENVIRONMENT = "the environment"
_BOTH = "Remove one of the two lines."
_LOOKS_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASS|PRIVATE|CREDENTIAL|AUTH|MNEMONIC|SEED|URL|DSN")


class Given(msgspec.Struct, frozen=True):
    """One value as it was set: text, or the structure of a table."""

    name: str
    raw: Any
    origin: str
    place: str
    """For people: `.env line 3`."""

    def __repr__(self) -> str:
        """Return it without its value, which may be a secret."""
        return f"Given({self.name} in {self.place})"


Layer = dict[str, Given]
"""What one source sets, by name."""


class Gathered(msgspec.Struct):
    """What was set, lowest precedence first, and what is wrong with it."""

    layers: list[Layer] = []
    problems: list[ConfigurationError] = []
    warnings: list[str] = []


def is_no_secret_file(catalog: Catalog, name: str) -> bool:
    """Return whether a name asks to read a setting from a file that is no secret."""
    stem = name.removesuffix(FILE_SUFFIX)
    return stem != name and "_" in stem and stem in catalog.names


def unknown(catalog: Catalog, name: str, text: str | None, place: str) -> ConfigurationError:
    """Report a name that is no setting's, with the one that it probably means."""
    meant = nearest(name, catalog.ordered)
    if meant:
        fix = question(meant)
        if place == IN_ENVIRONMENT:
            fix += f" Rename it, or unset {name}."
    elif is_no_secret_file(catalog, name):
        fix = f"Only secrets are read from files: set {name.removesuffix(FILE_SUFFIX)} itself."
    else:
        fix = "Remove it; `arbees config show` lists every setting."
    return problem(
        "Expected the name of a setting",
        setting=name,
        value=text,
        fix=fix,
        place=place,
        is_secret=_LOOKS_SECRET.search(name.upper()) is not None
        or any(catalog.is_secret(one) for one in meant),
    )


def twice(
    catalog: Catalog, name: str, text: str | None, place: str, other: str
) -> ConfigurationError:
    """Report a name that one source sets a second time."""
    return problem(
        f"Expected it once, {other} sets it too",
        setting=name,
        value=text,
        fix=_BOTH,
        place=place,
        is_secret=catalog.is_secret(name),
    )
