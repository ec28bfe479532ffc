"""What the fuzzer is told besides the document: where decisions are, and what an answer may hold.

Guarantees that a good part of the valid requests names a market with quotes, a price near them and
a small size, so that they reach decisions, orders and fills; that the fuzzer does not revoke its
own key or halt everything for good; and that an answer holds no field that the document does not
name. The fuzzer loads this module by its name.
"""

import itertools
import os
import zlib
from typing import Any

import schemathesis

from tools.served import MARKETS

Case = schemathesis.Case[Any]
_NUMBERS = itertools.count()
"""Of requests that are new for certain; the others meet what is there already."""
_OWN_KEY = os.environ.get("FUZZ_KEY_ID", "")
_HALTED = "strategy:fuzz"
"""What the fuzzer may halt; the rest goes on."""
_OPEN_SHAPES = {"Problem"}
"""Shapes of answers that may hold more than they name."""


@schemathesis.hook
def before_load_schema(_context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Let no answer hold a field that is not documented."""
    for name, schema in raw_schema["components"]["schemas"].items():
        if name not in _OPEN_SHAPES:
            schema.setdefault("additionalProperties", False)


@schemathesis.hook
def map_case(_context: schemathesis.HookContext, case: Case) -> Case:
    """Lead a part of the cases to where something happens."""
    operation = case.operation.definition.raw.get("operationId")
    body = case.body if isinstance(case.body, dict) else {}
    chance = zlib.crc32(repr(body).encode()) % 8
    if operation == "submit" and _is_valid(case) and chance < 6:
        _aim(body, chance)
        if chance:
            name = f"fuzz-{os.getpid()}-{next(_NUMBERS)}"
            body["request_id"] = body["idempotency_key"] = name
    elif operation == "switch" and _is_valid(case):
        body["scope"] = _HALTED
    elif operation == "revokeKey" and case.path_parameters.get("key_id") == _OWN_KEY:
        case.path_parameters["key_id"] = "another"
    return case


def _is_valid(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _aim(body: dict[str, Any], chance: int) -> None:
    """Make a request one that can be decided, and mostly filled."""
    body["platform"] = "Kalshi"
    body["market_id"] = MARKETS[chance]
    body["size"] = 1 + chance
    body["limit_price"] = "0.53" if chance % 2 else 0.47
    for field in ("created_at", "expires_at", "game_start_at", "token_id", "sport", "game_id"):
        body.pop(field, None)
    for field in ("model_prob", "market_prob", "pregame_prob", "edge_pct", "alternates"):
        body.pop(field, None)
    if body.get("time_in_force") == "GTD":
        body["time_in_force"] = "GTC"
    if chance < 4:
        body["action"] = "Buy"
