"""What commands say is taken apart without loss, and each says enough."""

import pytest

from arbees.cli.main import build
from arbees.cli.shared.texts import (
    CommandPage,
    Taken,
    pages,
    parts_of,
)

ALL = list(pages(build()))


def test_docstring_is_taken_apart() -> None:
    """Sentence, further paragraphs, exit codes and examples are told apart, lines joined."""
    said = parts_of(
        """Do a
        thing.

        It matters.

        Ends with 3 where
        it was not done.

        Example: `arbees do`

        Example: `arbees do --twice > file`
        """
    )
    assert said.sentence == "Do a thing."
    assert said.more == ("It matters.",)
    assert said.ends == "Ends with 3 where it was not done."
    assert said.examples == ("arbees do", "arbees do --twice > file")
    assert said.about == "Do a thing.\n\nIt matters.\n\nEnds with 3 where it was not done."


def test_page_has_all_that_is_typed() -> None:
    """Arguments, options, short names, values and defaults are on a command's page."""
    page = next(page for page in ALL if page.words == ("audit", "tail"))
    assert page.usage == "arbees audit tail [OPTIONS]"
    lines, follow, *_ = page.taken
    assert lines == Taken(("--lines", "-n"), "INT", lines.about, "20", is_required=False)
    assert (follow.names, follow.value, follow.default) == (("--follow", "-f"), "", "")
    usages = {page.words: page.usage for page in ALL}
    assert usages["submit",] == "arbees submit FILE [OPTIONS]"
    assert usages["audit",] == "arbees audit COMMAND"
    assert usages["orders",] == "arbees orders [COMMAND] [OPTIONS]"
    assert usages["authorize",] == "arbees authorize --reason STR [OPTIONS]"


@pytest.mark.parametrize("page", ALL, ids=lambda page: " ".join(page.words) or "arbees")
def test_every_command_says_enough(page: CommandPage) -> None:
    """A sentence, a meaning for every parameter, and an example that runs this very command."""
    assert page.said.sentence.endswith(".")
    assert not [each.names for each in page.taken if not each.about]
    if not page.is_group:
        typed = " ".join(("arbees", *page.words))
        assert page.said.examples
        assert not [example for example in page.said.examples if typed not in example]
