"""Denies orders of models that may not trade, or that are not named where they must be (R15).

Guarantees that a retired model opens nothing, and that with a list of allowed ones an unnamed model
opens nothing either: leaving the name out is no way around the list.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind

_REDUCING: tuple[Verdict, ...] = (
    Skipped("MODEL_VERSION_MISSING", "reducing order"),
    Skipped("MODEL_VERSION_DENIED", "reducing order"),
)
_ABSENT: tuple[Verdict, ...] = (
    Skipped("MODEL_VERSION_MISSING", "no model_version, and none is required"),
    Skipped("MODEL_VERSION_DENIED", "no model_version"),
)
_MISSING: tuple[Verdict, ...] = (
    Deny("MODEL_VERSION_MISSING"),
    Skipped("MODEL_VERSION_DENIED", "no model_version"),
)
_PRESENT = Pass("MODEL_VERSION_MISSING")


class ModelVersion(msgspec.Struct, frozen=True):
    """Which models may trade. Names are compared exactly; the denied list wins."""

    name: ClassVar[str] = "model_version"
    codes: ClassVar[tuple[str, ...]] = ("MODEL_VERSION_MISSING", "MODEL_VERSION_DENIED")

    require_model_version: Annotated[
        bool,
        Setting(
            name="REQUIRE_MODEL_VERSION",
            kind=SettingKind.FLAG,
            default="false",
            doc="Deny requests without model_version.",
        ),
    ] = False
    model_versions_allowed: Annotated[
        tuple[str, ...],
        Setting(
            name="MODEL_VERSIONS_ALLOWED",
            kind=SettingKind.LIST,
            doc="The only model versions that may trade; unset = all. Set, it requires one.",
        ),
    ] = ()
    model_versions_denied: Annotated[
        tuple[str, ...],
        Setting(
            name="MODEL_VERSIONS_DENIED",
            kind=SettingKind.LIST,
            doc="Retired model versions, also if they are allowed.",
        ),
    ] = ()

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Ask for a version where one is needed, and look it up in both lists."""
        if order.is_reducing:
            return _REDUCING
        version = order.request.model_version
        if version is None:
            is_needed = self.require_model_version or self.model_versions_allowed
            return _MISSING if is_needed else _ABSENT
        if version in self.model_versions_denied:
            return _PRESENT, Deny("MODEL_VERSION_DENIED", version, "it is retired")
        if self.model_versions_allowed and version not in self.model_versions_allowed:
            allowed = f"allowed are {', '.join(self.model_versions_allowed)}"
            return _PRESENT, Deny("MODEL_VERSION_DENIED", version, allowed)
        return _PRESENT, Pass("MODEL_VERSION_DENIED", version)
