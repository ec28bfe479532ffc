"""Tells what happened in a line: a decision, what became of an order, a halt.

Guarantees that every record of those kinds becomes one line for people, and every other none; a
record of a newer gateway that lacks a field is told as far as it goes.
"""

from typing import Any, NamedTuple

from arbees.cli.shared.console import plain
from arbees.client import Event
from arbees.core.language.ids import own
from arbees.core.language.units import format_micro


class RecordLine(NamedTuple):
    """A record in a line."""

    time: str
    word: str
    style: str
    text: str


WORDS = {
    "OrderApproved": ("APPROVED", "green"),
    "RequestDenied": ("DENIED", "red"),
    "OrderDenied": ("DENIED", "red"),
    "DuplicateRefused": ("AGAIN", "yellow"),
    "OrderRejected": ("REJECTED", "red"),
    "OrderNotSent": ("NOT SENT", "red"),
    "OrderUnknown": ("UNKNOWN", "bold red"),
    "OrderFilled": ("FILLED", "bold green"),
    "OrderCancelled": ("CANCELLED", "yellow"),
    "OrderExpired": ("EXPIRED", "yellow"),
    "OrderReopened": ("REOPENED", "bold red"),
    "OrderAmended": ("AMENDED", "bold red"),
    "FillDisputed": ("DISPUTED", "bold red"),
    "FillReversed": ("FAILED", "bold red"),
    "HaltRaised": ("HALT", "bold red"),
    "HaltLifted": ("RESUMED", "bold green"),
    "MassCancelled": ("CANCEL", "yellow"),
    "BreakOpened": ("BREAK", "bold red"),
    "Started": ("STARTED", "bold"),
}
WORD_WIDTH = max(len(word) for word, _ in WORDS.values())


def line_of(event: Event) -> RecordLine | None:
    """Return a record in a line; None for one that is no decision."""
    if event.kind not in WORDS:
        return None
    word, style = WORDS[event.kind]
    return RecordLine(f"{event.time:%H:%M:%S}", word, style, _text(event.kind, event.body))


def _text(kind: str, body: dict[str, Any]) -> str:
    if kind in {"RequestDenied", "DuplicateRefused", "OrderApproved"}:
        why = body.get("code", "")
        if findings := body.get("findings"):
            more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
            why = f"{findings[0][1]}{more}"
        return _requested(body.get("request", {}), str(why))
    if kind == "OrderFilled":
        quantity, price = _number(body.get("quantity")), _number(body.get("price"))
        fee = _number(body.get("fee"))
        return f"{_request(body)}: {quantity} at ${price}, fee ${fee}"
    if kind in {"HaltRaised", "HaltLifted", "MassCancelled"}:
        state = f"{body['state']} " if "state" in body else ""
        return plain(f"{state}{body.get('scope')} by {body.get('source', 'gateway')}: {_why(body)}")
    if kind == "BreakOpened":
        return plain(f"{body.get('kind')} in {body.get('market_key', body.get('platform'))}")
    if kind == "Started":
        return plain(f"version {body.get('version')}")
    why = _why(body)
    return f"{_request(body)}{f': {why}' if why != '-' else ''}"


def _requested(request: dict[str, Any], why: str) -> str:
    size, price = _number(request.get("size")), _number(request.get("limit_price"))
    said = (
        f"{plain(_own(request.get('request_id')))} {request.get('action', 'Buy')} {size} "
        f"{request.get('side')} {plain(request.get('market_id'))} at ${price}"
    )
    return f"{why}: {said}" if why else said  # what is behind is cut on a narrow terminal


def _request(body: dict[str, Any]) -> str:
    return plain(_own(body.get("request_id")))


def _why(body: dict[str, Any]) -> str:
    found = [body[name] for name in ("code", "reason", "message") if body.get(name)]
    return plain(": ".join(map(str, found)))


def _number(micro: object) -> str:
    return format_micro(micro) if isinstance(micro, int) else "?"


def _own(text: object) -> object:
    return own(text) if isinstance(text, str) else text
