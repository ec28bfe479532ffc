"""`.env.example` and the reference say what the code says."""

from pathlib import Path

import pytest

from arbees.core.language.setting import SettingKind
from arbees.safeguards.authorization import Authorization
from arbees.settings import all_sections, load
from arbees.settings.catalog import Catalog
from arbees.settings.reference import (
    ENV_EXAMPLE,
    EXAMPLES,
    REFERENCE,
    TEMPLATE,
    env_example,
    reference_markdown,
    write,
)
from arbees.settings.sources.dotenv import read_dotenv

ROOT = Path(__file__).resolve().parents[2]
CATALOG = Catalog(all_sections())
REMEDY = "python -m arbees.settings.reference writes it anew"


@pytest.mark.parametrize(
    ("path", "text"), [(ENV_EXAMPLE, env_example()), (REFERENCE, reference_markdown())]
)
def test_committed_files_are_current(path: Path, text: str) -> None:
    """The committed files are what the settings' own descriptions make."""
    assert (ROOT / path).read_text(encoding="utf-8") == text, REMEDY


def test_writing_them(tmp_path: Path) -> None:
    """The command writes both below a folder."""
    write(tmp_path)
    assert (tmp_path / ENV_EXAMPLE).read_text() == env_example()
    assert (tmp_path / REFERENCE).read_text() == reference_markdown()


def test_example_sets_the_template_at_its_defaults(tmp_path: Path) -> None:
    """The example is read without a word, sets every setting of the template, changes nothing."""
    path = tmp_path / ".env"
    path.write_text(env_example())
    lines, bad = read_dotenv(env_example())
    assert bad == []
    assert [line.name for line in lines] == [n for names in TEMPLATE.values() for n in names]
    settings = load({}, path)
    assert settings.hash == load({}).hash
    assert settings.section(Authorization).paper_trading


def test_example_names_every_other_setting(tmp_path: Path) -> None:
    """Every further setting stands there commented out, at its default, and works as it stands."""
    text = env_example()
    for name in CATALOG.names - set(CATALOG.files):
        setting = CATALOG.settings[name]
        assert f"{name}={setting.default}\n" in text
    path = tmp_path / ".env"
    path.write_text(
        "\n".join(
            line.removeprefix("# ")
            for line in text.splitlines()
            if line.removeprefix("# ").partition("=")[0] in CATALOG.names
        )
    )
    assert load({}, path).hash == load({}).hash


def test_reference_names_every_setting() -> None:
    """The reference has one row for each setting and one example for each table."""
    text = reference_markdown()
    for name, setting in CATALOG.settings.items():
        if setting.kind is SettingKind.TABLE:
            assert f"### `[{name}]`\n" in text
        else:
            assert text.count(f"\n| `{name}` |") == 1
    assert set(EXAMPLES) == CATALOG.tables
