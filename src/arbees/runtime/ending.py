"""How a service ends, and the signals that tell it.

Guarantees that the first SIGTERM or SIGINT asks for an orderly end and a second one ends at once,
and that SIGUSR1 halts trading, also one that came while everything was being made ready.
"""

import asyncio
import signal

from arbees.core.words import HaltSource
from arbees.runtime.gateway import TradingGateway


class Ends:
    """How a service ends: asked to by a signal, or because a part of it failed."""

    def __init__(self) -> None:
        """Go on, for now."""
        self.asked = asyncio.Event()
        self.exit_code = 0
        self.reason = "stopped"

    def ask(self, reason: str, exit_code: int = 0) -> None:
        """End for a reason; raises SystemExit where somebody asks again."""
        if self.asked.is_set() and exit_code == 0:
            raise SystemExit(1)  # a second signal: now
        self.reason = reason
        self.exit_code = max(self.exit_code, exit_code)
        self.asked.set()


def hear_signals(gateway: TradingGateway, ends: Ends) -> None:
    """Hear the signals of the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ends.ask, signal.Signals(number).name)
    start = gateway.desk.supervisor.start
    loop.add_signal_handler(signal.SIGUSR1, lambda: start(_halt_by_signal(gateway), "SIGUSR1"))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


async def _halt_by_signal(gateway: TradingGateway) -> None:
    await gateway.kill_switch(
        "ENABLE", scope="all", reason="SIGUSR1", source=HaltSource.SIGNAL, actor="signal"
    )
