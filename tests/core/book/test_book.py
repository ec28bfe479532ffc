"""The book: scopes, trading states, profit, windows and snapshots, exact at their bounds."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book import book as books
from arbees.core.book.book import (
    HOUR_NS,
    MINUTE_NS,
    Book,
    Day,
    Halt,
    closable,
    count_within,
    fresh,
    lifts_at,
    unrealized_of,
)
from arbees.core.language.words import Side, TradingState
from tests.core.scene import Scene
from tests.safeguards.build import (
    CONDITION,
    KALSHI,
    NO_TOKEN,
    YES_TOKEN,
    book_with,
    market,
    subject_of,
)

MICRO = 1_000_000


def halt(state: TradingState, scope: str = "all", source: str = "http") -> Halt:
    """Return a halt in force."""
    return Halt(
        source=source,
        scope=scope,
        state=state,
        reason="r",
        actor="ann",
        since_ns=1,
        is_automatic=False,
        receipt_id="x",
        sequence=2,
    )


# Scopes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "is_in"),
    [
        ("all", True),
        ("platform:Kalshi", True),
        ("platform:Polymarket", False),
        ("platform:kalshi", False),
        ("sport:NBA", True),
        ("sport:NFL", False),
        ("market:KEY", True),
        ("market:ID", True),
        ("market:ID:", False),
        ("market:", False),
        ("strategy:alpha", True),
        ("strategy:beta", False),
        ("model_version:v:1", True),
        ("model_version:v", False),
        ("game:x", False),
        ("Kalshi", False),
        ("", False),
        ("ALL", False),
    ],
)
def test_scopes(scope: str, is_in: bool) -> None:
    """A scope covers by platform, sport, market (by key or id), strategy or model version."""
    subject = subject_of(market_key="KEY", market_id="ID", strategy="alpha", model_version="v:1")
    assert subject.is_in(scope) is is_in


def test_no_model_version_is_in_no_scope_of_one() -> None:
    """What names no model is not covered by any."""
    assert not subject_of(model_version=None).is_in("model_version:None")
    assert not subject_of(model_version=None).is_in("model_version:")


# Trading states --------------------------------------------------------------------------------

A, R, H, X = (
    TradingState.ACTIVE,
    TradingState.REDUCING,
    TradingState.HALTED,
    TradingState.READ_ONLY,
)


@pytest.mark.parametrize(
    ("halts", "expected"),
    [
        ([], (A, None)),
        ([(R, "all")], (R, 0)),
        ([(R, "all"), (H, "sport:NBA")], (H, 1)),
        ([(H, "sport:NBA"), (R, "all")], (H, 0)),
        ([(H, "all"), (X, "platform:Kalshi")], (X, 1)),
        ([(X, "sport:NFL"), (R, "all")], (R, 1)),
        ([(X, "sport:NFL")], (A, None)),
        ([(H, "all"), (H, "sport:NBA")], (H, 0)),
    ],
)
def test_the_strictest_halt_covers(
    halts: list[tuple[TradingState, str]], expected: tuple[TradingState, int | None]
) -> None:
    """Of all that cover an order the strictest, of equals the first."""
    book = fresh()
    made = [halt(state, scope, f"s{index}") for index, (state, scope) in enumerate(halts)]
    for each in made:
        book.halts[f"{each.source}|{each.scope}"] = each
    state, said = book.state_for(subject_of())
    assert state is expected[0]
    assert said is (None if expected[1] is None else made[expected[1]])


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (f"market:{KALSHI}", f"market:{KALSHI}"),
        (f"market:{YES_TOKEN}", f"market:{CONDITION}"),
        (f"market:{NO_TOKEN}", f"market:{CONDITION}"),
        (f"market:{CONDITION}", f"market:{CONDITION}"),
        ("market:unheard of", "market:unheard of"),
        (f"strategy:{YES_TOKEN}", f"strategy:{YES_TOKEN}"),
        ("all", "all"),
    ],
)
def test_a_scope_names_a_market_by_its_key(scope: str, expected: str) -> None:
    """Whichever of its names it was called by; other scopes are as they are."""
    assert Scene().book.canonical(scope) == expected


def test_a_key_is_not_taken_for_a_name() -> None:
    """A name that is also the key of another market means that market."""
    book = Scene().book
    book.names[f"Polymarket|{KALSHI}"] = (CONDITION, False)
    assert book.canonical(f"market:{KALSHI}") == f"market:{KALSHI}"


def test_a_halt_of_one_token_covers_the_other() -> None:
    """It may be older than what is known of its market."""
    scene = Scene(is_bare=True)
    other = subject_of(platform="Polymarket", market_key=CONDITION, market_id=NO_TOKEN)
    scope = f"market:{YES_TOKEN}"
    assert not scene.book.covers(scope, other)
    known = Scene().book
    assert known.covers(scope, other)
    assert known.covers(f"market:{NO_TOKEN}", other)
    assert not known.covers(f"market:{KALSHI}", other)
    known.halts["http|x"] = halt(TradingState.HALTED, scope)
    assert known.state_for(other)[0] is TradingState.HALTED


# Markets and profit ----------------------------------------------------------------------------


def test_a_market_by_its_names() -> None:
    """Each venue's own name; another venue's is not known."""
    book = book_with()
    assert book.market_of("Kalshi", KALSHI) == (book.markets[KALSHI], False)
    assert book.market_of("Polymarket", KALSHI) is None
    assert book.market_of("Kalshi", "other") is None


def test_profit() -> None:
    """Realized less fees plus marks, of the day less its baseline; cash that moved never counts."""
    book = fresh()
    book.realized, book.fees, book.cash_moved = 1_000, 30, 5_000
    assert book.equity(-20) == 950
    assert book.pnl_today(-20) == 950
    book.day = Day(day="d", baseline=900)
    assert book.pnl_today(-20) == 50


@pytest.mark.parametrize(
    ("touch", "marks", "expected"),
    [
        ((None, None), (None, None), 0),
        ((600_000, None), (None, None), 1_000_000),
        ((None, 600_000), (None, None), -500_000),
        ((600_000, 600_000), (None, None), 500_000),
        ((None, None), (450_000, 700_000), -500_000),
        ((600_000, None), (450_000, 700_000), 1_000_000),
        ((0, 0), (450_000, 700_000), -8_500_000),
    ],
)
def test_marks_less_cost(
    touch: tuple[int | None, int | None],
    marks: tuple[int | None, int | None],
    expected: int,
) -> None:
    """The price at which each side could be closed, else the last mark, else cost."""
    made = market(yes="10", no="5", no_cost="3.5", mark_yes=marks[0], mark_no=marks[1])
    assert unrealized_of(made, touch) == expected
    book = book_with(made)
    assert book.unrealized({KALSHI: touch}) == expected
    empty = market(mark_yes=marks[0], mark_no=marks[1])
    assert unrealized_of(empty, touch) == 0


def test_marks_of_a_market_without_a_quote() -> None:
    """Carry the last one, rounded down."""
    made = market(yes=3, yes_cost=0, mark_yes=500_000)
    assert book_with(made).unrealized({}) == 1


@pytest.mark.parametrize(
    ("quantity", "closing", "expected"), [(10, 0, 10), (10, 4, 6), (10, 10, 0), (10, 11, 0)]
)
def test_what_is_held_and_not_being_closed(quantity: int, closing: int, expected: int) -> None:
    """Never below nothing."""
    made = market(no=quantity)
    made.no.closing = closing
    assert closable(made, Side.NO) == expected
    assert closable(made, Side.YES) == 0


# Windows ---------------------------------------------------------------------------------------


def test_spans() -> None:
    """A minute and an hour in nanoseconds."""
    assert (MINUTE_NS, HOUR_NS) == (60 * 10**9, 3_600 * 10**9)


@pytest.mark.parametrize(
    ("times", "now", "count"),
    [
        ([], 100, 0),
        ([100], 100, 1),
        ([40], 100, 0),
        ([41], 100, 1),
        ([39, 40, 41, 41, 100], 100, 3),
    ],
)
def test_a_window_is_open_at_its_start(times: list[int], now: int, count: int) -> None:
    """(now - 60, now]: what is exactly as old as the window is out."""
    assert count_within(times, now, 60) == count


@pytest.mark.parametrize(
    ("times", "maximum", "expected"),
    [
        ([], 1, None),
        ([50], 2, None),
        ([50], 1, 110),
        ([50, 60], 1, 120),
        ([50, 60, 70], 2, 120),
        ([50, 60, 70], 3, 110),
        ([40, 60], 2, None),
        ([41, 60], 2, 101),
        ([50], 0, None),
        ([50], -1, None),
    ],
)
def test_when_one_more_fits(times: list[int], maximum: int, expected: int | None) -> None:
    """Once the oldest of the last `maximum` has left the window; never under a maximum of 0."""
    assert lifts_at(times, maximum, 100, 60) == expected


@given(
    st.lists(st.integers(0, 200)).map(sorted),
    st.integers(1, 5),
    st.integers(100, 300),
    st.integers(1, 100),
)
def test_windows_against_counting(times: list[int], maximum: int, now: int, window: int) -> None:
    """At the moment that is told one more fits, and a nanosecond before it does not."""
    times = [time for time in times if time <= now]
    inside = [time for time in times if now - window < time <= now]
    assert count_within(times, now, window) == len(inside)
    lifts = lifts_at(times, maximum, now, window)
    if len(inside) < maximum:
        assert lifts is None
    else:
        assert lifts is not None
        assert lifts > now
        assert count_within(times, lifts, window) < maximum
        assert count_within(times, lifts - 1, window) >= maximum


# Snapshots -------------------------------------------------------------------------------------


def test_a_fresh_book_is_empty() -> None:
    """Nothing bound, nothing started, nothing held."""
    assert msgspec.to_builtins(fresh()) == {
        "account": "",
        "environment": "",
        "mode": "",
        "sequence": 0,
        "time_ns": 0,
        "version": "",
        "settings_hash": "",
        "disabled": {},
        "is_started": False,
        "markets": {},
        "names": {},
        "games": {},
        "orders": {},
        "unknown": 0,
        "game_worst": {},
        "sport_worst": {},
        "total_worst": 0,
        "opened": [],
        "reduced": [],
        "opened_by": {},
        "cycles": {},
        "pools": {},
        "realized": 0,
        "fees": 0,
        "cash_moved": 0,
        "open_day_loss": 0,
        "day": None,
        "denials": {},
        "halts": {},
        "breaks": {},
        "authority": None,
        "venue_states": {},
        "venue_notes": {},
        "keys": {},
        "alerts": {},
        "ledgers": {},
        "movements": [],
        "accepted": {},
    }


def test_books_share_nothing() -> None:
    """What is written into one is not in the next."""
    first, second = fresh(), fresh()
    first.halts["a"] = halt(TradingState.HALTED)
    first.opened.append(1)
    first.names["a"] = ("b", False)
    assert second == fresh() == Book()


def test_a_snapshot_is_the_book() -> None:
    """Written and read back it is equal, and lives on by itself."""
    scene = Scene()
    order = scene.resting()
    scene.fill(order, 4 * MICRO, 650_000)
    scene.lost("k-2")
    scene.balance(100)
    copy = books.decode(books.encode(scene.book))
    assert copy == scene.book
    copy.markets[KALSHI].yes.quantity += 1
    copy.orders.clear()
    assert copy != scene.book
    assert scene.book.orders
    scene.check()


@pytest.mark.parametrize("body", [b"", b"\x81", msgspec.msgpack.encode({"sequence": "x"})])
def test_what_is_no_snapshot_is_refused(body: bytes) -> None:
    """It is thrown away by its reader, never half read."""
    with pytest.raises((msgspec.ValidationError, msgspec.DecodeError)):
        books.decode(body)
