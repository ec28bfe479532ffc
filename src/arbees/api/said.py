"""Who asks and why, as operators say it in a query or a body.

Guarantees that whatever is journaled about a person's act names somebody, and says why in printable
text of a bounded length. It fails with `Malformed`.
"""

from starlette.requests import Request

from arbees.api.access import caller_of
from arbees.core import wire
from arbees.core.access import REASON_MAX
from arbees.core.wire import Malformed


def reason_of(text: str) -> str:
    """Return a reason without blanks around it. Raises Malformed."""
    reason = text.strip()
    if not (0 < len(reason) <= REASON_MAX and reason.isprintable()):
        expected = f"Expected printable text of 1 to {REASON_MAX} characters"
        raise Malformed("reason", f"{expected}, was {wire.shown(text)}")
    return reason


def actor_of(request: Request, named: str | None) -> str:
    """
    Return who asks: the API key's name, else whoever it says it is, else where it asks from.

    Raises:
        Malformed: a name that is none.
    """
    client = request.client.host if request.client else "unknown"
    told = client if named is None else wire.identifier("actor", named)
    return caller_of(request.scope).actor(told)
