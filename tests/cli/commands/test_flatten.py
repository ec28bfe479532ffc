"""`arbees flatten`: what became of what was held, and a code that says whether any is left."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from arbees.cli.main import main
from arbees.interface.views import Receipt, ReceiptClose, ReceiptLeft
from tests.api.fake import receipt
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]


def closed(*left: ReceiptLeft) -> Receipt:
    """Return the receipt of a flattening that is through."""
    close = ReceiptClose(
        request_id="receipt-1-1",
        platform="Kalshi",
        market_id="NBA-BOS",
        side="Yes",
        quantity=Decimal(30),
        limit_price=Decimal("0.49"),
        status="Filled",
        filled_qty=Decimal(30),
        code=None,
        message=None,
    )
    return replace(receipt(), kind="flatten", complete=True, closing=(close,), left=left)


def left(reason: str, code: str | None = None) -> ReceiptLeft:
    """Return what could not be closed."""
    return ReceiptLeft(
        platform="Kalshi",
        market_id="NBA-LAL",
        side="No",
        quantity=Decimal(5),
        reason=reason,
        code=code,
    )


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ((), 0),
        ((left("nobody bids for it"),), 1),
        ((left("too many", "RATE_LIMIT_MINUTE"), left("nobody bids for it")), 3),
        ((left("halted by ann", "HALTED"), left("nobody bids for it")), 4),
    ],
)
def test_the_code_says_whether_any_is_left(
    served: Served, capsys: Capture, rest: tuple[ReceiptLeft, ...], code: int
) -> None:
    """Nothing, something, something denied, something halted; each is named."""
    served.gateway.receipts["receipt-1"] = closed(*rest)
    assert main(["flatten", "--reason", "a test", "--max-slippage", "0.02"]) == code
    said = capsys.readouterr()
    assert "NBA-BOS" in said.out
    assert all(each.reason in said.out for each in rest)
    assert ("kill reduce --acknowledge" in said.err) is (code == 4)


def test_an_order_that_works_still_is_6(served: Served, capsys: Capture) -> None:
    """What is not known to have ended is told as such."""
    (order,) = receipt().cancelled
    working = replace(order, status="UNKNOWN")
    served.gateway.receipts["receipt-1"] = replace(closed(), in_flight=(working,))
    assert main(["flatten"]) == 6
    assert "1 order still works at Kalshi" in capsys.readouterr().err


def test_without_a_gateway(nobody: str) -> None:
    """Nothing is closed, and the code says that nobody heard."""
    assert main(["flatten"]) == 69
