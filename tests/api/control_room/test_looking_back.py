"""What happened, on the page: searches, what explains a request, and who may ask."""

from decimal import Decimal

import pytest

from arbees.api.control_room.looking_back import ROWS, amount, changes_of
from arbees.core.deciding import commands
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import KeyScope
from arbees.core.orders.result import fold
from arbees.interface.history import HistoryQuery
from arbees.interface.views import Execution
from arbees.runtime.looking.reads import view
from arbees.settings import load
from tests.api.control_room.reader import enter, text_of
from tests.api.fake import FakeGateway, Wire
from tests.api.fake_follower import FakeFollower
from tests.core.scene import MICRO, Says, Scene
from tests.safeguards.build import NOW, request

pytestmark = pytest.mark.anyio
PARTS = ("requests", "request?id=r-1", "fills", "pnl", "quality", "settings")


def decide(gateway: FakeGateway, strategy: str | None = None) -> None:
    """Let a gateway know a denial with a verdict of each kind, r-1."""
    says = Says(
        "says",
        Pass("MAX_ORDER_SIZE", 6_500_000, 100 * MICRO, 93_500_000),
        Skipped("EXPIRED", "no <b>expires_at</b>"),
        Deny("RATE_LIMIT_MINUTE", 20, 20, NOW),
        Pass("HALTED"),
    )
    scene = Scene(says)
    scene.do(commands.Submit(request=request(strategy=strategy), received_ns=NOW))
    life = fold(scene.life("r-1"))
    assert life is not None
    records = tuple(view(each) for each in scene.life("r-1"))
    gateway.known["r-1"] = Execution(result=life.result(), events=records)


async def test_a_request_is_explained(wire: Wire, gateway: FakeGateway) -> None:
    """Each verdict with its figures, what did not apply and why, each record; all as text."""
    decide(gateway)
    answer = await wire.ask("GET", "/room/request?id=r-1")
    said = text_of(answer)
    assert "RATE_LIMIT_MINUTE deny 20 20 2026-" in said
    assert "MAX_ORDER_SIZE pass $6.50 $100.00 $93.50" in said
    assert "Also passed: HALTED" in said
    assert "Not applicable: EXPIRED (no &lt;b&gt;expires_at&lt;/b&gt;)" in said
    assert said.index("RATE_LIMIT_MINUTE deny") < said.index("MAX_ORDER_SIZE pass")
    assert "RequestDenied" in said


async def test_a_request_is_found_by_its_key_too(wire: Wire, gateway: FakeGateway) -> None:
    """Whichever of the two names somebody has; of neither it says so."""
    decide(gateway)
    key = gateway.known["r-1"].result.idempotency_key
    for name in ("r-1", key):
        answer = await wire.ask("GET", f"/room/requests?text=+{name}+&status=&strategy=")
        assert 'data-explain="r-1"' in answer.body.decode()
    for path in ("requests?text=nobody", "request?id=nobody", "request?id=", "request"):
        said = text_of(await wire.ask("GET", f"/room/{path}"))
        assert said.startswith("Not shown:"), path


async def test_what_is_searched_reaches_the_history(wire: Wire, follower: FakeFollower) -> None:
    """A form sends empty fields along: they ask for nothing."""
    await wire.ask("GET", "/room/requests?text=&status=Filled&strategy=alpha&market=M&cursor=9")
    await wire.ask("GET", "/room/fills?cursor=7")
    answer = await wire.ask("GET", "/room/pnl?by=market")
    wanted = HistoryQuery(status="Filled", strategy="alpha", market="M", cursor=9, limit=ROWS)
    fills = HistoryQuery(cursor=7, limit=ROWS)
    assert follower.queries == [wanted, fills, ("market", None, None)]
    assert text_of(answer) == "None"
    older = await wire.ask("GET", "/room/fills")
    assert 'data-older="7"' in older.body.decode()


@pytest.mark.parametrize(
    "path", ["requests?status=<i>", "requests?strategy=%01", "pnl?by=luck", "fills?cursor=x"]
)
async def test_what_cannot_be_searched_is_said(wire: Wire, path: str) -> None:
    """In the words of the API, as text."""
    answer = await wire.ask("GET", f"/room/{path}")
    assert answer.status == 200
    assert text_of(answer).startswith("Not shown: ")
    assert "<i>" not in answer.body.decode()


async def test_the_quality_of_the_day(wire: Wire, follower: FakeFollower) -> None:
    """Counts, stages and codes as the API answers them, by what was asked for."""
    said = text_of(await wire.ask("GET", "/room/quality?by=venue"))
    answer = (await wire.ask("GET", "/v1/quality?by=venue")).json
    assert follower.asked[0] == (None, "venue")
    total = answer["total"]
    assert f"All {total['requests']} {total['denied']} {total['approved']}" in said
    for each in total["codes"]:
        assert f"{each['code']} {each['count']}" in said
    for each in answer["groups"]:
        assert f"{each['name']} {each['requests']} {each['denied']}" in said
    stages = [each for each in total["latency"] if each["count"]]
    assert stages
    for each in stages:
        assert f"{each['stage'].replace('_', ' ')} {each['count']} {each['p50_ms']}" in said


def test_settings_that_differ() -> None:
    """Only those: a default that is written in another way is none, one that is emptied is."""
    sheets = load({"MAX_ORDER_SIZE": "25", "MAX_DAILY_LOSS": "500"}).sheets()
    found = changes_of([{"name": name, "settings": each} for name, each in sheets.items()])
    assert found == [("order_size", "MAX_ORDER_SIZE", "25", "100")]
    found = changes_of([{"name": "price_reference", "settings": {"EDGE_POLICY": ""}}])
    assert found == [("price_reference", "EDGE_POLICY", "", "warn")]


async def test_an_unknown_parameter_is_malformed(wire: Wire) -> None:
    """As everywhere."""
    assert (await wire.ask("GET", "/room/requests?limit=9")).status == 400


async def test_a_reader_is_needed(wire: Wire, gateway: FakeGateway) -> None:
    """Without a session nothing is told, and a session tells no more than its key may see."""
    decide(gateway, "theirs")
    bound = gateway.hold("own", KeyScope.READ, strategy="own")
    blind = gateway.hold("blind", KeyScope.HALT)
    for path in PARTS:
        assert (await wire.ask("GET", f"/room/{path}")).status == 401
    headers, _ = await enter(wire, bound)
    said = text_of(await wire.ask("GET", "/room/request?id=r-1", headers=headers))
    assert said == "Not shown: No execution with request_id r-1 is known"
    headers, _ = await enter(wire, blind)
    for path in PARTS:
        said = text_of(await wire.ask("GET", f"/room/{path}", headers=headers))
        assert said.startswith("Not shown: Expected a key with the scope read")


async def test_what_is_renewed_reads_no_history(wire: Wire, follower: FakeFollower) -> None:
    """Every second of every reader: it may not cost a walk through the journal."""
    assert (await wire.ask("GET", "/room/now")).status == 200
    assert (await wire.ask("GET", "/")).status == 200
    assert follower.queries == []


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (None, "MAX_ORDER_SIZE", ""),
        (Decimal("-1.5"), "MAX_ORDER_SIZE", "-$1.50"),
        (Decimal("2.5"), "QUOTE_STALE", "2.5 s"),
        (Decimal(3), "MAX_OPEN_ORDERS", "3"),
        ("[0.05, 0.95]", "PRICE_OUT_OF_RANGE", "[0.05, 0.95]"),
        (Decimal(3), "NO_SUCH_CODE", "3"),
    ],
)
def test_figures_of_verdicts(value: object, code: str, shown: str) -> None:
    """In the unit of their code."""
    assert amount(value, code) == shown
