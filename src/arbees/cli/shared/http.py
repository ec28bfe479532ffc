"""The command line's way to the gateway: one request, one connection, no retry.

Guarantees that a caller can tell a gateway that was not reached from one that may have heard: only
in the first case it is certain that nothing happened. Uses no proxy. Why no connection is kept: one
that the server closes meanwhile would make a request doubtful that need not be.
"""

import http.client
import json
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from arbees import __version__
from arbees.cli.shared.connection import GatewayAddress
from arbees.errors import without_login

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
_ANSWER_BYTES_MAX = 67_108_864


_HINTS = {
    "KEY_REQUIRED": " This command line takes it from ARBEES_API_KEY.",
    "SCOPE_REQUIRED": ". Set ARBEES_API_KEY to a key that may; see arbees keys list.",
    "STRATEGY_REFUSED": ". Set ARBEES_API_KEY to a key that may; see arbees keys list.",
}
"""What to do here about a key that does not fit, by the code of the refusal."""


class Unreachable(Exception):  # noqa: N818 - an expected outcome
    """
    There is no answer.

    Attributes:
        is_sent: whether the gateway may have heard; otherwise nothing happened for certain.
    """

    def __init__(self, message: str, *, is_sent: bool) -> None:
        """Say what went wrong, and whether the request had left."""
        self.is_sent = is_sent
        super().__init__(message)


class GatewayAnswer(NamedTuple):
    """What the gateway said."""

    status: int
    body: bytes

    @property
    def is_ok(self) -> bool:
        """Whether it is no error."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body with exact numbers; an empty object where it is no JSON object."""
        try:
            found = json.loads(self.body, parse_float=Decimal)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def problem(self) -> str:
        """One line about an error: code, field, detail."""
        found = self.json
        code = found.get("code", f"HTTP {self.status}")
        field = f" ({found['field']})" if "field" in found else ""
        hint = _HINTS.get(code, "")
        return f"{code}{field}: {found.get('detail', 'no reason was given')}{hint}"


class GatewayClient:
    """Speaks to one gateway."""

    def __init__(self, place: GatewayAddress, connect_seconds: float = CONNECT_SECONDS) -> None:
        """
        Prepare; nothing is connected yet.

        Args:
            place: where the gateway is.
            connect_seconds: how long to wait for a connection.
        """
        parts = urlsplit(place.url)
        self._is_secure = parts.scheme == "https"
        self.host = parts.hostname or "127.0.0.1"
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._connect_seconds = connect_seconds
        self._headers = {"User-Agent": f"arbees/{__version__}", "Accept": "application/json"}
        if place.api_key is not None:
            self._headers["Authorization"] = f"Bearer {place.api_key}"
        self.url = without_login(place.url)

    def get(self, path: str, seconds: float = ANSWER_SECONDS) -> GatewayAnswer:
        """Read something. Raises Unreachable."""
        return self._ask("GET", path, None, seconds)

    def post(self, path: str, body: bytes, seconds: float = ANSWER_SECONDS) -> GatewayAnswer:
        """
        Send a JSON body.

        Args:
            path: below the gateway's URL.
            body: JSON.
            seconds: how long to wait for each piece of the answer.

        Raises:
            Unreachable: there is no answer.
        """
        return self._ask("POST", path, body, seconds)

    def delete(self, path: str, seconds: float = ANSWER_SECONDS) -> GatewayAnswer:
        """Remove or end something. Raises Unreachable."""
        return self._ask("DELETE", path, None, seconds)

    def _ask(self, method: str, path: str, body: bytes | None, seconds: float) -> GatewayAnswer:
        kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        connection = kind(self.host, self._port, timeout=self._connect_seconds)
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise Unreachable(f"{self.url}: {_why(error)}", is_sent=False) from None
        try:
            connection.sock.settimeout(seconds)
            connection.request(method, self._prefix + path, body, headers)
            response = connection.getresponse()
            answer = GatewayAnswer(response.status, response.read(_ANSWER_BYTES_MAX))
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.url}: {_why(error)}", is_sent=True) from None
        finally:
            connection.close()
        if answer.is_ok and not answer.json:
            raise Unreachable(f"{self.url}: the answer cannot be read", is_sent=True)
        return answer


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def sendable(text: str) -> str:
    """Return a text that can be sent: bytes of a terminal that are no text become `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def encoded(name: str) -> str:
    """Return an id as a part of a path."""
    return quote(sendable(name), safe="")
