"""Who may open what, and what the check in the background finds afterwards."""

from pathlib import Path

import pytest

from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal.opening import TAIL_RECORDS
from tests.journal.samples import START_NS, entry, fill, implied, open_journal, tamper


@pytest.mark.parametrize(
    ("account", "environment", "mode"),
    [("other", "test", "paper"), ("main", "prod", "paper"), ("main", "test", "live")],
)
def test_another_binding_is_refused(
    tmp_path: Path, account: str, environment: str, mode: str
) -> None:
    """A journal of another account, environment or mode refuses, names both, is not touched."""
    path = tmp_path / "j.db"
    fill(path, 1)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError) as caught:
        open_journal(path, account=account, environment=environment, mode=mode)
    assert "account main, environment test, mode paper" in str(caught.value)
    assert f"account {account}, environment {environment}, mode {mode}" in str(caught.value)
    assert path.read_bytes() == before
    open_journal(path).close()


def test_a_missing_journal_is_only_made_when_asked(tmp_path: Path) -> None:
    """Without `create` a missing journal is refused and nothing is left behind."""
    with pytest.raises(JournalUnavailable, match="no such file"):
        open_journal(tmp_path / "j.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_the_future_is_refused(tmp_path: Path) -> None:
    """A clock more than two seconds behind the newest record refuses; two seconds pass."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        journal.append([entry(1, time_ns=START_NS + 2_000_000_001)])
    with pytest.raises(ConfigurationError, match="clock"):
        open_journal(path)
    open_journal(path, now_ns=START_NS + 1).close()


def test_verify_rest_says_how_far_it_is(tmp_path: Path) -> None:
    """A whole journal is followed to its head while it is open."""
    with open_journal(tmp_path / "j.db") as journal:
        journal.append([entry(number) for number in range(1, 5001)])
        steps = list(journal.verify_rest(implied))
        assert [one.done for one in steps] == [2000, 4000, 5001, 5001]
        assert {one.total for one in steps} == {5001}


def test_verify_rest_finds_what_the_tail_does_not_cover(tmp_path: Path) -> None:
    """A record changed long before the newest snapshot passes the start and halts afterwards."""
    path = tmp_path / "j.db"
    long = TAIL_RECORDS + 10
    with open_journal(path) as journal:
        journal.append([entry(number) for number in range(1, long)])
        journal.write_snapshot(long - 1, "v", b"book")
    tamper(path, "UPDATE records SET body = x'7b7d' WHERE sequence = 3")
    with open_journal(path) as journal, pytest.raises(JournalCorrupt) as caught:
        list(journal.verify_rest())
    assert caught.value.sequence == 3


def test_a_short_journal_is_followed_whole_before_a_start(tmp_path: Path) -> None:
    """A record changed before the newest snapshot refuses the start, if it is not long ago."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        journal.append([entry(number) for number in range(1, 10)])
        journal.write_snapshot(8, "v", b"book")
    tamper(path, "UPDATE records SET body = x'7b7d' WHERE sequence = 3")
    with pytest.raises(JournalCorrupt) as caught:
        open_journal(path)
    assert caught.value.sequence == 3


def test_verify_rest_proves_the_tables(tmp_path: Path) -> None:
    """A lost key row, which would let an order out twice, is found."""
    path = tmp_path / "j.db"
    fill(path, 9)
    tamper(path, "DELETE FROM keys WHERE idempotency_key = 'key-4'")
    with open_journal(path) as journal, pytest.raises(JournalCorrupt, match="key-4"):
        list(journal.verify_rest(implied))
