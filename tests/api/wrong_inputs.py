"""Wrong inputs that people really send over HTTP, and what is said to each.

The page docs/reference/wrong-inputs.md is made of this table, and a test sends it to a gateway that
runs. `...` in a message stands for what differs from call to call.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

PATH = "/v1/executions"
MARKET = "FUZZ-0"
GOOD: dict[str, Any] = {
    "request_id": "req-1",
    "idempotency_key": "key-1",
    "platform": "Kalshi",
    "market_id": MARKET,
    "side": "Yes",
    "size": 1,
    "limit_price": 0.52,
}
JSON = {"Content-Type": "application/json"}
REFUSED = "MALFORMED"


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """
    One mistake.

    Attributes:
        name: what went wrong, as people would say it.
        sent: what they sent, short.
        said: the message.
        body: all of what is posted.
        code: of the problem, or of the denial.
        at: the field that is named; None = none is.
        status: of HTTP.
        method: of HTTP.
        path: of HTTP.
        headers: of HTTP.
        before: a body that is posted first.
    """

    name: str
    sent: str
    said: str
    body: bytes | None
    code: str = REFUSED
    at: str | None = None
    status: int = 400
    method: str = "POST"
    path: str = PATH
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    before: bytes | None = None

    def matches(self, message: str) -> bool:
        """Tell whether a message is the one of the table."""
        parts = (re.escape(part) for part in self.said.split("..."))
        return re.fullmatch(".+".join(parts), message) is not None


def body(name: str, **changes: Any) -> bytes:
    """Return a request of its own, with changes; a change to `...` leaves the field out."""
    fields = {**GOOD, "request_id": f"req-{name}", "idempotency_key": f"key-{name}", **changes}
    return json.dumps({key: value for key, value in fields.items() if value is not ...}).encode()


def wrong(name: str, at: str, value: object, said: str) -> Wrong:
    """Return a mistake in one field of a request."""
    return Wrong(
        name=name,
        sent=f"{at}: {json.dumps(value)}",
        said=said,
        at=at,
        body=body(name, **{at: value}),
    )


def denied(name: str, sent: str, code: str, said: str, **changes: Any) -> Wrong:
    """Return a mistake that only a decision can find."""
    return Wrong(name=name, sent=sent, said=said, code=code, status=200, body=body(name, **changes))


def text(name: str, sent: str, data: bytes, said: str) -> Wrong:
    """Return a mistake in the JSON itself."""
    message = f"Expected a JSON object, was unreadable: {said}"
    return Wrong(name=name, sent=sent, said=message, body=data)


_PRICE = "Expected dollars of the named side, above 0 and below 1, was"
_SIZE = "Expected contracts above 0, at most 1e9, was"
_PROBABILITY = "Expected a probability from 0 to 1, was"
_TIME = "Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z), was"
_KEYED = {"request_id": "req-first", "idempotency_key": "key-first"}

# fmt: off
VALUES = (
    wrong("cents for dollars", "limit_price", 52,
          f"{_PRICE} 52: did you mean 0.52? Prices are dollars, 52 cents are 0.52"),
    wrong("percent for a probability", "model_prob", 55,
          f"{_PROBABILITY} 55: did you mean 0.55? 55 percent are 0.55"),
    wrong("a price of a dollar", "limit_price", 1,
          f"{_PRICE} 1: a contract pays at most 1 dollar"),
    wrong("a negative price, to sell", "limit_price", -0.52,
          f"{_PRICE} -0.52: to sell, send action: Sell with a price above 0"),
    wrong("dollars for contracts", "size", "$50",
          "Expected a decimal number, was '$50': without a sign or unit: dollars as 0.52, "
          "contracts as 10, probabilities as 0.55"),
    wrong("a size of nothing", "size", 0,
          f"{_SIZE} 0: leave out a request that orders nothing"),
    wrong("a negative size, to sell", "size", -10,
          f"{_SIZE} -10: size has no sign: to sell, send action: Sell"),
    wrong("a thousands comma", "size", "1,000",
          "Expected a decimal number, was '1,000': without separators: 1000"),
    wrong("a decimal comma", "limit_price", "0,52",
          "Expected a decimal number, was '0,52': with a point: 0.52"),
    wrong("floating-point noise", "limit_price", 0.1 + 0.2,
          "Expected a multiple of 0.000001, was 0.30000000000000004: floating-point noise? "
          "Round it to the tick, or send a string such as '0.3'"),
    wrong("NaN as text", "model_prob", "NaN",
          "Expected a decimal number, was 'NaN': a number that is not known is left out, with "
          "its field"),
    wrong("an action for a side", "side", "BUY",
          "Expected one of Yes, No, was 'BUY': that is an action: send action: Buy, and side: "
          "Yes or No"),
    wrong("a side for an action", "action", "Yes",
          "Expected one of Buy, Sell, was 'Yes': that is a side: send side: Yes"),
    wrong("a side as a truth value", "side", True,
          "Expected `str`, was `bool`: a side is text: 'Yes' or 'No'"),
    wrong("a platform misspelt", "platform", "Kalshy",
          "Expected one of Kalshi, Polymarket, was 'Kalshy': did you mean Kalshi?"),
    wrong("another system's time in force", "time_in_force", "FAK",
          "Expected one of IOC, FOK, GTC, GTD, was 'FAK': did you mean IOC?"),
    wrong("an attempt from 0", "attempt", 0,
          "Expected 1 to 1000000, was 0: the first attempt is 1"),
    wrong("a time without a zone", "created_at", "2026-01-28T20:30:00",
          f"{_TIME} '2026-01-28T20:30:00': which zone? 2026-01-28T20:30:00Z in UTC, "
          "2026-01-28T20:30:00-05:00 in New York in winter"),
    wrong("a zone by its name", "created_at", "2026-01-28T20:30:00 EST",
          f"{_TIME} '2026-01-28T20:30:00 EST': a zone is Z or an offset such as -05:00: names of "
          "zones are ambiguous"),
    wrong("seconds since 1970", "created_at", 1769632200,
          "Expected `str | null`, was `int`: a time is text: '2026-01-28T20:30:00Z'"),
)
FIELDS = (
    Wrong(name="no key", sent="no idempotency_key", at="idempotency_key",
          said="Object missing required field `idempotency_key`: one for each order that you mean; "
          "a retry carries the same",
          body=body("no key", idempotency_key=...)),
    Wrong(name="GTD without an end", sent="time_in_force: GTD", at="expires_at",
          said="Expected a time, since time_in_force is GTD, was absent",
          body=body("GTD", time_in_force="GTD")),
    Wrong(name="a name in camel case", sent="limitPrice: 0.52", at="limitPrice",
          said="Object contains unknown field `limitPrice`: did you mean limit_price?",
          body=body("camel", limitPrice=0.52, limit_price=...)),
    Wrong(name="another system's name", sent="quantity: 1", at="quantity",
          said="Object contains unknown field `quantity`: did you mean size?",
          body=body("quantity", quantity=1, size=...)),
    Wrong(name="dollars to spend", sent="notional: 50", at="notional",
          said="Object contains unknown field `notional`: did you mean size? It is contracts: "
          "dollars divided by limit_price",
          body=body("notional", notional=50, size=...)),
    Wrong(name="a field twice", sent="size: 1, size: 2", at="size",
          said="Expected the field once, was there twice",
          body=body("twice")[:-1] + b', "size": 2}'),
)
TEXTS = (
    text("a trailing comma", '{"size": 1,}', body("comma")[:-1] + b",}",
         "JSON is malformed: ...: a comma stands before a closing bracket: take it away"),
    text("single quotes", "{'size': 1}", str(GOOD).encode(),
         "JSON is malformed: ...: JSON has double quotes; with Python: json.dumps(...), not "
         "str(...)"),
    text("Python's words", '{"reason": None}', body("None")[:-1] + b', "reason": None}',
         "JSON is malformed: ...: JSON has null, true and false; with Python: json.dumps(...), "
         "not str(...)"),
    text("NaN in JSON", '{"edge_pct": NaN}', body("NaN")[:-1] + b', "edge_pct": NaN}',
         "JSON is malformed: ...: JSON has no NaN and no Infinity: leave the field out"),
    text("a byte order mark", "a file saved with one", b"\xef\xbb\xbf" + body("mark"),
         "JSON is malformed: ...: it begins with a byte order mark: save it as UTF-8 without one"),
    text("no body", "curl -X POST", b"",
         "...: the body is empty; with curl: -d '{...}' or -d @file"),
    Wrong(name="a list of requests", sent="[{...}]", body=b"[" + body("list") + b"]",
          said="Expected `object`, was `array`: send one request a call, not a list"),
)
DECISIONS = (
    denied("an unknown market", "market_id: NBA-BOS2", "MARKET_UNKNOWN",
           "Market NBA-BOS2 is not known: is it of this platform, and spelt so?",
           market_id="NBA-BOS2"),
    denied("the other venue's market", "platform: Polymarket", "MARKET_UNKNOWN",
           f"Market {MARKET} is not known: is it of this platform, and spelt so?",
           platform="Polymarket"),
    denied("a stale time", "created_at of an hour ago", "STALE_SIGNAL",
           "The request is ... s old, maximum 30 s", created_at="{hour ago}"),
    denied("local time sent as UTC", "created_at an hour ahead", "FUTURE_DATED",
           "created_at lies ... s in the future, maximum 2 s: is its zone right?",
           created_at="{hour ahead}"),
    denied("an end that is over", "expires_at a minute ago", "EXPIRED",
           "The request expired at ...; it is ...", expires_at="{minute ago}"),
    denied("a sport misspelt", "sport: SOCER", "CLASSIFICATION_CONFLICT",
           "The request says sport SOCER, the market is sport SOCCER: correct it, or leave it out",
           sport="SOCER"),
    denied("dollars for contracts, as a number", "size: 5000", "MAX_ORDER_SIZE",
           "Order size $2,600.00 exceeds maximum $100.00", size=5000),
    Wrong(name="a key used again with another price", sent="the same idempotency_key",
          code="IDEMPOTENCY_CONFLICT", status=200,
          said="The idempotency key or request_id was used before for something else: expected "
          "the economic fields of the first request under this key, was others. These differ: "
          "limit_price",
          before=body("first", **_KEYED),
          body=body("first", **{**_KEYED, "request_id": "req-second", "limit_price": 0.51})),
    denied("an attempt skipped", "attempt: 2 of a new key", "IDEMPOTENCY_CONFLICT",
           "The idempotency key or request_id was used before for something else: expected "
           "attempt 1 of a new key, was 2", attempt=2),
)

# fmt: on


def halt(name: str, sent: str, at: str, said: str, **fields: Any) -> Wrong:
    """Return a mistake at the kill switch."""
    return Wrong(
        name=name,
        sent=sent,
        at=at,
        said=said,
        path="/v1/kill-switch",
        body=json.dumps(fields).encode(),
    )


_SCOPE = "Expected all, platform:X, sport:X, game:X, market:X, strategy:X or model_version:X, was"
# fmt: off
PLACES = (
    Wrong(name="curl's own media type", sent="curl -d '{...}'", status=415,
          code="UNSUPPORTED_MEDIA_TYPE", body=body("form"),
          headers={"Content-Type": "application/x-www-form-urlencoded"},
          said="Expected Content-Type: application/json, was "
          "'application/x-www-form-urlencoded': with curl, add -H 'Content-Type: "
          "application/json'"),
    Wrong(name="GET with a body", sent="curl -X GET -d '{...}'", method="GET", body=body("GET"),
          at="idempotency_key",
          said="Expected the key of an execution, was absent: GET shows a result, a request is "
          "sent with POST"),
    Wrong(name="a wrong path", sent="POST /executions", path="/executions", status=404,
          code="NOT_FOUND", body=body("path"),
          said="There is nothing at /executions: did you mean /v1/executions?"),
    Wrong(name="a slash at the end", sent="POST /v1/executions/", path="/v1/executions/",
          status=405, code="METHOD_NOT_ALLOWED", body=body("slash"),
          said="POST is not offered at /v1/executions/: did you mean /v1/executions, without the "
          "slash at the end?"),
    Wrong(name="an order where orders are listed", sent="POST /v1/orders", path="/v1/orders",
          status=405, code="METHOD_NOT_ALLOWED", body=body("orders"),
          said="POST is not offered at /v1/orders: an order is placed with POST /v1/executions"),
    Wrong(name="a wait with a unit", sent="?wait=10s", path=f"{PATH}?wait=10s", at="wait",
          body=body("wait"),
          said="Expected a decimal number, was '10s': seconds without a unit: wait=10"),
    halt("a scope without its kind", "scope: NBA", "scope",
         f"{_SCOPE} 'NBA': did you mean sport:NBA? The kind stands in front",
         action="ENABLE", reason="a test", scope="NBA"),
    halt("a scope misspelt", "scope: sports:NBA", "scope",
         f"{_SCOPE} 'sports:NBA': did you mean sport:NBA?",
         action="ENABLE", reason="a test", scope="sports:NBA"),
    halt("resuming without a reason", "no reason", "reason",
         "Expected a reason of 1 to 1024 characters to resume trading, was 0",
         action="DISABLE"),
    halt("on for ENABLE", "action: ON", "action",
         "Expected one of ENABLE, DISABLE, REDUCE, was 'ON': did you mean ENABLE?",
         action="ON", reason="a test"),
)
# fmt: on

_COLUMNS = "| mistake | sent | answer | message |\n|---|---|---|---|"
ALL: tuple[Wrong, ...] = (*VALUES, *FIELDS, *TEXTS, *DECISIONS, *PLACES)

_GROUPS = (
    ("Values", VALUES),
    ("Fields", FIELDS),
    ("The JSON itself", TEXTS),
    ("What only a decision can find", DECISIONS),
    ("Places, and the kill switch", PLACES),
)


def tables() -> str:
    """Return the tables for the page."""
    parts = []
    for title, rows in _GROUPS:
        lines = [_row(each) for each in rows]
        parts.append("\n".join((f"### {title}\n", _COLUMNS, *lines)) + "\n")
    return "\n".join(parts)


def _row(each: Wrong) -> str:
    named = f", `{each.at}`" if each.at else ""
    cells = (each.name, f"`{each.sent}`", f"{each.status} `{each.code}`{named}", each.said)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
