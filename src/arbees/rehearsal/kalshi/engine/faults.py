"""What can be made to go wrong at the simulated Kalshi, by a control endpoint of its own.

Guarantees that a fault happens exactly as often as it was asked for, to the calls that it names,
and that what happened is counted, so that a test can tell that its fault occurred.
"""

from enum import StrEnum
from typing import Any

import msgspec

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.rules import SHARDS


class FaultKind(StrEnum):
    """The closed list of faults."""

    LOST_BEFORE = "lost_before"
    """The connection ends before the exchange took the call."""
    LOST_AFTER = "lost_after"
    """The exchange took it; no answer comes, and the connection ends."""
    LATE = "late"
    """The exchange took it; the answer comes `seconds` later."""
    RESET = "reset"
    """Half an answer, then a reset; taken."""
    ERROR_BEFORE = "error_before"
    """500 without having been taken."""
    ERROR_AFTER = "error_after"
    """500 although it was taken."""
    EMPTY_SUCCESS = "empty_success"
    """A 2xx that names no order."""
    DUPLICATE_FILLS = "duplicate_fills"
    """The stream tells each fill twice."""
    REORDERED_FILLS = "reordered_fills"
    """The stream tells the end of an order before its fills."""
    HIDDEN = "hidden"
    """The order is missing from lists for `seconds`; call `any` = all that there are now."""
    READ_LAG = "read_lag"
    """Reads show what was `seconds` ago, for as long as the fault stands."""
    CANCEL_YET_FILLED = "cancel_yet_filled"
    """A cancel is answered 200 although the order filled in between."""
    PARTIAL_BATCH = "partial_batch"
    """Of a batch every other item fails."""
    RATE_LIMITED = "rate_limited"
    """429."""
    TRADING_PAUSE = "trading_pause"
    """No orders on `shard`, or on all; cancels are taken."""
    EXCHANGE_PAUSE = "exchange_pause"
    STREAM_SILENT = "stream_silent"
    """The streams say nothing, not even a ping, and stay open."""
    STREAM_CLOSED = "stream_closed"
    """The streams are cut, once."""
    STREAM_DOWN = "stream_down"
    """The streams are cut, and refused as they come back."""
    UNREACHABLE = "unreachable"
    """Connections are cut as they come."""
    CLOCK_SKEW = "clock_skew"
    """The exchange's clock is `seconds` ahead."""

    ANSWERED_INSTEAD = "answered_instead"
    """It was taken; the answer is `status` with error `word`, or `body`, or the bytes `hex`."""
    ANSWERED_ONLY = "answered_only"
    """The same without having been taken."""
    EDITED = "edited"
    """The answer with `edits` in it: {"orders/0/client_order_id": null}; `*` = each of a list, a
    place after the last of a list adds one; `drops` = places that are left out."""
    HIDDEN_FILLS = "hidden_fills"
    """Fills that happen within `for_seconds` are missing from lists as long as the fault stands."""

    # Streams: `channel` names which, none = orderbook_delta where one is needed.
    SUBSCRIPTION_LOST = "subscription_lost"
    """Subscriptions end without a word, once, and are listed no more; `ticker` = only of these."""
    LATE_SUBSCRIPTION = "late_subscription"
    """A subscription is confirmed, and begins, `seconds` late."""
    REFUSED_TICKER = "refused_ticker"
    """No book of `ticker` (several with commas): error `code`, 16 if none is named."""
    REFUSED_CHANNEL = "refused_channel"
    """Channel `channel` is refused: error `code`, 8 if none is named."""
    STREAM_ERROR = "stream_error"
    """Error `code` about each subscription of `channel`, once; 10 and 25 end the connection."""
    COMMAND_REFUSED = "command_refused"
    """The next command is answered by error `code`, 27 if none is named; `call` = its word."""
    SEQUENCE_GAP = "sequence_gap"
    """The next message of the channel `call` is lost; its number is used up."""
    REPEATED_MESSAGE = "repeated_message"
    """The next message of the channel `call` comes twice, under the same number."""
    ANSWERS_REPEAT_NUMBER = "answers_repeat_number"
    """Answers about a subscription have the number of the last message again, not the next."""
    YES_PRICE_FORCED = "yes_price_forced"
    """Books are told in prices of Yes, also where `use_yes_price` is false."""
    YES_PRICE_IGNORED = "yes_price_ignored"
    """The side of No is told in its own prices, also where `use_yes_price` is true."""


STANDING = frozenset(
    {
        FaultKind.READ_LAG,
        FaultKind.TRADING_PAUSE,
        FaultKind.EXCHANGE_PAUSE,
        FaultKind.STREAM_SILENT,
        FaultKind.STREAM_DOWN,
        FaultKind.UNREACHABLE,
        FaultKind.CLOCK_SKEW,
        FaultKind.DUPLICATE_FILLS,
        FaultKind.REORDERED_FILLS,
        FaultKind.HIDDEN_FILLS,
        FaultKind.LATE_SUBSCRIPTION,
        FaultKind.REFUSED_TICKER,
        FaultKind.REFUSED_CHANNEL,
        FaultKind.ANSWERS_REPEAT_NUMBER,
        FaultKind.YES_PRICE_FORCED,
        FaultKind.YES_PRICE_IGNORED,
    }
)
"""These stand until they are lifted, or `for_seconds` passed; the others happen `count` times."""


READING = frozenset(
    {
        FaultKind.ANSWERED_INSTEAD,
        FaultKind.ANSWERED_ONLY,
        FaultKind.EDITED,
        FaultKind.HIDDEN_FILLS,
        FaultKind.SUBSCRIPTION_LOST,
        FaultKind.LATE_SUBSCRIPTION,
        FaultKind.REFUSED_TICKER,
        FaultKind.REFUSED_CHANNEL,
        FaultKind.STREAM_ERROR,
        FaultKind.COMMAND_REFUSED,
        FaultKind.SEQUENCE_GAP,
        FaultKind.REPEATED_MESSAGE,
        FaultKind.ANSWERS_REPEAT_NUMBER,
        FaultKind.YES_PRICE_FORCED,
        FaultKind.YES_PRICE_IGNORED,
    }
)
"""These are about what is believed of the world, not about what becomes of a call."""


class ExchangeFault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault, as the control endpoint takes it."""

    kind: FaultKind
    call: str = "create"
    """create, cancel, cancel_all, batch, group, read, any; of a stream: a channel or a command."""
    path: str = ""
    """Only calls of this path after `/trade-api/v2`, whatever `call` says; a `*` at its end."""
    method: str = ""
    status: int = 403
    word: str = "permission_denied"
    """`error.code` of an answer that is made up."""
    body: str = ""
    hex: str = ""
    edits: dict[str, Any] = {}
    drops: list[str] = []
    channel: str = ""
    ticker: str = ""
    shard: int | None = None
    """Of a pause; None = all."""
    code: int = 0
    count: int = 1
    seconds: float = 0.0
    for_seconds: float | None = None
    since_ns: int = 0

    def means(self, call: str, method: str, path: str) -> bool:
        """Tell whether it happens to a call; `path` is that after the root, "" = of no call."""
        if not self.path:
            return self.call in {call, "any"}
        if self.method not in {"", method}:
            return False
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path

    def is_over(self, now_ns: int) -> bool:
        """Tell whether it will not happen any more."""
        if self.kind not in STANDING and self.count <= 0:
            return True
        if self.for_seconds is None:
            return False
        return now_ns >= self.since_ns + int(self.for_seconds * NS_PER_SECOND)


def parse_fault(text: str) -> ExchangeFault:
    """
    Read a fault as it is typed: `kind`, `kind:name=value,...`, or JSON as the control takes it.

    Raises:
        ValueError: it is none; msgspec's errors are such.
    """
    if text.startswith("{"):
        return msgspec.json.decode(text, type=ExchangeFault)
    kind, _, rest = text.partition(":")
    fields: dict[str, str] = {"kind": kind}
    for part in rest.split(",") if rest else ():
        name, separator, value = part.partition("=")
        if not separator:
            raise ValueError(f"Expected name=value, was {part!r}")
        fields[name] = value
    return msgspec.convert(fields, ExchangeFault, strict=False)


class ExchangeFaults:
    """The faults that stand."""

    def __init__(self) -> None:
        """Nothing goes wrong."""
        self._faults: list[ExchangeFault] = []
        self.happened: dict[str, int] = {}

    def add(self, fault: ExchangeFault, now_ns: int) -> None:
        """Let something go wrong."""
        fault.since_ns = now_ns
        self._faults.append(fault)

    def clear(self) -> None:
        """Let everything be well again."""
        self._faults.clear()

    def standing(self, kind: FaultKind, now_ns: int) -> ExchangeFault | None:
        """Return the fault of a kind that stands now."""
        self._faults = [each for each in self._faults if not each.is_over(now_ns)]
        return next((each for each in self._faults if each.kind is kind), None)

    def shards(self, kind: FaultKind, now_ns: int) -> set[int]:
        """Return the shards on which a fault of a kind stands."""
        found: set[int] = set()
        for each in self._faults:
            if each.kind is kind and not each.is_over(now_ns):
                found.update(SHARDS if each.shard is None else [each.shard])
        return found

    def occurs(
        self, call: str, now_ns: int, *kinds: FaultKind, method: str = "", path: str = ""
    ) -> ExchangeFault | None:
        """Return the fault that happens to this call, if one of these does; it is counted."""
        self._faults = [each for each in self._faults if not each.is_over(now_ns)]
        for fault in self._faults:
            if fault.kind in kinds and fault.means(call, method, path):
                fault.count -= fault.kind not in STANDING
                self.happened[fault.kind] = self.happened.get(fault.kind, 0) + 1
                return fault
        return None
