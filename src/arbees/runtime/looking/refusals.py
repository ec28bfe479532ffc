"""What would be refused now, why and until when: one truth for status, readiness and metrics.

Guarantees that it cannot disagree with what is decided: the safeguards themselves judge the
smallest order that would open something, of each pool of each venue and of each market that is
held, worked or quoted, by the facts that the writer would give them; halts are those that the gate
holds; and what ends a request before it is decided (starting, stopping, a full queue, a failed
journal) is looked at where it happens. Each refusal is said once, for the widest scope that is
wholly refused; of a market where one side alone is refused, with that side.

Off the order's way: it is asked by whoever looks, and kept for as long as looking may cost no more
than a twentieth of the time. It changes nothing and never fails.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from arbees.core.book.book import closable
from arbees.core.book.market import Market
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Deny
from arbees.core.language.code import sentence
from arbees.core.language.codes import CODES
from arbees.core.language.request import Request
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    SCOPE_ALL,
    HaltSource,
    Platform,
    Side,
    TradingState,
)
from arbees.interface.views import RefusalView, VenueView
from arbees.runtime.desk import Desk

MARKETS_MAX = 100
"""Markets that are judged one by one: those that are held or worked, then the last quoted."""
REFUSALS_MAX = 100
KEPT_NS_MIN = 250_000_000
KEPT_NS_MAX = 1_500_000_000
COST = 20
"""So many times as long as a look took it is kept."""
OF_THE_ORDER = frozenset(
    {
        *("EXPIRED", "STALE_SIGNAL", "FUTURE_DATED"),
        *("MODEL_VERSION_MISSING", "MODEL_VERSION_DENIED"),
        *("INVALID_TICK", "INVALID_QUANTITY", "MIN_ORDER", "CLASSIFICATION_CONFLICT"),
        *("SELL_EXCEEDS_POSITION", "MAX_ORDER_SIZE", "MAX_ORDER_CONTRACTS", "PRICE_OUT_OF_RANGE"),
        *("PREGAME_DELTA", "THROUGH_QUOTE", "EDGE_IMPLAUSIBLE", "SELF_TRADE"),
    }
)
"""Codes that say something of an order's own terms: nothing is refused for as long as they are."""
_OF_HALTS = frozenset({"HALTED", "REDUCE_ONLY"})
_OF_ONE_MARKET = frozenset(
    {"MARKET_UNKNOWN", "MARKET_CLOSED", "MARKET_STALE", "QUOTE_STALE", "QUOTE_MISSING"}
)
"""Codes that a market which is not known yet cannot be judged by."""
_OF_THE_VENUE = frozenset(
    {"VENUE_UNAVAILABLE", "VENUE_HEARTBEAT_LATE", "VENUE_BLIND", "VENUE_PAUSED", "CLOCK_SKEW"}
)
_PROBE = "arbees-probe"
_TROUBLES = {"starting": "STARTING", "stopping": "SHUTTING_DOWN"}
_WORDS = {
    "re_arm": "all our orders there were cancelled at once; it takes new ones a minute later",
    "post_only": "it takes only orders that rest",
    "cancel_only": "it takes only cancels",
    "read_only": "it takes neither orders nor cancels",
}


class Denied(msgspec.Struct, frozen=True):
    """One order that would be denied: for what, in which pool, of which market."""

    finding: Deny
    platform: Platform
    pool: str
    scope: str
    """The narrowest that is meant: `market:X`, `game:X`, ...; a pool's own `pool:X`."""
    only: Side | None = None
    """The one side on which an order would be denied, where the other one would not."""


Judged = tuple[str, list[Denied]]
"""The pool of a market, and what every opening order in it would be denied for."""


class Refusing:
    """Looks at one desk."""

    def __init__(
        self,
        desk: Desk,
        troubles: Callable[[], tuple[str, ...]],
        watched: Callable[[], Iterable[tuple[Platform, str]]] = tuple,
    ) -> None:
        """
        Prepare.

        Args:
            desk: what is looked at.
            troubles: why no request is decided at all; empty = they are.
            watched: markets whose books are followed; one of which none came is refused too.
        """
        self._desk = desk
        self._troubles = troubles
        self._watched = watched
        self._found: tuple[RefusalView, ...] = ()
        self._venues: tuple[VenueView, ...] = ()
        self._good_until_ns = 0
        self._of: tuple[object, ...] = ()

    def now(self) -> tuple[RefusalView, ...]:
        """Return what would be refused now, the widest first; empty where all is well."""
        self._look()
        return self._found

    def forget(self) -> None:
        """Look anew the next time, however short ago the last look was; for moved clocks."""
        self._good_until_ns = 0

    def venues(self) -> tuple[VenueView, ...]:
        """Return the state of each venue, and of each shard that it has, with the reasons."""
        self._look()
        return self._venues

    def _look(self) -> None:
        """Look again if the last look is old, or something that stops everything has changed."""
        stops = (self._troubles(), *self._desk.gate.in_force().items())
        begun_ns = time.monotonic_ns()
        if begun_ns < self._good_until_ns and stops == self._of:
            return
        probes = [] if self._troubles() else list(self._of_pools())
        markets = [] if self._troubles() else list(self._of_markets())
        merged = _merged(probes, markets, self._pools())
        found = (*self._before(), *self._halted(), *merged)
        self._found, self._venues = found[:REFUSALS_MAX], tuple(self._states(probes))
        took_ns = time.monotonic_ns() - begun_ns
        kept_ns = min(max(COST * took_ns, KEPT_NS_MIN), KEPT_NS_MAX)
        self._good_until_ns, self._of = begun_ns + took_ns + kept_ns, stops

    # What no safeguard says --------------------------------------------------------------------

    def _before(self) -> Iterator[RefusalView]:
        """Yield what ends a request before it is decided, and what does not run."""
        desk = self._desk
        for trouble in self._troubles():
            code = _TROUBLES.get(trouble, "JOURNAL_FAILED")
            yield RefusalView(scope=SCOPE_ALL, code=code, reason=f"The gateway: {trouble}")
        if desk.writer.is_full:
            yield RefusalView(
                scope=SCOPE_ALL,
                code="QUEUE_FULL",
                reason="As many requests wait as may: come again with the same key",
            )
        for name, why in desk.supervisor.dead.items():
            yield RefusalView(
                scope=f"task:{name}",
                code="TASK_DIED",
                reason=f"The task {name} died and is started anew; what it does is not done: {why}",
            )

    def _halted(self) -> Iterator[RefusalView]:
        """Yield the halts that the gate holds, durable or not yet."""
        found = sorted(self._desk.gate.in_force().items(), key=lambda each: each[0][1] != SCOPE_ALL)
        for (source, scope, _), held in found:
            if source == HaltSource.REPEATED_EXECUTION:
                code = "REPEATED_EXECUTION"
            else:
                is_halt = held.state.rank >= TradingState.HALTED.rank
                code = "HALTED" if is_halt else "REDUCE_ONLY"
            reason = f"{source} for {scope}: {held.reason}"
            yield RefusalView(scope=scope, code=code, reason=sentence(CODES[code], reason, None))

    # Probes ------------------------------------------------------------------------------------

    def _pools(self) -> dict[Platform, tuple[str, ...]]:
        """Return the pools of each venue: its shards where it has any, else itself."""
        found: dict[Platform, tuple[str, ...]] = {}
        for platform in self._desk.venues:
            shards = self._desk.conditions.shards(platform)
            named = [name for name in self._desk.book.pools if name.startswith(f"{platform}:")]
            found[platform] = tuple(shards) or tuple(sorted(named)) or (platform,)
        return found

    def _of_pools(self) -> Iterator[Denied]:
        """Judge an order in each pool, for a market that is open and else unknown."""
        for platform, pools in self._pools().items():
            request = self._request(platform, _PROBE, Side.YES, MICRO, MICRO // 2)
            seen = self._desk.writer.step.facts_for(request)
            for pool in pools:
                facts = replace(
                    seen,
                    balance_ns=self._desk.facts.balance_ns(pool),
                    venue=self._desk.facts.health(platform, seen.now_ns, pool),
                )
                order = self._candidate(request, facts)
                order.is_known = True
                market = order.market
                market.is_open = True
                market.listing = replace(market.listing, pool=pool)
                for finding in self._denials(order, facts):
                    if finding.code not in _OF_ONE_MARKET:
                        scope = _natural(finding.code, order, f"pool:{pool}")
                        yield Denied(finding, platform, pool, scope)

    def _of_markets(self) -> Iterator[Judged]:
        """Judge the smallest orders that open something in each market that matters."""
        for market in self._followed():
            listing = market.listing
            sides = {side: list(self._of_market(market, side)) for side in _sides(market)}
            found: dict[str, Denied] = {}
            for side, denied in sides.items():
                for each in denied:
                    known = found.get(each.finding.code)
                    only = side if known is None and len(sides) > 1 else None
                    found[each.finding.code] = replace(known or each, only=only)
            yield listing.pool or listing.platform, list(found.values())

    def _of_market(self, market: Market, side: Side) -> Iterator[Denied]:
        listing = market.listing
        platform, key = Platform(listing.platform), listing.market_key
        lot = max(1, listing.lot)
        size = max(lot, -(-listing.minimum // lot) * lot)
        touch = self._desk.marks.touches.get(key)
        price = None if touch is None else touch.ask
        if side is Side.NO:
            bid = None if touch is None else touch.bid
            price = None if bid is None else MICRO - bid
        request = self._request(platform, listing.market_id, side, size, price or MICRO // 2)
        facts = self._desk.writer.step.facts_for(request)
        if not facts.market_ns and not _is_ours(market):
            # Nobody follows it: the venue is asked before the first request that names it.
            facts = replace(facts, market_ns=None)
        order = self._candidate(request, facts)
        for finding in self._denials(order, facts):
            scope = _natural(finding.code, order, f"market:{key}")
            yield Denied(finding, platform, listing.pool or platform, scope)

    def _followed(self) -> list[Market]:
        book, touches = self._desk.book, self._desk.marks.touches
        ours = [
            market for market in book.markets.values() if not market.is_settled and _is_ours(market)
        ]
        known = {market.listing.market_key for market in ours}
        newest = sorted(touches.items(), key=lambda each: -each[1].ts_ns)
        for key, _ in newest[: MARKETS_MAX + len(known)]:
            market = book.markets.get(key)
            if market is not None and key not in known and not market.is_settled:
                ours.append(market)
                known.add(key)
        for place in self._watched():
            found = book.market_of(*place)
            if found is None or found[0].is_settled:
                continue
            key = found[0].listing.market_key
            if key not in known:
                ours.append(found[0])
                known.add(key)
        mine = self._desk.venues
        return [each for each in ours if Platform(each.listing.platform) in mine][:MARKETS_MAX]

    def _request(
        self, platform: Platform, market_id: str, side: Side, size: int, price: int
    ) -> Request:
        return Request(
            request_id=_PROBE,
            idempotency_key=_PROBE,
            platform=platform,
            market_id=market_id,
            side=side,
            size=size,
            limit_price=price,
            created_ns=self._desk.clock.now_ns(),
        )

    def _candidate(self, request: Request, facts: Facts) -> Candidate:
        rules = self._desk.rules
        return make_candidate(request, 0, self._desk.book, facts, rules.terms, rules.balance_buffer)

    def _denials(self, order: Candidate, facts: Facts) -> Iterator[Deny]:
        """Ask the safeguards; what the order's own terms are denied for says nothing of now."""
        for check in self._desk.rules.checks:
            for verdict in check(order, self._desk.book, facts):
                if isinstance(verdict, Deny) and verdict.code not in OF_THE_ORDER | _OF_HALTS:
                    yield verdict

    # Venues ------------------------------------------------------------------------------------

    def _states(self, probes: Iterable[Denied]) -> Iterator[VenueView]:
        """Yield how each venue stands: never ACTIVE where it refuses, never without a reason."""
        found: dict[str, list[Deny]] = {}
        for each in probes:
            if each.finding.code in _OF_THE_VENUE:
                found.setdefault(each.pool, []).append(each.finding)
        for platform, pools in self._pools().items():
            data = self._desk.market_data.get(platform)
            trouble = None if data is None else data.trouble
            for pool in pools:
                denials = found.get(pool, [])
                whole = self._desk.breakers[platform]
                own = self._desk.conditions.breaker_of(platform, pool)
                breaker = whole if whole.is_open else own
                now_ns = self._desk.clock.now_ns()
                states = (
                    _state_of(denials),
                    breaker.state,
                    self._desk.conditions.state(platform, now_ns, pool),
                )
                state = max(states, key=lambda each: each.rank)
                reasons = [_reason(each) for each in denials]
                if breaker.is_open and not reasons:
                    reasons.append(breaker.last_error or "breaker open")
                if trouble is not None:
                    reasons.append(trouble)
                    state = max(state, TradingState.REDUCING, key=lambda each: each.rank)
                yield VenueView(
                    platform=platform,
                    shard=self._desk.conditions.shards(platform).get(pool),
                    state=state,
                    reasons=tuple(reasons),
                    until=_until(denials),
                )


def _is_ours(market: Market) -> bool:
    """Tell whether something is held or works in a market."""
    return bool(market.orders or market.yes.quantity or market.no.quantity)


def _sides(market: Market) -> tuple[Side, ...]:
    """Return the sides of the named market on which the smallest order opens something."""
    sides = (Side.YES, Side.NO)
    if not market.listing.is_netting:
        return sides
    flipped = market.listing.is_flipped
    opening = tuple(
        side for side in sides if not closable(market, side if flipped else side.opposite)
    )
    return opening or sides


def _natural(code: str, order: Candidate, otherwise: str) -> str:
    """Return the scope that a limit counts over, where it is not that of a market."""
    if code == "MAX_SPORT_EXPOSURE":
        return f"sport:{order.sport}"
    if code == "MAX_GAME_EXPOSURE":
        return f"game:{order.game_id}"
    return otherwise


def _state_of(denials: Iterable[Deny]) -> TradingState:
    codes = {each.code for each in denials}
    if "VENUE_PAUSED" in codes:
        return TradingState.HALTED
    return TradingState.REDUCING if codes else TradingState.ACTIVE


def _reason(finding: Deny) -> str:
    observed = finding.observed
    if isinstance(observed, str):
        observed = _WORDS.get(observed, observed)
    return sentence(CODES[finding.code], observed, finding.limit)


def _until(denials: Iterable[Deny]) -> str | None:
    """Return when all of them have lifted, None where that is not known of each."""
    untils = [each.until_ns for each in denials]
    known = [each for each in untils if each is not None]
    return format_time(max(known)) if untils and len(known) == len(untils) else None


# Scopes ----------------------------------------------------------------------------------------


def _merged(
    probes: list[Denied], markets: list[Judged], pools: dict[Platform, tuple[str, ...]]
) -> Iterator[RefusalView]:
    """Yield each code once for each of the widest scopes that are wholly refused for it."""
    by_code: dict[str, dict[str, Denied]] = {}
    for each in (*probes, *_whole(markets)):
        by_code.setdefault(each.finding.code, {}).setdefault(each.scope, each)
    for pool, denied in markets:
        for each in denied:
            scopes = by_code.setdefault(each.finding.code, {})
            if f"pool:{pool}" not in scopes:
                scopes.setdefault(each.scope, each)
    entries = [entry for scopes in by_code.values() for entry in _widened(scopes, pools)]
    for scope, denied in sorted(entries, key=lambda each: _rank(each[0])):
        shown = next((each for each in denied if each.finding.until_ns is None), denied[0])
        side = "" if shown.only is None else f"Buy {shown.only}: "
        yield RefusalView(
            scope=scope,
            code=shown.finding.code,
            reason=side + _reason(shown.finding),
            until=_until(each.finding for each in denied),
        )


def _whole(markets: list[Judged]) -> Iterator[Denied]:
    """Yield for a pool what all its markets, more than one, are denied for one by one."""
    totals = Counter(pool for pool, _ in markets)
    found: dict[tuple[str, str], list[Denied]] = {}
    for pool, denied in markets:
        for each in denied:
            if each.finding.code in _OF_ONE_MARKET and each.only is None:
                found.setdefault((pool, each.finding.code), []).append(each)
    for (pool, _), of_markets in found.items():
        if len(of_markets) == totals[pool] > 1:
            yield replace(of_markets[0], scope=f"pool:{pool}")


def _widened(
    scopes: dict[str, Denied], pools: dict[Platform, tuple[str, ...]]
) -> Iterator[tuple[str, list[Denied]]]:
    """Yield the scopes of one code with what they stand for, pools put together to the widest."""
    whole = {
        platform: [scopes[f"pool:{name}"] for name in names]
        for platform, names in pools.items()
        if all(f"pool:{name}" in scopes for name in names)
    }
    if whole and len(whole) == len(pools):
        yield SCOPE_ALL, [each for denied in whole.values() for each in denied]
    else:
        for platform, denied in whole.items():
            yield f"platform:{platform}", denied
    for scope, denied_one in scopes.items():
        is_in = scope.startswith("pool:") and denied_one.platform in whole
        if not is_in:
            yield scope, [denied_one]


_RANKS = (SCOPE_ALL, "platform", "pool", "sport", "game", "market")


def _rank(scope: str) -> tuple[int, str]:
    kind = scope.partition(":")[0]
    return _RANKS.index(kind) if kind in _RANKS else len(_RANKS), scope
