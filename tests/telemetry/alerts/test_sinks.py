"""Alerts that leave the machine: each once, in order, and nobody waits for them."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web

from arbees.errors import ConfigurationError
from arbees.telemetry.alerts import sinks as sinks_module
from arbees.telemetry.alerts.board import Alert, AlertName
from arbees.telemetry.alerts.sinks import (
    SIGNATURE,
    WAITING_MAX,
    Apprise,
    Failed,
    QueuedSink,
    Webhook,
    text_of,
)

NOW_NS = 1_769_632_200_000_000_000


def alert(
    name: AlertName = AlertName.KILL_SWITCH_ACTIVATED,
    *,
    message: str = "halted",
    cleared_ns: int | None = None,
    **data: Any,
) -> Alert:
    """Return an alert."""
    return Alert(
        alert_id="a",
        name=name,
        severity=name.severity,
        message=message,
        since_ns=NOW_NS,
        last_ns=NOW_NS,
        cleared_ns=cleared_ns,
        data=data or {"scope": "all"},
    )


class Receiver:
    """A webhook of somebody's, on loopback."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str | None]] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        """Take one post."""
        self.got.append((await request.read(), request.headers.get(SIGNATURE)))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen for as long as the block lasts."""
        app = web.Application()
        app.router.add_post("/", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{port}/"
        try:
            yield
        finally:
            await runner.cleanup()


class Others:
    """The other sinks: what they hear of one that fails."""

    def __init__(self) -> None:
        self.standing: dict[str, str] = {}

    def alert(self, name: str, message: str, **data: object) -> None:
        """Hear of a failure."""
        self.standing[str(data["sink"])] = message

    def over(self, name: str, **data: object) -> None:
        """Hear of its end."""
        self.standing.pop(str(data["sink"]), None)


async def soon(seconds: float) -> None:
    """Wait, much shorter."""
    await asyncio.sleep(seconds / 100)


@asynccontextmanager
async def running(sink: QueuedSink, others: Others) -> AsyncIterator[None]:
    """Run a sink for as long as the block lasts."""
    task = asyncio.create_task(sink.run(others.alert, others.over, soon))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_webhook_gets_each_alert_and_its_end_signed() -> None:
    """In order, once, as the requirements' event, with the HMAC of the very bytes."""
    receiver, others = Receiver(), Others()
    async with receiver.serving():
        hook = QueuedSink("webhook", Webhook(receiver.url, "secret", lambda: NOW_NS), "warning")
        async with running(hook, others):
            hook.send(alert())
            hook.send(alert(cleared_ns=NOW_NS + 1))
            await until(lambda: len(receiver.got) == 2)
    events = [json.loads(body) for body, _ in receiver.got]
    assert [each["data"]["is_cleared"] for each in events] == [False, True]
    assert (events[0]["event_type"], events[0]["priority"]) == ("KILL_SWITCH_ACTIVATED", "CRITICAL")
    assert events[0]["data"]["service"] == "execution_service"
    for body, signature in receiver.got:
        digest = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
        assert signature == f"sha256={digest}"


async def test_what_fails_is_tried_again() -> None:
    """A server that was away for a moment gets the alert once it is back; nobody is alarmed."""
    receiver, others = Receiver(), Others()
    receiver.answers = [503, 500]
    async with receiver.serving():
        hook = QueuedSink("webhook", Webhook(receiver.url, None, lambda: NOW_NS), "warning")
        async with running(hook, others):
            hook.send(alert())
            await until(lambda: len(receiver.got) == 3)
    assert not others.standing
    assert receiver.got[0][1] is None


async def test_what_fails_for_good_is_an_alert_of_the_others() -> None:
    """Until something arrives again; it never sends its own failure to itself."""
    others, is_well = Others(), False

    async def deliver(taken: Alert) -> None:
        assert taken.name is not AlertName.ALERT_SINK_FAILED
        if not is_well:
            raise Failed("refused")

    hook = QueuedSink("webhook", deliver, "warning")
    async with running(hook, others):
        hook.send(alert())
        await until(lambda: "webhook" in others.standing)
        hook.send(alert(AlertName.ALERT_SINK_FAILED, sink="webhook"))
        is_well = True
        hook.send(alert(message="again"))
        await until(lambda: not others.standing)


async def test_a_sink_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that never comes is a failure, and the next alert goes out."""
    monkeypatch.setattr(sinks_module, "SEND_SECONDS", 0.01)
    monkeypatch.setattr(sinks_module, "TRIES", 1)
    others, taken = Others(), list[str]()

    async def deliver(each: Alert) -> None:
        if each.message == "first":
            await asyncio.sleep(60)
        taken.append(each.message)

    hook = QueuedSink("slow", deliver, "info")
    async with running(hook, others):
        hook.send(alert(message="first"))
        hook.send(alert(message="second"))
        await until(lambda: taken == ["second"])


@pytest.mark.parametrize(("least", "count"), [("info", 3), ("warning", 2), ("critical", 1)])
async def test_what_is_less_important_stays(least: str, count: int) -> None:
    """`ALERT_MIN_PRIORITY` is the least that is sent."""
    taken: list[Alert] = []

    async def deliver(each: Alert) -> None:
        taken.append(each)

    sink = QueuedSink("x", deliver, least)
    async with running(sink, Others()):
        for name in (AlertName.DAILY_DIGEST, AlertName.RATE_LIMIT_HIT, AlertName.BALANCE_LOW):
            sink.send(alert(name))
        await until(lambda: len(taken) == count)
        await asyncio.sleep(0.02)
    assert len(taken) == count


async def test_the_queue_is_bounded() -> None:
    """The newest are kept, and raising waits for nobody."""
    taken: list[str] = []

    async def deliver(each: Alert) -> None:
        taken.append(each.message)

    sink = QueuedSink("x", deliver, "info")
    for number in range(WAITING_MAX + 2):
        sink.send(alert(message=str(number)))
    async with running(sink, Others()):
        await until(lambda: len(taken) == WAITING_MAX)
    assert (taken[0], taken[-1]) == ("2", str(WAITING_MAX + 1))


async def test_apprise_reaches_an_address() -> None:
    """A JSON address of Apprise's gets title and text."""
    receiver = Receiver()
    async with receiver.serving():
        await Apprise(receiver.url.replace("http://", "json://"))(alert())
    found = json.loads(receiver.got[0][0])
    assert "KILL_SWITCH_ACTIVATED" in found["title"]
    assert "halted" in found["message"]


@pytest.mark.parametrize("urls", ["nonsense", "http:/", "unknown-service://x"])
def test_addresses_that_are_none_refuse_the_start(urls: str) -> None:
    """What cannot be sent to is said at the start, without showing what may be secret."""
    with pytest.raises(ConfigurationError, match="Apprise") as caught:
        Apprise(urls)
    assert urls not in str(caught.value)


def test_words_for_a_phone() -> None:
    """What, the details, what to do; an end says that it is one."""
    title, text = text_of(alert())
    assert title == "KILL_SWITCH_ACTIVATED"
    assert text.splitlines()[0] == "halted"
    assert "docs/runbooks/kill-switch-activated.md" in text
    assert text_of(alert(cleared_ns=1))[0] == "over: KILL_SWITCH_ACTIVATED"
