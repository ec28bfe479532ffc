"""Record a golden journal: `python tools/golden.py NAME "what happens" JOURNAL`.

Guarantees that it only ever adds: a name that is taken refuses. Without a JOURNAL one of the tests'
own evenings is lived and recorded: `python tools/golden.py NAME`.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from arbees import __version__
from arbees.errors import ConfigurationError
from arbees.journal import JournalReader
from verification.golden import write

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "golden"


def main(arguments: Sequence[str]) -> int:
    """Record one journal."""
    if not 1 <= len(arguments) <= 3:
        print(__doc__, file=sys.stderr)
        return 2
    name = arguments[0]
    try:
        if len(arguments) == 3:
            return record(name, arguments[1], Path(arguments[2]))
        with tempfile.TemporaryDirectory(prefix="arbees-golden-") as folder:
            story = live(name, Path(folder))
            return record(name, story, Path(folder) / "journal.db")
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1


def live(name: str, folder: Path) -> str:
    """Live one of the crash tests' evenings; return what happens in it."""
    sys.path.insert(0, str(ROOT))
    from tests.golden.stories import STORIES
    from tests.runtime.evenings import Evening
    from tests.runtime.test_crash_points import EVENINGS
    from verification.simulation import simulate

    acts = {act.__name__: act for act in (*EVENINGS, *STORIES)}
    if name not in acts:
        raise ConfigurationError(f"Expected one of {', '.join(acts)}, was {name}")
    simulate(Evening(folder).live(acts[name]))
    return (acts[name].__doc__ or "").strip()


def record(name: str, story: str, journal: Path) -> int:
    """Write the records of a journal to a new golden file."""
    path = FOLDER / f"{name}-{__version__}.jsonl"
    with JournalReader(journal) as reader:
        title = write(path, reader.records(), version=__version__, story=story)
    print(f"{path.relative_to(ROOT)}: {title.records} records, {title.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
