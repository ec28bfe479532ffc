"""The documentation says what is: links lead somewhere, names exist, made pages are current."""

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import apsw
import pytest

from arbees.api.app import build_app
from arbees.api.context import Context
from arbees.cli.main import COMMANDS
from arbees.core.codes import CODES
from arbees.core.request import AlternateWire, RequestWire
from arbees.core.result import Leg, Line, Result
from arbees.core.words import HaltSource, OrderStatus, TradingState
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.telemetry.alerts import AlertName, Severity
from arbees.testing.scene import stage
from tests.docs.pages import DOCS, ROOT, blocks_of, pages, prose_of
from tools import reference

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`([^`\n]+)`")
NOT_OURS = {
    *("UNSUPPORTED_MEDIA_TYPE", "METHOD_NOT_ALLOWED", "NOT_FOUND", "NOT_READY", "TOO_LARGE"),
    *("ACKNOWLEDGE_REQUIRED", "PAPER_ONLY", "HOST_REFUSED", "ORIGIN_REFUSED", "REQUEST_TIMEOUT"),
    *("NO_COLOR", "ARBEES_DATA_DIR", "RECEIPT_ID", "REQUEST_ID", "PAPER_TRADIN", "NAME_FILE"),
}
"""Names in capitals that are HTTP's, the environment's, or examples."""


def slug(title: str) -> str:
    """Return the anchor of a title, as MyST makes it."""
    text = re.sub(r"[`*\[\]]|\([^)]*\)", "", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def links() -> Iterator[tuple[Path, str]]:
    """Yield each link of each page that does not leave the repository."""
    for page in pages():
        for target in LINK.findall(prose_of(page)):
            if not re.match(r"[a-z]+:", target):
                yield page, target


def test_links_lead_somewhere() -> None:
    """Every link to a file, and to a title in it, finds it."""
    broken: list[str] = []
    for page, link in links():
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            broken.append(f"{page.relative_to(ROOT)}: {link}")
        elif anchor and target.suffix == ".md":
            titles = re.findall(r"(?m)^#+ (.+)$", target.read_text(encoding="utf-8"))
            if anchor not in {slug(title) for title in titles}:
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert not broken, broken


def inline() -> Iterator[tuple[str, str]]:
    """Yield what stands in backticks, and in shell blocks, with the page's name."""
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        for text in INLINE.findall(prose_of(page)):
            yield name, text
        for block in blocks_of(page):
            if block.language in {"sh", "console"}:
                for line in block.text.splitlines():
                    yield name, line


def test_commands_exist() -> None:
    """Every `arbees ...` that a page names is a command, and its sub-command too."""
    wrong: set[str] = set()
    for page, text in inline():
        for name, sub in re.findall(r"\barbees ([a-z]+)(?: ([a-z]+)\b)?", text):
            if name not in COMMANDS:
                wrong.add(f"{page}: {text}")
            elif sub and name in {"kill", "audit", "config"}:
                module = importlib.import_module(f"arbees.cli.{name}")
                if not callable(getattr(module, sub, None)):
                    wrong.add(f"{page}: {text}")
    assert not wrong, wrong


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


# Reference -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", reference.PAGES, ids=str)
def test_generated_pages_are_current(path: Path) -> None:
    """The committed page is what the code makes; `python -m tools.reference` writes it anew."""
    assert (ROOT / path).read_text(encoding="utf-8") == reference.PAGES[path]()


def test_writing_generated_pages(tmp_path: Path) -> None:
    """The command writes all of them below a folder."""
    reference.write(tmp_path)
    assert [path for path in reference.PAGES if not (tmp_path / path).is_file()] == []


def test_every_field_of_requests_and_results_is_named() -> None:
    """The page of requests and results names each field that goes in or comes out."""
    text = (DOCS / "reference" / "results.md").read_text(encoding="utf-8")
    fields = {
        field
        for shape in (RequestWire, AlternateWire, Result, Line, Leg)
        for field in shape.__struct_fields__
    }
    assert [field for field in sorted(fields) if not re.search(rf"\b{field}\b", text)] == []


# Runbooks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [name for name in AlertName if name.severity is Severity.CRITICAL], ids=str
)
def test_every_critical_alert_has_a_runbook(name: AlertName) -> None:
    """The page is named like the alert, is linked from the list, and says what to do."""
    page = DOCS / "runbooks" / f"{name.value.lower().replace('_', '-')}.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {name.value}\n")
    for title in (
        *("What it means", "What the gateway has done already", "What to look at"),
        *("What to decide", "What not to do"),
    ):
        assert f"## {title}" in text, title
    assert f"[{name.value}]({page.name})" in (page.parent / "index.md").read_text(encoding="utf-8")


async def test_queries_run(tmp_path: Path) -> None:
    """Every query that a page shows runs on a journal with something of each kind in it."""
    async with stage(folder=tmp_path) as scene:
        await scene.quote()
        await scene.ask()
        await scene.ask(size="500")
    connection = apsw.Connection(str(tmp_path / "journal.db"), flags=apsw.SQLITE_OPEN_READONLY)
    book = apsw.Connection(str(tmp_path / "paper.db"), flags=apsw.SQLITE_OPEN_READONLY)
    count = 0
    for page in pages():
        for block in blocks_of(page):
            if block.language == "sql":
                of_book = "FROM fills" in block.text
                (book if of_book else connection).execute(block.text).fetchall()
                count += 1
    connection.close()
    book.close()
    assert count >= 6


# Front pages -----------------------------------------------------------------------------------


def test_the_front_page_answers_the_four_questions() -> None:
    """Each question stands there with a link to its answer."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    for question, answer in {
        "Why was this denied?": "reference/codes.md",
        "What is written to disk, and when?": "explanation/life-of-a-request.md",
        "What happens on a timeout?": "explanation/why-unknown-is-a-state.md",
        "How do I stop everything?": "how-to/stop-everything.md",
    }.items():
        paragraph = text.split(f"**{question}**")[1].split("\n\n")[0]
        assert f"({answer})" in paragraph, question


def test_the_readme_fits_a_screen_or_two() -> None:
    """Nobody has to scroll far to a first trade."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80
    assert lines.index("## Two minutes to a first paper trade") <= 10
