"""What an account's orders and its market data share: key, clock, calls, and how the venue is.

Guarantees that the venue's time is known before anything is signed, that signatures of creates lie
ready, and that a pause of the venue, a shard that is down and a clock that is off are known within
seconds. Goes on trying when the venue cannot be reached.
"""

import asyncio
import threading

import msgspec

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.ports import Clock, Kept, Tasks
from arbees.errors import VenueError
from arbees.venues.http_client import Wire
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import KalshiApi
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.connection.signing import Signer, VenueClock

CREATE = "/portfolio/events/orders"
REFILL_SECONDS = 0.5
STATUS_SECONDS = 5.0
"""Kalshi's state is asked for this often, by a call that needs no signature; it tells its time."""
RETRY_SECONDS = 1.0
LIMITS_RETRY_NS = 60 * NS_PER_SECOND
NEVER_NS = 2**63 - 1
CALLS_MAX = 16
"""Reads and cancels that are under way at once."""


class KalshiAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Where and as whom to trade."""

    key: SigningKey
    key_id: str
    base_url: str
    ws_url: str
    skew_max_ns: int
    group_limit: int
    """Contracts that may be matched on a shard within 15 s, before the venue itself stops us."""
    subaccount: int = 0
    """The one that is traded and looked at; 0 = the primary one."""

    def __repr__(self) -> str:
        """Tell where, and nothing of the key."""
        return f"<Kalshi account at {self.base_url}>"


class KalshiConnection:
    """One account at Kalshi, as far as it is neither orders nor markets."""

    def __init__(self, account: KalshiAccount, clock: Clock, tasks: Tasks) -> None:
        """Prepare; `start` connects. What runs by itself is started at `tasks`."""
        self.account = account
        self.tasks = tasks
        self.clock = clock
        self.venue_clock = VenueClock(clock.now_ns)
        self.signer = Signer(
            account.key,
            account.key_id,
            self.venue_clock,
            skew_max_ns=account.skew_max_ns,
            ahead=("POST", f"{shapes.root_of(account.base_url)}{CREATE}"),
        )
        self._calls = Wire(account.base_url, most=CALLS_MAX)
        self._urgent = Wire(account.base_url)
        self.api = KalshiApi(
            account.base_url,
            signer=self.signer,
            venue_clock=self.venue_clock,
            clock=clock,
            wire=self._calls,
            urgent=self._urgent,
            subaccount=account.subaccount,
        )
        self.status: shapes.ExchangeStatus | None = None
        """The venue's own word of its state; None = not heard yet."""
        self.trouble: str | None = "Kalshi was not reached yet"
        """Why nothing is known of it now, None if something is."""
        self._asks_limits_ns = 0
        """When our rates are asked for next; they are learnt once."""
        self._ends = threading.Event()
        self._refiller: threading.Thread | None = None
        self._keeper: Kept | None = None

    async def start(self) -> None:
        """
        Learn the venue's time, state and our limits; idempotent.

        Raises:
            VenueError: it does not answer, or does not take the key; it is asked again and again.
        """
        if self._keeper is not None:
            return
        try:
            await self._look()
        finally:
            self._refiller = threading.Thread(
                target=self._keep_filled, name="kalshi-sign", daemon=True
            )
            self._refiller.start()
            self._keeper = self.tasks.keep(self._keep_looking, "kalshi status")

    async def close(self) -> None:
        """Release connections and threads."""
        self._ends.set()
        self.signer.is_low.set()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._refiller is not None:
            await asyncio.to_thread(self._refiller.join, 2.0)
        await self._calls.close()
        await self._urgent.close()

    def hurry(self, answer_seconds: float) -> None:
        """Wait for no answer longer than this; for rehearsals, which have no time."""
        self._calls.answer_seconds = self._urgent.answer_seconds = answer_seconds

    async def _look(self) -> None:
        """Ask how the venue is; learn our rates once."""
        try:
            self.status = await self.api.get(
                "/exchange/status", shapes.ExchangeStatus, is_public=True
            )
        except VenueError as error:
            self.trouble = error.message
            raise
        self.trouble = None
        if self.clock.now_ns() >= self._asks_limits_ns:
            await self._learn_limits()

    async def _learn_limits(self) -> None:
        """Ask for our rates; until they are told, the smallest tier's hold."""
        self._asks_limits_ns = NEVER_NS
        try:
            await self.api.learn_limits()
        except VenueError:
            self._asks_limits_ns = self.clock.now_ns() + LIMITS_RETRY_NS

    async def _keep_looking(self) -> None:
        while True:
            await self.clock.sleep(STATUS_SECONDS if self.trouble is None else RETRY_SECONDS)
            try:
                await self._look()
            except VenueError:
                continue  # `trouble` says it, and the clock's figure grows old

    def _keep_filled(self) -> None:
        """Have signatures ready; in a thread of its own, since RSA takes 0.3 ms each."""
        while not self._ends.is_set():
            self.signer.is_low.wait(REFILL_SECONDS)
            self.signer.is_low.clear()
            self.signer.refill()

    def is_trading(self, shard: int | None) -> bool:
        """Tell whether the venue takes orders on a shard; None = on all that it names."""
        return self._is("trading_active", shard)

    def is_open(self, shard: int | None) -> bool:
        """Tell whether the venue takes anything on a shard, cancels among it."""
        return self._is("exchange_active", shard)

    def _is(self, field: str, shard: int | None) -> bool:
        if self.status is None:
            return False
        shards = self.status.exchange_index_statuses
        named = [each for each in shards if shard is None or each.exchange_index == shard]
        if not named:
            return bool(getattr(self.status, field))
        return all(getattr(each, field) for each in named)

    @property
    def is_kept(self) -> bool:
        """Whether the venue's state is still being asked for."""
        return self._keeper is not None and not self._keeper.done()

    @property
    def resumes_ns(self) -> int | None:
        """When the venue expects to go on, by its own word; None = it does not say."""
        if self.status is None or self.status.exchange_estimated_resume_time is None:
            return None
        try:
            return shapes.moment("resume", self.status.exchange_estimated_resume_time) or None
        except VenueError:
            return None
