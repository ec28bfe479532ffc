"""The connections that are open at once: who stays when there are too many.

Guarantees that whoever shows a key in force gets in and stays in, however many others there are and
from whatever address: a connection that never showed one goes first, the oldest before the others,
then idle ones with a key. Why by key and not by address: strangers behind one proxy, or on this
machine, share an address with the operator. No key holds more than half of all, but for stops and
cancels. What strangers send is read a few at a time, so that whoever shows a key waits for at most
those few. It fails by ending the connection that came: nothing was read of it.
"""

import asyncio
import contextlib
import re
import resource
from collections import deque
from collections.abc import Callable
from typing import Protocol

CONNECTIONS_MAX = 1_024
CONNECTION = "arbees.connection"
"""Extension of the scope of a request: `know(key_id, is_urgent=...) -> bool`, see `Slots.know`."""
FILES_BESIDES = 256
"""File descriptors that journal, venues and logs may need besides."""
_CONNECTIONS_MIN = 16
STRANGERS_A_TURN = 8
"""Connections without a key that are read in one turn of the loop, where keys are in use."""
_BEARER = re.compile(rb"\nauthorization:[ \t]*bearer +([!-~]{1,200})", re.IGNORECASE)
_LOOKED_AT = 8_192
"""Bytes of a head in which a key is looked for before its turn."""


class Slot(Protocol):
    """What is known here of a connection."""

    key_id: str | None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being decided for it: it is silent, or does not take its answer."""
        ...

    def drop(self) -> None:
        """End it at once."""
        ...

    def go_on(self) -> None:
        """Read what came: it is its turn."""
        ...


def connections_allowed(most: int = CONNECTIONS_MAX) -> int:
    """
    Return how many connections this process may hold, having asked for room for them.

    A process that is out of file descriptors drops the newest connection, whoever it is of.

    Args:
        most: how many are wanted.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + FILES_BESIDES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        room = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):  # then there are fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
            soft = room
        return max(_CONNECTIONS_MIN, min(most, soft - FILES_BESIDES))
    return most


class Slots:
    """Connections in the order in which they were opened, those without a key apart."""

    def __init__(
        self,
        most: int,
        is_keyed: Callable[[], bool],
        is_key: Callable[[str], bool] = lambda _secret: False,
    ) -> None:
        """
        Begin with none.

        Args:
            most: that are open at once.
            is_keyed: whether keys are in use; then nothing of value is done for whoever shows none.
            is_key: whether a secret is that of a key in force.
        """
        self.most = most
        self._is_keyed = is_keyed
        self._is_key = is_key
        self._line: deque[Slot] = deque()
        self._is_serving = False
        self._strangers: dict[Slot, None] = {}
        self._known: dict[Slot, None] = {}

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._strangers) + len(self._known)

    def add(self, connection: Slot) -> bool:
        """Take a connection; where there are too many, end another one. False = it has no place."""
        if len(self) >= self.most:
            other = self._dispensable()
            if other is None:
                return False
            self.discard(other)
            other.drop()
        self._strangers[connection] = None
        return True

    def discard(self, connection: Slot) -> None:
        """Forget a connection."""
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)

    def know(self, connection: Slot, key_id: str, *, is_urgent: bool) -> bool:
        """
        Note that a connection showed a key in force.

        Args:
            connection: one that is open.
            key_id: whose key.
            is_urgent: whether it asks for a stop or a cancel.

        Returns:
            Whether it may go on: False where the key holds its share of connections already.
        """
        if connection.key_id == key_id:
            return True
        held = sum(other.key_id == key_id for other in self._known)
        if held >= max(1, self.most // 2) and not is_urgent:
            return False
        connection.key_id = key_id
        if self._strangers.pop(connection, False) is None:
            self._known[connection] = None
        return True

    def has_to_wait(self, connection: Slot, data: bytes) -> bool:
        """Tell whether a connection waits for its turn with what it sent: it showed no key."""
        if connection.key_id is not None or not self._is_keyed():
            return False
        found = _BEARER.search(data, 0, _LOOKED_AT)
        return found is None or not self._is_key(found[1].decode("ascii"))

    def line_up(self, connection: Slot) -> None:
        """Let a connection go on when it is its turn."""
        self._line.append(connection)
        if not self._is_serving:
            self._is_serving = True
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        for _ in range(min(STRANGERS_A_TURN, len(self._line))):
            self._line.popleft().go_on()
        self._is_serving = bool(self._line)
        if self._is_serving:
            asyncio.get_running_loop().call_soon(self._serve)

    def _dispensable(self) -> Slot | None:
        if self._strangers and self._is_keyed():
            return next(iter(self._strangers))
        for connections in (self._strangers, self._known):
            for connection in connections:
                if connection.is_idle:
                    return connection
        return None
