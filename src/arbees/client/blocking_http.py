"""HTTP for the blocking client, over the standard library: a few kept connections, no retry.

Guarantees that a connection which the gateway closed meanwhile is not used, that what was sent is
told from what was not, and that several threads may share it. It decides nothing.
"""

import http.client
import select
from collections import deque
from collections.abc import Iterator

from arbees.client.place import ClientAddress
from arbees.client.steps import Broken, Call, Heard, Outcome

CONNECT_SECONDS = 3.0
KEPT_MAX = 16
ANSWER_BYTES_MAX = 67_108_864
_PIECE_BYTES = 65_536
_FAULTS = (OSError, http.client.HTTPException)


class HttpStream:
    """An answer that goes on."""

    def __init__(
        self,
        outcome: Outcome,
        connection: http.client.HTTPConnection | None = None,
        response: http.client.HTTPResponse | None = None,
    ) -> None:
        """Hold an answer; without a response there is nothing to come."""
        self.outcome = outcome
        self._connection = connection
        self._response = response

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes, until it ends or breaks."""
        if self._response is None:
            return
        try:
            while piece := self._response.read1(_PIECE_BYTES):
                yield piece
        except (*_FAULTS, ValueError):
            return

    def close(self) -> None:
        """Drop it; idempotent."""
        if self._connection is not None:
            self._connection.close()


class BlockingHttp:
    """Speaks HTTP to one gateway, from any thread."""

    def __init__(self, place: ClientAddress, connect_seconds: float = CONNECT_SECONDS) -> None:
        """
        Prepare; nothing is connected yet.

        Args:
            place: where the gateway is.
            connect_seconds: how long to wait for a connection.
        """
        self._place = place
        self._connect_seconds = connect_seconds
        self._kept: deque[http.client.HTTPConnection] = deque()

    def ask(self, call: Call) -> Outcome:
        """Make one call."""
        connection = self._kept_one() or self._connect()
        if isinstance(connection, Broken):
            return connection
        try:
            response = self._send(connection, call)
            body = _whole(response)
        except _FAULTS as error:
            connection.close()
            return Broken(self._why(error), is_sent=True)
        except BaseException:
            connection.close()
            raise
        if response.will_close or not response.isclosed() or len(self._kept) >= KEPT_MAX:
            connection.close()
        else:
            self._kept.append(connection)
        return Heard(response.status, body, response.getheader("Retry-After"))

    def open(self, call: Call) -> HttpStream:
        """Make a call whose answer goes on, over a connection of its own."""
        connection = self._connect()
        if isinstance(connection, Broken):
            return HttpStream(connection)
        try:
            response = self._send(connection, call)
            if response.status == 200:
                return HttpStream(Heard(200, b""), connection, response)
            body = _whole(response)
        except _FAULTS as error:
            connection.close()
            return HttpStream(Broken(self._why(error), is_sent=True))
        connection.close()
        return HttpStream(Heard(response.status, body, response.getheader("Retry-After")))

    def close(self) -> None:
        """Close what is kept; idempotent."""
        while self._kept:
            self._kept.pop().close()

    def _kept_one(self) -> http.client.HTTPConnection | None:
        while True:
            try:
                connection = self._kept.pop()
            except IndexError:
                return None
            if not _is_readable(connection):
                return connection
            connection.close()  # closed by the gateway, or it speaks unasked

    def _connect(self) -> http.client.HTTPConnection | Broken:
        place = self._place
        kind = http.client.HTTPSConnection if place.is_secure else http.client.HTTPConnection
        connection = kind(place.host, place.port, timeout=self._connect_seconds)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            return Broken(self._why(error), is_sent=False)
        return connection

    def _send(self, connection: http.client.HTTPConnection, call: Call) -> http.client.HTTPResponse:
        connection.sock.settimeout(call.seconds)
        headers = {**self._place.headers, **call.headers}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(call.method, self._place.prefix + call.path, call.body, headers)
        return connection.getresponse()

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"{self._place.url}: no answer in time"
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"{self._place.url}: {text}"


def _whole(response: http.client.HTTPResponse) -> bytes:
    """Read a body; what was cut short, or is too long, is an error and never half an answer."""
    if not response.chunked and response.length is None:
        raise http.client.HTTPException("an answer of unknown length")
    body = response.read(ANSWER_BYTES_MAX)
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _is_readable(connection: http.client.HTTPConnection) -> bool:
    """Tell whether something came that nobody asked for, such as the end."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
