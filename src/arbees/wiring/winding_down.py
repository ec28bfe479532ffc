"""Paper trading beside a live journal with open orders: they are shown, found out and cancelled.

Guarantees that a switch back to paper forgets no live order: each that the live journal has open
or unknown is named at the start and in the status, and where the account's credentials are there a
gateway of that journal, which admits nothing and sends nothing, asks for them and cancels them
until the venue shows none. Where they are not, it says what may still work, and how to end it.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable

from arbees.core.book.book import Book, fresh
from arbees.core.book.open_order import Order
from arbees.core.deciding.outcomes import Refusal
from arbees.core.language.units import format_micro
from arbees.core.language.words import Mode, OrderStatus
from arbees.errors import ArbeesError
from arbees.history.recovery import replay
from arbees.interface.views import Undecided
from arbees.journal import JournalReader
from arbees.runtime.intake.commit_thread import Worker
from arbees.settings import Settings
from arbees.settings.authority import credentialed
from arbees.wiring.assembly import Assembly, Files

REASON = "paper trading was started beside them"
LOOK_SECONDS = 1.0
SHOWN_MAX = 20
"""Orders that are named one by one."""
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"

Make = Callable[[Settings, Files, Worker], Assembly]


class WindingDown:
    """The open orders of a live journal, beside paper trading."""

    def __init__(self, settings: Settings, book: Book) -> None:
        """Hold what the live journal says; `run` ends it."""
        self._settings = settings
        self._book = book
        self._trouble = ""

    @property
    def orders(self) -> tuple[Order, ...]:
        """The live orders that are open or unknown by now."""
        return tuple(self._book.orders.values())

    def warnings(self) -> tuple[str, ...]:
        """Return what an operator must not miss, one sentence each; nothing once all is over."""
        orders = self.orders
        if not orders:
            return ()
        names = ", ".join(sorted({str(each.platform) for each in orders}))
        may = f"{len(orders)} live order{'s' * (len(orders) > 1)} may still work at {names}"
        how = self._trouble or "being found out and cancelled"
        shown = tuple(_line(each) for each in orders[:SHOWN_MAX])
        more = len(orders) - len(shown)
        return (f"{may}: {how}", *shown, *((f"and {more} more",) if more else ()))

    def say(self) -> None:
        """Show it, red at a terminal."""
        is_red = sys.stderr.isatty()
        for text in self.warnings():
            sys.stderr.write(f"{_RED}{text}{_PLAIN}\n" if is_red else f"{text}\n")
        sys.stderr.flush()

    def gave_up(self, error: BaseException) -> None:
        """Say that nobody winds them down any more."""
        self._trouble = f"winding them down broke: {error!r}; start again"

    async def run(self, make: Make) -> None:
        """Find the orders out and cancel them; return once the live journal has none open."""
        unable = {each.platform for each in self.orders} - set(credentialed(self._settings))
        if unable:
            names = ", ".join(sorted(unable))
            self._trouble = (
                f"no credentials of {names} are set here, so nothing is cancelled; cancel them at"
                " the venue's own site, or start again with the credentials"
            )
            return
        live = self._settings.varied({}, Mode.LIVE)
        path = self._settings.journal_path(Mode.LIVE)
        with Worker("live journal") as worker:
            try:
                assembly = make(live, Files(path, path.with_suffix(".none"), None), worker)
            except ArbeesError as error:
                self._trouble = f"its journal cannot be taken over: {error}"
                return
            await self._end(assembly)

    async def _end(self, assembly: Assembly) -> None:
        gateway = assembly.gateway
        desk = gateway.desk
        message = "paper trading: this journal is only wound down"
        desk.gate.close(Refusal(code="NOT_AUTHORIZED", message=message))
        try:
            await assembly.start()
            self._book = desk.book
            with contextlib.suppress(Undecided):
                await gateway.cancel_all(scope="all", reason=REASON, actor="arbees")
            while desk.book.orders and desk.writer.poison is None:
                await desk.clock.sleep(LOOK_SECONDS)
        except ArbeesError as error:
            self._trouble = str(error)
        finally:
            await assembly.stop(REASON)


def _line(order: Order) -> str:
    """Return an order in words."""
    name = order.venue_order_id or order.client_order_id
    state = "unknown" if order.status is OrderStatus.UNKNOWN else "open"
    return (
        f"live order {name} ({order.client_order_id}), {state}: {order.action}"
        f" {format_micro(order.remaining)} {order.side} of {order.market_id}"
        f" at {format_micro(order.limit_price)}"
    )


def left_open(settings: Settings) -> WindingDown | None:
    """Return what a live journal beside a paper start has open; None = nothing."""
    path = settings.journal_path(Mode.LIVE)
    if settings.mode is Mode.LIVE or path == settings.journal_path() or not path.exists():
        return None
    book = fresh()
    try:
        with JournalReader(path) as reader:
            replay(reader.records(), book)
    except ArbeesError as error:
        sys.stderr.write(f"The live journal {path} cannot be read: {error}\n")
        return None
    return WindingDown(settings, book) if book.orders else None


@contextlib.asynccontextmanager
async def winding_down(
    found: WindingDown | None, assembly: Assembly, make: Make
) -> AsyncIterator[None]:
    """
    Wind down the live orders beside a paper gateway, for as long as the block lasts.

    Args:
        found: what the live journal has open; None = nothing.
        assembly: the paper gateway.
        make: wires a gateway.
    """
    if found is None:
        yield
        return
    found.say()
    supervisor = assembly.gateway.desk.supervisor
    task = supervisor.once(found.run(make), "wind down live orders", found.gave_up)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
