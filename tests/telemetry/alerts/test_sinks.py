"""Alerts that leave the machine: each once, in order, and nobody waits for them."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from arbees.errors import ConfigurationError
from arbees.telemetry.alerts import sinks as sinks_module
from arbees.telemetry.alerts.board import Alert, AlertName
from arbees.telemetry.alerts.sinks import (
    SIGNATURE,
    AlertCommand,
    Failed,
    Heartbeat,
    QueuedSink,
    Webhook,
    apprise_of,
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
        alert_id=message,
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


class Ahead:
    """A clock that runs a second at each look: nothing waits for others of its kind."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS

    def __call__(self) -> int:
        self.now_ns += 1_000_000_000
        return self.now_ns


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
        hook = QueuedSink(
            "webhook", Webhook(receiver.url, "secret", lambda: NOW_NS), "warning", Ahead()
        )
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
        hook = QueuedSink(
            "webhook", Webhook(receiver.url, None, lambda: NOW_NS), "warning", Ahead()
        )
        async with running(hook, others):
            hook.send(alert())
            await until(lambda: len(receiver.got) == 3)
    assert not others.standing
    assert receiver.got[0][1] is None


async def test_what_fails_for_good_is_an_alert_of_the_others() -> None:
    """Until something arrives again; it never sends its own failure to itself."""
    others, is_well = Others(), False

    async def deliver(taken: Alert) -> str:
        assert taken.name is not AlertName.ALERT_SINK_FAILED
        if not is_well:
            raise Failed("refused")
        return "taken"

    hook = QueuedSink("webhook", deliver, "warning", Ahead())
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

    async def deliver(each: Alert) -> str:
        if each.message == "first":
            await asyncio.sleep(60)
        taken.append(each.message)
        return "taken"

    hook = QueuedSink("slow", deliver, "info", Ahead())
    async with running(hook, others):
        hook.send(alert(message="first"))
        hook.send(alert(message="second"))
        await until(lambda: taken == ["second"])


@pytest.mark.parametrize(("least", "count"), [("info", 3), ("warning", 2), ("critical", 1)])
async def test_what_is_less_important_stays(least: str, count: int) -> None:
    """`ALERT_MIN_PRIORITY` is the least that is sent."""
    taken: list[Alert] = []

    async def deliver(each: Alert) -> str:
        taken.append(each)
        return "taken"

    sink = QueuedSink("x", deliver, least, Ahead())
    async with running(sink, Others()):
        for name in (AlertName.DAILY_DIGEST, AlertName.RATE_LIMIT_HIT, AlertName.BALANCE_LOW):
            sink.send(alert(name))
        await until(lambda: len(taken) == count)
        await asyncio.sleep(0.02)
    assert len(taken) == count


async def test_apprise_reaches_an_address() -> None:
    """A JSON address of Apprise's gets title and text."""
    receiver = Receiver()
    async with receiver.serving():
        ((name, address),) = apprise_of(receiver.url.replace("http://", "json://"))
        assert await address(alert()) == "it took it"
    assert name == "apprise 1 (JSON)"
    found = json.loads(receiver.got[0][0])
    assert "KILL_SWITCH_ACTIVATED" in found["title"]
    assert "halted" in found["message"]


@pytest.mark.parametrize("urls", ["nonsense", "http:/", "unknown-service://x"])
def test_addresses_that_are_none_refuse_the_start(urls: str) -> None:
    """What cannot be sent to is said at the start, without showing what may be secret."""
    with pytest.raises(ConfigurationError, match="Apprise") as caught:
        apprise_of(urls)
    assert urls not in str(caught.value)


def test_words_for_a_phone() -> None:
    """What, the details, what to do; an end says that it is one."""
    title, text = text_of(alert())
    assert title == "KILL_SWITCH_ACTIVATED"
    assert text.splitlines()[0] == "halted"
    assert "docs/runbooks/kill-switch-activated.md" in text
    assert text_of(alert(cleared_ns=1))[0] == "over: KILL_SWITCH_ACTIVATED"


async def test_one_address_that_fails_is_not_the_others() -> None:
    """Each is a sink of its own: what one took is not sent there again for the other's sake."""
    receiver, others = Receiver(), Others()
    async with receiver.serving():
        well = receiver.url.replace("http://", "json://")
        (one, two) = apprise_of(f"json://127.0.0.1:9/ {well}")
        sinks = [QueuedSink(name, each, "info", Ahead()) for name, each in (one, two)]
        async with running(sinks[0], others), running(sinks[1], others):
            for each in sinks:
                each.send(alert())
            await until(lambda: others.standing)
    assert set(others.standing) == {"apprise 1 (JSON)"}
    assert len(receiver.got) == 1


async def test_a_command_gets_each_alert(tmp_path: Path) -> None:
    """As JSON on its input; one that fails, or is none, says so."""
    place = tmp_path / "got it"
    answer = await AlertCommand(f"tee '{place}'", lambda: NOW_NS)(alert())
    assert answer == "it ended with 0"
    assert json.loads(place.read_text())["event_type"] == "KILL_SWITCH_ACTIVATED"
    with pytest.raises(Failed, match="ended with 1"):
        await AlertCommand("false", lambda: NOW_NS)(alert())
    for line in ("", "'", "no-such-program x"):
        with pytest.raises(ConfigurationError, match="ALERT_COMMAND"):
            AlertCommand(line, lambda: NOW_NS)


async def test_the_heartbeat_beats_while_all_is_well() -> None:
    """And not when it is not; one that is not taken is an alert, until one is."""
    others, is_well = Others(), False
    beats: list[int] = []
    answers = [500, 200]

    async def take(request: web.Request) -> web.Response:
        beats.append(1)
        return web.Response(status=answers.pop(0) if answers else 200)

    runner = web.AppRunner(app := web.Application())
    app.router.add_get("/beat", take)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    heart = Heartbeat(f"http://127.0.0.1:{port}/beat", lambda: is_well)
    task = asyncio.create_task(heart.run(others.alert, others.over, soon))
    try:
        await asyncio.sleep(0.1)
        assert not beats
        is_well = True
        await until(lambda: "heartbeat" in others.standing)
        await until(lambda: not others.standing)
        assert len(beats) == 2
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await runner.cleanup()
