"""The machine whole: after each step of a random history the promises are held against an oracle.

Whatever happens in it is possible at a real venue: orders arrive or vanish, answers and reports are
lost, repeated and reordered, the process dies. Only where a venue breaks its own word (`lie`,
`appear`) does P3 count no more, since then venue truth itself may lie outside of a limit.
"""

from typing import Any

from hypothesis.stateful import (
    invariant,
)

from arbees.core import events
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.safeguards.game_exposure import GameExposure
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.sport_exposure import SportExposure
from arbees.safeguards.total_exposure import TotalExposure
from tests.promises import oracle
from tests.promises.base import (
    SETTINGS,
)
from tests.promises.pure import Truth, plain
from tests.promises.venues import Answering


class Promises(Answering):
    """The promises, after each step."""

    @invariant()
    def sums_add_up(self) -> None:
        """Every sum in the book is the sum of its parts, and unknowns stay reserved (P7)."""
        assert oracle.broken_sums(self.book) == []
        assert oracle.released_unknowns(self.book) == []

    @invariant()
    def every_request_has_one_result(self) -> None:
        """Each request has one final result, or is open (P8)."""
        assert oracle.wrong_finals(self.desk.records, self.book) == []
        if not self.has_lied:
            assert oracle.corrections(self.desk.records) == []

    @invariant()
    def exposure_stays_within_every_limit(self) -> None:
        """However the open orders turn out, no exposure leaves its limit (P3)."""
        if self.has_lied or not self.book.markets:
            return
        worst = oracle.worst_futures(self.desk.records, self.book)
        games: dict[str, Any] = {}
        sports: dict[str, Any] = {}
        for key, market in self.book.markets.items():
            assert worst[key] <= SETTINGS.section(MarketExposure).max_position_per_market, key
            games[market.game_id] = games.get(market.game_id, 0) + worst[key]
            sports[market.sport] = sports.get(market.sport, 0) + worst[key]
        for game, exposure in games.items():
            assert exposure <= SETTINGS.section(GameExposure).max_game_exposure, game
        for sport, exposure in sports.items():
            assert exposure <= SETTINGS.section(SportExposure).max_sport_exposure, sport
        assert sum(worst.values()) <= SETTINGS.section(TotalExposure).max_total_exposure

    @invariant()
    def no_money_is_promised_twice(self) -> None:
        """What is free by the book is free at the venue, whatever is on its way (R3)."""
        for platform in Platform:
            pool = self.book.pools.get(platform)
            if pool is None or self.has_lied:
                continue
            taken = sum(
                truth.remaining * truth.order.limit_price // MICRO
                for truth in self.truths.values()
                if (truth.is_working or truth.is_travelling)
                and truth.is_buy
                and truth.order.platform is platform
                and not self.is_reducing(truth)
            )
            assert pool.available - pool.outside <= self.cash[platform] - taken, platform

    def is_reducing(self, truth: Truth) -> bool:
        """Tell whether an order was approved as one that only closes."""
        name = truth.order.client_order_id
        return any(
            isinstance(event, events.OrderApproved)
            and event.client_order_id == name
            and event.is_reducing
            for _, _, event in self.desk.records
        )

    @invariant()
    def money_is_explained(self) -> None:
        """Cash moved is realized, less fees, less the cost of what is held."""
        fills = [r[2] for r in self.desk.records if isinstance(r[2], events.OrderFilled)]
        cost = sum(market.yes.cost + market.no.cost for market in self.book.markets.values())
        assert sum(fill.cash for fill in fills) == self.book.realized - self.book.fees - cost

    def teardown(self) -> None:
        """With every fault healed nothing stays unknown, and both sides hold the same."""
        for report in self.reports:
            self.take(report)
        for truth in list(self.truths.values()):
            if truth.is_travelling:
                truth.is_travelling = False
            self.look_up_truth(truth)
            if truth.is_placed:
                self.show_truth(truth)
                self.look_up_truth(truth)
        working = {truth.order.client_order_id for truth in self.where(is_working=True)}
        placed = {truth.order.client_order_id for truth in self.where(is_placed=True)}
        assert placed & set(self.book.orders) == working, "open here is not what works there"
        assert self.book.unknown == 0
        lives = {each.request_id: self.desk.life(each.request_id) for each in self.asked}
        assert oracle.disagreements(lives, self.book) == []
        seen = {r[2].trade_id for r in self.desk.records if isinstance(r[2], events.OrderFilled)}
        there = {fill.trade_id for truth in self.truths.values() for fill in truth.fills}
        assert seen == there, "the gateway and the venues know other fills"
        for was, again in self.desk.decided_again():
            assert plain(was) == plain(again), "decided another way when asked again (P6)"
