"""A crash at every point of the order path loses nothing, sends nothing twice, breaks no limit.

Each evening runs once; before each step of the event loop and around each operation on the
databases of journal and exchange, what a `kill -9` would leave is taken over by another gateway,
which is held to every promise made so far, is asked everything again, and is compared with the
exchange's own book.
"""

import asyncio
from pathlib import Path

import pytest

from arbees.core.book.book import encode as encode_book
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.venues.paper.faults import Fault
from tests.runtime.evenings import (
    GAME,
    OTHER,
    TOKEN,
    Act,
    BrokenError,
    Evening,
    aftermath,
    alternate,
    judge_files,
)
from verification.crashes import STEP, Crashes, Survey
from verification.simulation import SimulatedClock, simulate


async def fill_at_once(evening: Evening) -> None:
    """IOC: wholly, partly, not at all; then a Sell of what is held."""
    await evening.quote()
    assert (await evening.ask("all")).status == "Filled"
    assert (await evening.ask("part", contracts=60)).status == "Partial"
    assert (await evening.ask("none", price=610)).status == "Cancelled"
    assert (await evening.ask("sell", price=590, action=Action.SELL)).status == "Filled"


async def rest_and_fill(evening: Evening) -> None:
    """GTC: rests, is filled in two steps by later quotes; GTD: rests and expires."""
    await evening.quote()
    await evening.ask("rest", price=610, time_in_force=TimeInForce.GTC)
    until = evening.clock.now_ns() + 2_000_000_000
    await evening.ask("while", price=605, time_in_force=TimeInForce.GTD, expires_ns=until)
    await evening.quote(ask=(608, 4))
    await evening.clock.sleep(1)
    await evening.quote(ask=(608, 50))
    await evening.clock.sleep(2)
    assert evening.known("rest").status == "Filled"


async def kill_unfilled(evening: Evening) -> None:
    """FOK: one too large for the depth, one not."""
    await evening.quote(ask=(620, 5))
    assert (await evening.ask("large", time_in_force=TimeInForce.FOK)).status == "Cancelled"
    fok = TimeInForce.FOK
    assert (await evening.ask("small", contracts=5, time_in_force=fok)).status == "Filled"


async def deny(evening: Evening) -> None:
    """Denials, the same key again (also at the same time), a conflict, the same signal."""
    await evening.quote()
    assert (await evening.ask("large", contracts=90)).code == "MAX_ORDER_SIZE"
    await evening.ask("good", signal_id="signal")
    assert (await evening.ask("good", signal_id="signal")).code == "DUPLICATE_REQUEST"
    assert (await evening.ask("good", contracts=11)).code == "IDEMPOTENCY_CONFLICT"
    assert (await evening.ask("again", signal_id="signal")).code == "DUPLICATE_SIGNAL"
    await asyncio.gather(*(evening.ask("twins", contracts=3) for _ in range(3)))
    large = await evening.ask("large", contracts=90, attempt=2, request_id="request-large-2")
    assert large.code == "MAX_ORDER_SIZE"


async def cancel(evening: Evening) -> None:
    """Resting orders cancelled; one of them is filled just before its cancel is answered."""
    await evening.quote()
    await evening.quote(OTHER)
    await evening.ask("first", price=610, time_in_force=TimeInForce.GTC)
    await evening.ask("second", market=OTHER, price=610, time_in_force=TimeInForce.GTC)
    await evening.assembly.gateway.cancel_all(reason="drill", actor="ann", scope=f"market:{GAME}")
    await evening.clock.sleep(0.5)  # the first is over before the venue goes wrong
    evening.assembly.exchange.faults.set(Fault.CANCEL_YET_FILLED, times=1)
    await evening.assembly.gateway.cancel_all(scope="all", reason="drill", actor="ann")
    await evening.clock.sleep(1)
    assert evening.known("first").status == "Cancelled"
    assert evening.known("second").status == "Filled"


async def halt(evening: Evening) -> None:
    """A halt while one order rests, one waits before the gate and one waits for its answer."""
    await evening.quote()
    await evening.ask("resting", price=610, time_in_force=TimeInForce.GTC)
    faults = evening.assembly.exchange.faults
    faults.answer_latency_ns = (20_000_000, 20_000_000)
    answered = asyncio.create_task(evening.ask("handed-over"))
    await evening.clock.sleep(0.01)
    faults.latency_ns = (20_000_000, 20_000_000)
    held_back = asyncio.create_task(evening.ask("held-back"))
    await evening.clock.sleep(0.005)
    await evening.halt()
    assert (await evening.ask("halted")).code == "HALTED"
    assert (await held_back).code == "HALTED"
    assert (await answered).status == "Filled"
    faults.latency_ns = faults.answer_latency_ns = (0, 0)
    await evening.clock.sleep(1)
    await evening.resume()
    assert (await evening.ask("resumed")).status == "Filled"
    await evening.halt("sport:NBA", "REDUCE")
    assert (await evening.ask("opens")).code == "REDUCE_ONLY"
    closes = await evening.ask("closes", price=590, action=Action.SELL)
    assert closes.status == "Filled"


async def refuse(evening: Evening) -> None:
    """The venue refuses for its health: once with an alternate, once without."""
    await evening.quote()
    await evening.quote(TOKEN)
    faults = evening.assembly.exchange.faults
    faults.set(Fault.UNHEALTHY, platform=Platform.KALSHI, times=1)
    there = await evening.ask("elsewhere", alternates=alternate(TOKEN))
    assert (there.status, there.platform) == ("Filled", "Polymarket")
    faults.set(Fault.UNHEALTHY, platform=Platform.KALSHI, times=1)
    assert (await evening.ask("nowhere")).code == "VENUE_REJECTED"


async def not_sent(evening: Evening) -> None:
    """The venue cannot be reached: an alternate is tried; without one the caller comes again."""
    await evening.quote()
    await evening.quote(TOKEN)
    faults = evening.assembly.exchange.faults
    faults.set(Fault.OUTAGE, platform=Platform.KALSHI, times=1)
    there = await evening.ask("elsewhere", alternates=alternate(TOKEN))
    assert (there.status, there.platform) == ("Filled", "Polymarket")
    faults.set(Fault.OUTAGE, platform=Platform.KALSHI, times=1)
    assert (await evening.ask("again")).code == "NOT_SENT"
    assert (await evening.ask("again", attempt=2, request_id="request-2")).status == "Filled"


async def lose_answers(evening: Evening) -> None:
    """An order that arrived and one that did not, both without an answer; then evidence."""
    await evening.quote()
    faults = evening.assembly.exchange.faults
    faults.set(Fault.LOST_AFTER, times=1)
    await evening.ask("arrived")
    await evening.clock.sleep(1)
    assert evening.known("arrived").status == "Filled"
    faults.set(Fault.LOST_BEFORE, times=1)
    await evening.ask("vanished")
    await evening.clock.sleep(1)
    assert evening.known("vanished").code == "NOT_SENT"
    again = await evening.ask("vanished", attempt=2, request_id="request-vanished-2")
    assert again.status == "Filled"
    faults.set(Fault.LOST_AFTER, times=1)
    faults.set(Fault.READ_LAG, times=3)
    await evening.ask("resting", price=610, time_in_force=TimeInForce.GTC)
    await evening.clock.sleep(2)


async def disturb_reports(evening: Evening) -> None:
    """The account's stream loses, repeats and shuffles what it says of resting orders."""
    await evening.quote()
    faults = evening.assembly.exchange.faults
    for key in ("a", "b", "c"):
        await evening.ask(key, contracts=4, price=610, time_in_force=TimeInForce.GTC)
    faults.set(Fault.REPORT_TWICE)
    faults.set(Fault.REPORTS_SHUFFLED)
    await evening.quote(ask=(608, 6))
    await evening.clock.sleep(1)
    faults.clear()
    faults.set(Fault.REPORT_LOST)
    await evening.quote(ask=(608, 3))
    await evening.clock.sleep(1)
    faults.clear()


async def crowd(evening: Evening) -> None:
    """More at once than the limits allow: some pass, none more than there is room for."""
    await evening.quote(ask=(620, 500))
    await evening.quote(OTHER, ask=(620, 500))
    markets = (GAME, OTHER)
    results = await asyncio.gather(
        *(evening.ask(f"{n}", market=markets[n % 2], contracts=30) for n in range(8))
    )
    codes = [result.code for result in results]
    assert codes.count(None) == 6
    assert codes.count("MAX_POSITION_PER_MARKET") == 2


async def settle(evening: Evening) -> None:
    """Both sides of a market held where they do not net; it is settled while one order rests."""
    await evening.quote(TOKEN)
    await evening.ask("yes", market=TOKEN)
    await evening.ask("no", market=TOKEN, side=Side.NO, price=400)
    await evening.ask("rest", market=TOKEN, price=610, time_in_force=TimeInForce.GTC)
    await evening.settle(TOKEN, Side.YES)
    await evening.clock.sleep(1)
    assert evening.known("rest").status == "Cancelled"


EVENINGS: tuple[Act, ...] = (
    fill_at_once,
    rest_and_fill,
    kill_unfilled,
    deny,
    cancel,
    halt,
    refuse,
    not_sent,
    lose_answers,
    disturb_reports,
    crowd,
    settle,
)


def survey(evening: Evening, act: Act, scratch: Path, *, from_the_start: bool) -> Survey:
    """Live an evening, and the aftermath of a crash at each of its points."""

    def judge(left: Path) -> None:
        simulate(aftermath(evening, left, SimulatedClock(evening.clock.now_ns() + 1_000_000)))

    crashes = Crashes(evening.folder, evening.promises, judge, scratch)
    if from_the_start:
        crashes.begin()
    evening.on_started = crashes.begin
    found = crashes.run(evening.live(act), evening.clock.now_ns)
    judge_files(evening.folder, evening.settings, encode_book(evening.assembly.gateway.desk.book))
    for point, error in found.failures:
        raise BrokenError(f"killed at point {point.number} ({point.kind}): {error!r}") from error
    return found


@pytest.fixture(name="evening")
def _evening(tmp_path: Path) -> Evening:
    folder = tmp_path / "life"
    folder.mkdir()
    return Evening(folder)


@pytest.mark.parametrize("act", EVENINGS, ids=lambda act: act.__name__)
def test_no_crash_breaks_a_promise(act: Act, evening: Evening, tmp_path: Path) -> None:
    """Wherever the process is killed, the next one keeps what it promised."""
    found = survey(evening, act, tmp_path, from_the_start=False)
    for kind in (STEP, *OPERATIONS):
        assert found.points[kind] > 0, f"no point of the kind {kind!r}"


def test_a_start_may_be_killed_anywhere(evening: Evening, tmp_path: Path) -> None:
    """Also while journal and exchange's book are being made, the next start finds its way."""
    found = survey(evening, do_nothing, tmp_path, from_the_start=True)
    for file in ("journal.db", "paper.db"):
        assert found.points[f"after write {file}"] > 0


def test_a_recovery_may_be_killed_anywhere(evening: Evening, tmp_path: Path) -> None:
    """Killed right after the exchange took an order, and killed again anywhere in the recovery."""
    scratch = tmp_path / "again"
    scratch.mkdir()

    def judge(left: Path) -> None:
        now_ns = evening.clock.now_ns() + 1_000_000
        clock = SimulatedClock(now_ns)

        def judge_again(rest: Path) -> None:
            simulate(aftermath(evening, rest, SimulatedClock(clock.now_ns() + 1_000_000)))

        inner = Crashes(left, evening.promises, judge_again, scratch)
        inner.begin()
        found = inner.run(aftermath(evening, left, clock), clock.now_ns)
        for point, error in found.failures:
            raise BrokenError(f"killed again at point {point.number} ({point.kind})") from error

    crashes = Crashes(
        evening.folder,
        evening.promises,
        judge,
        tmp_path,
        is_meant=lambda point: point.kind == "sync paper.db-wal",
    )
    evening.on_started = crashes.begin
    found = crashes.run(evening.live(lose_one_answer), evening.clock.now_ns)
    assert found.states > 0
    for point, error in found.failures:
        raise BrokenError(f"killed at point {point.number} ({point.kind}): {error!r}") from error


async def lose_one_answer(evening: Evening) -> None:
    """An order arrives and rests, its answer is lost; another one is filled."""
    await evening.quote()
    evening.assembly.exchange.faults.set(Fault.LOST_AFTER, times=1)
    await evening.ask("rests", price=610, time_in_force=TimeInForce.GTC)
    await evening.ask("fills")


async def do_nothing(evening: Evening) -> None:
    """Start and stop."""


OPERATIONS = tuple(
    f"{operation} {file}-wal"
    for operation in ("before write", "after write", "sync")
    for file in ("journal.db", "paper.db")
)
"""What happens to the files of journal and exchange, between whose points a commit lies."""
