"""A venue that lies in one card fails that card: the suite can tell."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from arbees.core.deciding.outcomes import (
    ApprovedOrder,
    CancelAccepted,
    CancelOutcome,
    Fill,
    Found,
    Lookup,
    Missing,
    Outcome,
    PoolBalance,
    Refused,
    Settled,
    Unknown,
    VenueOrder,
    WorkingOrder,
)
from arbees.core.language.payouts import YES_WON
from arbees.core.language.words import TimeInForce
from arbees.core.ports import Gate
from verification.conformance.bench import CardFailure, Trouble
from verification.conformance.cards import CARDS
from verification.conformance.reference import ReferenceBench, ReferenceVenue


class ListsMore(ReferenceVenue):
    """What it lists is larger than what was sent."""

    async def open_orders(self) -> Sequence[VenueOrder]:
        return [replace(row, quantity=2 * row.quantity) for row in await super().open_orders()]


class TakesTwice(ReferenceVenue):
    """The same id makes a second order."""

    def _take(self, order: ApprovedOrder) -> Outcome:
        known = self.orders.pop(order.client_order_id, None)
        answer = super()._take(order)
        if known is not None:
            self.orders["its double"] = known
        return answer


class IgnoresTheGate(ReferenceVenue):
    """It asks the gate after it sent."""

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        self._take(order)
        return await super().submit(order, gate)


class LetsRest(ReferenceVenue):
    """What an IOC leaves works on."""

    def _take(self, order: ApprovedOrder) -> Outcome:
        order.time_in_force = TimeInForce.GTC
        return super()._take(order)


class FillsPartOfFok(ReferenceVenue):
    """A FOK takes what is there."""

    def _take(self, order: ApprovedOrder) -> Outcome:
        if order.time_in_force is TimeInForce.FOK:
            order.time_in_force = TimeInForce.IOC
        return super()._take(order)


class CallsMakersTakers(ReferenceVenue):
    """It says that a resting order took."""

    def match(self, order: object, *, is_maker: bool) -> None:
        super().match(order, is_maker=False)  # type: ignore[arg-type]


class ForgetsTheTime(ReferenceVenue):
    """GTD rests for ever."""

    def _take(self, order: ApprovedOrder) -> Outcome:
        order.expires_ns = None
        return super()._take(order)


class ListsUnfilled(ReferenceVenue):
    """Its list does not know of fills."""

    async def open_orders(self) -> Sequence[VenueOrder]:
        return [replace(row, filled=0) for row in await super().open_orders()]


class CancelsMore(ReferenceVenue):
    """A cancel claims what had filled."""

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        answer = await super().cancel(client_order_id, venue_order_id, market_id)
        if isinstance(answer, CancelAccepted):
            return replace(answer, quantity=self.orders[client_order_id].asked.quantity)
        return answer


class CancelsWhatIsGone(ReferenceVenue):
    """Of many cancels each is a success."""

    async def cancel_many(self, orders: Sequence[WorkingOrder]) -> Mapping[str, CancelOutcome]:
        answers = await super().cancel_many(orders)
        return {name: CancelAccepted(quantity=0, time_ns=self.now_ns) for name in answers}


class RefusesWhatItTook(ReferenceVenue):
    """A lost answer is a refusal to it."""

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        answer = await super().submit(order, gate)
        if isinstance(answer, Unknown):
            return Refused(venue_code="timeout", message="no answer")
        return answer


class FindsWhatIsNotThere(ReferenceVenue):
    """A lookup makes things up."""

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        return Found(venue_order_id="v0", by="list", time_ns=self.now_ns)


class MissesWithoutEvidence(ReferenceVenue):
    """What a read does not show is missing."""

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        found = await super().find(client_order_id, market_id, sent_ns)
        return found if isinstance(found, Found) else Missing(evidence=())


class ListsFillsTwice(ReferenceVenue):
    """Its list of fills has each of them twice."""

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        return [*await super().fills(since_ns), *await super().fills(since_ns)]


class HidesFees(ReferenceVenue):
    """It takes more than it tells."""

    def match(self, order: object, *, is_maker: bool) -> None:
        super().match(order, is_maker=is_maker)  # type: ignore[arg-type]
        self.cash -= 1


class HoldsNothingBack(ReferenceVenue):
    """What rests is available too."""

    async def balances(self) -> Sequence[PoolBalance]:
        return [replace(each, available=self.cash) for each in await super().balances()]


class PaysTheWinner(ReferenceVenue):
    """A split is a win to it."""

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        return [replace(each, payouts=YES_WON) for each in await super().results(market_ids)]


class SticksToItsFirstWord(ReferenceVenue):
    """An amended result is told as it was."""

    def __init__(self) -> None:
        super().__init__()
        self._first: Sequence[Settled] = ()

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        self._first = self._first or await super().results(market_ids)
        return self._first


class EmptyWhenDown(ReferenceVenue):
    """It takes no answer for an empty list."""

    async def positions(self) -> Sequence[object]:  # type: ignore[override]
        return [] if Trouble.UNREACHABLE in self.troubles else await super().positions()


class FindsItCancelled(ReferenceVenue):
    """What left the list was cancelled."""

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        found = await super().find(client_order_id, market_id, sent_ns)
        return replace(found, closed="cancelled") if isinstance(found, Found) else found


class TakesWhatItRefuses(ReferenceVenue):
    """A call too many is carried out all the same."""

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        if Trouble.LIMITED in self.troubles:
            self._take(order)
        return await super().submit(order, gate)


LIARS: dict[str, tuple[type[ReferenceVenue], ...]] = {
    "create": (ListsMore,),
    "twice": (TakesTwice,),
    "gate": (IgnoresTheGate,),
    "ioc": (LetsRest,),
    "fok": (FillsPartOfFok,),
    "gtc": (CallsMakersTakers,),
    "gtd": (ForgetsTheTime,),
    "partial": (ListsUnfilled,),
    "cancel": (CancelsMore,),
    "cancel_many": (CancelsWhatIsGone,),
    "lost_answer": (RefusesWhatItTook,),
    "absence": (FindsWhatIsNotThere, MissesWithoutEvidence),
    "late_presence": (MissesWithoutEvidence,),
    "fills": (ListsFillsTwice, HidesFees),
    "balances": (HoldsNothingBack,),
    "settlement": (PaysTheWinner,),
    "corrections": (SticksToItsFirstWord,),
    "failing_reads": (EmptyWhenDown,),
    "deaf_stream": (FindsItCancelled,),
    "rates": (TakesWhatItRefuses,),
}


def test_every_card_has_its_liar() -> None:
    """None is left out."""
    assert list(LIARS) == list(CARDS)


@pytest.mark.parametrize(
    ("card", "liar"), [(card, liar) for card, liars in LIARS.items() for liar in liars]
)
def test_a_venue_that_lies_in_a_card_fails_it(card: str, liar: type[ReferenceVenue]) -> None:
    """The card itself says what was expected."""
    with pytest.raises(CardFailure, match=r"^Expected"):
        asyncio.run(CARDS[card].play(ReferenceBench(liar())))
