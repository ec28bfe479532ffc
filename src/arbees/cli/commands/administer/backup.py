"""`arbees backup FILE`: the journal in one verified file, while trading goes on."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli.shared.console import Json, out, print_json, say
from arbees.cli.shared.exits import Exit
from arbees.core.language.words import Mode
from arbees.journal import backup as back_up
from arbees.journal import implied_by_events
from arbees.settings import load_here
from arbees.venues.paper.book import copy_book

BOOK = ".paper"
"""What the name of a backup of the paper exchange's book ends with."""

app = App(name="backup")


@app.default
def backup(
    file: Annotated[Path, Parameter(help="The file to make; no file yet.")],
    /,
    *,
    journal: Annotated[
        Path | None, Parameter(help="The journal; by default the one of the settings.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Back up the journal, in use or not: one file, as of one moment, verified.

    On paper the paper exchange's book is copied too, to a second file whose name ends with .paper.
    Note the head elsewhere: with it `arbees audit verify` proves that a backup is what it was.

    Ends with 65 where the copy does not verify; then there is none.

    Example: `arbees backup arbees-backup.db`
    """
    settings = load_here()
    book = Path(settings.gateway.paper_book_path)
    is_with_book = journal is None and settings.mode is Mode.PAPER and book.exists()
    source = journal or settings.journal_path()
    report = back_up(source, file, index_of=implied_by_events())
    copied = file.with_name(file.name + BOOK) if is_with_book else None
    if copied is not None:
        copy_book(book, copied)
    head = f"{report.head.sequence}:{report.head.hash.hex()}"
    if as_json:
        print_json(
            {
                "file": str(file),
                "paper_book": None if copied is None else str(copied),
                "records": report.records,
                "head": head,
            }
        )
        return Exit.OK
    out(f"{file}: {report.records} records of {source}, verified")
    if copied is not None:
        out(f"{copied}: the paper exchange's book")
    say(f"Note its head elsewhere: {head}")
    return Exit.OK
