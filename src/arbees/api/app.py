"""The routes: one application behind one guard.

Guarantees that every path stands here once, that whatever an endpoint raises becomes a problem, and
that nothing is reached around the guard.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from arbees.api import problem
from arbees.api.context import Context
from arbees.api.executions import Executions
from arbees.api.guard import Guard
from arbees.api.kill_switch import KillSwitch
from arbees.api.quotes import Quotes
from arbees.api.status import Status
from arbees.core.views import Undecided
from arbees.core.wire import Malformed


def build_app(context: Context, host: str) -> Starlette:
    """
    Return the application.

    Args:
        context: what the endpoints share.
        host: where it listens, which `Host` may name besides loopback.
    """
    executions, quotes = Executions(context), Quotes(context)
    kill_switch, status = KillSwitch(context), Status(context)
    app = Starlette(
        routes=[
            Route("/v1/executions", executions),
            Route("/v1/executions/{request_id:path}", executions.by_request_id),
            Route("/v1/quotes", quotes.feed, methods=["POST"]),
            Route("/v1/settlements", quotes.settle, methods=["POST"]),
            Route("/v1/kill-switch", kill_switch.act, methods=["GET", "POST"]),
            Route("/v1/kill-switch/receipts/{receipt_id:path}", kill_switch.receipt),
            Route("/v1/status", status.status),
            Route("/healthz", status.alive),
            Route("/readyz", status.ready),
        ],
        middleware=[Middleware(Guard, host)],
        exception_handlers={
            problem.Problem: problem.on_problem,
            Malformed: problem.on_malformed,
            Undecided: problem.on_undecided,
            HTTPException: problem.on_routing,
            Exception: problem.on_fault,
        },
    )
    app.router.redirect_slashes = False
    return app
