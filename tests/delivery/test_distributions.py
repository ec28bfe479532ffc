"""Wheel and sdist: what is in them, that they are made again byte for byte, and that they work."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from arbees import __version__

ROOT = Path(__file__).resolve().parents[2]
NAME = f"arbees-{__version__}"
MADE = {"_build", "__pycache__", "mutants", "var", "dist", ".venv", ".cache", ".git", ".hypothesis"}
"""Folders that commands make: nothing of them is shipped."""
TOP = ("LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile")
TREES = ("src", "tests", "tools", "benchmarks", "docs", "examples", "deploy", ".ci")
"""What a clone has, and the sdist too."""


class Built(NamedTuple):
    """Where the two files are."""

    sdist: Path
    wheel: Path


def build(source: Path, target: Path) -> Built:
    """Build both from a folder, offline, with what is installed here."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(target)],
        cwd=source,
        env={"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1769632200"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return Built(target / f"{NAME}.tar.gz", target / f"{NAME}-py3-none-any.whl")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return both, built from this checkout."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of sources that the sdist holds."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built.sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / NAME


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new environment with the wheel in it, which sees what is installed here besides."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = str(built.wheel)
    subprocess.run(
        [*pip, "--python", str(folder), "install", "--no-deps", "--no-index", wheel],
        check=True,
        timeout=60,
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(installed: Path, folder: Path, *command: str) -> str:
    """Run a command of the environment somewhere else; return what it prints."""
    done = subprocess.run(
        [str(installed / "bin" / command[0]), *command[1:]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(tree: Path) -> set[str]:
    """Return what people wrote below a folder of a checkout, relative to the checkout."""
    return {
        path.relative_to(tree.parent).as_posix()
        for path in tree.rglob("*")
        if path.is_file() and not MADE & set(path.parts[len(tree.parent.parts) :])
    }


def test_the_sdist_holds_what_a_clone_holds(unpacked: Path) -> None:
    """All that building, testing and reading need is there; nothing that was made is."""
    missing = [name for name in TOP if not (unpacked / name).is_file()]
    for tree in TREES:
        missing += sorted(written(ROOT / tree) ^ written(unpacked / tree))
    assert not missing, missing
    assert not MADE & {part for path in unpacked.rglob("*") for part in path.parts[-3:]}
    assert not list(unpacked.rglob("*.db")) + list(unpacked.rglob(".env"))


def test_made_again_byte_for_byte(built: Built, unpacked: Path, tmp_path: Path) -> None:
    """The sdist builds itself and the wheel anew, elsewhere, and both are the same bytes."""
    again = build(unpacked, tmp_path)
    for first, second in zip(built, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_what_the_wheel_holds(built: Built) -> None:
    """The package, the mark that it is typed, and the licence; no tests and no stray file."""
    with zipfile.ZipFile(built.wheel) as archive:
        names = set(archive.namelist())
    package = {name.removeprefix("src/") for name in written(ROOT / "src")}
    assert {name for name in names if name.startswith("arbees/")} == package
    assert "arbees/py.typed" in names
    assert f"{NAME}.dist-info/licenses/LICENSE" in names
    assert f"{NAME}.data/data/share/man/man1/arbees.1" in names
    assert {name.split("/")[0] for name in names} <= {
        "arbees",
        f"{NAME}.dist-info",
        f"{NAME}.data",
    }


def test_the_wheel_works_elsewhere(installed: Path, tmp_path: Path) -> None:
    """Installed away from the checkout, the command runs, and runs what was installed."""
    assert run(installed, tmp_path, "arbees", "--version") == f"{__version__}\n"
    where = run(installed, tmp_path, "python", "-c", "import arbees; print(arbees.__file__)")
    assert Path(where.strip()).is_relative_to(installed)


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The whole evening runs in an empty folder and leaves nothing there."""
    assert "Everything above holds." in run(installed, tmp_path, "arbees", "demo")
    assert not list(tmp_path.iterdir())


def test_the_sdist_tests_itself(unpacked: Path) -> None:
    """The tests of the sources run from the sdist against the sources of the sdist."""
    code = (
        "import sys, pytest, arbees; assert arbees.__file__.startswith(sys.argv[1]); "
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'tests/test_errors.py']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(unpacked)],
        cwd=unpacked,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
