"""Bad requests, byte by byte, each with the refusals that are right.

Guarantees that none of them is one that a gateway should take.
"""

import json
from dataclasses import dataclass

PATH = "/v1/executions"
_GOOD = {
    "request_id": "bad",
    "idempotency_key": "bad",
    "platform": "Kalshi",
    "market_id": "FUZZ-0",
    "side": "Yes",
    "size": 1,
    "limit_price": 0.5,
}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """
    What is sent at once.

    Attributes:
        name: for the figures.
        data: all bytes.
        statuses: of the answer; 0 = the connection may end without one.
        count: how many answers come.
        closes: the connection ends with it.
        ends: the sending half is closed behind it.
    """

    name: str
    data: bytes
    statuses: tuple[int, ...] = (400,)
    count: int = 1
    closes: bool = False
    ends: bool = False


def head(method: str = "POST", path: str = PATH, *lines: str, host: str = "127.0.0.1") -> bytes:
    """Return a head with a blank line behind it."""
    fields = "".join(f"{line}\r\n" for line in (f"Host: {host}", *lines))
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")


def post(body: bytes, path: str = PATH, media_type: str = "application/json") -> bytes:
    """Return a POST of a body."""
    return head("POST", path, f"Content-Type: {media_type}", f"Content-Length: {len(body)}") + body


def body(**changes: object) -> bytes:
    """Return a request with changes as JSON."""
    return json.dumps({**_GOOD, **changes}).encode()


_CHUNKED = ("Content-Type: application/json", "Transfer-Encoding: chunked")
_TYPED = "Content-Type: application/json"
_TWICE = body()[:-1] + b', "size": 2}'
_DEEP = 30_000
_LONG = b"x" * 1_048_577

KEEPING = (
    Attack(name="deep lists", data=post(b"[" * _DEEP + b"]" * _DEEP)),
    Attack(name="deep objects", data=post(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)),
    Attack(name="deep field", data=post(body()[:-1] + b',"alternates":' + b"[" * _DEEP + b"}")),
    Attack(name="wrong type", data=post(body(size=[1], side=5))),
    Attack(name="endless number", data=post(body(size="9" * 60_000))),
    Attack(name="huge exponent", data=post(body()[:-1] + b',"edge_pct":1e999999999}')),
    Attack(name="duplicate field", data=post(_TWICE)),
    Attack(name="unknown field", data=post(body(**{"x" * 50_000: 1}))),
    Attack(name="bad UTF-8", data=post(b'{"request_id":"\xff\xfe\xc0"}')),
    Attack(name="lone surrogate", data=post(body(market_id="\ud800"))),
    Attack(name="UTF-16", data=post(body().decode().encode("utf-16"))),
    Attack(name="NUL", data=post(b"\x00" * 1_000)),
    Attack(name="no JSON", data=post(b"size=1&side=Yes")),
    Attack(name="empty", data=post(b"")),
    Attack(name="form", data=post(body(), media_type="text/plain"), statuses=(415,)),
    Attack(
        name="compressed",
        data=head("POST", PATH, _TYPED, "Content-Encoding: gzip", "Content-Length: 2")
        + b"\x1f\x8b",
        statuses=(415,),
    ),
    Attack(name="no such path", data=head("GET", "/v1/" + "x" * 5_000), statuses=(404,)),
    Attack(name="no such method", data=head("PUT", PATH, "Content-Length: 0"), statuses=(405,)),
    Attack(name="long query", data=head("GET", PATH + "?" + "&".join(["a=1"] * 2_000))),
    Attack(name="another host", data=head("GET", "/readyz", host="evil.example"), statuses=(403,)),
    Attack(name="web page", data=head("GET", "/readyz", "Origin: null"), statuses=(403,)),
    Attack(name="bad receipt", data=head("GET", "/v1/kill-switch/receipts/%00%ff")),
    Attack(name="list of rubbish", data=post(b"[" + b"1," * 30_000 + b"1]", "/v1/quotes")),
    Attack(name="pipelined", data=post(body(size=0)) * 20, count=20),
    Attack(
        name="offer of HTTP/2",
        data=head("POST", PATH, "Connection: Upgrade", "Upgrade: h2c", _TYPED, "Content-Length: 2")
        + b"{}",
    ),
    Attack(
        name="chunks of a byte",
        data=head("POST", PATH, *_CHUNKED) + b"1\r\n{\r\n" * 2_000 + b"0\r\n\r\n",
    ),
)
"""After these the connection is as good as before."""

CLOSING = (
    Attack(name="1 MiB", data=post(_LONG), statuses=(413,), closes=True),
    Attack(
        name="1 MiB in chunks",
        data=head("POST", PATH, *_CHUNKED) + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 16,
        statuses=(413,),
        closes=True,
    ),
    Attack(
        name="length of petabytes",
        data=head("POST", PATH, _TYPED, "Content-Length: 999999999999999"),
        statuses=(413,),
        closes=True,
    ),
    Attack(
        name="negative length",
        data=head("POST", PATH, _TYPED, "Content-Length: -1"),
        closes=True,
    ),
    Attack(
        name="two lengths",
        data=head("POST", PATH, _TYPED, "Content-Length: 2", "Content-Length: 3") + b"{}",
        closes=True,
    ),
    Attack(
        name="length and chunks",
        data=head("POST", PATH, *_CHUNKED, "Content-Length: 2") + b"{}",
        closes=True,
    ),
    Attack(
        name="nonsense for a chunk",
        data=head("POST", PATH, *_CHUNKED) + b"zz\r\n{}\r\n0\r\n\r\n",
        closes=True,
        statuses=(400, 0),
    ),
    Attack(
        name="endless chunk size",
        data=head("POST", PATH, *_CHUNKED) + b"f" * 40_000,
        closes=True,
        statuses=(400, 0),
    ),
    Attack(
        name="endless trailer",
        data=head("POST", PATH, *_CHUNKED) + b"2\r\n{}\r\n0\r\nX: " + b"a" * 70_000,
        closes=True,
        statuses=(431, 0),
    ),
    Attack(
        name="many trailers",
        data=head("POST", PATH, *_CHUNKED) + b"2\r\n{}\r\n0\r\n" + b"X: a\r\n" * 12_000,
        closes=True,
        statuses=(431, 0),
    ),
    Attack(
        name="endless extension",
        data=head("POST", PATH, *_CHUNKED) + b"2;x=" + b"a" * 70_000,
        closes=True,
        statuses=(431, 0),
    ),
    Attack(
        name="endless header",
        data=b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 70_000,
        statuses=(431,),
        closes=True,
    ),
    Attack(
        name="many headers",
        data=b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: a\r\n" * 12_000,
        statuses=(431,),
        closes=True,
    ),
    Attack(name="endless target", data=b"GET /" + b"a" * 70_000, statuses=(431,), closes=True),
    Attack(name="no HTTP", data=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", closes=True),
    Attack(name="no words", data=b"\r\n\r\nhello there\r\n\r\n", closes=True),
    Attack(name="no method", data=head("G@T", "/"), closes=True),
    Attack(name="no host", data=b"GET /readyz HTTP/1.1\r\n\r\n", statuses=(403,), closes=True),
    Attack(name="proxy", data=b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", closes=True),
    Attack(
        name="cut in the body",
        data=post(body())[:-10],
        statuses=(0,),
        closes=True,
        ends=True,
    ),
    Attack(name="cut in the head", data=post(body())[:40], statuses=(0,), closes=True, ends=True),
    Attack(
        name="half closed",
        data=post(body(size=-1)),
        closes=True,
        ends=True,
    ),
)
"""These end the connection."""

HEAD_SLOW = Attack(
    name="slow head", data=b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", statuses=(408,), closes=True
)
BODY_SLOW = Attack(
    name="slow body",
    data=head("POST", PATH, _TYPED, "Content-Length: 1000") + b"{",
    statuses=(408,),
    closes=True,
)
