"""Caps of an API key: each tightens the account's limit, none widens it, and none holds others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.book.api_keys import Caps, KeyAsk
from arbees.core.deciding import commands
from arbees.core.language.words import Action, KeyScope, Side
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.rate_limit import RateLimit
from tests.core.scene import Scene
from tests.safeguards.build import NOW, request

MICRO = 1_000_000


def scene_with(caps: Caps, *, size: int = 100, contracts: int = 100, minute: int = 20) -> Scene:
    """Return a scene with a key `k1` of these caps, and the account's own limits."""
    scene = Scene(
        OrderSize(max_order_size=size * MICRO, max_order_contracts=contracts * MICRO),
        RateLimit(max_orders_per_minute=minute, max_orders_per_hour=100),
    )
    ask = KeyAsk(name="alpha", scopes=(KeyScope.SUBMIT,), caps=caps)
    scene.do(commands.CreateKey(key_id="k1", digest="d", ask=ask, actor="ann"))
    return scene


class Asking:
    """Asks with new ids each time."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.number = 0

    def __call__(self, key_id: str | None = "k1", **changes: Any) -> list[events.Finding]:
        """Submit one request; return what denied it."""
        self.number += 1
        fields = {"request_id": f"r{self.number}", "idempotency_key": f"i{self.number}"}
        asked = request(**fields, **{"size": MICRO, "limit_price": 500_000, **changes})
        command = commands.Submit(request=asked, received_ns=NOW, key_id=key_id)
        decided = self.scene.do(command).events[-1]
        return list(decided.findings) if isinstance(decided, events.RequestDenied) else []


def test_exactly_at_the_cap_of_dollars_passes() -> None:
    """One millionth above is denied, with the key's cap as the limit."""
    ask = Asking(scene_with(Caps(max_order_size=5 * MICRO)))
    assert ask(size=10 * MICRO) == []
    denied = ask(size=10 * MICRO + 2)
    assert denied == [events.Finding("order_size", "MAX_ORDER_SIZE", 5 * MICRO + 1, 5 * MICRO)]
    assert ask(None, size=10 * MICRO + 2) == []


def test_exactly_at_the_cap_of_contracts_passes() -> None:
    """Likewise."""
    ask = Asking(scene_with(Caps(max_order_contracts=7 * MICRO)))
    assert ask(size=7 * MICRO) == []
    denied = ask(size=7 * MICRO + 1)
    assert denied == [events.Finding("order_size", "MAX_ORDER_CONTRACTS", 7 * MICRO + 1, 7 * MICRO)]
    assert ask(None, size=7 * MICRO + 1) == []


@given(
    limit=st.integers(1, 200),
    cap=st.one_of(st.none(), st.integers(1, 200)),
    size=st.integers(1, 200),
)
def test_the_smaller_of_both_holds(limit: int, cap: int | None, size: int) -> None:
    """Whatever a key says, no order is larger than the account allows."""
    caps = Caps(max_order_contracts=None if cap is None else cap * MICRO)
    ask = Asking(scene_with(caps, size=1000, contracts=limit))
    smaller = limit if cap is None else min(limit, cap)
    assert (ask(size=size * MICRO) == []) is (size <= smaller)


def test_a_reducing_order_passes_the_dollars_not_the_contracts() -> None:
    """As with the account's own caps: the way out stays open."""
    ask = Asking(scene_with(Caps(max_order_size=1, max_order_contracts=5 * MICRO)))
    held(ask)
    assert ask(size=5 * MICRO, action=Action.SELL) == []
    codes = [each.code for each in ask(size=5 * MICRO + 1, action=Action.SELL)]
    assert codes == ["MAX_ORDER_CONTRACTS"]


def held(ask: Asking) -> None:
    """Hold 20 Yes, bought without the key."""
    ask.scene.hold(Side.YES, 20 * MICRO, 600_000)


@pytest.mark.parametrize(
    ("caps", "code", "seconds"),
    [
        (Caps(max_orders_per_minute=2), "RATE_LIMIT_MINUTE", 60),
        (Caps(max_orders_per_hour=2), "RATE_LIMIT_HOUR", 3_600),
    ],
)
def test_a_window_of_its_own(caps: Caps, code: str, seconds: int) -> None:
    """So many of the key's orders, and it says when it lifts; those of others do not count."""
    ask = Asking(scene_with(caps))
    assert ask(None) == ask(None) == []
    assert ask() == ask() == []
    (denied,) = ask()
    assert denied == events.Finding("rate_limit", code, 2, 2, NOW + seconds * 1_000_000_000)
    assert ask(None) == []
    ask.scene.wait(seconds)
    assert ask() == []


def test_the_accounts_window_holds_too() -> None:
    """A key whose cap is wider than the account's gets no more by it."""
    ask = Asking(scene_with(Caps(max_orders_per_minute=1_000), minute=3))
    assert ask() == ask() == ask() == []
    assert [each.limit for each in ask()] == [3]


def test_what_reduces_is_not_counted_by_the_key() -> None:
    """A key at its cap can still get out."""
    ask = Asking(scene_with(Caps(max_orders_per_minute=1)))
    held(ask)
    assert ask() == []
    assert [each.code for each in ask()] == ["RATE_LIMIT_MINUTE"]
    assert ask(action=Action.SELL) == ask(action=Action.SELL) == []


def test_a_key_without_caps_is_held_by_the_account_alone() -> None:
    """And its orders are counted all the same, for the day on which it gets one."""
    ask = Asking(scene_with(Caps()))
    for _ in range(5):
        assert ask() == []
    assert len(ask.scene.book.opened_by["key:k1"]) == 5
