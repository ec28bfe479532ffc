"""Who may ask for what: API keys at the door, before anything of a request is read.

Guarantees that once a key was ever made, and always in live trading, nothing but what is open to
everybody is answered without a key in force, and that a key does no more than its scopes and its
strategy allow. Why one answer for no key, an unknown and a revoked one: whoever guesses learns
nothing. Nothing is kept of what is refused. It fails with `Problem`: 401, 403, 429; nothing was
decided and nothing spent.
"""

from collections import deque
from collections.abc import Callable, Iterable

from starlette.types import Scope

from arbees.api.control_room.sessions import Sessions
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Header
from arbees.api.http.slots import CONNECTION
from arbees.core.book.api_keys import KEYS_MAX, ApiKey
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import SCOPE_ALL
from arbees.interface.views import Gateway

MINUTE_NS = 60 * NS_PER_SECOND
CALLER = "arbees.caller"
"""Where the caller stands in the scope of a request."""
_URGENT = frozenset({"cancel", "halt", "resume"})
"""Stops and cancels are never held up by a cap on requests, and do not use it up."""
_CHALLENGE: Header = (b"www-authenticate", b"Bearer")
NO_KEY = (
    "Expected an API key that is in force, as `Authorization: Bearer arb_...`. Whoever runs the "
    "gateway makes one with `arbees keys create`."
)
NO_KEYS_YET = (
    "Live trading needs API keys, and there are none yet. Stop the gateway, make the first with "
    "`arbees keys create --name operator --scope admin --scope read`, and start it again."
)


def is_closed(gateway: Gateway) -> bool:
    """Tell whether nobody is let in before a first key is made: live trading without any."""
    return gateway.is_live and not gateway.is_keyed


class Caller:
    """
    Who asks.

    Attributes:
        key: that came along; None = keys are not in use, and everything is allowed.
    """

    def __init__(self, key: ApiKey | None, gateway: Gateway | None = None) -> None:
        """Hold a key, and the gateway that knows whether it is still in force."""
        self.key = key
        self._gateway = gateway

    @property
    def key_id(self) -> str | None:
        """Of the key; None where keys are not in use."""
        return None if self.key is None else self.key.key_id

    @property
    def strategy(self) -> str | None:
        """The only strategy for which it acts; None = any."""
        return None if self.key is None else self.key.strategy

    def actor(self, otherwise: str) -> str:
        """Return who it is in records; a key is its name, whoever else it says it is."""
        return otherwise if self.key is None else f"key:{self.key.name}"

    def has(self, scope: str) -> bool:
        """Tell whether it may do what a scope stands for."""
        return self.key is None or scope in self.key.scopes

    def require(self, scope: str, what: str) -> None:
        """Refuse it what its key does not allow. Raises Problem (403)."""
        if not self.has(scope):
            raise Problem(403, "SCOPE_REQUIRED", f"Expected a key with the scope {scope} to {what}")

    def permit(self, scopes: tuple[str, ...], sight: str) -> None:
        """Refuse it an endpoint that its key does not allow; see `Endpoint`. Raises Problem."""
        if self.key is None:
            return
        if not any(wanted in self.key.scopes for wanted in scopes):
            raise Problem(
                403,
                "SCOPE_REQUIRED",
                f"Expected a key with the scope {' or '.join(scopes)}, "
                f"this one has {', '.join(self.key.scopes)}",
            )
        if self.strategy is not None and sight == "account":
            raise Problem(
                403,
                "STRATEGY_REFUSED",
                "This concerns the whole account, and the key is bound to strategy "
                f"{self.strategy}",
            )

    def sees(self, strategy: str | None) -> bool:
        """Tell whether it may see what belongs to a strategy."""
        return self.strategy is None or self.strategy == strategy

    def acts_for(self, strategy: str | None) -> str | None:
        """
        Return the strategy for which it submits: the one it names, or the one it is bound to.

        Raises:
            Problem: it is bound to another one (403).
        """
        if self.strategy is None or self.strategy == strategy or strategy is None:
            return strategy if self.strategy is None else self.strategy
        raise self._of_another("strategy", strategy)

    def scope(self, scope: str | None) -> str:
        """
        Return the scope on which it acts: the one it names, or all that it may.

        Args:
            scope: `all`, `platform:X`, ...; None = not named.

        Raises:
            Problem: it is bound to a strategy, and the scope is another one (403).
        """
        if self.strategy is None:
            return SCOPE_ALL if scope is None else scope
        own = f"strategy:{self.strategy}"
        if scope is None or scope == own:
            return own
        raise self._of_another("scope", scope)

    def _of_another(self, field: str, was: str) -> Problem:
        own = self.strategy if field == "strategy" else f"strategy:{self.strategy}"
        return Problem(
            403,
            "STRATEGY_REFUSED",
            f"Expected {own}, to which this key is bound, was {was[:200]!r}",
            field=field,
        )

    @property
    def is_in_force(self) -> bool:
        """Whether its key was not revoked meanwhile."""
        if self.key is None or self._gateway is None:
            return True
        return self._gateway.is_in_force(self.key.key_id)

    def stay(self) -> None:
        """Refuse it if its key was revoked since it came in. Raises Problem (401)."""
        if not self.is_in_force:
            raise refused(NO_KEY)


ANYBODY = Caller(None)


def caller_of(scope: Scope) -> Caller:
    """Return who asks; `admit` has found out."""
    found: Caller = scope.get(CALLER, ANYBODY)
    return found


def refused(detail: str) -> Problem:
    """Return the answer to whoever has no key in force: the same for all of them."""
    return Problem(401, "KEY_REQUIRED", detail, headers=(_CHALLENGE,))


class Access:
    """Lets requests in by their keys; counts those of keys with a cap."""

    def __init__(self) -> None:
        """Begin with nobody counted."""
        self._windows: dict[str, deque[int]] = {}
        self.sessions = Sessions()

    def admit(
        self,
        gateway: Gateway,
        scope: Scope,
        scopes: tuple[str, ...],
        sight: str,
        now_ns: Callable[[], int],
    ) -> Caller:
        """
        Return who asks, if they may.

        Args:
            gateway: that knows the keys.
            scope: of the request, with its headers.
            scopes: of what is asked for; the key needs one of them.
            sight: what keys of one strategy may do there; see `Endpoint`.
            now_ns: the clock.

        Raises:
            Problem: no key in force (401), too many requests (429), not allowed (403).
        """
        if is_closed(gateway):
            raise refused(NO_KEYS_YET)
        if not gateway.is_keyed:
            return ANYBODY
        key = self._key_of(gateway, scope, now_ns)
        if key is None:
            raise refused(NO_KEY)
        is_urgent = _URGENT.issuperset(scopes)
        connection = scope.get("extensions", {}).get(CONNECTION)
        if connection is not None and not connection["know"](key.key_id, is_urgent=is_urgent):
            raise Problem(
                429,
                "KEY_LIMIT",
                "Expected fewer connections of this key at once; nothing was decided. Keep "
                "connections open and use them again.",
                headers=((b"connection", b"close"), (b"retry-after", b"1")),
            )
        if key.requests_per_minute is not None and not is_urgent:
            self._count(key, key.requests_per_minute, now_ns())
        caller = Caller(key, gateway)
        caller.permit(scopes, sight)
        return caller

    def _key_of(self, gateway: Gateway, scope: Scope, now_ns: Callable[[], int]) -> ApiKey | None:
        """
        Return the key in force of a request: its bearer, or that of its session.

        Raises:
            Problem: a session that changes something without the token of our page (403).
        """
        headers = scope["headers"]
        if any(name == b"authorization" for name, _ in headers):
            secret = secret_of(headers)
            return None if secret is None else gateway.authenticate(secret)
        session = self.sessions.find(headers, now_ns())
        if session is None or not gateway.is_in_force(session.key.key_id):
            return None
        if scope["method"] not in {"GET", "HEAD"} and not session.is_ours(headers):
            raise Problem(403, "ORIGIN_REFUSED", "Expected the token of the control room's page")
        return session.key

    def _count(self, key: ApiKey, most: int, now_ns: int) -> None:
        """Count a request. Raises Problem (429), which does not count."""
        window = self._windows.get(key.key_id)
        if window is None:
            if len(self._windows) > KEYS_MAX:
                self._windows.clear()  # of keys that ended long ago, most of them
            window = self._windows[key.key_id] = deque()
        while window and window[0] <= now_ns - MINUTE_NS:
            window.popleft()
        if len(window) < most:
            window.append(now_ns)
            return
        wait_ns = window[0] + MINUTE_NS - now_ns
        seconds = max(1, -(-wait_ns // NS_PER_SECOND))
        raise Problem(
            429,
            "KEY_LIMIT",
            f"Expected at most {most} requests of this key a minute; nothing was decided. "
            f"Come again in {seconds} s with the same key.",
            headers=((b"retry-after", b"%d" % seconds),),
        )


def may_read(gateway: Gateway, headers: Iterable[Header]) -> bool:
    """Tell whether whoever asks for what is open to everybody may know names and amounts too."""
    if not gateway.is_keyed:
        return not gateway.is_live
    secret = secret_of(headers)
    key = None if secret is None else gateway.authenticate(secret)
    return key is not None and "read" in key.scopes and key.strategy is None


def secret_of(headers: Iterable[Header]) -> str | None:
    """Return what comes as a bearer, None where there is none, or two (RFC 6750, section 2.1)."""
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            if found is not None:
                return None
            found = value
    if found is None:
        return None
    scheme, _, rest = found.strip(b" \t").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    try:
        return rest.strip(b" ").decode("ascii")
    except UnicodeDecodeError:
        return None
