"""The recipe of the container image, and what the gateway does inside it.

The image itself is not built here: that needs a builder and a registry. So the recipe is read
instruction by instruction, what it sets is set for a gateway that runs here, and that gateway may
write nowhere but where the volume will be.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.docs.reader import free_port

ROOT = Path(__file__).resolve().parents[2]
DATA = "/data"
KNOWN = {
    *("ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE"),
    *("STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"),
}
WRITING = os.O_WRONLY | os.O_RDWR


class Instruction(NamedTuple):
    """One instruction of the recipe."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    """Return the recipe without comments, each instruction on one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines()]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage."""
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction.word == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def of(stage: list[Instruction], word: str) -> list[str]:
    """Return what stands behind a word in a stage."""
    return [instruction.rest for instruction in stage if instruction.word == word]


def test_every_instruction_is_known() -> None:
    """A word that no builder knows would end the build only there."""
    assert {instruction.word for instruction in instructions()} <= KNOWN


def test_two_stages_and_the_last_compiles_nothing() -> None:
    """What builds stays behind: the last stage installs no package of any kind."""
    build, last = stages()
    assert of(build, "FROM")[0].split(" AS ")[0] == of(last, "FROM")[0]
    assert re.search(r"(?m)^ARG PYTHON=3\.\d+-slim", (ROOT / "Dockerfile").read_text())
    assert not re.search(r"\b(apt-get|apk|pip|gcc|make)\b", " ".join(of(last, "RUN")))
    assert [rest for rest in of(last, "COPY") if not rest.startswith("--from=build ")] == []


def test_everything_that_is_installed_is_pinned() -> None:
    """Each install is of hashes out of a lock, or of our own wheel without anything else."""
    installs = [
        part
        for run in of(stages()[0], "RUN")
        for part in re.split(r"\s*&&\s*", run)
        if " install " in part
    ]
    assert len(installs) == 3
    for install in installs:
        is_locked = "--require-hashes --only-binary :all:" in install
        assert is_locked or install.endswith("install --no-deps --no-index dist/*.whl"), install


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    """Each source exists, and the list of what the builder may see lets it pass."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in rules
    for rest in of(stages()[0], "COPY"):
        *sources, _ = rest.split()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in rules, source


def test_nothing_else_reaches_the_builder() -> None:
    """No secret, no journal and no cache is sent: what passes is what is copied."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {part for rest in of(stages()[0], "COPY") for part in rest.split()[:-1]}
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied


def test_it_runs_as_nobody_in_particular() -> None:
    """The last stage ends as a numbered user that is not root, and owns only its data."""
    last = stages()[1]
    user = of(last, "USER")[-1]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    words = [instruction.word for instruction in last]
    assert words.index("USER") > max(i for i, word in enumerate(words) if word in {"RUN", "COPY"})
    assert of(last, "VOLUME") == [DATA]
    assert of(last, "STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(of(last, "ENTRYPOINT")[0]) == ["arbees"]
    assert json.loads(of(last, "CMD")[0]) == ["run"]


def surroundings() -> dict[str, str]:
    """Return what the last stage puts into the environment."""
    pairs = [part.split("=", 1) for rest in of(stages()[1], "ENV") for part in shlex.split(rest)]
    return {name: value for name, value in pairs if name != "PATH"}


def health_check() -> list[str]:
    """Return the command that asks for the health."""
    rest = of(stages()[1], "HEALTHCHECK")[0]
    assert re.match(r"--interval=\d+s --timeout=\d+s --start-period=\d+s --retries=\d+ +CMD ", rest)
    program, *arguments = json.loads(rest.split("CMD", 1)[1])
    assert program == "python"
    return [sys.executable, *arguments]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Run the gateway on the settings of the image; its data lies in a folder of the test's."""
    data = tmp_path / "data"
    data.mkdir()
    log = tmp_path / "log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(data),
        "TMPDIR": str(tmp_path / "nowhere"),
        "HTTP_PORT": str(free_port()),
        **{name: value.replace(DATA, str(data)) for name, value in surroundings().items()},
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "arbees", "run"],
            cwd=data,
            env=environment,
            stdout=file,
            stderr=file,
        )
    end = time.monotonic() + 60
    while b"Ready on" not in log.read_bytes():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    yield process, environment
    if process.poll() is None:
        process.kill()
    process.wait()


def open_for_writing(pid: int) -> set[str]:
    """Return the files that a process has open for writing."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            told = (entry.parent.parent / "fdinfo" / entry.name).read_text()
            target = str(entry.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile: a connection, or what a snapshot was read from
        flags = re.search(r"flags:\s*(\d+)", told)
        if flags and int(flags[1], 8) & WRITING and target.startswith("/"):
            found.add(target)
    return found


def test_it_writes_nowhere_but_in_its_volume(
    running: tuple[subprocess.Popen[bytes], dict[str, str]], tmp_path: Path
) -> None:
    """On the image's settings a read-only file system is no trouble: all that is open is data."""
    process, environment = running
    data = tmp_path / "data"
    own = {str(tmp_path / "log"), "/dev/null"}
    elsewhere = {
        path
        for path in open_for_writing(process.pid)
        if not path.startswith((f"{data}/", "/dev/shm", "/memfd:")) and path not in own
    }
    assert not elsewhere, elsewhere
    assert subprocess.run(health_check(), env=environment, check=False).returncode == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"data", "log"}
    assert (data / "arbees-paper.db").is_file()
    assert (data / "execution_audit.jsonl").is_file()


def test_a_dead_gateway_is_unhealthy() -> None:
    """Where nobody answers, the check fails."""
    environment = {"PATH": os.environ["PATH"], "HTTP_PORT": str(free_port())}
    done = subprocess.run(health_check(), env=environment, capture_output=True, check=False)
    assert done.returncode != 0


def test_the_example_for_compose() -> None:
    """It builds from here, on a read-only root without any privilege, with the data in a volume."""
    composed = msgspec.yaml.decode((ROOT / "deploy" / "compose.yaml").read_bytes())
    gateway = composed["services"]["gateway"]
    assert (ROOT / "deploy" / gateway["build"] / "Dockerfile").is_file()
    assert gateway["read_only"] is True
    assert gateway["cap_drop"] == ["ALL"]
    assert gateway["security_opt"] == ["no-new-privileges:true"]
    assert gateway["tmpfs"] == ["/tmp"]
    assert [volume.split(":") for volume in gateway["volumes"]] == [["data", DATA]]
    assert list(composed["volumes"]) == ["data"]
