"""What every event is, and the finding that several of them hold.

Guarantees one form for all: frozen, told apart by `type`, and a field at its default left out.
"""

import msgspec


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, omit_defaults=True
):
    """Base of all events."""


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """A denial or a warning of a decision: safeguard, code, observed, limit, until."""

    safeguard: str
    code: str
    observed: int | str | None = None
    limit: int | str | None = None
    until_ns: int | None = None
