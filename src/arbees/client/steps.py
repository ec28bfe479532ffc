"""What a conversation with the gateway is made of: calls, pauses, and what was heard.

Guarantees that whatever decides (what to send, when to come again, what an answer means) does no
I/O and reads no clock of its own: a conversation is a generator that yields `Call`s and `Pause`s
and is sent what came of them. So there is one of each for the blocking client, the asynchronous
one, the gateway inside one's own process, and the tests.
"""

from collections.abc import Generator, Mapping
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Call(msgspec.Struct, frozen=True):
    """One request to the gateway."""

    method: str
    path: str
    """With the query."""
    body: bytes | None = None
    """JSON."""
    seconds: float = 10.0
    """How long to wait for the answer."""
    headers: Mapping[str, str] = {}


class Pause(msgspec.Struct, frozen=True):
    """A time to wait."""

    seconds: float


class Heard(msgspec.Struct, frozen=True):
    """An answer."""

    status: int
    body: bytes
    retry_after: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether it is no error."""
        return 200 <= self.status < 300


class Broken(msgspec.Struct, frozen=True):
    """No answer, or not the whole of one."""

    why: str
    is_sent: bool
    """Whether the gateway may have heard."""


Outcome = Heard | Broken
Steps = Generator[Call | Pause, Outcome | None, T]
"""A conversation that ends with a T; it is sent an `Outcome` for a `Call`, None for a `Pause`."""


def ask(call: Call) -> Steps[Outcome]:
    """Make one call."""
    outcome = yield call
    assert outcome is not None, "a call has an outcome"
    return outcome
