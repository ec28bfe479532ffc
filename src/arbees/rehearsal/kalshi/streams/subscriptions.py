"""Commands of a stream of the simulated Kalshi: subscribe, change, list, and what it refuses.

Guarantees that a list of subscriptions names exactly those that there are, whatever was confirmed
once; that a market which is over, put away or unknown is refused by name, and the others are not;
and that an error about a subscription has its number in the sequence.

Source: the AsyncAPI document of 2026-08-22 and Kalshi's changelog to 2026-10-15.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from arbees.rehearsal.kalshi.engine.faults import ExchangeFault, FaultKind
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.streams import messages
from arbees.rehearsal.kalshi.streams.lines import (
    BOOKS,
    CHANNELS,
    SEQUENCED,
    StreamConnection,
    Subscription,
)

MARKET_NOT_FOUND = 16
UNKNOWN_CHANNEL = 8
TERMINAL = frozenset({10, 25})
"""Errors that end the connection; no other does."""
WORDS = {
    1: "Unable to process message",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    9: "Authentication required",
    10: "Channel error",
    13: "Unsupported action",
    14: "Market Ticker required",
    16: "Market not found",
    17: "Internal error",
    18: "Command timeout",
    25: "Subscription buffer overflow",
    26: "Subscription market limit exceeded",
    27: "Too many requests",
}
Say = Callable[[StreamConnection, "dict[str, Any] | bytes"], None]
Sleep = Callable[[float], Awaitable[None]]
Later = Callable[[float, Callable[[], None]], None]


class Subscribing:
    """What the commands of all connections do."""

    def __init__(self, desk: CallContext, say: Say, later: Later) -> None:
        """
        Serve a desk.

        Args:
            desk: exchange and faults.
            say: sends a message to a connection.
            later: does something after so many seconds of the exchange's clock.
        """
        self._desk = desk
        self._say = say
        self._later = later

    def command(self, line: StreamConnection, text: str) -> None:
        """Do what a connection asks."""
        try:
            command = json.loads(text)
            params = command.get("params") or {}
            word, number = command["cmd"], command.get("id")
        except (ValueError, KeyError, AttributeError):
            self.error(line, None, 1)
            return
        refused = self._occurs(FaultKind.COMMAND_REFUSED, word)
        if refused is not None:
            self.error(line, number, refused.code or 27)
        elif word == "subscribe":
            self._subscribe_in_time(line, number, params)
        elif word == "unsubscribe":
            self._unsubscribe(line, number, params)
        elif word == "update_subscription":
            self._update(line, number, params)
        elif word == "list_subscriptions":
            held = [{"channel": each.channel, "sid": each.sid} for each in line.of("")]
            self._say(line, {"type": "ok", "id": number, "msg": held})
        else:
            self.error(line, number, 5)

    def error(
        self,
        line: StreamConnection,
        number: int | None,
        code: int,
        about: Subscription | None = None,
        *,
        ticker: str = "",
    ) -> None:
        """
        Say that something went wrong.

        Args:
            line: to whom.
            number: of the command; None = of none.
            code: of the document.
            about: the subscription that it is about.
            ticker: the market that it is about.
        """
        said: dict[str, Any] = {"code": code, "msg": WORDS.get(code, "Unknown error")}
        if ticker:
            said["market_ticker"] = ticker
        message: dict[str, Any] = {"type": "error", "msg": said}
        if number is not None:
            message["id"] = number
        self._say(line, message if about is None else self._numbered(about, message))
        if code in TERMINAL:
            line.queue.put_nowait(None)

    def _occurs(self, kind: FaultKind, call: str) -> ExchangeFault | None:
        return self._desk.faults.occurs(call, self._desk.exchange.now_ns(), kind)

    def _standing(self, kind: FaultKind) -> ExchangeFault | None:
        return self._desk.faults.standing(kind, self._desk.exchange.now_ns())

    def _numbered(self, made: Subscription, message: dict[str, Any]) -> dict[str, Any]:
        """Return an answer about a subscription with its number: the next, or the last again."""
        repeats = self._standing(FaultKind.ANSWERS_REPEAT_NUMBER) is not None
        return made.number(message, repeats=repeats)

    def _unsubscribe(
        self, line: StreamConnection, number: int | None, params: dict[str, Any]
    ) -> None:
        sids = params.get("sids") or []
        if not sids:
            self.error(line, number, 4)
        for sid in sids:
            made = line.subscriptions.pop(sid, None)
            if made is None:
                self.error(line, number, 7)
            else:
                self._say(line, made.number({"type": "unsubscribed", "id": number}))

    # Subscribing -------------------------------------------------------------------------------

    def _subscribe_in_time(
        self, line: StreamConnection, number: int | None, params: dict[str, Any]
    ) -> None:
        late = self._standing(FaultKind.LATE_SUBSCRIPTION)
        channels = params.get("channels") or []
        if late is None or (late.channel and late.channel not in channels):
            self._subscribe(line, number, params)
        else:
            self._later(late.seconds, lambda: self._subscribe(line, number, params))

    def _subscribe(
        self, line: StreamConnection, number: int | None, params: dict[str, Any]
    ) -> None:
        tickers = set(params.get("market_tickers") or [])
        if "market_ticker" in params:
            tickers.add(params["market_ticker"])
        if not params.get("channels"):
            self.error(line, number, 3)
        for channel in params.get("channels", []):
            refused = self._standing(FaultKind.REFUSED_CHANNEL)
            if channel not in CHANNELS or (refused is not None and refused.channel == channel):
                code = refused.code if refused is not None and refused.code else UNKNOWN_CHANNEL
                self.error(line, number, code)
            elif channel == BOOKS and not tickers:
                self.error(line, number, 14)
            else:
                self._open(line, number, channel, frozenset(tickers), params)

    def _open(
        self,
        line: StreamConnection,
        number: int | None,
        channel: str,
        tickers: frozenset[str],
        params: dict[str, Any],
    ) -> None:
        refused = self._refused(tickers) if channel == BOOKS else {}
        taken = tickers - refused.keys()
        made = None
        if taken or not refused:
            is_yes_priced = bool(params.get("use_yes_price", False))
            made = line.subscribe(channel, taken, is_yes_priced=is_yes_priced)
            said = {"channel": channel, "sid": made.sid}
            self._say(line, {"type": "subscribed", "id": number, "msg": said})
        for ticker, code in refused.items():
            self.error(line, number, code, made, ticker=ticker)
        if made is not None and channel == BOOKS:
            for ticker in sorted(taken):
                self.snapshot(line, made, ticker)

    def _refused(self, tickers: frozenset[str]) -> dict[str, int]:
        """Return the markets that no book is told of, and the code of the error."""
        fault = self._standing(FaultKind.REFUSED_TICKER)
        named = set() if fault is None else set(fault.ticker.split(","))
        found: dict[str, int] = {}
        for ticker in sorted(tickers):
            market = self._desk.exchange.markets.get(ticker)
            if fault is not None and ticker in named:
                found[ticker] = fault.code or MARKET_NOT_FOUND
            elif market is None or market.is_archived or market.settled_ns:
                found[ticker] = MARKET_NOT_FOUND
        return found

    def _update(self, line: StreamConnection, number: int | None, params: dict[str, Any]) -> None:
        made = line.subscriptions.get((params.get("sids") or [params.get("sid")])[0])
        tickers = frozenset(params.get("market_tickers") or [])
        action = params.get("action")
        if made is None:
            self.error(line, number, 7)
            return
        if action not in {"add_markets", "delete_markets", "get_snapshot"}:
            self.error(line, number, 13, made)
            return
        is_book = made.channel == BOOKS
        refused = self._refused(tickers) if is_book and action != "delete_markets" else {}
        tickers -= refused.keys()
        if action == "add_markets":
            made.tickers |= tickers
        elif action == "delete_markets":
            made.tickers -= tickers
        for ticker, code in refused.items():
            self.error(line, number, code, made, ticker=ticker)
        if tickers:
            said = {"type": "ok", "id": number, "msg": {"market_tickers": sorted(made.tickers)}}
            self._say(line, self._numbered(made, said))
        if is_book and action != "delete_markets":
            for ticker in sorted(tickers):
                self.snapshot(line, made, ticker)

    # Books -------------------------------------------------------------------------------------

    def is_yes_priced(self, made: Subscription) -> bool:
        """Tell in whose prices the side of No is told: as asked, unless a fault has its own way."""
        if self._standing(FaultKind.YES_PRICE_FORCED):
            return True
        return made.is_yes_priced and not self._standing(FaultKind.YES_PRICE_IGNORED)

    def snapshot(self, line: StreamConnection, made: Subscription, ticker: str) -> None:
        """Tell a whole book."""
        market = self._desk.exchange.markets.get(ticker)
        if market is not None:
            said = messages.snapshot_message(market, is_yes_priced=self.is_yes_priced(made))
            self.tell(line, made, "orderbook_snapshot", said)

    def tell(
        self, line: StreamConnection, made: Subscription, kind: str, said: dict[str, Any]
    ) -> None:
        """Send a message of a subscription; a fault loses it, or numbers it wrongly."""
        now_ns = self._desk.exchange.now_ns()
        message: dict[str, Any] = {"type": kind, "sid": made.sid, "msg": said}
        if made.channel in SEQUENCED:
            message = made.number(message)
        message["sending_ts_ms"] = now_ns // 1_000_000
        if self._desk.faults.occurs(made.channel, now_ns, FaultKind.SEQUENCE_GAP):
            return
        self._say(line, message)
        if self._desk.faults.occurs(made.channel, now_ns, FaultKind.REPEATED_MESSAGE):
            self._say(line, message)


def after(sleep: Sleep, tasks: set[asyncio.Task[None]]) -> Later:
    """Return what does something later, on a clock; `tasks` holds what is still to be done."""

    async def wait(seconds: float, do: Callable[[], None]) -> None:
        await sleep(seconds)
        do()

    def later(seconds: float, do: Callable[[], None]) -> None:
        task = asyncio.create_task(wait(seconds, do))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return later
