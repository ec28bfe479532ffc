"""One application behind one guard.

Guarantees that its paths are those of the table of endpoints, that whatever an endpoint raises
becomes a problem, and that nothing is reached around the guard.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from arbees.api.control_room.room import ControlRoom
from arbees.api.http import problem
from arbees.api.http.context import Context
from arbees.api.http.guard import Guard
from arbees.api.http.routes import routes_of
from arbees.api.table import ENDPOINTS
from arbees.core.language.strict_json import Malformed
from arbees.interface.views import Undecided


def build_app(context: Context, host: str) -> Starlette:
    """
    Return the application.

    Args:
        context: what the endpoints share.
        host: where it listens, which `Host` may name besides loopback.
    """
    app = Starlette(
        routes=[*routes_of(ENDPOINTS, context), *ControlRoom(context, ENDPOINTS).routes()],
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
