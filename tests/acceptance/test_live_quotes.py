"""Paper trading on a venue's live books: metadata and books on demand, real results, no credit.

The whole gateway on paper, with an account at a simulated Kalshi whose books it reads; both ends
share one clock that is moved on.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbees.core.language.payouts import YES_WON
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO, parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    ResultStatus,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.interface.operator import Conflict
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeMarket, TickRange
from arbees.rehearsal.kalshi.server import KalshiServer
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.signals import Ends
from arbees.settings import load
from arbees.wiring.assembly import Assembly, Files
from arbees.wiring.bootstrap import assemble
from tests.venues.kalshi.keypairs import ed25519_key, pem_of
from verification.live.clock import AdvancingClock

MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"
FINE = "KXMLBGAME-26JUL04NYMATL-ATL"


class Alerts:
    """What stands, by name and what it is about."""

    def __init__(self) -> None:
        self._standing: dict[str, tuple[str, dict[str, str]]] = {}

    @property
    def standing(self) -> list[tuple[str, dict[str, str]]]:
        return list(self._standing.values())

    def raise_(self, name: str, message: str, **data: object) -> None:
        about = {key: str(value) for key, value in data.items()}
        self._standing[self._key(name, about)] = (name, about | {"message": message})

    def clear(self, name: str, **data: object) -> None:
        self._standing.pop(self._key(name, {key: str(each) for key, each in data.items()}), None)

    def _key(self, name: str, about: dict[str, str]) -> str:
        return f"{name}|{about.get('platform')}|{about.get('market_id')}"


class Paper:
    """A gateway on paper, and the exchange whose books it reads."""

    def __init__(self, folder: Path, server: KalshiServer, clock: AdvancingClock) -> None:
        self.folder = folder
        self.server = server
        self.clock = clock
        self._count = 0
        self.alerts = Alerts()
        self._assembly: Assembly | None = None
        self._worker: Worker | None = None
        self.addresses: dict[str, str] = {}

    @property
    def gateway(self) -> Assembly:
        assert self._assembly is not None
        return self._assembly

    async def start(self) -> None:
        """Start the gateway on what the last one left."""
        settings = {
            "PAPER_TRADING": "1",
            "KALSHI_API_KEY_ID": "key",
            "KALSHI_PRIVATE_KEY": pem_of(ed25519_key()),
            "MAX_PRICE_DELTA_FROM_PREGAME": "0.9",
            **self.addresses,
        }
        files = Files(self.folder / "journal.db", self.folder / "paper.db", None)
        self._worker = Worker("journal")
        self._assembly = assemble(
            load(settings),
            clock=self.clock,
            files=files,
            ends=Ends(),
            alerts=self.alerts,
            worker=self._worker,
        )
        desk = self._assembly.gateway.desk
        await self._passing(self._assembly.start())
        await self.until(lambda: not desk.uncompared and desk.facts.balances_ns)

    async def stop(self) -> None:
        """End it in order."""
        assembly, self._assembly = self.gateway, None
        await self._passing(assembly.stop("the test is over"))
        assert self._worker is not None
        await asyncio.to_thread(self._worker.close)

    async def _passing(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        await self.until(task.done)
        await task

    def show(self, market: str = MARKET, *, bid: str = "0.38", ask: str = "0.40") -> None:
        """Make a book one level a side."""
        self.server.show(
            Quote(
                ts_ns=0,
                platform=Platform.KALSHI,
                market_id=market,
                bids=((parse_micro(bid), 100 * MICRO),),
                asks=((parse_micro(ask), 100 * MICRO),),
                sport="NBA",
            )
        )

    async def send(
        self, price: str = "0.40", size: str = "5", tif: TimeInForce = TimeInForce.IOC, **more: str
    ) -> Result:
        """Ask to buy Yes."""
        self._count += 1
        request = Request(
            request_id=f"r{self._count}",
            idempotency_key=f"k{self._count}",
            platform=Platform.KALSHI,
            market_id=more.get("market", MARKET),
            side=Side.YES,
            action=Action.BUY,
            size=parse_micro(size),
            limit_price=parse_micro(price),
            time_in_force=tif,
            created_ns=self.clock.now_ns(),
            strategy="s",
        )
        return await self.gateway.gateway.submit(request, 3.0)

    def ask(self) -> int | None:
        """Return the best ask that the gateway knows."""
        touch = self.gateway.gateway.desk.marks.touches.get(MARKET)
        return None if touch is None else touch.ask

    async def until(self, is_so: Callable[[], object]) -> None:
        """Let time pass until something holds."""
        began_ns = self.clock.now_ns()
        async with asyncio.timeout(20):
            while not is_so():
                await asyncio.sleep(0.003)
                self.clock.advance(0.1)
                assert self.clock.now_ns() - began_ns < 400e9

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass, both ends doing what is due."""
        for _ in range(round(seconds / 0.1)):
            self.clock.advance(0.1)
            await asyncio.sleep(0.003)


@contextlib.asynccontextmanager
async def paper(folder: Path, *, is_there: bool = True) -> AsyncIterator[Paper]:
    """Start both ends; `is_there` not = the venue cannot be reached at first."""
    clock = AdvancingClock()
    server = KalshiServer(
        key_id="key",
        public_key=ed25519_key().public_key(),
        now_ns=clock.now_ns,
        sleep=clock.sleep,
    )
    server.rest.set_limits((1_000.0, 3_000.0), (1_000.0, 3_000.0))
    made = Paper(folder, server, clock)
    made.show()
    addresses = await server.start()
    if not is_there:
        server.fault(FaultKind.UNREACHABLE)
    made.addresses = {"KALSHI_BASE_URL": addresses.rest, "KALSHI_WS_URL": addresses.ws}
    await made.start()
    try:
        yield made
    finally:
        server.heal()
        with contextlib.suppress(AssertionError):
            await made.stop()
        await server.stop()


async def test_a_market_that_is_new_is_looked_up_and_fills_at_its_live_book(
    tmp_path: Path,
) -> None:
    """Ticks, fees and the book come from the venue; the order itself never does."""
    async with paper(tmp_path) as made:
        filled = await made.send("0.45")
        assert filled.status is ResultStatus.FILLED, filled
        assert filled.avg_price == Decimal("0.40")
        listing = made.gateway.gateway.desk.book.markets[MARKET].listing
        assert (listing.sport, listing.pool, listing.tick) == ("NBA", "", 10_000)
        made.show(bid="0.28", ask="0.30")
        await made.until(lambda: made.ask() == 300_000)
        cheaper = await made.send("0.31")
        assert (cheaper.status, cheaper.avg_price) == (ResultStatus.FILLED, Decimal("0.30"))
        assert made.server.exchange.orders == {}, "nothing was sent to the venue"


async def test_a_market_that_the_venue_does_not_know_is_denied(tmp_path: Path) -> None:
    """MARKET_UNKNOWN, and it is not asked for again at once."""
    async with paper(tmp_path) as made:
        denied = await made.send(market="KXNONE-1-A")
        assert (denied.status, denied.code) == (ResultStatus.REJECTED, "MARKET_UNKNOWN")
        again = await made.send(market="KXNONE-1-A")
        assert again.code == "MARKET_UNKNOWN"


async def test_a_quiet_book_does_not_grow_old_and_a_dead_one_does(tmp_path: Path) -> None:
    """Age is that of the link, not of the last change; without the venue, quotes are stale."""
    async with paper(tmp_path) as made:
        assert (await made.send()).status is ResultStatus.FILLED
        await made.pass_time(30)
        assert (await made.send()).status is ResultStatus.FILLED
        made.server.fault(FaultKind.STREAM_SILENT)
        await made.pass_time(14)
        silent = await made.send()
        assert (silent.status, silent.code) == (ResultStatus.REJECTED, "QUOTE_STALE")
        made.server.fault(FaultKind.UNREACHABLE)
        made.server.streams.cut()
        await made.pass_time(20)
        assert (await made.send()).code == "QUOTE_STALE"
        made.show(bid="0.50", ask="0.52")
        made.server.heal()
        await made.until(lambda: made.ask() == 520_000)
        back = await made.send("0.52")
        assert (back.status, back.avg_price) == (ResultStatus.FILLED, Decimal("0.52"))


def standing(made: Paper) -> set[tuple[str, str]]:
    """Return the alerts that stand: name and subject."""
    return {(name, about.get("market_id", "")) for name, about in made.alerts.standing}


async def test_a_lost_subscription_is_noticed_and_made_anew(tmp_path: Path) -> None:
    """The link lives and lists nothing; the book is right again within seconds."""
    async with paper(tmp_path) as made:
        assert (await made.send()).status is ResultStatus.FILLED
        made.server.fault(FaultKind.SUBSCRIPTION_LOST)
        made.show(bid="0.05", ask="0.09")
        await made.pass_time(10)
        denied = await made.send("0.55")
        assert (denied.status, denied.code) == (ResultStatus.REJECTED, "THROUGH_QUOTE")


async def test_nobody_else_says_what_a_venues_book_is(tmp_path: Path) -> None:
    """A quote or settlement fed by hand is refused and changes nothing; the venue's word stands."""
    async with paper(tmp_path) as made:
        await made.send()
        fed = Quote(
            ts_ns=made.clock.now_ns(),
            platform=Platform.KALSHI,
            market_id=MARKET,
            bids=(),
            asks=((10_000, 100 * MICRO),),
        )
        gateway = made.gateway.gateway
        with pytest.raises(Conflict, match="VENUE_SPEAKS"):
            await gateway.feed([fed])
        settled = Settlement(
            ts_ns=made.clock.now_ns(),
            platform=Platform.KALSHI,
            market_id=MARKET,
            payouts=YES_WON,
        )
        with pytest.raises(Conflict, match="VENUE_SPEAKS"):
            await gateway.settle(settled)
        assert made.ask() == 400_000


async def test_a_book_that_nobody_renews_is_denied_and_said(tmp_path: Path) -> None:
    """The subscription is lost and not to be had again: denied, in the status, alerted, healed."""
    async with paper(tmp_path) as made:
        gateway = made.gateway.gateway
        assert (await made.send()).status is ResultStatus.FILLED
        made.server.fault(FaultKind.REFUSED_TICKER, ticker=MARKET)
        made.server.fault(FaultKind.SUBSCRIPTION_LOST)
        made.show(bid="0.05", ask="0.09")
        await made.pass_time(20)
        denied = await made.send("0.48")
        assert (denied.status, denied.code) == (ResultStatus.REJECTED, "QUOTE_STALE")
        assert standing(made) == {("QUOTES_STALE", MARKET)}
        await made.pass_time(110)
        assert standing(made) == {("QUOTES_STALE", MARKET), ("MARKS_STALE", MARKET)}
        (held,) = (await gateway.positions()).items
        assert held.mark_age_secs is not None
        assert held.mark_age_secs > 120
        late = await made.send("0.48")
        assert "MARKS_STALE" in {each.code for each in late.warnings}
        made.server.heal()
        await made.until(lambda: made.ask() == 90_000)
        await made.pass_time(3)
        assert standing(made) == set()
        loss = gateway.desk.marks.unrealized
        assert loss == 5 * (50_000 - 400_000)


async def test_a_stream_that_is_down_stands_in_the_status(tmp_path: Path) -> None:
    """Paper trading on a venue's books is not ACTIVE without them."""
    async with paper(tmp_path) as made:
        gateway = made.gateway.gateway
        assert (await made.send()).status is ResultStatus.FILLED
        made.server.fault(FaultKind.STREAM_DOWN)
        made.server.streams.cut()
        await made.pass_time(5)
        kalshi = next(each for each in gateway.status().venues if each.platform == "Kalshi")
        assert kalshi.state == "REDUCING"
        assert "the stream of books is down" in kalshi.reasons[0]
        assert standing(made) >= {("QUOTES_STALE", "")}
        made.server.heal()
        await made.pass_time(15)
        kalshi = next(each for each in gateway.status().venues if each.platform == "Kalshi")
        assert (kalshi.state, kalshi.reasons) == ("ACTIVE", ())
        assert standing(made) == set()


async def test_one_refused_market_takes_no_other_with_it(tmp_path: Path) -> None:
    """An archived market on the same stream: the healthy one goes on trading."""
    async with paper(tmp_path) as made:
        made.show(FINE)
        made.server.fault(FaultKind.REFUSED_TICKER, ticker=FINE)
        assert (await made.send(market=FINE)).code == "QUOTE_MISSING"
        for _ in range(7):
            assert (await made.send()).status is ResultStatus.FILLED
            await made.pass_time(3)


async def test_what_rests_fills_when_the_live_book_comes(tmp_path: Path) -> None:
    """A resting order of ours on paper fills as the venue's book crosses it."""
    async with paper(tmp_path) as made:
        rests = await made.send("0.35", tif=TimeInForce.GTC)
        assert rests.status is ResultStatus.PENDING
        made.show(bid="0.30", ask="0.34")
        book = made.gateway.gateway.desk.book
        await made.until(lambda: not book.markets[MARKET].orders)
        assert book.markets[MARKET].yes.quantity == 5 * MICRO


async def test_a_result_of_the_venue_settles_on_paper(tmp_path: Path) -> None:
    """Markets that are held are asked for their results, also after a restart."""
    async with paper(tmp_path) as made:
        assert (await made.send()).status is ResultStatus.FILLED
        await made.stop()
        await made.start()
        book = made.gateway.gateway.desk.book
        assert book.markets[MARKET].yes.quantity == 5 * MICRO
        made.server.exchange.settle(MARKET, "yes")
        await made.until(lambda: book.markets[MARKET].is_settled)
        assert book.markets[MARKET].yes.quantity == 0


async def test_finer_ticks_are_those_of_the_venue(tmp_path: Path) -> None:
    """A market in tenths of a cent trades in tenths of a cent on paper as well."""
    async with paper(tmp_path) as made:
        market = ExchangeMarket(
            ticker=FINE,
            event_ticker=FINE.rpartition("-")[0],
            series_ticker="KXMLBGAME",
            ranges=(TickRange(0, MICRO, 1_000),),
        )
        made.server.exchange.add_market(market)
        made.show(FINE, bid="0.381", ask="0.403")
        filled = await made.send("0.403", market=FINE)
        assert (filled.status, filled.avg_price) == (ResultStatus.FILLED, Decimal("0.403")), filled


async def test_a_start_without_the_venue_trades_once_it_is_back(tmp_path: Path) -> None:
    """Nothing is known of its markets, so nothing is bought; then everything is."""
    async with paper(tmp_path, is_there=False) as made:
        assert (await made.send()).code == "MARKET_UNKNOWN"
        made.server.heal()
        await made.until(lambda: made.server.streams.lines)
        await made.pass_time(15)
        assert (await made.send()).status is ResultStatus.FILLED


async def test_a_market_that_closes_and_opens_again_is_followed(tmp_path: Path) -> None:
    """The venue's status is asked for again and again: closed denies, open trades."""
    async with paper(tmp_path) as made:
        assert (await made.send()).status is ResultStatus.FILLED
        made.server.exchange.markets[MARKET].status = "inactive"
        book = made.gateway.gateway.desk.book
        await made.until(lambda: not book.markets[MARKET].is_open)
        assert (await made.send()).code == "MARKET_CLOSED"
        made.server.exchange.markets[MARKET].status = "active"
        await made.until(lambda: book.markets[MARKET].is_open)
        assert (await made.send()).status is ResultStatus.FILLED
