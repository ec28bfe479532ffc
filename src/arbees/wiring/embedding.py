"""`Gateway`: a gateway inside one's own process, asked as one asks a gateway over HTTP.

Guarantees that it is the very service (same wiring, same safeguards, same journal, same answers)
without a socket: calls go through the same endpoints, and the same conversations as the clients'.
Who runs it holds the account, so its calls need no API key. It fails as a start of the service
does, with `ConfigurationError`, `JournalCorrupt` or `LeaseLost`.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from arbees.api.http.access import ANYBODY, Access, Caller
from arbees.api.http.app import build_app
from arbees.api.http.context import Context
from arbees.client.asynchronous import AsyncClient
from arbees.client.following import LAST_EVENT_ID
from arbees.client.request import encode
from arbees.client.steps import Call, Heard, Outcome
from arbees.errors import ConfigurationError
from arbees.interface.views import Ahead, Follower, Undecided
from arbees.runtime.clock import SystemClock
from arbees.runtime.desk import JumpingClock
from arbees.runtime.signals import Ends
from arbees.settings import Settings, load, load_here
from arbees.settings.authority import require_assertions
from arbees.telemetry.alerts.board import Alert, Severity
from arbees.wiring.bootstrap import Files, running

HOST = "127.0.0.1"
HERE = "this process"
"""Who asks, in records."""

_log = logging.getLogger("arbees.alerts")


class Trusted(Access):
    """Lets everything in: who asks is who runs the gateway."""

    def admit(self, *_args: object, **_more: object) -> Caller:
        """Return nobody in particular."""
        return ANYBODY


class _Stream:
    """The events, without a connection."""

    def __init__(self, outcome: Outcome, pieces: AsyncIterator[bytes] | None = None) -> None:
        self.outcome = outcome
        self._pieces = pieces

    async def pieces(self) -> AsyncIterator[bytes]:
        if self._pieces is not None:
            async for piece in self._pieces:
                yield piece

    async def close(self) -> None:
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()


class InProcess:
    """Carries calls to the endpoints of a gateway in this process."""

    def __init__(self, context: Context) -> None:
        """Carry calls to the endpoints that share a context."""
        self._context = context
        self._app = build_app(context, HOST)

    async def ask(self, call: Call) -> Outcome:
        """Make one call."""
        said: list[dict[str, Any]] = []
        body = call.body or b""
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:  # noqa: ANN401 - whatever the application says
            said.append(message)

        await self._app(_scope(call), receive, send)
        start, *rest = said
        headers = {name.lower(): text.decode() for name, text in start["headers"]}
        answer = b"".join(message.get("body", b"") for message in rest)
        return Heard(start["status"], answer, headers.get(b"retry-after"))

    async def open(self, call: Call) -> _Stream:
        """Follow the events."""
        follower: Follower = self._context.follower
        pieces = follower.events(int(call.headers[LAST_EVENT_ID]))
        try:
            await anext(pieces)  # the greeting
        except Ahead as error:
            return _Stream(_problem(409, "AHEAD_OF_JOURNAL", str(error)))
        except Undecided as error:
            return _Stream(_problem(503, error.code, error.message))
        return _Stream(Heard(200, b""), pieces)

    async def close(self) -> None:
        """There is nothing to close."""


def _problem(status: int, code: str, detail: str) -> Heard:
    return Heard(status, encode({"code": code, "detail": detail}))


def _scope(call: Call) -> dict[str, Any]:
    path, _, query = call.path.partition("?")
    headers = [(b"host", HOST.encode())]
    if call.body is not None:
        headers.append((b"content-type", b"application/json"))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": (HERE, 0),
        "server": (HOST, 0),
    }


class LoggedAlerts:
    """Tells the program's own log of alerts."""

    def send(self, alert: Alert) -> None:
        """Log an alert at the level of its severity."""
        if alert.cleared_ns is not None:
            _log.info("%s is over", alert.name)
            return
        level = logging.ERROR if alert.severity is Severity.CRITICAL else logging.WARNING
        _log.log(level, "%s: %s", alert.name, alert.message)


class Gateway(AsyncClient):
    """
    A paper gateway in this process, asked as `AsyncClient` is.

    `async with Gateway(folder="var") as gateway: await gateway.submit(...)`. It opens nothing to
    others, neither a port nor handlers of signals; alerts go to the logger `arbees.alerts`.
    """

    def __init__(
        self,
        settings: Settings | Mapping[str, str] | None = None,
        *,
        folder: Path | str | None = None,
        clock: JumpingClock | None = None,
        patience_seconds: float = 30.0,
        max_age_seconds: float | None = None,
    ) -> None:
        """
        Prepare; nothing is opened yet.

        Args:
            settings: by name, as in the environment; None = the environment, `.env` and
                `arbees.toml`, as for `arbees run`.
            folder: where journal, paper book and audit log lie; None = where the settings say.
            clock: its time; None = the system's.
            patience_seconds: how long to try while nothing is decided.
            max_age_seconds: how old a signal may get while a denial that lifts is waited for;
                None = only `expires_at` lets it wait.

        Raises:
            ConfigurationError: the settings refuse, or ask for live trading.
        """
        require_assertions()
        self.settings = _settings_of(settings)
        if self.settings.mode == "live":
            raise ConfigurationError(
                "Expected paper trading inside a program",
                setting="PAPER_TRADING",
                value="0",
                fix="Run live trading as the service: `arbees run`.",
            )
        self._files = _files_of(self.settings, folder)
        self._clock: JumpingClock = SystemClock() if clock is None else clock
        self._context = Context(None, self._clock.now_ns, access=Trusted())
        self._ends = Ends()
        self._running = AsyncExitStack()
        super().__init__(
            f"http://{HOST}",
            "",
            patience_seconds=patience_seconds,
            max_age_seconds=max_age_seconds,
            transport=InProcess(self._context),
            now_ns=self._clock.now_ns,
            sleep=self._clock.sleep,
        )

    @property
    def failure(self) -> str | None:
        """Why it must end, as when the journal failed; None while all is well."""
        return self._ends.reason if self._ends.exit_code else None

    async def __aenter__(self) -> Self:
        """Start it: recover, reconcile, and only then decide."""
        assembly = await self._running.enter_async_context(
            running(
                self.settings,
                clock=self._clock,
                files=self._files,
                ends=self._ends,
                sinks=(LoggedAlerts(),),
                has_console=False,
            )
        )
        self._context.attach(assembly.gateway, assembly.follower)
        return self

    async def close(self) -> None:
        """Stop in order: cancel what rests, settle what is in flight, flush; idempotent."""
        await self._running.aclose()


def _settings_of(settings: Settings | Mapping[str, str] | None) -> Settings:
    if settings is None:
        return load_here()
    return settings if isinstance(settings, Settings) else load(settings)


def _files_of(settings: Settings, folder: Path | str | None) -> Files:
    if folder is None:
        return Files.of(settings)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    audit = place / "audit.jsonl" if settings.audit_log.is_enabled else None
    return Files(place / "journal.db", place / "paper.db", audit)
