"""`arbees doctor`: is this machine fit to run a gateway, and if not, how is it mended.

Guarantees that it changes nothing, ends within seconds, and says of each thing whether it is well.
It ends with 78 where the settings refuse, as a start would, with 1 where anything else is broken,
and with 0 where there are only warnings.
"""

from collections.abc import Sequence
from pathlib import Path

from cyclopts import App
from rich.text import Text

from arbees.cli.commands.start.host import (
    HostFinding,
    HostState,
    fail,
    ok,
    warn,
)
from arbees.cli.shared.console import (
    Json,
    out,
    plain,
    print_json,
)
from arbees.cli.shared.exits import Exit
from arbees.errors import ConfigurationError
from arbees.settings import Settings, SettingsRefused, load_here
from arbees.settings.authority import refusal

STYLES = {HostState.OK: "green", HostState.WARN: "yellow", HostState.FAIL: "bold red"}

app = App(name="doctor")


@app.default
def doctor(*, as_json: Json = False) -> int:
    """Examine this machine and the settings, and say how to mend what is wrong.

    Looks at Python, SQLite, the clock, the disk and what an fsync takes there, the settings, the
    permissions of files with secrets, the port, the journal, the audit log, the kill-switch file,
    and the venues where they are needed. Changes nothing; needs no gateway and no internet.

    Ends with 78 where the settings refuse a start, 1 where anything else fails, 0 with warnings.

    Example: `arbees doctor`

    Example: `arbees doctor --json`
    """
    from arbees.cli.commands.start import host, requirements

    settings, problems = read()
    folder = Path("var") if settings is None else settings.journal_path().parent
    found = [*host.examine(folder), *problems]
    if settings is not None:
        found += requirements.examine(settings)
    if as_json:
        print_json(
            {
                "ok": not any(each.state is HostState.FAIL for each in found),
                "checks": [
                    {"name": each.name, "state": each.state, "text": each.text, "mend": each.mend}
                    for each in found
                ],
            }
        )
    else:
        show(found)
    return exit_of(found, is_refused=settings is None or _is_refused(settings))


def read() -> tuple[Settings | None, list[HostFinding]]:
    """Return the settings, None where they are refused, and what is to be said of them."""
    try:
        settings = load_here()
    except SettingsRefused as error:
        return None, [_problem(each) for each in error.problems]
    found = [warn("settings", text, "See arbees config show") for text in settings.warnings]
    facts = refusal(settings)
    if facts is not None:
        found.append(fail("settings", facts.splitlines()[0], facts.splitlines()[-1]))
    for name, reason in settings.disabled.items():
        found.append(warn("settings", f"Safeguard {name} is OFF: {reason}", "Switch it on again"))
    return settings, found or [ok("settings", f"They are good: {settings.mode} trading")]


def _problem(error: ConfigurationError) -> HostFinding:
    name = "" if error.setting is None else f"{error.setting}: "
    value = "" if error.value is None else f", was {error.value!r}"
    return fail("settings", f"{name}{error.message}{value}", error.fix or "")


def _is_refused(settings: Settings) -> bool:
    return refusal(settings) is not None


def exit_of(found: Sequence[HostFinding], *, is_refused: bool) -> Exit:
    """Return how the command ends."""
    if is_refused:
        return Exit.BAD_SETTINGS
    return Exit.FAILURE if any(each.state is HostState.FAIL for each in found) else Exit.OK


def show(found: Sequence[HostFinding]) -> None:
    """Print a line for each finding, and one more where it is to be mended."""
    width = max(len(each.name) for each in found)
    for each in found:
        mark = Text(f"{each.state:<4}", STYLES[each.state])
        out(mark, Text(f"{each.name:<{width}}  {plain(each.text)}"))
        if each.mend:
            out(f"{'':<{width + 6}} {plain(each.mend)}")
    counts = {state: sum(each.state is state for each in found) for state in HostState}
    total = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    worst = max(found, key=lambda each: list(HostState).index(each.state)).state
    out(Text(total, STYLES[worst]))
