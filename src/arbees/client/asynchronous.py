"""`AsyncClient`: the gateway from Python, on an event loop.

Guarantees what the conversations do (`calls`, `submission`, `following`); here they are only run.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, Self, TypeVar, Unpack, overload

from arbees.client.async_http import AsyncHttp
from arbees.client.blocking import request_of, settings_of
from arbees.client.calls import AcceptedQuotes, Calls, Filter
from arbees.client.following import Following
from arbees.client.place import find
from arbees.client.request import Request, RequestFields, Time
from arbees.client.results import Event, Execution, Items, Result
from arbees.client.steps import Call, Heard, Outcome, Pause, Steps
from arbees.client.submission import Submission
from arbees.interface.history import FillView, HistoryPage, PnlView
from arbees.interface.operator import (
    BalanceView,
    CancelReply,
    OrderView,
    PositionView,
)
from arbees.interface.views import KillReply, Receipt, StatusView

T = TypeVar("T")


class Stream(Protocol):
    """An answer that goes on."""

    outcome: Outcome

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield what comes, until it ends or breaks."""
        ...

    async def close(self) -> None:
        """Drop it; idempotent."""
        ...


class AsyncTransport(Protocol):
    """What carries a call."""

    async def ask(self, call: Call) -> Outcome:
        """Make one call."""
        ...

    async def open(self, call: Call) -> Stream:
        """Make a call whose answer goes on."""
        ...

    async def close(self) -> None:
        """Close the connections; idempotent."""
        ...


class AsyncClient:
    """A gateway over HTTP, for programs with an event loop; used on one loop."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        answer_seconds: float = 10.0,
        patience_seconds: float = 30.0,
        max_age_seconds: float | None = None,
        transport: AsyncTransport | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Prepare; nothing is connected yet.

        Args:
            url: of the gateway; None = `ARBEES_URL`, else http://127.0.0.1:8321.
            api_key: None = `ARBEES_API_KEY`.
            answer_seconds: how long to wait for an answer, besides what a call waits itself.
            patience_seconds: how long to try while the gateway is not there or decides nothing.
            max_age_seconds: how old a signal may get while a denial that lifts is waited for;
                None = only `expires_at` lets it wait.
            transport: what carries the calls; None = HTTP.
            now_ns: UTC nanoseconds.
            sleep: pauses, in seconds.

        Raises:
            ConfigurationError: the address cannot be read.
        """
        self._transport = AsyncHttp(find(url, api_key)) if transport is None else transport
        self._sleep = sleep
        self._settings = settings_of(
            answer_seconds=answer_seconds,
            patience_seconds=patience_seconds,
            max_age_seconds=max_age_seconds,
            now_ns=now_ns,
        )
        self._calls = Calls(self._settings)

    @overload
    async def submit(self, request: Request, /, *, wait_seconds: float = 10.0) -> Result: ...

    @overload
    async def submit(
        self,
        request: None = None,
        /,
        *,
        wait_seconds: float = 10.0,
        **fields: Unpack[RequestFields],
    ) -> Result: ...

    async def submit(
        self,
        request: Request | None = None,
        /,
        *,
        wait_seconds: float = 10.0,
        **fields: Any,
    ) -> Result:
        """
        Ask for an execution; what was decided is the answer, a denial too.

        An answer that was lost is asked for again under the same key. A denial for the venue's
        state or a rate that says when it lifts is waited for, until the signal's `expires_at`.

        Args:
            request: what is asked for; or give its fields by keyword.
            wait_seconds: how long the gateway may wait for a final result; 0 to 60.
            **fields: of the request, see `Request`; `idempotency_key` is yours to choose.

        Raises:
            GatewayRefused: it cannot be read, or this key may not; nothing was decided.
            GatewayBusy, GatewayUnreachable: no answer for as long as was waited. Ask again with
                the same key.
        """
        submission = Submission(self._calls, request_of(request, fields), wait_seconds)
        return await self._run(submission.steps())

    async def wait(self, request_id: str, seconds: float = 60.0) -> Result:
        """Return a result once it is final, or as known when the time is over."""
        return await self._run(self._calls.wait(request_id, seconds))

    async def execution(
        self, request_id: str | None = None, *, idempotency_key: str | None = None
    ) -> Execution:
        """Return a result as known now, with its records; GatewayRefused where there is none."""
        return await self._run(self._calls.execution(request_id, idempotency_key))

    async def cancel(
        self, order_id: str, *, reason: str | None = None, platform: str | None = None
    ) -> CancelReply:
        """
        Ask for an order to be cancelled.

        Args:
            order_id: ours, or the venue's.
            reason: journaled.
            platform: whose id it is, where two venues use the same.
        """
        return await self._run(self._calls.cancel(order_id, reason, platform))

    async def cancel_all(self, scope: str = "all", *, reason: str | None = None) -> Receipt:
        """Ask for all orders of a scope to be cancelled; `receipt` tells what became of it."""
        return await self._run(self._calls.cancel_all(scope, reason))

    async def orders(self) -> Items[OrderView]:
        """Return the open orders."""
        return await self._run(self._calls.orders())

    async def positions(self) -> Items[PositionView]:
        """Return what is held."""
        return await self._run(self._calls.positions())

    async def executions(self, **filters: Filter) -> HistoryPage[Result]:
        """
        Return what was decided, the newest first.

        Args:
            filters: `since`, `until`, `strategy`, `market`, `status`, `cursor`, `limit`; see
                docs/how-to/see-what-was-executed.md.
        """
        return await self._run(self._calls.executions(**filters))

    async def fills(self, **filters: Filter) -> HistoryPage[FillView]:
        """Return executions of orders, the newest first; filters as those of `executions`."""
        return await self._run(self._calls.fills(**filters))

    async def pnl(self, by: str = "strategy", since: Time | None = None) -> PnlView:
        """Return profit and loss by strategy, market, game, sport, model_version or day."""
        return await self._run(self._calls.pnl(by, since))

    async def balances(self) -> Items[BalanceView]:
        """Return the money of each venue."""
        return await self._run(self._calls.balances())

    async def status(self) -> StatusView:
        """Return the state of everything."""
        return await self._run(self._calls.status())

    async def kill(self, reason: str, scope: str = "all", *, reduce: bool = False) -> KillReply:
        """Halt trading in a scope; with `reduce` orders that only reduce pass."""
        return await self._run(self._calls.kill(reason, scope, reduce=reduce))

    async def resume(
        self, reason: str, scope: str = "all", *, acknowledge: bool = False
    ) -> KillReply:
        """Lift halts; `acknowledge` also those that the gateway raised by itself."""
        return await self._run(self._calls.resume(reason, scope, acknowledge=acknowledge))

    async def kill_status(self) -> KillReply:
        """Return the halts in force."""
        return await self._run(self._calls.kill_status())

    async def receipt(self, receipt_id: str) -> Receipt:
        """Return what a halt or a mass cancel did so far."""
        return await self._run(self._calls.receipt(receipt_id))

    async def feed(self, quotes: object) -> AcceptedQuotes:
        """Feed a quote, or a list of them, to the paper exchange."""
        return await self._run(self._calls.feed(quotes))

    async def events(self, after: int | None = None) -> AsyncIterator[Event]:
        """
        Yield the records of the journal, each once and in order, over any number of connections.

        Goes on until it is closed; a gateway that is not there is waited for.

        Args:
            after: begin after this record; 0 = with the first; None = with what happens from now.

        Raises:
            GatewayRefused: the journal has no such record, or this key may not.
        """
        following = Following((await self.status()).journal.sequence if after is None else after)
        while True:
            stream = await self._transport.open(following.call())
            try:
                outcome = stream.outcome
                if isinstance(outcome, Heard) and outcome.is_ok:
                    async for piece in stream.pieces():
                        for event in following.feed(piece):
                            yield event
                pause = following.pause(outcome, self._settings.pace)
            finally:
                await stream.close()
            await self._sleep(pause)

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def _run(self, steps: Steps[T]) -> T:
        """Carry a conversation out."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    step = steps.send(None)
                else:
                    step = steps.send(await self._transport.ask(step))
        except StopIteration as end:
            found: T = end.value
            return found
