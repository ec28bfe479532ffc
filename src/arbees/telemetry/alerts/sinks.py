"""Where alerts go besides the log: a webhook, and whatever Apprise can reach.

Guarantees that raising an alert waits for nobody: each sink has a queue of its own, bounded, of
which the oldest is lost first. What fails is tried again with growing pauses; what fails for good
is written to the log in full, and is an alert of the others (`ALERT_SINK_FAILED`), as is its end.
"""

import asyncio
import hashlib
import hmac
import importlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import structlog

from arbees.core.language.strict_json import format_time
from arbees.errors import ConfigurationError
from arbees.telemetry.alerts.board import Alert, AlertName, Severity
from arbees.telemetry.alerts.record import texts_of
from arbees.telemetry.audit.line import SERVICE

WAITING_MAX = 500
TRIES = 4
PAUSE_SECONDS = 1.0
"""After the first failure; doubled after each further one."""
SEND_SECONDS = 10.0
SIGNATURE = "X-Arbees-Signature"
PRIORITIES = {Severity.CRITICAL: "CRITICAL", Severity.WARNING: "HIGH", Severity.INFO: "LOW"}
LEAST = ("info", "warning", "critical")
"""Values of `ALERT_MIN_PRIORITY`, the least important first."""
RUNBOOKS = "docs/runbooks"

_log = structlog.get_logger("arbees.alerts")


class Failed(Exception):  # noqa: N818 - counted and tried again
    """An alert was not taken, and why."""


class Notice(Protocol):
    """Raises or ends an alert of the others."""

    def __call__(self, name: str, message: str, **data: object) -> None:
        """Raise an alert."""
        ...


def event_of(alert: Alert, now_ns: int) -> dict[str, Any]:
    """Return an alert in the requirements' shape: type, priority, data and time."""
    return {
        "event_type": alert.name.value,
        "priority": PRIORITIES[alert.severity],
        "data": {
            "service": SERVICE,
            "alert": alert.name.value,
            "message": alert.message,
            "count": alert.count,
            "is_cleared": alert.cleared_ns is not None,
            **texts_of(alert),
        },
        "ts": format_time(now_ns),
    }


def text_of(alert: Alert) -> tuple[str, str]:
    """Return title and text for a phone: what, whether it stands, what to do."""
    over = "over: " if alert.cleared_ns is not None else ""
    lines = [alert.message]
    lines += [f"{name}: {value}" for name, value in texts_of(alert).items()]
    if alert.severity is Severity.CRITICAL and alert.cleared_ns is None:
        lines.append(f"What to do: {RUNBOOKS}/{alert.name.value.lower().replace('_', '-')}.md")
    return f"{over}{alert.name.value}", "\n".join(lines)


Deliver = Callable[[Alert], Awaitable[None]]
"""Hands an alert over. Raises Failed."""


class QueuedSink:
    """One sink: a bounded queue before something that may be slow or fail."""

    def __init__(self, name: str, deliver: Deliver, least: str) -> None:
        """
        Queue for something that delivers.

        Args:
            name: of the sink, for people.
            deliver: hands an alert over.
            least: the least important severity that is sent.
        """
        self.name = name
        self._deliver = deliver
        self._least = LEAST.index(least)
        self._waiting: deque[Alert] = deque(maxlen=WAITING_MAX)

    def send(self, alert: Alert) -> None:
        """Take an alert that is new, due for a reminder, or cleared."""
        is_own = alert.name is AlertName.ALERT_SINK_FAILED and alert.data.get("sink") == self.name
        if LEAST.index(alert.severity.value) >= self._least and not is_own:
            self._waiting.append(alert)

    async def run(
        self,
        alert: Notice,
        alert_over: Callable[..., None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Deliver what waits, until cancelled."""
        while True:
            while self._waiting:
                await self._one(self._waiting.popleft(), alert, alert_over, sleep)
            await sleep(0.1)

    async def _one(
        self,
        taken: Alert,
        alert: Notice,
        alert_over: Callable[..., None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        why = ""
        for number in range(TRIES):
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._deliver(taken)
            except (Failed, TimeoutError) as error:
                why = str(error) or f"no answer within {SEND_SECONDS:g} s"
                if number + 1 < TRIES:
                    await sleep(PAUSE_SECONDS * 2**number)
            else:
                alert_over(AlertName.ALERT_SINK_FAILED.value, sink=self.name)
                return
        _log.error("An alert did not arrive", sink=self.name, why=why, message=taken.message)
        text = f"{taken.name.value} was not delivered by {self.name}: {why}"
        alert(AlertName.ALERT_SINK_FAILED.value, text, sink=self.name)


class Webhook:
    """Posts alerts as JSON, signed where there is a secret."""

    def __init__(self, url: str, secret: str | None, now_ns: Callable[[], int]) -> None:
        """Post to an address; the signature is the HMAC-SHA256 of the body, in hex."""
        self._url = url
        self._secret = secret
        self._now_ns = now_ns

    async def __call__(self, alert: Alert) -> None:
        """Post one alert. Raises Failed."""
        body = json.dumps(event_of(alert, self._now_ns())).encode()
        headers = {"Content-Type": "application/json"}
        if self._secret is not None:
            signature = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={signature}"
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    self._url, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                if answer.status >= 300:
                    raise Failed(f"it answered {answer.status}")
        except aiohttp.ClientError as error:
            raise Failed(type(error).__name__) from None


class Apprise:
    """Sends alerts to the addresses of `ALERT_URLS`, in a thread: the library waits."""

    def __init__(self, urls: str) -> None:
        """
        Read the addresses.

        Raises:
            ConfigurationError: the library is not installed, or an address is none of its.
        """
        try:
            library: Any = importlib.import_module("apprise")
        except ImportError:
            raise ConfigurationError(
                "Expected the package apprise to be installed",
                setting="ALERT_URLS",
                value="***",
                fix="Install it: pip install 'arbees[alerts]'.",
            ) from None
        self._library = library.Apprise()
        if not self._library.add(urls) or not len(self._library):
            raise ConfigurationError(
                "Expected addresses as Apprise reads them",
                setting="ALERT_URLS",
                value="***",
                fix="Write them like ntfy://topic or mailto://user:password@host, blanks between.",
            )

    async def __call__(self, alert: Alert) -> None:
        """Send one alert to all addresses. Raises Failed."""
        title, text = text_of(alert)
        is_taken = await asyncio.to_thread(self._library.notify, body=text, title=title)
        if not is_taken:
            raise Failed("one of the addresses did not take it")
