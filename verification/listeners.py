"""Listeners: follow the events of a gateway over several connections, and vouch for what was heard.

`python -m verification.listeners URL COUNT`. Guarantees that each listener checks by itself that
every record comes once and in order, over any number of connections, and keeps a digest of all it
heard, so that two hearings can be compared without keeping either. Some records are kept whole. A
line on stdin, a sequence, says where to end; then each listener prints one line of JSON. It reads
bytes by its own rules and not by those of the client, so that neither vouches for the other.
"""

import contextlib
import hashlib
import http.client
import socket
import sys
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

KEEP_EVERY = 97
"""So many records apart, one is kept whole."""
SILENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05
_PIECE_BYTES = 262_144


class Hearing(msgspec.Struct):
    """What one listener heard."""

    last: int = 0
    """Sequence of the last record."""
    size: int = 0
    """Bytes of events."""
    digest: str = ""
    """SHA-256 of all events as they came."""
    connections: int = 0
    behind: float = 0.0
    """Seconds until the slowest one had heard the record that was named."""
    faults: list[str] = []
    kept: list[tuple[int, str]] = []
    """Sequence and data of some records."""


class Listener:
    """Follows the events in a thread of its own."""

    def __init__(self, url: str) -> None:
        """Prepare to follow the gateway at a URL."""
        self.hearing = Hearing()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._url = urlsplit(url)
        self._hash = hashlib.sha256()
        self._socket: socket.socket | None = None
        self._is_over = False

    def end(self) -> None:
        """Hear no further, also where nothing comes; then the digest is that of what was heard."""
        self._is_over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(SILENCE_SECONDS)

    def _run(self) -> None:
        while not (self._is_over or self.hearing.faults):
            connection = http.client.HTTPConnection(
                self._url.hostname or "", self._url.port, timeout=SILENCE_SECONDS
            )
            try:
                self._follow(connection)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(PAUSE_SECONDS)
            finally:
                self._socket = None
                connection.close()
        self.hearing.digest = self._hash.hexdigest()

    def _follow(self, connection: http.client.HTTPConnection) -> None:
        """Hear one connection out, from behind the last record that was heard whole."""
        headers = {"Last-Event-ID": str(self.hearing.last)}
        connection.connect()
        self._socket = connection.sock
        connection.request("GET", "/v1/events", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            answer.read()
            time.sleep(PAUSE_SECONDS)
            return
        self.hearing.connections += 1
        rest = b""
        while not self._is_over and (piece := answer.read1(_PIECE_BYTES)):
            *events, rest = (rest + piece).split(b"\n\n")
            for event in events:
                self._hear(event)

    def _hear(self, event: bytes) -> None:
        if not event.startswith(b"id: "):
            if not event.startswith(b":"):
                self.hearing.faults.append(f"neither event nor comment: {event[:100]!r}")
            return
        head, _, data = event.partition(b"\ndata: ")
        sequence = int(head[4:].split(b"\n", 1)[0])
        hearing = self.hearing
        if sequence != hearing.last + 1:
            hearing.faults.append(f"after record {hearing.last} came {sequence}")
            return
        hearing.last = sequence
        hearing.size += len(event)
        self._hash.update(event)
        if sequence % KEEP_EVERY == 1:
            hearing.kept.append((sequence, data.decode()))


def digest_of(events: Sequence[bytes]) -> str:
    """Return the digest of whoever heard exactly these events; each with its blank line."""
    found = hashlib.sha256()
    for event in events:
        found.update(event.removesuffix(b"\n\n"))
    return found.hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Listen until stdin names the last record, and print what was heard."""
    url, count = arguments
    listeners = [Listener(url) for _ in range(int(count))]
    for listener in listeners:
        listener.thread.start()
    last = int(sys.stdin.readline() or "0")
    end = time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < end and not all(_is_through(each.hearing, last) for each in listeners):
        time.sleep(PAUSE_SECONDS)
    behind = time.monotonic() - (end - SILENCE_SECONDS)
    for listener in listeners:
        listener.end()
        listener.hearing.behind = behind
        sys.stdout.write(msgspec.json.encode(listener.hearing).decode() + "\n")
    return 0


def _is_through(hearing: Hearing, last: int) -> bool:
    return hearing.last >= last or bool(hearing.faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
