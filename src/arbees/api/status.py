"""`/v1/status`, `/healthz` and `/readyz`: how the gateway is.

Guarantees that `/healthz` answers as long as the process serves, and that `/readyz` says 200 as
long as requests are decided, which a halted gateway does (by denying), with the reasons.
"""

from starlette.requests import Request

from arbees.api.context import Context
from arbees.api.problem import RETRY, Problem
from arbees.api.reply import Reply, json_reply

_ALIVE = json_reply({"alive": True})


class Status:
    """The endpoints that say how the gateway is."""

    def __init__(self, context: Context) -> None:
        """Look at a gateway."""
        self._context = context

    async def status(self, _request: Request) -> Reply:
        """Answer `GET /v1/status`."""
        return json_reply(self._context.gateway.status())

    async def alive(self, _request: Request) -> Reply:
        """Answer `GET /healthz`."""
        return _ALIVE

    async def ready(self, _request: Request) -> Reply:
        """Answer `GET /readyz`."""
        now = self._context.gateway.readiness()
        if now.ready:
            return json_reply(now)
        raise Problem(
            503,
            "NOT_READY",
            "; ".join(now.reasons) or "The gateway decides nothing now",
            headers=(RETRY,),
            ready=False,
            reasons=now.reasons,
        )
