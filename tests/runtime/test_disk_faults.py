"""A disk that fails at each operation in turn, under the journal or under the exchange's book.

A journal that fails ends the gateway: whoever waits hears that the outcome is not known, and the
next start finds out. Nothing acknowledged is lost, nothing is sent twice.
"""

from pathlib import Path

import apsw
import pytest

from arbees.core.book.book import encode as encode_book
from arbees.core.language.words import Action, TimeInForce
from arbees.interface.views import Undecided
from tests.runtime.evenings import Evening, aftermath, judge_files
from verification.crashes import watched_disk
from verification.simulation import SimulatedClock, simulate

JOURNAL, EXCHANGE = "journal.db-wal", "paper.db-wal"


class Fault:
    """Fails one operation of a file, counted from the start of the evening."""

    def __init__(self, operation: str, file: str, code: int, number: int) -> None:
        self.name = f"{operation} {file}"
        self.code = code
        self.number = number
        self.count = 0
        self.is_armed = False

    def __call__(self, operation: str) -> None:
        """Count an operation; fail the one that is meant."""
        if not self.is_armed or operation != self.name:
            return
        self.count += 1
        if self.count == self.number:
            raise apsw.exception_for(self.code)


async def trade(evening: Evening) -> None:
    """A fill, a resting order, a Sell, a halt; each may hear that its outcome is not known."""
    await evening.quote()
    await evening.ask("fills")
    await evening.ask("rests", price=610, time_in_force=TimeInForce.GTC)
    await evening.ask("sells", price=590, action=Action.SELL)
    await evening.halt()
    await evening.clock.sleep(0.5)


def live(evening: Evening, fault: Fault) -> list[str]:
    """Live until the end or until the disk fails; return the codes that were heard."""
    heard: list[str] = []

    async def main() -> None:
        await evening.open()
        fault.is_armed = True
        try:
            await trade(evening)
        except Undecided as error:
            heard.append(error.code)
            await evening.clock.sleep(1)
            assert evening.ends.exit_code == 1, "a journal that failed did not end the gateway"
        await evening.assembly.stop("the evening is over")

    with watched_disk() as disk:
        disk.watched[evening.folder.resolve()] = fault
        simulate(main())
    return heard


def count(folder: Path, operation: str, file: str) -> int:
    """Return how many operations of a kind an evening without faults has."""
    folder.mkdir()
    fault = Fault(operation, file, apsw.SQLITE_IOERR, 0)
    live(Evening(folder), fault)
    return fault.count


@pytest.mark.parametrize(
    ("operation", "code"),
    [("before write", apsw.SQLITE_IOERR_WRITE), ("sync", apsw.SQLITE_IOERR_FSYNC)],
    ids=["write", "sync"],
)
@pytest.mark.parametrize("file", [JOURNAL, EXCHANGE], ids=["journal", "exchange"])
def test_any_failed_operation_breaks_no_promise(
    tmp_path: Path, operation: str, code: int, file: str
) -> None:
    """Whichever write or sync fails, the next start keeps what was promised before."""
    total = count(tmp_path / "whole", operation, file)
    assert total > 0
    is_heard = False
    for number in range(1, total + 1):
        folder = tmp_path / f"fails-{number}"
        folder.mkdir()
        evening = Evening(folder)
        heard = live(evening, Fault(operation, file, code, number))
        assert set(heard) <= {"JOURNAL_FAILED"}
        is_heard = is_heard or bool(heard)
        clock = SimulatedClock(evening.clock.now_ns() + 1_000_000)
        simulate(aftermath(evening, folder, clock))
    assert is_heard is (file == JOURNAL)


def test_a_full_disk_uses_the_reserve_first(tmp_path: Path) -> None:
    """A disk that is full for a moment is survived: the reserve makes room, and nothing is lost."""
    total = count(tmp_path / "whole", "before write", JOURNAL)
    for number in range(1, total + 1, 3):
        folder = tmp_path / f"full-{number}"
        folder.mkdir()
        evening = Evening(folder)
        fault = Fault("before write", JOURNAL, apsw.SQLITE_FULL, number)
        assert live(evening, fault) == []
        judge_files(folder, evening.settings, encode_book(evening.assembly.gateway.desk.book))
