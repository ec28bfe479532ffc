"""The way to the gateway: what is certain when there is no answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbees.cli.shared.connection import GatewayAddress
from arbees.cli.shared.http import (
    GatewayAnswer,
    GatewayClient,
    Unreachable,
    encoded,
)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


def client_of(listener: socket.socket, key: str | None = None, path: str = "") -> GatewayClient:
    """Return a client of a listener."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
    return GatewayClient(GatewayAddress(url, key, Path("none")), connect_seconds=1)


def answering(listener: socket.socket, answer: bytes) -> tuple[threading.Thread, list[bytes]]:
    """Answer one request with bytes, whatever it says."""
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, heard


def test_request_names_itself_and_its_key(listener: socket.socket) -> None:
    """The key goes along as a bearer, below the path of the URL."""
    thread, heard = answering(listener, b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}')
    answer = client_of(listener, "secret", "/gate").get("/v1/status")
    thread.join()
    assert answer == GatewayAnswer(200, b'{"a":1}')
    assert heard[0].startswith(b"GET /gate/v1/status HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret\r\n" in heard[0]
    assert b"\r\nUser-Agent: arbees/" in heard[0]


def test_refused_connection_is_certain() -> None:
    """Where nobody listens nothing was heard."""
    with pytest.raises(Unreachable) as refused:
        GatewayClient(GatewayAddress("http://127.0.0.1:1", None, Path("none"))).post("/", b"{}")
    assert not refused.value.is_sent
    assert "Connection refused" in str(refused.value)


@pytest.mark.parametrize("answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-L"])
def test_broken_answer_is_doubtful(listener: socket.socket, answer: bytes) -> None:
    """Once the request is out, whether it was heard is not known."""
    thread, _ = answering(listener, answer)
    with pytest.raises(Unreachable) as refused:
        client_of(listener).post("/", b"{}")
    thread.join()
    assert refused.value.is_sent


def test_silence_is_doubtful(listener: socket.socket) -> None:
    """A gateway that takes the request and says nothing may have heard it."""
    with pytest.raises(Unreachable) as refused:
        client_of(listener).post("/", b"{}", seconds=0.05)
    assert refused.value.is_sent
    assert "no answer in time" in str(refused.value)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"code":"MALFORMED","field":"size","detail":"no"}', "MALFORMED (size): no"),
        (b'{"code":"STARTING","detail":"wait"}', "STARTING: wait"),
        (b"<html>", "HTTP 502: no reason was given"),
        (b"[]", "HTTP 502: no reason was given"),
        (b"\xff", "HTTP 502: no reason was given"),
    ],
)
def test_problem_in_one_line(body: bytes, text: str) -> None:
    """An error reads well, also when it is none of ours."""
    assert GatewayAnswer(502, body).problem == text


def test_numbers_stay_exact() -> None:
    """A number is shown as it was sent."""
    assert str(GatewayAnswer(200, b'{"a": 0.10}').json["a"]) == "0.10"


@pytest.mark.parametrize("make", [encoded])
def test_any_id_fits_into_a_path(make: Callable[[str], str]) -> None:
    """An id is one part of a path."""
    assert make("a/b?c") == "a%2Fb%3Fc"
