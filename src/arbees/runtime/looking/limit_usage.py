"""The safeguards as operators see them: settings, how much of each limit is used, denials of today.

Guarantees that what is shown as left is what the next verdict counts from: each safeguard says so
itself (`Measured.used`), from the same book and facts. One that is off shows no use: it has none.
"""

from collections.abc import Iterable
from decimal import Decimal

from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Measured, Use
from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES
from arbees.core.language.units import to_decimal
from arbees.interface.operator import SafeguardView, Usage
from arbees.runtime.desk import Desk


def safeguards(desk: Desk) -> tuple[SafeguardView, ...]:
    """Return every safeguard in the order of evaluation."""
    rules, options, book = desk.rules, desk.options, desk.book
    enabled = {each.name: each for each in rules.safeguards}
    facts = Facts(now_ns=desk.clock.now_ns(), unrealized=desk.marks.unrealized)
    found: list[SafeguardView] = []
    for name in dict.fromkeys((*options.sheets, *enabled)):
        safeguard = enabled.get(name)
        uses: Iterable[Use] = ()
        if isinstance(safeguard, Measured):
            uses = safeguard.used(book, facts)
        found.append(
            SafeguardView(
                name=name,
                enabled=safeguard is not None,
                settings=options.sheets.get(name, {}),
                used=tuple(usage(use) for use in uses),
                denials_today=book.denials.get(name, 0),
            )
        )
    return tuple(found)


def usage(use: Use) -> Usage:
    """Return the use of a limit in the unit of its code."""
    is_count = CODES[use.code].unit is Unit.COUNT
    read = Decimal if is_count else to_decimal
    return Usage(
        scope=use.scope,
        value=read(use.value),
        limit=read(use.limit),
        headroom=read(use.limit - use.value),
        code=use.code,
    )
