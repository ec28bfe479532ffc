"""Wrong inputs that people really make get a message that says what to do."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.wrong_inputs import ALL, GOOD, Wrong
from tools.served import Served, serving

MOMENTS = {b"{hour ago}": -3_600, b"{hour ahead}": 3_600, b"{minute ago}": -60}
ORDINARY = {"MAX_SIGNAL_AGE_SECS": "30", "MAX_ORDER_SIZE": "100.0"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a gateway with quotes."""
    with serving(tmp_path_factory.mktemp("served"), ORDINARY) as found:
        yield found


def send(served: Served, wrong: Wrong, body: bytes | None) -> tuple[int, dict[str, Any]]:
    """Send bytes as they are, with moments put in."""
    for name, seconds in MOMENTS.items():
        moment = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
        body = body and body.replace(name, moment.encode())
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    try:
        connection.request(wrong.method, wrong.path, body, wrong.headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("wrong", ALL, ids=lambda wrong: wrong.name)
def test_says_what_to_do(served: Served, wrong: Wrong) -> None:
    """Status, code, field and message are those of the table."""
    if wrong.before is not None:
        send(served, wrong, wrong.before)
    status, found = send(served, wrong, wrong.body)
    assert (status, found["code"]) == (wrong.status, wrong.code)
    assert found.get("field") == wrong.at
    message = found["rejection_reason"] if status == 200 else found["detail"]
    assert wrong.matches(message), message


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title], ids=lambda case: case.__name__)
def test_words_in_any_case_are_no_mistake(served: Served, case: Any) -> None:  # noqa: ANN401
    """Platform, side, action and time in force are read however they are written."""
    words = {"platform": "Kalshi", "side": "Yes", "action": "Buy", "time_in_force": "IOC"}
    name = f"case-{case.__name__}"
    fields = {**GOOD, "request_id": name, "idempotency_key": name}
    spelt = {field: case(word) for field, word in words.items()}
    status, found = served.ask("POST", "/v1/executions", {**fields, **spelt})
    assert (status, found["code"]) == (200, None), found


def test_there_are_enough() -> None:
    """At least thirty mistakes, each of its own name."""
    assert len({wrong.name for wrong in ALL}) == len(ALL) >= 30


def test_every_message_is_short() -> None:
    """A message is read in a terminal: it fits four lines."""
    assert [wrong.name for wrong in ALL if len(re.sub(r"\s+", " ", wrong.said)) > 320] == []
