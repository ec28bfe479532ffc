"""`arbees replay`: rebuild the book of a journal, ask what other settings would have decided.

Guarantees that it only reads, beside a running gateway or without one; the answers that an operator
gives of denials alone are written. A journal that is not what was written ends with 65 and the
number of the first bad record.
"""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli.commands.prove import denials, rebuild, what_if
from arbees.cli.shared.console import Json, say
from arbees.cli.shared.exits import Exit
from arbees.settings import load_here
from arbees.settings.recorded import SettingChanges, read_changes

LINES = 20

app = App(name="replay")


Config = Annotated[
    tuple[Path, ...],
    Parameter(
        help="Other settings: a file like arbees.toml or .env; what it does not name stays as it "
        "was recorded. May be given several times.",
        negative="",
    ),
]
Set = Annotated[
    tuple[str, ...], Parameter(name="--set", help="One other setting, NAME=VALUE.", negative="")
]
Check = Annotated[
    bool,
    Parameter(
        negative="",
        help="List what was denied, to confirm or dispute each denial; ask at a terminal.",
    ),
]
Confirm = Annotated[
    tuple[str, ...],
    Parameter(
        help="A denial that was right: a record, a request, or a group safeguard/CODE.",
        negative="",
    ),
]
Dispute = Annotated[
    tuple[str, ...],
    Parameter(help="A denial that was wrong: the request should have passed.", negative=""),
]
Lines = Annotated[
    int, Parameter(name=("--lines", "-n"), help="How many decisions or denials to list.")
]


@app.default
def replay(
    journal: Annotated[
        Path | None, Parameter(help="The journal; by default the one of the settings.")
    ] = None,
    /,
    *,
    config: Config = (),
    settings: Set = (),
    check_false_denials: Check = False,
    confirm: Confirm = (),
    dispute: Dispute = (),
    reason: Annotated[str | None, Parameter(help="Why; it is journaled.")] = None,
    lines: Lines = LINES,
    as_json: Json = False,
) -> int:
    """Rebuild the book from a journal and prove it; ask what other limits would have done.

    Without options every record is verified and folded, and the result is held against the newest
    snapshot. With other settings every recorded decision is judged again, with the facts and the
    book of then; what would change is counted, in decisions and in money, and listed.

    With --check-false-denials it lists what was denied and what operators said of it; answers are
    kept in the journal, through the gateway while one writes it.

    Ends with 65 and names the first bad record where the journal is not as it was written.

    Example: `arbees replay var/arbees-paper.db`

    Example: `arbees replay --set MAX_ORDER_SIZE=50 --set MAX_POSITION_PER_MARKET=100`

    Example: `arbees replay --check-false-denials`

    Example: `arbees replay --confirm order_size/MAX_ORDER_SIZE --reason "as it should be"`
    """
    answers = denials.Answers(confirm, dispute, reason)
    is_check = check_false_denials or answers.are_given
    if is_check and (config or settings):
        say("Expected denials to check, or other settings, both were there")
        return Exit.USAGE
    try:
        named = _named(settings)
    except ValueError as error:
        say(error)
        return Exit.USAGE
    changes: SettingChanges | None = None
    if config or named:
        changes = read_changes(list(config), named)
    path = journal or load_here().journal_path()
    if is_check:
        return denials.check(path, answers, lines=lines, as_json=as_json)
    if changes is None:
        return rebuild.rebuild(path, as_json=as_json)
    return what_if.ask(path, changes, lines=lines, as_json=as_json)


def _named(settings: tuple[str, ...]) -> dict[str, str]:
    """Return single settings by name. Raises ValueError."""
    named: dict[str, str] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(f"--set: Expected NAME=VALUE, was {text!r}")
        named[name] = value
    return named
