"""The locks pin what the project asks for, each release by its hashes, and agree."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = PROJECT["project"]["dependencies"]
GROUPS = PROJECT["dependency-groups"]
ASKED = {
    "requirements-run.lock": RUN,
    "requirements.lock": [*RUN, *GROUPS["dev"]],
    "requirements-docs.lock": [*RUN, *GROUPS["docs"]],
    "requirements-release.lock": GROUPS["release"],
}
"""What each lock pins: the run, the tests, the documentation, the release."""
PIN = re.compile(
    r"([A-Za-z0-9._-]+)==([^\s;]+)(?:\s*;\s*([^\\]+?))?"
    r"\s*((?:\\\n\s+--hash=sha256:[0-9a-f]{64}\s*)+)"
)


@cache
def pins_of(name: str) -> dict[str, str]:
    """Return the releases that a lock pins; fail where a line of it is anything but a pin."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found: dict[str, str] = {canonicalize_name(pin[0]): pin[1] for pin in PIN.findall(text)}
    assert PIN.sub("", text).strip() == "", f"{name} holds more than releases with hashes"
    return found


@pytest.mark.parametrize("name", ASKED)
def test_every_dependency_is_pinned(name: str) -> None:
    """What pyproject.toml asks for is there in a release that it allows."""
    pins = pins_of(name)
    for line in ASKED[name]:
        asked = Requirement(line)
        pinned = pins.get(canonicalize_name(asked.name))
        assert pinned is not None, f"{name} lacks {asked.name}: make lock"
        assert asked.specifier.contains(pinned, prereleases=True), f"{asked} but {pinned}"


def test_every_lock_is_known() -> None:
    """A lock that nothing checks is none."""
    assert {path.name for path in ROOT.glob("*.lock")} == set(ASKED)


@pytest.mark.parametrize("name", sorted(set(ASKED) - {"requirements.lock"}))
def test_locks_agree(name: str) -> None:
    """A release that two locks pin is the same: what is shipped is what was tested."""
    tested = pins_of("requirements.lock")
    differing = {
        package: (release, tested[package])
        for package, release in pins_of(name).items()
        if package in tested and tested[package] != release
    }
    assert not differing, differing


def test_what_runs_was_tested() -> None:
    """Everything that the image installs is in the environment of the tests."""
    assert set(pins_of("requirements-run.lock")) <= set(pins_of("requirements.lock"))
