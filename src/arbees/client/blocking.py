"""`Client`: the gateway from Python, blocking.

Guarantees what the conversations do (`calls`, `submission`, `following`); here they are only run.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, Self, TypeVar, Unpack, overload

from arbees.client.blocking_http import BlockingHttp
from arbees.client.calls import AcceptedQuotes, Calls, ClientOptions, Filter
from arbees.client.following import Following
from arbees.client.pace import Pace
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

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes, until it ends or breaks."""
        ...

    def close(self) -> None:
        """Drop it; idempotent."""
        ...


class Transport(Protocol):
    """What carries a call."""

    def ask(self, call: Call) -> Outcome:
        """Make one call."""
        ...

    def open(self, call: Call) -> Stream:
        """Make a call whose answer goes on."""
        ...

    def close(self) -> None:
        """Close the connections; idempotent."""
        ...


def request_of(request: Request | None, fields: Mapping[str, Any]) -> Request:
    """Return a request, given whole or field by field. Raises TypeError for both, or neither."""
    if request is None:
        return Request(**fields)
    if fields:
        msg = f"Expected either a Request or its fields, were both: {', '.join(fields)}"
        raise TypeError(msg)
    return request


def settings_of(
    *,
    answer_seconds: float,
    patience_seconds: float,
    max_age_seconds: float | None,
    now_ns: Callable[[], int],
    draw: Callable[[], float] = random.random,
) -> ClientOptions:
    """Return what a client goes by."""
    return ClientOptions(
        now_ns=now_ns,
        new_id=lambda: f"req-{uuid.uuid4().hex}",
        pace=Pace(draw),
        answer_seconds=answer_seconds,
        patience_seconds=patience_seconds,
        max_age_seconds=max_age_seconds,
    )


class Client:
    """A gateway over HTTP, for programs without an event loop; may be shared by threads."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        answer_seconds: float = 10.0,
        patience_seconds: float = 30.0,
        max_age_seconds: float | None = None,
        transport: Transport | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], object] = time.sleep,
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
        self._transport = BlockingHttp(find(url, api_key)) if transport is None else transport
        self._sleep = sleep
        self._settings = settings_of(
            answer_seconds=answer_seconds,
            patience_seconds=patience_seconds,
            max_age_seconds=max_age_seconds,
            now_ns=now_ns,
        )
        self._calls = Calls(self._settings)

    @overload
    def submit(self, request: Request, /, *, wait_seconds: float = 10.0) -> Result: ...

    @overload
    def submit(
        self,
        request: None = None,
        /,
        *,
        wait_seconds: float = 10.0,
        **fields: Unpack[RequestFields],
    ) -> Result: ...

    def submit(
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
        return self._run(submission.steps())

    def wait(self, request_id: str, seconds: float = 60.0) -> Result:
        """Return a result once it is final, or as known when the time is over."""
        return self._run(self._calls.wait(request_id, seconds))

    def execution(
        self, request_id: str | None = None, *, idempotency_key: str | None = None
    ) -> Execution:
        """Return a result as known now, with its records; GatewayRefused where there is none."""
        return self._run(self._calls.execution(request_id, idempotency_key))

    def cancel(
        self, order_id: str, *, reason: str | None = None, platform: str | None = None
    ) -> CancelReply:
        """
        Ask for an order to be cancelled.

        Args:
            order_id: ours, or the venue's.
            reason: journaled.
            platform: whose id it is, where two venues use the same.
        """
        return self._run(self._calls.cancel(order_id, reason, platform))

    def cancel_all(self, scope: str = "all", *, reason: str | None = None) -> Receipt:
        """Ask for all orders of a scope to be cancelled; `receipt` tells what became of it."""
        return self._run(self._calls.cancel_all(scope, reason))

    def orders(self) -> Items[OrderView]:
        """Return the open orders."""
        return self._run(self._calls.orders())

    def positions(self) -> Items[PositionView]:
        """Return what is held."""
        return self._run(self._calls.positions())

    def executions(self, **filters: Filter) -> HistoryPage[Result]:
        """
        Return what was decided, the newest first.

        Args:
            filters: `since`, `until`, `strategy`, `market`, `status`, `cursor`, `limit`; see
                docs/how-to/see-what-was-executed.md.
        """
        return self._run(self._calls.executions(**filters))

    def fills(self, **filters: Filter) -> HistoryPage[FillView]:
        """Return executions of orders, the newest first; filters as those of `executions`."""
        return self._run(self._calls.fills(**filters))

    def pnl(self, by: str = "strategy", since: Time | None = None) -> PnlView:
        """Return profit and loss by strategy, market, game, sport, model_version or day."""
        return self._run(self._calls.pnl(by, since))

    def balances(self) -> Items[BalanceView]:
        """Return the money of each venue."""
        return self._run(self._calls.balances())

    def status(self) -> StatusView:
        """Return the state of everything."""
        return self._run(self._calls.status())

    def kill(self, reason: str, scope: str = "all", *, reduce: bool = False) -> KillReply:
        """Halt trading in a scope; with `reduce` orders that only reduce pass."""
        return self._run(self._calls.kill(reason, scope, reduce=reduce))

    def resume(self, reason: str, scope: str = "all", *, acknowledge: bool = False) -> KillReply:
        """Lift halts; `acknowledge` also those that the gateway raised by itself."""
        return self._run(self._calls.resume(reason, scope, acknowledge=acknowledge))

    def kill_status(self) -> KillReply:
        """Return the halts in force."""
        return self._run(self._calls.kill_status())

    def receipt(self, receipt_id: str) -> Receipt:
        """Return what a halt or a mass cancel did so far."""
        return self._run(self._calls.receipt(receipt_id))

    def feed(self, quotes: object) -> AcceptedQuotes:
        """Feed a quote, or a list of them, to the paper exchange."""
        return self._run(self._calls.feed(quotes))

    def events(self, after: int | None = None) -> Iterator[Event]:
        """
        Yield the records of the journal, each once and in order, over any number of connections.

        Goes on until it is closed; a gateway that is not there is waited for.

        Args:
            after: begin after this record; 0 = with the first; None = with what happens from now.

        Raises:
            GatewayRefused: the journal has no such record, or this key may not.
        """
        following = Following(self.status().journal.sequence if after is None else after)
        while True:
            stream = self._transport.open(following.call())
            try:
                outcome = stream.outcome
                if isinstance(outcome, Heard) and outcome.is_ok:
                    for piece in stream.pieces():
                        yield from following.feed(piece)
                pause = following.pause(outcome, self._settings.pace)
            finally:
                stream.close()
            self._sleep(pause)

    def close(self) -> None:
        """Close the connections; idempotent."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _run(self, steps: Steps[T]) -> T:
        """Carry a conversation out."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    step = steps.send(None)
                else:
                    step = steps.send(self._transport.ask(step))
        except StopIteration as end:
            found: T = end.value
            return found
