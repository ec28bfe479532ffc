"""`arbees completion [SHELL]`: let the shell complete commands, options and files.

Guarantees that the script knows every command and option, since it is made from the commands
themselves, and that nothing of the shell's own files is changed: `--install` writes one file where
bash and fish look by themselves, and says what zsh needs. The script runs no Python when it
completes.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from arbees.cli.shared.console import out, say
from arbees.cli.shared.exits import Exit

Shell = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = ("bash", "zsh", "fish")

app = App(name="completion")


@app.default
def completion(
    shell: Annotated[
        Shell | None, Parameter(help="The shell; by default the one that SHELL names.")
    ] = None,
    /,
    *,
    install: Annotated[
        bool, Parameter(negative="", help="Write it where the shell looks, instead of printing it.")
    ] = False,
) -> int:
    """Print what makes a shell complete commands, options and files.

    Ends with 2 where the shell is none of bash, zsh and fish.

    Example: `arbees completion --install`

    Example: `source <(arbees completion bash)`

    Example: `arbees completion fish > ~/.config/fish/completions/arbees.fish`
    """
    chosen = shell or shell_of(os.environ.get("SHELL", ""))
    if chosen is None:
        say("Expected bash, zsh or fish, and SHELL names none of them. Try: arbees completion bash")
        return Exit.USAGE
    text = script(chosen)
    if not install:
        sys.stdout.write(text)
        return Exit.OK
    path = place_of(chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out(f"Written: {path}")
    for line in ADVICE[chosen]:
        say(line)
    return Exit.OK


ADVICE: dict[Shell, tuple[str, ...]] = {
    "bash": (
        "New shells complete `arbees` where bash-completion is installed.",
        "Without it, put into ~/.bashrc: source <(arbees completion bash)",
    ),
    "zsh": (
        "Put into ~/.zshrc, if it is not there:",
        "  fpath=(~/.zsh/completions $fpath); autoload -Uz compinit; compinit",
    ),
    "fish": ("New shells complete `arbees`.",),
}


def shell_of(path: str) -> Shell | None:
    """Return the shell that a path names, if it is one of those known."""
    name = Path(path).name
    return next((shell for shell in SHELLS if shell == name), None)


def script(shell: Shell) -> str:
    """Return the script for a shell; imports every command, to ask what it takes."""
    from arbees.cli.main import build

    return build().generate_completion(shell=shell)


def place_of(shell: Shell) -> Path:
    """Return where a shell looks for what completes `arbees`; in zsh the file is the function."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "arbees",
        "zsh": home / ".zsh" / "completions" / "_cyclopts_arbees",
        "fish": config / "fish" / "completions" / "arbees.fish",
    }[shell]
