"""What is said in two places is the same in both: files, settings, codes, commands.

A page of a safeguard that is gone, a code that nothing says and an
example that does not load are found here.
"""

import re
from pathlib import Path

from arbees.core.language.codes import CODES
from arbees.core.language.setting import Setting, SettingKind
from arbees.safeguards import ALL
from arbees.settings import all_sections, load
from arbees.settings.catalog import Catalog

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "arbees"
EXAMPLE = ROOT / ".env.example"
REFERENCE = ROOT / "docs" / "reference" / "settings.md"

CATALOG = Catalog(all_sections())


def test_pages_and_tests_belong_to_a_safeguard() -> None:
    """Every safeguard has its module, its test and its page, and no page is left over."""
    names = {safeguard.name for safeguard in ALL}  # type: ignore[attr-defined]
    modules = {path.stem for path in (SOURCE / "safeguards").glob("*.py")} - {"__init__"}
    pages = {path.stem for path in (ROOT / "docs" / "safeguards").glob("*.md")} - {"index"}
    tests = {path.stem for path in (ROOT / "tests" / "safeguards").glob("test_*.py")}
    assert modules == names
    assert pages == names
    assert {f"test_{name}" for name in names} <= tests


def example_lines() -> dict[str, str]:
    """Return what the example sets or shows behind a `#`, each name once."""
    found: dict[str, str] = {}
    pattern = r"(?m)^(?:# ?)?([A-Z][A-Z0-9_]+)=([^\s#]*)"
    for name, value in re.findall(pattern, EXAMPLE.read_text()):
        assert name not in found, f"{name} stands twice in .env.example"
        found[name] = value
    return found


def test_example_shows_every_setting_at_its_default() -> None:
    """The example names every setting with its default, and nothing that is none."""
    expected = {
        name: setting.default
        for name, setting in CATALOG.settings.items()
        if setting.kind is not SettingKind.TABLE
    }
    assert example_lines() == expected


def test_example_changes_nothing() -> None:
    """Copied as it stands, the example loads without a word and gives the defaults."""
    copied = load({}, dotenv_path=EXAMPLE)
    assert copied.warnings == ()
    assert copied.recorded() == load({}).recorded()


def test_every_setting_is_documented() -> None:
    """The reference names every setting with its default on one line."""
    lines = REFERENCE.read_text().splitlines()
    missing = [
        setting.name for setting in CATALOG.settings.values() if not is_documented(setting, lines)
    ]
    assert not missing, missing


def is_documented(setting: Setting, lines: list[str]) -> bool:
    """Return whether a line of the reference is about a setting."""
    if setting.kind is SettingKind.TABLE:
        return any(f"[{setting.name}" in line for line in lines)
    return any(f"`{setting.name}`" in line and setting.default in line for line in lines)


def test_every_code_is_said() -> None:
    """A code of the list is answered by some code."""
    text = "".join(
        path.read_text() for path in sorted(SOURCE.rglob("*.py")) if path.name != "codes.py"
    )
    silent = [code for code in CODES if f'"{code}"' not in text]
    assert not silent, silent


def test_every_code_is_documented() -> None:
    """A code that a caller may see is explained on some page."""
    pages = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    missing = [code for code in CODES if f"`{code}`" not in pages]
    assert not missing, missing


def test_makefile_knows_the_words() -> None:
    """Each word of the conventions is a documented target, and none else hides there."""
    text = (ROOT / "Makefile").read_text()
    documented = set(re.findall(r"(?m)^([a-z]+):.*## ", text))
    targets = set(re.findall(r"(?m)^\.PHONY: ([a-z]+)$", text))
    words = "setup demo run test check bench mutants torture recorded docs"
    assert documented == targets
    assert set(words.split()) <= documented
