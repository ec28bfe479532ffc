"""Scopes as people type them, in their one spelling.

Guarantees that a scope which is taken covers something that can exist; another one is refused with
what was expected.
"""

from arbees.core import mistakes
from arbees.core.book import Book
from arbees.core.wire import shown
from arbees.core.words import SCOPE_ALL, Platform

SCOPE_KINDS = frozenset({"platform", "sport", "market", "strategy", "model_version"})


def canonical_scope(scope: str, book: Book) -> str:
    """
    Return the one spelling of a scope: a halt that covers nothing would be worse than none.

    Platforms and sports are taken in any case; a market by any of its names.

    Raises:
        ValueError: what was expected, and what came.
    """
    kind, colon, name = scope.partition(":")
    if scope == SCOPE_ALL:
        return scope
    if not (colon and name and kind in SCOPE_KINDS):
        msg = (
            "Expected all, platform:X, sport:X, market:X, strategy:X or model_version:X, "
            f"was {shown(scope)}"
        )
        advice = mistakes.of_scope(scope, sorted(SCOPE_KINDS))
        raise ValueError(f"{msg}: {advice}" if advice else msg)
    if kind == "platform":
        known = {str(platform).lower(): platform for platform in Platform}
        if name.lower() not in known:
            msg = f"Expected platform:Kalshi or platform:Polymarket, was {scope!r}"
            raise ValueError(msg)
        return f"platform:{known[name.lower()]}"
    if kind == "sport":
        return f"sport:{name.upper()}"
    return book.canonical(scope)
