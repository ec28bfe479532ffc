"""The HTTP server inside the gateway's own loop.

Guarantees that it listens on loopback alone unless API keys are in force, that `start` returns when
the port is bound, that it leaves signals, logging and the loop to others and prints nothing, and
that `stop` ends within a bound. It fails by `ConfigurationError` where it may not or cannot listen.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from arbees.api.http.app import build_app
from arbees.api.http.context import Context
from arbees.api.http.guard import is_loopback
from arbees.api.http.protocol import UNTAKEN_SECONDS_MAX, BoundedProtocol
from arbees.api.http.slots import Slots, connections_allowed
from arbees.errors import ConfigurationError
from arbees.interface.views import Follower, Gateway

PORT_MAX = 65_535
BACKLOG = 4_096
"""More than a stranger opens at once: who does not fit waits a second before he asks again."""
KEEP_ALIVE_SECONDS = 75
SEND_BYTES = 65_536
"""Of an answer that the system holds for a connection: nobody has megabytes copied for nothing."""
STOP_SECONDS = 5.0
LAST_SECONDS = 1.0
"""For the answers to those that waited in vain."""
ACCEPTED_A_TURN = 64
"""Connections that are accepted in one turn of the loop."""
_POLL_SECONDS = 0.01
_TICKS_A_SECOND = 10
_log = logging.getLogger("arbees.api")


class _State(ServerState):
    """What the connections of a server share."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self.slots = slots


class _Listener:
    """Accepts connections, some a turn: whoever opens them without end holds up nobody else."""

    def __init__(self, bound: socket.socket, make: Callable[[], asyncio.Protocol]) -> None:
        self._bound = bound
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._taking: set[asyncio.Task[Any]] = set()
        bound.listen(BACKLOG)
        self._loop.add_reader(bound.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more; idempotent."""
        if self._bound.fileno() >= 0:
            self._loop.remove_reader(self._bound.fileno())
            self._bound.close()

    def _accept(self) -> None:
        for _ in range(ACCEPTED_A_TURN):
            try:
                connection, _address = self._bound.accept()
            except OSError:  # nobody waits, or who waited is gone; a next turn comes
                return
            connection.setblocking(False)  # noqa: FBT003 - the library's signature
            if connection.family in {socket.AF_INET, socket.AF_INET6}:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            taking = self._loop.connect_accepted_socket(self._make, connection)
            task = self._loop.create_task(taking)
            self._taking.add(task)
            task.add_done_callback(self._taken)

    def _taken(self, task: "asyncio.Task[Any]") -> None:
        self._taking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.debug("A connection was gone before it was taken: %s", error)


class _Embedded(uvicorn.Server):
    """A server that leaves signals alone, which the supervisor owns, and bounds what is written."""

    untaken_seconds_max = UNTAKEN_SECONDS_MAX

    def __init__(self, config: uvicorn.Config, slots: Slots) -> None:
        super().__init__(config)
        self.server_state = _State(slots)
        self.listeners: tuple[_Listener, ...] = ()

    def listen(self, bound: socket.socket) -> None:
        """Accept connections from now on."""
        self.listeners = (_Listener(bound, self._connection),)
        self.started = True

    def _connection(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        made: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state={}
        )
        return made

    async def on_tick(self, counter: int) -> bool:
        """Renew the date, and every second end the connections that take no answer."""
        is_over = await super().on_tick(counter)
        if counter % _TICKS_A_SECOND == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.sweep(now, self.untaken_seconds_max)
        return is_over

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ApiServer:
    """Serves one gateway over HTTP."""

    def __init__(
        self,
        gateway: Gateway | None,
        host: str,
        port: int,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        stop_seconds: float = STOP_SECONDS,
        follower: Follower | None = None,
        is_keyed: bool = False,
    ) -> None:
        """
        Prepare; nothing is bound yet.

        Args:
            gateway: what is served; None while it is being made, see `attach`.
            host: an address of loopback, or `localhost`; any other only if `is_keyed`.
            port: 0 for any that is free.
            now_ns: UTC nanoseconds, for what comes without a time of its own.
            stop_seconds: how long `stop` waits for answers that are due.
            follower: what reads at length; None while it is being made.
            is_keyed: whether an API key is in force; then one is needed for ever.

        Raises:
            ConfigurationError: the host is not loopback, or there is no such port.
        """
        if not (is_keyed or is_loopback(host)):
            raise ConfigurationError(
                "Expected an address of this machine alone, since no API key is in force",
                setting="HTTP_HOST",
                value=host,
                fix="Make a key first: arbees keys create --name NAME --scope read. Or set "
                "HTTP_HOST=127.0.0.1 and reach it through an SSH tunnel from elsewhere.",
            )
        if not 0 <= port <= PORT_MAX:
            raise ConfigurationError(
                f"Expected a port from 0 to {PORT_MAX}",
                setting="HTTP_PORT",
                value=str(port),
                fix="Set HTTP_PORT=8321.",
            )
        self._host = host.removeprefix("[").removesuffix("]")
        self._port = port
        self._context = Context(gateway, now_ns, follower)
        self._was_keyed = is_keyed
        self._stop_seconds = stop_seconds
        self._socket: socket.socket | None = None
        self._server: _Embedded | None = None
        self._ticks: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """The URL under which it listens. Raises RuntimeError before `start`."""
        if self._socket is None:
            raise RuntimeError("Expected a started server")
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def attach(self, gateway: Gateway, follower: Follower | None = None) -> None:
        """Let requests in: from now on they reach this gateway, and long reads its follower."""
        self._context.attach(gateway, follower)

    async def start(self) -> None:
        """
        Bind the port and answer on it.

        Until a gateway is attached `/healthz` answers, and everything else 503 `STARTING`.

        Raises:
            ConfigurationError: the port is taken, or the address is not this machine's.
        """
        if self._server is not None:
            raise RuntimeError("Expected a server that was not started")
        bound = self._bind()
        config = uvicorn.Config(
            build_app(self._context, self._host),
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        config.load()
        server = _Embedded(
            config, Slots(connections_allowed(), self._is_keyed, self._context.is_key)
        )
        self._socket, self._server = bound, server
        server.listen(bound)
        self._ticks = asyncio.create_task(server.main_loop(), name="http")

    async def stop(self) -> None:
        """
        Stop listening, answer what is due, and end within the bound; idempotent.

        What is still waiting then hears 503 `SHUTTING_DOWN`.
        """
        server, ticks, self._ticks = self._server, self._ticks, None
        if server is None or ticks is None:
            return
        for listener in server.listeners:
            listener.close()
        ticks.cancel()
        await asyncio.wait([ticks])
        state = server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        if not await _is_quiet(state, self._stop_seconds):
            for task in list(state.tasks):
                task.cancel()
            await _is_quiet(state, LAST_SECONDS)
        for connection in list(state.connections):
            connection.transport.abort()

    def _is_keyed(self) -> bool:
        return self._was_keyed or self._context.is_keyed

    def _bind(self) -> socket.socket:
        host = "127.0.0.1" if self._host.lower() == "localhost" else self._host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
            bound.bind((host, self._port))
            bound.setblocking(False)  # noqa: FBT003 - the library's signature
        except OSError as error:
            bound.close()
            raise ConfigurationError(
                f"Expected {host} port {self._port} to be free: {error.strerror}",
                setting="HTTP_PORT",
                value=str(self._port),
                fix="Stop what listens there (another gateway?), or set another HTTP_PORT.",
            ) from None
        return bound


async def _is_quiet(state: ServerState, seconds: float) -> bool:
    """Wait until everybody has been answered, and tell whether that came about in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while state.tasks or state.connections:
        if loop.time() >= end:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
