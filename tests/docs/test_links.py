"""Links lead somewhere, and every page is reached."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import DOCS, ROOT, blocks_of, name_of, pages, prose_of

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = re.compile(
    r"https?://[a-z0-9.-]+\.[a-z]{2,}(:\d+)?(/[\w./~%@+-]*)?(\?[\w=&%.-]*)?(#[\w-]*)?"
)
"""What an address of another site looks like; whether it answers is not asked."""


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


def test_addresses_are_addresses() -> None:
    """A link that leaves the repository is a whole address of the web or of mail."""
    wrong = [
        f"{name_of(page)}: {target}"
        for page in pages()
        for target in LINK.findall(prose_of(page))
        if re.match(r"[a-z]+:", target)
        and not OUTSIDE.fullmatch(target)
        and not re.fullmatch(r"mailto:[\w.+-]+@[\w.-]+", target)
    ]
    assert not wrong, wrong


def test_every_page_is_reached() -> None:
    """Each page below docs stands in the contents of a page that does, from the front page on."""
    reached, left = set(), [DOCS / "index.md"]
    while left:
        page = left.pop()
        if page in reached:
            continue
        reached.add(page)
        for block in blocks_of(page):
            if block.language == "{toctree}":
                left += [found for line in block.text.splitlines() for found in entries(page, line)]
    missing = {name_of(page) for page in pages() if DOCS in page.parents and page not in reached}
    assert not missing, missing


def entries(page: Path, line: str) -> list[Path]:
    """Return the pages that a line of a page's contents names."""
    if not line.strip() or line.startswith(":"):
        return []
    name = re.sub(r".*<(.*)>", r"\1", line.strip())
    return sorted(page.parent.glob(f"{name}.md"))
