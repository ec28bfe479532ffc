"""Clients of a real gateway while everything breaks: each record once, each key one order."""

import asyncio
import contextlib
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arbees import AsyncClient, Client
from arbees.errors import GatewayBusy, GatewayUnreachable
from arbees.journal import JournalReader
from tests.acceptance.recorded import quote
from tests.acceptance.service import Service
from tests.client.cutting import CuttingProxy

FIELDS: dict[str, Any] = {
    "platform": "Kalshi",
    "market_id": "KXNBAGAME-26JAN28HOUBOS-BOS",
    "side": "Yes",
    "size": 1,
    "limit_price": "0.52",
}
QUOTE = {name: value for name, value in quote().items() if name != "ts"}
LOOSE = {
    "MAX_ORDERS_PER_MINUTE": "1000",
    "MAX_ORDERS_PER_HOUR": "1000",
    "QUOTE_POLICY": "warn",
    "BALANCE_REFRESH_INTERVAL_SECS": "3600",
}


class Over(Exception):  # noqa: N818 - nothing went wrong
    """The test is over."""


class Heard:
    """What a thread heard of the events."""

    def __init__(self, where: str) -> None:
        self.events: list[tuple[int, str]] = []
        self.is_over = False
        self._client = Client(where, sleep=self._sleep)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with contextlib.suppress(Over):
            for event in self._client.events(0):
                self.events.append((event.sequence, event.kind))

    def _sleep(self, seconds: float) -> None:
        if self.is_over:
            raise Over
        threading.Event().wait(seconds)

    def wait(self, last: int) -> list[tuple[int, str]]:
        """Return what was heard, once it reached a record."""
        for _ in range(1_500):
            if self.events and self.events[-1][0] >= last:
                break
            threading.Event().wait(0.01)
        return self.events[:last]


@pytest.fixture
def listen() -> Iterator[Callable[[str], Heard]]:
    """Return what follows the events; it ends once the gateway is gone."""
    made: list[Heard] = []

    def begin(where: str) -> Heard:
        made.append(Heard(where))
        return made[-1]

    yield begin
    for each in made:
        each.is_over = True
        each.thread.join(10)
        assert not each.thread.is_alive()


@pytest.fixture
def service(tmp_path: Path, listen: Callable[[str], Heard]) -> Iterator[Service]:
    """Return a gateway that runs and has a quote."""
    found = Service(tmp_path, LOOSE)
    try:
        found.start()
        assert found.ask("POST", "/v1/quotes", QUOTE)[0] == 200
        yield found
    finally:
        found.close()


@pytest.fixture
def cutting(service: Service) -> Iterator[Callable[..., CuttingProxy]]:
    """Return what puts a connection that breaks in front of the gateway."""
    made: list[CuttingProxy] = []

    def make(cut: Callable[[int], int | None]) -> CuttingProxy:
        made.append(CuttingProxy(service.port, cut))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


def url(service: Service) -> str:
    """Return where the gateway is."""
    return f"http://127.0.0.1:{service.port}"


def records(service: Service) -> list[tuple[int, str]]:
    """Return sequence and kind of every record of the journal."""
    with JournalReader(service.journal) as reader:
        return [(stored.sequence, stored.kind) for stored in reader.records()]


def approved(service: Service) -> int:
    """Return how many orders were approved."""
    return sum(kind == "OrderApproved" for _, kind in records(service))


def test_a_stream_goes_on_over_a_kill_and_a_restart(
    service: Service, listen: Callable[[str], Heard]
) -> None:
    """Killed in the middle and started again: nothing is missing and nothing comes twice."""
    heard = listen(url(service))
    with Client(url(service)) as client:
        for life in range(2):
            for number in range(10):
                client.submit(**FIELDS, idempotency_key=f"{life}-{number}", wait_seconds=0)
            service.end(signal.SIGKILL if life else signal.SIGTERM)
            service.start()
    written = records(service)
    assert [sequence for sequence, _ in written] == list(range(1, len(written) + 1))
    assert heard.wait(len(written)) == written
    assert sum(kind == "Started" for _, kind in written) == 3


async def test_an_async_stream_goes_on_as_well(service: Service) -> None:
    """The same for the other client, with submits that wait for the restart by themselves."""
    async with AsyncClient(url(service)) as client:
        events = client.events(0)
        first = [(event.sequence, event.kind) async for event in _some(events, 3)]
        await asyncio.to_thread(service.end, signal.SIGKILL)
        asking = asyncio.create_task(client.submit(**FIELDS, idempotency_key="meanwhile"))
        await asyncio.to_thread(service.start)
        assert (await asking).code in {None, "MARKET_UNKNOWN", "QUOTE_MISSING"}
        written = records(service)
        rest = [(event.sequence, event.kind) async for event in _some(events, len(written) - 3)]
        assert first + rest == written


async def _some(events: Any, count: int) -> Any:  # noqa: ANN401 - an iterator of events
    """Yield so many events."""
    for _ in range(count):
        yield await anext(events)


def test_a_stream_that_is_cut_anywhere(
    service: Service, cutting: Callable[..., CuttingProxy], listen: Callable[[str], Heard]
) -> None:
    """However many connections break in the middle of a line, each record is heard once."""
    draw = random.Random(5)
    with Client(url(service)) as client:
        for number in range(40):
            client.submit(**FIELDS, idempotency_key=f"key-{number}", wait_seconds=0)
        last = client.status().journal.sequence
    proxy = cutting(lambda number: draw.randrange(200, 20_000) if number < 30 else None)
    heard = listen(proxy.url)
    assert heard.wait(last) == records(service)[:last]
    assert proxy.connections > 5


def test_an_answer_that_is_lost_after_the_commit(
    service: Service, cutting: Callable[..., CuttingProxy]
) -> None:
    """The same key is asked again, and the answer is what became of the first: one order."""
    for number, allowed in enumerate((0, 10, 300)):
        # The first connection carries the request, and of the answer too little.
        proxy = cutting(lambda number, allowed=allowed: None if number else allowed)
        with Client(proxy.url) as client:
            found = client.submit(**FIELDS, idempotency_key=f"lost-{number}")
        assert (str(found.status), found.code, found.attempt) == ("Filled", None, 1)
        assert proxy.connections >= 2
    assert approved(service) == 3
    proxy = cutting(lambda number: None if number % 2 else 0)
    assert asyncio.run(_ten_at_a_time(proxy.url)) == ["Filled"] * 10
    assert approved(service) == 13


async def _ten_at_a_time(where: str) -> list[str]:
    """Submit with the other client, over connections that lose every other answer."""
    async with AsyncClient(where) as client:
        found = await asyncio.gather(
            *(client.submit(**FIELDS, idempotency_key=f"key-{number}") for number in range(10))
        )
    return [str(each.status) for each in found]


def test_a_journal_that_fails(service: Service, listen: Callable[[str], Heard]) -> None:
    """Nobody is told what is not on disk; after the restart the same key is decided, once."""
    heard = listen(url(service))
    with Client(url(service), patience_seconds=1.0) as client:
        _fail_and_come_again(service, client)
    written = records(service)
    assert heard.wait(len(written)) == written


def _fail_and_come_again(service: Service, client: Client) -> None:
    assert client.submit(**FIELDS, idempotency_key="before").status == "Filled"
    away = service.journal.with_name("away.db")
    service.journal.rename(away)
    with pytest.raises((GatewayBusy, GatewayUnreachable)):
        client.submit(**FIELDS, idempotency_key="during")
    assert service.process is not None
    assert service.process.wait(20) == 1
    away.rename(service.journal)
    service.start()
    assert service.ask("POST", "/v1/quotes", QUOTE)[0] == 200
    assert client.submit(**FIELDS, idempotency_key="during").status == "Filled"
    assert approved(service) == 2
