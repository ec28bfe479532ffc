"""Recorded answers of Kalshi's, against those of the simulated exchange to the same calls.

Guarantees that keys, kinds of values, decimals, words of errors and statuses are the same, and that
what is not has a reason written down here. Amounts of a trade are the same to the last decimal.

Source: recorded on Kalshi's demo environment on 2026-06-11.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.rehearsal.kalshi.server import KalshiServer
from tools.conformity.caller import ORDERS, ROOT, Answer, Caller

FILE = "kalshi_wire_samples.json"
MARKET = "KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP"
BOOK = Quote(
    ts_ns=0,
    platform=Platform.KALSHI,
    market_id=MARKET,
    bids=((470_000, 3 * MICRO),),
    asks=((520_000, 3 * MICRO),),
)
"""As recorded: three contracts bid at $0.47, three for No at $0.48."""
SAME = frozenset(
    {
        "average_fee_paid",
        "average_fill_price",
        "code",
        "details",
        "fill_count",
        "message",
        "no_dollars",
        "reduced_by",
        "remaining_count",
        "yes_dollars",
    }
)
"""Fields whose values are compared as well, not their shape alone."""
GONE = {
    "service": "removed by Kalshi on 2026-08-06",
    "resting_orders_count": "removed by Kalshi on 2026-07-09",
}
NEW = {
    "cancel_order_on_pause": "in the document of 3.34, not recorded in June",
    "client_order_id": "of a cancel: in the document of 3.34, not recorded in June",
    "exchange_index": "shards are newer than the records",
    "exchange_index_statuses": "shards are newer than the records",
}
SHUT = "shut off by Kalshi after the records: 410 deprecated_v1_order_endpoint"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}")
_DECIMAL = re.compile(r"-?\d+\.(\d+)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

Ask = Callable[[], Awaitable[Answer]]


class Sample(msgspec.Struct, frozen=True):
    """One recorded call and its answer."""

    case: str
    method: str
    path: str
    status: int
    request_body: dict[str, Any] | None
    response_body: Any


class Samples(msgspec.Struct, frozen=True):
    """The file."""

    samples: tuple[Sample, ...]


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """Read the recorded answers. Raises OSError."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Samples).samples


class Again:
    """Makes the recorded calls once more, at the simulated exchange."""

    def __init__(self, caller: Caller, server: KalshiServer) -> None:
        """Call as somebody."""
        self._caller = caller
        self._server = server
        self._orders: dict[str, str] = {}
        """Ids of ours by those recorded."""
        self.compared = 0
        self.excepted: dict[str, str] = {}
        """What differs as it should: a case or a field, and why."""

    async def compare(self, samples: tuple[Sample, ...]) -> list[str]:
        """Return what differs without a reason."""
        self._server.show(BOOK, shard=0)
        found: list[str] = []
        for sample in sorted(samples, key=_when):
            answer = await self._ask(sample)
            self.compared += 1
            if "legacy" in sample.case:
                self.excepted[sample.case] = SHUT
                if answer.status != 410:
                    found.append(f"{sample.case}: Expected 410, was {answer.status}")
                continue
            if answer.status != sample.status:
                found.append(f"{sample.case}: Expected {sample.status}, was {answer.status}")
            found += [
                f"{sample.case}: {each}"
                for each in self._differences("", sample.response_body, answer.body)
            ]
        return found

    async def _ask(self, sample: Sample) -> Answer:
        path, _, query = sample.path.removeprefix(ROOT).partition("?")
        for recorded, ours in self._orders.items():
            path = path.replace(recorded, ours)
        asked = dict(each.split("=") for each in query.split("&") if each)
        headers = self._headers(sample, path)
        if sample.case == "cleanup__stp_resting":
            rests = await self._caller.create(MARKET)
            path = f"{ORDERS}/{rests.body['order_id']}"
        answer = await self._caller.call(
            sample.method, path, sample.request_body, query=asked, headers=headers
        )
        if sample.method == "POST" and sample.status == 201 and answer.status == 201:
            self._orders[sample.response_body["order_id"]] = answer.body["order_id"]
        return answer

    def _headers(self, sample: Sample, path: str) -> dict[str, str] | None:
        """Return headers for the cases about them; None = a good signature of now."""
        signed = self._caller.signed
        method, path = sample.method, ROOT + path
        late = {"minus30s": 30.0, "minus5min": 300.0, "minus5s": 5.0, "plus5min": -300.0}
        word = sample.case.rpartition("_")[2]
        if word in late:
            return signed(method, path, late_seconds=late[word])
        if sample.case == "auth__bad_signature":
            return signed("PUT", path)
        if sample.case == "auth__missing_signature_header":
            made = signed(method, path)
            del made["KALSHI-ACCESS-SIGNATURE"]
            return made
        return None

    def _differences(self, name: str, recorded: object, said: object) -> Iterator[str]:
        if isinstance(recorded, dict) and isinstance(said, dict):
            yield from self._keys(recorded, said)
            for each in sorted(recorded.keys() & said.keys()):
                yield from self._differences(each, recorded[each], said[each])
        elif name in SAME:
            if recorded != said:
                yield f"{name}: Expected {recorded}, was {said}"
        elif isinstance(recorded, list) and isinstance(said, list):
            if recorded and not said:
                yield f"{name}: Expected some, there are none"
            elif recorded:
                yield from self._differences(name, recorded[0], said[0])
        elif kind(recorded) != kind(said):
            yield f"{name}: Expected {kind(recorded)}, was {kind(said)} ({said!r})"

    def _keys(self, recorded: dict[str, Any], said: dict[str, Any]) -> Iterator[str]:
        for names, excepted, word in (
            (recorded.keys() - said.keys(), GONE, "missing"),
            (said.keys() - recorded.keys(), NEW, "not recorded"),
        ):
            for name in sorted(names):
                if name in excepted:
                    self.excepted[name] = excepted[name]
                else:
                    yield f"{name} is {word}"


def kind(value: object) -> str:
    """Return the shape of a value: its type, and for text its form."""
    if not isinstance(value, str):
        return type(value).__name__
    decimal = _DECIMAL.fullmatch(value)
    if decimal is not None:
        return f"text with {len(decimal[1])} decimals"
    if _TIME.fullmatch(value):
        return "time"
    return "id" if _UUID.fullmatch(value) else "text"


def _when(sample: Sample) -> int:
    """Return the place in the order in which the recorded calls make sense."""
    order = (
        "orders__create_v2_maker",
        "orders__duplicate_client_order_id",
        "orders__get_after_create",
        "orders__cancel_v2",
        "orders__get_after_cancel",
        "orders__cancel_already_canceled",
        "orders__settlement_seed",
        "fills__after_taker",
        "portfolio__positions",
    )
    return order.index(sample.case) if sample.case in order else -1
