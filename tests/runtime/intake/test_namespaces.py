"""Ids of bound keys: each strategy has its own, and is in nobody else's way."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from arbees.api.endpoints.executions import of_strategy
from arbees.core.language.ids import own, scoped
from arbees.core.orders.result import Result
from arbees.interface.views import Execution
from arbees.safeguards.price_range import PriceRange
from tests.runtime.rig import Rig, running

ALPHA, BETA = "alpha", "beta"


async def asked(rig: Rig, bound: str | None, name: str, **changes: Any) -> Result:
    """Ask as a bound key does, or as one that is not bound."""
    request = rig.request(**{"request_id": name, "idempotency_key": name, **changes})
    if bound is not None:
        request = of_strategy(request, bound)
    return await rig.gateway.submit(request, 0)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Run a gateway that denies prices out of range."""
    async with running(PriceRange()) as rig:
        yield rig


async def test_a_denied_request_blocks_no_other_strategy(rig: Rig) -> None:
    """Alpha's denial under `beta-exit` is alpha's alone; so is its request id, and its signal."""
    denied = await asked(rig, ALPHA, "beta-exit", limit_price=990_000, signal_id="s-1")
    assert denied.code == "PRICE_OUT_OF_RANGE"
    passed = await asked(rig, BETA, "beta-exit", signal_id="s-1")
    assert (passed.code, passed.status) == (None, "Pending")
    assert (passed.request_id, passed.idempotency_key) == ("beta-exit", "beta-exit")
    third = await asked(rig, None, "beta-exit", signal_id="s-1")
    assert third.code is None
    assert len({each.client_order_id for each in rig.book.orders.values()}) == 2


async def test_the_same_strategy_is_still_a_duplicate(rig: Rig) -> None:
    """A key is good for one order of its strategy, with the original as its caller wrote it."""
    first = await asked(rig, ALPHA, "x1")
    again = await asked(rig, ALPHA, "x1")
    assert again.code == "DUPLICATE_REQUEST"
    assert isinstance(again.original, Result)
    assert again.original.client_order_id == first.client_order_id
    assert again.original.request_id == "x1"
    assert "x1 already processed" in str(again.rejection_reason)
    signal = await asked(rig, ALPHA, "x2", signal_id="s")
    twice = await asked(rig, ALPHA, "x3", signal_id="s")
    assert (signal.code, twice.code) == (None, "DUPLICATE_SIGNAL")
    assert "\x1f" not in str(twice)


async def test_answers_name_nobody_elses_ids(rig: Rig) -> None:
    """Whoever guesses another strategy's request id hears nothing of its key."""
    await asked(rig, BETA, "b-req", idempotency_key="b-secret")
    await asked(rig, None, "o-req", idempotency_key="o-secret")
    for name in ("b-req", "o-req"):
        answer = await asked(rig, ALPHA, name, idempotency_key=f"a-{name}")
        assert answer.code is None
        assert "secret" not in str(answer)
    mine = await asked(rig, ALPHA, "b-req", idempotency_key="a-2")
    assert mine.code == "IDEMPOTENCY_CONFLICT"
    assert "a-b-req" in str(mine.rejection_reason)


async def test_each_sees_its_own_by_its_own_name(rig: Rig) -> None:
    """Looked up by the id that its caller wrote; an unbound caller finds everybody's."""
    await asked(rig, ALPHA, "same", limit_price=600_000)
    await asked(rig, BETA, "same", limit_price=610_000)
    gateway = rig.gateway

    def price(found: Execution | None) -> str:
        assert found is not None
        return str(found.result.limit_price)

    assert price(gateway.execution("same", ALPHA)) == "0.6"
    assert price(gateway.execution("same", BETA)) == "0.61"
    assert price(gateway.execution_by_key("same", BETA)) == "0.61"
    assert gateway.execution("same", "gamma") is None
    assert gateway.execution_by_key("same", "gamma") is None
    assert gateway.execution(scoped(ALPHA, "same"), BETA) is None


async def test_keys_of_before_stay_spent(rig: Rig) -> None:
    """What a bound key asked for before strategies had ids of their own is never sent again."""
    await asked(rig, None, "old", strategy=ALPHA)
    again = await asked(rig, ALPHA, "old")
    assert again.code == "DUPLICATE_REQUEST"
    other = await asked(rig, BETA, "old")
    assert other.code is None
    await asked(rig, None, "denied", strategy=ALPHA, limit_price=990_000)
    second = await asked(
        rig, ALPHA, "denied-2", idempotency_key="denied", limit_price=990_000, attempt=2
    )
    assert second.code == "PRICE_OUT_OF_RANGE"
    used = await asked(rig, ALPHA, "old", idempotency_key="new")
    assert used.code == "IDEMPOTENCY_CONFLICT"


@pytest.mark.parametrize("text", ["x", "a/b", "alpha", "a b", "~" * 128])
def test_own_is_what_was_written(text: str) -> None:
    """An id comes out as it went in; an id of nobody's own is itself."""
    assert own(scoped("alpha", text)) == text
    assert own(text) == text
    assert scoped("alpha", text) != text
    assert scoped("alpha", text) != scoped("alphb", text)
