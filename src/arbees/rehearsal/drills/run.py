"""Runs drills, one after the other, each on stages of its own.

Guarantees that a safeguard that is switched off, or a drill that breaks, is a drill that failed and
never a traceback; what went wrong is told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import msgspec

from arbees.rehearsal.drills import amounts, control, orders
from arbees.rehearsal.drills.stage import DrillStep, Theatre
from arbees.safeguards import ALL
from arbees.settings import Settings

KEY = "idempotency"
"""The key, which stands before all safeguards and has no switch."""


class Drill(msgspec.Struct, frozen=True):
    """What a drill of one safeguard showed."""

    safeguard: str
    is_passed: bool
    steps: tuple[DrillStep, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """What was not as expected."""
        return tuple(step.text for step in self.steps if not step.is_as_expected)


Script = Callable[[Theatre], Awaitable[None]]

NAMES = (*(str(each.name) for each in ALL), KEY)  # type: ignore[attr-defined]
"""What must be drilled."""


def _script_of(name: str) -> Script:
    """Return the drill of a safeguard, a function of its name. Raises StopIteration."""
    rooms = (amounts, control, orders)
    return cast("Script", next(getattr(each, name) for each in rooms if hasattr(each, name)))


DRILLS: dict[str, Script] = {name: _script_of(name) for name in NAMES}
"""By safeguard, in the order of evaluation; then the key."""


async def drill(
    name: str,
    settings: Settings,
    now_ns: int,
    theatre_of: Callable[[str, Settings, int], Theatre] = Theatre,
) -> Drill:
    """
    Drill one safeguard.

    Args:
        name: of the safeguard, or `idempotency`.
        settings: those of now.
        now_ns: where the recorded clock begins.
        theatre_of: makes the place in which stages are set up.
    """
    theatre = theatre_of(name, settings, now_ns)
    if name in settings.disabled:
        theatre.note(f"it is switched off: {settings.disabled[name]}", is_as_expected=False)
    else:
        script = asyncio.create_task(_run(name, theatre))
        await asyncio.wait((script,))
        if (error := script.exception()) is not None:
            theatre.note(f"the drill broke: {error!r}", is_as_expected=False)
    is_passed = bool(theatre.steps) and all(step.is_as_expected for step in theatre.steps)
    return Drill(name, is_passed, tuple(theatre.steps))


async def _run(name: str, theatre: Theatre) -> None:
    await DRILLS[name](theatre)


def drill_all(
    settings: Settings,
    now_ns: int,
    names: Iterable[str] = NAMES,
    told: Callable[[Drill], None] = lambda _drill: None,
) -> tuple[Drill, ...]:
    """
    Drill some safeguards, one after the other.

    Args:
        settings: those of now.
        now_ns: where the recorded clock of each begins.
        names: which; by default all, and the key.
        told: hears each as it is done.
    """
    found: list[Drill] = []
    for name in names:
        found.append(asyncio.run(drill(name, settings, now_ns)))
        told(found[-1])
    return tuple(found)
