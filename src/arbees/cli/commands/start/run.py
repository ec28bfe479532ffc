"""`arbees run`: the gateway as a service, in the foreground.

Guarantees that before anything starts an operator sees on stderr what will: mode, address, journal,
and in red every safeguard that is off; that its files are not for everybody to read; and that a
SIGUSR1 which comes too early is not lost. Ends with 78 where the settings refuse, 65 where the
journal is not whole.
"""

import os
import signal
from collections.abc import Sequence

from cyclopts import App

from arbees.cli.shared.console import say
from arbees.settings import Settings, load_here
from arbees.settings.authority import overridden

PRIVATE = 0o027
"""What others may not do with the files of a gateway: they tell what is traded, and why."""

app = App(name="run")


@app.default
def run() -> int:
    """Run the gateway until it is told to stop (SIGTERM; a second one stops at once).

    Settings come from the environment, `.env` and `arbees.toml`. Before it starts it prints to
    stderr what will run: mode, address, journal, and in red every safeguard that is off.

    SIGTERM, SIGINT, SIGQUIT and a closed terminal (SIGHUP, unless under nohup) stop it in order:
    nothing new is admitted, working orders are cancelled (`CANCEL_ON_SHUTDOWN`), what is in flight
    is settled, everything is flushed. SIGUSR1 halts trading, also if it comes before the gateway is
    ready.

    Ends with 78 where the settings refuse, 65 where the journal is not whole, 1 where another
    gateway writes the journal.

    Example: `arbees run`

    Example: `HTTP_PORT=8400 arbees run`
    """
    # A halt asked for while everything is being made ready waits until there is somebody to hear
    # it: by itself the signal would end the process, and the next start would trade on. So does the
    # end of the terminal, which would leave what worked before at the venue.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGHUP})
    os.umask(os.umask(PRIVATE) | PRIVATE)
    from arbees.wiring import bootstrap

    settings = load_here()
    banner(settings)
    return bootstrap.run(settings, unmet=_unmet)


def _unmet(settings: Settings, now_ns: int) -> Sequence[str]:
    """Look at the pre-flight evidence; only a live start does."""
    from arbees.cli.commands.prove import preflight

    return preflight.unmet(settings, now_ns)


def banner(settings: Settings) -> None:
    """Print what will run."""
    general = settings.gateway
    mode = str(settings.mode)
    say(f"Arbees, {mode} trading", style="bold red" if mode == "live" else "bold")
    say(f"  account     {general.account}@{general.environment}")
    say(f"  address     http://{general.http_host}:{general.http_port}")
    say(f"  journal     {settings.journal_path()}")
    _say_where_the_audit_log_is(settings)
    say(f"  safeguards  {len(settings.safeguards)} on, {len(settings.disabled)} off")
    for name, reason in settings.disabled.items():
        say(f"  OFF         {name}: {reason}", style="bold red")
    override = overridden(settings)
    if override is not None:
        say(f"  OVERRIDDEN  no pre-flight evidence is asked for: {override}", style="bold red")
    for text in settings.warnings:
        say(f"  warning     {text}", style="yellow")


def _say_where_the_audit_log_is(settings: Settings) -> None:
    path = settings.audit_log_path()
    if not settings.audit_log.is_enabled:
        return
    say(f"  audit log   {path}")
    if str(path) != settings.audit_log.path:
        path.parent.mkdir(parents=True, exist_ok=True)
        why = f"This user cannot write {settings.audit_log.path}: set AUDIT_LOG_PATH to choose"
        say(f"  warning     {why}", style="yellow")
