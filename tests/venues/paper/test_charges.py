"""Fees of both venues as the balance pays them."""

from tests.venues.paper.rig import POLYMARKET, TOKEN, Rig, make_quote, micro, polymarket_quote


async def test_fees_of_kalshi_are_rounded_over_the_order(rig: Rig) -> None:
    """Levels of an order share one rounding up to $0.0001, whatever their number."""
    rig.exchange.feed(make_quote([], [("0.52", "0.01"), ("0.53", "0.01"), ("0.54", "0.98")]))
    answer = await rig.accept("a", size="1", price="0.54")
    exact = [7 * 52 * 48, 7 * 53 * 47, 7 * 54 * 46 * 98]
    micros = [-(-number // 100) for number in exact[:2]] + [-(-exact[2] // 100)]
    total = -(-sum(micros) // 100) * 100
    assert sum(fill.fee for fill in answer.fills) == total
    assert [fill.fee for fill in answer.fills][:2] == [200, 200]
    await rig.exchange.close()


async def test_recorded_single_fee_of_each_venue(rig: Rig) -> None:
    """1 at 0.52 pays $0.0175 on Kalshi (recorded), $0.01248 on Polymarket (formula)."""
    rig.exchange.feed(make_quote([], [("0.52", "9")]))
    rig.exchange.feed(polymarket_quote([], [("0.52", "9")]))
    kalshi = await rig.accept("a", size="1", price="0.52")
    poly = await rig.accept("b", platform=POLYMARKET, market_id=TOKEN, size="1", price="0.52")
    assert [fill.fee for fill in kalshi.fills] == [micro("0.0175")]
    assert [fill.fee for fill in poly.fills] == [micro("0.01248")]
    await rig.exchange.close()
