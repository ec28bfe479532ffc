"""Submit: what is asked again, under which key, and what is the answer."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from arbees.client import Request
from arbees.client.steps import Call, Heard, Outcome
from arbees.errors import (
    AccessRefused,
    GatewayBusy,
    GatewayRefused,
    GatewayUnreachable,
)
from tests.client.scripted import (
    FIELDS,
    LOST,
    NOW_NS,
    REFUSED,
    Scripted,
    answer,
    denial,
    duplicate,
    problem,
)

SOON = "2026-01-28T20:30:05.000Z"
LATE = "2026-01-28T20:30:31.000Z"


def test_what_is_sent() -> None:
    """The fields as given, an id and a time of its own; numbers exactly, nothing that is absent."""
    gateway = Scripted(answer(fees=0.1748))
    found = gateway.client().submit(**FIELDS, wait_seconds=2.5, model_prob=0.1, strategy="s")
    (call,) = gateway.calls
    assert (call.method, call.path, call.seconds) == ("POST", "/v1/executions?wait=2.5", 12.5)
    (body,) = gateway.bodies()
    request_id = body.pop("request_id")
    assert request_id.startswith("req-")
    assert body.pop("created_at") == "2026-01-28T20:30:00Z"
    assert body == {**FIELDS, "model_prob": 0.1, "strategy": "s"}
    assert found.request_id == request_id
    assert found.fees == Decimal("0.1748")


def test_a_request_as_a_whole() -> None:
    """A Request goes as it is; both a Request and fields are a mistake of the caller."""
    gateway = Scripted(answer())
    request = Request(**FIELDS, request_id="mine", created_at="2026-01-28T20:29:59Z")
    assert gateway.client().submit(request).request_id == "mine"
    assert gateway.bodies()[0]["created_at"] == "2026-01-28T20:29:59Z"
    with pytest.raises(TypeError, match="were both: strategy"):
        gateway.client().submit(request, strategy="s")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        LOST,
        problem(503, "STARTING"),
        problem(503, "QUEUE_FULL"),
        problem(503, "JOURNAL_FAILED"),
        problem(500, "INTERNAL"),
        problem(429, "KEY_LIMIT"),
        problem(408, "REQUEST_TIMEOUT"),
        Heard(502, b"<html>"),
        Heard(200, b"not json"),
        Heard(200, b'{"status": "Filled"}'),
    ],
    ids=str,
)
def test_asked_again_word_by_word(failure: Outcome) -> None:
    """Whatever is no answer is followed by the very same request, never by another one."""
    gateway = Scripted(failure, failure, answer())
    assert gateway.client().submit(**FIELDS).status == "Filled"
    assert len({call.body for call in gateway.calls}) == 1
    assert len(gateway.calls) == 3
    assert len(gateway.pauses) == 2


@pytest.mark.parametrize("lost", [LOST, problem(503, "SHUTTING_DOWN"), problem(500, "INTERNAL")])
def test_the_duplicate_of_ourselves_is_what_became_of_the_first(lost: Outcome) -> None:
    """An answer that was lost after the commit is heard by asking again."""
    gateway = Scripted(lost, duplicate("Filled", filled_qty=10))
    found = gateway.client().submit(**FIELDS)
    assert found.status == "Filled"
    assert found.filled_qty == 10
    assert found.code is None


def test_a_duplicate_that_is_not_ours_stays_one() -> None:
    """Without a lost answer, or of another request, a duplicate is shown as a duplicate."""
    gateway = Scripted(duplicate())
    found = gateway.client().submit(**FIELDS)
    assert (found.code, found.original is not None) == ("DUPLICATE_REQUEST", True)
    gateway = Scripted(REFUSED, duplicate())
    assert gateway.client().submit(**FIELDS).code == "DUPLICATE_REQUEST"
    gateway = Scripted(LOST, duplicate(request_id="of-another"))
    assert gateway.client().submit(**FIELDS).code == "DUPLICATE_REQUEST"


def test_an_original_that_is_in_flight_is_waited_for() -> None:
    """What became of the first is asked for until it is final, or the wait is over."""
    shown = [answer("Pending"), answer("Pending"), answer("Filled")]

    def look(call: Call) -> Outcome:
        return shown.pop(0)(Call("GET", call.path, gateway.calls[0].body))

    gateway = Scripted(LOST, duplicate("Pending"), look, look, look)
    assert gateway.client().submit(**FIELDS).status == "Filled"
    request_id = gateway.bodies()[0]["request_id"]
    assert [call.path for call in gateway.calls[2:]] == [f"/v1/executions/{request_id}"] * 3


def test_an_original_that_rests_or_is_unknown_is_the_answer() -> None:
    """A resting order and an unknown one are what submit waits for."""
    gateway = Scripted(LOST, duplicate("Pending", order_id="venue-1"))
    found = gateway.client().submit(**FIELDS, time_in_force="gtc")
    assert (str(found.status), found.order_id) == ("Pending", "venue-1")
    gateway = Scripted(LOST, duplicate("Unknown"))
    assert gateway.client().submit(**FIELDS).is_unknown


@pytest.mark.parametrize(
    "code",
    [
        "RATE_LIMIT_MINUTE",
        "RATE_LIMIT_HOUR",
        "VENUE_UNAVAILABLE",
        "VENUE_PAUSED",
        "VENUE_HEARTBEAT_LATE",
        "VENUE_BLIND",
        "CLOCK_SKEW",
    ],
)
def test_a_denial_that_lifts_is_waited_for(code: str) -> None:
    """The next attempt comes when it lifts: the same key, a fresh id, the signal's own time."""
    gateway = Scripted(denial(code, until=SOON), answer())
    found = gateway.client(max_age_seconds=30).submit(**FIELDS, request_id="first", reason="r")
    first, second = gateway.bodies()
    assert (str(found.status), found.attempt) == ("Filled", 2)
    assert first["idempotency_key"] == second["idempotency_key"] == "key-1"
    assert (first["request_id"], second["attempt"], second["reason"]) == ("first", 2, "r")
    assert second["request_id"].startswith("req-")
    assert second["created_at"] == first["created_at"]
    assert sum(gateway.pauses) < 5.1


@pytest.mark.parametrize(
    ("codes", "until"),
    [
        (("HALTED",), SOON),
        (("MAX_ORDER_SIZE",), None),
        (("MAX_DAILY_LOSS",), SOON),
        (("OUTSIDE_WINDOW",), SOON),
        (("RATE_LIMIT_MINUTE", "MAX_ORDER_SIZE"), SOON),
        (("VENUE_UNAVAILABLE",), None),
        (("RATE_LIMIT_HOUR",), LATE),
    ],
)
def test_any_other_denial_is_the_answer(codes: tuple[str, ...], until: str | None) -> None:
    """What somebody must judge, what names no time, what lifts too late: a value, at once."""
    gateway = Scripted(denial(*codes, until=until))
    found = gateway.client(max_age_seconds=30).submit(**FIELDS)
    assert (found.is_denied, found.code, found.denials[0].limit) == (
        True,
        codes[0],
        Decimal("20.5"),
    )
    assert gateway.pauses == []


def test_how_long_a_signal_is_good() -> None:
    """`expires_at` bounds the wait, later or earlier than its age would; else its age counts."""
    gateway = Scripted(denial("RATE_LIMIT_MINUTE", until=LATE), answer())
    found = gateway.client().submit(**FIELDS, expires_at=datetime(2026, 1, 28, 20, 31, tzinfo=UTC))
    assert found.status == "Filled"
    gateway = Scripted(denial("RATE_LIMIT_MINUTE", until=SOON))
    assert gateway.client().submit(**FIELDS, expires_at="2026-01-28T20:30:05Z").is_denied
    gateway = Scripted(denial("RATE_LIMIT_MINUTE", until=SOON))
    old = gateway.client(max_age_seconds=30)
    assert old.submit(**FIELDS, created_at="2026-01-28T20:29:34Z").is_denied


def test_nobody_waits_unasked() -> None:
    """Without a word on how long the signal is good, a denial is the answer, and at once."""
    gateway = Scripted(denial("RATE_LIMIT_MINUTE", until=SOON), answer())
    assert gateway.client().submit(**FIELDS).is_denied
    assert gateway.pauses == []


def test_denied_again_and_again() -> None:
    """Each attempt is one higher, and it ends with the signal."""
    denials = [denial("RATE_LIMIT_MINUTE", until=SOON)] * 2_000
    gateway = Scripted(*denials)
    found = gateway.client().submit(**FIELDS, expires_at="2026-01-28T20:30:20Z")
    attempts = [body.get("attempt", 1) for body in gateway.bodies()]
    assert attempts == list(range(1, len(attempts) + 1))
    assert found.attempt == len(attempts) < 100
    assert len({body["request_id"] for body in gateway.bodies()}) == len(attempts)


def test_a_lost_answer_within_a_later_attempt() -> None:
    """The duplicate of a second attempt is unwrapped as that of a first one."""
    gateway = Scripted(denial("VENUE_PAUSED", until=SOON), LOST, duplicate())
    found = gateway.client(max_age_seconds=30).submit(**FIELDS)
    assert (str(found.status), found.attempt) == ("Filled", 2)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "MALFORMED", GatewayRefused),
        (401, "KEY_REQUIRED", AccessRefused),
        (403, "SCOPE_REQUIRED", AccessRefused),
        (409, "PAPER_ONLY", GatewayRefused),
        (413, "TOO_LARGE", GatewayRefused),
    ],
)
def test_a_refusal_is_raised_at_once(status: int, code: str, kind: type[Exception]) -> None:
    """What would be refused again is not asked again; code, field and status are told."""
    gateway = Scripted(problem(status, code, field="size"))
    with pytest.raises(kind, match=rf"{code} \(size\): detail of {code}") as caught:
        gateway.client().submit(**FIELDS)
    error: Any = caught.value
    assert (error.status, error.code, error.field) == (status, code, "size")
    assert len(gateway.calls) == 1


def test_nobody_there() -> None:
    """After its patience it gives up, and says that nothing was sent."""
    gateway = Scripted(*[REFUSED] * 100)
    with pytest.raises(GatewayUnreachable, match="Connection refused") as caught:
        gateway.client(patience_seconds=5).submit(**FIELDS)
    assert not caught.value.is_sent
    assert gateway.now_ns - NOW_NS <= 5_000_000_000
    assert len(gateway.calls) < 20


def test_in_doubt() -> None:
    """Once one try may have been heard, giving up says so, whatever the last one came to."""
    gateway = Scripted(LOST, *[REFUSED] * 100)
    with pytest.raises(GatewayUnreachable) as unreachable:
        gateway.client(patience_seconds=1).submit(**FIELDS)
    assert unreachable.value.is_sent
    gateway = Scripted(LOST, *[problem(503, "STARTING")] * 100)
    with pytest.raises(GatewayBusy, match="STARTING: detail") as busy:
        gateway.client(patience_seconds=1).submit(**FIELDS)
    assert (busy.value.code, busy.value.is_doubtful) == ("STARTING", True)
    gateway = Scripted(*[problem(429, "KEY_LIMIT", retry_after="2")] * 100)
    with pytest.raises(GatewayBusy) as limited:
        gateway.client(patience_seconds=1).submit(**FIELDS)
    assert not limited.value.is_doubtful
    assert len(gateway.calls) == 1


def test_the_gateway_says_when_to_come_again() -> None:
    """`Retry-After` is kept to."""
    gateway = Scripted(problem(429, "KEY_LIMIT", retry_after="7"), answer())
    gateway.client().submit(**FIELDS)
    assert 7 <= gateway.pauses[0] < 7.1


def test_fields_of_a_later_gateway_do_no_harm() -> None:
    """An answer with more in it is read all the same; a number is exactly what was sent."""
    gateway = Scripted(answer(novelty={"a": [1]}, avg_price=0.640001))
    assert gateway.client().submit(**FIELDS).avg_price == Decimal("0.640001")
    assert json.loads(gateway.calls[0].body or b"")["limit_price"] == "0.65"
