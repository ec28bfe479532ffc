"""A gateway that says what a test tells it to, and a clock that only pauses move."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from arbees.client import Client
from arbees.client.steps import Broken, Call, Heard, Outcome

NOW_NS = 1_769_632_200_000_000_000
"""2026-01-28T20:30:00Z"""

FIELDS: dict[str, Any] = {
    "idempotency_key": "key-1",
    "platform": "Kalshi",
    "market_id": "NBA-BOS",
    "side": "Yes",
    "size": 10,
    "limit_price": "0.65",
}

Said = Outcome | Callable[[Call], Outcome]


class Stream:
    """Pieces that come, and then the end."""

    def __init__(self, outcome: Outcome, pieces: Iterable[bytes] = ()) -> None:
        self.outcome = outcome
        self._pieces = pieces

    def pieces(self) -> Iterator[bytes]:
        yield from self._pieces

    def close(self) -> None:
        """There is nothing to close."""


class Scripted:
    """Carries calls to nobody: the answers are prepared, in order."""

    def __init__(self, *said: Said, streams: Iterable[Stream] = ()) -> None:
        self.said = list(said)
        self.streams = list(streams)
        self.calls: list[Call] = []
        self.pauses: list[float] = []
        self.now_ns = NOW_NS
        self.is_closed = False

    def ask(self, call: Call) -> Outcome:
        self.calls.append(call)
        said = self.said.pop(0)
        return said(call) if callable(said) else said

    def open(self, call: Call) -> Stream:
        self.calls.append(call)
        return self.streams.pop(0)

    def close(self) -> None:
        self.is_closed = True

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_ns += round(seconds * 1e9)

    def bodies(self) -> list[Any]:
        """Return what was sent."""
        return [json.loads(call.body or b"null") for call in self.calls]

    def client(self, **more: Any) -> Client:
        """Return a client of this gateway."""
        return Client(
            "http://127.0.0.1:8321",
            "",
            transport=self,
            now_ns=lambda: self.now_ns,
            sleep=self.sleep,
            **more,
        )


def result(request: Mapping[str, Any], status: str = "Filled", **more: Any) -> dict[str, Any]:
    """Return a result of a request, as JSON values."""
    fields = {
        "request_id": request["request_id"],
        "idempotency_key": request["idempotency_key"],
        "attempt": request.get("attempt", 1),
        "status": status,
        "final": status not in {"Pending", "Unknown"},
        "platform": request["platform"],
        "market_id": request["market_id"],
        "side": request["side"],
        "action": request.get("action", "Buy"),
        "requested_size": 10,
        "limit_price": 0.65,
        "sequence": 7,
    }
    return fields | more


def answer(status: str = "Filled", *, http: int = 200, **more: Any) -> Callable[[Call], Outcome]:
    """Return what answers a request with a result."""

    def said(call: Call) -> Outcome:
        body = result(json.loads(call.body or b"{}"), status, **more)
        return Heard(http, json.dumps(body).encode())

    return said


def denial(*codes: str, until: str | None = None) -> Callable[[Call], Outcome]:
    """Return what denies a request."""
    denials = [
        {"safeguard": "x", "code": code, "message": code, "until": until, "limit": 20.5}
        for code in codes
    ]
    return answer("Rejected", rejected_by="gateway", code=codes[0], denials=denials)


def duplicate(status: str = "Filled", **more: Any) -> Callable[[Call], Outcome]:
    """Return what answers a request that was decided before."""

    def said(call: Call) -> Outcome:
        request = json.loads(call.body or b"{}")
        original = result(request, status, **more)
        body = result(
            request,
            "Rejected",
            rejected_by="gateway",
            code="DUPLICATE_REQUEST",
            denials=[{"safeguard": "idempotency", "code": "DUPLICATE_REQUEST", "message": "m"}],
            original=original,
        )
        return Heard(200, json.dumps(body).encode())

    return said


def problem(status: int, code: str, *, retry_after: str | None = None, **more: Any) -> Heard:
    """Return an error."""
    body = {"status": status, "code": code, "detail": f"detail of {code}", **more}
    return Heard(status, json.dumps(body).encode(), retry_after)


LOST = Broken("no answer in time", is_sent=True)
REFUSED = Broken("Connection refused", is_sent=False)
