"""Who asks and why, as operators say it in a query or a body.

Guarantees that whatever is journaled about a person's act names somebody, and says why in printable
text of a bounded length. It fails with `Malformed`, but for the way out: no form of these words
keeps anybody from a cancel or from closing what is held (P13).
"""

from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.core.book.api_keys import REASON_MAX
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Malformed

ASKED = "asked for"
"""Why, where nobody says so."""


def reason_of(text: str) -> str:
    """Return a reason without blanks around it. Raises Malformed."""
    reason = text.strip()
    if not (0 < len(reason) <= REASON_MAX and reason.isprintable()):
        expected = f"Expected printable text of 1 to {REASON_MAX} characters"
        raise Malformed("reason", f"{expected}, was {strict_json.shown(text)}")
    return reason


def reason_out_of(text: str) -> str:
    """Return why somebody wants out: cut, and made printable where it is not."""
    return plain(text.strip())[:REASON_MAX] or ASKED


def plain(text: str) -> str:
    """Return a text with `?` in the place of what cannot be printed."""
    return "".join(each if each.isprintable() else "?" for each in text)


def actor_out_of(request: Request, named: str | None) -> str:
    """Return who wants out, as `actor_of`: a name that is none keeps nobody from it."""
    text = "".join(each if each.isascii() else "?" for each in plain(named or ""))
    return actor_of(request, text[: strict_json.ID_MAX] or None)


def actor_of(request: Request, named: str | None) -> str:
    """
    Return who asks: the API key's name, else whoever it says it is, else where it asks from.

    Raises:
        Malformed: a name that is none.
    """
    client = request.client.host if request.client else "unknown"
    told = client if named is None else strict_json.identifier("actor", named)
    return caller_of(request.scope).actor(told)
