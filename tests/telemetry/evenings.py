"""Random evenings: valid lives of many requests, interleaved, for what holds for any journal."""

import random
from collections.abc import Iterator

from arbees.core import events
from arbees.core.language.request import Alternate, Request
from arbees.core.language.words import Platform, Side
from arbees.core.ports import Stored
from tests.telemetry.lives import MICRO, SECOND, Lives, make_request, make_resting

ALTERNATE = Alternate(
    platform=Platform.POLYMARKET, market_id="71321", side=Side.NO, limit_price=400_000
)


class Evening:
    """A journal of random lives, and how many decisions and results were made."""

    def __init__(self, seed: int, requests: int, *, pause_ns: int = SECOND) -> None:
        self.random = random.Random(seed)
        self.lives = Lives()
        self.decisions = 0
        self.duplicates = 0
        self.pause_ns = pause_ns
        steps = [self._live(number) for number in range(requests)]
        while steps:
            step = self.random.choice(steps)
            if next(step, None) is None:
                steps.remove(step)
            self.lives.pass_time(self.random.randrange(self.pause_ns))
            if self.random.random() < 0.1:
                self.lives.add(events.Marked(marks={"key": (500_000, None)}))

    def _live(self, number: int) -> Iterator[Stored]:
        """Yield after each record of one request's life."""
        make = make_resting if self.random.random() < 0.4 else make_request
        request = make(f"r{number}", alternates=(ALTERNATE,) * self.random.randrange(2))
        self.decisions += 1
        has_alternate = bool(request.alternates)
        if has_alternate and self.random.random() < 0.3:
            yield self.lives.deny(request, falls_back=True)
            yield from self._leg(request, 1)
            return
        yield from self._leg(request, 0)
        if self.random.random() < 0.3:
            self.duplicates += 1
            yield self.lives.refuse(request)

    def _leg(self, request: Request, leg: int) -> Iterator[Stored]:
        lives, chance = self.lives, self.random.random()
        if chance < 0.2:
            yield lives.deny(request, leg=leg)
            return
        yield lives.approve(request, leg=leg, is_flipped=leg == 1)
        if chance < 0.35 and leg < len(request.alternates):
            yield lives.order(events.OrderNotSent, request, message="refused", falls_back=True)
            yield from self._leg(request, leg + 1)
            return
        if chance < 0.3:
            yield lives.order(events.OrderDenied, request, code="HALTED", message="halted")
            return
        if chance < 0.4:
            yield lives.order(events.OrderRejected, request, venue_code="no", message="no")
            return
        if chance < 0.5:
            yield lives.order(events.OrderUnknown, request, message="timeout", sent_ns=lives.now_ns)
            if chance < 0.45:
                yield lives.order(events.OrderNotSent, request, message="absent")
                return
        yield lives.acknowledge(request, f"ord_{request.request_id}")
        left = request.size
        while left > 0:
            if self.random.random() < 0.25:
                final = lives.cancel(request)
                yield final
                if self.random.random() < 0.3:
                    yield lives.fill(request, MICRO, leg=leg, corrects=final.sequence)
                return
            quantity = min(left, self.random.randrange(1, 30 * MICRO))
            left -= quantity
            yield lives.fill(request, quantity, leg=leg, is_complete=left == 0)
