"""Every event and the body of its record, byte for byte."""

from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.api_keys import Caps
from arbees.core.book.market import Listing
from arbees.core.book.open_order import Order, Reservation
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.flatten_plan import Close, Left
from arbees.core.language.request import Request
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)

REQUEST = Request(
    request_id="r-1",
    idempotency_key="k-1",
    platform=Platform.KALSHI,
    market_id="M",
    side=Side.YES,
    size=10_000_000,
    limit_price=650_000,
    created_ns=5,
)
REQUEST_JSON = (
    '{"request_id":"r-1","idempotency_key":"k-1","platform":"Kalshi","market_id":"M","side":"Yes",'
    '"size":10000000,"limit_price":650000,"created_ns":5}'
)
REOPENED = Order(
    client_order_id="c",
    request_id="r",
    idempotency_key="k",
    attempt=1,
    fingerprint="f",
    leg=0,
    platform=Platform.KALSHI,
    market_id="M",
    market_key="M",
    side=Side.YES,
    action=Action.BUY,
    quantity=10,
    limit_price=650_000,
    time_in_force=TimeInForce.GTC,
    created_ns=5,
    strategy="s",
    sport="NBA",
    status=OrderStatus.WORKING,
    venue_order_id="v",
    reserved=Reservation(1, 2, 3, 4, 5),
)
FINDING = events.Finding("order_size", "MAX_ORDER_SIZE", 2, 1, 9)
FACTS = Facts(now_ns=7)
RESERVED = Reservation(1, 2, 3, 4, 5)
IDS: dict[str, Any] = {"client_order_id": "c-1", "request_id": "r-1"}
IDS_JSON = '"client_order_id":"c-1","request_id":"r-1"'

LEAST: list[tuple[events.Event, str]] = [
    (
        events.Bound(account="main", environment="local", mode="paper"),
        '{"type":"Bound","account":"main","environment":"local","mode":"paper"}',
    ),
    (
        events.Started(version="1", settings_hash="h", settings={"A": "b"}),
        '{"type":"Started","version":"1","settings_hash":"h","settings":{"A":"b"}}',
    ),
    (events.Stopped(reason="SIGTERM"), '{"type":"Stopped","reason":"SIGTERM"}'),
    (
        events.Authorized(actor="ann", reason="go", settings_hash="h"),
        '{"type":"Authorized","actor":"ann","reason":"go","settings_hash":"h"}',
    ),
    (
        events.RequestDenied(request=REQUEST, findings=(FINDING,), facts=FACTS, received_ns=6),
        (
            f'{{"type":"RequestDenied","request":{REQUEST_JSON},'
            '"findings":[["order_size","MAX_ORDER_SIZE",2,1,9]],'
            '"facts":{"now_ns":7},"received_ns":6}'
        ),
    ),
    (
        events.DuplicateRefused(
            request=REQUEST, code="DUPLICATE_REQUEST", original_request_id="r-0", received_ns=6
        ),
        (
            f'{{"type":"DuplicateRefused","request":{REQUEST_JSON},"code":"DUPLICATE_REQUEST",'
            '"original_request_id":"r-0","received_ns":6}'
        ),
    ),
    (
        events.OrderApproved(
            request=REQUEST,
            client_order_id="c-1",
            market_id="M",
            market_key="K",
            platform=Platform.KALSHI,
            side=Side.YES,
            limit_price=650_000,
            reserved=RESERVED,
            sport="NBA",
            game_id="g",
            strategy="s",
            facts=FACTS,
            received_ns=6,
        ),
        (
            f'{{"type":"OrderApproved","request":{REQUEST_JSON},"client_order_id":"c-1",'
            '"market_id":"M","market_key":"K","platform":"Kalshi","side":"Yes",'
            '"limit_price":650000,'
            '"reserved":[1,2,3,4,5],"sport":"NBA","game_id":"g","strategy":"s",'
            '"facts":{"now_ns":7},"received_ns":6}'
        ),
    ),
    (
        events.OrderDenied(**IDS, code="HALTED", message="m"),
        f'{{"type":"OrderDenied",{IDS_JSON},"code":"HALTED","message":"m"}}',
    ),
    (
        events.OrderAcknowledged(**IDS, venue_order_id="v-1"),
        f'{{"type":"OrderAcknowledged",{IDS_JSON},"venue_order_id":"v-1"}}',
    ),
    (
        events.OrderRejected(**IDS, venue_code="x", message="m"),
        f'{{"type":"OrderRejected",{IDS_JSON},"venue_code":"x","message":"m"}}',
    ),
    (
        events.OrderNotSent(**IDS, message="m"),
        f'{{"type":"OrderNotSent",{IDS_JSON},"message":"m"}}',
    ),
    (
        events.OrderUnknown(**IDS, message="m", sent_ns=8),
        f'{{"type":"OrderUnknown",{IDS_JSON},"message":"m","sent_ns":8}}',
    ),
    (
        events.OrderFilled(
            **IDS,
            platform="Kalshi",
            market_key="K",
            strategy="s",
            trade_id="t-1",
            quantity=1,
            price=2,
            value=3,
            fee=4,
            venue_ns=5,
            reserved=RESERVED,
        ),
        (
            f'{{"type":"OrderFilled",{IDS_JSON},"platform":"Kalshi","market_key":"K",'
            '"strategy":"s",'
            '"trade_id":"t-1","quantity":1,"price":2,"value":3,"fee":4,"venue_ns":5,'
            '"reserved":[1,2,3,4,5]}'
        ),
    ),
    (
        events.OrderCancelled(**IDS, reason="killed"),
        f'{{"type":"OrderCancelled",{IDS_JSON},"reason":"killed"}}',
    ),
    (events.OrderExpired(**IDS), f'{{"type":"OrderExpired",{IDS_JSON}}}'),
    (
        events.FillDisputed(
            **IDS, trade_id="t", quantity=9, price=8, fee=7, venue_ns=6, message="too much"
        ),
        (
            f'{{"type":"FillDisputed",{IDS_JSON},"trade_id":"t","quantity":9,"price":8,"fee":7,'
            '"venue_ns":6,"message":"too much"}'
        ),
    ),
    (
        events.FillReversed(
            **IDS,
            platform="Kalshi",
            market_key="M",
            strategy="s",
            trade_id="t",
            reserved=Reservation(),
        ),
        (
            f'{{"type":"FillReversed",{IDS_JSON},"platform":"Kalshi","market_key":"M",'
            '"strategy":"s","trade_id":"t","reserved":[0,0,0,0,0]}'
        ),
    ),
    (
        events.OrderReopened(
            **IDS, order=REOPENED, by="list", message="the venue shows it", corrects=9
        ),
        (
            f'{{"type":"OrderReopened",{IDS_JSON},"order":{{"client_order_id":"c","request_id":"r",'
            '"idempotency_key":"k","attempt":1,"fingerprint":"f","leg":0,"platform":"Kalshi",'
            '"market_id":"M","market_key":"M","side":"Yes","action":"Buy","quantity":10,'
            '"limit_price":650000,"time_in_force":"GTC","created_ns":5,"strategy":"s",'
            '"sport":"NBA","status":"WORKING","venue_order_id":"v","reserved":[1,2,3,4,5]},'
            '"by":"list","message":"the venue shows it","corrects":9}'
        ),
    ),
    (
        events.OrderAmended(**IDS, quantity=9, limit_price=8, by="list", reserved=Reservation(1)),
        (
            f'{{"type":"OrderAmended",{IDS_JSON},"quantity":9,"limit_price":8,"by":"list",'
            '"reserved":[1,0,0,0,0]}'
        ),
    ),
    (
        events.VenueIdChanged(**IDS, venue_order_id="v2", before="v", by="list"),
        f'{{"type":"VenueIdChanged",{IDS_JSON},"venue_order_id":"v2","before":"v","by":"list"}}',
    ),
    (
        events.CancelRequested(**IDS, reason="m", actor="ann"),
        f'{{"type":"CancelRequested",{IDS_JSON},"reason":"m","actor":"ann"}}',
    ),
    (
        events.CancelAnswered(**IDS, message="m"),
        f'{{"type":"CancelAnswered",{IDS_JSON},"message":"m"}}',
    ),
    (
        events.HaltRaised(
            source="http", scope="all", state="HALTED", reason="m", actor="ann", receipt_id="x"
        ),
        (
            '{"type":"HaltRaised","source":"http","scope":"all","state":"HALTED","reason":"m",'
            '"actor":"ann","receipt_id":"x"}'
        ),
    ),
    (
        events.HaltLifted(source="http", scope="all", reason="m", actor="ann"),
        '{"type":"HaltLifted","source":"http","scope":"all","reason":"m","actor":"ann"}',
    ),
    (
        events.MassCancelled(scope="all", reason="m", actor="ann", orders=("c-1",), receipt_id="x"),
        (
            '{"type":"MassCancelled","scope":"all","reason":"m","actor":"ann","orders":["c-1"],'
            '"receipt_id":"x"}'
        ),
    ),
    (
        events.FlattenPlanned(
            receipt_id="x",
            closes=(
                Close(
                    request_id="x-1",
                    platform="Kalshi",
                    market_id="M",
                    side="Yes",
                    quantity=5,
                    limit_price=4,
                ),
            ),
        ),
        (
            '{"type":"FlattenPlanned","receipt_id":"x","closes":[{"request_id":"x-1",'
            '"platform":"Kalshi","market_id":"M","side":"Yes","quantity":5,"limit_price":4}]}'
        ),
    ),
    (
        events.MarketListed(listing=Listing(platform="Kalshi", market_id="M", market_key="K")),
        (
            '{"type":"MarketListed","listing":{"platform":"Kalshi","market_id":"M",'
            '"market_key":"K","is_flipped":false,"opposite_id":null,"sport":null,"game_id":null,'
            '"game_start_ns":null,'
            '"close_ns":null,"tick":1000,"ticks":[],"lot":10000,"minimum":0,"is_netting":true,'
            '"taker_rate":70000,"maker_rate":0,"fee_grid":100,"pool":"","event_id":null,'
            '"milestone_id":null}}'
        ),
    ),
    (
        events.MarketStatusChanged(market_key="K", is_open=False),
        '{"type":"MarketStatusChanged","market_key":"K","is_open":false}',
    ),
    (
        events.GamesJoined(game="g", names=("h",)),
        '{"type":"GamesJoined","game":"g","names":["h"]}',
    ),
    (
        events.MarketSettled(market_key="K", payout=1, realized=2),
        '{"type":"MarketSettled","market_key":"K","payout":1,"realized":2}',
    ),
    (
        events.SettlementCorrected(
            market_key="K", yes_payout=1, no_payout=2, payout=-3, realized=-3, corrects=9
        ),
        (
            '{"type":"SettlementCorrected","market_key":"K","yes_payout":1,"no_payout":2,'
            '"payout":-3,"realized":-3,"corrects":9}'
        ),
    ),
    (
        events.BalanceObserved(pool="p", platform="Kalshi", available=1, as_of_ns=2, outside=3),
        (
            '{"type":"BalanceObserved","pool":"p","platform":"Kalshi","available":1,"as_of_ns":2,'
            '"outside":3}'
        ),
    ),
    (
        events.CashMoved(platform="Kalshi", amount=-1, reason="m", actor="ann"),
        '{"type":"CashMoved","platform":"Kalshi","amount":-1,"reason":"m","actor":"ann"}',
    ),
    (
        events.DayOpened(day="2026-01-28", baseline=-5),
        '{"type":"DayOpened","day":"2026-01-28","baseline":-5}',
    ),
    (events.Marked(marks={"K": (1, None)}), '{"type":"Marked","marks":{"K":[1,null]}}'),
    (
        events.BreakOpened(
            break_id="b",
            kind="position",
            platform="Kalshi",
            market_key=None,
            expected="1",
            observed="2",
            policy="halt",
        ),
        (
            '{"type":"BreakOpened","break_id":"b","kind":"position","platform":"Kalshi",'
            '"market_key":null,"expected":"1","observed":"2","policy":"halt"}'
        ),
    ),
    (
        events.BreakClosed(break_id="b", how="evidence", actor="ann"),
        '{"type":"BreakClosed","break_id":"b","how":"evidence","actor":"ann"}',
    ),
    (
        events.VenueStateChanged(platform="Kalshi", state="HALTED"),
        '{"type":"VenueStateChanged","platform":"Kalshi","state":"HALTED"}',
    ),
    (
        events.VenueNoted(platform="Kalshi", name="order_group:2", value="g open"),
        '{"type":"VenueNoted","platform":"Kalshi","name":"order_group:2","value":"g open"}',
    ),
    (
        events.AlertRaised(alert_id="a", name="N", severity="warning", message="m", since_ns=7),
        (
            '{"type":"AlertRaised","alert_id":"a","name":"N","severity":"warning","message":"m",'
            '"since_ns":7}'
        ),
    ),
    (
        events.PositionAdopted(market_key="m"),
        '{"type":"PositionAdopted","market_key":"m"}',
    ),
    (
        events.CashCounted(pool="Kalshi", amount=5),
        '{"type":"CashCounted","pool":"Kalshi","amount":5}',
    ),
    (
        events.CashExplained(
            platform="Kalshi",
            pool="Kalshi:3",
            amount=-5,
            movement="transfer",
            movement_id="t",
            venue_ns=7,
        ),
        (
            '{"type":"CashExplained","platform":"Kalshi","pool":"Kalshi:3","amount":-5,'
            '"movement":"transfer","movement_id":"t","venue_ns":7}'
        ),
    ),
    (
        events.DifferenceAccepted(break_id="b", observed="o", reason="r", actor="ann"),
        '{"type":"DifferenceAccepted","break_id":"b","observed":"o","reason":"r","actor":"ann"}',
    ),
    (events.AlertCleared(alert_id="a"), '{"type":"AlertCleared","alert_id":"a"}'),
    (
        events.DenialReviewed(
            request_id="r-1", sequence=7, verdict="disputed", reason="m", actor="ann"
        ),
        (
            '{"type":"DenialReviewed","request_id":"r-1","sequence":7,"verdict":"disputed",'
            '"reason":"m","actor":"ann"}'
        ),
    ),
    (
        events.Drilled(
            safeguard="balance",
            is_passed=True,
            limits_hash="l",
            settings_hash="s",
            host="h",
            version="1",
            actor="ann",
        ),
        (
            '{"type":"Drilled","safeguard":"balance","is_passed":true,"limits_hash":"l",'
            '"settings_hash":"s","host":"h","version":"1","actor":"ann"}'
        ),
    ),
    (
        events.KeyCreated(key_id="i", name="alpha", digest="d", scopes=("read",), actor="ann"),
        (
            '{"type":"KeyCreated","key_id":"i","name":"alpha","digest":"d","scopes":["read"],'
            '"actor":"ann"}'
        ),
    ),
    (
        events.KeyRevoked(key_id="i", reason="m", actor="ann"),
        '{"type":"KeyRevoked","key_id":"i","reason":"m","actor":"ann"}',
    ),
]
"""Every event with what must be said of it, and its record's body."""

MORE: dict[type[events.Event], dict[str, Any]] = {
    events.Started: {"disabled": {"market": "test"}},
    events.Authorized: {"until_ns": 9, "settings": {"A": "b"}},
    events.RequestDenied: {
        "leg": 1,
        "warnings": (FINDING, events.Finding("a", "B", "c")),
        "verdicts": msgspec.Raw(b'[["a",[]]]'),
        "falls_back": True,
        "key_id": "i",
    },
    events.DuplicateRefused: {"observed": "o", "limit": "l", "key_id": "i"},
    events.OrderApproved: {
        "pool": "p",
        "leg": 2,
        "is_flipped": True,
        "is_reducing": True,
        "reference": 640_000,
        "rates": (70_000, 100, 100_000),
        "warnings": (FINDING,),
        "verdicts": msgspec.Raw(b'[["a",[]]]'),
        "key_id": "i",
    },
    events.OrderAcknowledged: {"by": "stream"},
    events.OrderRejected: {"falls_back": True},
    events.OrderNotSent: {"falls_back": True, "evidence": ("clock past", "not listed")},
    events.OrderFilled: {
        "pool": "p",
        "is_maker": True,
        "is_complete": True,
        "yes_quantity": 1,
        "yes_cost": 2,
        "no_quantity": -3,
        "no_cost": -4,
        "realized": 5,
        "cash": -6,
        "outside": 7,
        "strategy_quantity": -8,
        "corrects": 9,
        "is_provisional": True,
    },
    events.FillReversed: {
        "pool": "p",
        "quantity": 1,
        "value": 2,
        "fee": 3,
        "yes_quantity": -1,
        "yes_cost": -2,
        "no_quantity": 3,
        "no_cost": 4,
        "realized": 5,
        "cash": 6,
        "strategy_quantity": -8,
        "corrects": 9,
    },
    events.HaltLifted: {"owner": "key:a"},
    events.HaltRaised: {"in_flight": ("c-1", "c-2"), "owner": "key:a", "loss": 5},
    events.MassCancelled: {"is_flatten": True},
    events.FlattenPlanned: {
        "left": (Left(platform="Kalshi", market_id="M", side="No", quantity=3, reason="m"),)
    },
    events.MarketListed: {"status": "active"},
    events.MarketStatusChanged: {"status": "inactive"},
    events.MarketSettled: {
        "result": Side.NO,
        "yes_payout": 500_000,
        "no_payout": 0,
        "yes_quantity": -1,
        "yes_cost": -2,
        "no_quantity": -3,
        "no_cost": -4,
    },
    events.PositionAdopted: {
        "realized": -5,
        "yes_quantity": -1,
        "yes_cost": -2,
        "no_quantity": 3,
        "no_cost": 4,
    },
    events.BalanceObserved: {"inside": ("c-1",)},
    events.BreakOpened: {"pool": "Kalshi:3", "amount": -5},
    events.CashExplained: {"is_counted": False, "market_key": "m", "fee": 5},
    events.VenueStateChanged: {"reasons": ("late", "blind"), "shard": 2},
    events.Drilled: {"failures": ("an order passes",)},
    events.AlertRaised: {"count": 2, "data": {"platform": "Kalshi"}},
    events.KeyCreated: {
        "strategy": "alpha",
        "caps": Caps(max_order_size=1, max_orders_per_hour=2),
        "requests_per_minute": 3,
    },
}
"""What may be said besides, each unlike its default."""


EMPTY: dict[str, Any] = {
    "is_flatten": False,
    "left": (),
    "market_key": "",
    **{key: {} for key in ("disabled", "settings")},
    **dict.fromkeys(("until_ns", "observed", "limit", "reference", "corrects", "shard"), None),
    "status": "",
    **dict.fromkeys(("result", "yes_payout", "no_payout"), None),
    **dict.fromkeys(("key_id", "strategy", "requests_per_minute"), None),
    "is_counted": True,
    "amount": 0,
    "caps": Caps(),
    "count": 1,
    "data": {},
    **dict.fromkeys(("leg", "realized", "cash", "outside", "strategy_quantity"), 0),
    **dict.fromkeys(("yes_quantity", "yes_cost", "no_quantity", "no_cost"), 0),
    **dict.fromkeys(("warnings", "evidence", "in_flight", "inside", "reasons", "failures"), ()),
    **dict.fromkeys(("falls_back", "is_flipped", "is_reducing"), False),
    **dict.fromkeys(("is_maker", "is_complete", "is_provisional"), False),
    **dict.fromkeys(("quantity", "value", "fee"), 0),
    "rates": (0, 1, 0),
    "by": "answer",
    "pool": "",
    "owner": "",
    "loss": None,
    "verdicts": msgspec.Raw(b"[]"),
}
"""What a field is that is not said, also in journals of long ago."""
