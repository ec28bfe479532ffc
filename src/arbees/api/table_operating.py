"""Rows of the table of endpoints (`api.table`): orders, positions, money, limits, breaks."""

from typing import Annotated

import msgspec

from arbees.api.endpoints import (
    account,
    flatten,
    orders,
    reconciliations,
)
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.core.book.api_keys import REASON_MAX
from arbees.core.language.strict_json import Identifier
from arbees.core.language.words import Platform
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
)
from arbees.interface.views import Receipt

_REASON = Parameter(
    name="reason",
    place="query",
    type=Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_MAX)],
    says="Why; it is journaled.",
    example="the model is wrong",
)
_ACTOR = Parameter(
    name="actor",
    place="query",
    type=Identifier,
    says="Who says so; the address that asks where nobody is named. A key is its own name.",
    example="ann",
)

ORDERS = (
    Endpoint(
        method="GET",
        path="/v1/orders",
        operation="listOrders",
        summary="List the open orders",
        handler=orders.show,
        tag="Orders",
        scopes=("read",),
        sight="own",
        answers={200: Listed[OrderView]},
    ),
    Endpoint(
        method="DELETE",
        path="/v1/orders",
        operation="cancelAll",
        summary="Cancel all open orders of a scope",
        handler=orders.cancel_all,
        tag="Orders",
        scopes=("cancel",),
        sight="own",
        parameters=(
            Parameter(
                name="scope",
                place="query",
                type=Annotated[str, msgspec.Meta(min_length=1)],
                says="`all`, `platform:X`, `sport:X`, `game:X`, `market:X`, `strategy:X` or "
                "`model_version:X`; `all` unless given.",
                example="sport:NBA",
            ),
            _REASON,
            _ACTOR,
        ),
        answers={200: Receipt, 202: Receipt},
        says={
            200: "On record, and nothing is left to come.",
            202: "On record; the receipt fills up until it is `complete`.",
        },
        links={"getReceipt": {"receipt_id": "$response.body#/receipt_id"}},
    ),
    Endpoint(
        method="POST",
        path="/v1/flatten",
        operation="flatten",
        summary="Close what is held of a scope",
        handler=flatten.flatten,
        tag="Orders",
        scopes=("submit", "cancel"),
        sight="own",
        body=flatten.FlattenCommand,
        example={"scope": "strategy:s", "reason": "the model is wrong", "max_slippage": "0.05"},
        answers={200: Receipt, 202: Receipt},
        says={
            200: "On record, and nothing is left to come.",
            202: "On record; the receipt fills up until it is `complete`.",
        },
        links={"getReceipt": {"receipt_id": "$response.body#/receipt_id"}},
    ),
    Endpoint(
        method="POST",
        path="/v1/orders/resolve",
        operation="resolveOrder",
        summary="End an order of unknown fate by hand",
        handler=orders.resolve,
        tag="Orders",
        scopes=("admin",),
        body=orders.ResolveOrderBody,
        example={
            "client_order_id": "arb-0123456789abcdef",
            "end": "not_sent",
            "reason": "the venue's support says that it never came",
        },
        answers={200: ResolvedView},
        problems={404: ("NOT_FOUND",), 409: ("NOT_UNKNOWN", "NOT_ABSENT")},
    ),
    Endpoint(
        method="DELETE",
        path="/v1/orders/{order_id:path}",
        operation="cancelOrder",
        summary="Cancel one order",
        handler=orders.cancel,
        tag="Orders",
        scopes=("cancel",),
        sight="own",
        parameters=(
            Parameter(
                name="order_id",
                place="path",
                type=Identifier,
                says="Our own id of the order, or the venue's.",
                example="arb-0123456789abcdef",
            ),
            Parameter(
                name="platform",
                place="query",
                type=Platform,
                says="Whose id it is, where two venues use the same.",
                example="Kalshi",
            ),
            _REASON,
            _ACTOR,
        ),
        answers={200: CancelReply, 202: CancelReply},
        says={
            200: "The order has ended already: `status` says how.",
            202: "The cancel is on record and goes out until it is answered.",
        },
        links={"getExecution": {"request_id": "$response.body#/request_id"}},
        problems={404: ("NOT_FOUND",), 409: ("AMBIGUOUS_ORDER_ID",)},
    ),
)

ACCOUNT = (
    Endpoint(
        method="GET",
        path="/v1/positions",
        operation="listPositions",
        summary="List what is held",
        handler=account.positions,
        tag="Account",
        scopes=("read",),
        answers={200: Listed[PositionView]},
    ),
    Endpoint(
        method="GET",
        path="/v1/balances",
        operation="listBalances",
        summary="List the money of each venue",
        handler=account.balances,
        tag="Account",
        scopes=("read",),
        answers={200: Listed[BalanceView]},
    ),
    Endpoint(
        method="GET",
        path="/v1/safeguards",
        operation="listSafeguards",
        summary="List the safeguards with settings and headroom",
        handler=account.safeguards,
        tag="Account",
        scopes=("read",),
        answers={200: Listed[SafeguardView]},
    ),
    Endpoint(
        method="GET",
        path="/v1/alerts",
        operation="listAlerts",
        summary="List the alerts that were raised",
        handler=account.alerts,
        tag="Account",
        scopes=("read",),
        answers={200: Listed[AlertView]},
    ),
    Endpoint(
        method="POST",
        path="/v1/cashflows",
        operation="moveCash",
        summary="Record a deposit or a withdrawal",
        handler=account.move_cash,
        tag="Account",
        scopes=("admin",),
        body=account.Cashflow,
        example={"platform": "Kalshi", "amount": 500, "reason": "a transfer from the bank"},
        answers={201: CashflowView},
        problems={409: ("INSUFFICIENT_BALANCE",)},
    ),
)

RECONCILIATIONS = (
    Endpoint(
        method="GET",
        path="/v1/reconciliations",
        operation="listBreaks",
        summary="List the open reconciliation breaks",
        handler=reconciliations.show,
        tag="Reconciliation",
        scopes=("read",),
        answers={200: Listed[BreakView]},
    ),
    Endpoint(
        method="POST",
        path="/v1/reconciliations",
        operation="reconcile",
        summary="Compare with every venue now",
        handler=reconciliations.run,
        tag="Reconciliation",
        scopes=("admin",),
        answers={200: ReconciliationView},
    ),
    Endpoint(
        method="POST",
        path="/v1/reconciliations/resolve",
        operation="resolveBreak",
        summary="End a reconciliation break by hand",
        handler=reconciliations.resolve,
        tag="Reconciliation",
        scopes=("admin",),
        body=reconciliations.ResolveBreak,
        example={"break_id": "Kalshi|position|NBA-BOS", "reason": "the venue corrected it"},
        answers={200: ResolvedView},
        problems={404: ("NOT_FOUND",)},
    ),
    Endpoint(
        method="POST",
        path="/v1/reconciliations/adopt",
        operation="adoptBreak",
        summary="Take the venue's word of a reconciliation break",
        handler=reconciliations.adopt,
        tag="Reconciliation",
        scopes=("admin",),
        body=reconciliations.ResolveBreak,
        example={"break_id": "Kalshi|cash|Kalshi:3", "reason": "a trade by hand"},
        answers={200: ResolvedView},
        problems={404: ("NOT_FOUND",), 409: ("AGREES", "NOT_COMPARED")},
    ),
)

OPERATING = (*ORDERS, *ACCOUNT, *RECONCILIATIONS)
