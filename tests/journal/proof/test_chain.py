"""The chain: what the hash covers, and what is found when a record does not follow."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.journal.proof.chain import (
    GENESIS,
    Chain,
    Row,
    record_hash,
    snapshot_hash,
)

NUMBERS = st.integers(0, 2**62)
FIELDS = st.tuples(
    st.binary(min_size=32, max_size=32),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.binary(max_size=16),
)


def row(sequence: int, previous: bytes, **changes: object) -> Row:
    """Return a record that follows, or one that is changed after it was hashed."""
    wanted = {"time_ns": 100 + sequence, "epoch": 1, "kind": "Noted", "request_id": None}
    values: dict[str, Any] = {**wanted, "body": b"{}"}
    digest = record_hash(
        previous,
        sequence,
        values["time_ns"],
        values["epoch"],
        values["kind"],
        values["request_id"],
        values["body"],
    )
    values |= changes
    return (
        sequence,
        values["time_ns"],
        values["epoch"],
        values["kind"],
        values["request_id"],
        values.get("hash", digest),
        values["body"],
    )


def test_hash_never_changes() -> None:
    """Old journals verify for ever: the hash of a known record is the one written down here."""
    digest = record_hash(
        GENESIS, 1, 1_767_225_600_000_000_000, 1, "Bound", None, b'{"type":"Bound"}'
    )
    assert digest.hex() == "091fae5b6914e1674e8e8b4a9d95ce2842e31e659e96e1517ff4f91bb4ef5185"
    assert (
        snapshot_hash(digest, 1, "1", b"book").hex()
        == "f20f8d46116cdc9ae4b8dd00fe216e38d8e64a55db8903dc96d7497f79d03637"
    )


@given(FIELDS, FIELDS)
def test_different_records_have_different_hashes(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    """Two records share a hash only if every column and the previous hash are equal."""
    assert (record_hash(*one) == record_hash(*other)) == (one == other)


@given(st.text(max_size=6), st.text(max_size=6), st.binary(max_size=6))
def test_text_cannot_move_between_columns(kind: str, owner: str, body: bytes) -> None:
    """Moving bytes from one column to the next changes the hash."""
    together = record_hash(GENESIS, 1, 1, 1, kind + owner, None, body)
    assert together != record_hash(GENESIS, 1, 1, 1, kind, owner, body)


def test_no_request_is_not_an_empty_one() -> None:
    """A record of no request differs from one of the request with the empty id."""
    assert record_hash(GENESIS, 1, 1, 1, "K", None, b"") != record_hash(
        GENESIS, 1, 1, 1, "K", "", b""
    )


def test_a_snapshot_is_bound_to_its_record() -> None:
    """The same book at another record has another hash."""
    assert snapshot_hash(b"a" * 32, 1, "v", b"book") != snapshot_hash(b"b" * 32, 1, "v", b"book")


def test_records_that_follow_say_nothing() -> None:
    """A whole chain has no break, and the chain ends at its last record."""
    chain = Chain()
    for sequence in range(1, 6):
        record = row(sequence, chain.last)
        assert list(chain.follow(record)) == []
    assert (chain.sequence, chain.time_ns, chain.epoch) == (5, 105, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body": b"{} "}, "CHAIN_BROKEN"),
        ({"kind": "Other"}, "CHAIN_BROKEN"),
        ({"request_id": "r"}, "CHAIN_BROKEN"),
        ({"hash": b"x" * 32}, "CHAIN_BROKEN"),
        ({"time_ns": 103}, "CHAIN_BROKEN"),
        ({"epoch": 2}, "CHAIN_BROKEN"),
    ],
)
def test_a_changed_column_is_found(changes: dict[str, Any], code: str) -> None:
    """Whatever column of a record is changed, that record is named."""
    chain = Chain()
    assert not list(chain.follow(row(1, GENESIS)))
    found = list(chain.follow(row(2, chain.last, **changes)))
    assert [(one.code, one.sequence) for one in found] == [(code, 2)]


def test_a_missing_record_is_named() -> None:
    """The first number that is missing is the one that is named."""
    chain = Chain()
    assert not list(chain.follow(row(1, GENESIS)))
    found = list(chain.follow(row(4, chain.last)))
    assert [(one.code, one.sequence) for one in found] == [("SEQUENCE_GAP", 2)]


def test_time_and_epoch_never_run_backwards() -> None:
    """A record older than the one before it, or of a deposed writer, is found."""
    chain = Chain(1, b"h" * 32, time_ns=1_000, epoch=7)
    found = [one.code for one in chain.follow(row(2, b"h" * 32))]
    assert found == ["TIME_BACKWARDS", "EPOCH_BACKWARDS"]
