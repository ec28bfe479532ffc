"""Price reference (R8): a price follows from pregame, quote and model, or somebody is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.facts import Touch
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
    Warn,
)
from arbees.core.language.request import Alternate
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from arbees.safeguards.price_reference import PriceReference
from tests.safeguards.build import (
    NO_TOKEN,
    NOW,
    SECOND,
    YES_TOKEN,
    book_with,
    facts,
    market,
    micro,
    order,
    polymarket,
    touch,
    verdicts,
)

PREGAME, THROUGH, STALE, MISSING, EDGE = PriceReference.codes
COLLAR = 100_000
AGE = 10 * SECOND
NO_PREGAME = Skipped(PREGAME, "no pregame_prob")
NO_EDGE = Skipped(EDGE, "no edge_pct or model_prob")
NO_SIDE = Skipped(THROUGH, "no quote of that side")
FRESH = Pass(STALE, 0, AGE, AGE)
NAMES = {PREGAME: 0, THROUGH: 1, STALE: 2, MISSING: 3, EDGE: 4}


def said(code: str, safeguard: PriceReference | None = None, **given: Any) -> Verdict:
    """Return one code's verdict of an order; `book` and `seen` are book and facts."""
    book, seen = given.pop("book", None), given.pop("seen", None)
    return verdicts(safeguard or PriceReference(), book, seen, **given)[NAMES[code]]


def test_defaults() -> None:
    """The limits and policies of the design."""
    assert PriceReference() == PriceReference(
        max_price_delta_from_pregame=300_000,
        pregame_policy="warn",
        max_price_through_quote=COLLAR,
        max_quote_age=AGE,
        quote_policy="",
        edge_tolerance=MICRO,
        edge_policy="warn",
    )


def test_a_price_at_the_quote_passes() -> None:
    """A Buy a cent under the ask; what the request does not say is not judged."""
    assert verdicts(PriceReference()) == (
        NO_PREGAME,
        Pass(THROUGH, -10_000, COLLAR, 110_000),
        FRESH,
        Pass(MISSING),
        NO_EDGE,
    )


# Pregame ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pregame", ["0.35", "0.95"])
def test_at_the_greatest_distance_from_pregame_it_passes(pregame: str) -> None:
    """Exactly 30 cents up or down passes."""
    assert said(PREGAME, pregame_prob=pregame) == Pass(PREGAME, 300_000, 300_000, 0)


@pytest.mark.parametrize("pregame", [349_999, 950_001])
def test_farther_from_pregame_warns_by_default(pregame: int) -> None:
    """One millionth farther warns, or denies where the policy says so."""
    assert said(PREGAME, pregame_prob=pregame) == Warn(PREGAME, 300_001, 300_000)
    strict = PriceReference(pregame_policy="deny")
    assert said(PREGAME, strict, pregame_prob=pregame) == Deny(PREGAME, 300_001, 300_000)


def test_pregame_is_compared_with_the_named_side() -> None:
    """The probability is of Yes; a No is compared with what remains."""
    found = said(PREGAME, pregame_prob="0.4", side=Side.NO)
    assert found == Pass(PREGAME, 50_000, 300_000, 250_000)


def test_a_pregame_of_zero_is_a_pregame() -> None:
    """Nought is a probability, not an absent one."""
    assert said(PREGAME, pregame_prob=0) == Warn(PREGAME, 650_000, 300_000)


# Quote -----------------------------------------------------------------------------------------


def test_a_buy_may_be_a_collar_above_the_ask() -> None:
    """Exactly ten cents above the best ask passes, a millionth more is denied."""
    assert said(THROUGH, limit_price="0.76") == Pass(THROUGH, COLLAR, COLLAR, 0)
    assert said(THROUGH, limit_price=760_001) == Deny(THROUGH, COLLAR + 1, COLLAR)


def test_a_sell_may_be_a_collar_below_the_bid() -> None:
    """A Sell is compared with the best bid."""
    sell = Action.SELL
    assert said(THROUGH, action=sell, limit_price="0.54") == Pass(THROUGH, COLLAR, COLLAR, 0)
    assert said(THROUGH, action=sell, limit_price=539_999) == Deny(THROUGH, COLLAR + 1, COLLAR)
    assert said(THROUGH, action=sell, limit_price="0.65") == Pass(THROUGH, -10_000, COLLAR, 110_000)


def test_a_buy_of_no_is_compared_with_the_bid_of_yes() -> None:
    """The ask of No is a dollar less the bid of Yes: 0.36 here."""
    no: dict[str, Any] = {"side": Side.NO}
    assert said(THROUGH, limit_price="0.46", **no) == Pass(THROUGH, COLLAR, COLLAR, 0)
    assert said(THROUGH, limit_price=460_001, **no) == Deny(THROUGH, COLLAR + 1, COLLAR)


@pytest.mark.parametrize(
    ("token", "side", "ask"),
    [
        (YES_TOKEN, Side.YES, "0.66"),
        (YES_TOKEN, Side.NO, "0.36"),
        (NO_TOKEN, Side.YES, "0.36"),
        (NO_TOKEN, Side.NO, "0.66"),
    ],
)
def test_the_ask_of_a_token_is_the_same_under_both_names(token: str, side: Side, ask: str) -> None:
    """A token is compared with its own ask, whatever it is called."""
    wire: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": token, "side": side}
    assert said(THROUGH, book=book_with(market(polymarket())), limit_price=ask, **wire) == Pass(
        THROUGH, 0, COLLAR, COLLAR
    )


@pytest.mark.parametrize("mode", ["paper", "live"])
@pytest.mark.parametrize("policy", ["", "warn", "deny"])
def test_the_collar_denies_under_every_policy(mode: str, policy: str) -> None:
    """The policy is about old and missing quotes; the collar has none."""
    found = said(
        THROUGH, PriceReference(quote_policy=policy), book=book_with(mode=mode), limit_price="0.9"
    )
    assert found == Deny(THROUGH, 240_000, COLLAR)


def test_the_collar_is_computed_on_an_old_quote_too() -> None:
    """An old quote is told as old, and still holds the price."""
    old = facts(touch=touch(ts_ns=NOW - AGE - 1))
    found = verdicts(PriceReference(), None, old, limit_price="0.9")
    assert found[1:4] == (
        Deny(THROUGH, 240_000, COLLAR),
        Warn(STALE, AGE + 1, AGE),
        Pass(MISSING),
    )


def test_at_the_greatest_age_a_quote_is_fresh() -> None:
    """Exactly ten seconds old passes, one nanosecond more is stale."""
    assert said(STALE, seen=facts(touch=touch(ts_ns=NOW - AGE))) == Pass(STALE, AGE, AGE, 0)
    assert said(STALE, seen=facts(touch=touch(ts_ns=NOW - AGE - 1))) == Warn(STALE, AGE + 1, AGE)


def test_a_quote_from_the_future_is_stale() -> None:
    """A quote dated far ahead would never grow old: it is not trusted either."""
    assert said(STALE, seen=facts(touch=touch(ts_ns=NOW + AGE))) == Pass(STALE, -AGE, AGE, 2 * AGE)
    found = said(STALE, seen=facts(touch=touch(ts_ns=NOW + AGE + 1)))
    assert found == Warn(STALE, -AGE - 1, AGE)


POLICIES = [
    ("", "paper", Warn),
    ("", "live", Deny),
    ("", "", Deny),
    ("warn", "live", Warn),
    ("warn", "paper", Warn),
    ("deny", "paper", Deny),
    ("deny", "live", Deny),
]


@pytest.mark.parametrize(("policy", "mode", "kind"), POLICIES)
def test_an_old_or_missing_quote_denies_in_live(
    policy: str, mode: str, kind: type[Deny] | type[Warn]
) -> None:
    """Without a policy it denies but on paper; a policy counts in both modes."""
    safeguard, book = PriceReference(quote_policy=policy), book_with(mode=mode)
    old = facts(touch=touch(ts_ns=NOW - AGE - 1))
    assert said(STALE, safeguard, book=book, seen=old) == kind(STALE, AGE + 1, AGE)
    never = facts(touch=None)
    assert said(MISSING, safeguard, book=book, seen=never) == kind(MISSING, "never seen")


def test_a_market_never_quoted() -> None:
    """No quote at all: it is missing, and neither old nor to be compared with."""
    found = verdicts(PriceReference(), None, facts(touch=None))
    assert found[1:4] == (
        NO_SIDE,
        Skipped(STALE, "no quote"),
        Warn(MISSING, "never seen"),
    )


EMPTY = [
    (Action.BUY, Side.YES, touch(ask=None), "no ask of Yes"),
    (Action.BUY, Side.NO, touch(bid=None), "no ask of No"),
    (Action.SELL, Side.YES, touch(bid=None), "no bid of Yes"),
    (Action.SELL, Side.NO, touch(ask=None), "no bid of No"),
]


@pytest.mark.parametrize(("action", "side", "quote", "told"), EMPTY)
def test_an_empty_side_is_a_missing_quote(
    action: Action,
    side: Side,
    quote: Touch,
    told: str,
) -> None:
    """Nothing on the side that the order would meet: missing, though the quote is fresh."""
    found = verdicts(
        PriceReference(), book_with(mode="live"), facts(touch=quote), action=action, side=side
    )
    assert found[1:4] == (NO_SIDE, FRESH, Deny(MISSING, told))


def test_the_other_side_may_be_empty() -> None:
    """A Buy needs asks only, a Sell bids only."""
    assert said(MISSING, seen=facts(touch=touch(bid=None))) == Pass(MISSING)
    assert said(MISSING, action=Action.SELL, seen=facts(touch=touch(ask=None))) == Pass(MISSING)


# Edge ------------------------------------------------------------------------------------------


def test_an_edge_that_follows_passes() -> None:
    """Model 0.70, price 0.65: five points."""
    assert said(EDGE, model_prob="0.70", edge_pct="5") == Pass(EDGE, 0, MICRO, MICRO)


@pytest.mark.parametrize("edge", ["4", "6"])
def test_a_point_off_passes(edge: str) -> None:
    """Exactly the tolerance off passes, up or down."""
    assert said(EDGE, model_prob="0.70", edge_pct=edge) == Pass(EDGE, MICRO, MICRO, 0)


@pytest.mark.parametrize("edge", [3_999_999, 6_000_001])
def test_more_than_a_point_off_warns_by_default(edge: int) -> None:
    """One millionth of a point more warns, or denies where the policy says so."""
    assert said(EDGE, model_prob="0.70", edge_pct=edge) == Warn(EDGE, MICRO + 1, MICRO)
    strict = PriceReference(edge_policy="deny")
    assert said(EDGE, strict, model_prob="0.70", edge_pct=edge) == Deny(EDGE, MICRO + 1, MICRO)


def test_the_edge_is_of_the_named_side() -> None:
    """For No the model's probability is what remains of Yes."""
    assert said(EDGE, side=Side.NO, model_prob="0.30", edge_pct="5") == Pass(EDGE, 0, MICRO, MICRO)


def test_an_edge_of_zero_is_an_edge() -> None:
    """Nought is a claim as well; so is a probability of nought."""
    assert said(EDGE, model_prob="0.65", edge_pct="0") == Pass(EDGE, 0, MICRO, MICRO)
    assert said(EDGE, model_prob="0", edge_pct="-65") == Pass(EDGE, 0, MICRO, MICRO)


def test_an_edge_needs_both() -> None:
    """Without the model's probability, or without the claim, there is nothing to compare."""
    assert said(EDGE, model_prob="0.70") == NO_EDGE
    assert said(EDGE, edge_pct="5") == NO_EDGE


# Alternates and exits --------------------------------------------------------------------------


def test_an_alternate_is_the_same_bet_under_another_name() -> None:
    """What the request says of its Yes and of its price holds for the bet, not for the new name."""
    alternate = Alternate(
        platform=Platform.POLYMARKET, market_id=NO_TOKEN, side=Side.NO, limit_price=micro("0.66")
    )
    book = book_with(market(), market(polymarket()))
    leg = order(
        book,
        facts(),
        1,
        alternates=(alternate,),
        model_prob="0.70",
        edge_pct="5",
        pregame_prob="0.60",
    )
    assert PriceReference().check(leg, book, facts()) == (
        Pass(PREGAME, 60_000, 300_000, 240_000),
        Pass(THROUGH, 0, COLLAR, COLLAR),
        FRESH,
        Pass(MISSING),
        Pass(EDGE, 0, MICRO, MICRO),
    )


@pytest.mark.parametrize("quote", [None, touch(ts_ns=0), touch(bid="0.9", ask="0.91")])
def test_reducing_orders_pass(quote: Touch | None) -> None:
    """Out of a position at any price, also without a quote."""
    found = verdicts(
        PriceReference(),
        book_with(market(yes="10"), mode="live"),
        facts(touch=quote),
        action=Action.SELL,
        limit_price="0.01",
        pregame_prob="0.9",
        model_prob="0.9",
        edge_pct="50",
    )
    assert found == tuple(Skipped(code, "reducing order") for code in PriceReference.codes)


prices = st.integers(1, MICRO - 1)


@given(
    prices,
    st.none() | prices,
    st.none() | prices,
    st.tuples(st.sampled_from(Action), st.sampled_from(Side)),
    st.integers(0, MICRO),
)
def test_the_collar_against_an_oracle(
    price: int, bid: int | None, ask: int | None, what: tuple[Action, Side], collar: int
) -> None:
    """Denied is exactly what pays, or gives away, more than the collar beyond the other side."""
    action, side = what
    found = said(
        THROUGH,
        PriceReference(max_price_through_quote=collar),
        seen=facts(touch=touch(bid, ask)),
        action=action,
        side=side,
        limit_price=price,
    )
    # In terms of the one book of Yes: a bid for Yes meets asks, an offer meets bids.
    yes_price = price if side is Side.YES else MICRO - price
    is_bid = (action is Action.BUY) is (side is Side.YES)
    other = ask if is_bid else bid
    is_crossed = bid is not None and ask is not None and bid >= ask
    if other is None or is_crossed:
        assert found == NO_SIDE
    else:
        through = yes_price - other if is_bid else other - yes_price
        assert isinstance(found, Deny) is (through > collar)


@given(prices, st.integers(0, MICRO), st.integers(-(10**9), 10**9), st.sampled_from(Side))
def test_the_edge_against_an_oracle(price: int, model: int, edge: int, side: Side) -> None:
    """It warns exactly when the claim is more than a point off a hundred times the difference."""
    found = said(EDGE, side=side, limit_price=price, model_prob=model, edge_pct=edge)
    of_side = model if side is Side.YES else MICRO - model
    assert isinstance(found, Warn) is not (-MICRO <= edge - 100 * of_side + 100 * price <= MICRO)
