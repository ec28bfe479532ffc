"""Finds settings that are each right and together wrong.

Guarantees that a pair of limits that cannot both be meant, a safeguard switched off without a
reason, and a live start without its records refuse before anything is admitted. Fails by yielding
one problem a contradiction, which names both settings.
"""

import os
from collections.abc import Iterator, Sequence

from arbees.core.language.words import Mode
from arbees.errors import ConfigurationError
from arbees.settings.effective import DEFAULT, PROFILE, Effective, Values
from arbees.settings.problems import problem
from arbees.settings.sources.spelling import nearest, question

VITAL = ("authorization", "kill_switch")
"""Safeguards that live trading never runs without."""
LIVE_OFF_MAX = 3
"""Safeguards that live trading may run without at a time."""
PAPER_ON_MIN = 5
"""Safeguards that stay on even on paper: with fewer, what is tried proves nothing."""
ORDERED = (
    ("MIN_SAFE_PRICE", "MAX_SAFE_PRICE"),
    ("MAX_ORDERS_PER_MINUTE", "MAX_ORDERS_PER_HOUR"),
    ("MAX_ORDER_SIZE", "MAX_POSITION_PER_MARKET"),
)
"""Pairs of which the first may be at most the second."""
IMPLICIT = frozenset({DEFAULT, PROFILE})
"""Origins of what nobody wrote down."""
FILES = ("JOURNAL_PATH", "PAPER_BOOK_PATH", "AUDIT_LOG_PATH", "KILL_SWITCH_FILE")
"""Settings that must each name a file of their own."""


def contradictions(
    values: Values, mode: Mode, safeguards: Sequence[str]
) -> Iterator[ConfigurationError]:
    """
    Yield what contradicts.

    Args:
        values: the settings in force, by name; those that could not be read are missing.
        mode: paper or live.
        safeguards: the names that may be switched off, in order.
    """
    yield from _out_of_order(values)
    yield from _shared_files(values)
    yield from _not_there(values)
    yield from _switched_off(values, mode, safeguards)
    if mode is Mode.LIVE:
        yield from _careless(values)


def _about(found: Effective, expected: str, fix: str) -> ConfigurationError:
    return problem(
        expected, setting=found.setting.name, value=found.text, fix=fix, place=found.place
    )


def _out_of_order(values: Values) -> Iterator[ConfigurationError]:
    for lower, upper in ORDERED:
        if lower not in values or upper not in values:
            continue
        low, high = values[lower], values[upper]
        if low.value > high.value:
            # The explicit one is at fault; where both are, the lower one of the pair is named.
            blamed = high if low.origin in IMPLICIT and high.origin not in IMPLICIT else low
            expected = (
                f"Expected at most {upper}, which is {high.text} ({high.place})"
                if blamed is low
                else f"Expected at least {lower}, which is {low.text} ({low.place})"
            )
            yield _about(blamed, expected, f"Lower {lower} or raise {upper}.")


def _shared_files(values: Values) -> Iterator[ConfigurationError]:
    seen: dict[str, str] = {}
    for name in FILES:
        if name in values and values[name].value:
            other = seen.setdefault(os.path.normpath(values[name].value), name)
            if other != name:
                expected = f"Expected a file of its own, {other} names it too"
                yield _about(values[name], expected, "Name another file.")


def _not_there(values: Values) -> Iterator[ConfigurationError]:
    """Refuse what would be believed to hold and does not."""
    shared = values.get("JOURNAL_URL")
    if shared is not None and shared.value:
        expected = "Expected no shared journal: this version keeps it in the file of JOURNAL_PATH"
        yield _about(shared, expected, "Remove JOURNAL_URL.")


def _switched_off(
    values: Values, mode: Mode, safeguards: Sequence[str]
) -> Iterator[ConfigurationError]:
    found = values.get("DISABLED_SAFEGUARDS")
    if found is None or not found.value:
        return
    for name in found.value:
        if name not in safeguards:
            meant = nearest(name, safeguards)
            fix = question(meant) if meant else f"Name some of {', '.join(safeguards)}."
            yield _about(found, f"Expected names of safeguards, {name!r} is none", fix)
        elif mode is Mode.LIVE and name in VITAL:
            expected = f"Expected {name} to stay on in live trading"
            yield _about(found, expected, f"Remove {name} from the list.")
    yield from _too_many_off(found, mode, safeguards)
    reason = values.get("DISABLED_SAFEGUARDS_REASON")
    if reason is not None and not reason.value:
        fix = "Set DISABLED_SAFEGUARDS_REASON to why it is off."
        yield _about(found, "Expected a reason in DISABLED_SAFEGUARDS_REASON", fix)


def _too_many_off(
    found: Effective, mode: Mode, safeguards: Sequence[str]
) -> Iterator[ConfigurationError]:
    off = len(set(found.value) & set(safeguards))
    fix = f"Switch off only those that are in the way; {off} are named."
    if mode is Mode.LIVE and off > LIVE_OFF_MAX:
        yield _about(found, f"Expected at most {LIVE_OFF_MAX} safeguards off in live trading", fix)
    elif mode is Mode.PAPER and len(safeguards) - off < PAPER_ON_MIN:
        yield _about(found, f"Expected at least {PAPER_ON_MIN} safeguards to stay on", fix)


def _careless(values: Values) -> Iterator[ConfigurationError]:
    audit = values.get("AUDIT_LOG_ENABLED")
    if audit is not None and not audit.value:
        fix = "Set AUDIT_LOG_ENABLED=true."
        yield _about(audit, "Expected the audit log to be written in live trading", fix)
    preflight = values.get("LIVE_REQUIRES_PREFLIGHT")
    reason = values.get("LIVE_PREFLIGHT_OVERRIDE_REASON")
    if preflight is not None and not preflight.value and reason is not None and not reason.value:
        fix = "Set LIVE_PREFLIGHT_OVERRIDE_REASON to why, or LIVE_REQUIRES_PREFLIGHT=true."
        yield _about(preflight, "Expected a reason in LIVE_PREFLIGHT_OVERRIDE_REASON", fix)
