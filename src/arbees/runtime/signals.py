"""How a service ends, and the signals that tell it.

Guarantees that the first SIGTERM, SIGINT or SIGQUIT asks for an orderly end and a second one ends
at once; that a closed terminal (SIGHUP, which comes once from the kernel and once from the shell)
ends in order however often it comes, unless the process was started to survive it (nohup); and that
SIGUSR1 halts trading, also one that came while everything was being made ready.
"""

import asyncio
import signal

from arbees.core.language.words import HaltSource
from arbees.runtime.gateway import TradingGateway

HEARD_LATE = frozenset({signal.SIGUSR1, signal.SIGHUP})
"""Signals that a service blocks at its start, so that they wait until they can be heard."""


class Ends:
    """How a service ends: asked to by a signal, or because a part of it failed."""

    def __init__(self) -> None:
        """Go on, for now."""
        self.asked = asyncio.Event()
        self.exit_code = 0
        self.reason = "stopped"
        self._is_insisted = False

    def ask(self, reason: str, exit_code: int = 0) -> None:
        """End for a reason, in order; the first one counts."""
        if not self.asked.is_set() or exit_code > self.exit_code:
            self.reason = reason
        self.exit_code = max(self.exit_code, exit_code)
        self.asked.set()

    def insist(self, reason: str) -> None:
        """End for a reason; raises SystemExit where somebody insists again."""
        if self._is_insisted:
            raise SystemExit(1)  # a second signal: now
        self._is_insisted = True
        self.ask(reason)


def hear_signals(gateway: TradingGateway, ends: Ends) -> None:
    """Hear the signals of the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(number, ends.insist, signal.Signals(number).name)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, ends.ask, "SIGHUP")
    start = gateway.desk.supervisor.start
    loop.add_signal_handler(signal.SIGUSR1, lambda: start(_halt_by_signal(gateway), "SIGUSR1"))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD_LATE)


async def _halt_by_signal(gateway: TradingGateway) -> None:
    await gateway.kill_switch(
        "ENABLE", scope="all", reason="SIGUSR1", source=HaltSource.SIGNAL, actor="signal"
    )
