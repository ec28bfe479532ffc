"""Made pages are current, runbooks and queries are whole, the front pages answer."""

import re
from pathlib import Path

import apsw
import pytest

from arbees.core.language.request import AlternateWire, RequestWire
from arbees.core.orders.result import Leg, Line, Result
from arbees.rehearsal.scene import stage
from arbees.telemetry.alerts.board import AlertName, Severity
from tests.docs.pages import DOCS, ROOT, blocks_of, pages
from tools import reference

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
