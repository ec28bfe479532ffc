"""Alerts of a real gateway arrive at a real webhook receiver and a real mail server, once."""

import email
import email.policy
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.acceptance.recorded import quote
from tests.acceptance.service import Service, free_port
from tests.acceptance.test_service import LOOSE, asked

SECONDS = 5.0
"""In which an alert must have arrived."""


class Mailbox:
    """A mail server that keeps what comes."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.texts: list[str] = []

    async def handle_DATA(  # noqa: N802 - its name
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        """Take one."""
        found = email.message_from_bytes(
            envelope.original_content or b"", policy=email.policy.default
        )
        body = found.get_body(("plain", "html"))
        self.texts.append("" if body is None else body.get_content())
        self.subjects.append(str(found["subject"]))
        return "250 taken"


class Hook:
    """A webhook receiver that keeps what is posted."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        events = self.events

        class Handler(BaseHTTPRequestHandler):
            """Keeps each post."""

            def do_POST(self) -> None:
                events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def told(self, name: str) -> list[bool]:
        """Return the posts of an alert: whether each is its end."""
        return [e["data"]["is_cleared"] for e in self.events if e["event_type"] == name]


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Return a mail server that listens."""
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Return a webhook receiver that listens."""
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


@pytest.fixture
def service(tmp_path: Path, hook: Hook, mailbox: tuple[Mailbox, int]) -> Iterator[Service]:
    """Return a gateway that tells both, and does not run yet."""
    address = f"mailto://127.0.0.1:{mailbox[1]}/?from=arbees@desk.test&to=ann@desk.test"
    made = Service(
        tmp_path,
        {
            **LOOSE,
            "ALERT_URLS": f"{address}&mode=insecure",
            "ALERT_WEBHOOK_URL": hook.url,
            "ALERT_MIN_PRIORITY": "info",
        },
    )
    try:
        yield made
    finally:
        made.close()


def until(is_so: Callable[[], object]) -> float:
    """Wait until something is so, and return how long that took; fail after five seconds."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < SECONDS
        time.sleep(0.01)
    return time.monotonic() - begun


def test_alerts_and_their_ends_arrive(
    service: Service, hook: Hook, mailbox: tuple[Mailbox, int]
) -> None:
    """At both, within five seconds, each once; and what a phone shows says what to do."""
    box = mailbox[0]
    service.start()
    now = {name: value for name, value in quote().items() if name != "ts"}
    assert service.ask("POST", "/v1/quotes", now)[0] == 200
    halt = "KILL_SWITCH_ACTIVATED"
    service.kill("ENABLE")
    until(lambda: hook.told(halt) == [False] and halt in str(box.subjects))
    service.kill("DISABLE")
    until(lambda: hook.told(halt) == [False, True] and f"over: {halt}" in str(box.subjects))
    service.submit(asked("low", limit_price="0.01"))
    until(lambda: hook.told("EXTREME_PRICE_REJECTED") and "EXTREME_PRICE" in str(box.subjects))
    time.sleep(1.5)
    assert hook.told(halt) == [False, True]
    assert hook.told("EXTREME_PRICE_REJECTED") == [False]
    assert len(box.subjects) == len(hook.events) == 3
    assert "kill-switch-activated" in box.texts[0]


def test_a_storm_of_denials_is_one_message(service: Service, hook: Hook) -> None:
    """Denials by the hundred within seconds: one message tells of all of them."""
    service.start()
    for number in range(300):
        service.submit(asked(f"r-{number}", market_id=f"KX-{number}", limit_price="0.01"))
    until(lambda: hook.events)
    time.sleep(2.5)
    assert [each["event_type"] for each in hook.events] == ["REPEATED_REJECTIONS"]
    assert "EXTREME_PRICE_REJECTED" in hook.events[0]["data"]["grouped"]


def test_the_test_of_the_command_line(
    service: Service, hook: Hook, mailbox: tuple[Mailbox, int]
) -> None:
    """One through each sink, what came back, and an exit code that a script can ask."""
    done = service.command("alerts", "test", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["items"]
    assert [(each["sink"], each["taken"]) for each in found] == [
        ("webhook", True),
        ("apprise 1 (E-Mail)", True),
    ]
    assert [each["event_type"] for each in hook.events] == ["ALERT_TEST"]
    assert "ALERT_TEST" in mailbox[0].subjects[0]
    service.environment |= {"ALERT_COMMAND": "false", "REDIS_URL": "redis://127.0.0.1:9/0"}
    done = service.command("alerts", "test")
    assert done.returncode == 1
    assert "it ended with 1" in done.stdout
    for name in ("ALERT_COMMAND", "REDIS_URL", "ALERT_URLS", "ALERT_WEBHOOK_URL"):
        del service.environment[name]
    done = service.command("alerts", "test")
    assert (done.returncode, "log alone" in done.stderr) == (1, True)
