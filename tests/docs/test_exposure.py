"""The worked examples on the page about exposure are what the core computes."""

import re
from pathlib import Path

import pytest

from arbees.core.book.market import Listing, Market, OutcomeHolding
from arbees.core.book.open_order import Order, losses
from arbees.core.book.worst_case import worst_ahead
from arbees.core.language.units import format_micro, parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "exposure.md"
HELD = re.compile(r"(\d+) (Yes|No) for \$([\d.]+)")
OPEN = re.compile(r"(Buy|Sell) (\d+) (Yes|No) at ([\d.]+)")


def rows_of(title: str) -> list[list[str]]:
    """Return the cells of the table below a title."""
    section = PAGE.read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def market_of(held: str, *, is_netting: bool) -> Market:
    """Return a market in which this is held."""
    holdings = {side: OutcomeHolding() for side in Side}
    found = HELD.findall(held)
    assert found or held == "nothing"
    for quantity, side, cost in found:
        holdings[Side(side)] = OutcomeHolding(parse_micro(quantity), parse_micro(cost))
    listing = Listing(platform="Kalshi", market_id="m", market_key="m", is_netting=is_netting)
    return Market(
        listing=listing,
        sport="NBA",
        game_id="g",
        yes=holdings[Side.YES],
        no=holdings[Side.NO],
        orders=[],
    )


def orders_of(text: str, market: Market) -> dict[str, Order]:
    """Return the open orders that a cell names, and count them in the market."""
    found = OPEN.findall(text)
    assert found or text == "none"
    orders: dict[str, Order] = {}
    for action, quantity, side, price in found:
        name = f"arb-{len(orders)}"
        orders[name] = Order(
            client_order_id=name,
            request_id=name,
            idempotency_key=name,
            attempt=1,
            fingerprint="",
            leg=0,
            platform=Platform.KALSHI,
            market_id="m",
            market_key="m",
            side=Side(side),
            action=Action(action),
            quantity=parse_micro(quantity),
            limit_price=parse_micro(price),
            time_in_force=TimeInForce.GTC,
            created_ns=0,
            strategy="s",
            sport="NBA",
        )
        order = orders[name]
        loss_yes, loss_no = losses(order.side, order.action, order.quantity, order.limit_price)
        market.loss_yes += loss_yes
        market.loss_no += loss_no
        market.orders.append(name)
    return orders


TABLES = [("Kalshi: one signed position", True), ("Polymarket: two tokens", False)]


@pytest.mark.parametrize(("title", "is_netting"), TABLES)
def test_examples(title: str, is_netting: bool) -> None:
    """Every row says what the formula and the bound say of what is held and open in it."""
    rows = rows_of(title)
    assert len(rows) >= 6
    for held, text, *said in rows:
        market = market_of(held, is_netting=is_netting)
        orders = orders_of(text, market)
        cost = market.yes.cost + market.no.cost
        found = (
            cost - market.yes.quantity + market.loss_yes,
            cost - market.no.quantity + market.loss_no,
            market.worst_case(),
            worst_ahead(market, orders),
        )
        assert said == [format_micro(value) for value in found], (held, text)


def test_the_page_shows_where_the_two_differ() -> None:
    """One example of each venue has a bound above the formula."""
    for title, _ in TABLES:
        differing = [row for row in rows_of(title) if row[-1] != row[-2]]
        assert len(differing) == 1
        assert parse_micro(differing[0][-1]) > parse_micro(differing[0][-2])
