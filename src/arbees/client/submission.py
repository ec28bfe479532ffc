"""Submit, as a conversation: one key, at most one order, whatever breaks on the way.

Guarantees that a request whose answer was lost is asked again under the same key and request id,
never under new ones, and that the answer to that, a duplicate of ourselves, is shown as what became
of the first. Where the caller said how long its signal is good, a request that was denied for the
venue's state or a rate comes again as the next attempt when the denial says that it lifts, with the
signal's own time: what is too old by then is denied. Any other denial is the answer. It fails with
`GatewayRefused`, `GatewayBusy` or `GatewayUnreachable`; after the last two the same key may be
asked again, also by another process.
"""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from arbees.client.calls import BUSY, Calls, Trial, is_answer, refusal
from arbees.client.request import Request, encode, moment
from arbees.client.results import Result, read
from arbees.client.steps import Broken, Call, Heard, Pause, Steps, ask

WAIT_SECONDS_MAX = 60.0
LIFTING = frozenset(
    {
        *("RATE_LIMIT_MINUTE", "RATE_LIMIT_HOUR"),
        *("VENUE_UNAVAILABLE", "VENUE_PAUSED", "VENUE_HEARTBEAT_LATE", "VENUE_BLIND"),
        "CLOCK_SKEW",
    }
)
"""Codes of a venue's state and of rates: what lifts without anybody's judgement."""
MARGIN_SECONDS = 0.01
"""`until` is told in milliseconds, rounded down."""


class Submission:
    """One request, through all its attempts."""

    def __init__(self, calls: Calls, request: Request, wait_seconds: float) -> None:
        """
        Prepare.

        Args:
            calls: of the client.
            request: what is asked for.
            wait_seconds: how long the gateway may wait for a final result; 0 to 60.
        """
        self._calls = calls
        self._settings = calls.settings
        self._wait_seconds = wait_seconds
        now = self._now()
        self._request = replace(
            request,
            request_id=request.request_id or self._settings.new_id(),
            created_at=request.created_at or now,
        )
        self._deadline = self._last_moment(now)

    def steps(self) -> Steps[Result]:
        """Ask until there is an answer that stays one."""
        lifted = 0
        while True:
            result = yield from self._attempt()
            until = lifts_at(result)
            if until is None:
                return result
            lifted += 1
            margin = MARGIN_SECONDS + self._settings.pace.draw() * MARGIN_SECONDS * lifted
            again = max(until, self._now()) + timedelta(seconds=margin)
            if self._deadline is None or again > self._deadline:
                return result
            yield Pause((again - self._now()).total_seconds())
            self._request = replace(
                self._request,
                request_id=self._settings.new_id(),
                attempt=self._request.attempt + 1,
            )

    def _attempt(self) -> Steps[Result]:
        """Ask once, and as often more as no answer comes, always the same."""
        trial = Trial(self._settings)
        wait = f"{self._wait_seconds:.6f}".rstrip("0").rstrip(".")
        call = Call(
            "POST",
            f"/v1/executions?wait={wait}",
            encode(self._request),
            self._wait_seconds + self._settings.answer_seconds,
        )
        while True:
            outcome = yield from ask(call)
            if isinstance(outcome, Heard) and outcome.is_ok:
                try:
                    result = read(outcome.body, Result)
                except ValueError as error:
                    outcome = Broken(str(error), is_sent=True)
                else:
                    return (yield from self._unwrapped(result, trial))
            if isinstance(outcome, Heard) and outcome.status not in BUSY | {500}:
                raise refusal(outcome)
            yield Pause(trial.failed(outcome))

    def _unwrapped(self, result: Result, trial: Trial) -> Steps[Result]:
        """Return what became of the first sending, where this is the duplicate of it."""
        first = result.original
        if not (trial.is_doubtful and first is not None and result.code == "DUPLICATE_REQUEST"):
            return result
        if first.request_id != self._request.request_id:
            return result
        time_in_force = self._request.time_in_force
        if is_answer(first, time_in_force):
            return first
        return (
            yield from self._calls.until(
                first.request_id,
                self._wait_seconds,
                lambda result: is_answer(result, time_in_force),
            )
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._settings.now_ns() / 1e9, UTC)

    def _last_moment(self, now: datetime) -> datetime | None:
        """Return until when a denial that lifts is waited for; None = not at all."""
        expires = None if self._request.expires_at is None else moment(self._request.expires_at)
        if expires is not None:
            return expires
        if self._settings.max_age_seconds is None:
            return None
        assert self._request.created_at is not None
        created = moment(self._request.created_at) or now
        return created + timedelta(seconds=self._settings.max_age_seconds)


def lifts_at(result: Result) -> datetime | None:
    """
    Return when a denial lifts by itself.

    None where it is no denial, or where any of what denied it does not say so, or is for somebody
    to judge.
    """
    if not result.is_denied or not result.denials:
        return None
    latest: datetime | None = None
    for denial in result.denials:
        if denial.code not in LIFTING or denial.until is None:
            return None
        latest = denial.until if latest is None else max(latest, denial.until)
    return latest
