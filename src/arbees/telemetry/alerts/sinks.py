"""Where alerts go besides the log: a webhook, a command, whatever Apprise can reach, a heartbeat.

Guarantees that raising an alert waits for nobody: each sink, and each address of Apprise's is one,
has a queue of its own, bounded, of which the oldest is lost first. What fails is tried again with
growing pauses; what fails for good is written to the log in full, and is an alert of the others
(`ALERT_SINK_FAILED`), as is its end.
"""

import asyncio
import hashlib
import hmac
import importlib
import json
import shlex
import shutil
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import structlog

from arbees.core.language.strict_json import format_time
from arbees.errors import ConfigurationError
from arbees.telemetry.alerts.board import Alert, AlertName, Severity
from arbees.telemetry.alerts.outgoing import Outgoing, QuietHours
from arbees.telemetry.alerts.record import texts_of
from arbees.telemetry.audit.line import SERVICE

TRIES = 4
PAUSE_SECONDS = 1.0
"""After the first failure; doubled after each further one."""
SEND_SECONDS = 10.0
BEAT_SECONDS = 60.0
RATE_SECONDS = 1.0
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


Deliver = Callable[[Alert], Awaitable[str]]
"""Hands an alert over, and says what came back. Raises Failed."""


class QueuedSink:
    """One sink: a bounded queue before something that may be slow or fail."""

    def __init__(
        self,
        name: str,
        deliver: Deliver,
        least: str,
        now_ns: Callable[[], int],
        quiet: QuietHours | None = None,
    ) -> None:
        """
        Queue for something that delivers.

        Args:
            name: of the sink, for people.
            deliver: hands an alert over.
            least: the least important severity that is sent.
            now_ns: returns the time.
            quiet: when only what is critical is sent; the rest is sent together behind it.
        """
        self.name = name
        self.deliver = deliver
        self._least = LEAST.index(least)
        self._now_ns = now_ns
        self._waiting = Outgoing(quiet)

    def send(self, alert: Alert) -> None:
        """Take an alert that is new, due for a reminder, or cleared."""
        is_own = alert.name is AlertName.ALERT_SINK_FAILED and alert.data.get("sink") == self.name
        if LEAST.index(alert.severity.value) >= self._least and not is_own:
            self._waiting.add(alert, self._now_ns())

    async def run(
        self,
        alert: Notice,
        alert_over: Callable[..., None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Deliver what waits, until cancelled."""
        while True:
            for each in self._waiting.take(self._now_ns()):
                await self._one(each, alert, alert_over, sleep)
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
                    await self.deliver(taken)
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

    async def __call__(self, alert: Alert) -> str:
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
                return f"it answered {answer.status}"
        except aiohttp.ClientError as error:
            raise Failed(type(error).__name__) from None


class AlertCommand:
    """Runs a command of the operator's for each alert, which gets it as JSON on its input."""

    def __init__(self, line: str, now_ns: Callable[[], int]) -> None:
        """
        Read a command line; no shell reads it.

        Raises:
            ConfigurationError: its quotes do not match, or there is no such program.
        """
        try:
            self._words = shlex.split(line)
        except ValueError:
            self._words = []
        if not self._words or shutil.which(self._words[0]) is None:
            raise ConfigurationError(
                "Expected a program that can be run, and its arguments",
                setting="ALERT_COMMAND",
                value=line,
                fix="Write it like /usr/local/bin/page --team trading; quotes as in a shell.",
            )
        self._now_ns = now_ns

    async def __call__(self, alert: Alert) -> str:
        """Run it for one alert. Raises Failed."""
        body = json.dumps(event_of(alert, self._now_ns())).encode()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            raise Failed(f"it cannot be run: {error.strerror}") from None
        try:
            await process.communicate(body)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise Failed(f"it ended with {process.returncode}")
        return "it ended with 0"


class Apprise:
    """Sends alerts to one address of Apprise's, in a thread: the library waits."""

    def __init__(self, address: Any) -> None:  # noqa: ANN401 - the library has no types
        """Hold an address as the library read it."""
        self._address = address

    async def __call__(self, alert: Alert) -> str:
        """Send one alert. Raises Failed."""
        title, text = text_of(alert)
        is_taken = await asyncio.to_thread(self._address.notify, body=text, title=title)
        if not is_taken:
            raise Failed("it did not take it")
        return "it took it"


def apprise_of(urls: str) -> list[tuple[str, Apprise]]:
    """
    Return what sends to each of the addresses of `ALERT_URLS`, with a name without its secrets.

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
    read = library.Apprise()
    if not read.add(urls) or not len(read):
        raise ConfigurationError(
            "Expected addresses as Apprise reads them",
            setting="ALERT_URLS",
            value="***",
            fix="Write them like ntfy://topic or mailto://user:password@host, blanks between.",
        )
    found = []
    for number, each in enumerate(read, 1):
        # The library waits 5.5 s between two to one address; storms are told together before it.
        each.request_rate_per_sec = min(each.request_rate_per_sec, RATE_SECONDS)
        address = library.Apprise()
        address.add(each)
        found.append((f"apprise {number} ({each.service_name})", Apprise(address)))
    return found


class Heartbeat:
    """Asks an address every minute while all is well: who watches it hears of a dead gateway."""

    name = "heartbeat"

    def __init__(self, url: str, is_well: Callable[[], bool]) -> None:
        """Beat at an address for as long as `is_well` says so."""
        self._url = url
        self._is_well = is_well

    async def run(
        self,
        alert: Notice,
        alert_over: Callable[..., None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Beat until cancelled; a beat that fails is an alert, and the next is soon."""
        while True:
            if self._is_well():
                try:
                    async with asyncio.timeout(SEND_SECONDS):
                        await self.beat()
                except (Failed, TimeoutError) as error:
                    why = str(error) or f"no answer within {SEND_SECONDS:g} s"
                    name, text = AlertName.ALERT_SINK_FAILED.value, f"The heartbeat failed: {why}"
                    alert(name, text, sink=self.name)
                    await sleep(BEAT_SECONDS / 4)
                    continue
                alert_over(AlertName.ALERT_SINK_FAILED.value, sink=self.name)
            await sleep(BEAT_SECONDS)

    async def beat(self) -> str:
        """Ask the address once. Raises Failed."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(self._url, allow_redirects=False) as answer,
            ):
                if answer.status >= 300:
                    raise Failed(f"it answered {answer.status}")
                return f"it answered {answer.status}"
        except aiohttp.ClientError as error:
            raise Failed(type(error).__name__) from None
