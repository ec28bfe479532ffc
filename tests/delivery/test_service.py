"""The unit for systemd: what it runs, what it may do, and that systemd understands it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from arbees.cli.shared.exits import Exit
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "arbees.service"


def lines() -> list[tuple[str, str]]:
    """Return the assignments of the unit."""
    text = UNIT.read_text(encoding="utf-8")
    return re.findall(r"(?m)^([A-Za-z]+)=(.*)$", text)


def of(name: str) -> list[str]:
    """Return what a name is set to."""
    return [value for each, value in lines() if each == name]


def test_what_it_runs() -> None:
    """The command is there, not as root, and its settings are settings."""
    assert of("ExecStart") == ["/opt/arbees/bin/arbees run"]
    assert of("User") == of("Group") == ["arbees"]
    known = Catalog(all_sections()).names
    for assignment in of("Environment"):
        assert assignment.split("=")[0] in known


def test_where_it_writes() -> None:
    """Every file that it is told of lies in a folder that systemd makes for it."""
    folders = (f"/var/lib/{of('StateDirectory')[0]}/", f"/var/log/{of('LogsDirectory')[0]}/")
    for assignment in of("Environment"):
        assert assignment.split("=")[1].startswith(folders)
    assert of("ProtectSystem") == ["strict"]


def test_what_is_not_started_again() -> None:
    """An end that only a person can mend stays an end; any other is a crash that recovers."""
    ends = {Exit.USAGE, Exit.CORRUPT, Exit.NO_PERMISSION, Exit.BAD_SETTINGS}
    assert {int(code) for code in of("RestartPreventExitStatus")[0].split()} == set(ends)
    assert of("Restart") == ["on-failure"]


def test_systemd_understands_it(tmp_path: Path) -> None:
    """Where systemd is at hand it has nothing to say; elsewhere each line is an assignment."""
    text = UNIT.read_text(encoding="utf-8")
    for line in text.splitlines():
        assert not line or re.match(r"#|\[(Unit|Service|Install)\]$|[A-Z][A-Za-z]+=", line), line
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    here = Path(sys.executable).parent / "arbees"
    unit = tmp_path / UNIT.name
    text = text.replace("/opt/arbees/bin/arbees", str(here))
    unit.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
    done = subprocess.run(
        [program, "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
