"""Runs drills, one after the other, each on stages of its own.

Guarantees that a safeguard that is switched off, or a drill that breaks, is a drill that failed and
never a traceback; what went wrong is told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

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

DRILLS: dict[str, Script] = {
    "authorization": control.authorization,
    "kill_switch": control.kill_switch,
    "freshness": orders.freshness,
    "model_version": orders.model_version,
    "market": orders.market,
    "holding": orders.holding,
    "trading_window": orders.trading_window,
    "order_size": orders.order_size,
    "price_range": orders.price_range,
    "price_reference": orders.price_reference,
    "rate_limit": amounts.rate_limit,
    "repeated_execution": amounts.repeated_execution,
    "opposing_order": amounts.opposing_order,
    "open_orders": amounts.open_orders,
    "market_exposure": amounts.market_exposure,
    "game_exposure": amounts.game_exposure,
    "sport_exposure": amounts.sport_exposure,
    "total_exposure": amounts.total_exposure,
    "balance": amounts.balance,
    "daily_loss": amounts.daily_loss,
    "unknown_orders": amounts.unknown_orders,
    "venue_health": control.venue_health,
    "reconciliation": control.reconciliation,
    KEY: control.idempotency,
}
"""By safeguard, in the order of evaluation; then the key."""

NAMES = (*(str(each.name) for each in ALL), KEY)  # type: ignore[attr-defined]
"""What must be drilled."""


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
