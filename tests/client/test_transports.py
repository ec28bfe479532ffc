"""Both ways of HTTP against a socket that does what a test says: what left, and what did not."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbees.client.async_http import AsyncHttp
from arbees.client.blocking_http import BlockingHttp
from arbees.client.place import ClientAddress, find
from arbees.client.steps import Broken, Call, Heard, Outcome
from arbees.errors import ConfigurationError

Act = Callable[[socket.socket, bytes], None]
"""What a server does with a connection, given the request that came."""

BODY = b'{"a": 1}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nRetry-After: 3\r\n\r\n" + BODY
POST = Call("POST", "/v1/executions?wait=0", b'{"key": "\xc3\xa9"}', seconds=0.5)


class Server:
    """Accepts connections one after the other, and does to each request what is next."""

    def __init__(self) -> None:
        self.bound = socket.create_server(("127.0.0.1", 0))
        self.acts: list[Act] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.bound.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.bound.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        while request := read(connection):
            self.requests.append(request)
            act = self.acts.pop(0)
            act(connection, request)
            if connection.fileno() < 0:
                return

    def close(self) -> None:
        self.bound.close()


def read(connection: socket.socket) -> bytes:
    """Return one request; nothing where there is none any more."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65_536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


def say(data: bytes, *, then_close: bool = False) -> Act:
    """Return an act that answers with bytes."""

    def act(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(data)
        if then_close:
            connection.close()

    return act


def hang(connection: socket.socket, _request: bytes) -> None:
    """Say nothing until the other end gives up."""
    connection.recv(1)
    connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server that a test directs."""
    found = Server()
    yield found
    found.close()


class Both:
    """One way of HTTP as a test uses it: blocking, or on a loop of its own."""

    def __init__(self, place: ClientAddress, *, is_async: bool) -> None:
        self.loop = asyncio.new_event_loop() if is_async else None
        self.slow = AsyncHttp(place) if is_async else None
        self.plain = BlockingHttp(place)

    def ask(self, call: Call) -> Outcome:
        if self.slow is None or self.loop is None:
            return self.plain.ask(call)
        return self.loop.run_until_complete(self.slow.ask(call))

    def follow(self, call: Call) -> tuple[Outcome, bytes]:
        """Return how a stream opened, and all that came of it."""
        if self.slow is None or self.loop is None:
            stream = self.plain.open(call)
            found = b"".join(stream.pieces())
            stream.close()
            return stream.outcome, found
        return self.loop.run_until_complete(self._follow(self.slow, call))

    async def _follow(self, http: AsyncHttp, call: Call) -> tuple[Outcome, bytes]:
        stream = await http.open(call)
        found = b"".join([piece async for piece in stream.pieces()])
        await stream.close()
        return stream.outcome, found

    def close(self) -> None:
        self.plain.close()
        if self.slow is not None and self.loop is not None:
            self.loop.run_until_complete(self.slow.close())
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()


@pytest.fixture(params=[False, True], ids=["blocking", "async"])
def both(server: Server, request: pytest.FixtureRequest) -> Iterator[Both]:
    """Return a way to the server."""
    found = Both(find(server.url + "/prefix", "s3cret", {}), is_async=request.param)
    yield found
    found.close()


def test_what_goes_out(server: Server, both: Both) -> None:
    """Method, path and body as given, the key as a bearer, JSON by its name."""
    server.acts = [say(WHOLE)]
    assert both.ask(POST) == Heard(200, BODY, "3")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert first == b"POST /prefix/v1/executions?wait=0 HTTP/1.1"
    assert body == POST.body
    headers = {line.split(b": ")[0].lower(): line.split(b": ")[1] for line in lines}
    assert headers[b"authorization"] == b"Bearer s3cret"
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"user-agent"].startswith(b"arbees/")


def test_a_connection_is_kept(server: Server, both: Both) -> None:
    """Calls one after the other go over one connection."""
    server.acts = [say(WHOLE)] * 5
    for _ in range(5):
        assert both.ask(POST) == Heard(200, BODY, "3")
    assert server.connections == 1


def test_a_connection_that_was_closed_is_not_used(server: Server, both: Both) -> None:
    """A kept connection that the gateway closed meanwhile leaves no call in doubt."""
    for _ in range(20):
        closed = threading.Event()

        def act(connection: socket.socket, _: bytes, closed: threading.Event = closed) -> None:
            connection.sendall(WHOLE)
            threading.Event().wait(0.005)  # the answer is read before the connection ends
            connection.close()
            closed.set()

        server.acts = [act]
        assert both.ask(POST) == Heard(200, BODY, "3")
        assert closed.wait(5)
    assert len(server.requests) == 20


@pytest.mark.parametrize(
    "act",
    [
        say(WHOLE[:-3], then_close=True),
        say(WHOLE[:20], then_close=True),
        say(b"", then_close=True),
        say(b"nonsense\r\n\r\n", then_close=True),
        say(WHOLE[:-3]),
        hang,
    ],
    ids=["half a body", "half a head", "nothing", "nonsense", "a body that stalls", "silence"],
)
def test_an_answer_that_does_not_come_whole(server: Server, both: Both, act: Act) -> None:
    """Whatever breaks after the request was sent leaves it in doubt, and says so."""
    server.acts = [act, say(WHOLE)]
    outcome = both.ask(POST)
    assert isinstance(outcome, Broken), outcome
    assert outcome.is_sent
    assert both.ask(POST) == Heard(200, BODY, "3")


@pytest.mark.parametrize("is_async", [False, True])
def test_nobody_listens(is_async: bool) -> None:
    """A port at which nobody listens has heard nothing for certain."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    both = Both(find(f"http://127.0.0.1:{port}", "", {}), is_async=is_async)
    for outcome in (both.ask(POST), both.follow(Call("GET", "/v1/events"))[0]):
        assert isinstance(outcome, Broken)
        assert not outcome.is_sent
        assert str(port) in outcome.why
    both.close()


def test_no_redirect_is_followed(server: Server, both: Both) -> None:
    """A redirect is an answer like another: nobody is sent elsewhere with a key."""
    server.acts = [
        say(b"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    ]
    assert both.ask(POST) == Heard(307, b"")


def chunk(data: bytes) -> bytes:
    """Return a piece of a body whose length is not known."""
    return b"%x\r\n%s\r\n" % (len(data), data)


STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (STREAM + chunk(b"abc") + chunk(b"def") + chunk(b""), b"abcdef"),
        (STREAM + chunk(b"abc") + chunk(b"def"), b"abcdef"),
        (STREAM + chunk(b"abc") + b"ff\r\nde", None),
        (STREAM + chunk(b"abc") + b"zz\r\n", None),
        (STREAM, b""),
    ],
    ids=["whole", "cut between", "cut within", "nonsense", "nothing"],
)
def test_a_stream_that_ends(server: Server, both: Both, said: bytes, heard: bytes | None) -> None:
    """However a stream ends, what came before is handed out, and the end is no error."""
    server.acts = [say(said, then_close=True)]
    outcome, found = both.follow(Call("GET", "/v1/events", seconds=1))
    if heard is None:
        assert outcome == Heard(200, b"") or isinstance(outcome, Broken)
        assert b"abcde".startswith(found)
    else:
        assert (outcome, found) == (Heard(200, b""), heard)


def test_a_stream_that_is_refused(server: Server, both: Both) -> None:
    """An error in place of a stream is an answer, with its body."""
    said = json.dumps({"code": "STARTING"}).encode()
    head = b"HTTP/1.1 503 S\r\nRetry-After: 1\r\nContent-Length: %d\r\n\r\n" % len(said)
    server.acts = [say(head + said)]
    assert both.follow(Call("GET", "/v1/events")) == (Heard(503, said, "1"), b"")


def test_a_stream_that_falls_silent(server: Server, both: Both) -> None:
    """Silence longer than was waited for ends it."""
    server.acts = [say(STREAM + chunk(b"abc"))]
    outcome, found = both.follow(Call("GET", "/v1/events", seconds=0.2))
    assert (outcome, found) == (Heard(200, b""), b"abc")


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        (None, {}, "http://127.0.0.1:8321"),
        (None, {"HTTP_PORT": "9000"}, "http://127.0.0.1:9000"),
        (None, {"HTTP_HOST": "::1", "HTTP_PORT": "9000"}, "http://[::1]:9000"),
        (None, {"HTTP_HOST": "0.0.0.0"}, "http://127.0.0.1:8321"),  # noqa: S104 - read only
        (None, {"HTTP_HOST": "::"}, "http://[::1]:8321"),
        (None, {"ARBEES_URL": "https://a.example/b/", "HTTP_PORT": "9"}, "https://a.example:443/b"),
        ("http://localhost:1", {"ARBEES_URL": "http://b.example"}, "http://localhost:1"),
    ],
)
def test_where_it_is(url: str | None, environ: dict[str, str], found: str) -> None:
    """As given, else by the variables that the command line goes by too."""
    assert find(url, None, environ).url == found


@pytest.mark.parametrize("url", ["127.0.0.1:8321", "ftp://a.example", "http://", "http://a:99999"])
def test_no_address(url: str) -> None:
    """What is no address names the setting, and how to write it."""
    with pytest.raises(ConfigurationError, match=r"ARBEES_URL: .*http://127\.0\.0\.1:8321"):
        find(url, None, {})


def test_which_key(tmp_path: Path) -> None:
    """As given, else from the environment, else from the file that it names."""
    place = tmp_path / "key"
    place.write_text("from-file\n")
    environ = {"ARBEES_API_KEY_FILE": str(place)}
    bearer = [
        find(None, key, env).headers.get("Authorization")
        for key, env in (
            ("given", environ),
            (None, environ),
            (None, {**environ, "ARBEES_API_KEY": "from-environment"}),
            (None, {}),
            ("", environ),
        )
    ]
    assert bearer == ["Bearer given", "Bearer from-file", "Bearer from-environment", None, None]
    with pytest.raises(ConfigurationError, match="ARBEES_API_KEY_FILE"):
        find(None, None, {"ARBEES_API_KEY_FILE": str(place) + "-not"})
