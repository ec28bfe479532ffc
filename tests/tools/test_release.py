"""What is released is what the lock pins, and the checksums are those of the files."""

import json
import subprocess
from pathlib import Path

import pytest

from tools import release

LOCK = """\
aiohttp==3.14.5 \\
    --hash=sha256:00
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:00
typing-extensions==4.16.0 \\
    --hash=sha256:00
"""


def parts(**releases: str) -> str:
    """Return a list of parts, with us among them."""
    named = {"arbees": "0.1.0", "aiohttp": "3.14.5", "typing_extensions": "4.16.0", **releases}
    components = [{"name": name, "version": each} for name, each in named.items() if each]
    return json.dumps({"components": components})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"colorama": "0.4.6"}, []),
        ({"colorama": "0.4.5"}, ["Expected colorama 0.4.6, was 0.4.5"]),
        ({"aiohttp": "3.14.4"}, ["Expected aiohttp 3.14.5, was 3.14.4"]),
        ({"aiohttp": ""}, ["Expected aiohttp 3.14.5, was not there"]),
        ({"left-pad": "1"}, ["Expected nothing but what is pinned, was left-pad"]),
    ],
)
def test_differences(changed: dict[str, str], said: list[str]) -> None:
    """Another release, a missing part and an additional one are named; other systems' may miss."""
    assert release.differences(LOCK, parts(**changed)) == said


def test_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums are written beside the files, and the usual command agrees with them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / release.LOCK).write_text(LOCK)
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "arbees-0.1.0.tar.gz").write_bytes(b"source")
    (folder / release.PARTS).write_text(parts())
    for _ in range(2):
        assert release.main(["dist"]) == 0
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", release.SUMS],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "arbees-0.1.0.tar.gz: OK\narbees.cdx.json: OK\n"


def test_nothing_is_written_where_something_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part in another release than the pinned one ends with 1, and without checksums."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / release.LOCK).write_text(LOCK)
    (tmp_path / release.PARTS).write_text(parts(aiohttp="1"))
    assert release.main(["."]) == 1
    assert "Expected aiohttp 3.14.5, was 1" in capsys.readouterr().err
    assert not (tmp_path / release.SUMS).exists()
    assert release.main([]) == 2
