"""`arbees preflight`: is the evidence there that live trading asks for.

Guarantees that it changes nothing, and that each line that is not met says what to do.
"""

import time

from cyclopts import App

from arbees.cli.commands.prove.evidence import EvidenceLine, examine
from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.settings import Settings, load_here
from arbees.settings.authority import overridden

app = App(name="preflight")


@app.default
def preflight(*, as_json: Json = False) -> int:
    """Show whether the evidence is there that live trading asks for.

    Looked at are days of paper trading with every safeguard on, denials confirmed or disputed by an
    operator, drills of every safeguard on this host (the kill switch among them) under the limits
    of now, the audit log against the journal, open reconciliation breaks, credentials and clock. A
    live start without it refuses, unless LIVE_REQUIRES_PREFLIGHT=false and
    LIVE_PREFLIGHT_OVERRIDE_REASON say why.

    Ends with 0 when every line is met, 1 when one is not.

    Example: `arbees preflight`

    Example: `arbees preflight --json`
    """
    settings = load_here()
    lines = examine(settings, time.time_ns())
    is_met = all(line.is_met for line in lines)
    if as_json:
        print_json(
            {
                "met": is_met,
                "override": overridden(settings),
                "lines": [
                    {"name": line.name, "met": line.is_met, "text": line.text, "mend": line.mend}
                    for line in lines
                ],
            }
        )
    else:
        _show(lines)
        override = overridden(settings)
        if override is not None:
            say(f"OVERRIDDEN: a live start does without it: {override}", style="bold red")
    return Exit.OK if is_met else Exit.FAILURE


def unmet(settings: Settings, now_ns: int) -> list[str]:
    """Return what is missing for a live start, a sentence each; see `bootstrap.run`."""
    return [
        f"{line.name}: {line.text}. {line.mend}".rstrip(" .")
        for line in examine(settings, now_ns)
        if not line.is_met
    ]


def _show(lines: list[EvidenceLine]) -> None:
    rows = []
    for line in lines:
        mark = styled("met", "green") if line.is_met else styled("MISSING", "bold red")
        rows.append((line.name, mark, plain(line.text) + (f"\n{line.mend}" if line.mend else "")))
    table(("Evidence", "", "What was found, and what to do"), rows)
    count = sum(not line.is_met for line in lines)
    if count:
        out(styled(f"{count} of {len(lines)} are missing", "bold red"))
    else:
        out(styled("The evidence is complete", "green"))
