"""Drills as they are handed in: what was shown of a safeguard, where, and under which limits.

Guarantees that a record of a drill is written in one form, by a running gateway as by the command
line, and that it names a safeguard that there is. It fails with `Malformed`.
"""

from collections.abc import Collection, Sequence
from typing import Annotated, Protocol

import msgspec

from arbees.core.events import Drilled
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Malformed, shown

DRILLS_MAX = 64
FAILURES_MAX = 20
"""Of one drill; more are cut off."""
TEXT_MAX = 300
_Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]


class DrillWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the drill of one safeguard showed."""

    safeguard: _Text
    """Name of the safeguard, or `idempotency`."""
    passed: bool
    """Whether every step was as expected."""
    failures: list[_Text] = []
    """What was not."""


class DrillsWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Drills of one run."""

    limits_hash: _Text
    """Of the settings of all safeguards but the authorization, as `arbees drill` works it out."""
    settings_hash: _Text
    """Of all settings."""
    host: _Text
    """Name of the machine."""
    version: _Text
    """Of the Arbees that drilled."""
    drills: Annotated[list[DrillWire], msgspec.Meta(min_length=1, max_length=DRILLS_MAX)]
    """One for each safeguard that was drilled."""


class DrillsView(msgspec.Struct, frozen=True, kw_only=True):
    """Drills that stand in the journal."""

    recorded: int
    """How many."""
    limits_agree: bool
    """Whether the gateway runs under the limits that were drilled."""
    sequence: int


class Driller(Protocol):
    """Who records drills; a part of the gateway's port."""

    async def record_drills(self, drills: Sequence[Drilled]) -> DrillsView:
        """Journal drills. Raises Undecided: the journal failed."""
        ...


_DECODER = msgspec.json.Decoder(DrillsWire)


def parse_drills(data: bytes, names: Collection[str], actor: str) -> tuple[Drilled, ...]:
    """
    Read drills as they were sent.

    Args:
        data: a JSON object, see `DrillsWire`.
        names: what can be drilled.
        actor: who sends them.

    Raises:
        Malformed: what is wrong, and in which field.
    """
    raw = strict_json.decode(data, _DECODER)
    for each in raw.drills:
        if each.safeguard not in names:
            known = ", ".join(names)
            raise Malformed(
                "drills", f"Expected a safeguard of {known}, was {shown(each.safeguard)}"
            )
    return events_of(raw, actor)


def events_of(run: DrillsWire, actor: str) -> tuple[Drilled, ...]:
    """Return the records of a run."""
    return tuple(
        Drilled(
            safeguard=each.safeguard,
            is_passed=each.passed,
            limits_hash=run.limits_hash,
            settings_hash=run.settings_hash,
            host=run.host,
            version=run.version,
            failures=tuple(text[:TEXT_MAX] for text in each.failures[:FAILURES_MAX]),
            actor=actor,
        )
        for each in run.drills
    )
