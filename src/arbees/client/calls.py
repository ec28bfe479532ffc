"""Every call but submit, as a conversation: what is asked, what is asked again, what is raised.

Guarantees that a call is repeated only where that is safe: where it provably never arrived, where
the gateway said that it decided nothing, or where doing it twice is the same as once. It fails with
the errors of `arbees.errors.GatewayError`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from arbees.client.pace import Pace
from arbees.client.request import Time, encode
from arbees.client.results import Execution, Items, Problem, Result, read
from arbees.client.steps import Broken, Call, Heard, Outcome, Pause, Steps, ask
from arbees.core.language.words import ResultStatus
from arbees.errors import AccessRefused, GatewayBusy, GatewayRefused, GatewayUnreachable
from arbees.interface.history import FillView, HistoryPage, PnlView
from arbees.interface.operator import (
    BalanceView,
    CancelReply,
    OrderView,
    PositionView,
)
from arbees.interface.views import KillReply, Receipt, StatusView

T = TypeVar("T")
Filter = Time | int | None
"""What the history may be asked by."""

BUSY = frozenset({408, 429, 502, 503, 504})
"""Nothing is decided now; whether anything was before, the code says."""
DOUBTFUL = frozenset({"JOURNAL_FAILED", "SHUTTING_DOWN", "INTERNAL"})
"""Codes after which the call may have been decided."""
POLL_SECONDS_MAX = 1.0


class AcceptedQuotes(msgspec.Struct, frozen=True):
    """How many quotes were taken."""

    accepted: int


class ClientOptions(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a client goes by.

    Attributes:
        now_ns: UTC nanoseconds.
        new_id: makes a request id.
        pace: of coming again.
        answer_seconds: how long to wait for an answer, besides what the call itself waits.
        patience_seconds: how long to try while nothing is decided.
        max_age_seconds: how old a signal may get while a denial that lifts is waited for; None =
            only `expires_at` lets it wait.
    """

    now_ns: Callable[[], int]
    new_id: Callable[[], str]
    pace: Pace
    answer_seconds: float = 10.0
    patience_seconds: float = 30.0
    max_age_seconds: float | None = None


class Trial:
    """The tries of one call: counts failures, and says when it has been enough."""

    def __init__(self, settings: ClientOptions) -> None:
        """Begin now."""
        self._settings = settings
        self._end_ns = settings.now_ns() + round(settings.patience_seconds * 1e9)
        self._failures = 0
        self.is_doubtful = False
        """Whether a try may have been decided."""

    def failed(self, outcome: Outcome) -> float:
        """
        Return how long to pause after a failure.

        Raises:
            GatewayUnreachable, GatewayBusy: it has been enough.
        """
        self._failures += 1
        asked = None
        if isinstance(outcome, Broken):
            self.is_doubtful |= outcome.is_sent
        else:
            asked = outcome.retry_after
            self.is_doubtful |= _is_doubtful(outcome)
        pause = self._settings.pace.pause(self._failures, asked)
        if self._settings.now_ns() + round(pause * 1e9) > self._end_ns:
            raise self._enough(outcome)
        return pause

    def _enough(self, outcome: Outcome) -> Exception:
        if isinstance(outcome, Broken):
            return GatewayUnreachable(outcome.why, is_sent=self.is_doubtful)
        problem = problem_of(outcome)
        return GatewayBusy(
            f"{problem.code or outcome.status}: {problem.detail or 'nothing is decided now'}",
            code=problem.code,
            is_doubtful=self.is_doubtful,
        )


def _is_doubtful(heard: Heard) -> bool:
    """Tell whether what was asked may have been decided all the same."""
    return heard.status in {500, 502, 504} or problem_of(heard).code in DOUBTFUL


def problem_of(heard: Heard) -> Problem:
    """Return the problem that an answer is; an empty one where it cannot be read."""
    try:
        return read(heard.body, Problem)
    except ValueError:
        return Problem()


def refusal(heard: Heard) -> GatewayRefused:
    """Return the error that a refusal is."""
    problem = problem_of(heard)
    kind = AccessRefused if heard.status in {401, 403} else GatewayRefused
    return kind(
        problem.detail or f"the gateway answered {heard.status}",
        status=heard.status,
        code=problem.code or f"HTTP_{heard.status}",
        field=problem.field,
    )


def ok(
    settings: ClientOptions, call: Call, kind: type[T], *, is_repeatable: bool = True
) -> Steps[T]:
    """
    Make a call until it is answered.

    Args:
        settings: of the client.
        call: what is asked.
        kind: of the answer.
        is_repeatable: whether doing it twice is as good as once.

    Raises:
        GatewayRefused, GatewayBusy, GatewayUnreachable: see there.
    """
    trial = Trial(settings)
    while True:
        outcome = yield from ask(call)
        if isinstance(outcome, Heard) and outcome.is_ok:
            try:
                return read(outcome.body, kind)
            except ValueError as error:
                outcome = Broken(str(error), is_sent=True)
        if isinstance(outcome, Heard) and outcome.status not in BUSY | {500}:
            raise refusal(outcome)
        pause = trial.failed(outcome)
        if trial.is_doubtful and not is_repeatable:
            why = outcome.why if isinstance(outcome, Broken) else str(refusal(outcome))
            raise GatewayUnreachable(why, is_sent=True)
        yield Pause(pause)


# The calls -------------------------------------------------------------------------------------


class Calls:
    """The calls of one client."""

    def __init__(self, settings: ClientOptions) -> None:
        """Go by settings."""
        self.settings = settings

    def _get(self, path: str, kind: type[T]) -> Steps[T]:
        return ok(self.settings, Call("GET", path, seconds=self.settings.answer_seconds), kind)

    def execution(self, request_id: str | None, idempotency_key: str | None) -> Steps[Execution]:
        """Return a result with its records, by request id or by key."""
        if (request_id is None) == (idempotency_key is None):
            msg = "Expected either request_id or idempotency_key"
            raise ValueError(msg)
        if request_id is not None:
            return self._get(f"/v1/executions/{quote(request_id, safe='')}", Execution)
        return self._get(f"/v1/executions{_query(idempotency_key=idempotency_key)}", Execution)

    def wait(self, request_id: str, seconds: float) -> Steps[Result]:
        """Ask for a result until it is final, or the time is over."""
        return self.until(request_id, seconds, lambda result: result.final)

    def until(
        self, request_id: str, seconds: float, is_enough: Callable[[Result], bool]
    ) -> Steps[Result]:
        """Ask for a result until it is enough, or the time is over."""
        settings = self.settings
        end_ns = settings.now_ns() + round(seconds * 1e9)
        asked = 0
        while True:
            result = yield from self.execution(request_id, None)
            asked += 1
            left = (end_ns - settings.now_ns()) / 1e9
            if is_enough(result) or left <= 0:
                return result
            pause = settings.pace.pause(asked)
            yield Pause(min(pause, POLL_SECONDS_MAX, left))

    def status(self) -> Steps[StatusView]:
        """Return the state of everything."""
        return self._get("/v1/status", StatusView)

    def orders(self) -> Steps[Items[OrderView]]:
        """Return the open orders."""
        return self._get("/v1/orders", Items[OrderView])

    def positions(self) -> Steps[Items[PositionView]]:
        """Return what is held."""
        return self._get("/v1/positions", Items[PositionView])

    def executions(self, **filters: Filter) -> Steps[HistoryPage[Result]]:
        """Return what was decided, the newest first."""
        return self._get(f"/v1/executions{_filters(filters)}", HistoryPage[Result])

    def fills(self, **filters: Filter) -> Steps[HistoryPage[FillView]]:
        """Return executions of orders, the newest first."""
        return self._get(f"/v1/fills{_filters(filters)}", HistoryPage[FillView])

    def pnl(self, by: str, since: Time | None) -> Steps[PnlView]:
        """Return profit and loss by anything."""
        return self._get(f"/v1/pnl{_filters({'by': by, 'since': since})}", PnlView)

    def balances(self) -> Steps[Items[BalanceView]]:
        """Return the money of each venue."""
        return self._get("/v1/balances", Items[BalanceView])

    def cancel(self, order_id: str, reason: str | None, platform: str | None) -> Steps[CancelReply]:
        """Cancel an order; asking twice is as good as once."""
        query = _query(reason=reason, platform=platform)
        path = f"/v1/orders/{quote(order_id, safe='')}{query}"
        return self._send("DELETE", path, None, CancelReply)

    def cancel_all(self, scope: str, reason: str | None) -> Steps[Receipt]:
        """Cancel all orders of a scope; asking twice is as good as once."""
        path = f"/v1/orders{_query(scope=scope, reason=reason)}"
        return self._send("DELETE", path, None, Receipt)

    def kill(self, reason: str, scope: str, *, reduce: bool) -> Steps[KillReply]:
        """Halt, or let only reducing orders pass; asking twice is as good as once."""
        action = "REDUCE" if reduce else "ENABLE"
        return self._switch({"action": action, "reason": reason, "scope": scope})

    def resume(self, reason: str, scope: str, *, acknowledge: bool) -> Steps[KillReply]:
        """Lift halts; never asked twice: another one may have been raised in between."""
        body = {"action": "DISABLE", "reason": reason, "scope": scope, "acknowledge": acknowledge}
        return self._switch(body, is_repeatable=False)

    def _switch(self, body: Mapping[str, Any], *, is_repeatable: bool = True) -> Steps[KillReply]:
        return self._send("POST", "/v1/kill-switch", body, KillReply, is_repeatable=is_repeatable)

    def kill_status(self) -> Steps[KillReply]:
        """Return the halts in force."""
        return self._get("/v1/kill-switch", KillReply)

    def receipt(self, receipt_id: str) -> Steps[Receipt]:
        """Return what a halt or mass cancel did so far."""
        return self._get(f"/v1/kill-switch/receipts/{quote(receipt_id, safe='')}", Receipt)

    def feed(self, quotes: object) -> Steps[AcceptedQuotes]:
        """Feed one quote or a list to the paper exchange; the newest one counts."""
        return self._send("POST", "/v1/quotes", quotes, AcceptedQuotes)

    def _send(
        self, method: str, path: str, body: object, kind: type[T], *, is_repeatable: bool = True
    ) -> Steps[T]:
        data = None if body is None else encode(body)
        call = Call(method, path, data, self.settings.answer_seconds)
        return ok(self.settings, call, kind, is_repeatable=is_repeatable)


def _filters(given: Mapping[str, Filter]) -> str:
    """Return the query of filters; moments in the form of the wire."""
    texts = {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in given.items()
        if value is not None
    }
    return _query(**texts)


def _query(**named: str | None) -> str:
    """Return what stands behind a path; what is None is left out."""
    given = {name: text for name, text in named.items() if text is not None}
    return f"?{urlencode(given)}" if given else ""


RESTING = frozenset({"GTC", "GTD"})


def is_answer(result: Result, time_in_force: str) -> bool:
    """Tell whether a result is what a submit waits for: final, unknown, or resting."""
    if result.final or result.status is ResultStatus.UNKNOWN:
        return True
    return result.order_id is not None and time_in_force.upper() in RESTING
