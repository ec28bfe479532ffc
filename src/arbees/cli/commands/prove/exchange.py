"""`arbees exchange`: a simulated exchange that speaks the venue's own protocol, on loopback.

Guarantees that one JSON line on stdout says where it is once it is ready, and that it ends when it
is told to. No money is anywhere near it; its faults are set by its control address.
"""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli.shared.console import out, say
from arbees.cli.shared.exits import Exit
from arbees.core.language.strict_json import Malformed
from arbees.core.language.units import parse_micro
from arbees.rehearsal.kalshi.engine.faults import ExchangeFault, parse_fault
from arbees.rehearsal.kalshi.rehearsal import Rehearsal

KEY_FILE = Path("var/rehearsal/kalshi.pem")
PORT_MAX = 65_535

app = App(name="exchange")


@app.command
def kalshi(
    *,
    port: Annotated[int, Parameter(help="On loopback; 0 = any that is free.")] = 0,
    key_id: Annotated[str | None, Parameter(help="Id of the account's API key.")] = None,
    public_key: Annotated[
        Path | None, Parameter(help="Public key in PEM; none = a pair is made, and kept.")
    ] = None,
    balance: Annotated[str, Parameter(help="Dollars of cash on each shard.")] = "10000",
    quotes: Annotated[
        Path | None, Parameter(help="Books to show, as in quotes.jsonl; none = an evening.")
    ] = None,
    seed: Annotated[int, Parameter(help="Of the evening, of ids and of chances.")] = 0,
    fault: Annotated[
        list[str] | None,
        Parameter(help="What is wrong from the start: KIND or KIND:NAME=VALUE,...; several times."),
    ] = None,
) -> int:
    """Run a simulated Kalshi: REST, streams, matching, fees, and everything that goes wrong.

    It speaks Kalshi's protocol under /trade-api/v2 and /trade-api/ws/v2, checks signatures, matches
    by price and time over books that move, and keeps balances, positions and fees to the
    micro-dollar. Once it is ready it prints one line of JSON with its addresses. Faults are set
    under its control address: POST {"kind": "lost_after"} to /control/faults, DELETE heals.

    Without a key it makes a pair, keeps it in var/rehearsal/kalshi.pem, and takes it again the next
    time.

    Ends with 0 when it is told to stop, 2 when something typed is none.

    Example: `arbees exchange kalshi --port 8400`

    Example: `arbees exchange kalshi --balance 500 --seed 7`

    Example: `arbees exchange kalshi --fault late:call=read,seconds=3,count=5`
    """
    from arbees.rehearsal.kalshi import rehearsal
    from arbees.rehearsal.kalshi.rest.identity import parse_public_key
    from arbees.rehearsal.kalshi.server import KalshiServer

    if not 0 <= port <= PORT_MAX:
        say(f"--port: Expected a port from 0 to {PORT_MAX}, was {port}")
        return Exit.USAGE
    try:
        cash, faults = parse_micro(balance), _faults(fault or [])
        shown = rehearsal.evening(seed) if quotes is None else rehearsal.read_quotes(quotes)
        key_file = None if public_key is not None else KEY_FILE
        if public_key is not None:
            key = parse_public_key(public_key.read_bytes())
        else:
            key = rehearsal.key_pair(KEY_FILE)
    except Malformed as error:
        say(f"--quotes: {error}")
        return Exit.USAGE
    except OSError as error:
        if quotes is None and public_key is None:
            raise
        say(f"{error.filename}: {error.strerror}")
        return Exit.USAGE
    except ValueError as error:
        say(f"{error}")
        return Exit.USAGE
    if cash < 0:
        say(f"--balance: Expected dollars of 0 or more, was {balance}")
        return Exit.USAGE
    server = KalshiServer(
        key_id=key_id or rehearsal.KEY_ID, public_key=key, balance=cash, seed=seed
    )
    for each in faults:
        server.apply(each)
    made = rehearsal.Rehearsal(server, shown, is_recorded=quotes is not None)
    return asyncio.run(_serve(made, port, key_file))


def _faults(texts: list[str]) -> list[ExchangeFault]:
    """Read faults as they were typed. Raises ValueError."""
    try:
        return [parse_fault(each) for each in texts]
    except ValueError as error:
        raise ValueError(f"--fault: {error}") from None


async def _serve(made: Rehearsal, port: int, key_file: Path | None) -> int:
    from arbees.rehearsal.kalshi.rehearsal import line_of

    ends = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ends.set)
    addresses = await made.start(port)
    try:
        out(line_of(addresses, key_file))
        await ends.wait()
    finally:
        await made.stop()
    return Exit.OK
