"""A setting that nothing reads is a build error; so is one that is described carelessly."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbees.core.language.setting import Setting, SettingKind
from arbees.settings import all_sections, load
from arbees.settings.catalog import Catalog
from arbees.settings.general import LATER
from arbees.settings.parse import UNITS
from arbees.venues.registry import VENUES

SOURCE = Path(__file__).resolve().parents[2] / "src" / "arbees"
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in SOURCE.rglob("*.py")
    if path.name != "reference.py"
}
CATALOG = Catalog(all_sections())


def reads(tree: ast.Module) -> Iterator[str]:
    """Yield the fields that a module reads, and the setting names that it asks for."""
    told = {
        id(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call | ast.AnnAssign)
        for value in declared(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def declared(node: ast.Call | ast.AnnAssign) -> Iterator[ast.expr]:
    """Yield the texts that declare settings, or list those of later."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "Setting":
            yield from (keyword.value for keyword in node.keywords)
    elif isinstance(node.value, ast.Dict) and ast.unparse(node.target) == "LATER":
        yield from (key for key in node.value.keys if key is not None)


READ = {word for tree in TREES.values() for word in reads(tree)}
READ |= {field for spec in VENUES.values() for field in (*spec.credentials, *spec.url_names)}
"""What a venue's spec names is asked for by name."""


def test_every_setting_is_read() -> None:
    """Each setting's field or name is read somewhere, but for those that are listed as later."""
    unread = {
        setting.name
        for _, field, setting in CATALOG.fields
        if field not in READ and setting.name not in READ
    }
    assert unread == set(LATER)


def test_unread_settings_are_told() -> None:
    """Setting what this version does not read is a warning, leaving it at its default is none."""
    assert load({"REDIS_URL": "redis://host"}).warnings == ()
    warnings = load({"ABSENCE_AFTER_SECS": "600"}).warnings
    assert [line.partition(" is set")[0] for line in warnings] == ["ABSENCE_AFTER_SECS"]


@pytest.mark.parametrize(
    "setting", CATALOG.settings.values(), ids=lambda setting: str(setting.name)
)
def test_every_setting_is_described(setting: Setting) -> None:
    """Each says what it does in a sentence; numbers state range and default, choices the words."""
    assert setting.doc.endswith(".")
    assert "\n" not in setting.doc
    if setting.kind in UNITS:
        assert setting.low is not None
        assert setting.high is not None
        assert setting.default
    if setting.kind is SettingKind.FLAG:
        assert setting.default
    if setting.kind is SettingKind.CHOICE:
        assert setting.choices
    assert not (setting.is_secret and setting.default)
