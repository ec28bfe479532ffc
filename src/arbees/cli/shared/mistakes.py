"""What was typed wrongly: one message that says what to type instead.

Guarantees that a wrong word names what it is near to, that a word people try in its place (`stop`
for `kill on`) leads to the command, and that a missing or malformed value says what it means.
Nothing was run when these are shown.
"""

import difflib
from collections.abc import Iterable, Sequence

from cyclopts import App, CoercionError, CycloptsError, MissingArgumentError
from cyclopts.exceptions import UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from arbees.cli.command_list import COMMANDS
from arbees.cli.shared.texts import FLAGS, names_below, taken_by

MEANT = {
    **dict.fromkeys(("stop", "halt", "pause", "panic", "disable"), "kill on"),
    **dict.fromkeys(("resume", "unhalt", "enable"), "kill off"),
    **dict.fromkeys(("start", "serve", "server", "gateway", "up"), "run"),
    **dict.fromkeys(("order", "buy", "sell", "execute", "send"), "submit"),
    **dict.fromkeys(("health", "diagnose"), "doctor"),
    **dict.fromkeys(("limits", "exposure", "rules"), "safeguards"),
    **dict.fromkeys(("log", "logs"), "audit tail"),
    **dict.fromkeys(("settings", "env"), "config show"),
    **dict.fromkeys(("watch", "dashboard", "monitor"), "top"),
    **dict.fromkeys(("deposit", "withdraw"), "cashflow"),
    **dict.fromkeys(("backtest", "simulate"), "play"),
    "info": "status",
    **dict.fromkeys(("history", "trades", "results"), "executions"),
    "setup": "init",
    "whatif": "replay",
    "balance": "balances",
    "help": "--help",
    "version": "--version",
}
"""Words that people try, to what they mean."""

RUN_HINT = "It takes settings instead, from the environment too: HTTP_PORT=8400 arbees run"
_KINDS = {"INT": "a whole number", "FLOAT": "a number", "PATH": "the path of a file"}


def explained(error: CycloptsError, words: Sequence[str]) -> str:
    """
    Return what to type instead.

    Args:
        error: what was found.
        words: what was typed, without the program's name.
    """
    typed = " ".join(("arbees", *(error.command_chain or ())))
    if isinstance(error, UnknownCommandError) and error.app is not None and error.unused_tokens:
        return _unknown(error.app, error.unused_tokens[0], words)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        rest = " ".join(error.unused_tokens)
        return f"Expected nothing more after `{typed}`, was {rest!r}; text with blanks needs quotes"
    if error.argument is not None and isinstance(error, MissingArgumentError | CoercionError):
        taken = taken_by(error.argument)
        name, meaning = taken.names[0], taken.about.rstrip(".")
        if isinstance(error, MissingArgumentError):
            value = f" {taken.value}" if taken.is_option else ""
            return f"{typed}: Expected {name}{value}, was missing. It means: {meaning}"
        kind = _KINDS.get(taken.value, taken.value)
        value = error.token.value if error.token is not None else ""
        return f"{name}: Expected {kind}, was {value!r}. It means: {meaning}"
    if isinstance(error, UnknownOptionError) and typed == "arbees run":
        return f"{error} {RUN_HINT}"
    return str(error)


def _unknown(app: App, word: str, words: Sequence[str]) -> str:
    names = names_below(app)
    is_top = set(COMMANDS) <= set(names)
    typed = "arbees" if is_top else f"arbees {words[0]}"
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    text = f"Expected a command after `{typed}`, was {word!r}. "
    if word.startswith("-"):
        return f"{text}Options stand behind the command. There are: {', '.join(names)}"
    if is_top and (meant := _meant(app, word.lower())) and (not near or word.lower() in MEANT):
        return f"{text}Did you mean `arbees {meant}`?"
    if near:
        return f"{text}Did you mean `{typed} {near[0]}`?"
    return f"{text}There are: {', '.join(names)}"


def _meant(app: App, word: str) -> str | None:
    """Return what a word means that is no command: a known one, or a command below another."""
    meant = MEANT.get(word)
    if meant is not None and (meant.startswith("-") or meant.split()[0] in COMMANDS):
        return meant
    for name in COMMANDS:
        if word in names_below(app[name]):
            return f"{name} {word}"
    return None


def without_command(app: App, words: Sequence[str]) -> str | None:
    """
    Return what to say where a group was typed and none of its commands; None where it is not so.

    Args:
        app: the whole command.
        words: what was typed, without the program's name.
    """
    if not words or any(word in FLAGS for word in words):
        return None
    chain, apps, rest = app.parse_commands(list(words))
    if rest or not chain or apps[-1].default_command is not None:
        return None
    names = ", ".join(names_below(apps[-1]))
    return f"Expected a command after `arbees {' '.join(chain)}`, was nothing. There are: {names}"


def page_to_read(words: Iterable[str], app: App) -> str:
    """Return the command that shows the help for what was typed."""
    first = next(iter(words), "")
    return f"arbees {first} --help" if first in names_below(app) else "arbees --help"
