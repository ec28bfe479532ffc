"""`arbees restore FILE`: go on from a backup, halted, with nothing of what was there deleted."""

import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli.commands.administer.backup import BOOK
from arbees.cli.commands.stop.kill import make_kill_file
from arbees.cli.shared.console import Json, out, print_json, say
from arbees.cli.shared.exits import Exit
from arbees.core.language.strict_json import format_time
from arbees.core.language.words import Mode
from arbees.journal import implied_by_events
from arbees.journal import restore as put_back
from arbees.journal.binding import Binding
from arbees.safeguards.kill_switch import KillSwitch
from arbees.settings import load_here
from arbees.venues.paper.book import restore_book

app = App(name="restore")


@app.default
def restore(
    file: Annotated[Path, Parameter(help="A file that `arbees backup` made.")],
    /,
    *,
    as_json: Json = False,
) -> int:
    """Put a backup in the place of the journal, and halt until somebody has looked.

    The gateway must be stopped. What is there is moved to a folder beside it, not deleted. What
    happened after the backup is not in it: orders may work that it does not know, and requests that
    are sent again would be new ones. So the kill-switch file is made first, and says why.

    Ends with 65 where the backup does not verify, 78 where it is another account's, 1 while a
    gateway runs on the journal; nothing is changed then.

    Example: `arbees restore arbees-backup.db`
    """
    settings = load_here()
    path, general = settings.journal_path(), settings.gateway
    kill_file = Path(settings.section(KillSwitch).kill_switch_file)
    kept = path.with_name(f"{path.name}.replaced-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    wanted = Binding(general.account, general.environment, settings.mode)

    def halt() -> None:
        make_kill_file(kill_file, f"restored from {file}: look at the venues first\n")

    report = put_back(file, path, wanted=wanted, kept=kept, halt=halt, index_of=implied_by_events())
    copied = file.with_name(file.name + BOOK)
    is_with_book = settings.mode is Mode.PAPER and copied.exists()
    if is_with_book:
        restore_book(copied, Path(general.paper_book_path), kept=kept)
    last = format_time(report.head.time_ns)
    if as_json:
        print_json(
            {
                "journal": str(path),
                "records": report.records,
                "last": last,
                "kept": str(kept),
                "paper_book": general.paper_book_path if is_with_book else None,
                "kill_switch_file": str(kill_file),
            }
        )
        return Exit.OK
    out(f"{path}: {report.records} records, the last of {last}")
    if is_with_book:
        out(f"{general.paper_book_path}: the paper exchange's book of then")
    say(f"What was there is kept in {kept}")
    say(f"Trading is halted by the file {kill_file}. Now:", style="bold")
    say(f"1. What was sent after {last} is not in it. Do not send it again: it would be new.")
    say("2. Cancel all orders at the venues, by their own means; note positions and balances.")
    say("3. arbees run, and look at what the comparison with the venues found: arbees reconcile")
    say(f"4. When all is explained, lift the halt: rm {kill_file}")
    return Exit.OK
