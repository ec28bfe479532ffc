"""The lookup tables equal a slow, obvious fold, whatever the batches and restarts."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbees.core.ports import IndexRow, KeyRow, OrderRow, RequestRow, SignalRow
from arbees.journal import verify
from tests.journal.samples import entry, implied, open_journal

ROWS: st.SearchStrategy[IndexRow] = st.one_of(
    st.builds(
        KeyRow,
        st.sampled_from("abc"),
        st.sampled_from("rs"),
        st.integers(1, 3),
        st.just("f"),
        st.sampled_from(["open", "spent"]),
        st.integers(0, 9),
    ),
    st.builds(RequestRow, st.sampled_from("rs"), st.sampled_from("abc")),
    st.builds(
        SignalRow,
        st.just("s"),
        st.just("M"),
        st.sampled_from(["Yes", "No"]),
        st.just("Buy"),
        st.sampled_from("abc"),
        st.sampled_from(["open", "spent"]),
    ),
    st.builds(
        OrderRow, st.sampled_from("op"), st.just("r"), st.just("K"), st.none() | st.just("v")
    ),
)
STEPS = st.lists(st.lists(st.lists(ROWS, max_size=4), max_size=4) | st.just("reopen"), max_size=8)


@settings(max_examples=40)
@given(steps=STEPS)
def test_tables_equal_a_slow_fold(
    steps: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is appended, in whatever batches and restarts, every lookup equals a plain fold."""
    path = tmp_path_factory.mktemp("fold") / "j.db"
    keys: dict[str, KeyRow] = {}
    requests: dict[str, RequestRow] = {}
    orders: dict[str, OrderRow] = {}
    signals: dict[tuple[str, ...], SignalRow] = {}
    number = 0
    journal = open_journal(path)
    for step in steps:
        if step == "reopen":
            journal.close()
            journal = open_journal(path)
            continue
        batch = []
        for rows in step:
            number += 1
            batch.append(entry(number, tuple(rows)))
            for row in rows:
                if isinstance(row, KeyRow):
                    keys[row.idempotency_key] = row
                elif isinstance(row, RequestRow):
                    requests.setdefault(row.request_id, row)
                elif isinstance(row, SignalRow):
                    signals[row.side, row.idempotency_key] = row
                else:
                    known = orders.get(row.client_order_id)
                    theirs = row.venue_order_id or (known and known.venue_order_id)
                    orders[row.client_order_id] = msgspec.structs.replace(
                        row, venue_order_id=theirs
                    )
        journal.append(batch)
    assert journal.head.sequence == number + 1
    assert {key: journal.key(key) for key in "abc"} == {key: keys.get(key) for key in "abc"}
    assert {key: journal.request(key) for key in "rs"} == {k: requests.get(k) for k in "rs"}
    assert {key: journal.order(key) for key in "op"} == {key: orders.get(key) for key in "op"}
    for side in ("Yes", "No"):
        expected = [signals[one] for one in sorted(signals) if one[0] == side]
        assert list(journal.signals("s", "M", side, "Buy")) == expected
    journal.close()
    report = verify(path, index_of=implied)
    assert (report.findings, report.is_index_proved) == ((), True)
