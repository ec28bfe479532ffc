"""Row: looking a key up before a decision, with ten keys and with a million.

What is timed is everything that is asked of the tables for one request (its key, its id, its
signal), right after a commit, when every connection but the writer's has forgotten its pages.
Processor time, since the pages that are read lie in the machine's memory.
"""

import random
import time
from pathlib import Path
from statistics import median

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.language.request import Request, parse_request
from arbees.core.ports import Entry
from arbees.journal import SqliteJournal
from arbees.runtime.intake.key_lookup import Lookups
from benchmarks import scene, stock
from benchmarks.measure import US, Row, in_turns, ratio, row

FEW = 10
FEW_MARKETS = 200


def measure(folder: Path, rounds: int, lookups: int, many: int) -> list[Row]:
    """Return the row of key lookups."""
    places = (stock.keys(folder, FEW, FEW_MARKETS), stock.keys(folder, many, stock.MARKETS))
    for place in places:
        stock.warm(place)
    with stock.open_kept(places[0]) as small, stock.open_kept(places[1]) as large:
        few = _Asking(small, FEW, FEW_MARKETS, lookups)
        plenty = _Asking(large, many, stock.MARKETS, lookups)
        for warm in (few, plenty):
            warm.ask()
        least, most = in_turns(rounds, few.ask, plenty.ask)
    against = (
        f"{median(most):.1f} us with {many:,} keys and {stock.MARKETS:,} markets, "
        f"{median(least):.1f} us with {FEW}"
    )
    return [row("key lookup, right after a commit", ratio(most, least), 1.5, "x", against)]


class _Asking:
    """One journal and the requests that are looked up in it."""

    def __init__(self, journal: SqliteJournal, keys: int, markets: int, lookups: int) -> None:
        self._journal = journal
        self._book: Book = scene.book_with(markets, stock.START_NS)
        self._lookups = Lookups(journal, self._book)
        self._count = lookups
        self._markets = markets
        self._seed = keys

    def _requests(self) -> list[Request]:
        self._seed += 1
        data = scene.bodies(self._count, self._markets, stock.START_NS, self._seed)
        requests = [parse_request(each, stock.START_NS) for each in data]
        random.Random(self._seed).shuffle(requests)
        return requests

    def ask(self) -> float:
        """Return the processor time of looking one request up."""
        total = 0
        for request in self._requests():
            self._commit()
            command = commands.Submit(request=request, received_ns=stock.START_NS)
            begun = time.thread_time_ns()
            with self._lookups.looking():
                self._lookups.complete(command)
            total += time.thread_time_ns() - begun
        return total / self._count / US

    def _commit(self) -> None:
        event = events.Marked(marks={})
        time_ns = self._journal.head.time_ns + 1
        self._journal.append([Entry(time_ns, events.kind(event), events.encode(event), None)])
