"""Fees of both venues as the balance pays them."""

from tests.venues.paper.rig import POLYMARKET, SELL, TOKEN, Rig, make_quote, micro, polymarket_quote


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


async def test_fees_of_polymarket_are_rounded_fill_by_fill(rig: Rig) -> None:
    """Each match is rounded up to five decimals on its own."""
    rig.exchange.feed(polymarket_quote([], [("0.52", "0.01"), ("0.53", "0.03"), ("0.54", "2")]))
    answer = await rig.accept("a", platform=POLYMARKET, market_id=TOKEN, size="2.04", price="0.54")
    assert [fill.fee for fill in answer.fills] == [130, 380, 24_840]
    await rig.exchange.close()


async def test_no_fee_is_ever_negative(rig: Rig) -> None:
    """A later fill of an order may be free because an earlier one paid the step, never less."""
    levels = [(f"0.0{price}", "0.01") for price in range(1, 10)]
    rig.exchange.feed(make_quote([], levels))
    answer = await rig.accept("a", size="0.09", price="0.09")
    fees = [fill.fee for fill in answer.fills]
    assert fees == [100, 0, 0, 0, 100, 0, 0, 100, 0]
    await rig.exchange.close()


async def test_cash_is_rounded_against_the_account(rig: Rig) -> None:
    """Where price times quantity is no whole micro-dollar, a Buy pays up and a Sell gets down."""
    rig.exchange.feed(
        make_quote([("0.333333", "1")], [("0.333334", "1")], tick="0.000001", lot="0.01")
    )
    before = await rig.available()
    bought = await rig.accept("a", size="0.01", price="0.333334")
    paid = before - await rig.available()
    assert paid == 3_334 + bought.fills[0].fee
    before = await rig.available()
    sold = await rig.accept("b", action=SELL, size="0.01", price="0.333333")
    assert await rig.available() - before == 3_333 - sold.fills[0].fee
    await rig.exchange.close()
