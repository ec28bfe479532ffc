"""Halts that people and programs ask for, and what a global one does at the venues.

Guarantees that a halt is in force before anything is awaited (P4), that a bound key lifts only what
it raised itself, that halts are bounded in number, and that the venue's account-wide cancel goes
out once a halt: a halt that the gateway raises again by itself, while its cause lasts, does not
keep the way out shut for another minute.
"""

from arbees.core import events
from arbees.core.book.book import halt_name
from arbees.core.deciding import commands
from arbees.core.deciding.control import liftable
from arbees.core.language.words import (
    POOL_SCOPE,
    SCOPE_ALL,
    HaltSource,
    Platform,
    TradingState,
)
from arbees.interface.operator import Conflict
from arbees.interface.views import KillReply, Undecided
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Committed, Lane
from arbees.runtime.looking.reads import Reads

STATES = {"ENABLE": TradingState.HALTED, "REDUCE": TradingState.REDUCING}
HALTS_OF_ONE_MAX = 32
"""Halts of less than everything that one key, or one person, may have standing."""
HALTS_MAX = 256
"""The same of all together."""


class Halts:
    """The halts of one desk."""

    def __init__(self, desk: Desk, reads: Reads) -> None:
        """Take a desk and what reads it."""
        self._desk = desk
        self._reads = reads
        self._is_stopped = self._is_everything_halted()
        self._shut_for: set[tuple[str, str]] = set()
        """Which automatic sources have shut the venues on which trading day."""

    async def switch(
        self,
        action: str,
        *,
        scope: str,
        reason: str,
        source: HaltSource,
        actor: str,
        acknowledge: bool,
        owner: str,
        every: bool,
    ) -> KillReply:
        """Halt, reduce or lift; see `interface.views.Gateway.kill_switch`."""
        desk = self._desk
        scope = desk.scopes.canonical(scope)
        if action in STATES:
            raised = commands.RaiseHalt(
                source=source,
                scope=scope,
                state=STATES[action],
                reason=reason,
                actor=actor,
                receipt_id=desk.receipt_id(),
                owner=owner,
                acknowledge=acknowledge,
                loss=-desk.book.pnl_today(desk.marks.unrealized),
            )
            return await self._raise(raised)
        if action != "DISABLE":
            msg = f"Expected ENABLE, REDUCE or DISABLE, was {action!r}"
            raise ValueError(msg)
        lift = commands.LiftHalt(
            sources=(source,) if source in {HaltSource.REDIS, HaltSource.REDIS_DOWN} else (),
            scope=scope,
            reason=reason,
            actor=actor,
            acknowledge=acknowledge,
            owner=owner,
            every=every,
        )
        await desk.writer.put(lift, Lane.CONTROL)
        left = tuple((h.source, h.scope) for h in liftable(desk.book, lift)[1])
        return self._reply(scope=scope, remaining=left)

    async def _raise(self, raised: commands.RaiseHalt) -> KillReply:
        desk, gate = self._desk, self._desk.gate
        self._require_room(raised)
        held = gate.halt(
            raised.source,
            raised.scope,
            raised.state,
            raised.reason,
            owner=raised.owner,
            actor=raised.actor,
        )
        try:
            committed = await desk.writer.put(raised, Lane.CONTROL)
        except Undecided:
            return self._reply(scope=raised.scope, is_durable=False, receipt_id=raised.receipt_id)
        gate.confirm(raised.source, raised.scope, raised.owner, held)
        return self._reply(scope=raised.scope, receipt_id=self._receipt_of(raised, committed))

    def _require_room(self, raised: commands.RaiseHalt) -> None:
        """Refuse one more halt of a part where too many stand. Raises Conflict."""
        if raised.scope == SCOPE_ALL:
            return
        held = self._desk.gate.in_force()
        if (raised.source, raised.scope, raised.owner) in held:
            return
        asked = [
            each for (source, _, _), each in held.items() if not HaltSource(source).is_automatic
        ]
        own = sum(each.actor == raised.actor for each in asked)
        if own >= HALTS_OF_ONE_MAX or len(asked) >= HALTS_MAX:
            most = HALTS_OF_ONE_MAX if own >= HALTS_OF_ONE_MAX else HALTS_MAX
            raise Conflict(
                "TOO_MANY_HALTS",
                f"Expected fewer than {most} standing halts, were {most}. Halt everything (scope "
                "all), or lift some first.",
            )

    def _receipt_of(self, raised: commands.RaiseHalt, committed: Committed) -> str | None:
        """Return the id of the receipt: its own, or that of the halt which it repeats."""
        if any(isinstance(event, events.HaltRaised) for _, _, event in committed.records):
            return raised.receipt_id
        name = halt_name(raised.source, raised.scope, raised.owner)
        standing = self._desk.book.halts.get(name)
        return None if standing is None else standing.receipt_id or None

    def _reply(
        self,
        *,
        scope: str | None = None,
        is_durable: bool = True,
        receipt_id: str | None = None,
        remaining: tuple[tuple[str, str], ...] = (),
    ) -> KillReply:
        halts = self._reads.halts()
        return KillReply(
            in_force=not remaining,
            durable=is_durable,
            state=self._reads.state(),
            halts=halts,
            sequence=self._desk.journal.head.sequence,
            receipt_id=receipt_id,
            scope=scope,
            matches_nothing=scope is not None and not self._desk.scopes.is_known(scope),
            remaining=tuple(halt for halt in halts if (halt.source, halt.scope) in remaining),
        )

    def status(self) -> KillReply:
        """Return the halts in force."""
        return self._reply()

    # At the venues -----------------------------------------------------------------------------

    def follow(self, event: events.HaltRaised | events.HaltLifted) -> None:
        """Let a global stop, and its end, be the venues' as well; open what a trip shut."""
        if isinstance(event, events.HaltLifted) and event.source == HaltSource.ORDER_GROUP:
            pool = event.scope.removeprefix(POOL_SCOPE)
            self._desk.dispatcher.re_arm(Platform(pool.partition(":")[0]), pool)
        if event.scope != SCOPE_ALL:
            return
        was_stopped, self._is_stopped = self._is_stopped, self._is_everything_halted()
        if isinstance(event, events.HaltRaised) and event.state == TradingState.HALTED:
            if self._is_news(event, is_stopped=was_stopped):
                for platform in self._desk.venues:
                    self._desk.dispatcher.cancel_everything(platform)
        elif was_stopped and not self._is_stopped:
            for platform in self._desk.venues:
                self._re_arm(platform)

    def _re_arm(self, platform: Platform) -> None:
        """Open a venue again, but for what tripped there by itself and is halted for it."""
        for pool in self._desk.conditions.shards(platform) or ("",):
            name = halt_name(HaltSource.ORDER_GROUP, f"{POOL_SCOPE}{pool}")
            if name not in self._desk.book.halts:
                self._desk.dispatcher.re_arm(platform, pool or None)

    def _is_news(self, event: events.HaltRaised, *, is_stopped: bool) -> bool:
        """Tell whether a stop is none that the venues have heard of already."""
        if not HaltSource(event.source).is_automatic:
            return True
        day = self._desk.book.day
        cause = (event.source, "" if day is None else day.day)
        is_news = cause not in self._shut_for and not is_stopped
        self._shut_for = {each for each in self._shut_for if each[1] == cause[1]} | {cause}
        return is_news

    def _is_everything_halted(self) -> bool:
        halts = self._desk.book.halts.values()
        return any(
            each.scope == SCOPE_ALL and each.state.rank >= TradingState.HALTED.rank
            for each in halts
        )
