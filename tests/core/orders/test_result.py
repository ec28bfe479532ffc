"""Results: the fold of a request's records, in the words and numbers of the wire."""

from decimal import Decimal
from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    Gated,
    NotSent,
    Outcome,
    Refused,
)
from arbees.core.deciding.verdicts import Deny, Warn
from arbees.core.language.request import Alternate
from arbees.core.language.words import (
    Action,
    Platform,
    ResultStatus,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import (
    Leg,
    Line,
    Result,
    fold,
    line,
)
from tests.core.scene import MICRO, Says, Scene
from tests.safeguards.build import KALSHI, NOW, YES_TOKEN, request

TEN = 10 * MICRO
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
THERE = Alternate(
    platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.NO, limit_price=340_000
)


def result(scene: Scene, request_id: str = "r-k-1") -> Result:
    """Return the result of a request as known now."""
    life = fold(scene.life(request_id))
    assert life is not None
    return life.result()


def differs(found: Result, **changes: Any) -> None:
    """Assert that a result is the one of the default order, resting, but for these fields."""
    expected = Result(
        request_id="r-k-1",
        idempotency_key="k-1",
        attempt=1,
        status=ResultStatus.PENDING,
        final=False,
        rejected_by=None,
        code=None,
        rejection_reason=None,
        denials=(),
        warnings=(),
        platform="Kalshi",
        market_id=KALSHI,
        side="Yes",
        action="Buy",
        order_id="v-k-1",
        client_order_id="arb-ae43a0b8a1c85c19d6384d3bde32e253e63bc73d",
        requested_size=Decimal(10),
        limit_price=Decimal("0.65"),
        filled_qty=Decimal(0),
        avg_price=Decimal(0),
        fees=Decimal(0),
        latency_ms=Decimal(0),
        sequence=4,
        model_version=None,
        strategy=None,
        route=(Leg("Kalshi", KALSHI, "Pending", None, "v-k-1"),),
        venue_code=None,
    )
    for name, value in changes.items():
        assert hasattr(expected, name), name
        setattr(expected, name, value)
    assert found == expected


def here(status: str, code: str | None = None, order_id: str | None = "v-k-1") -> tuple[Leg]:
    """Return the route of a request that went nowhere else."""
    return (Leg("Kalshi", KALSHI, status, code, order_id),)


def test_pending() -> None:
    """Approved, not yet sent or answered."""
    scene = Scene()
    scene.order(strategy="alpha", model_version="v1")
    differs(
        result(scene),
        order_id=None,
        sequence=3,
        strategy="alpha",
        model_version="v1",
        route=here("Pending", None, None),
    )


def test_resting() -> None:
    """Acknowledged: its venue's id is known."""
    scene = Scene()
    scene.resting(**GTC)
    differs(result(scene))


def test_partly_filled_and_working() -> None:
    """What filled so far, and still not final."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.fill(order, 3 * MICRO, 640_000, 50_001)
    scene.fill(order, MICRO, 650_000)
    differs(
        result(scene),
        filled_qty=Decimal(4),
        avg_price=Decimal("0.6425"),
        fees=Decimal("0.050001"),
        sequence=6,
    )


def test_filled() -> None:
    """Final, with its latency from arrival to the last fill."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.now += 1_234_567
    scene.fill(order, TEN, 640_000, 160_000)
    differs(
        result(scene),
        status="Filled",
        final=True,
        filled_qty=Decimal(10),
        avg_price=Decimal("0.64"),
        fees=Decimal("0.16"),
        latency_ms=Decimal("1.234"),
        sequence=5,
        route=here("Filled"),
    )


@pytest.mark.parametrize(
    ("action", "limit", "average"),
    [(Action.BUY, "0.65", "0.633334"), (Action.SELL, "0.6", "0.633333")],
)
def test_averages_are_rounded_against_us(action: Action, limit: str, average: str) -> None:
    """What was paid up, what was received down."""
    scene = Scene()
    scene.fill(scene.resting("h", **GTC), TEN, 650_000)
    order = scene.resting(action=action, size="3", limit_price=limit, **GTC)
    scene.fill(order, 2 * MICRO, 650_000)
    scene.fill(order, MICRO, 600_000)
    assert result(scene).avg_price == Decimal(average)


def test_ended_without_a_fill() -> None:
    """Cancelled, killed and expired are Cancelled."""
    for how in ("cancelled", "killed", "expired"):
        scene = Scene()
        order = scene.order()
        scene.answer(order, Accepted(venue_order_id="v-k-1", time_ns=NOW, closed=how))
        differs(result(scene), status="Cancelled", final=True, sequence=5, route=here("Cancelled"))


def test_ended_with_some_fill() -> None:
    """Partial."""
    scene = Scene()
    order = scene.order()
    fill = scene.trade(order, 4 * MICRO, 650_000)
    ended = Accepted(venue_order_id="v-k-1", time_ns=NOW, fills=(fill,), closed="cancelled")
    scene.answer(order, ended)
    differs(
        result(scene),
        status="Partial",
        final=True,
        filled_qty=Decimal(4),
        avg_price=Decimal("0.65"),
        sequence=6,
        route=here("Partial"),
    )


def test_unknown() -> None:
    """Not final; found, it is pending again."""
    scene = Scene()
    order = scene.lost()
    differs(result(scene), status="Unknown", order_id=None, route=here("Unknown", None, None))
    scene.fill(order, MICRO, 650_000)
    assert (result(scene).status, result(scene).final) == ("Unknown", False)
    scene.answer(order, Accepted(venue_order_id="v-9", time_ns=NOW))
    assert (result(scene).status, result(scene).order_id) == ("Pending", "v-9")


def test_rejected_by_the_venue() -> None:
    """With the venue's own code."""
    scene = Scene()
    scene.answer(scene.order(), Refused(venue_code="closed", message="market closed"))
    differs(
        result(scene),
        status="Rejected",
        final=True,
        rejected_by="venue",
        code="VENUE_REJECTED",
        rejection_reason="The venue refused the order: closed: market closed",
        venue_code="closed",
        order_id=None,
        route=here("Rejected", "VENUE_REJECTED", None),
    )


def test_not_sent() -> None:
    """Failed, and nobody rejected it."""
    scene = Scene()
    scene.answer(scene.order(), NotSent(message="no route"))
    differs(
        result(scene),
        status="Failed",
        final=True,
        code="NOT_SENT",
        rejection_reason="The order provably never left: no route",
        order_id=None,
        route=here("Failed", "NOT_SENT", None),
    )


def test_held_back_by_the_gate() -> None:
    """A gateway denial after approval."""
    scene = Scene()
    scene.answer(scene.order(), Gated(code="HALTED", message="Trading halted: x"))
    differs(
        result(scene),
        status="Rejected",
        final=True,
        rejected_by="gateway",
        code="HALTED",
        rejection_reason="Trading halted: x",
        denials=(Line("gate", "HALTED", None, None, None, "Trading halted: x"),),
        order_id=None,
        route=here("Rejected", "HALTED", None),
    )


def test_denied() -> None:
    """The headline is the code; every finding is there, each in its unit."""
    scene = Scene(
        Says(
            "rate_limit",
            Deny("RATE_LIMIT_MINUTE", 21, 20, NOW + 10**9),
            Warn("QUOTE_STALE", 31_250_000_000, 30 * 10**9),
        ),
        Says("order_size", Deny("MAX_ORDER_SIZE", 6_500_000, 5_000_000)),
    )
    scene.now += 2_000
    scene.do(commands.Submit(request=request(request_id="r-k-1"), received_ns=NOW))
    minute = Line(
        "rate_limit",
        "RATE_LIMIT_MINUTE",
        Decimal(21),
        Decimal(20),
        "2026-01-28T20:30:01.000Z",
        "Rate limit exceeded: 21 orders in last minute (max 20)",
    )
    size = Line(
        "order_size",
        "MAX_ORDER_SIZE",
        Decimal("6.5"),
        Decimal(5),
        None,
        "Order size $6.50 exceeds maximum $5.00",
    )
    stale = Line(
        "rate_limit",
        "QUOTE_STALE",
        Decimal("31.25"),
        Decimal(30),
        None,
        "The quote is 31.25 s old, maximum 30 s",
    )
    differs(
        result(scene),
        status="Rejected",
        final=True,
        rejected_by="gateway",
        code="RATE_LIMIT_MINUTE",
        rejection_reason="Rate limit exceeded: 21 orders in last minute (max 20)",
        denials=(minute, size),
        warnings=(stale,),
        order_id=None,
        client_order_id=None,
        latency_ms=Decimal("0.002"),
        sequence=3,
        route=here("Rejected", "RATE_LIMIT_MINUTE", None),
    )


def test_warnings_of_an_approval() -> None:
    """They stand beside whatever becomes of the order."""
    scene = Scene(Says("price_reference", Warn("QUOTE_MISSING", "no quote")))
    scene.order()
    expected = Line(
        "price_reference",
        "QUOTE_MISSING",
        "no quote",
        None,
        None,
        "No quote to compare with: no quote",
    )
    assert result(scene).warnings == (expected,)


@pytest.mark.parametrize(
    ("finding", "observed", "limit"),
    [
        (events.Finding("x", "RATE_LIMIT_HOUR", 101, 100), Decimal(101), Decimal(100)),
        (events.Finding("x", "BALANCE_STALE", 1_500_000, 10**9), Decimal("0.0015"), Decimal(1)),
        (events.Finding("x", "INVALID_TICK", 655_500, 10_000), Decimal("0.6555"), Decimal("0.01")),
        (events.Finding("x", "EDGE_IMPLAUSIBLE", 1, None), Decimal("0.000001"), None),
        (events.Finding("x", "MARKET_CLOSED", "M", None), "M", None),
        (events.Finding("x", "PRICE_OUT_OF_RANGE", 30_000, "0.05"), Decimal("0.03"), "0.05"),
    ],
)
def test_values_of_findings(
    finding: events.Finding, observed: Decimal | str | None, limit: Decimal | str | None
) -> None:
    """Counts as they are, seconds in seconds, everything else in units; texts as texts."""
    found = line(finding)
    assert (found.observed, found.limit) == (observed, limit)
    assert (found.safeguard, found.code, found.until) == ("x", finding.code, None)


# Routes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (NotSent(message="m"), "Failed", "NOT_SENT"),
        (Refused(venue_code="x", message="m", is_health=True), "Rejected", "VENUE_REJECTED"),
    ],
)
def test_a_route_over_two_venues(outcome: Outcome, status: str, code: str) -> None:
    """Where the request was tried, and what came of it; the result is the last leg's."""
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    asked = scene.requests[order.client_order_id]
    (effect,) = scene.answer(order, outcome).effects
    assert effect == commands.TryAlternate(asked, 1)
    waiting = result(scene)
    assert (waiting.status, waiting.final, waiting.code) == ("Pending", False, code)
    scene.do(commands.Submit(request=asked, received_ns=NOW, leg=1))
    there = scene.book.orders[order.client_order_id]
    tried = Leg("Kalshi", KALSHI, status, code, None)
    differs(
        result(scene),
        platform="Polymarket",
        market_id=YES_TOKEN,
        side="No",
        limit_price=Decimal("0.34"),
        order_id=None,
        sequence=5,
        route=(tried, Leg("Polymarket", YES_TOKEN, "Pending", None, None)),
    )
    scene.fill(there, TEN, 330_000)
    final = result(scene)
    assert (final.status, final.final, final.code, final.rejected_by) == (
        "Filled",
        True,
        None,
        None,
    )
    assert final.route == (tried, Leg("Polymarket", YES_TOKEN, "Filled", None, None))
    assert (final.venue_code, final.rejection_reason) == (None, None)


def test_a_route_that_begins_with_a_denial() -> None:
    """The venue was down; the alternate denies for its own reasons."""
    says = Says("venue_health", Deny("VENUE_BLIND"))
    says.codes = ("VENUE_BLIND", "MARKET_CLOSED")  # type: ignore[misc]
    scene = Scene(says)
    asked = request(request_id="r-k-1", alternates=(THERE,))
    scene.do(commands.Submit(request=asked, received_ns=NOW))
    found = result(scene)
    assert (found.status, found.final, found.code) == ("Pending", False, "VENUE_BLIND")
    says.verdicts = (Deny("MARKET_CLOSED", YES_TOKEN),)
    scene.do(commands.Submit(request=asked, received_ns=NOW, leg=1))
    found = result(scene)
    assert (found.status, found.final, found.code) == ("Rejected", True, "MARKET_CLOSED")
    assert [each.code for each in found.denials] == ["MARKET_CLOSED"]
    assert found.route == (
        Leg("Kalshi", KALSHI, "Rejected", "VENUE_BLIND", None),
        Leg("Polymarket", YES_TOKEN, "Rejected", "MARKET_CLOSED", None),
    )
