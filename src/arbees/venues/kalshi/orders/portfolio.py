"""The account's own lists at Kalshi: orders, fills, positions, and what moved its money.

Guarantees that a list is all of it, the archive too where the asked time reaches back to it, merged
by id; that rows of other subaccounts are left out, since they are not ours to judge; and that a row
which cannot be read is kept as such and never spoils, or passes for, another one. Fails by
`VenueError`: then nothing is known of the list.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from arbees.core.language.units import NS_PER_SECOND, whole_seconds
from arbees.errors import VenueOutcomeUnknown, VenueRefused
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import (
    PAGES_MAX,
    KalshiApi,
    endless,
    paged,
)
from arbees.venues.kalshi.orders.answers import read_error

T = TypeVar("T")
Query = Mapping[str, str | int]

CUTOFF = "/historical/cutoff"
SHORT_PAGE_MAX = 500
"""Most rows of a page of deposits, withdrawals and transfers."""


class Rows(Generic[T]):
    """A list: the rows that could be read, and the others as they came."""

    def __init__(self) -> None:
        """Start empty."""
        self.read: list[T] = []
        self.unread: list[bytes] = []

    def hides(self, name: str) -> bool:
        """Tell whether an unreadable row may be of something that has this id."""
        return any(name.encode() in raw or not _is_named(raw) for raw in self.unread)


class Portfolio:
    """Reads of one subaccount."""

    def __init__(self, api: KalshiApi) -> None:
        """Read by an account's calls."""
        self._api = api

    async def orders(self, query: Query, since_ns: int = 0) -> Rows[shapes.KalshiOrderRow]:
        """
        Return orders in all states unless the query says otherwise, the archived ones too.

        Args:
            query: which ones.
            since_ns: those that were placed since, by Kalshi's clock; 0 = since ever.
        """
        since = _since(since_ns)
        found = await self._rows("orders", shapes.KalshiOrderRow, {**query, **since})
        if query.get("status") != "resting":
            cutoff_ns = await self._cutoff_ns("orders_updated_ts")
            if since_ns < cutoff_ns:
                named = {name: query[name] for name in ("ticker",) if name in query}
                older = await self._rows(
                    "orders", shapes.KalshiOrderRow, {**named, **since}, path="/historical/orders"
                )
                found.read = older.read + found.read
                found.unread += older.unread
        # Of one order the last word counts: lists move while they are read.
        found.read = list({each.order_id: each for each in found.read}.values())
        return found

    async def fills(self, query: Query, since_ns: int = 0) -> Rows[shapes.FillRow]:
        """Return fills, the archived ones too; as `orders`."""
        since = _since(since_ns)
        found = await self._rows("fills", shapes.FillRow, {**query, **since})
        if since_ns < await self._cutoff_ns("trades_created_ts"):
            named = {name: query[name] for name in ("ticker",) if name in query}
            older = await self._rows(
                "fills", shapes.FillRow, {**named, **since}, path="/historical/fills"
            )
            found.read = older.read + found.read
            found.unread += older.unread
        found.read = list({each.trade_id: each for each in found.read}.values())
        return found

    async def recent_fills(self, query: Query) -> Rows[shapes.FillRow]:
        """Return the fills that are not archived yet."""
        found = await self._rows("fills", shapes.FillRow, query)
        found.read = list({each.trade_id: each for each in found.read}.values())
        return found

    async def recent_orders(self, query: Query, since_ns: int = 0) -> Rows[shapes.KalshiOrderRow]:
        """Return the orders that are not archived yet."""
        found = await self._rows("orders", shapes.KalshiOrderRow, {**query, **_since(since_ns)})
        found.read = list({each.order_id: each for each in found.read}.values())
        return found

    async def positions(self, query: Query) -> Rows[shapes.PositionRow]:
        """Return positions."""
        found = await self._rows(
            "market_positions", shapes.PositionRow, query, path="/portfolio/positions"
        )
        found.read = list({each.ticker: each for each in found.read}.values())
        return found

    async def movements(
        self, path: str, name: str, shape: type[T], query: Query | None = None
    ) -> list[T]:
        """
        Return a list of what moved money.

        A row that cannot be read, and a list that we may not see, explain nothing.
        """
        try:
            rows = await self._rows(name, shape, query or {}, path=path, most=SHORT_PAGE_MAX)
        except VenueRefused:
            return []
        return rows.read

    async def _cutoff_ns(self, field: str) -> int:
        """Return before when things are in the archive alone; 0 = there is no archive."""
        answer = await self._api.call("GET", CUTOFF)
        if answer.status == 404:
            return 0
        if answer.status != 200:
            raise read_error(answer.status, answer.body)
        cutoff = shapes.read(answer.body, shapes.Cutoff)
        return shapes.moment(field, str(getattr(cutoff, field)))

    async def _rows(
        self,
        name: str,
        shape: type[T],
        query: Query,
        *,
        path: str | None = None,
        most: int | None = None,
    ) -> Rows[T]:
        """Return a list to its last page, row by row."""
        found = Rows[T]()
        cursor, at = "", path or f"/portfolio/{name}"
        for _ in range(PAGES_MAX):
            asked = paged(query, cursor)
            if most is not None:
                asked["limit"] = most
            page = await self._page(at, asked)
            for raw in _list_of(page, name):
                self._take(bytes(raw), shape, found)
            if not (cursor := _cursor_of(page)):
                return found
        raise endless(name)

    async def _page(self, path: str, query: Query) -> dict[str, msgspec.Raw]:
        answer = await self._api.call("GET", path, query)
        if answer.status == 404:
            raise VenueRefused(f"Kalshi has no {path}", venue_code="not_found")
        if answer.status != 200:
            raise read_error(answer.status, answer.body)
        return shapes.read(answer.body, dict[str, msgspec.Raw])

    def _take(self, raw: bytes, shape: type[T], found: Rows[T]) -> None:
        try:
            row = msgspec.json.decode(raw, type=shape)
        except (ValueError, RecursionError):  # bytes that are no UTF-8 are a ValueError too
            if self._is_here(raw):
                found.unread.append(raw)
            return
        if getattr(row, "subaccount_number", None) in {None, self._api.subaccount}:
            found.read.append(row)

    def _is_here(self, raw: bytes) -> bool:
        """Tell whether an unreadable row may be of our subaccount."""
        named = fields_of(raw).get("subaccount_number")
        return not isinstance(named, int) or named == self._api.subaccount


def _since(since_ns: int) -> dict[str, str | int]:
    return {"min_ts": whole_seconds(since_ns)} if since_ns >= NS_PER_SECOND else {}


def _list_of(page: Mapping[str, msgspec.Raw], name: str) -> list[msgspec.Raw]:
    """Return the rows of a page; what has no list is no answer, and never an empty one."""
    if name not in page:
        raise VenueOutcomeUnknown(f"Kalshi's answer has no {name}")
    return shapes.read(bytes(page[name]), list[msgspec.Raw])


def _cursor_of(page: Mapping[str, msgspec.Raw]) -> str:
    if "cursor" not in page or bytes(page["cursor"]) == b"null":
        return ""
    return shapes.read(bytes(page["cursor"]), str)


def fields_of(raw: bytes) -> dict[str, object]:
    """Return what of a row can be read at all."""
    try:
        found = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_named(raw: bytes) -> bool:
    """Tell whether a row says of itself that it has no id of a client's, or which one."""
    fields = fields_of(raw)
    if "client_order_id" not in fields:
        return False
    return fields["client_order_id"] is None or isinstance(fields["client_order_id"], str)
