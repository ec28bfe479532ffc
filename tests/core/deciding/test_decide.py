"""Decisions: every number of an approval, every finding of a denial, and what comes next."""

from typing import Any

import msgspec
import pytest

from arbees.core import events
from arbees.core.book.market import Listing
from arbees.core.book.open_order import Reservation
from arbees.core.deciding import commands
from arbees.core.deciding.decide import VENUE_STATE_CODES
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Warn,
)
from arbees.core.language.ids import client_order_id
from arbees.core.language.request import Alternate
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from tests.core.scene import MICRO, Says, Scene
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, NOW, request

ORDER_ID = client_order_id("main", "local", "k-1")
THERE = Alternate(
    platform=Platform.POLYMARKET, market_id=NO_TOKEN, side=Side.YES, limit_price=360_000
)
FACTS = Facts(now_ns=NOW, touch=Touch(NOW, 640_000, 660_000))


def submit(scene: Scene, leg: int = 0, seen: Facts = FACTS, **changes: Any) -> commands.Decision:
    """Return the decision on a request that arrived 5 ns ago."""
    return scene.ask(
        commands.Submit(request=request(**changes), received_ns=NOW - 5, leg=leg), seen
    )


# Approval --------------------------------------------------------------------------------------


def test_an_approval_holds_every_number() -> None:
    """What is sent, what is reserved and why, so that it replays without market data."""
    says = Says("order_size", Pass("MAX_ORDER_SIZE", 1, 3, 2), Warn("X", 5, "y"), Skipped("Y", "z"))
    scene = Scene(says, Says("market", Warn("W")))
    changes: dict[str, Any] = {
        "time_in_force": TimeInForce.GTD,
        "expires_ns": NOW + 60,
        "strategy": "alpha",
    }
    decision = submit(scene, **changes)
    assert decision.events == (
        events.OrderApproved(
            request=request(**changes),
            leg=0,
            client_order_id=ORDER_ID,
            market_id=KALSHI,
            market_key=KALSHI,
            platform=Platform.KALSHI,
            side=Side.YES,
            is_flipped=False,
            limit_price=650_000,
            is_reducing=False,
            reserved=Reservation(0, 6_500_000, 7_150_000, 6_675_000, 0),
            reference=None,
            rates=(70_000, 100, 100_000),
            sport="NBA",
            game_id="nba_BOS@ATL",
            strategy="alpha",
            warnings=(events.Finding("order_size", "X", 5, "y"), events.Finding("market", "W")),
            verdicts=msgspec.Raw(b'[[19,1,3],["Warn","X",5,"y"],["Y","z"],["Warn","W",null,null]]'),
            facts=FACTS,
            received_ns=NOW - 5,
        ),
    )
    (effect,) = decision.effects
    assert isinstance(effect, commands.SendOrder)
    sent = effect.order
    assert {name: getattr(sent, name) for name in sent.__slots__} == {
        "client_order_id": ORDER_ID,
        "request_id": "r-1",
        "leg": 0,
        "platform": Platform.KALSHI,
        "market_id": KALSHI,
        "market_key": KALSHI,
        "side": Side.YES,
        "action": Action.BUY,
        "quantity": 10 * MICRO,
        "limit_price": 650_000,
        "time_in_force": TimeInForce.GTD,
        "expires_ns": NOW + 60,
        "is_reducing": False,
    }


def test_an_approved_leg_goes_where_the_alternate_says() -> None:
    """Its own market, side and price; size and action are the request's; sides of the token."""
    scene = Scene()
    decision = submit(scene, leg=1, alternates=(THERE,))
    (approved,) = decision.events
    assert isinstance(approved, events.OrderApproved)
    assert approved.leg == 1
    assert (approved.platform, approved.market_id, approved.market_key) == (
        "Polymarket",
        NO_TOKEN,
        CONDITION,
    )
    assert (approved.side, approved.is_flipped) == (Side.NO, True)
    assert (approved.limit_price, approved.client_order_id) == (360_000, ORDER_ID)
    assert approved.rates == (50_000, 10, 100_000)
    (effect,) = decision.effects
    assert isinstance(effect, commands.SendOrder)
    assert (effect.order.leg, effect.order.platform) == (1, Platform.POLYMARKET)
    assert (effect.order.market_id, effect.order.side) == (NO_TOKEN, Side.YES)
    assert (effect.order.limit_price, effect.order.quantity) == (360_000, 10 * MICRO)
    assert (effect.order.market_key, effect.order.request_id) == (CONDITION, "r-1")


def test_a_reducing_order_says_so() -> None:
    """It closes what is held, at what it could be closed for now."""
    scene = Scene()
    order = scene.resting()
    scene.fill(order, 10 * MICRO, 650_000)
    (approved,) = submit(
        scene, idempotency_key="k-2", request_id="r-2", action=Action.SELL, size="4"
    ).events
    assert isinstance(approved, events.OrderApproved)
    assert approved.is_reducing
    assert approved.reference == 640_000
    assert approved.reserved == Reservation(1_400_000, 0, 63_700, 63_700, 4 * MICRO)


def test_a_market_that_nobody_knows_is_listed_with_the_venues_terms() -> None:
    """Only with the market safeguard off: what is sent must be in the book."""
    scene = Scene(is_bare=True)
    decision = submit(scene)
    listed, approved = decision.events
    assert listed == events.MarketListed(
        listing=Listing(
            platform="Kalshi",
            market_id=KALSHI,
            market_key=KALSHI,
            tick=1_000,
            lot=10_000,
            minimum=0,
            is_netting=True,
            taker_rate=70_000,
            maker_rate=0,
            fee_grid=100,
        )
    )
    assert isinstance(approved, events.OrderApproved)
    assert (approved.sport, approved.game_id) == ("UNCLASSIFIED", f"market:{KALSHI}")
    scene.write(*decision.events)
    assert scene.book.markets[KALSHI].orders == [ORDER_ID]
    scene.check()


# Denial ----------------------------------------------------------------------------------------


def test_a_denial_names_every_finding() -> None:
    """All safeguards run; the first denial is the headline, the rest stand behind it."""
    first = Says("a", Pass("P"), Deny("A1", 5, 4, NOW + 9), Deny("A2", "o", "l"))
    last = Says("c", Deny("C"))
    scene = Scene(first, Says("b", Warn("B", 1, 2)), last)
    decision = submit(scene)
    assert decision == commands.Decision(
        (
            events.RequestDenied(
                request=request(),
                leg=0,
                findings=(
                    events.Finding("a", "A1", 5, 4, NOW + 9),
                    events.Finding("a", "A2", "o", "l"),
                    events.Finding("c", "C"),
                ),
                warnings=(events.Finding("b", "B", 1, 2),),
                verdicts=msgspec.Raw(
                    b'["P",["Deny","A1",5,4,%d],'
                    b'["Deny","A2","o","l",null],["Warn","B",1,2],'
                    b'["Deny","C",null,null,null]]' % (NOW + 9)
                ),
                facts=FACTS,
                falls_back=False,
                received_ns=NOW - 5,
            ),
        ),
        (),
    )
    assert [len(says.asked) for says in (first, last)] == [1, 1]


def test_codes_of_a_venues_state() -> None:
    """These speak of the venue, not of the order."""
    assert {
        "VENUE_UNAVAILABLE",
        "VENUE_HEARTBEAT_LATE",
        "VENUE_BLIND",
        "VENUE_PAUSED",
    } == VENUE_STATE_CODES


def falls_back(*codes: str, leg: int = 0, alternates: int = 1) -> bool:
    """Return whether a denial for these codes tries the next alternate."""
    scene = Scene(Says("x", *(Deny(code) for code in codes)))
    asked = request(alternates=(THERE,) * alternates)
    decision = scene.ask(commands.Submit(request=asked, received_ns=NOW, leg=leg))
    (denied,) = decision.events
    assert isinstance(denied, events.RequestDenied)
    assert denied.leg == leg
    expected = (commands.TryAlternate(asked, leg + 1),) if denied.falls_back else ()
    assert decision.effects == expected
    return denied.falls_back


@pytest.mark.parametrize("code", sorted(VENUE_STATE_CODES))
def test_a_venues_state_falls_back(code: str) -> None:
    """With an alternate left, the next leg is decided anew; else it is the end."""
    assert falls_back(code)
    assert falls_back(code, "VENUE_UNAVAILABLE")
    assert falls_back(code, leg=1, alternates=2)
    assert not falls_back(code, alternates=0)
    assert not falls_back(code, leg=1)
    assert not falls_back(code, leg=2, alternates=2)


@pytest.mark.parametrize("code", ["HALTED", "MAX_ORDER_SIZE", "CLOCK_SKEW", "UNKNOWN_IN_MARKET"])
def test_a_denial_of_the_order_does_not_fall_back(code: str) -> None:
    """Another venue would not make it safe, also if this venue is down besides."""
    assert not falls_back(code)
    assert not falls_back("VENUE_UNAVAILABLE", code)
    assert not falls_back(code, "VENUE_UNAVAILABLE")


def test_a_repeated_execution_sets_off_a_halt() -> None:
    """The strategy may only reduce until somebody acknowledges; the halt comes once."""
    deny = Deny("REPEATED_EXECUTION", 11, 10)
    scene = Scene(Says("a", Deny("A")), Says("repeated_execution", deny))
    decision = submit(scene, strategy="alpha")
    denied, halt = decision.events
    assert isinstance(denied, events.RequestDenied)
    assert halt == events.HaltRaised(
        source="repeated_execution",
        scope="strategy:alpha",
        state="REDUCING",
        reason=f"repeated execution in market {KALSHI}",
        actor="arbees",
        receipt_id=f"repeated-{scene.book.sequence + 2}",
    )
    scene.write(*decision.events)
    assert scene.book.sequence == int(halt.receipt_id.removeprefix("repeated-"))
    again = submit(scene, strategy="alpha")
    assert [type(event) for event in again.events] == [events.RequestDenied]
    other = submit(scene, strategy="beta")
    assert [type(event) for event in other.events] == [events.RequestDenied, events.HaltRaised]


# Other commands --------------------------------------------------------------------------------


def test_records_are_taken_as_they_are() -> None:
    """What needs no decision is journaled."""
    new_events = (events.Stopped(reason="x"), events.DayOpened(day="d", baseline=1))
    assert Scene().ask(commands.Record(events=new_events)) == commands.Decision(new_events)


def test_cash_is_moved() -> None:
    """A deposit or withdrawal, by whom and why."""
    command = commands.MoveCash(platform=Platform.KALSHI, amount=-5, reason="rent", actor="ann")
    scene = Scene()
    assert scene.do(command) == commands.Decision(
        (events.CashMoved(platform="Kalshi", amount=-5, reason="rent", actor="ann"),)
    )
    scene.do(command)
    assert scene.book.cash_moved == -10


def test_deciding_changes_nothing() -> None:
    """The same book, facts and command give the same decision, and the book stays as it was."""
    scene = Scene(Says("a", Pass("P")))
    scene.resting("k-0")
    before = msgspec.to_builtins(scene.book)
    first, second = submit(scene), submit(scene)
    assert first.events == second.events
    assert msgspec.to_builtins(scene.book) == before
