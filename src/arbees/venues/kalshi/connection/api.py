"""Calls of Kalshi's REST API: signed, within the rate budget, each once.

Guarantees that reads either return what the venue said, whole and readable, or raise `VenueError`;
that the pages of a list are all of it or none; and that each answer's `Date` is compared with our
clock. Nothing here is ever sent again by itself.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeVar
from urllib.parse import quote, urlencode

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.ports import Clock
from arbees.errors import VenueOutcomeUnknown, VenueRateLimited, VenueRefused
from arbees.venues.http_client import HttpAnswer, Wire
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.budget import Budget
from arbees.venues.kalshi.connection.signing import Signed, Signer, VenueClock
from arbees.venues.kalshi.orders.answers import read_error

T = TypeVar("T")

PAGE_MAX = 1_000
PAGES_MAX = 1_000
"""A list of more pages than this is not one that we can vouch for."""
BUDGET_WAIT_SECONDS = 5.0
"""For a read or a cancel; an order has less patience, see the adapter."""
_JSON = {"content-type": "application/json", "accept": "application/json"}
_NO_BODY = {"accept": "application/json"}


_OF_SUBACCOUNTS = (
    "/portfolio/balance",
    "/portfolio/fills",
    "/portfolio/orders",
    "/portfolio/positions",
    "/portfolio/settlements",
    "/historical/fills",
    "/historical/orders",
)
"""Reads of one subaccount, by the query; bodies name it where they are made."""
_ORDERS = "/portfolio/events/orders"
_GROUPS = "/portfolio/order_groups"


def takes_subaccount(method: str, path: str) -> bool:
    """Tell whether a call takes the number of the subaccount in its query."""
    if method == "GET" and path in _OF_SUBACCOUNTS:
        return True
    if path == _GROUPS or (path.startswith(f"{_GROUPS}/") and path != f"{_GROUPS}/create"):
        return True
    is_cancel = method == "DELETE" and path.startswith(_ORDERS)
    return is_cancel and path != f"{_ORDERS}/batched"


class KalshiApi:
    """The REST side of one account."""

    def __init__(
        self,
        base_url: str,
        *,
        signer: Signer,
        venue_clock: VenueClock,
        clock: Clock,
        wire: Wire,
        urgent: Wire,
        subaccount: int = 0,
    ) -> None:
        """
        Hold what a call needs.

        Args:
            base_url: with the path `/trade-api/v2`.
            signer: signs; None of its keys is seen here.
            venue_clock: learns from each answer.
            clock: ours.
            wire: the connections for everything but creates.
            urgent: connections for what must not wait for others.
            subaccount: that all is about, named in every call that takes one: left out, Kalshi
                means all of them in some calls and the primary one in others.
        """
        self._root = shapes.root_of(base_url)
        self._signer = signer
        self._venue_clock = venue_clock
        self._clock = clock
        self._wire = wire
        self._urgent = urgent
        self.subaccount = subaccount
        self.budget = Budget(clock.now_ns())

    def path(self, path: str) -> str:
        """Return a path from the root, as it is signed."""
        return f"{self._root}{path}"

    def head(self, wire: Wire, path: str, signed: Signed, size: int) -> bytes:
        """Return the head of a create."""
        return wire.head("POST", self.path(path), _JSON | signed.headers(), size)

    def compare(self, sent_ns: int, answer: HttpAnswer) -> None:
        """Compare the clocks by an answer."""
        date = answer.headers.get("date")
        if date is not None:
            self._venue_clock.compare(sent_ns, self._clock.now_ns(), date)

    async def get(
        self,
        path: str,
        shape: type[T],
        query: Mapping[str, str | int] | None = None,
        *,
        priced_as: str | None = None,
        is_public: bool = False,
    ) -> T:
        """
        Read.

        Args:
            path: below the base.
            shape: of the answer.
            query: its parameters, which are not signed.
            priced_as: the path as the venue's list of costs has it.
            is_public: needs no signature; how the venue's clock is learnt first.

        Raises:
            VenueError: there is no answer, or none that can be read.
        """
        answer = await self.call("GET", path, query, priced_as=priced_as, is_public=is_public)
        if answer.status != 200:
            raise read_error(answer.status, answer.body)
        return shapes.read(answer.body, shape)

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        *,
        priced_as: str | None = None,
        is_public: bool = False,
        is_urgent: bool = False,
        items: int = 1,
    ) -> HttpAnswer:
        """
        Make one call that is no create, and return whatever came.

        Args:
            method: of HTTP.
            path: below the base.
            query: its parameters, which are not signed.
            body: JSON, which is not signed.
            priced_as: the path as the venue's list of costs has it.
            is_public: needs no signature.
            is_urgent: takes its tokens first, whoever else waits for some.
            items: how many orders it is about; each is paid for.

        Raises:
            VenueError: no answer came, or the budget is used up.
        """
        if is_urgent:
            # It takes its tokens before all who wait; sent too early it would only be refused.
            wait_ns = self.budget.urgent(method, priced_as or path, self._clock.now_ns())
            if wait_ns:
                await self._clock.sleep(wait_ns / NS_PER_SECOND)
        else:
            await self._pay(method, priced_as or path, items)
        headers = dict(_JSON if body else _NO_BODY)
        if not is_public:
            headers |= (await self._sign(method, path, is_urgent=is_urgent)).headers()
        if takes_subaccount(method, path):
            query = {**(query or {}), "subaccount": self.subaccount}
        target = self.path(path) + (f"?{urlencode(query)}" if query else "")
        wire = self._urgent if is_urgent else self._wire
        async with wire.connection() as connection:
            sent_ns = self._clock.now_ns()
            head = wire.head(method, target, headers, len(body))
            answer = await wire.wait(connection.write(head + body))
        self.compare(sent_ns, answer)
        if answer.status == 429:
            self.budget.exceeded(method, self._clock.now_ns())
        return answer

    async def _sign(self, method: str, path: str, *, is_urgent: bool) -> Signed:
        if is_urgent:
            return self._signer.sign(method, self.path(path))  # at once, whatever it costs the loop
        return await asyncio.to_thread(self._signer.sign, method, self.path(path))

    async def _pay(self, method: str, path: str, items: int) -> None:
        waited_ns = 0
        while (wait_ns := self.budget.call(method, path, self._clock.now_ns(), items)) > 0:
            waited_ns += wait_ns
            if waited_ns > BUDGET_WAIT_SECONDS * NS_PER_SECOND:
                raise VenueRateLimited("our own budget of calls is used up", retry_after_ns=wait_ns)
            await self._clock.sleep(wait_ns / NS_PER_SECOND)

    # Lists -------------------------------------------------------------------------------------

    async def markets(self, tickers: list[str]) -> list[shapes.MarketRow]:
        """
        Return markets by their tickers.

        Those that the venue does not know are left out, and so is one whose row cannot be read.
        """
        found: list[shapes.MarketRow] = []
        for first in range(0, len(tickers), 100):
            cursor, names = "", ",".join(tickers[first : first + 100])
            for _ in range(PAGES_MAX):
                page = await self.get("/markets", shapes.Markets, paged({"tickers": names}, cursor))
                found += shapes.readable(page.markets, shapes.MarketRow)
                if not (cursor := page.cursor):
                    break
            else:
                raise endless("markets")
        return found

    async def ended_markets(self, tickers: list[str]) -> list[shapes.MarketRow]:
        """Return markets by their tickers, those of the archive too."""
        found = await self.markets(tickers)
        for ticker in sorted(set(tickers) - {each.ticker for each in found}):
            path = f"/historical/markets/{quote(ticker, safe='')}"
            with suppress(VenueRefused):  # the archive does not know it either
                found.append((await self.get(path, shapes.OneMarket)).market)
        return found

    async def settlements(self, query: Mapping[str, str | int]) -> list[shapes.SettlementRow]:
        """Return what the account was paid for markets."""
        found: list[shapes.SettlementRow] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            page = await self.get(
                "/portfolio/settlements", shapes.Settlements, paged(query, cursor)
            )
            found += shapes.readable(page.settlements, shapes.SettlementRow)
            if not (cursor := page.cursor):
                return found
        raise endless("settlements")

    async def freshness(self) -> int:
        """Return as of when reads of orders, fills, positions and cash are, by Kalshi's clock."""
        mark = await self.get("/exchange/user_data_timestamp", shapes.UserDataTimestamp)
        return shapes.moment("as_of_time", mark.as_of_time)

    async def learn_limits(self) -> None:
        """Ask for the account's rates and the costs of calls. Raises VenueError."""
        self.budget.learn_costs(await self.get("/account/endpoint_costs", shapes.Costs))
        limits = await self.get("/account/limits", shapes.AccountLimits)
        self.budget.learn(limits, self._clock.now_ns())


def paged(query: Mapping[str, str | int], cursor: str) -> dict[str, str | int]:
    """Return the query of a page of a list."""
    paged: dict[str, str | int] = {**query, "limit": PAGE_MAX}
    return paged | {"cursor": cursor} if cursor else paged


def endless(what: str) -> VenueOutcomeUnknown:
    """Return why a list is none that we can vouch for."""
    return shapes.unreadable(f"Kalshi's list of {what} does not end after {PAGES_MAX} pages")
