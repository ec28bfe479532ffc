"""`arbees top`: the gateway at a glance, as it goes.

Guarantees that it survives the gateway: while there is none it says so in red and goes on looking;
that the terminal is left as it was, however the command ends; and that without a terminal it prints
once. It only reads.
"""

import collections
import contextlib
import os
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console, Group
from rich.live import Live

from arbees.cli.commands.prove.decisions import RecordLine, line_of
from arbees.cli.commands.watch.screen import Seen, lines
from arbees.cli.shared import connection
from arbees.cli.shared.connection import GatewayAddress
from arbees.cli.shared.console import Json, print_json
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import GatewayClient, Unreachable
from arbees.errors import ArbeesError

EVERY_SECONDS = 1.0
EVERY_MIN, EVERY_MAX = 0.1, 60.0
SIZE_MIN = (80, 24)
DECISIONS_KEPT = 100
BACKLOG = 400
"""Records before now that are looked at for the last decisions."""
HEARD_SECONDS = 1.0
"""How long a single print waits for them."""
ANSWER_SECONDS = 3.0
TROUBLES = {
    Exit.UNREACHABLE: "UNREACHABLE",
    Exit.NO_PERMISSION: "REFUSED",
    Exit.UNAVAILABLE: "NOT READY",
}

app = App(name="top")


@app.default
def top(
    *,
    every: Annotated[
        float, Parameter(name=("--every", "-n"), help="Seconds between two looks, 0.1 to 60.")
    ] = EVERY_SECONDS,
    once: Annotated[bool, Parameter(negative="", help="Print once, and end.")] = False,
    as_json: Json = False,
) -> int:
    """Show the gateway live: state, halts, venues, P&L, limits, alerts, the last decisions.

    Goes on through restarts of the gateway. The key q ends it. Where stdout is no terminal it
    prints once.

    Ends with 69 where it prints once and the gateway is not reached.

    Example: `arbees top`

    Example: `arbees top --every 0.5`

    Example: `arbees top --once`
    """
    every = min(EVERY_MAX, max(EVERY_MIN, every))
    where = connection.find()
    connection.tell_doubts(where)
    watch = LiveView(where, every)
    console = Console(highlight=False)
    try:
        if once or as_json or not console.is_terminal or console.is_dumb_terminal:
            return _once(watch, console, as_json=as_json)
        _live(watch, console)
    finally:
        watch.close()
    return Exit.OK


class LiveView:
    """Looks at a gateway again and again, and listens to its events meanwhile."""

    def __init__(self, where: GatewayAddress, every: float) -> None:
        """Prepare; nothing is asked yet."""
        self.seen = Seen(url=where.url, every=every)
        self.code = Exit.OK
        """How a single look would end."""
        self.heard = threading.Event()
        """Set once the events up to now were heard, or cannot be."""
        self._client = GatewayClient(where, ANSWER_SECONDS)
        self._where = where
        self._told: collections.deque[RecordLine] = collections.deque(maxlen=DECISIONS_KEPT)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self) -> Seen:
        """Ask once, and return what is known."""
        seen = self.seen
        try:
            answer = self._client.get("/v1/status", ANSWER_SECONDS)
        except Unreachable as error:
            return self._failed(str(error), Exit.UNREACHABLE)
        if not answer.is_ok:
            return self._failed(answer.problem, of_problem(answer.status))
        seen.status, seen.error, self.code = answer.json, "", Exit.OK
        seen.at = time.strftime("%H:%M:%S")
        seen.safeguards = self._items("/v1/safeguards")
        seen.alerts = self._items("/v1/alerts")
        if self._thread is None:
            head = int(seen.status["journal"]["sequence"])
            self._told.clear()
            self._thread = threading.Thread(
                target=self._listen, args=(max(0, head - BACKLOG), head), daemon=True
            )
            self._thread.start()
        seen.told = tuple(self._told)
        return seen

    def _failed(self, why: str, code: Exit) -> Seen:
        self.seen.error, self.code = why, code
        self.seen.trouble = TROUBLES.get(code, "NO ANSWER")
        return self.seen

    def _items(self, path: str) -> tuple[dict[str, Any], ...]:
        """Return a list that the gateway shows; empty where this key may not see it."""
        try:
            answer = self._client.get(path, ANSWER_SECONDS)
        except Unreachable:
            return ()
        return tuple(answer.json.get("items", ())) if answer.is_ok else ()

    def _listen(self, after: int, until: int) -> None:
        """Follow the events; the client finds the gateway again after each restart."""
        from arbees.client import Client as Follower

        try:
            with Follower(self._where.url, self._where.api_key, sleep=self._pause) as follower:
                if until == 0:
                    self.heard.set()
                for event in follower.events(after):
                    self.seen.note = ""
                    if (line := line_of(event)) is not None:
                        self._told.append(line)
                    if event.sequence >= until:
                        self.heard.set()
                    if self._stopped.is_set():
                        return
        except ArbeesError as error:
            self.seen.note = f"no events: {error}"
            self._thread = None  # the next look begins anew: it may be another journal
        finally:
            self.heard.set()

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise ArbeesError("Nobody looks any more")

    def close(self) -> None:
        """Stop listening."""
        self._stopped.set()


def _once(watch: LiveView, console: Console, *, as_json: bool) -> int:
    watch.look()
    if watch.code is Exit.OK:
        watch.heard.wait(HEARD_SECONDS)
    seen = watch.look() if watch.code is Exit.OK else watch.seen
    seen.keys = False
    if as_json:
        print_json(
            {
                "error": seen.error or None,
                "status": seen.status,
                "safeguards": seen.safeguards,
                "alerts": seen.alerts,
                "decisions": [each._asdict() for each in seen.told],
            }
        )
        return watch.code
    width, height = max(console.width, SIZE_MIN[0]), max(console.height, SIZE_MIN[1])
    drawn = lines(seen, width, height)
    *body, _ = drawn
    while body and not body[-1].plain:
        body.pop()
    for line in body:
        console.print(line, soft_wrap=True)
    return watch.code


def _live(watch: LiveView, console: Console) -> None:
    with _keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            seen = watch.look()
            seen.keys = keys is not None
            live.update(Group(*lines(seen, console.width, console.height)), refresh=True)
            if _is_quit(keys, seen.every):
                return


@contextlib.contextmanager
def _keys() -> Iterator[int | None]:
    """Let single keys be read; None where stdin is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield number
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _is_quit(keys: int | None, seconds: float) -> bool:
    """Wait for the next look, and return whether q was pressed meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if keys is None:
            time.sleep(left)
        elif select.select([keys], [], [], left)[0]:
            pressed = os.read(keys, 64)
            if not pressed or pressed in {b"\x1b", b"\x04"} or b"q" in pressed.lower():
                return True
    return False
