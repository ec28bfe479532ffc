"""Monitors: what looks by itself, so that nothing waits for a request to be noticed.

Kill-switch file, trading day, marks and daily loss (R9), balances (R3), venues' health (R12),
clock jumps, disk space. Each pass is one short method; the loops only pause in between.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from arbees.core import events
from arbees.core.book.book import Halt, halt_name
from arbees.core.deciding import commands
from arbees.core.deciding.control import REASON_MAX
from arbees.core.deciding.outcomes import BreakerTripped
from arbees.core.language.units import NS_PER_SECOND, format_dollars, mul_floor
from arbees.core.language.words import (
    POOL_SCOPE,
    SCOPE_ALL,
    HaltSource,
    Platform,
    TradingState,
)
from arbees.errors import VenueError
from arbees.runtime.clock import JUMP_MAX_NS
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane

FURTHER_LOSS = 100_000
"""In millionths of MAX_DAILY_LOSS: what more may be lost after its halt was stepped down."""
KILL_FILE_SECONDS = 0.25
MARK_SECONDS = 30.0
BELIEF_SECONDS = 2.0
CLOCK_SECONDS = 1.0
SPACE_SECONDS = 5.0
UNVERIFIED_INTERVALS = 3
"""What has not succeeded for so many of its intervals is said not to be verified."""


Stale = tuple[str, str, str]
"""Name of an alert, platform and market; without a market it is of all books of a venue."""


class Monitors:
    """The watchers of one desk."""

    def __init__(self, desk: Desk, on_reconnect: Callable[[], None]) -> None:
        """
        Watch a desk.

        Args:
            desk: its writer asks `before_batch`, its dispatcher tells `note`.
            on_reconnect: told when a venue is back: what happened meanwhile is to be compared
                (R11).
        """
        self._desk = desk
        self._on_reconnect = on_reconnect
        self._day_ends_ns = 0
        self._probed: set[tuple[Platform, str]] = set()
        self._balances_ns = dict.fromkeys(desk.venues, desk.clock.now_ns())
        """When each venue told its balances last; before that, since when it is asked."""
        self._began_ns = desk.clock.now_ns()
        self._stale: set[Stale] = set()

    def start(self) -> None:
        """Start the loops."""
        self._every(MARK_SECONDS, self.look_at_loss, "daily loss")
        self._every(MARK_SECONDS, self.look_at_orders, "open orders")
        self._desk.supervisor.keep(self._watch_balances, "balances")
        if self._desk.kill_file.path is not None:
            self._every(KILL_FILE_SECONDS, self.look_at_kill_file, "kill-switch file")
        if not self._desk.options.is_inline:
            self._every(BELIEF_SECONDS, self.look_at_prices, "quotes and marks")
            self._every(CLOCK_SECONDS, self.look_at_clock, "clock")
            self._every(SPACE_SECONDS, self.look_at_space, "disk space")

    def _every(self, seconds: float, look: Callable[[], None], name: str) -> None:
        async def watch() -> None:
            while True:
                await self._desk.clock.sleep(seconds)
                look()

        self._desk.supervisor.keep(watch, name)

    # Before each batch -------------------------------------------------------------------------

    def before_batch(self, now_ns: int) -> Sequence[commands.Command]:
        """Return what must be decided before anything else: the file's halt, a new day."""
        new_commands: list[commands.Command] = []
        halt = _file_halt(self._desk)
        if halt is not None:
            new_commands.append(halt)
        if now_ns >= self._day_ends_ns:
            day, self._day_ends_ns = trading_day(now_ns, self._desk.options.zone)
            new_commands.append(commands.OpenDay(day=day, unrealized=self._desk.marks.unrealized))
        return new_commands

    def look_at_kill_file(self) -> None:
        """Wake the writer if the file's halt is not what the book says; it looks itself."""
        if _file_halt(self._desk) is not None:
            self._desk.writer.tell(commands.Record(events=()), Lane.CONTROL)

    # Money -------------------------------------------------------------------------------------

    def look_at_loss(self) -> None:
        """Journal the marks, warn near the daily loss limit, and trip beyond it (R9)."""
        desk = self._desk
        if desk.clock.now_ns() >= self._day_ends_ns:
            # Yesterday's loss is none of today's: open the day first.
            desk.writer.tell(commands.Record(events=()), Lane.CONTROL)
            return
        changed = desk.marks.changed()
        if changed:
            desk.writer.tell(commands.Record(events=(events.Marked(marks=changed),)))
        limit = desk.options.max_daily_loss
        loss = -desk.book.pnl_today(desk.marks.unrealized)
        standing = desk.book.halts.get(halt_name(HaltSource.DAILY_LOSS, SCOPE_ALL))
        is_halted = standing is not None and standing.state is TradingState.HALTED
        if loss > limit and not is_halted and self._has_tripped(loss, standing):
            is_first = standing is None and desk.options.does_loss_reduce
            self.halt(
                HaltSource.DAILY_LOSS,
                f"loss of the day {format_dollars(loss)} exceeds {format_dollars(limit)}",
                state=TradingState.REDUCING if is_first else TradingState.HALTED,
                loss=loss,
            )
        elif loss > mul_floor(limit, desk.options.daily_loss_threshold) and not is_halted:
            desk.alert(
                "DAILY_LOSS_APPROACHING",
                f"Loss of the day {format_dollars(loss)} of {format_dollars(limit)}",
                pnl_today=-loss,
                max_daily_loss=limit,
            )

    def _has_tripped(self, loss: int, standing: Halt | None) -> bool:
        """
        Tell whether a loss over the limit halts.

        Where an operator stepped its halt down to REDUCING, that holds while the loss lasts; a
        further loss of more than a tenth of the limit halts anew.
        """
        if standing is None or standing.loss is None:
            return True
        return loss > standing.loss + mul_floor(self._desk.options.max_daily_loss, FURTHER_LOSS)

    def look_at_prices(self) -> None:
        """Say which quotes and marks nobody renews, and when they are renewed again."""
        desk, found = self._desk, dict(self._stale_prices())
        for (name, platform, market_id), message in found.items():
            desk.alert(name, message, platform=platform, market_id=market_id)
        for name, platform, market_id in _fresh(desk) | self._stale - found.keys():
            if (name, platform, market_id) not in found:
                desk.alert_over(name, platform=platform, market_id=market_id)
        self._stale = set(found)

    def _stale_prices(self) -> Iterator[tuple[Stale, str]]:
        desk, now_ns = self._desk, self._desk.clock.now_ns()
        for platform, data in desk.market_data.items():
            if data.trouble is not None:
                yield ("QUOTES_STALE", str(platform), ""), f"{platform}: {data.trouble}"
        for key in desk.marks.held():
            listing = desk.book.markets[key].listing
            # Not seen since the start: as old as that, until then the first look may be under way.
            age_ns = now_ns - (desk.marks.seen_ns(key) or self._began_ns)
            about = f"{listing.platform} {listing.market_id}"
            text = f"{about}: nothing was told of its book for {age_ns / NS_PER_SECOND:.0f} s"
            if age_ns < 0:  # from the future, by which the safeguards do not judge either
                age_ns = -age_ns
                text = f"{about}: its quote is {age_ns / NS_PER_SECOND:.0f} s from the future"
            if age_ns > desk.options.max_mark_age_ns:
                yield ("MARKS_STALE", listing.platform, listing.market_id), text
            if listing.platform in desk.market_data and age_ns > desk.options.max_quote_age_ns:
                yield ("QUOTES_STALE", listing.platform, listing.market_id), text

    def look_at_orders(self) -> None:
        """Ask the venue for each order that it acknowledged, until it is final (R10)."""
        orders = self._desk.book.orders.values()
        self._desk.dispatcher.carry_out(
            [
                commands.ResolveOrder(order.client_order_id)
                for order in orders
                if order.acknowledged_ns is not None
            ]
        )

    def take_break(self, event: events.BreakOpened) -> None:
        """Halt on a break whose policy says so, wherever it was found: by a list or by an order."""
        if event.policy == "halt":
            text = f"{event.platform} {event.market_key}: expected {event.expected}"
            self.halt(HaltSource.RECONCILIATION, f"{text}, was {event.observed}")

    def halt(
        self,
        source: HaltSource,
        reason: str,
        *,
        scope: str = SCOPE_ALL,
        state: TradingState = TradingState.HALTED,
        loss: int | None = None,
    ) -> None:
        """Halt by itself: in force at once, journaled next; an earlier reason is not lost."""
        standing = self._desk.book.halts.get(halt_name(source, scope))
        if standing is not None:
            is_news = reason not in standing.reason
            reason = f"{standing.reason}; {reason}"[:REASON_MAX] if is_news else standing.reason
        self._desk.gate.halt(source, scope, state, reason, actor="arbees")
        self._desk.writer.tell(
            commands.RaiseHalt(
                source=source,
                scope=scope,
                state=state,
                reason=reason,
                actor="arbees",
                receipt_id=self._desk.receipt_id(),
                loss=loss,
            ),
            Lane.CONTROL,
        )

    def take_trip(self, tripped: BreakerTripped) -> None:
        """Let only what reduces pass in a pool whose breaker at the venue tripped."""
        scope = f"{POOL_SCOPE}{tripped.pool}"
        self.halt(HaltSource.ORDER_GROUP, tripped.reason, scope=scope, state=TradingState.REDUCING)

    def _look_at_balances(self) -> None:
        """Tell who looks where no venue's word on our money came for long."""
        desk = self._desk
        most_ns = UNVERIFIED_INTERVALS * desk.options.balance_interval_ns
        for platform, since_ns in self._balances_ns.items():
            fields = {"belief": "balances", "platform": str(platform)}
            if desk.clock.now_ns() - since_ns > most_ns:
                text = f"{platform} did not tell its balances for {UNVERIFIED_INTERVALS} intervals"
                desk.alert("BELIEF_UNVERIFIED", text, **fields)
            else:
                desk.alert_over("BELIEF_UNVERIFIED", **fields)

    async def _watch_balances(self) -> None:
        while True:
            await self._desk.clock.sleep(self._desk.options.balance_interval_ns / NS_PER_SECOND)
            await self.refresh_balances()
            self._look_at_balances()

    async def refresh_balances(self) -> None:
        """Ask each venue for its own figures; a failure leaves the old ones to grow stale."""
        desk = self._desk
        for platform, venue in desk.venues.items():
            try:
                balances = await venue.balances()
            except VenueError as error:
                self.note(platform, str(error), is_health=error.is_health)
                continue
            self.note(platform, None)
            self._balances_ns[platform] = desk.clock.now_ns()
            for balance in balances:
                desk.facts.balances_ns[balance.pool] = balance.as_of_ns
                desk.writer.tell(commands.ObserveBalance(balance=balance))

    # Venues ------------------------------------------------------------------------------------

    def note(
        self, platform: Platform, error: str | None, *, is_health: bool = True, pool: str = ""
    ) -> None:
        """
        Take one contact with a venue into its breaker; journal what changes.

        Args:
            platform: of the venue.
            error: why it did not work; None = it did.
            is_health: whether the error says that the venue is ill; the breaker counts no other.
            pool: of the order that was spoken of: where it is a shard's, its breaker counts it.
        """
        desk = self._desk
        breaker, shard = desk.conditions.breaker_of(platform, pool), self._shard_of(platform, pool)
        if error is not None:
            desk.alert("VENUE_API_ERRORS", f"{platform}: {error}", platform=str(platform))
            if not is_health:
                return
        if not breaker.note(desk.clock.now_ns(), error) or desk.writer.poison is not None:
            return
        reasons = (breaker.last_error,) if breaker.is_open else ()
        changed = events.VenueStateChanged(
            platform=platform, state=breaker.state, reasons=reasons, shard=shard
        )
        desk.writer.tell(commands.Record(events=(changed,)))
        if not breaker.is_open:
            self._on_reconnect()
            return
        part = "" if shard is None else pool
        if (platform, part) not in self._probed:
            self._probed.add((platform, part))
            probe = partial(self._probe_until_back, platform, part)
            desk.supervisor.keep(probe, f"probe {part or platform}")

    def _shard_of(self, platform: Platform, pool: str) -> int | None:
        return self._desk.conditions.shards(platform).get(pool)

    async def _probe_until_back(self, platform: Platform, pool: str) -> None:
        """Ask a venue whose breaker is open whether it is back, after each pause; by reads."""
        breaker = self._desk.conditions.breaker_of(platform, pool)
        while breaker.is_open:
            await self._desk.clock.sleep(self._desk.options.cooldown_ns / NS_PER_SECOND)
            try:
                await self._desk.venues[platform].balances()
            except VenueError as error:
                self.note(platform, str(error), is_health=error.is_health, pool=pool)
            else:
                self.note(platform, None, pool=pool)
        self._probed.discard((platform, pool))

    # The machine -------------------------------------------------------------------------------

    def look_at_clock(self) -> None:
        """Halt on a jump of the wall clock; follow a small drift."""
        jump = self._desk.clock.jump_ns()
        if abs(jump) <= JUMP_MAX_NS:
            self._desk.clock.slew()
            return
        self._desk.clock.accept_jump()
        self.halt(HaltSource.CLOCK, f"the clock jumped by {jump / NS_PER_SECOND:.1f} s")

    def look_at_space(self) -> None:
        """Halt while there is room left to say so: outcomes and halts still have the reserve."""
        found = self._desk.journal.space()
        name = halt_name(HaltSource.JOURNAL, SCOPE_ALL)
        if found.is_low and name not in self._desk.book.halts:
            self.halt(HaltSource.JOURNAL, f"disk space is low: {found.free_bytes} bytes free")


def trading_day(now_ns: int, zone: ZoneInfo) -> tuple[str, int]:
    """Return the trading day of a moment and when it ends, in a zone; DST days are 23 or 25 h."""
    moment = datetime.fromtimestamp(now_ns // NS_PER_SECOND, zone)
    day = moment.date()
    tomorrow = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
    return day.isoformat(), int(tomorrow.timestamp()) * NS_PER_SECOND


def _file_halt(desk: Desk) -> commands.RaiseHalt | commands.LiftHalt | None:
    reason = desk.kill_file.reason()
    is_halted = halt_name(HaltSource.FILE, SCOPE_ALL) in desk.book.halts
    if reason is not None and not is_halted:
        return commands.RaiseHalt(
            source=HaltSource.FILE,
            scope=SCOPE_ALL,
            state=TradingState.HALTED,
            reason=reason,
            actor="file",
            receipt_id=desk.receipt_id(),
        )
    if reason is None and is_halted:
        return commands.LiftHalt(
            sources=(HaltSource.FILE,),
            scope=SCOPE_ALL,
            reason="kill switch file was removed",
            actor="file",
        )
    return None


def _fresh(desk: Desk) -> set[Stale]:
    """Return what may have been stale: also an alert of an earlier process ends."""
    found: set[Stale] = {("QUOTES_STALE", str(name), "") for name in desk.market_data}
    for key in desk.marks.held():
        listing = desk.book.markets[key].listing
        for name in ("MARKS_STALE", "QUOTES_STALE"):
            found.add((name, listing.platform, listing.market_id))
    return found
