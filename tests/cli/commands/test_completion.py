"""The shells complete what the commands take."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from arbees.cli.command_list import COMMANDS
from arbees.cli.commands.administer.completion import (
    SHELLS,
    Shell,
    place_of,
    script,
    shell_of,
)
from arbees.cli.main import main

Capture = pytest.CaptureFixture[str]

ASKED = {
    "kill o": {"on", "off"},
    "kill on --sc": {"--scope"},
    "audit verify --l": {"--log"},
    "status --j": {"--json"},
    "completion z": {"zsh"},
    "submit reques": {"requests.jsonl"},
    "play --quotes quo": {"quotes.jsonl"},
}
"""What is typed, and what the shell offers."""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a script for each shell, and files to complete."""
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        (folder / f"arbees.{shell}").write_text(script(shell), encoding="utf-8")
    for name in ("requests.jsonl", "quotes.jsonl"):
        (folder / name).touch()
    return folder


def type_in(shell: str, code: str, folder: Path) -> str:
    """Run code in a shell, in the folder of the scripts."""
    found = subprocess.run(
        [
            shell,
            *(() if shell == "fish" else ("-f",) if shell == "zsh" else ("--norc",)),
            "-c",
            code,
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert found.stderr == ""
    return found.stdout


def test_bash_completes(scripts: Path) -> None:
    """Real bash offers commands, options, choices and files, those of commands not imported too."""
    lines = ["source arbees.bash"]
    for typed in ("", *ASKED):
        words = ["arbees", *typed.split(" ")]
        quoted = " ".join(f"'{word}'" for word in words)
        lines.append(
            f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMPREPLY=(); _arbees; "
            'echo "${COMPREPLY[*]}"'
        )
    every, *offered = type_in("bash", "\n".join(lines), scripts).splitlines()
    assert set(every.split()) == set(COMMANDS)
    assert [set(line.split()) for line in offered] == list(ASKED.values())


def test_fish_completes(scripts: Path) -> None:
    """Real fish offers the same; where there is none, its script is looked at below."""
    lines = ["source arbees.fish", "complete -C 'arbees '", "echo ="]
    for typed in ASKED:
        lines += [f"complete -C 'arbees {typed}'", "echo ="]
    for shell in filter(shutil.which, ["fish"]):
        every, *offered, _ = type_in(shell, "\n".join(lines), scripts).split("=\n")
        names = [{line.split("\t")[0] for line in part.splitlines()} for part in (every, *offered)]
        assert set(COMMANDS) <= names[0]
        assert names[1:] == list(ASKED.values())


def test_zsh_finds_the_function(scripts: Path) -> None:
    """Real zsh binds the file to the command by its name; where there is none, see below."""
    shutil.copy(scripts / "arbees.zsh", scripts / place_of("zsh").name)
    code = "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; echo $_comps[arbees]"
    for shell in filter(shutil.which, ["zsh"]):
        assert type_in(shell, code, scripts).strip() == place_of("zsh").name


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_know_every_command(shell: Shell, capsys: Capture) -> None:
    """The printed script names each command and its options, whatever shells there are here."""
    assert main(["completion", shell]) == 0
    said = capsys.readouterr()
    assert [name for name in COMMANDS if name not in said.out] == []
    assert "acknowledge" in said.out
    assert said.err == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_install_writes_one_file(shell: Shell, tmp_path: Path, capsys: Capture) -> None:
    """The file lies where the shell looks; nothing of the shell's own is changed."""
    home, before = os.environ["HOME"], dict(os.environ)
    try:
        os.environ.update(HOME=str(tmp_path), SHELL=f"/bin/{shell}")
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            os.environ.pop(name, None)
        path = place_of(shell)
        assert main(["completion", "--install"]) == 0
        assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
        assert path.read_text(encoding="utf-8") == script(shell)
        assert str(path) in capsys.readouterr().out
    finally:
        os.environ.clear()
        os.environ.update(before, HOME=home)


def test_unknown_shell(capsys: Capture) -> None:
    """A shell that is not known is told what to type."""
    os.environ["SHELL"] = "/bin/tcsh"
    assert shell_of("/usr/bin/fish") == "fish"
    assert main(["completion"]) == 2
    assert "Try: arbees completion bash" in capsys.readouterr().err
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
