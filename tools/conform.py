"""Compares the simulated Kalshi with what is known of Kalshi, answer by answer.

Four parts: a round through all calls and the streams, the recorded answers, the whole gateway live,
and a client of another author's. Everything that goes over the wire is judged by Kalshi's own
documents, requests of ours too. Needs the folder `venues` beside ARBEES_DATA_DIR, which is not in
the repository. Exits 1 if anything differs without a reason that is written down.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform, TimeInForce
from arbees.rehearsal.kalshi.engine.rules import OWNER, TickRange
from arbees.rehearsal.kalshi.server import KalshiServer
from tools.conformity import documents, foreign, official
from tools.conformity.caller import ROOT, Caller
from tools.conformity.listening import STREAM, listen
from tools.conformity.round import go_round
from tools.conformity.samples import Again, read_samples
from tools.conformity.tap import Tap
from verification.live.scene import MARKET as STAGED
from verification.live.scene import kalshi_stage

VENUES = Path(os.environ.get("ARBEES_DATA_DIR", "../shared/data")).parent / "venues"
KEY_ID = "00000000-0000-4000-8000-00000000a4b5"
TICKER = "KXNFLGAME-26SEP13DALPHI-PHI"
OTHER = "KXNBAGAME-26JAN28HOUBOS-BOS"
SHORT = "KXMLBGAME-26JUN30NYYBOS-NYY"
PLENTY = 1_000_000.0

Part = Callable[[str, rsa.RSAPrivateKey, KalshiServer], Awaitable[list[str]]]


def main() -> int:
    """Compare; return the exit code."""
    if not (VENUES / "specs" / documents.OPENAPI).exists():
        print(f"Expected Kalshi's documents in {VENUES}/specs. Set ARBEES_DATA_DIR.")
        return 1
    started = time.monotonic()
    found = asyncio.run(compare(is_foreign="--without-client" not in sys.argv))
    for complaint, times in Counter(found).items():
        print(f"WRONG {complaint}" + (f" ({times} times)" if times > 1 else ""))
    print(f"{len(found)} complaints, {time.monotonic() - started:.1f} s")
    return 1 if found else 0


async def compare(*, is_foreign: bool) -> list[str]:
    """Run all parts and judge all that was said; returns the complaints."""
    rest, streams = documents.Rest(VENUES / "specs"), documents.Streams(VENUES / "specs")
    found: list[str] = []
    parts: dict[str, Part] = {"round": _round, "records": _records}
    if is_foreign:
        parts |= {"client": _client, "official": _official}
    for name, part in parts.items():
        tap = Tap()
        found += [f"{name}: {each}" for each in await _with_exchange(tap, part)]
        found += _judge(name, tap, rest, streams)
    tap = Tap()
    found += [f"gateway: {each}" for each in await _gateway(tap)]
    found += _judge("gateway", tap, rest, streams)
    print(f"{sum(rest.answers.values())} answers judged, of {len(rest.answers)} kinds:")
    for said, times in sorted(rest.answers.items()):
        print(f"    {times:4} {said}")
    print(f"{sum(streams.messages.values())} messages of the streams judged:")
    for said, times in sorted(streams.messages.items()):
        print(f"    {times:4} {said}")
    print("Documented exceptions:")
    for word, why in documents.EXCEPTIONS.items():
        print(f"    {word}: {why}")
    return found


def _judge(name: str, tap: Tap, rest: documents.Rest, streams: documents.Streams) -> list[str]:
    """Judge all that went through a tap."""
    print(f"{name}: {len(tap.calls)} calls, {len(tap.messages)} messages of streams")
    found = [each for call in tap.calls for each in rest.judge(call)]
    if name != "round":  # which sends commands that are none, on purpose
        found += [each for said in tap.commands for each in streams.judge(said)]
    found += [each for said in tap.messages for each in streams.judge(said)]
    return [f"{name}: {each}" for each in found]


async def _with_exchange(tap: Tap, part: Part) -> list[str]:
    """Run a part with a tap before an exchange of its own."""
    key = await asyncio.to_thread(rsa.generate_private_key, public_exponent=65_537, key_size=2_048)
    cash = 100 if part is _records else 10_000
    server = KalshiServer(key_id=KEY_ID, public_key=key.public_key(), balance=cash * MICRO)
    server.rest.set_limits((PLENTY, PLENTY), (PLENTY, PLENTY))
    server.show(book(TICKER))
    server.show(book(OTHER))
    server.show(book(SHORT))
    addresses = await server.start()
    root = await tap.start()
    tap.exchange = addresses.rest.removesuffix(ROOT)
    try:
        return await part(root, key, server)
    finally:
        await tap.stop()
        await server.stop()


async def _round(root: str, key: rsa.RSAPrivateKey, server: KalshiServer) -> list[str]:
    async with Caller(root, KEY_ID, key) as caller:
        found = await listen(root, caller, TICKER, lambda: live(server, SHORT))
        await go_round(caller, server, TICKER, OTHER)
    return found


def live(server: KalshiServer, ticker: str) -> None:
    """Let a market live and end."""
    life = server.exchange.lifecycle
    life.deactivate(ticker)
    life.activate(ticker)
    life.move_close(ticker, server.exchange.now_ns() + NS_PER_SECOND)
    life.set_ticks(ticker, TickRange(0, MICRO, 1_000))
    event = server.exchange.markets[ticker].event_ticker
    life.charge(event, "quadratic_with_maker_fees", MICRO // 2)
    life.charge(event, None, None)
    life.void(ticker)
    life.finalize(ticker)


async def _records(root: str, key: rsa.RSAPrivateKey, server: KalshiServer) -> list[str]:
    async with Caller(root, KEY_ID, key) as caller:
        again = Again(caller, server)
        found = await again.compare(read_samples(VENUES))
    print(f"{again.compared} recorded answers compared; what differs, and why:")
    for word, why in sorted(again.excepted.items()):
        print(f"    {word}: {why}")
    return found


async def _client(root: str, key: rsa.RSAPrivateKey, _server: KalshiServer) -> list[str]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    read = await foreign.run(root + ROOT, KEY_ID, pem, TICKER)
    if "error" in read:
        return [read["error"]]
    print(f"{foreign.PACKAGE} {foreign.RELEASE} placed, read and cancelled: {read}")
    wanted = foreign.expected(TICKER)
    return [
        f"{name}: Expected {value}, was {read.get(name)}"
        for name, value in wanted.items()
        if read.get(name) != value
    ]


async def _official(root: str, key: rsa.RSAPrivateKey, server: KalshiServer) -> list[str]:
    base = await asyncio.to_thread(official.interpreter)
    if base is None:
        print(f"{official.PACKAGE} needs Python {official.NEEDS}, which is not here: not compared")
        return []
    package = official.PACKAGE, official.RELEASE
    python = await asyncio.to_thread(foreign.environment, *package, base)
    exchange = server.exchange
    bought = exchange.by_hand.order(
        OWNER, OTHER, is_bid=True, price=450_000, count=MICRO, client_order_id="official-0"
    )
    exchange.create(bought)
    exchange.lifecycle.void(OTHER)
    exchange.lifecycle.finalize(OTHER)
    exchange.money.deposit(MICRO)
    exchange.money.deposit(-MICRO)
    exchange.money.transfer(0, 3, MICRO)
    exchange.money.lend(0, 2, MICRO)
    live(server, SHORT)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    found = await official.run(python, root + ROOT, (KEY_ID, pem.decode()), TICKER, OTHER)
    print(f"{official.PACKAGE} {official.RELEASE} read everything and traded")
    return found


async def _gateway(tap: Tap) -> list[str]:
    """Let the whole gateway trade live behind a tap: orders, fills, a kill switch, a restart."""
    root = await tap.start()
    here = {"KALSHI_BASE_URL": root + ROOT, "KALSHI_WS_URL": root.replace("http", "ws") + STREAM}
    try:
        async with kalshi_stage(here, starts=False) as scene:
            tap.exchange = scene.addresses.rest.removesuffix(ROOT)
            await scene.start()
            await scene.send(scene.request())
            await scene.rest(5)
            await scene.send(scene.request("3", "0.40", TimeInForce.FOK))
            scene.show(STAGED, bid=39, ask=41)
            await scene.settled()
            await scene.restart()
            await scene.settled()
            await scene.assembly.gateway.cancel_all(
                scope="all", reason="conformity", actor="conformity"
            )
            await scene.until(lambda: not scene.exchange.resting("trader"))
            await scene.settled()
            await scene.stop()
    finally:
        await tap.stop()
    return []


def book(ticker: str) -> Quote:
    """Return a book of a hundred contracts at $0.38 and at $0.40."""
    return Quote(
        ts_ns=0,
        platform=Platform.KALSHI,
        market_id=ticker,
        bids=((380_000, 100 * MICRO),),
        asks=((400_000, 100 * MICRO),),
        sport="NBA" if ticker == OTHER else None,
    )


if __name__ == "__main__":
    sys.exit(main())
