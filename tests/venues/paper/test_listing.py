"""One book a market, however its outcomes are named."""

from arbees.core.language.quote import Quote
from tests.venues.paper.rig import (
    CONDITION,
    NO,
    OTHER_TOKEN,
    POLYMARKET,
    TOKEN,
    YES,
    Pairs,
    Rig,
    make_quote,
    micro,
    polymarket_quote,
    prices_of,
    settlement,
)


def of_condition(token: str, bids: Pairs, asks: Pairs) -> Quote:
    """Return a quote that names its condition but not the opposite token."""
    return make_quote(bids, asks, platform=POLYMARKET, market_id=token, condition_id=CONDITION)


async def test_polymarket_holds_each_token_and_knows_both_by_one_book(rig: Rig) -> None:
    """Either token's order trades against the condition's one book; both can be held."""
    rig.exchange.feed(polymarket_quote([("0.40", "10")], [("0.50", "10")]))
    await rig.accept("a", market_id=TOKEN, size="4", price="0.50", platform=POLYMARKET)
    answer = await rig.accept(
        "b", market_id=OTHER_TOKEN, size="4", price="0.60", platform=POLYMARKET
    )
    assert prices_of(answer) == [(micro("0.60"), micro("4"))]
    assert await rig.held(POLYMARKET) == {(TOKEN, YES): micro("4"), (TOKEN, NO): micro("4")}
    answer = await rig.accept(
        "c", market_id=TOKEN, side=NO, size="10", price="0.60", platform=POLYMARKET
    )
    assert prices_of(answer) == [(micro("0.60"), micro("6"))]
    rig.exchange.feed(polymarket_quote([("0.55", "1")], [("0.57", "2")], is_opposite=True))
    answer = await rig.accept("d", market_id=TOKEN, size="5", price="0.45", platform=POLYMARKET)
    assert prices_of(answer) == [(micro("0.45"), micro("1"))]
    await rig.exchange.close()


async def test_settlement_of_the_other_token_pays_its_own_holders(rig: Rig) -> None:
    """`Yes` of the opposite token is the condition's No; unknown markets settle too."""
    rig.exchange.feed(polymarket_quote([("0.40", "10")], [("0.50", "10")]))
    await rig.accept("a", size="4", price="0.50", platform=POLYMARKET, market_id=TOKEN)
    await rig.accept("b", side=NO, size="6", price="0.60", platform=POLYMARKET, market_id=TOKEN)
    before = await rig.available(POLYMARKET)
    rig.exchange.settle(settlement(YES, platform=POLYMARKET, market_id=OTHER_TOKEN))
    assert await rig.available(POLYMARKET) == before + micro("6")
    rig.exchange.settle(settlement(YES, market_id="NEVER-SEEN"))
    assert await rig.refuse("c", market_id="NEVER-SEEN") == "market_inactive"
    await rig.exchange.close()


async def test_a_condition_learns_its_other_token(rig: Rig) -> None:
    """A second token of a condition is its No, whether a quote of it or of the first says so."""
    rig.exchange.feed(of_condition(TOKEN, [], [("0.50", "9")]))
    code = await rig.refuse("a", platform=POLYMARKET, market_id=OTHER_TOKEN)
    assert code == "market_not_found"
    rig.exchange.feed(of_condition(OTHER_TOKEN, [("0.45", "9")], []))
    answer = await rig.accept("a", platform=POLYMARKET, market_id=TOKEN, price="0.55", size="9")
    assert prices_of(answer) == [(micro("0.55"), micro("9"))]
    rig.exchange.feed(of_condition("333", [], []))
    rig.exchange.feed(of_condition("333", [], [("0.10", "9")]))
    answer = await rig.accept("b", platform=POLYMARKET, market_id=TOKEN, price="0.55", size="9")
    assert answer.fills == ()
    assert rig.rows("SELECT market_key, yes_id, no_id FROM markets ORDER BY 1") == [
        (CONDITION, TOKEN, OTHER_TOKEN),
        ("333", "333", None),
    ]
    await rig.exchange.close()


async def test_the_opposite_token_may_become_known_later(rig: Rig) -> None:
    """A later quote of the first token names the opposite; a restart remembers it."""
    rig.exchange.feed(make_quote([], [], platform=POLYMARKET, market_id=TOKEN))
    rig.exchange.feed(polymarket_quote([], [("0.50", "9")]))
    await rig.accept("a", platform=POLYMARKET, market_id=OTHER_TOKEN, price="0.40")
    await rig.exchange.close()
    again = Rig(rig.path)
    again.exchange.feed(polymarket_quote([("0.55", "9")], [], is_opposite=True))
    answer = await again.accept("b", platform=POLYMARKET, market_id=TOKEN, price="0.45", size="9")
    assert prices_of(answer) == [(micro("0.45"), micro("9"))]
    await again.exchange.close()


async def test_a_settled_token_settles_the_condition_that_names_it_later(rig: Rig) -> None:
    """A settlement of a token never quoted closes the market that a later quote makes of it."""
    rig.exchange.settle(settlement(YES, platform=POLYMARKET, market_id=OTHER_TOKEN))
    rig.exchange.feed(polymarket_quote([], [("0.50", "9")]))
    for name, token in (("a", TOKEN), ("b", OTHER_TOKEN)):
        code = await rig.refuse(name, platform=POLYMARKET, market_id=token)
        assert code == "market_inactive"
    await rig.exchange.close()


async def test_a_quote_cannot_move_a_token_from_its_condition(rig: Rig) -> None:
    """A token that another market names stays there, whatever a later quote calls opposite."""
    rig.exchange.feed(polymarket_quote([], [("0.50", "9")]))
    for other, token, opposite in (("0xdd", "333", OTHER_TOKEN), ("0xee", "444", TOKEN)):
        rig.exchange.feed(
            make_quote(
                [("0.9", "9")],
                [],
                platform=POLYMARKET,
                market_id=token,
                condition_id=other,
                opposite_token_id=opposite,
            )
        )
    answer = await rig.accept("a", platform=POLYMARKET, market_id=OTHER_TOKEN, price="0.60")
    assert answer.fills == ()
    assert rig.rows("SELECT market_key, no_id FROM markets ORDER BY 1") == [
        (CONDITION, OTHER_TOKEN),
        ("0xdd", None),
        ("0xee", None),
    ]
    await rig.exchange.close()


async def test_tick_and_lot_are_the_newest_quotes_word(rig: Rig) -> None:
    """They hold until a quote says otherwise; one that says nothing of them changes nothing."""
    rig.exchange.feed(make_quote([], [], tick="0.001", lot="0.01"))
    assert (await rig.accept("c", price="0.505", size="0.5")).closed == "cancelled"
    rig.exchange.feed(make_quote([], [], tick="0.01", lot="1"))
    rig.exchange.feed(make_quote([], []))
    assert await rig.refuse("a", price="0.505") == "invalid_price"
    assert await rig.refuse("b", size="0.5") == "invalid_order_size"
    await rig.exchange.close()
