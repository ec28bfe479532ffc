"""What the endpoints share: the clock, and gateway and follower once there are any.

Guarantees that before the gateway is there every endpoint that needs it answers 503 `STARTING`, so
that the port can be bound, and liveness seen, while the journal is still being read.
"""

import time
from collections.abc import Callable

from arbees.api.http.access import Access
from arbees.api.http.problem import RETRY, Problem
from arbees.interface.views import Follower, Gateway


class Context:
    """
    Shared by the endpoints of one server.

    Attributes:
        now_ns: UTC nanoseconds, for what comes without a time of its own.
        access: lets requests in by their API keys.
    """

    def __init__(
        self,
        gateway: Gateway | None,
        now_ns: Callable[[], int] = time.time_ns,
        follower: Follower | None = None,
        access: Access | None = None,
    ) -> None:
        """Hold gateway and follower, or wait for them; `access` None = by API keys."""
        self.now_ns = now_ns
        self.access = Access() if access is None else access
        self._gateway = gateway
        self._follower = follower

    @property
    def gateway(self) -> Gateway:
        """The gateway. Raises Problem (503, `STARTING`) while there is none."""
        if self._gateway is None:
            raise _starting()
        return self._gateway

    @property
    def is_keyed(self) -> bool:
        """Whether API keys are in use, as far as is known already."""
        return self._gateway is not None and self._gateway.is_keyed

    def is_key(self, secret: str) -> bool:
        """Tell whether a secret is that of a key in force."""
        return self._gateway is not None and self._gateway.authenticate(secret) is not None

    @property
    def follower(self) -> Follower:
        """What reads at length. Raises Problem (503, `STARTING`) while there is none."""
        if self._follower is None:
            raise _starting()
        return self._follower

    def attach(self, gateway: Gateway, follower: Follower | None = None) -> None:
        """Let requests in."""
        self._gateway = gateway
        self._follower = follower


def _starting() -> Problem:
    return Problem(
        503,
        "STARTING",
        "The gateway is starting; nothing was decided. Come again with the same key.",
        headers=(RETRY,),
    )
