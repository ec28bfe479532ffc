"""Reconciliation (R11): what the venue says against what the book says, both ways, exactly.

Guarantees that a failed or empty query is never read as flat, that an order of ours that the
journal does not know, ended or not, is found (`JOURNAL_ROLLED_BACK`), and that each difference
becomes a break with the policy of its kind. A break ends by evidence, the same comparison without
it, or by an operator who takes the venue's word. One order, row or market that moves or cannot be
told keeps no other one from being compared.
"""

import asyncio

import msgspec

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.interface.operator import Conflict, ResolvedView
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane
from arbees.runtime.watching.comparison import (
    UNSURE,
)
from arbees.runtime.watching.monitors import Monitors
from arbees.runtime.watching.quote_listings import plain_listing
from arbees.runtime.watching.venue_counts import (
    claims_of,
    held_there,
)
from arbees.runtime.watching.venue_reconciliation import KINDS, Round, VenueReconciliation

SOON_SECONDS = 5.0
"""Between comparisons while a venue was never compared."""
CASH_SECONDS = 60.0
"""Between comparisons while cash differs."""
UNVERIFIED_INTERVALS = 3
"""Without a comparison for so many intervals the book is a belief: somebody is told."""


class Reconciler:
    """Compares a desk with its venues."""

    def __init__(self, desk: Desk, monitors: Monitors) -> None:
        """Compare on demand; `watch` does it every interval."""
        self._desk = desk
        self._monitors = monitors
        self._is_catching_up = False
        self._is_asked_again = False
        self._is_coming_back = False
        self._venues = {each: VenueReconciliation(desk, monitors, each) for each in desk.venues}
        self.turn = asyncio.Lock()
        """Held while a comparison goes on, and by whoever moves what is compared."""
        self._began_ns = desk.clock.now_ns()
        self._looked_ns = 0

    # When --------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Compare as soon as possible, in a task of its own: a venue is back."""
        self._is_asked_again = True
        if not self._is_catching_up:
            self._is_catching_up = True
            self._desk.supervisor.keep(self._until_compared, "reconcile after a reconnect")

    def look_at_cash(self) -> None:
        """Compare now and then while only cash keeps an order from being absent."""
        now_ns = self._desk.clock.now_ns()
        if now_ns - self._looked_ns > 2 * SOON_SECONDS * NS_PER_SECOND:
            self._looked_ns = now_ns
            self.catch_up()

    async def _until_compared(self) -> None:
        while self._is_asked_again:
            self._is_asked_again = False
            if not await self.run():
                self._is_asked_again = True
                self._look_at_age()
                await self._desk.clock.sleep(SOON_SECONDS)
            else:
                await self._monitors.refresh_balances()  # the last figure may be long stale
        self._is_catching_up = False

    def interrupt(self, platform: Platform) -> None:
        """Take it that something may have happened untold: what was read before proves nothing."""
        self._venues[platform].interrupt()

    async def watch(self) -> None:
        """Reconcile every interval; soon, where a venue was never compared or did not answer."""
        interval = self._desk.options.reconcile_interval_ns / NS_PER_SECOND
        is_done = True
        while True:
            soon = min(interval, SOON_SECONDS)
            is_due = self._desk.uncompared or not is_done
            await self._desk.clock.sleep(soon if is_due else interval)
            is_done = await self.run()
            self._look_at_age()

    def _come_back(self) -> None:
        """Compare before the interval is over, while a difference stands that may be none."""
        breaks = self._desk.book.breaks.values()
        is_unsure = any(each.observed in UNSURE for each in breaks)
        # The venue's lists may explain cash a little later.
        if not self._is_coming_back and (is_unsure or any(each.pool for each in breaks)):
            self._is_coming_back = True
            pause = SOON_SECONDS if is_unsure else CASH_SECONDS
            self._desk.supervisor.start(self._after(pause), "reconcile what is unsure")

    async def _after(self, seconds: float) -> None:
        await self._desk.clock.sleep(seconds)
        self._is_coming_back = False
        self.catch_up()

    def _look_at_age(self) -> None:
        """Tell who looks where a venue was not compared for long: what we hold is a belief."""
        desk = self._desk
        most_ns = UNVERIFIED_INTERVALS * desk.options.reconcile_interval_ns
        for platform in desk.venues:
            since_ns = desk.compared_ns.get(platform, self._began_ns)
            fields = {"belief": "comparison", "platform": str(platform)}
            if desk.clock.now_ns() - since_ns > most_ns:
                text = f"{platform} was not compared with the book for {UNVERIFIED_INTERVALS}"
                desk.alert("BELIEF_UNVERIFIED", f"{text} intervals", **fields)
            else:
                desk.alert_over("BELIEF_UNVERIFIED", **fields)

    async def run(self) -> bool:
        """
        Reconcile all venues once.

        Returns:
            Whether everything was compared; what could not be asked keeps its breaks.
        """
        return not await self.compare_all()

    async def compare_all(self) -> tuple[str, ...]:
        """Reconcile all venues once, one comparison at a time; return those that were not."""
        async with self.turn:
            return tuple([name for name in self._desk.venues if not await self._compare(name)])

    async def _compare(self, platform: Platform) -> bool:
        is_compared = await self._venues[platform].compare() is not None
        if is_compared:
            self._come_back()
        return is_compared

    async def adopt(self, break_id: str, *, reason: str, actor: str) -> ResolvedView | None:
        """
        Take the venue's word where it differs, by a named operator; compares anew first.

        Returns:
            What was recorded; None = no such break.

        Raises:
            Conflict: the venue agrees by now, or could not be compared.
            Undecided: the journal failed.
        """
        desk = self._desk
        platform = next((each for each in desk.venues if break_id.startswith(f"{each}|")), None)
        if platform is None or break_id not in desk.book.breaks:
            return None
        async with self.turn:
            before = desk.book.breaks[break_id]
            round_ = await self._venues[platform].compare()
            found = None if round_ is None else round_.done.get(break_id)
            if before.kind not in KINDS - {"missing_fill"}:
                found = _as_found(before)
            elif round_ is None or (found is None and break_id in round_.untold):
                raise Conflict("NOT_COMPARED", f"{platform} cannot be compared there just now")
            if found is None:
                raise Conflict("AGREES", "The venue agrees by now: the break has ended by itself")
            return await self._adopt(platform, found, round_, reason, actor)

    async def _adopt(
        self,
        platform: Platform,
        found: events.BreakOpened,
        round_: Round | None,
        reason: str,
        actor: str,
    ) -> ResolvedView:
        desk, claim, about = self._desk, None, ""
        if round_ is not None and round_.said is not None:
            there = held_there(desk, platform, round_.said.positions)
            claims = claims_of(desk, platform, there, round_.said.balances)
            claim, about = claims.get(found.break_id), round_.orders.get(found.break_id, "")
            key = found.market_key
            if claim is not None and key is not None and key not in desk.book.markets:
                listing = plain_listing(platform, key, desk.rules.terms[platform])
                await desk.writer.put(commands.ListMarket(listing=listing), Lane.CONTROL)
        command = commands.AdoptBreak(
            found=found, reason=reason, actor=actor, claim=claim, client_order_id=about
        )
        committed = await desk.writer.put(command, Lane.CONTROL)
        if not committed.records:
            raise Conflict("NOT_COMPARED", "Something moved meanwhile; come again")
        return ResolvedView(name=found.break_id, sequence=committed.records[-1][0])


def _as_found(known: object) -> events.BreakOpened:
    """Return an open break as a comparison would have it."""
    fields = msgspec.structs.asdict(known)  # type: ignore[arg-type]
    del fields["since_ns"]
    return msgspec.convert(fields, events.BreakOpened)
