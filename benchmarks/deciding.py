"""Row: decode and decide one request with every safeguard on, against trivial checks.

The comparison reads the same requests with the same decoder, then asks 24 classes of the shape of a
safeguard, each of which compares one number with one setting and returns one verdict, and looks
whether one of them denies: the least that a gate of that shape can do.
"""

from typing import ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Deny, Pass, Verdict
from arbees.core.events import OrderApproved
from arbees.core.language.request import parse_request
from arbees.core.language.units import MICRO
from benchmarks import scene
from benchmarks.measure import Row, cpu_us, in_turns, ratio, row

NOW = 1_769_641_200_000_000_000
CHECKS = 24
QUIET = frozenset({Pass})


class Trivial(msgspec.Struct, frozen=True):
    """One number, one setting, one verdict."""

    name: ClassVar[str] = "trivial"
    codes: ClassVar[tuple[str, ...]] = ("TRIVIAL",)

    maximum: int = 10**9 * MICRO

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the quantity with the setting."""
        quantity, maximum = order.quantity, self.maximum
        if quantity > maximum:
            return (Deny("TRIVIAL", quantity, maximum),)
        return (Pass("TRIVIAL", quantity, maximum, maximum - quantity),)


def measure(rounds: int, requests: int) -> list[Row]:
    """Return the rows of deciding."""
    markets = 200
    book, rules = scene.book_with(markets, NOW), scene.rules()
    facts = scene.facts(NOW)
    data = scene.bodies(requests, markets, NOW)
    checks = tuple(Trivial().check for _ in range(CHECKS))
    sample = parse_request(data[0], NOW)
    order = make_candidate(sample, 0, book, facts, rules.terms, rules.balance_buffer)

    def ours() -> None:
        for each in data:
            command = commands.Submit(request=parse_request(each, NOW), received_ns=NOW)
            decision = decide(book, facts, command, rules)
            assert type(decision.events[0]) is OrderApproved

    def trivial() -> None:
        for each in data:
            parse_request(each, NOW)
            verdicts: list[Verdict] = []
            for check in checks:
                verdicts += check(order, book, facts)
            assert QUIET.issuperset(map(type, verdicts))

    def decoding() -> None:
        for each in data:
            parse_request(each, NOW)

    for warm in (ours, trivial, decoding):
        warm()
    full, least, read = in_turns(
        rounds,
        lambda: cpu_us(ours, 1) / requests,
        lambda: cpu_us(trivial, 1) / requests,
        lambda: cpu_us(decoding, 1) / requests,
    )
    against = f"decoding + {CHECKS} trivial checks: {min(least):.1f} us"
    return [
        row("decode + decide, every safeguard on", ratio(full, least), 2.5, "x", against),
        row(
            "",
            min(full),
            25.0,
            "us",
            f"the quietest of {rounds} rounds; decoding alone {min(read):.1f} us",
        ),
    ]
