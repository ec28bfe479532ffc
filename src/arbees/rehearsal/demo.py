"""The demonstration: a seeded evening of basketball on paper, from the first fill to the proof.

Guarantees that nothing but the project is needed, that everything goes the way that real requests
go, that the crash is a real one (`kill -9` of a process), and that it ends with 1 if anything does
not hold. `arbees demo` and `make demo` print it.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from arbees.core import events
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import format_dollars, format_micro, parse_micro
from arbees.core.language.words import Side, TimeInForce
from arbees.core.orders.result import Recorded, Result
from arbees.interface.views import Undecided
from arbees.journal import JournalReader, implied_by_events, verify
from arbees.rehearsal.evening import START_NS, make_evening
from arbees.rehearsal.playback import Input, in_order
from arbees.rehearsal.requests import make_requests
from arbees.rehearsal.scene import MARKET, Scene, stage
from arbees.rehearsal.tour import STOPS
from arbees.settings import load
from arbees.settings.authority import refusal
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.proof import missing
from arbees.venues.paper.faults import Fault

WIDTH = 78
SEED = 28
MINUTES = 40
REQUESTS = 60
CRASH_KEY = "key-of-the-crash"
SHOWN = 6


class Unmet(Exception):  # noqa: N818 - a claim of the demonstration that did not hold
    """The demonstration claimed something that did not hold."""


def say(text: str = "", indent: int = 0) -> None:
    """Print a paragraph that fits 80 columns."""
    for line in text.splitlines() or [""]:
        wrapped = textwrap.wrap(line, WIDTH - indent) or [""]
        for piece in wrapped:
            sys.stdout.write(" " * indent + piece + "\n")


def title(number: int, text: str) -> None:
    """Print the head of a chapter."""
    say()
    say(f"{number}. {text}")
    say("-" * (len(text) + 3))


def require(holds: bool, claim: str) -> None:  # noqa: FBT001
    """End the demonstration where a claim does not hold."""
    if not holds:
        raise Unmet(claim)


def main() -> int:
    """Show everything; return the exit code."""
    say("Arbees: an evening of basketball on the paper exchange")
    say("=" * 54)
    say(
        "Nothing here is real but the code: six games are generated from a seed, strategies ask "
        "for orders, the gateway judges each one, and a paper exchange fills what passes. Time "
        "is that of the evening."
    )
    with tempfile.TemporaryDirectory(prefix="arbees-demo-") as folder:
        place = Path(folder)
        try:
            asyncio.run(_evening(place))
            asyncio.run(_tour())
            _crash(place)
            asyncio.run(_recover(place))
        except Unmet as claim:
            say()
            say(f"This did not hold: {claim}")
            return 1
        return _prove(place)


# The evening -----------------------------------------------------------------------------------


async def _evening(place: Path) -> None:
    title(1, "Strategies ask, the gateway judges, the exchange fills")
    evening = make_evening(SEED, MINUTES)
    asked = make_requests(evening.quotes, REQUESTS, SEED)
    inputs = in_order(
        [Input(each.ts_ns, each) for each in evening.quotes],
        [Input(each.created_ns, each, line) for line, each in enumerate(asked, 1)],
    )
    async with stage(folder=place) as scene:
        for each in inputs:
            await scene.player.take(each)
        scene.player.finish()
        results = [each for each in scene.player.results if isinstance(each, Result)]
        _show_results(results)
        await _stop_and_go(scene)


def _show_results(results: list[Result]) -> None:
    say(
        f"{len(results)} requests in {MINUTES} minutes, each with exactly one result. The first "
        "ones:"
    )
    say()
    say(f"{'request':<14}{'asked':<25}{'result':<10}{'filled':<16}fees", 2)
    for result in results[:SHOWN]:
        asked = f"{result.action} {result.requested_size} {result.side} at {result.limit_price}"
        filled = f"{result.filled_qty} at {result.avg_price}" if result.filled_qty else "-"
        fees = f"${result.fees}" if result.fees else "-"
        say(f"{result.request_id:<14}{asked:<25}{result.status:<10}{filled:<16}{fees}", 2)
        if result.rejection_reason:
            say(f"why: {result.rejection_reason}", 16)
    say()
    statuses = Counter(str(result.status) for result in results)
    require(statuses["Filled"] > 0, "some orders fill")
    say("In all: " + ", ".join(f"{number} {status}" for status, number in statuses.items()) + ".")
    codes = Counter(result.code for result in results if result.code)
    say("Denied because: " + _counted(codes.items()) + ".")


def _counted(items: Iterable[tuple[str | None, int]]) -> str:
    return ", ".join(f"{number} x {name}" for name, number in items)


async def _stop_and_go(scene: Scene) -> None:
    title(2, "Stop, and go on")
    await scene.quote()
    for price in ("0.50", "0.51", "0.52"):
        resting = await scene.ask(size="5", price=price, time_in_force=TimeInForce.GTC)
        require(resting.status == "Pending", "a resting order waits at the exchange")
    resting_now = len(scene.assembly.gateway.desk.book.orders)
    say(f"{resting_now} orders rest at the exchange. Somebody types:")
    say("arbees kill on --reason 'odd fills'", 4)
    gateway = scene.assembly.gateway
    reply = await gateway.kill_switch(
        "ENABLE", scope="all", reason="odd fills", source="command", actor="operator"
    )
    await scene.player.settle()
    receipt = gateway.receipt(reply.receipt_id or "")
    require(receipt is not None and receipt.complete, "the halt's receipt is complete")
    cancelled = len(receipt.cancelled) if receipt is not None else 0
    require(cancelled == resting_now, "the receipt names every resting order")
    say(
        f"State: {reply.state}, on disk as record {reply.sequence}. The receipt says: {cancelled} "
        "working orders cancelled, none left. A new request:"
    )
    denied = await scene.ask()
    require(denied.code == "HALTED", "nothing passes while halted")
    say(f"{denied.status}, {denied.code}: {denied.rejection_reason}", 4)
    say("And after: arbees kill off --reason 'it was the feed'")
    await gateway.kill_switch(
        "DISABLE", scope="all", reason="it was the feed", source="command", actor="operator"
    )
    passed = await scene.ask(size="5")
    require(passed.status == "Filled", "after the release orders pass again")
    say(f"{passed.status}: {passed.filled_qty} at {passed.avg_price}, fees ${passed.fees}", 4)


# The safeguards --------------------------------------------------------------------------------


async def _tour() -> None:
    title(3, "Every safeguard, denying")
    say(
        "Each story below runs on a gateway of its own, at default limits unless its code says "
        "otherwise, and ends in a denial. Programs match the code; people read the sentence."
    )
    for stop in STOPS:
        async with stage(stop.settings, toml=stop.toml) as scene:
            result = await stop.tell(scene)
        require(result.code == stop.code, f"{stop.safeguard} denies with {stop.code}")
        say()
        say(f"{stop.safeguard}: {stop.story}", 2)
        say(f"{result.code}: {result.rejection_reason}", 6)
        until = result.denials[0].until
        if until is not None:
            say(f"Lifts by itself at {until}", 6)
    say()
    say("authorization: PAPER_TRADING=0, and nothing else, is set.", 2)
    say(refusal(load({"PAPER_TRADING": "0"})) or "", 6)


# The crash -------------------------------------------------------------------------------------


def _crash(place: Path) -> None:
    title(4, "The worst moment to die")
    say(
        "A second process takes over the same account and sends an order. The exchange accepts "
        "and fills it, but the answer is lost, and right then the process is killed (kill -9)."
    )
    child = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-m", "arbees.rehearsal.demo", str(place)], check=False, timeout=60
    )
    require(child.returncode == -signal.SIGKILL, "the second process was killed")


async def _die(place: Path) -> None:
    """Be the second process: send an order whose answer is lost, and die of it."""
    async with stage(folder=place, start_ns=_later(1), do_stop=False) as scene:
        await scene.quote()

        def watch(records: Sequence[Recorded]) -> None:
            if any(isinstance(event, events.OrderUnknown) for _, _, event in records):
                os.kill(os.getpid(), signal.SIGKILL)

        scene.assembly.gateway.listen(watch)
        scene.assembly.exchange.faults.set(Fault.LOST_AFTER)
        scene.assembly.exchange.faults.set(Fault.REPORT_LOST)
        try:
            await scene.ask(request_id="req-of-the-crash", idempotency_key=CRASH_KEY)
        except Undecided:
            return


def _later(hours: int) -> int:
    return START_NS + hours * 3_600 * parse_micro("1000")


async def _recover(place: Path) -> None:
    async with stage(folder=place, start_ns=_later(2)) as scene:
        gateway = scene.assembly.gateway
        found = gateway.execution_by_key(CRASH_KEY)
        require(found is not None, "the order of the crash is in the journal")
        if found is None:
            return
        require(found.result.status == "Filled", "recovery finds the fill at the exchange")
        say()
        say(
            "A third process starts, finds the order in its journal without an answer, and asks "
            "the exchange for it by the id that it derived before sending:"
        )
        for record in found.events:
            say(f"record {record.sequence:<5} {record.kind}", 4)
        say(f"Result: {found.result.status}, {found.result.filled_qty} at {found.result.avg_price}")
        say()
        say("The strategy never got an answer, so it asks again with the same key:")
        again = await scene.ask(request_id="req-again", idempotency_key=CRASH_KEY, strategy="demo")
        require(again.code == "DUPLICATE_REQUEST", "the same key never makes a second order")
        say(f"{again.status}, {again.code}", 4)
        say("with `original` = the fill above. One key, one order.", 4)
        await _close_the_day(scene)


async def _close_the_day(scene: Scene) -> None:
    title(5, "The day's result")
    desk = scene.assembly.gateway.desk
    for settlement in make_evening(SEED, MINUTES).settlements:
        await scene.assembly.gateway.settle(settlement)
    await scene.settle(Side.YES, market=MARKET)
    await scene.player.settle()
    book = desk.book
    held = sum(1 for each in book.markets.values() if each.yes.quantity or each.no.quantity)
    say(f"Games end, markets settle; positions left: {held}.")
    say(f"realized   {format_dollars(book.realized):>12}", 4)
    say(f"fees       {format_dollars(-book.fees):>12}", 4)
    say(f"the day    {format_dollars(book.pnl_today(desk.marks.unrealized)):>12}", 4)
    balances = [await venue.balances() for venue in desk.venues.values()]
    money = sum(each.available for found in balances for each in found)
    start = 2 * parse_micro("10000")
    say(
        f"The exchange's own balance moved by {format_dollars(money - start)}: the same to the "
        f"last ${format_micro(1)}."
    )
    require(money - start == book.realized - book.fees, "the exchange's money is what we think")


# The proof -------------------------------------------------------------------------------------


def _prove(place: Path) -> int:
    title(6, "The proof")
    report = verify(place / "journal.db", index_of=implied_by_events())
    say(f"Journal: {report.records} records, each chained to the one before by SHA-256;")
    say(f"the last is of {format_time(report.head.time_ns)}, hash {report.head.hash.hex()[:16]}...")
    for finding in report.findings:
        say(f"FOUND {finding.code}: {finding.message}", 4)
    reader = JournalReader(place / "journal.db")
    audit = missing(reader, AuditFiles(place / "audit.jsonl").all(), is_timed=False)
    reader.close()
    say(
        f"Audit log: {audit.expected} lines expected, {audit.found} found, {audit.missing} "
        f"missing, {audit.twice} twice, {audit.changed} changed."
    )
    is_good = report.is_intact and audit.is_complete
    say()
    say("Everything above holds." if is_good else "The proof failed.")
    if is_good:
        say()
        say("Next: `arbees run` starts the gateway; docs/tutorial.md takes it from there.")
    return 0 if is_good else 1


if __name__ == "__main__":
    asyncio.run(_die(Path(sys.argv[1])))
