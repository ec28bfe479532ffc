"""`arbees config check|show`: what the settings are, and whether they are good.

Guarantees that secrets are hidden, that every problem is listed, and that it ends with 78 exactly
when a gateway would refuse to start on these settings. Reads files and the environment, nothing
else.
"""

import json
import sys
import time
from typing import Annotated, Any

from cyclopts import App, Parameter

from arbees.cli.commands.start import requirements
from arbees.cli.commands.start.host import HostState
from arbees.errors import ConfigurationError
from arbees.settings import Settings, SettingsRefused, load_here
from arbees.settings.authority import refusals
from arbees.wiring.alerting import alert_sinks

app = App(name="config", help="Look at the settings: check them, show them.")

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]


def problems_of(error: ConfigurationError) -> list[ConfigurationError]:
    """Return all problems of a refusal."""
    return list(error.problems) if isinstance(error, SettingsRefused) else [error]


def described(error: ConfigurationError) -> dict[str, Any]:
    """Return a problem for JSON."""
    return {
        "setting": error.setting,
        "message": error.message,
        "value": error.value,
        "fix": error.fix,
    }


@app.command
def check(*, as_json: Json = False) -> int:
    """Check the settings and list every problem.

    Ends with 78 where a gateway would refuse to start on them.

    Example: `arbees config check`

    Example: `MAX_ORDER_SIZE=50 arbees config check --json`
    """
    problems: list[ConfigurationError] = []
    settings: Settings | None = None
    try:
        settings = load_here()
        problems += [ConfigurationError(text) for text in refusals(settings)]
        problems += _unwritable(settings)
        alert_sinks(settings, time.time_ns)
    except ConfigurationError as error:
        problems += problems_of(error)
    warnings = () if settings is None else settings.warnings
    for line in (*warnings, *problems):
        sys.stderr.write(f"{line}\n")
    if as_json:
        _print_json(
            {
                "ok": not problems,
                "mode": settings.mode if settings else None,
                "settings_hash": settings.hash if settings else None,
                "disabled_safeguards": settings.disabled if settings else {},
                "warnings": list(warnings),
                "problems": [described(problem) for problem in problems],
            }
        )
    elif settings and not problems:
        set_by_hand = sum(found.origin != "default" for found in settings.shown().values())
        off = f", OFF: {', '.join(settings.disabled)}" if settings.disabled else ""
        sys.stdout.write(
            f"The settings are good: {settings.mode} trading, {set_by_hand} set, the others at "
            f"their defaults{off}\nsettings_hash {settings.hash}\n"
        )
    return ConfigurationError.exit_code if problems else 0


@app.command
def show(*, as_json: Json = False) -> int:
    """Show every setting with its value and where it comes from; secrets are hidden.

    Example: `arbees config show`

    Example: `arbees config show --json`
    """
    try:
        settings = load_here()
    except ConfigurationError as error:
        for problem in problems_of(error):
            sys.stderr.write(f"{problem}\n")
        return error.exit_code
    shown = settings.shown()
    if as_json:
        _print_json(
            {
                "mode": settings.mode,
                "settings_hash": settings.hash,
                "settings": {
                    name: {"value": found.text, "origin": found.origin}
                    for name, found in shown.items()
                },
            }
        )
        return 0
    width = max(len(name) for name in shown)
    for name, found in shown.items():
        origin = "" if found.origin == "default" else f"  ({found.origin})"
        sys.stdout.write(f"{name:<{width}}  {found.text or '-'}{origin}\n")
    sys.stdout.write(f"\n{settings.mode} trading, settings_hash {settings.hash}\n")
    return 0


def _unwritable(settings: Settings) -> list[ConfigurationError]:
    """Return why a start could not write its audit log; the fix stands in the finding."""
    found = requirements.audit_log(settings)
    if found.state is not HostState.FAIL:
        return []
    path = str(settings.audit_log_path())
    return [
        ConfigurationError(found.text, setting="AUDIT_LOG_PATH", value=path, fix=f"{found.mend}.")
    ]


def _print_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
