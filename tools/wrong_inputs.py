"""Write down what people type and send wrongly, and what they are told.

Guarantees that each message of `docs/reference/wrong-inputs.md` is one that a test has seen: the
page is made of the tables of those tests. `python -m tools.wrong_inputs` writes it anew below the
current directory; a test compares the committed page.
"""

import sys
from pathlib import Path

from tests.api.wrong_inputs import ALL as SENT
from tests.api.wrong_inputs import tables
from tests.cli.wrong_inputs import CASES as TYPED
from tests.cli.wrong_inputs import Wrong

PAGE = Path("docs/reference/wrong-inputs.md")

_HEAD = """\
# Wrong inputs

What people really type and send wrongly, and what Arbees says: each message names what was
expected, what came, and what to write instead. This page is made of the tables that the tests go
through, so that each message stands here as it is said.

A malformed request spends no key; a setting that is not understood refuses the start, with all
problems at once. See also [codes](codes.md), [settings](settings.md) and the
[command line](command-line.md).
"""
_OVER_HTTP = """\
## Over HTTP

An answer of 400 is malformed and spends no key; one of 200 is a denial, which is a decision. Words
such as `kalshi`, `YES` or `buy` are no mistake: they are read in any case. `...` stands for what
differs from call to call.

"""


def page() -> str:
    """Return the text of the page."""
    parts = [_HEAD, "## At the command line\n", f"{len(TYPED)} mistakes.\n"]
    parts += [_typed(case) for case in TYPED]
    parts += [f"{_OVER_HTTP}{len(SENT)} mistakes.\n", tables()]
    return "\n".join(parts)


def _typed(case: Wrong) -> str:
    return (
        f"**{case.title}** ends with {case.code}.\n\n```text\n$ {case.typed}\n{case.message}\n```\n"
    )


def write(folder: Path) -> None:
    """Write the page below a folder."""
    target = folder / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path())
    sys.stdout.write(f"{PAGE}\n")
