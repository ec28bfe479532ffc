"""The names on the pages are those of the code: commands, options, settings, codes, paths."""

import importlib
import re
from collections.abc import Iterator
from functools import cache

from arbees.api.http.app import build_app
from arbees.api.http.context import Context
from arbees.api.http.problem_codes import PROBLEM_CODES
from arbees.core.language.codes import CODES
from arbees.core.language.words import HaltSource, OrderStatus, TradingState
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.telemetry.alerts.board import AlertName
from arbees.telemetry.metrics.catalogue import CATALOGUE
from tests.docs.pages import ROOT, name_of, pages, prose_of, typed
from tests.docs.spoken import arguments, spoken, wrong_in

INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
NOT_OURS = {
    *("NO_COLOR", "SOURCE_DATE_EPOCH", "ARBEES_DATA_DIR"),
    *("RECEIPT_ID", "REQUEST_ID", "NAME_FILE", "PAPER_TRADIN"),
    "INCORRECT_API_KEY_SIGNATURE",
}
"""Names in capitals that are others', a reader's to fill in, or examples of a wrong name."""

NO_MODULES = {"toml", "cdx", "service", "alerts"}
"""What stands behind `arbees.` in the names of files and of the alerts' logger."""


def inline() -> Iterator[tuple[str, str]]:
    """Yield what stands in backticks, and every command, with the page's name."""
    for page in pages():
        for text in INLINE.findall(prose_of(page)):
            yield name_of(page), " ".join(text.split())
    yield from typed()


# Commands --------------------------------------------------------------------------------------


def test_commands_and_options_exist() -> None:
    """Every `arbees ...` that a page names could be typed: command, sub-command and options."""
    wrong = {
        f"{page}: {text}: {said}"
        for page, text in inline()
        for words in spoken(text)
        if (said := wrong_in(words)) is not None
    }
    assert not wrong, sorted(wrong)


def test_a_wrong_command_is_found() -> None:
    """The test above would notice a command, a sub-command and an option that are none."""
    assert wrong_in(["kill", "on|off", "--scope", "all"]) is None
    assert wrong_in(["submit", "FILE", "--json"]) is None
    assert wrong_in(["halt"]) == "no command halt"
    assert wrong_in(["kill", "of"]) == "no command kill of"
    assert wrong_in(["submit", "FILE", "--jsn"]) == "submit has no option --jsn"
    assert list(spoken("sudo arbees kill on && x | arbees submit -")) == [
        ["kill", "on"],
        ["submit", "-"],
    ]


# Files, names, paths ---------------------------------------------------------------------------


def test_files_exist() -> None:
    """Every file of the repository that a page names is there."""
    pattern = re.compile(r"^(?:src|tests|docs|tools|examples|benchmarks)/[\w./-]+$")
    wrong = [
        f"{page}: {text}"
        for page, text in inline()
        if pattern.match(text)
        and not re.search(r"/(test_)?x\.(py|md)$", text)
        and not (ROOT / text).exists()
    ]
    assert not wrong, wrong


@cache
def known_names() -> frozenset[str]:
    """Return every name in capitals that means something."""
    names: set[str] = {
        *Catalog(all_sections()).names,
        *CODES,
        *PROBLEM_CODES,
        *(name.value for name in AlertName),
    }
    names |= {status.value for status in OrderStatus} | {state.value for state in TradingState}
    names |= {source.value for source in HaltSource}
    return frozenset(names | arguments() | NOT_OURS)


def test_names_in_capitals_exist() -> None:
    """Every setting, code, alert and state that a page names is one."""
    wrong: set[str] = set()
    for page, text in inline():
        if page in {"CHANGELOG.md", "docs/reference/events.md"}:
            continue
        for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", text):
            if name not in known_names() and name.removesuffix("_FILE") not in known_names():
                wrong.add(f"{page}: {name}")
    assert not wrong, wrong


def test_paths_of_http_exist() -> None:
    """Every path of the interface that a page names is served."""
    routes = [getattr(route, "path", "") for route in build_app(Context(None), "127.0.0.1").routes]
    patterns = [re.compile(re.sub(r"\{[^}]*\}", "[^/]+", route) + r"/?$") for route in routes]
    wrong: set[str] = set()
    for page, text in inline():
        for path in re.findall(r"(/v1/[\w/{}-]*|/healthz|/readyz)", text):
            if not any(pattern.match(re.sub(r"\{[^}]*\}", "x", path)) for pattern in patterns):
                wrong.add(f"{page}: {path}")
    assert not wrong, wrong


def test_metrics_exist() -> None:
    """Every metric that a page names is in the catalogue."""
    known = {metric.name for metric in CATALOGUE}
    wrong = {
        f"{page}: {name}"
        for page, text in inline()
        for name in re.findall(r"(?<![\w/.-])arbees_[a-z_]+(?![\w/.-])", text)
        if name not in known and re.sub(r"_(bucket|sum|count)$", "", name) not in known
    }
    assert not wrong, wrong


def test_python_names_exist() -> None:
    """Every dotted name of the package that a page names can be imported."""
    wrong = set()
    for page, text in inline():
        for name in re.findall(r"(?<![\w/.-])arbees(?:\.[A-Za-z_]\w*)+(?![\w/.-])", text):
            if name.split(".")[1] not in NO_MODULES and not is_importable(name):
                wrong.add(f"{page}: {name}")
    assert not wrong, wrong


def is_importable(name: str) -> bool:
    """Return whether a dotted name is a module of the package, or something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False
