"""What operators see and do at a gateway by hand: fixed lists, and a note of everything asked."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from arbees.core.language.units import to_decimal
from arbees.core.language.words import End
from arbees.interface.operator import (
    AlertView,
    BalanceView,
    BreakView,
    CancelReply,
    CashflowView,
    Listed,
    OrderView,
    PositionView,
    ReconciliationView,
    ResolvedView,
    SafeguardView,
    TouchView,
    Usage,
)

SINCE = "2026-01-28T20:30:00.000Z"
SEQUENCE = 9

ORDER = OrderView(
    order_id="venue-1",
    client_order_id="arb-1",
    request_id="req-1",
    idempotency_key="key-1",
    platform="Kalshi",
    market_id="NBA-BOS",
    side="Yes",
    action="Buy",
    size=Decimal(50),
    filled_qty=Decimal("12.5"),
    limit_price=Decimal("0.65"),
    time_in_force="GTC",
    status="PARTIALLY_FILLED",
    created_at=SINCE,
    strategy="alpha",
)
TOUCH = TouchView(
    platform="Kalshi",
    market_id="NBA-BOS",
    market_key="NBA-BOS",
    bid=Decimal("0.64"),
    ask=None,
    ts=SINCE,
    open=True,
    sport="NBA",
    game_id="g1",
)
POSITION = PositionView(
    platform="Kalshi",
    market_id="NBA-BOS",
    market_key="NBA-BOS",
    side="Yes",
    quantity=Decimal("12.5"),
    avg_cost=Decimal("0.64"),
    mark=None,
    mark_age_secs=None,
    unrealized_pnl=Decimal(0),
    realized_pnl=Decimal("-1.25"),
    worst_case_loss=Decimal("32.375"),
    sport="NBA",
    game_id="nba_BOS@ATL",
)
BALANCE = BalanceView(
    platform="Kalshi",
    available=Decimal("9967.625"),
    reserved=Decimal("24.375"),
    equity=Decimal(9999),
    as_of=SINCE,
    stale=True,
)
SAFEGUARDS = (
    SafeguardView(
        name="market_exposure",
        enabled=True,
        settings={"MAX_POSITION_PER_MARKET": "200"},
        used=(
            Usage(
                scope="market:NBA-BOS",
                value=Decimal("32.375"),
                limit=Decimal(200),
                headroom=Decimal("167.625"),
                code="MAX_POSITION_PER_MARKET",
            ),
        ),
        denials_today=3,
    ),
    SafeguardView(
        name="order_size",
        enabled=False,
        settings={"MAX_ORDER_SIZE": "100"},
        used=(),
        denials_today=0,
    ),
)
ALERT = AlertView(
    name="BALANCE_LOW",
    subject="Kalshi|Kalshi:2",
    severity="critical",
    message="Kalshi:2: $12.00 available, threshold $100.00",
    raised_at=SINCE,
    cleared_at=None,
    count=4,
    data={"platform": "Kalshi", "pool": "Kalshi:2"},
    sequence=8,
)
BREAK = BreakView(
    break_id="Kalshi|position|NBA-BOS",
    kind="position",
    platform="Kalshi",
    market_key="NBA-BOS",
    expected="10 Yes",
    observed="9 Yes",
    policy="freeze_market",
    since=SINCE,
)
CANCEL = CancelReply(
    order_id="venue-1",
    client_order_id="arb-1",
    request_id="req-1",
    status="WORKING",
    sequence=SEQUENCE,
)


class FakeOperator:
    """What of a gateway operators use."""

    def __init__(self) -> None:
        self.open_orders: tuple[OrderView, ...] = (ORDER,)
        self.positions_held: tuple[PositionView, ...] = (POSITION,)
        self.open_breaks: tuple[BreakView, ...] = (BREAK,)
        self.raised: tuple[AlertView, ...] = (ALERT,)
        self.sheets = SAFEGUARDS
        self.failed: tuple[str, ...] = ()
        self.cancel_reply: CancelReply | None = CANCEL
        self.resolves = True
        self.did: list[dict[str, Any]] = []
        self.operator_error: Exception | None = None
        """Raised by every act and look."""

    def _note(self, what: str, **said: Any) -> None:
        self.did.append({"what": what, **said})
        if self.operator_error is not None:
            raise self.operator_error

    async def orders(self) -> Listed[OrderView]:
        self._note("orders")
        return Listed(items=self.open_orders, sequence=SEQUENCE)

    async def positions(self) -> Listed[PositionView]:
        self._note("positions")
        return Listed(items=self.positions_held, sequence=SEQUENCE)

    async def balances(self) -> Listed[BalanceView]:
        self._note("balances")
        return Listed(items=(BALANCE,), sequence=SEQUENCE)

    async def touches(self) -> Listed[TouchView]:
        self._note("touches")
        return Listed(items=(TOUCH,), sequence=SEQUENCE)

    async def safeguards(self) -> Listed[SafeguardView]:
        self._note("safeguards")
        return Listed(items=self.sheets, sequence=SEQUENCE)

    async def alerts(self) -> Listed[AlertView]:
        self._note("alerts")
        return Listed(items=self.raised, sequence=SEQUENCE)

    async def breaks(self) -> Listed[BreakView]:
        self._note("breaks")
        return Listed(items=self.open_breaks, sequence=SEQUENCE)

    async def cancel(self, order_id: str, **said: Any) -> CancelReply | None:
        self._note("cancel", order_id=order_id, **said)
        return self.cancel_reply

    async def cancel_all(self, **said: Any) -> str:
        self._note("cancel_all", **said)
        return "receipt-1"

    async def flatten(self, **said: Any) -> str:
        self._note("flatten", **said)
        return "receipt-1"

    async def reconcile(self) -> ReconciliationView:
        self._note("reconcile")
        return ReconciliationView(
            complete=not self.failed,
            failed=self.failed,
            breaks=self.open_breaks,
            finished_at=SINCE,
            sequence=SEQUENCE,
        )

    async def move_cash(
        self, platform: str, amount_micro: int, *, reason: str, actor: str
    ) -> CashflowView:
        self._note("move_cash", platform=platform, amount=amount_micro, reason=reason, actor=actor)
        amount = to_decimal(amount_micro)
        return CashflowView(platform=platform, amount=amount, reason=reason, sequence=SEQUENCE)

    async def adopt_break(self, break_id: str, **said: Any) -> ResolvedView | None:
        self._note("adopt_break", break_id=break_id, **said)
        if self.operator_error is not None:
            raise self.operator_error
        return ResolvedView(name=break_id, sequence=SEQUENCE) if self.resolves else None

    async def resolve_break(self, break_id: str, **said: Any) -> ResolvedView | None:
        self._note("resolve_break", break_id=break_id, **said)
        return ResolvedView(name=break_id, sequence=SEQUENCE) if self.resolves else None

    async def resolve_order(
        self, client_order_id: str, *, end: End, reason: str, actor: str
    ) -> ResolvedView | None:
        self._note(
            "resolve_order", client_order_id=client_order_id, end=end, reason=reason, actor=actor
        )
        return ResolvedView(name=client_order_id, sequence=SEQUENCE) if self.resolves else None


def filled(order: OrderView = ORDER) -> CancelReply:
    """Return the answer to a cancel that came after the fill."""
    return replace(CANCEL, status="FILLED", final=True, filled_qty=order.size)
