"""Monitors: what is looked at without being asked, and what it sets off."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.facts import VenueHealth
from arbees.core.deciding.outcomes import Accepted, Found
from arbees.core.language.units import MICRO
from arbees.core.language.words import HaltSource, Platform, TradingState
from arbees.errors import JournalUnavailable, VenueError
from arbees.runtime.watching.monitors import MARK_SECONDS
from tests.runtime.memory_journal import Room
from tests.runtime.rig import Rig, running
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import KALSHI, NOW, SECOND


def halts(rig: Rig) -> set[str]:
    """Return the halts in force by source and scope."""
    return set(rig.book.halts)


# The kill-switch file --------------------------------------------------------------------------


class Switch:
    """The kill-switch file of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on(self) -> None:
        """Create the file."""
        self.path.touch()

    def off(self) -> None:
        """Remove it."""
        self.path.unlink()


@pytest.fixture
def switch(tmp_path: Path) -> Switch:
    """Return the switch, off."""
    return Switch(tmp_path / "kill")


async def test_a_file_that_appears_halts(switch: Switch) -> None:
    """Without any request the file is noticed within a moment, journaled, and cancels."""
    async with running(kill_file=str(switch.path)) as rig:
        await rig.rest()
        switch.on()
        await rig.wait(0.25)
        assert halts(rig) == {"file|all"}
        (raised,) = rig.events(events.HaltRaised)
        assert (raised.state, raised.actor) == ("HALTED", "file")
        assert str(switch.path) in raised.reason
        assert rig.known().status == "Cancelled"


async def test_a_file_that_disappears_ends_its_halt_alone(switch: Switch) -> None:
    """The removal of the file lifts what the file halted, and nothing of others."""
    switch.on()
    async with running(kill_file=str(switch.path)) as rig:
        await rig.halt()
        switch.off()
        await rig.wait(0.25)
        assert halts(rig) == {"http|all"}
        (lifted,) = rig.events(events.HaltLifted)
        assert (lifted.source, lifted.actor) == ("file", "file")


async def test_a_file_halts_once(switch: Switch) -> None:
    """A file that stays is one halt, however often it is looked at."""
    switch.on()
    async with running(kill_file=str(switch.path)) as rig:
        await rig.wait(30)
        await rig.halt(scope="sport:NBA")
        assert len([each for each in rig.events(events.HaltRaised) if each.source == "file"]) == 1


async def test_a_file_is_looked_at_before_each_decision(switch: Switch) -> None:
    """The halt of a file stands before the request that came right after it."""
    async with running(kill_file=str(switch.path)) as rig:
        switch.on()
        await rig.ask()
        kinds = rig.journal.kinds(events.HaltRaised, events.OrderApproved, events.RequestDenied)
        assert kinds[0] == "HaltRaised"
        await rig.settle()
        assert rig.kalshi.sent == []


async def test_a_file_of_before_the_start_halts_from_the_first_record_on(switch: Switch) -> None:
    """What the operator put there while nothing ran is in force before anything else."""
    switch.on()
    async with running(kill_file=str(switch.path)) as rig:
        assert rig.journal.kinds(events.HaltRaised, events.Started) == ["HaltRaised", "Started"]


# Money -----------------------------------------------------------------------------------------

DOLLAR = MICRO


async def hold(rig: Rig, fee: int = 0) -> None:
    """Buy 10 at 0.65."""
    rig.kalshi.answers.append(lambda order: with_fee(fills(order, rig.now_ns), fee))
    await rig.ask()
    await rig.settle()


def with_fee(accepted: Accepted, fee: int) -> Accepted:
    """Return an answer whose fill cost a fee."""
    return replace(accepted, fills=tuple(replace(each, fee=fee) for each in accepted.fills))


@pytest.mark.parametrize(("fee", "is_tripped"), [(0, False), (1, True)])
async def test_daily_loss_trips_above_its_limit(fee: int, is_tripped: bool) -> None:
    """A loss of exactly the limit passes; a millionth more halts everything and cancels."""
    async with running(max_daily_loss=DOLLAR) as rig:
        await hold(rig, fee)
        await rig.rest("k-2")
        await rig.quote("0.55", "0.57")
        await rig.wait(MARK_SECONDS)
        assert ("daily_loss|all" in halts(rig)) is is_tripped
        assert rig.known("k-2").status == ("Cancelled" if is_tripped else "Pending")


@pytest.mark.parametrize(
    ("bid", "is_warned"), [("0.57", False), ("0.569", True), ("0.55", True), ("0.54", False)]
)
async def test_daily_loss_warns_above_its_threshold(bid: str, is_warned: bool) -> None:
    """Above the threshold and up to the limit there is a warning; beyond it there is the halt."""
    async with running(max_daily_loss=DOLLAR) as rig:
        await hold(rig)
        await rig.quote(bid, "0.60")
        await rig.wait(MARK_SECONDS)
        assert ("DAILY_LOSS_APPROACHING" in [name for name, _ in rig.alerts]) is is_warned


async def test_daily_loss_trips_once() -> None:
    """A halt that stands is not raised again, however long the loss lasts."""
    async with running(max_daily_loss=DOLLAR) as rig:
        await hold(rig)
        await rig.quote("0.40", "0.42")
        await rig.wait(10 * MARK_SECONDS)
        (raised,) = rig.events(events.HaltRaised)
        assert (raised.source, raised.actor) == (HaltSource.DAILY_LOSS, "arbees")
        assert "2.5" in raised.reason


async def step_down(rig: Rig) -> None:
    """Let an operator step down what halts."""
    await rig.halt("REDUCE", source="command", acknowledge=True)
    await rig.settle()


async def test_a_daily_loss_that_was_stepped_down_stays_so() -> None:
    """REDUCING holds while the loss lasts, also to a further loss of exactly a tenth more."""
    async with running(max_daily_loss=DOLLAR) as rig:
        await hold(rig)
        await rig.quote("0.54", "0.56")
        await rig.wait(MARK_SECONDS)
        assert rig.book.halts["daily_loss|all"].loss == 1_100_000
        await step_down(rig)
        await rig.wait(5 * MARK_SECONDS)
        await rig.quote("0.53", "0.55")
        await rig.wait(5 * MARK_SECONDS)
        assert rig.gateway.kill_status().state == "REDUCING"
        assert "DAILY_LOSS_APPROACHING" in [name for name, _ in rig.alerts]
        await rig.quote("0.529", "0.55")
        await rig.wait(MARK_SECONDS)
        assert rig.gateway.kill_status().state == "HALTED"
        assert rig.book.halts["daily_loss|all"].state is TradingState.HALTED


async def test_a_daily_loss_may_only_reduce() -> None:
    """By setting it lets exits pass from the first; a further tenth halts."""
    async with running(max_daily_loss=DOLLAR, does_loss_reduce=True) as rig:
        await hold(rig)
        await rig.quote("0.54", "0.56")
        await rig.wait(5 * MARK_SECONDS)
        assert rig.gateway.kill_status().state == "REDUCING"
        await rig.quote("0.52", "0.56")
        await rig.wait(MARK_SECONDS)
        assert rig.gateway.kill_status().state == "HALTED"


async def test_a_step_down_of_yesterday_is_none_of_today() -> None:
    """On a new day the limit counts from its start: a loss over it halts at once."""
    async with running(max_daily_loss=DOLLAR) as rig:
        await hold(rig)
        await rig.quote("0.40", "0.42")
        await rig.wait(MARK_SECONDS)
        await step_down(rig)
        await rig.wait(24 * 3600)
        assert rig.gateway.kill_status().state == "REDUCING"
        await rig.quote("0.29", "0.42")
        await rig.wait(MARK_SECONDS)
        assert rig.gateway.kill_status().state == "HALTED"


async def test_a_quote_that_is_missing_never_trips() -> None:
    """When nobody bids any more the last mark is carried: an empty book is no loss."""
    async with running(max_daily_loss=DOLLAR) as rig:
        await hold(rig)
        await rig.wait(MARK_SECONDS)
        await rig.quote(None, None)
        await rig.wait(MARK_SECONDS)
        assert halts(rig) == set()
        assert rig.book.pnl_today(rig.desk.marks.unrealized) == -100_000


async def test_marks_are_journaled_when_they_change() -> None:
    """The prices at which what is held could be closed are recorded, and only news of them."""
    async with running() as rig:
        await rig.wait(MARK_SECONDS)
        assert rig.events(events.Marked) == []
        await hold(rig)
        await rig.wait(3 * MARK_SECONDS)
        await rig.quote("0.63", "0.66")
        await rig.wait(3 * MARK_SECONDS)
        assert rig.events(events.Marked) == [
            events.Marked(marks={KALSHI: (640_000, 340_000)}),
            events.Marked(marks={KALSHI: (630_000, 340_000)}),
        ]


async def test_balances_are_asked_for_every_interval() -> None:
    """Each venue is asked at the start and every minute; a figure without news is no record."""
    async with running() as rig:
        await rig.wait(180)
        for venue in (rig.kalshi, rig.polymarket):
            assert venue.asked.count("balances") == 1 + 3 + 1  # the last to compare them
        assert len(rig.events(events.BalanceObserved)) == 2
        assert rig.desk.facts.balances_ns == {
            "Kalshi": NOW + 180 * SECOND,
            "Polymarket": rig.now_ns,
        }
        rig.kalshi.available -= 5
        await rig.wait(60)
        assert rig.events(events.BalanceObserved)[-1].available == rig.kalshi.available


async def test_a_balance_that_cannot_be_asked_for_grows_old() -> None:
    """A failed question leaves the old figure at its own time; the other venue is asked."""
    async with running() as rig:
        rig.kalshi.failure = VenueError("502")
        await rig.wait(120)
        assert rig.desk.facts.balances_ns == {"Kalshi": NOW, "Polymarket": NOW + 120 * SECOND}
        assert rig.book.pools["Kalshi"].available == rig.kalshi.available
        assert ("VENUE_API_ERRORS", "Kalshi: 502") in rig.alerts
        facts: list[int] = [rig.desk.facts.balance_ns(platform) for platform in Platform]
        assert facts == [NOW, NOW + 120 * SECOND]


async def test_a_balance_that_was_never_told_is_none() -> None:
    """Before the first figure there is none, and no time of one."""
    rig = Rig()
    rig.kalshi.failure = rig.polymarket.failure = VenueError("down")
    await rig.gateway.start()
    assert rig.desk.facts.balance_ns(Platform.KALSHI) == 0
    assert rig.book.pools == {}
    await rig.desk.supervisor.stop()


async def test_acknowledged_orders_are_verified() -> None:
    """What rests is asked for now and then: a report that was lost is found all the same."""
    async with running() as rig:
        order = await rig.rest()
        await rig.wait(MARK_SECONDS - 1)
        assert rig.kalshi.looked_up == []
        rig.kalshi.lookups.append(
            Found(venue_order_id="v", by="id", time_ns=rig.now_ns, closed="expired")
        )
        await rig.wait(1)
        assert rig.kalshi.looked_up == [(order.client_order_id, order.created_ns)]
        assert rig.known().status == "Cancelled"
        assert not rig.book.orders


# Venues ----------------------------------------------------------------------------------------


async def test_errors_open_the_breaker_and_reads_close_it() -> None:
    """So many errors halt a venue; after the pause a read shows that it is back."""
    async with running(errors_to_open=2) as rig:
        rig.kalshi.failure = VenueError("502")
        for _ in range(2):
            await rig.gateway.monitors.refresh_balances()
        await rig.settle()
        assert not rig.desk.facts.health(Platform.KALSHI, rig.now_ns, "").is_open
        assert rig.desk.facts.health(Platform.POLYMARKET, rig.now_ns, "") == VenueHealth()
        rig.kalshi.failure = None
        await rig.wait(29)
        assert rig.desk.breakers[Platform.KALSHI].is_open
        await rig.wait(1)
        assert not rig.desk.breakers[Platform.KALSHI].is_open
        changes = [(each.platform, each.state) for each in rig.events(events.VenueStateChanged)]
        assert changes == [("Kalshi", "REDUCING"), ("Kalshi", "ACTIVE")]
        assert rig.book.venue_states == {"Kalshi": TradingState.ACTIVE}


async def test_a_venue_that_stays_away_is_asked_after_each_pause() -> None:
    """Probes are reads, one after each pause, until one works."""
    async with running(errors_to_open=1, balance_interval_ns=3_600 * SECOND) as rig:
        rig.kalshi.failure = VenueError("502")
        await rig.gateway.monitors.refresh_balances()
        before = len(rig.kalshi.asked)
        await rig.wait(300)
        assert len(rig.kalshi.asked) - before == 10
        assert len(rig.events(events.VenueStateChanged)) == 1


async def test_a_venue_is_probed_by_one_task() -> None:
    """A breaker that closes and opens again within a pause is probed as before, not twice."""
    async with running(errors_to_open=1, balance_interval_ns=3_600 * SECOND) as rig:
        rig.kalshi.failure = VenueError("502")
        await rig.gateway.monitors.refresh_balances()
        await rig.wait(10)
        breaker = rig.desk.breakers[Platform.KALSHI]
        for _ in range(3):
            breaker._opened_ns = rig.now_ns - 60 * SECOND
            rig.gateway.monitors.note(Platform.KALSHI, None)
            rig.gateway.monitors.note(Platform.KALSHI, "again")
        assert breaker.is_open
        before = rig.kalshi.asked.count("balances")
        await rig.wait(300)
        assert rig.kalshi.asked.count("balances") - before <= 10


async def test_a_venue_without_adapter_is_not_available() -> None:
    """What nobody can talk to is closed."""
    async with running() as rig:
        del rig.desk.breakers[Platform.POLYMARKET]
        health = rig.desk.facts.health(Platform.POLYMARKET, rig.now_ns, "")
        assert not health.is_open


async def test_a_failed_journal_takes_no_note_of_health() -> None:
    """Once the journal failed there is nothing to write; errors still count and are told."""
    async with running(errors_to_open=1) as rig:
        rig.journal.failure = JournalUnavailable("disk full")
        rig.desk.writer.tell(commands.Record(events=(events.Stopped(reason="x"),)))
        await rig.settle()
        rig.gateway.monitors.note(Platform.KALSHI, "502")
        await rig.settle()
        assert rig.desk.breakers[Platform.KALSHI].is_open


# The machine -----------------------------------------------------------------------------------


async def test_low_disk_space_halts_once() -> None:
    """While there is still room to say so trading halts; once."""
    async with running() as rig:
        rig.gateway.monitors.look_at_space()
        rig.journal.room = Room(1 << 20, is_low=True)
        for _ in range(3):
            rig.gateway.monitors.look_at_space()
            await rig.settle()
        (raised,) = rig.events(events.HaltRaised)
        assert raised.source == HaltSource.JOURNAL
        assert str(1 << 20) in raised.reason


async def test_a_halt_of_its_own_is_in_force_at_once() -> None:
    """What the gateway raises by itself holds before it is journaled, like any other."""
    async with running() as rig:
        rig.gateway.monitors.halt(HaltSource.CLOCK, "jump")
        assert rig.gateway.reads.state() == "HALTED"
        assert rig.events(events.HaltRaised) == []
        (halt,) = rig.gateway.reads.halts()
        assert halt.automatic
        await rig.settle()
        (raised,) = rig.events(events.HaltRaised)
        assert raised.actor == "arbees"
        (halt,) = rig.gateway.reads.halts()
        assert halt.automatic


class Jumping:
    """A clock that jumps when it is told to."""

    def __init__(self) -> None:
        self.jump = 0
        self.did: list[str] = []

    def now_ns(self) -> int:
        """Return the same time always."""
        return NOW

    def jump_ns(self) -> int:
        """Return the jump."""
        return self.jump

    def slew(self) -> None:
        """Note it."""
        self.did.append("slew")

    def accept_jump(self) -> None:
        """Note it."""
        self.did.append("accept")
        self.jump = 0

    async def sleep(self, seconds: float) -> None:
        """Return at once: nobody sleeps here."""


@pytest.mark.parametrize("jump", [2 * SECOND, -2 * SECOND, 0])
async def test_a_small_drift_is_followed(jump: int) -> None:
    """Up to two seconds, either way, are a drift."""
    clock = Jumping()
    rig = Rig(clock=clock)
    clock.jump = jump
    rig.gateway.monitors.look_at_clock()
    assert clock.did == ["slew"]
    assert rig.desk.gate.pending == {}


@pytest.mark.parametrize("jump", [2 * SECOND + 1, -2 * SECOND - 1])
async def test_a_jump_halts_once(jump: int) -> None:
    """More than two seconds, either way, are a jump: it halts, and is not reported again."""
    clock = Jumping()
    rig = Rig(clock=clock)
    clock.jump = jump
    rig.gateway.monitors.look_at_clock()
    rig.gateway.monitors.look_at_clock()
    assert clock.did == ["accept", "slew"]
    assert list(rig.desk.gate.pending) == [(HaltSource.CLOCK, "all", "")]
    assert "2.0 s" in rig.desk.gate.pending[HaltSource.CLOCK, "all", ""].reason


async def test_balances_that_nobody_tells_are_said_not_to_be_verified() -> None:
    """After three intervals, of that venue alone; over with the first figure."""
    async with running(balance_interval_ns=60 * SECOND, errors_to_open=1_000) as rig:
        rig.kalshi.failure = VenueError("502")
        await rig.wait(180)
        assert "BELIEF_UNVERIFIED|balances|Kalshi" not in rig.standing
        await rig.wait(61)
        assert "BELIEF_UNVERIFIED|balances|Kalshi" in rig.standing
        assert "BELIEF_UNVERIFIED|balances|Polymarket" not in rig.standing
        rig.kalshi.failure = None
        await rig.wait(61)
        assert "BELIEF_UNVERIFIED|balances|Kalshi" not in rig.standing
