"""Pages as tests read them: links, fenced blocks, and what a reader would type.

Guarantees that a command is run as it stands in the page, in the order of the page, in a folder
that has what a clone has; only the port, the place of the clone and the kill-switch file are
others. It fails with the command and what it printed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CLONED = ("Makefile", "README.md", "pyproject.toml", "requirements.lock", "examples")
"""What of a clone the pages' commands need."""
PORT = "8321"
READY_SECONDS = 20.0
_FENCE = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
_EXIT = re.compile(r"\s+# exit (\d+)\b.*$")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str


def pages() -> list[Path]:
    """Return every page that people write: those of the top, and those in docs."""
    found = [path for path in ROOT.glob("*.md") if path.is_file()]
    found += [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    return sorted(found)


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    return [Block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8"))]


def prose_of(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def commands_of(text: str) -> Iterator[tuple[str, int]]:
    """Yield each command of a block with the exit code that it promises, 0 unless told."""
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        promised = _EXIT.search(line)
        yield _EXIT.sub("", line), int(promised.group(1)) if promised else 0


class Reader:
    """Somebody who types what a page says; use it as a context manager."""

    def __init__(self, folder: Path, port: int) -> None:
        """
        Prepare.

        Args:
            folder: an empty one, where the clone is to lie.
            port: a free one, instead of the default.
        """
        self._folder = folder
        self._port = port
        self._gateways: list[subprocess.Popen[str]] = []
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HTTP_PORT": str(port),
            "KILL_SWITCH_FILE": str(folder / "kill_switch"),
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self._gateways:
            if gateway.poll() is None:
                gateway.kill()
            gateway.communicate()

    def clone(self) -> None:
        """Put there what a clone has, and an environment as `make setup` leaves it."""
        for name in CLONED:
            source, target = ROOT / name, self._folder / name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        binaries = self._folder / ".venv" / "bin"
        binaries.mkdir(parents=True)
        for name in ("arbees", "python", "pip"):
            (binaries / name).symlink_to(Path(sys.executable).parent / name)
        (binaries / "activate").write_text(f'export PATH="{binaries}:$PATH"\n')
        (self._folder / ".venv" / ".ready").touch()
        self._environment["PATH"] = f"{binaries}:{self._environment['PATH']}"

    def type(self, block: str) -> str:
        """
        Type all commands of a block; return what they printed.

        Raises:
            AssertionError: one ended with another code than the page says.
        """
        printed = ""
        for command, promised in commands_of(block):
            if command.startswith("git clone"):
                self.clone()
            elif command.startswith("cd "):
                assert command.split()[1] == "arbees"
            elif command in {"arbees run", "make run"}:
                printed += self._run_gateway(command)
            else:
                printed += self._run(command, promised)
        return printed.replace(f":{self._port}", f":{PORT}")

    def _run(self, command: str, promised: int) -> str:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.replace(f":{PORT}", f":{self._port}")],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == promised, f"{command}: exit {done.returncode}\n{printed}"
        return printed

    def _run_gateway(self, command: str) -> str:
        log = self._folder / f"gateway-{len(self._gateways)}.log"
        with log.open("w") as file:
            gateway = subprocess.Popen(
                command.split(), cwd=self._folder, env=self._environment, stderr=file, text=True
            )
        self._gateways.append(gateway)
        end = time.monotonic() + READY_SECONDS
        while "Ready on" not in log.read_text():
            assert gateway.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        return log.read_text()


def holds(printed: str, shown: str) -> str | None:
    """
    Return the first line of a block that was not printed, None if all were, in order.

    Args:
        printed: what commands printed.
        shown: what the page shows of it; `...` stands for anything within a line, blanks are not
            compared.
    """
    rest = " ".join(printed.split())
    for line in shown.splitlines():
        parts = [" ".join(part.split()) for part in line.split("...")]
        for part in parts:
            place = rest.find(part)
            if place < 0:
                return line
            rest = rest[place + len(part) :]
    return None
