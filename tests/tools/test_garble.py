"""Garbled answers and messages: each is read or refused, the same ones for the same seed."""

import json
from collections import Counter

import pytest

from arbees.core import events as e
from arbees.core.words import ResultStatus, TimeInForce
from arbees.testing.kalshi.scene import MARKET, kalshi_stage
from tools.garble import ANSWERS, MESSAGES, Bench, Finding, Garbler, main


def test_a_seed_says_the_same_again() -> None:
    """What was found can be found anew; another seed says something else."""
    said = [[Garbler(seed).garble(text) for text in (*ANSWERS, *MESSAGES)] for seed in (1, 1, 2)]
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_said_is_read_or_refused(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """No exception but VenueError, no end of a task, no report that can be none; counted."""
    assert main(["--items", "8000", "--seed", str(seed)]) == 0
    shown = capsys.readouterr().out
    for words in ("reads read", "messages read", "creates Unknown", "0 tasks died"):
        assert words in shown


async def test_a_reader_that_breaks_is_found() -> None:
    """Any other exception is a finding, with what was said."""

    def breaks(_message: object) -> None:
        raise KeyError("no such field")

    bench = Bench(1)

    async def hear_all() -> None:
        for _ in range(200):
            await bench._message(breaks)

    with pytest.raises(Finding, match="no such field"):
        await hear_all()


async def test_a_gateway_that_hears_nonsense_books_none() -> None:
    """Garbled words on an order that rests: nothing beyond it is booked, and nobody dies."""
    async with kalshi_stage() as scene:
        scene.show(MARKET)
        await scene.rest(1)
        resting = scene.request("5", "0.20", TimeInForce.GTC)
        result = await scene.send(resting, 0.0)
        assert result is not None
        book = scene.assembly.gateway.desk.book
        await scene.until(lambda: all(order.venue_order_id for order in book.orders.values()))
        order = next(iter(book.orders.values()))
        garbler = Garbler(5)
        for number in range(300):
            genuine = json.loads(MESSAGES[number % 4])
            genuine["msg"] |= {
                "client_order_id": order.client_order_id,
                "order_id": order.venue_order_id,
                "trade_id": f"t-{number}",
                "yes_price_dollars": "0.1000",
            }
            channel = "fill" if number % 4 == 0 else "user_orders"
            scene.server.streams.say(channel, garbler.garble(json.dumps(genuine).encode()))
        await scene.pass_time(5)
        sizes: dict[str, int] = {}
        filled: Counter[str] = Counter()
        for stored in scene.assembly.reader.records():
            event = e.decode(stored.body)
            if isinstance(event, e.OrderApproved):
                sizes[event.client_order_id] = event.request.size
            elif isinstance(event, e.OrderFilled):
                filled[event.client_order_id] += event.quantity
        assert all(amount <= sizes[name] for name, amount in filled.items())
        assert scene.assembly.gateway.desk.supervisor.dead == {}
        assert scene.assembly.gateway.desk.writer.poison is None
        assert "TASK_DIED" not in {name for name, _ in scene.alerts}
        assert result.status is not ResultStatus.FAILED
