"""Redis beside a gateway, where `REDIS_URL` names one."""

from functools import partial

from arbees.api.redis.bus import RedisBus, client_of
from arbees.api.redis.outbox import JournalOutbox, LastWords
from arbees.api.redis.requests import RequestStream
from arbees.runtime.desk import JumpingClock
from arbees.safeguards.kill_switch import KillSwitch
from arbees.settings import Settings
from arbees.wiring.assembly import Assembly


class Bus:
    """What a service needs of Redis: a sink for alerts from the start, and the bus later."""

    def __init__(self, settings: Settings, url: str, clock: JumpingClock) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._url = url
        self._clock = clock
        self.alerts = LastWords(clock.now_ns)

    async def start(self, assembly: Assembly) -> None:
        """Connect in tasks of the gateway; wait a moment for the first word of Redis."""
        gateway, desk = assembly.gateway, assembly.gateway.desk
        name = f"{desk.book.account}:{desk.book.mode}"
        requests = RequestStream(gateway, self._clock.now_ns, name)
        outbox = JournalOutbox(
            assembly.reader,
            lambda: desk.journal.head.sequence,
            name,
            gateway=gateway,
            later=requests,
            is_audited=self._settings.audit_log.is_enabled,
        )
        bus = RedisBus(
            partial(client_of, self._url),
            gateway=gateway,
            clock=self._clock,
            alert=desk.alert,
            alert_over=desk.alert_over,
            down_policy=self._settings.section(KillSwitch).redis_down_policy,
        )
        desk.supervisor.keep(bus.run, "redis")
        await bus.first_heard()
        await bus.judge()
        desk.supervisor.keep(bus.watch, "redis policy")
        for part, work in (
            ("redis requests", requests.run),
            ("redis outbox", outbox.run),
            ("redis last words", self.alerts.run),
        ):
            desk.supervisor.keep(partial(bus.keep, part, work), part)


def bus_of(settings: Settings, clock: JumpingClock) -> Bus | None:
    """Return the bus of a service; None where no Redis is named."""
    url = settings.gateway.redis_url
    return None if url is None else Bus(settings, url, clock)
