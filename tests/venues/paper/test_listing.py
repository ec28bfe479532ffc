"""One book a market, however its outcomes are named."""

from tests.venues.paper.rig import (
    NO,
    OTHER_TOKEN,
    POLYMARKET,
    TOKEN,
    YES,
    Rig,
    micro,
    polymarket_quote,
    prices_of,
    settlement,
)


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
