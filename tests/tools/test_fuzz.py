"""The fuzzer asks a gateway that runs, and finds what is wrong."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tools.fuzz import Finding, fuzz, one_round
from tools.served import Served

QUICK = ["--phases", "fuzzing,stateful", "--no-shrink"]


def test_gateway_answers_as_documented() -> None:
    """A few hundred cases, calls in a row among them, find nothing, and some become orders."""
    said = fuzz(100, seed=3, examples=3, more=QUICK)
    assert "nothing found" in said
    assert "RequestDenied" in said or "OrderApproved" in said


class Liar(BaseHTTPRequestHandler):
    """Documents one thing and does another."""

    status: ClassVar[int] = 200
    body: ClassVar[dict[str, object]] = {}

    def do_GET(self) -> None:
        status, body = (200, SPEC) if self.path == "/openapi.json" else (self.status, self.body)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


SPEC = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/x": {
            "get": {
                "operationId": "x",
                "responses": {
                    "200": {
                        "description": "x",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/X"}}
                        },
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "X": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
        },
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    },
}


@pytest.fixture
def port() -> Iterator[int]:
    """Serve the liar."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, {"a": 1}, "Server error"),
        (418, {"a": 1}, "(?i)undocumented"),
        (200, {"a": 1, "secret": 2}, "Response violates schema"),
    ],
    ids=["fault", "status", "field"],
)
def test_what_is_wrong_is_found(
    tmp_path: Path, port: int, status: int, body: dict[str, object], said: str
) -> None:
    """Faults, undocumented statuses and undocumented fields are findings."""
    Liar.status, Liar.body = status, body
    served = Served(tmp_path)
    served.port, served.secret = port, "x"
    (tmp_path / "stderr").touch()
    with pytest.raises(Finding, match=said):
        one_round(served, tmp_path, 1, 2, ["--phases", "fuzzing", "--no-shrink"])
