"""Scopes as people type them, in their one spelling, and whether they match anything known.

Guarantees that the form of a stop never refuses it: kinds, `all` and known names are taken in any
case, and a name that nothing known has is taken too, and said to match nothing. What is no scope at
all is refused with what was expected. Names that were seen are kept up to a bound.
"""

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.language import input_hints
from arbees.core.language.strict_json import (
    ID_MAX,
    Malformed,
    identifier,
    shown,
)
from arbees.core.language.words import SCOPE_ALL, UNCLASSIFIED, Platform

SCOPE_KINDS = frozenset(
    {"platform", "pool", "sport", "game", "market", "strategy", "model_version"}
)
EXPECTED = "all, platform:X, sport:X, game:X, market:X, strategy:X or model_version:X"
SEEN_MAX = 10_000
"""Strategies and model versions that are remembered, each; one more is not."""


class Scopes:
    """What scopes may name in one gateway: what the book holds, and what requests named."""

    def __init__(self, book: Book) -> None:
        """Know what a book holds; `take` adds what requests name."""
        self._book = book
        self._strategies: set[str] = set()
        self._versions: set[str] = set()

    def take(self, event: events.Event) -> None:
        """Remember what a request names."""
        if isinstance(event, events.OrderApproved | events.RequestDenied):
            request = event.request
            if request.strategy and len(self._strategies) < SEEN_MAX:
                self._strategies.add(request.strategy)
            if request.model_version and len(self._versions) < SEEN_MAX:
                self._versions.add(request.model_version)

    def canonical(self, scope: str) -> str:
        """
        Return the one spelling of a scope.

        A name that is known in another case, and in one other case only, is meant.

        Raises:
            ValueError: what was expected, and what came.
        """
        kind, colon, name = scope.partition(":")
        kind, name = kind.strip().lower(), name.strip()
        if kind == SCOPE_ALL and not colon:
            return SCOPE_ALL
        if not (colon and name and kind in SCOPE_KINDS):
            msg = f"Expected {EXPECTED}, was {shown(scope)}"
            advice = input_hints.of_scope(scope, sorted(SCOPE_KINDS))
            raise ValueError(f"{msg}: {advice}" if advice else msg)
        try:
            identifier("scope", name)
        except Malformed:
            msg = f"Expected a name of 1 to {ID_MAX} printable ASCII characters, was {shown(scope)}"
            raise ValueError(msg) from None
        names = self._names(kind)
        if name not in names:
            near = {each for each in names if each.lower() == name.lower()}
            if len(near) == 1:
                name = near.pop()
            elif kind == "sport":
                name = name.upper()
        return self._book.canonical(f"{kind}:{name}")

    def is_known(self, scope: str) -> bool:
        """Tell whether anything known is in a scope, in its one spelling."""
        kind, _, name = scope.partition(":")
        return scope == SCOPE_ALL or name in self._names(kind)

    def _names(self, kind: str) -> set[str]:
        book = self._book
        if kind == "platform":
            return {str(each) for each in Platform}
        if kind == "pool":
            listings = (each.listing for each in book.markets.values())
            return {*book.pools, *(each.pool or each.platform for each in listings)}
        if kind == "market":
            return {*book.markets, *(name.partition("|")[2] for name in book.names)}
        if kind == "sport":
            return {UNCLASSIFIED, *(each.sport for each in book.markets.values())}
        if kind == "game":
            return {*book.games, *(each.game_id for each in book.markets.values())}
        if kind == "strategy":
            open_ones = {each.strategy for each in book.orders.values()}
            cycling = {each.strategy for each in book.cycles.values()}
            bound = {each.strategy for each in book.keys.values() if each.strategy is not None}
            return self._strategies | open_ones | cycling | bound
        versions = {each.model_version for each in book.orders.values()}
        return {*self._versions, *(each for each in versions if each is not None)}
