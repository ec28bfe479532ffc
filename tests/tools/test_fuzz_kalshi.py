"""Kalshi's readers end in VenueError or in what can be true, whatever they are given."""

import asyncio

import msgspec
import pytest

from arbees.core.deciding import outcomes
from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from tools.fuzz_kalshi import attempt_gateway, report
from tools.garbling import KINDS, Garbler
from tools.kalshi_readers import Impossible, Tally, check, recorded

ROW = b'{"orders":[{"order_id":"o","count":"1.00","ts":7},{"order_id":"p","x":[1,2]}],"cursor":""}'


def test_the_same_seed_spoils_alike_and_in_every_way() -> None:
    """Each kind comes up; most of what is made is still JSON, and is not what it was."""
    first, second = Garbler("a"), Garbler("a")
    made = [first.garbled(ROW) for _ in range(2_000)]
    assert made == [second.garbled(ROW) for _ in range(2_000)]
    assert set(first.counts) == set(KINDS)
    readable = 0
    for each in made:
        try:
            readable += msgspec.json.decode(each) is not None
        except (ValueError, RecursionError):
            continue
    assert readable > 1_400
    assert sum(each != ROW for each in made) > 1_800


@pytest.mark.parametrize("seed", [1, 2])
def test_readers_end_in_no_other_error(seed: int) -> None:
    """Every read, cancel and stream is tried; none fails but by VenueError, none says nonsense."""

    async def attempt() -> Tally:
        tally = Tally()
        await (await recorded()).attempt(Garbler(seed), tally, 6_000)
        return tally

    tally = asyncio.run(attempt())
    assert tally.findings == [], report(tally, 0)
    assert len(tally.by) == 19
    assert min(tally.by.values()) > 50
    assert tally.refused > 1_000


def test_a_gateway_outlives_what_its_venue_says() -> None:
    """No task ends, nothing is booked beyond its order, and it hears its venue again."""
    tally = attempt_gateway((1, 60))
    assert tally.findings == [], report(tally, 0)
    assert tally.answers > 10
    assert tally.messages > 10


FILL = outcomes.Fill(
    client_order_id="arb-1",
    trade_id="t",
    quantity=MICRO,
    price=400_000,
    fee=0,
    is_maker=False,
    time_ns=0,
    venue_order_id="o",
)
ORDER = outcomes.VenueOrder(
    client_order_id="arb-1",
    venue_order_id="o",
    platform=Platform.KALSHI,
    market_id="M",
    side=Side.YES,
    action=Action.BUY,
    quantity=MICRO,
    filled=0,
    limit_price=400_000,
)
QUOTE = Quote(
    ts_ns=0,
    platform=Platform.KALSHI,
    market_id="M",
    bids=((380_000, MICRO),),
    asks=((400_000, MICRO),),
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (FILL, {"quantity": 0}),
        (FILL, {"price": MICRO + 1}),
        (FILL, {"fee": 2 * MICRO}),
        (ORDER, {"quantity": -1}),
        (ORDER, {"filled": 2 * MICRO}),
        (ORDER, {"limit_price": -1}),
        (QUOTE, {"asks": ((370_000, MICRO),)}),
        (QUOTE, {"bids": ((0, MICRO),)}),
        (QUOTE, {"asks": ((MICRO, MICRO),)}),
    ],
)
def test_what_cannot_be_true_is_found(right: msgspec.Struct, wrong: dict[str, object]) -> None:
    """The check passes what is right, in a list too, and nothing else."""
    check([right])
    with pytest.raises(Impossible):
        check((msgspec.structs.replace(right, **wrong),))
