"""Settlements as payouts of each outcome: ties, voids, amended results, and fills heard of late."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.payouts import (
    NO_WON,
    YES_WON,
    Payouts,
    payout_of_yes,
    won_by,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from tests.core.scene import Scene
from tests.safeguards.build import KALSHI, YES_TOKEN

TEN = 10 * MICRO
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}
WHERE = {"netting": {}, "tokens": ON_POLYMARKET}
TIE = Payouts(500_000, 500_000)
VOID = Payouts(330_000, 610_000)
"""At the last price of each side, which leaves a part of the dollar to nobody."""


def settle(payouts: Payouts, where: dict[str, Any] | None = None) -> commands.SettleMarket:
    """Return a venue's word of what a market pays."""
    is_token = bool(where)
    return commands.SettleMarket(
        platform=Platform.POLYMARKET if is_token else Platform.KALSHI,
        market_id=YES_TOKEN if is_token else KALSHI,
        payouts=payouts,
    )


def earned(scene: Scene) -> int:
    """Return the cash of all fills and settlements."""
    total = 0
    for _, _, event in scene.records:
        if isinstance(event, events.OrderFilled):
            total += event.cash
        elif isinstance(event, events.MarketSettled | events.SettlementCorrected):
            total += event.payout
    return total


@pytest.mark.parametrize(
    ("payouts", "realized"),
    [
        (TIE, 1_000_000),
        (VOID, -700_000),
        (YES_WON, 6_000_000),
        (NO_WON, -4_000_000),
        (payout_of_yes(0), -4_000_000),
        (Payouts(0, 0), -4_000_000),
        (payout_of_yes(333_333), -666_670),
    ],
)
def test_what_is_held_is_paid_by_the_payout_of_its_side(payouts: Payouts, realized: int) -> None:
    """Ten Yes at 0.40: the position ends, and the P&L is what they were paid less their cost."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 400_000)
    scene.do(settle(payouts))
    market = scene.book.markets[KALSHI]
    assert (market.yes.quantity, market.worst, market.is_open) == (0, 0, False)
    assert (scene.book.realized, market.payouts) == (realized, payouts)
    assert scene.do(settle(payouts)) == commands.NO_DECISION
    scene.check()


def test_the_payouts_of_the_other_token_are_flipped() -> None:
    """Named by the No token, its first payout is that of the key's No."""
    scene = Scene()
    flipped = commands.SettleMarket(platform=Platform.POLYMARKET, market_id="2222", payouts=VOID)
    (settled,) = scene.do(flipped).events
    assert isinstance(settled, events.MarketSettled)
    assert (settled.yes_payout, settled.no_payout) == (VOID.no, VOID.yes)


def test_an_amended_result_is_a_correction_of_the_difference() -> None:
    """Yes, then a tie, then No: each names the record that it corrects; the same again is none."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 400_000)
    scene.do(settle(YES_WON))
    settled = scene.book.sequence
    for payouts, more in ((TIE, -5_000_000), (NO_WON, -5_000_000), (YES_WON, 10_000_000)):
        event, told, over = scene.do(settle(payouts)).events
        assert isinstance(event, events.SettlementCorrected)
        assert (event.payout, event.realized, event.corrects) == (more, more, settled)
        assert isinstance(told, events.BreakOpened)
        assert (told.kind, told.policy) == ("amended_settlement", "report")
        assert isinstance(over, events.BreakClosed)
        assert scene.book.breaks == {}
        settled = scene.book.sequence - 2
        assert scene.do(settle(payouts)) == commands.NO_DECISION
    assert scene.book.realized == 6_000_000
    assert scene.book.markets[KALSHI].payouts == YES_WON
    scene.check()


def test_a_correction_moves_the_cash_that_is_counted() -> None:
    """The ledger of the pool follows, to the micro-dollar."""
    scene = Scene()
    scene.hold(Side.NO, TEN, 300_000)
    scene.write(events.CashCounted(pool="Kalshi", amount=100 * MICRO))
    scene.do(settle(VOID))
    assert scene.book.ledgers["Kalshi"] == 106_100_000
    scene.do(settle(NO_WON))
    assert scene.book.ledgers["Kalshi"] == 110_000_000


def test_a_correction_of_what_nobody_held_is_recorded() -> None:
    """The result is another one now, and costs nothing."""
    scene = Scene()
    scene.do(settle(YES_WON))
    (event,) = scene.do(settle(NO_WON)).events
    assert isinstance(event, events.SettlementCorrected)
    assert (event.payout, scene.book.realized) == (0, 0)


def test_a_record_of_the_first_versions_says_a_side_alone() -> None:
    """It folds to the payouts of that side, and can be corrected."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 400_000)
    scene.write(
        events.MarketSettled(
            market_key=KALSHI,
            result=Side.YES,
            payout=TEN,
            realized=6_000_000,
            yes_quantity=-TEN,
            yes_cost=-4_000_000,
        )
    )
    assert scene.book.markets[KALSHI].payouts == YES_WON
    scene.do(settle(TIE))
    assert scene.book.realized == 1_000_000


@pytest.mark.parametrize("where", list(WHERE.values()), ids=list(WHERE))
@pytest.mark.parametrize("payouts", [TIE, VOID, YES_WON, Payouts(123_457, 876_542)])
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("quantity", [TEN, 3 * MICRO])
def test_late_fills_are_settled_by_the_payouts(
    where: dict[str, Any], payouts: Payouts, action: Action, side: Side, quantity: int
) -> None:
    """Cash and P&L are the same whether a fill is heard of before or after the settlement."""
    ends = []
    for is_late in (False, True):
        scene = Scene()
        held = side if action is Action.SELL else side.opposite
        scene.fill(scene.resting("k-0", side=held, limit_price="0.7", **where), TEN, 650_000)
        more = {"side": side, "action": action, "limit_price": "0.61", "size": quantity, **where}
        order = scene.lost("k-1", **more)
        fill = commands.TakeFill(fill=scene.trade(order, quantity, 610_000, 4_200))
        end = settle(payouts, where)
        for command in (end, fill) if is_late else (fill, end):
            scene.do(command)
        scene.check()
        market = scene.book.markets[order.market_key]
        assert (market.yes.quantity, market.no.quantity, market.worst) == (0, 0, 0)
        ends.append((scene.book.realized, scene.book.fees, earned(scene)))
    assert ends[0] == ends[1]


@given(
    st.integers(0, MICRO),
    st.integers(0, MICRO),
    st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 10**9)), max_size=5),
    st.lists(st.tuples(st.integers(0, MICRO), st.integers(0, MICRO)), max_size=3),
)
def test_no_micro_dollar_is_lost_in_steps(
    yes: int, no: int, parts: list[tuple[Side, int]], amended: list[tuple[int, int]]
) -> None:
    """Paid out in however many parts and amendments: what all of it is paid at the last word."""
    scene = Scene()
    scene.do(settle(Payouts(yes, no)))
    sums = {Side.YES: 0, Side.NO: 0}
    for number, (side, quantity) in enumerate(parts):
        # Fills of orders that opened before, heard of only now; none of them closes another.
        if sums[side.opposite]:
            continue
        size = quantity - quantity % 10_000 + 10_000
        order = scene.lost(f"k-{number}", side=side, size=size, limit_price="0.5")
        scene.do(commands.TakeFill(fill=scene.trade(order, size, 500_000)))
        sums[side] += size
    last = Payouts(yes, no)
    for pair in amended:
        last = Payouts(*pair)
        scene.do(settle(last))
    paid = sum(
        event.payout
        for _, _, event in scene.records
        if isinstance(event, events.MarketSettled | events.SettlementCorrected)
    )
    assert paid == last.value(sums[Side.YES], sums[Side.NO])


@pytest.mark.parametrize("payouts", [YES_WON, NO_WON, TIE, Payouts(1, 0)])
def test_payouts_as_text_read_back(payouts: Payouts) -> None:
    """A side's name where it took the dollar, else both numbers."""
    assert Payouts.parse(payouts.describe()) == payouts
    assert won_by(Side.NO).describe() == "No"
