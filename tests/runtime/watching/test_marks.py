"""Marks: the newest quotes, and what the positions are worth at them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.open_order import NOTHING
from arbees.core.deciding.facts import Touch
from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform, Side
from arbees.runtime.watching.marks import Marks
from tests.core.scene import Scene
from tests.runtime.rig import quote
from tests.safeguards.build import CONDITION, KALSHI, NOW, book_with, market, touch

KEYS = (KALSHI, CONDITION)


def held(**changes: Any) -> tuple[Book, Marks]:
    """Return a book that holds something of a Kalshi market, and its marks."""
    book = book_with(market(**changes))
    return book, Marks(book)


def test_without_a_quote_positions_stand_at_cost() -> None:
    """Nothing is won or lost of what was never quoted."""
    _, marks = held(yes="10", yes_cost="6.50")
    assert marks.unrealized == 0
    assert marks.closing_prices(KALSHI) == (None, None)


def test_without_a_quote_the_last_journaled_mark_counts() -> None:
    """After a restart a position stands at what was journaled of it last."""
    _, marks = held(yes="10", yes_cost="6.50", mark_yes=600_000)
    assert marks.unrealized == -MICRO // 2


def test_held_is_marked_at_the_price_at_which_it_could_be_closed() -> None:
    """Yes is worth the bid; No is worth a dollar less the ask."""
    _, marks = held(yes="10", yes_cost="6.50", no="4", no_cost="1.00")
    marks.take(KALSHI, quote("0.60", "0.70"), is_flipped=False, now_ns=NOW)
    assert marks.closing_prices(KALSHI) == (600_000, 300_000)
    assert marks.unrealized == (6_000_000 - 6_500_000) + (1_200_000 - 1_000_000)


def test_quote_of_the_opposite_token_is_turned() -> None:
    """A quote of the No token is the Yes book seen from the other side."""
    marks = Marks(book_with())
    marks.take(KALSHI, quote("0.30", "0.40"), is_flipped=True, now_ns=NOW)
    assert marks.touches[KALSHI] == Touch(NOW, 600_000, 700_000)


def test_an_empty_side_is_no_price() -> None:
    """What nobody bids for carries the last mark, and does not fall to nothing."""
    book, marks = held(yes="10", yes_cost="6.50", mark_yes=640_000)
    marks.take(KALSHI, quote(None, "0.70"), is_flipped=False, now_ns=NOW)
    assert marks.closing_prices(KALSHI) == (None, 300_000)
    assert marks.unrealized == book.unrealized({}) == -100_000


@pytest.mark.parametrize(
    ("quotes", "expected"),
    [
        ([("0.30", "0.32"), (None, "0.02")], 20_000),
        ([("0.30", "0.32"), (None, "0.99")], 300_000),
        ([("0.30", "0.32"), (None, None)], 300_000),
        ([("0.30", "0.32"), (None, "0.02"), (None, "0.50"), (None, None)], 20_000),
        ([("0.30", "0.32"), (None, "0.02"), ("0.25", "0.50")], 250_000),
        ([("0.30", "0.32"), ("0.41", "0.40")], 300_000),
        ([("0.30", "0.32"), ("0.40", "0.40"), (None, None)], 300_000),
        ([(None, "0.02")], 20_000),
        ([(None, "0.99")], None),
        ([(None, None)], None),
    ],
)
def test_books_of_one_side(
    quotes: list[tuple[str | None, str | None]], expected: int | None
) -> None:
    """At most the last mark, at most the offer; crossed and empty books change nothing."""
    _, marks = held(yes="10", yes_cost="6.50")
    for bid, ask in quotes:
        marks.take(KALSHI, quote(bid, ask), is_flipped=False, now_ns=NOW)
    assert marks.marks(KALSHI)[0] == expected
    assert marks.unrealized == (0 if expected is None else 10 * expected - 6_500_000)


def test_a_held_no_is_worth_at_most_a_dollar_less_the_bid() -> None:
    """The other side's best price is that of the same outcome."""
    _, marks = held(no="10", no_cost="6.50")
    marks.take(KALSHI, quote("0.30", "0.40"), is_flipped=False, now_ns=NOW)
    marks.take(KALSHI, quote("0.97", None), is_flipped=False, now_ns=NOW)
    assert marks.marks(KALSHI)[1] == 30_000
    assert marks.unrealized == 300_000 - 6_500_000


def test_a_mark_that_makes_the_loss_larger_is_to_be_journaled() -> None:
    """What is lower than the journaled mark, once; what is higher waits for the next look."""
    book, marks = held(yes="10", yes_cost="6.50", mark_yes=640_000)
    assert marks.deeper() == {}
    marks.take(KALSHI, quote("0.65", "0.66"), is_flipped=False, now_ns=NOW)
    assert marks.deeper() == {}
    marks.take(KALSHI, quote("0.63", "0.66"), is_flipped=False, now_ns=NOW)
    assert marks.deeper() == {KALSHI: (630_000, 340_000)}
    assert marks.deeper() == {}, "whoever asks journals it"
    book.markets[KALSHI].mark_yes = 630_000
    marks.recount(KALSHI)
    assert marks.deeper() == {}
    marks.take(KALSHI, quote("0.629999", "0.66"), is_flipped=False, now_ns=NOW)
    assert marks.deeper() == {KALSHI: (629_999, 340_000)}


def test_an_old_mark_of_a_closed_position_is_none_of_the_next() -> None:
    """A market that is entered again does not begin at what it was worth when it was left."""
    book = book_with(market(mark_yes=800_000))
    marks = Marks(book)
    held_now = book.markets[KALSHI].yes
    held_now.quantity, held_now.cost = 10 * MICRO, 2_200_000
    marks.recount(KALSHI)
    assert marks.unrealized == 0
    assert marks.deeper() == {KALSHI: (220_000, None)}


def test_the_age_of_what_is_held() -> None:
    """The oldest counts; what was not seen since the start is as old as can be."""
    _, marks = held()
    assert marks.oldest_ns() is None
    book, marks = held(yes="10", yes_cost="6.50", mark_yes=640_000)
    assert (marks.oldest_ns(), marks.seen_ns(KALSHI)) == (0, None)
    marks.take(KALSHI, quote("0.65", "0.66"), is_flipped=False, now_ns=NOW)
    marks.take(CONDITION, quote("0.65", "0.66", ts_ns=NOW - 5), is_flipped=False, now_ns=NOW)
    assert (marks.oldest_ns(), marks.seen_ns(KALSHI)) == (NOW, NOW)
    assert marks.held() == tuple(key for key, each in book.markets.items() if each.yes.quantity)


def test_an_older_quote_is_no_news() -> None:
    """A quote that comes late does not undo a newer one; one of the same time does."""
    marks = Marks(book_with())
    marks.take(KALSHI, quote("0.60", "0.70"), is_flipped=False, now_ns=NOW)
    marks.take(KALSHI, quote("0.10", "0.20", ts_ns=NOW - 1), is_flipped=False, now_ns=NOW)
    assert marks.touches[KALSHI] == touch("0.60", "0.70")
    marks.take(KALSHI, quote("0.50", "0.55"), is_flipped=False, now_ns=NOW)
    assert marks.touches[KALSHI] == touch("0.50", "0.55")


@pytest.mark.parametrize(("ahead_ns", "stays"), [(2 * NS_PER_SECOND, True), (10**18, False)])
def test_a_quote_from_the_future_hides_no_later_one(ahead_ns: int, stays: bool) -> None:
    """A feed's clock may be a little ahead; a wrong year is forgotten with the next quote."""
    marks = Marks(book_with())
    ahead = NOW + ahead_ns
    marks.take(KALSHI, quote("0.60", "0.70", ts_ns=ahead), is_flipped=False, now_ns=NOW)
    marks.take(KALSHI, quote("0.10", "0.20"), is_flipped=False, now_ns=NOW)
    assert (marks.touches[KALSHI].ts_ns == ahead) is stays


def test_forgotten_quotes_are_gone() -> None:
    """What was settled has no quote any more; forgetting it twice is no harm."""
    _, marks = held(yes="10", yes_cost="6.50")
    marks.take(KALSHI, quote("0.60", "0.70"), is_flipped=False, now_ns=NOW)
    marks.forget(KALSHI)
    marks.forget(KALSHI)
    assert KALSHI not in marks.touches
    marks.recount(KALSHI)
    assert marks.unrealized == -500_000, "what is held still keeps its last mark"


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        ("0.64", "0.66", {}),
        ("0.63", "0.66", {KALSHI: (630_000, 340_000)}),
        ("0.64", "0.67", {KALSHI: (640_000, 330_000)}),
        (None, "0.66", {}),
        (None, None, {}),
        (None, "0.67", {KALSHI: (640_000, 330_000)}),
    ],
)
def test_changed_marks(bid: str | None, ask: str | None, expected: dict[str, object]) -> None:
    """Only what differs from the last journaled mark is to be journaled; no price is no change."""
    _, marks = held(yes="10", yes_cost="6.50", mark_yes=640_000, mark_no=340_000)
    marks.take(KALSHI, quote(bid, ask), is_flipped=False, now_ns=NOW)
    assert marks.changed() == expected


def test_what_is_not_held_is_not_marked() -> None:
    """A market that is only quoted changes neither the sum nor the marks to journal."""
    marks = Marks(book_with())
    marks.take(KALSHI, quote("0.60", "0.70"), is_flipped=False, now_ns=NOW)
    assert marks.unrealized == 0
    assert marks.changed() == {}


# Against the slow way --------------------------------------------------------------------------

PRICES = st.none() | st.integers(1, 99).map(lambda cents: cents * 10_000)
STEPS = st.tuples(
    st.sampled_from(["fill", "quote", "quote", "look", "settle", "restart"]),
    st.sampled_from(KEYS),
    st.sampled_from(list(Side)),
    st.integers(-30, 30),
    PRICES,
    PRICES,
)


class Life:
    """
    Positions and quotes that change at random, followed as the writer follows them.

    `said` is the oracle: for each side that is held, all that its book ever told since.
    """

    def __init__(self) -> None:
        self.scene = Scene()
        self.marks = Marks(self.scene.book)
        self.books: dict[str, tuple[int | None, int | None]] = {}
        self.said: dict[tuple[str, Side], list[tuple[int | None, int | None]]] = {}
        self.begun: dict[tuple[str, Side], int | None] = {}

    def fill(self, key: str, side: Side, contracts: int, price: int | None) -> None:
        """Add to a holding, or take from what is there."""
        market = self.scene.book.markets[key]
        holding = market.holding(side)
        was, mark = holding.quantity, None
        if was:
            mark = self.mark(key, side)
        quantity = max(contracts * MICRO, -holding.quantity)
        share = holding.cost * -quantity // holding.quantity if holding.quantity else 0
        cost = quantity * (price or 0) // MICRO if quantity > 0 else -share
        is_yes = side is Side.YES
        self.scene.write(
            events.OrderFilled(
                client_order_id="gone",
                request_id="gone",
                platform=market.listing.platform,
                market_key=key,
                strategy="s",
                trade_id="t",
                quantity=abs(quantity),
                price=price or 0,
                value=0,
                fee=0,
                venue_ns=NOW,
                reserved=NOTHING,
                yes_quantity=quantity if is_yes else 0,
                yes_cost=cost if is_yes else 0,
                no_quantity=0 if is_yes else quantity,
                no_cost=0 if is_yes else cost,
                corrects=1,
            )
        )
        self.marks.recount(key)
        if holding.quantity:
            self.said[key, side] = [self.of_side(key, side)]
            self.begun[key, side] = mark

    def of_side(self, key: str, side: Side) -> tuple[int | None, int | None]:
        """Return bid and ask of a side, as the book of its market stands; a crossed one is none."""
        bid, ask = self.books.get(key, (None, None))
        if bid is not None and ask is not None and bid >= ask:
            return None, None
        if side is Side.YES:
            return bid, ask
        return (None if ask is None else MICRO - ask), (None if bid is None else MICRO - bid)

    def quote(self, key: str, bid: int | None, ask: int | None) -> None:
        """Quote a market."""
        size = 10 * MICRO
        self.marks.take(
            key,
            Quote(
                ts_ns=NOW,
                platform=Platform.KALSHI,
                market_id=key,
                bids=() if bid is None else ((bid, size),),
                asks=() if ask is None else ((ask, size),),
            ),
            is_flipped=False,
            now_ns=NOW,
        )
        self.books[key] = (bid, ask)
        for side in Side:
            if (key, side) in self.said:
                self.said[key, side].append(self.of_side(key, side))

    def journal(self, changed: dict[str, tuple[int | None, int | None]]) -> None:
        """Journal marks."""
        if changed:
            self.scene.write(events.Marked(marks=changed))
            for key in changed:
                self.marks.recount(key)

    def settle(self, key: str) -> None:
        """Settle a market."""
        market = self.scene.book.markets[key]
        self.scene.write(
            events.MarketSettled(
                market_key=key,
                result=Side.YES,
                payout=0,
                realized=0,
                yes_quantity=-market.yes.quantity,
                yes_cost=-market.yes.cost,
                no_quantity=-market.no.quantity,
                no_cost=-market.no.cost,
            )
        )
        self.books.pop(key, None)
        self.marks.forget(key)
        self.marks.recount(key)

    def restart(self) -> None:
        """Begin again with what is journaled: the loss is never smaller than it was."""
        before = self.marks.unrealized
        self.marks = Marks(self.scene.book)
        assert self.marks.unrealized <= before
        self.books.clear()
        for (key, side), said in self.said.items():
            market = self.scene.book.markets[key]
            self.begun[key, side] = market.mark_yes if side is Side.YES else market.mark_no
            said.clear()

    def mark(self, key: str, side: Side) -> int | None:
        """Return the mark of a side, by all that was said of its book, one after the other."""
        holding = self.scene.book.markets[key].holding(side)
        mark = self.begun[key, side]
        for bid, ask in self.said[key, side]:
            if bid is not None:
                mark = bid
            elif ask is not None and mark is not None:
                mark = min(ask, mark)
            elif ask is not None and ask * holding.quantity // MICRO < holding.cost:
                mark = ask
        return mark

    def slow_sum(self) -> int:
        """Return worth less cost the slow and obvious way."""
        found = 0
        for key, known in self.scene.book.markets.items():
            for side in Side:
                holding = known.holding(side)
                if not holding.quantity:
                    self.said.pop((key, side), None)
                    continue
                mark = self.mark(key, side)
                if mark is not None:
                    found += mark * holding.quantity // MICRO - holding.cost
        return found


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=25))
def test_sum_equals_the_slow_way(
    steps: list[tuple[str, str, Side, int, int | None, int | None]],
) -> None:
    """After whatever happens the sum is that over all positions; no restart makes it larger."""
    life = Life()
    for what, key, side, contracts, bid, ask in steps:
        if what == "fill":
            if life.scene.book.markets[key].is_open:
                life.fill(key, side, abs(contracts) if bid else contracts, bid)
        elif what == "quote":
            life.quote(key, bid, ask)
        elif what == "look":
            life.journal(life.marks.changed())
            assert life.marks.changed() == {}
        elif what == "restart":
            life.restart()
        elif life.scene.book.markets[key].is_open:
            life.settle(key)
        life.journal(life.marks.deeper())
        assert life.marks.deeper() == {}
        assert life.marks.unrealized == life.slow_sum()
    life.restart()
