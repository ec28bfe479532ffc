"""Journals of wired gateways for tests of what reads them, and ways to damage one."""

from pathlib import Path

from arbees.core.language.request import Request
from arbees.journal import JournalReader
from arbees.rehearsal import playback
from arbees.rehearsal.evening import make_evening
from arbees.rehearsal.requests import make_requests
from arbees.settings import Settings, load
from tests.journal.samples import tamper
from tests.runtime.evenings import LIMITS, Act, Evening
from verification.simulation import simulate


def played(path: Path, seed: int, count: int = 60, limits: dict[str, str] | None = None) -> Path:
    """Play a generated evening into a new journal and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    evening = make_evening(seed, minutes=20, number=2)
    asked: list[Request] = make_requests(list(evening.quotes), count, seed)
    inputs = playback.in_order(
        [playback.Input(each.ts_ns, each) for each in evening.settlements],
        [playback.Input(each.ts_ns, each) for each in evening.quotes],
        [playback.Input(each.created_ns, each, line) for line, each in enumerate(asked, 1)],
    )
    playback.play(load(LIMITS if limits is None else limits), inputs, journal=path)
    return path


def lived(folder: Path, *acts: tuple[Act, dict[str, str]]) -> Path:
    """Live evenings one after the other on one journal, each under settings of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    now_ns: int | None = None
    for act, limits in acts:
        settings: Settings = load(limits)
        evening = Evening(folder, settings)
        if now_ns is not None:
            evening.clock = type(evening.clock)(now_ns)
        simulate(evening.live(act))
        now_ns = evening.clock.now_ns() + 1_000_000_000
    return folder / "journal.db"


def damage(path: Path, sequence: int, old: bytes, new: bytes) -> None:
    """Change the body of one record."""
    with JournalReader(path) as reader:
        stored = reader.record(sequence)
    assert stored is not None
    assert old in stored.body
    body = stored.body.replace(old, new, 1).hex()
    tamper(path, f"UPDATE records SET body = x'{body}' WHERE sequence = {sequence}")  # noqa: S608
