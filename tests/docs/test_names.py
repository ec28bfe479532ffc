"""The names on the pages are those of the code: commands, options, settings, codes, paths."""

import re
from collections.abc import Iterator
from functools import cache

from arbees.api.app import build_app
from arbees.api.context import Context
from arbees.core.codes import CODES
from arbees.core.words import HaltSource, OrderStatus, TradingState
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.telemetry.alerts import AlertName
from tests.docs.pages import ROOT, name_of, pages, prose_of, typed
from tests.docs.spoken import spoken, wrong_in

INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
NOT_OURS = {
    *("UNSUPPORTED_MEDIA_TYPE", "METHOD_NOT_ALLOWED", "NOT_FOUND", "NOT_READY", "TOO_LARGE"),
    *("ACKNOWLEDGE_REQUIRED", "PAPER_ONLY", "HOST_REFUSED", "ORIGIN_REFUSED", "REQUEST_TIMEOUT"),
    *(
        "NO_COLOR",
        "SOURCE_DATE_EPOCH",
        "ARBEES_DATA_DIR",
        "RECEIPT_ID",
        "REQUEST_ID",
        "PAPER_TRADIN",
        "NAME_FILE",
    ),
}
"""Names in capitals that are HTTP's, the environment's, or examples."""


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
    names: set[str] = {*Catalog(all_sections()).names, *CODES, *(name.value for name in AlertName)}
    names |= {status.value for status in OrderStatus} | {state.value for state in TradingState}
    names |= {source.value for source in HaltSource}
    return frozenset(names | NOT_OURS)


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
