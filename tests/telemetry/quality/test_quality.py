"""Execution quality as the fold of the journal: exact, in steps or at once, bounded."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from arbees.core import events
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.language.words import Side
from arbees.core.ports import Head, Stored
from arbees.interface.measures import By, QualityRow
from arbees.telemetry.quality.fold import QualityFold, tallied
from arbees.telemetry.quality.quality import Quality, sequence_before, view_of
from arbees.telemetry.quality.tally import OrderOutcome, Stage, Tally
from tests.telemetry.evenings import Evening
from tests.telemetry.lives import MICRO, SECOND, START_NS, Lives, make_request, make_sell
from tests.telemetry.quality_oracle import expected


class Journal(Lives):
    """Lives with what a reader of quality asks besides."""

    asked = 0

    @property
    def head(self) -> Head:
        last = next(reversed(list(self.records())), None)
        return Head(0, b"", 0) if last is None else Head(last.sequence, b"", last.time_ns)

    def record(self, sequence: int) -> Stored | None:
        return self.stored[sequence - 1] if 0 < sequence <= len(self.stored) else None

    def records(self, after: int = 0) -> Iterator[Stored]:
        for each in super().records(after):
            self.asked += 1
            yield each


def evening(seed: int, requests: int = 40) -> Journal:
    """Return a random evening, with quotes at the decisions and strategies."""
    made, draw, journal = Evening(seed, requests), random.Random(seed), Journal()
    for each in made.lives.stored:
        event = events.decode(each.body)
        if isinstance(event, events.OrderApproved):
            touch = Touch(
                ts_ns=each.time_ns,
                bid=draw.choice((None, 630_000)),
                ask=draw.choice((None, 650_000)),
            )
            event = replace(event, facts=Facts(now_ns=each.time_ns, touch=touch))
            journal.stored.append(replace(each, body=events.encode(event)))
        else:
            journal.stored.append(each)
    return journal


def sums_of(tally: Tally) -> dict[str, Any]:
    """Return a tally as the oracle tells it, but for the times."""
    names = (
        "requests duplicates denied approved unknown placed fills placed_quantity "
        "filled_quantity placed_with_fill value fees"
    )
    found: dict[str, Any] = {name: getattr(tally, name) for name in names.split()}
    found |= {str(outcome): tally.outcomes[outcome] for outcome in OrderOutcome}
    found["limit"] = (tally.against_limit.quantity, tally.against_limit.value)
    found["quote"] = (tally.against_quote.quantity, tally.against_quote.value)
    found["denials"] = +Counter(tally.denials)
    return found


def assert_agrees(fold: QualityFold, wanted: dict[str, Any]) -> None:
    """Compare a fold with the oracle."""
    tally = tallied(fold, fold.tallies)
    times = {stage: wanted.pop(str(stage)) for stage in Stage}
    assert sums_of(tally) == wanted
    for stage, values in times.items():
        found = tally.stages[stage]
        assert (found.count, found.total) == (len(values), sum(max(0, each) for each in values))
        assert [found.low, found.high] == ([values[0], values[-1]] if values else [0, 0])


@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_the_oracle(seed: int) -> None:
    """Over a random evening, from any record on and at any moment, every sum is the obvious one."""
    journal, draw = evening(seed), random.Random(seed)
    for _ in range(4):
        after = draw.choice((0, draw.randrange(len(journal.stored))))
        fold = QualityFold(journal, after)
        stops = sorted(draw.sample(range(after, len(journal.stored) + 1), 2))
        for stop in (*stops, len(journal.stored)):
            for each in journal.stored[fold.sequence : stop]:
                fold.take(each)
            journal.durable = None
            assert_agrees(fold, expected(journal.stored, after, stop))


def test_groups_add_up_to_all() -> None:
    """However the requests are grouped, the groups sum up to the total."""
    journal = evening(3)
    fold = QualityFold(journal)
    for each in journal.stored:
        fold.take(each)
    for by in get_args(By):
        view = view_of(fold, START_NS, START_NS, by)
        for name in ("requests", "approved", "filled", "fills", "filled_qty", "fees"):
            assert sum(getattr(row, name) for row in view.groups) == getattr(view.total, name)
        assert len({row.name for row in view.groups}) == len(view.groups) > 0


def test_nothing_to_divide_by_is_null() -> None:
    """Without an order there is no rate and no price, not one of zero."""
    row = Tally().row()
    assert (row.fill_rate, row.order_fill_rate) == (None, None)
    assert row.slippage_limit.per_contract is None
    assert row.slippage_quote.per_contract is None
    assert row.latency[0].p50_ms is None


def one(journal: Journal) -> QualityRow:
    """Return the row over everything."""
    return Quality(journal).view(0).total


def test_a_buy_below_its_limit_has_negative_slippage() -> None:
    """A Buy filled a cent below its limit costs a cent less; a Sell there costs one more."""
    for make, sign in ((make_request, -1), (make_sell, 1)):
        journal = Journal()
        request = make()
        journal.approve(request)
        journal.fill(request, 50 * MICRO, 640_000, is_complete=True)
        found = one(journal).slippage_limit
        assert found.per_contract == sign * Decimal("0.01")
        assert found.dollars == sign * Decimal("0.5")


@pytest.mark.parametrize(
    ("side", "make", "worse"),
    [
        (Side.YES, make_request, "0.01"),
        (Side.YES, make_sell, "0.02"),
        (Side.NO, make_request, "0.30"),
        (Side.NO, make_sell, "-0.27"),
    ],
)
def test_slippage_against_the_quote_of_the_decision(
    side: Side, make: Callable[..., Any], worse: str
) -> None:
    """The reference is the best price that the order could have met, in terms of its own side."""
    journal = Journal()
    request = make(side=side)
    approved = journal.approve(request)
    event = events.decode(approved.body)
    touch = Touch(ts_ns=START_NS, bid=660_000, ask=630_000)
    facts = Facts(now_ns=START_NS, touch=touch)
    body = events.encode(replace(event, facts=facts))
    journal.stored[-1] = replace(approved, body=body)
    journal.fill(request, 50 * MICRO, 640_000, is_complete=True)
    found = one(journal).slippage_quote
    assert found.contracts == 50
    assert found.per_contract == Decimal(worse)


def test_rounds_against_us() -> None:
    """A cost that does not come out even is shown too high, a saving too low, a rate too low."""
    journal = Journal()
    request = make_request(size=3 * MICRO)
    journal.approve(request)
    journal.acknowledge(request)
    journal.fill(request, 1, 650_001)
    row = one(journal)
    assert row.slippage_limit.dollars == Decimal("0.000001")
    assert row.slippage_limit.per_contract == Decimal("0.000001")
    assert row.fill_rate == 0
    assert row.volume == Decimal("0.000001")


def test_a_late_fill_moves_an_order_that_ended() -> None:
    """A fill after the cancel makes an unfilled order a partial one, once."""
    journal = Journal()
    request = make_request()
    journal.approve(request)
    journal.acknowledge(request)
    final = journal.cancel(request)
    quality = Quality(journal)
    assert quality.view(0).total.unfilled == 1
    journal.fill(request, 10 * MICRO, corrects=final.sequence)
    row = quality.view(0).total
    assert (row.unfilled, row.partial, row.placed) == (0, 1, 1)
    journal.fill(request, 40 * MICRO, corrects=final.sequence)
    row = quality.view(0).total
    assert (row.filled, row.partial, row.fills) == (1, 0, 2)
    assert row.fill_rate == 1


def test_orders_from_before_are_not_counted() -> None:
    """A fill of an order that was decided before the period belongs to the period before."""
    journal = Journal()
    first, second = make_request("r1"), make_request("r2")
    journal.approve(first)
    journal.pass_time(10 * SECOND)
    since_ns = journal.now_ns
    journal.fill(first, 50 * MICRO, is_complete=True)
    journal.approve(second)
    row = Quality(journal).view(since_ns).total
    assert (row.approved, row.fills, row.open) == (1, 0, 1)


def test_period_is_found_by_time() -> None:
    """The period begins with the first record at its moment, none before and none after it."""
    journal = Journal()
    for number in range(20):
        journal.deny(make_request(f"r{number}"))
        journal.pass_time(SECOND)
    times = [each.time_ns for each in journal.stored]
    assert sequence_before(journal, 0) == 0
    assert sequence_before(journal, times[-1] + 1) == 20
    for index, time_ns in enumerate(times):
        assert sequence_before(journal, time_ns) == index
        assert sequence_before(journal, time_ns + 1) == index + 1


def test_asking_again_reads_only_what_came_since() -> None:
    """The second answer walks the new records alone, and is that of a fresh follower."""
    journal = evening(5)
    quality = Quality(journal)
    first = quality.view(0)
    journal.asked = 0
    assert quality.view(0).total == first.total
    assert journal.asked <= len(journal.stored) + 1
    journal.asked = 0
    journal.pass_time(SECOND)
    journal.deny(make_request("late"))
    assert quality.view(0) == Quality(journal).view(0)


def test_shows_nothing_that_is_not_durable() -> None:
    """Records that readers may not see yet count nowhere (P1)."""
    journal = Journal()
    journal.deny(make_request("r1"))
    journal.durable = 1
    journal.deny(make_request("r2"))
    view = Quality(journal).view(0)
    assert (view.total.denied, view.sequence) == (1, 1)


def test_a_period_may_end() -> None:
    """With an end, what came at it or later is left out, also of orders from before it."""
    journal = Journal()
    request = make_request()
    journal.approve(request)
    journal.pass_time(SECOND)
    end_ns = journal.now_ns
    journal.fill(request, 50 * MICRO, is_complete=True)
    quality = Quality(journal)
    assert quality.view(0, until_ns=end_ns).total.open == 1
    assert quality.view(0).total.filled == 1


def test_strategies_without_end_stay_bounded() -> None:
    """Beyond the bound new strategies count as `other`; nothing is lost in sum."""
    journal = Journal()
    for number in range(9):
        request = make_request(f"r{number}", strategy=f"s{number}")
        journal.approve(request)
        journal.fill(request, 50 * MICRO, is_complete=True)
    fold = QualityFold(journal, groups_max=3)
    for each in journal.stored:
        fold.take(each)
    view = view_of(fold, START_NS, START_NS, "strategy")
    assert [row.name for row in view.groups] == ["other", "s0", "s1", "s2"]
    assert view.groups[0].filled == 6
    assert view.total.filled == 9


def test_few_periods_are_kept() -> None:
    """Whoever asks for ever new beginnings makes the follower forget, not grow."""
    journal = Journal()
    for number in range(12):
        journal.deny(make_request(f"r{number}"))
        journal.pass_time(SECOND)
    quality = Quality(journal)
    for each in journal.stored:
        quality.view(each.time_ns)
    assert len(quality._folds) <= 4
