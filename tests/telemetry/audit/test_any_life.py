"""What holds for any journal: one request, one result, the same lines from anywhere."""

import json
import re
from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.orders import result
from arbees.telemetry.audit.line import encode
from arbees.telemetry.audit.projection import Projector, lines_of
from arbees.telemetry.audit.proof import export
from tests.telemetry.evenings import Evening

SEEDS = st.integers(0, 10**9)
FIELDS = [
    *("timestamp", "event_type", "service", "request_id", "idempotency_key", "platform"),
    *("market_id", "side", "price", "size", "status", "order_id", "rejection_reason"),
    *("latency_ms", "metadata"),
]


@given(SEEDS, st.integers(1, 12))
def test_one_request_one_result(seed: int, requests: int) -> None:
    """Each decision has one ExecutionRequested and one final line that corrects nothing."""
    evening = Evening(seed, requests)
    lines = list(export(evening.lives))
    requested = Counter(ln.request_id for ln in lines if ln.event_type == "ExecutionRequested")
    final = Counter(
        line.request_id for line in lines if line.is_final and "corrects" not in line.metadata
    )
    assert requested == final
    assert requested.total() == evening.decisions + evening.duplicates
    assert len(requested) == evening.decisions


@given(SEEDS, st.integers(1, 8))
def test_corrections_name_a_line_of_their_request(seed: int, requests: int) -> None:
    """What a correction corrects is the sequence of an earlier line of the same request."""
    lines = list(export(Evening(seed, requests).lives))
    for line in lines:
        if (corrects := line.metadata.get("corrects")) is not None:
            assert any(
                (each.sequence, each.request_id) == (corrects, line.request_id) for each in lines
            )
            assert corrects < line.sequence


@given(SEEDS, st.integers(1, 8))
def test_lines_are_the_same_from_anywhere(seed: int, requests: int) -> None:
    """Begun at any record, with nothing remembered, the projection gives the same lines."""
    lives = Evening(seed, requests).lives
    whole = list(export(lives))
    middle = len(lives.stored) // 2
    projector = Projector(lives)
    later = [line for stored in lives.records(middle) for line in projector.lines(stored)]
    assert later == [line for line in whole if line.sequence > middle]
    for stored in lives.stored:
        alone = lines_of(stored, lives.records_of(stored.request_id or ""))
        assert alone == [line for line in whole if line.sequence == stored.sequence]


@given(SEEDS)
def test_lines_have_the_requirements_shape(seed: int) -> None:
    """Each line is one JSON object with exactly the fields asked for and exact short numbers."""
    for line in export(Evening(seed, 5).lives):
        text = encode(line).decode()
        assert text.count("\n") == 1
        value = json.loads(text)
        assert list(value) == FIELDS
        assert value["service"] == "execution_service"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value["timestamp"])
        numbers = re.findall(r":(-?\d+\.\d+)[,}]", text)
        assert all(re.fullmatch(r"-?\d+\.\d{1,6}", number) for number in numbers)
        assert not re.search(r":-?[\d.]+[eE]", text)


@given(SEEDS, st.integers(1, 8))
def test_final_lines_say_what_the_result_says(seed: int, requests: int) -> None:
    """The final line of a request and the result that its caller gets agree in every field."""
    lives = Evening(seed, requests).lives
    for line in export(lives):
        if not line.is_final or "corrects" in line.metadata:
            continue
        records = [
            (each.sequence, each.time_ns, events.decode(each.body))
            for each in lives.records_of(line.request_id)
            if each.sequence <= line.sequence
        ]
        event = records[-1][2]
        if isinstance(event, events.DuplicateRefused):
            told = result.refusal(event, line.sequence, records[-1][1])
        else:
            life = result.fold(records)
            assert life is not None
            told = life.result()
        written = json.loads(encode(line), parse_float=Decimal)
        assert told.final
        assert written["status"] == told.status
        assert written["price"] == told.avg_price
        assert written["size"] == told.filled_qty
        assert written["latency_ms"] == told.latency_ms
        assert written["metadata"]["fees"] == told.fees
        assert written["metadata"]["requested_price"] == told.limit_price
        assert written["metadata"]["requested_size"] == told.requested_size
        assert written["metadata"]["code"] == told.code
        for name in ("rejection_reason", "order_id", "platform", "market_id", "side"):
            assert written[name] == getattr(told, name)
