"""A connection that breaks where a test says: between a client and a gateway, byte by byte."""

import contextlib
import socket
import threading
from collections.abc import Callable

Cut = Callable[[int], int | None]
"""How many bytes of the gateway's answer a connection carries, by its number; None = all."""


class CuttingProxy:
    """Carries what is sent, and of what is answered so much as a test allows."""

    def __init__(self, port: int, cut: Cut) -> None:
        """
        Listen.

        Args:
            port: of the gateway.
            cut: told the number of each connection, from 0 on.
        """
        self._port = port
        self._cut = cut
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._bound.getsockname()[1]}"

    def close(self) -> None:
        self._bound.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._bound.accept()
            except OSError:
                return
            allowed = self._cut(self.connections)
            self.connections += 1
            threading.Thread(target=self._carry, args=(client, allowed), daemon=True).start()

    def _carry(self, client: socket.socket, allowed: int | None) -> None:
        with contextlib.suppress(OSError), client:
            gateway = socket.create_connection(("127.0.0.1", self._port))
            with gateway:
                there = threading.Thread(target=_pump, args=(client, gateway, None), daemon=True)
                there.start()
                _pump(gateway, client, allowed)
                for end in (client, gateway):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, target: socket.socket, allowed: int | None) -> None:
    """Carry bytes until there are no more, or so many; the first one beyond is waited for."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            if allowed is not None and len(piece) > allowed:
                target.sendall(piece[:allowed])
                return
            target.sendall(piece)
            if allowed is not None:
                allowed -= len(piece)
