"""Write down who may ask for what: the table of scopes in the guide to API keys.

Guarantees that the page says what is enforced: the table is made from the one of endpoints, and a
test asks a gateway for each of its cells. `python -m tools.access_table` writes it anew below the
current directory. It fails where the page has no place for it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from arbees.api.http.endpoint import Endpoint
from arbees.api.table import ENDPOINTS
from arbees.core.language.words import KeyScope

PAGE = Path("docs/how-to/api-keys.md")
BEGIN, END = "<!-- table of scopes -->", "<!-- end of the table -->"
OPEN = "nobody needs a key"
SIGHTS = {"own": "its own", "shared": "as any key", "account": "no"}
SWITCH = "`POST /v1/kill-switch`"
YES, BOTH = "yes", "both"

_SWITCHES = (
    (f"{SWITCH} `ENABLE`", {"halt": YES}, "any scope"),
    (f"{SWITCH} `REDUCE`", {"halt": YES}, "any scope"),
    (
        f"{SWITCH} `REDUCE` of what the same source halted",
        {"halt": BOTH, "resume": BOTH},
        "its own",
    ),
    (f"{SWITCH} `DISABLE`", {"resume": YES}, "its own"),
)
"""What the handler of the kill switch asks for besides the table of endpoints."""


_ALL_OF = frozenset({"flatten"})
"""Operations that need all of their scopes, which the handler sees to."""


def rows() -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield what is asked for, the cell of each scope that has one, and what bound keys may."""
    for endpoint in ENDPOINTS:
        if endpoint.operation == "switch":
            yield from _SWITCHES
        elif endpoint.operation in _ALL_OF:
            name, cells, bound = _row(endpoint)
            yield name, dict.fromkeys(cells, BOTH), bound
        else:
            yield _row(endpoint)


def _row(endpoint: Endpoint) -> tuple[str, dict[str, str], str]:
    name = f"`{endpoint.method} {endpoint.template}`"
    if not endpoint.scopes:
        return name, dict.fromkeys(KeyScope, YES), OPEN
    return name, dict.fromkeys(endpoint.scopes, YES), SIGHTS[endpoint.sight]


def table() -> str:
    """Return the table."""
    head = ["| | " + " | ".join(f"`{scope}`" for scope in KeyScope) + " | key of one strategy |"]
    head.append("|---" * (len(KeyScope) + 2) + "|")
    lines = [
        f"| {name} | {' | '.join(cells.get(scope, '') for scope in KeyScope)} | {bound} |"
        for name, cells, bound in rows()
    ]
    return "\n".join([*head, *lines]) + "\n"


def page(text: str) -> str:
    """Return the page with the table of now. Raises ValueError where there is no place for it."""
    pattern = re.compile(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}")
    if pattern.search(text) is None:
        raise ValueError(f"Expected {BEGIN} and {END} in {PAGE}")
    return pattern.sub(lambda _: f"{BEGIN}\n{table()}{END}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
