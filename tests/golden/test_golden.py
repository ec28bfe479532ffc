"""Golden journals: what an old version wrote folds to the same state, for ever (P6).

A file here is never changed and never deleted. One that fails says that `apply`, or the shape of an
event, has changed what the past means: the change is wrong, not the file. New ones are recorded
with `python tools/golden.py`, once a release, and whenever an event or a field is added.
"""

from pathlib import Path

import msgspec
import pytest

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book
from arbees.core.book.book import decode as decode_book
from arbees.core.book.book import encode as encode_book
from arbees.core.orders.result import fold as fold_result
from arbees.errors import ConfigurationError
from verification.evidence import is_final
from verification.golden import (
    GoldenLine,
    digest_of,
    fold,
    journals,
    read,
    write,
)

FOLDER = Path(__file__).parent
JOURNALS = tuple(journals(FOLDER))


def test_there_are_golden_journals() -> None:
    """Every kind of event there is stands in one of them; whoever adds one records a journal."""
    kinds = {line.kind for path in JOURNALS for line in read(path)[1]}
    assert {kind.__name__ for kind in _leaves(events.Event)} == kinds


def _leaves(kind: type[events.Event]) -> list[type[events.Event]]:
    return [leaf for each in kind.__subclasses__() for leaf in (_leaves(each) or [each])]


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_the_past_folds_to_what_it_was(path: Path) -> None:
    """Every record is read, and their fold is the state that was recorded."""
    title, lines = read(path)
    assert len(lines) == title.records
    assert digest_of(fold(lines)) == title.digest


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_the_past_goes_on_from_a_snapshot(path: Path) -> None:
    """A snapshot of this version, taken anywhere in an old journal, leads to the same end."""
    title, lines = read(path)
    for at in range(0, len(lines), 7):
        book = decode_book(encode_book(fold(lines[:at])))
        rest = _fold_on(book, lines[at:])
        assert rest == title.digest


def _fold_on(book: Book, lines: list[GoldenLine]) -> str:
    for line in lines:
        apply(book, events.decode(bytes(line.body)), line.sequence, line.time_ns)
    return digest_of(book)


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_old_results_are_still_told(path: Path) -> None:
    """Every request of an old journal still has its result, final where its records say so."""
    lives: dict[str, list[tuple[int, int, events.Event]]] = {}
    for line in read(path)[1]:
        if line.request_id is not None:
            event = events.decode(bytes(line.body))
            lives.setdefault(line.request_id, []).append((line.sequence, line.time_ns, event))
    for request_id, records in lives.items():
        life = fold_result(records)
        if life is None:
            assert request_id.startswith("receipt")
            continue
        was_refused = isinstance(records[0][2], events.DuplicateRefused)
        was_final = was_refused or any(is_final(event) for _, _, event in records)
        assert life.result().final is was_final


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_a_changed_past_is_noticed(path: Path) -> None:
    """The digest is of everything: one fill less, and it is another."""
    title, lines = read(path)
    kept = [line for line in lines if line.kind not in {"BalanceObserved", "Stopped"}]
    again = [msgspec.structs.replace(line, sequence=number) for number, line in enumerate(kept, 1)]
    assert digest_of(fold(again)) != title.digest


def test_golden_journals_are_never_rewritten() -> None:
    """Whoever records under a name that is taken is refused."""
    before = JOURNALS[0].read_bytes()
    with pytest.raises(ConfigurationError, match="never rewritten"):
        write(JOURNALS[0], [], version="9", story="another past")
    assert JOURNALS[0].read_bytes() == before
