"""Files come together or not at all."""

import stat
from pathlib import Path

import pytest

from arbees.cli.shared.file_set import NewFile, place


def files(folder: Path) -> list[NewFile]:
    """Return two files to place."""
    return [NewFile(folder / "a", "new a", 0o600), NewFile(folder / "b", "new b", 0o640)]


def content(folder: Path) -> dict[str, str]:
    """Return what lies in a folder."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def test_places_both(tmp_path: Path) -> None:
    """Both are there with their permissions, and nothing else."""
    assert place(files(tmp_path)) == []
    assert content(tmp_path) == {"a": "new a", "b": "new b"}
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o600, 0o640]


@pytest.mark.parametrize("name", ["a", "b"])
def test_overwrites_nothing(name: str, tmp_path: Path) -> None:
    """Where one is there, neither is written."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=name):
        place(files(tmp_path))
    assert content(tmp_path) == {name: "mine"}


def test_overwrites_when_asked(tmp_path: Path) -> None:
    """What was there is kept beside, a link as a link."""
    (tmp_path / "target").write_text("elsewhere")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    (tmp_path / "b").write_text("mine")
    assert place(files(tmp_path), overwrite=True) == [tmp_path / "a.old", tmp_path / "b.old"]
    assert content(tmp_path) == {
        "a": "new a",
        "a.old": "elsewhere",
        "b": "new b",
        "b.old": "mine",
        "target": "elsewhere",
    }


def test_failure_leaves_what_was(tmp_path: Path) -> None:
    """Where the second cannot be placed, the first is as it was, and no draft is left."""
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").write_text("mine too")
    (tmp_path / "b.old").mkdir()
    with pytest.raises(OSError, match=r"b\.old"):
        place(files(tmp_path), overwrite=True)
    assert content(tmp_path) == {"a": "mine", "b": "mine too"}


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is made where nothing can be."""
    with pytest.raises(FileNotFoundError):
        place(files(tmp_path / "nowhere"))
    assert content(tmp_path) == {}
