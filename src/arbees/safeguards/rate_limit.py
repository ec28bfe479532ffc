"""Denies orders that come too fast (R4).

Guarantees that no window of a minute or an hour holds more approved orders than allowed, over
restarts too, since the windows are part of the journal's fold. Orders that reduce have windows of
their own, as large, so that a burst cannot use up the way out. An API key may have tighter windows.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.api_keys import NO_CAPS
from arbees.core.book.book import (
    HOUR_NS,
    MINUTE_NS,
    Book,
    count_within,
    lifts_at,
)
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Use,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind

MINUTE_MAX = 1_000_000
HOUR_MAX = 10_000_000
_NO_TIMES: list[int] = []

Window = tuple[list[int], int | None]
"""When orders were approved, and how many there may be; None = any number."""


class RateLimits(msgspec.Struct, frozen=True):
    """
    The table `[rate_limit]`: limits of one market and of one strategy; None = none.

    Each counts orders that add risk, and is reported under the code of its window.
    """

    per_market_minute: int | None = None
    per_market_hour: int | None = None
    per_strategy_minute: int | None = None
    per_strategy_hour: int | None = None

    @classmethod
    def parse(cls, table: Mapping[str, object]) -> "RateLimits":
        """
        Read the table of arbees.toml.

        Raises:
            ValueError: which field, what was expected, what came.
        """
        read: dict[str, int] = {}
        for field, value in table.items():
            if field not in cls.__struct_fields__:
                known = ", ".join(cls.__struct_fields__)
                raise ValueError(f"rate_limit.{field}: Expected one of {known}, was {field!r}")
            high = MINUTE_MAX if field.endswith("_minute") else HOUR_MAX
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
                raise ValueError(
                    f"rate_limit.{field}: Expected a whole number from 1 to {high}, was {value!r}"
                )
            read[field] = value
        if not read:
            return NO_LIMITS
        limits = cls(**read)
        for scope, minute, hour in (
            ("market", limits.per_market_minute, limits.per_market_hour),
            ("strategy", limits.per_strategy_minute, limits.per_strategy_hour),
        ):
            if minute is not None and hour is not None and minute > hour:
                raise ValueError(
                    f"rate_limit.per_{scope}_minute: Expected at most per_{scope}_hour {hour}, "
                    f"was {minute}"
                )
        return limits


NO_LIMITS = RateLimits()


class RateLimit(msgspec.Struct, frozen=True):
    """How many orders may be approved in the last minute and in the last hour."""

    name: ClassVar[str] = "rate_limit"
    codes: ClassVar[tuple[str, ...]] = ("RATE_LIMIT_MINUTE", "RATE_LIMIT_HOUR")

    max_orders_per_minute: Annotated[
        int,
        Setting(
            name="MAX_ORDERS_PER_MINUTE",
            kind=SettingKind.COUNT,
            default="20",
            low="1",
            high=str(MINUTE_MAX),
            doc="Most orders approved in any minute; reducing ones have as many of their own.",
        ),
    ] = 20
    max_orders_per_hour: Annotated[
        int,
        Setting(
            name="MAX_ORDERS_PER_HOUR",
            kind=SettingKind.COUNT,
            default="100",
            low="1",
            high=str(HOUR_MAX),
            doc="Most orders approved in any hour; reducing ones have as many of their own.",
        ),
    ] = 100
    limits: Annotated[
        RateLimits,
        Setting(
            name="rate_limit",
            kind=SettingKind.TABLE,
            doc="Limits of one market and of one strategy: per_market_minute, per_market_hour, "
            "per_strategy_minute, per_strategy_hour.",
        ),
    ] = NO_LIMITS

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Count the windows; this order counts once every safeguard has passed it."""
        is_scoped = self.limits is not NO_LIMITS or order.api_key is not None
        if is_scoped and not order.is_reducing:
            return self._scoped(order, book, facts.now_ns)
        times = book.reduced if order.is_reducing else book.opened
        now = facts.now_ns
        return (
            _judge("RATE_LIMIT_MINUTE", times, self.max_orders_per_minute, now, MINUTE_NS),
            _judge("RATE_LIMIT_HOUR", times, self.max_orders_per_hour, now, HOUR_NS),
        )

    def _scoped(self, order: Candidate, book: Book, now: int) -> tuple[Verdict, ...]:
        limits = self.limits
        market = book.opened_by.get(f"market:{order.market_key}", _NO_TIMES)
        strategy = book.opened_by.get(f"strategy:{order.strategy}", _NO_TIMES)
        own, caps = _NO_TIMES, NO_CAPS
        if order.api_key is not None:
            caps = order.api_key.caps
            own = book.opened_by.get(f"key:{order.api_key.key_id}", _NO_TIMES)
        minutes = (
            (book.opened, self.max_orders_per_minute),
            (market, limits.per_market_minute),
            (strategy, limits.per_strategy_minute),
            (own, caps.max_orders_per_minute),
        )
        hours = (
            (book.opened, self.max_orders_per_hour),
            (market, limits.per_market_hour),
            (strategy, limits.per_strategy_hour),
            (own, caps.max_orders_per_hour),
        )
        return (
            _worst("RATE_LIMIT_MINUTE", minutes, now, MINUTE_NS),
            _worst("RATE_LIMIT_HOUR", hours, now, HOUR_NS),
        )

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return how full each window is; those of one market or strategy once they hold some."""
        limits, now = self.limits, facts.now_ns
        minute, hour = self.max_orders_per_minute, self.max_orders_per_hour
        windows: list[tuple[str, list[int], int | None, int | None]] = [
            ("all", book.opened, minute, hour),
            ("reducing", book.reduced, minute, hour),
        ]
        for scope, times in book.opened_by.items():
            if scope.startswith("market:"):
                windows.append((scope, times, limits.per_market_minute, limits.per_market_hour))
            elif scope.startswith("key:"):
                key = book.keys.get(scope.removeprefix("key:"))
                caps = NO_CAPS if key is None else key.caps
                own = (caps.max_orders_per_minute, caps.max_orders_per_hour)
                windows.append((scope, times, *own))
            else:
                windows.append((scope, times, limits.per_strategy_minute, limits.per_strategy_hour))
        found: list[Use] = []
        for scope, times, per_minute, per_hour in windows:
            for code, maximum, window_ns in (
                ("RATE_LIMIT_MINUTE", per_minute, MINUTE_NS),
                ("RATE_LIMIT_HOUR", per_hour, HOUR_NS),
            ):
                count = count_within(times, now, window_ns)
                if maximum is not None and (count or times is book.opened or times is book.reduced):
                    found.append(Use(scope, code, count, maximum))
        return tuple(found)


def _judge(code: str, times: list[int], maximum: int, now: int, window_ns: int) -> Verdict:
    count = len(times) - bisect_right(times, now - window_ns)
    if count < maximum:
        return Pass(code, count, maximum, maximum - count - 1)
    return Deny(code, count, maximum, lifts_at(times, maximum, now, window_ns))


def _worst(code: str, windows: tuple[Window, ...], now: int, window_ns: int) -> Verdict:
    """Return the verdict of the fullest window; a denial lasts until all of them have room."""
    fullest: Verdict = Pass(code)
    least: int | None = None
    until: int | None = None
    for times, maximum in windows:
        if maximum is None:
            continue
        left = maximum - count_within(times, now, window_ns)
        if least is None or left < least:
            fullest, least = _judge(code, times, maximum, now, window_ns), left
        lifts = lifts_at(times, maximum, now, window_ns)
        if lifts is not None and (until is None or lifts > until):
            until = lifts
    if isinstance(fullest, Deny):
        return Deny(code, fullest.observed, fullest.limit, until)
    return fullest
