"""The command `arbees`: finds the command, runs it, and turns what went wrong into an exit code.

Guarantees that every fault ends with one message on stderr and the code that its class documents,
never with a trace of the stack that hides it; only broken invariants and bugs show one. A command
is imported when it runs, so that `arbees kill on` is quick.
"""

import contextlib
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from arbees import __version__
from arbees.cli.command_list import COMMANDS, GROUPS
from arbees.cli.shared.console import say
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.help import prepare, show_examples
from arbees.cli.shared.mistakes import explained, page_to_read, without_command
from arbees.cli.shared.streams import lasting_output, open_standard, surviving_the_terminal
from arbees.errors import ArbeesError

HELP = """Stand between trading strategies and prediction-market exchanges.

Data goes to stdout, messages to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 denied, 4 halted,
5 unavailable, 6 unknown outcome, 65 journal corrupt, 69 gateway unreachable, 77 no permission,
78 bad settings.

Example: `arbees demo`

Example: `arbees init`

Example: `arbees run`

Example: `arbees submit request.json`

Example: `arbees top`

Example: `arbees kill on --reason "the model is wrong"`
"""


_ACTING = frozenset({"cancel", "flatten", "kill", "run"})
"""Commands that act whatever becomes of their words."""
_GROUPS = {name: Group(name, sort_key=place) for place, name in enumerate(GROUPS)}
_OPTIONS = Group("Options", sort_key=len(GROUPS))
"""One object each: a command that was imported keeps its group for the next who asks."""


def _shown_default(value: object) -> str | None:
    """Return a default for the help; what is off, unset or empty needs none."""
    return None if value is None or value is False or value == () else str(value)


def build(chosen: str | None = None) -> App:
    """
    Return the command with all its commands; none is imported before it is used.

    Args:
        chosen: the command that will run, which then speaks for itself.
    """
    app = App(
        name="arbees",
        help=HELP,
        version=__version__,
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(show_default=_shown_default, negative_iterable=()),
    )
    app["--help"].group = app["--version"].group = _OPTIONS
    for place, (name, command) in enumerate(COMMANDS.items()):
        more = {} if name == chosen else {"help": command.about}
        app.command(
            f"{command.module(name)}:app",
            name=name,
            group=_GROUPS[command.group],
            sort_key=place,
            **more,
        )
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Args:
        arguments: without the program's name; None for those of the process.

    Returns:
        The exit code.
    """
    open_standard()
    if not __debug__:
        say("Arbees does not run under python -O: its assertions are the seat belt", style="red")
        return Exit.BAD_SETTINGS
    words = sys.argv[1:] if arguments is None else list(arguments)
    does_act = bool(words) and words[0] in _ACTING and words[:2] != ["kill", "status"]
    with contextlib.ExitStack() as stack:
        if does_act:
            stack.enter_context(lasting_output())
        if does_act and words[0] != "run":  # whose own end is an orderly one
            stack.enter_context(surviving_the_terminal())
        return run(build(words[0] if words else None), words)


def run(app: App, words: Sequence[str]) -> int:
    """Run a command, and return the exit code also of what it raises."""
    try:
        if (missing := without_command(app, words)) is not None:
            return _wrong(missing, app, words)
        help_text = prepare(app, words)
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        if help_text is not None:
            show_examples(help_text)
        sys.stdout.flush()
    except CycloptsError as error:
        return _wrong(explained(error, words), app, words)
    except ArbeesError as error:
        say(error, style="red")
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED
    except PermissionError as error:
        say(f"No permission: {error}", style="red")
        return Exit.NO_PERMISSION
    except OSError as error:
        say(f"Failed: {error}", style="red")
        return Exit.FAILURE
    except KeyboardInterrupt:
        say("Interrupted")
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK


def _wrong(text: str, app: App, words: Sequence[str]) -> int:
    say(text)
    say(f"Try: {page_to_read(words, app)}")
    return Exit.USAGE
