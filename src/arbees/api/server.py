"""The HTTP server inside the gateway's own loop.

Guarantees that it listens on loopback alone unless API keys are in force, that `start` returns when
the port is bound, that it leaves signals, logging and the loop to others and prints nothing, and
that `stop` ends within a bound. It fails by `ConfigurationError` where it may not or cannot listen.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.server import ServerState

from arbees.api.app import build_app
from arbees.api.context import Context
from arbees.api.guard import is_loopback
from arbees.api.protocol import UNTAKEN_SECONDS_MAX, BoundedProtocol
from arbees.api.slots import Slots, connections_allowed
from arbees.core.views import Follower, Gateway
from arbees.errors import ConfigurationError

PORT_MAX = 65_535
BACKLOG = 1_024
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 5.0
LAST_SECONDS = 1.0
"""For the answers to those that waited in vain."""
_POLL_SECONDS = 0.01
_TICKS_A_SECOND = 10


class _State(ServerState):
    """What the connections of a server share."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self.slots = slots


class _Embedded(uvicorn.Server):
    """A server that leaves signals alone, which the supervisor owns, and bounds what is written."""

    untaken_seconds_max = UNTAKEN_SECONDS_MAX

    def __init__(self, config: uvicorn.Config, slots: Slots) -> None:
        super().__init__(config)
        self.server_state = _State(slots)

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
        self._server: uvicorn.Server | None = None
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
        server = _Embedded(config, Slots(connections_allowed(), self._is_keyed))
        server.lifespan = config.lifespan_class(config)
        self._socket, self._server = bound, server
        await server.startup(sockets=[bound])
        self._ticks = asyncio.create_task(server.main_loop(), name="http")

    async def stop(self) -> None:
        """
        Stop listening, answer what is due, and end within the bound; idempotent.

        What is still waiting then hears 503 `SHUTTING_DOWN`.
        """
        server, ticks, self._ticks = self._server, self._ticks, None
        if server is None or ticks is None:
            return
        for listener in server.servers:
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
