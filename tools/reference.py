"""Write down codes, events, metrics and the safeguards, each on a page of the documentation.

Guarantees that the pages say what the code says: they are made from `core/language/codes.py`, from
the classes and docstrings of events and safeguards, and from what `apply` does with an event; a
test compares the committed files. `python -m tools.reference` writes them anew below the current
directory. It fails where a class or a field that is journaled has nothing to be read about it.
"""

import ast
import importlib
import inspect
import itertools
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from arbees.core import events
from arbees.core.book import api_keys, market, open_order
from arbees.core.book.apply import _HANDLERS
from arbees.core.deciding import facts
from arbees.core.language import request
from arbees.core.language.code import Code, Unit
from arbees.core.language.codes import CODES
from arbees.safeguards import ALL
from tools.http_page import HTTP_PAGE, http_page
from tools.meanings import MEANINGS
from tools.metrics_page import metrics_page

CODES_PAGE = Path("docs/reference/codes.md")
EVENTS_PAGE = Path("docs/reference/events.md")
SAFEGUARDS_PAGE = Path("docs/safeguards/index.md")
METRICS_PAGE = Path("docs/reference/metrics.md")

SAFEGUARDS: tuple[str, ...] = tuple(getattr(each, "name", "") for each in ALL)

SPEAKERS = {
    "request": (
        "Before anything is decided. HTTP answers 400 and names the field; `arbees play` lists the "
        "line. No key is spent."
    ),
    "idempotency": (
        "The key is looked up before any safeguard runs; see "
        "[One key, one order](../explanation/one-key-one-order.md). Status `Rejected`, "
        "`rejected_by: gateway`."
    ),
    "access": "The API key was revoked while the request waited, or before an alternate was tried.",
    "venue": "The order reached the venue, which said no. Status `Rejected`, `rejected_by: venue`.",
    "dispatcher": (
        "Nothing reached the venue, provably. Status `Failed`; the same key may be used again with "
        "`attempt` one higher."
    ),
    "writer": (
        "HTTP answers 503: nothing was decided, and nothing was spent. An order that the gate "
        "stops during an orderly end carries `SHUTTING_DOWN` as a denial."
    ),
    "journal": (
        "See the runbook [JOURNAL_TROUBLE](../runbooks/journal-trouble.md). What was decided last "
        "is not known to be on disk."
    ),
}
"""What is said once for all codes of a speaker that is no safeguard."""

UNITS = {
    Unit.DOLLARS: "dollars",
    Unit.PRICE: "dollars a contract",
    Unit.CONTRACTS: "contracts",
    Unit.COUNT: "a number",
    Unit.SECONDS: "seconds",
    Unit.POINTS: "percentage points",
    Unit.TEXT: "text",
}

_CODES_HEAD = """\
# Codes

Every refusal has a code. Programs match the code; the sentence is for people and may change. The
list is closed: what is not on this page is never said. This page is made from
`core/language/codes.py`.

A request that is refused names **all** safeguards that deny it, in the order below, in `denials[]`;
the first of them is the headline, `code` and `rejection_reason`. Each line holds what was observed
and the limit, in the unit of the last column, and `until` where the denial lifts by itself. A
safeguard whose policy is `warn` says the same code in `warnings[]`, and the order passes.

What the gate stops between approval and the first byte carries the code of what stopped it
(`HALTED`, `REDUCE_ONLY`, `EXPIRED`, `AUTHORIZATION_EXPIRED`, `JOURNAL_FAILED`, `SHUTTING_DOWN`).
Codes of HTTP alone, such as `NOT_FOUND`, stand on the page of [the HTTP interface](http.md).
"""

_EVENTS_HEAD = """\
# Events

The body of a journal record is one event as JSON; `type` says which. State is the fold of these
events, for ever: a field is never renamed, and a new one has a default. This page is made from the
classes in `core/events.py` and from what `core/book/apply.py` does with each.

- Money, prices and quantities are integers in millionths (`650000` is 65 cents), names that end in
  `_ns` are nanoseconds UTC.
- A field at its default is left out of the JSON. `Finding` and `Reservation` are written as arrays,
  in the order of their fields.
- Sides are those of the market's key: on Polymarket the token that was seen first of a condition is
  Yes, whatever the request called it.
- `verdicts` holds what every safeguard said, in the order of evaluation:
  `[[verdict, code, observed, limit, headroom or until], ...]`. A [code](codes.md) names its
  safeguard.

Read them with any SQLite shell, or with
`arbees.journal.JournalReader`; see [The journal](../journal.md).
"""

_SAFEGUARDS_HEAD = """\
# The safeguards

Every request is judged by all of them, in this order; the first that denies is the headline, the
others are told with it. Before them the key is looked up
([One key, one order](../explanation/one-key-one-order.md)), after them stands the gate
([No bypass](../explanation/no-bypass.md)). Cancels pass everything; which orders that only reduce a
position pass is said on each page.

Each page begins with the danger that the safeguard is against, says exactly when it denies, and has
an example. Limits are inclusive: at the limit passes, one millionth above is denied.

"""

_SHAPES_HEAD = "## Shapes inside events"

SHAPES: tuple[type, ...] = (
    events.Finding,
    request.Request,
    request.Alternate,
    open_order.Reservation,
    facts.Facts,
    facts.Touch,
    facts.VenueHealth,
    market.Listing,
    api_keys.Caps,
)

CHANGES_NOTHING = "nothing; it is there to be read."
ENDS = "end the order; what it reserved is released."


# Codes -----------------------------------------------------------------------------------------


def codes_page() -> str:
    """Return the text of the page of codes."""
    by_speaker: dict[str, list[tuple[str, Code]]] = {}
    for name, code in CODES.items():
        by_speaker.setdefault(code.safeguard, []).append((name, code))
    order_of_speakers = [
        *(name for name in ("request", "idempotency") if name in by_speaker),
        *(name for name in SAFEGUARDS if name in by_speaker),
        *(name for name in by_speaker if name not in {"request", "idempotency", *SAFEGUARDS}),
    ]
    parts = [_CODES_HEAD]
    parts += [_speaker(name, by_speaker[name]) for name in order_of_speakers]
    return "\n".join(parts)


def _speaker(name: str, codes: list[tuple[str, Code]]) -> str:
    if name in SAFEGUARDS:
        said = f"See the safeguard [`{name}`](../safeguards/{name}.md)."
    else:
        said = SPEAKERS[name]
    rows = [
        f"| `{code}` | {_sentence(known.message)} | {known.remedy} | {UNITS[known.unit]} |"
        for code, known in codes
    ]
    head = "| code | what is said | what to do | unit |\n|---|---|---|---|"
    return f"## `{name}`\n\n{said}\n\n{head}\n" + "\n".join(rows) + "\n"


def _sentence(text: str) -> str:
    return text.replace("{observed}", "*observed*").replace("{limit}", "*limit*")


# Events ----------------------------------------------------------------------------------------


def all_events() -> tuple[type[msgspec.Struct], ...]:
    """Return every event in the order of its definition."""
    return typing.get_args(events.AnyEvent)


def events_page() -> str:
    """Return the text of the page of events."""
    parts = [_EVENTS_HEAD]
    parts += [_event(each) for each in all_events()]
    parts.append(_SHAPES_HEAD + "\n")
    parts += [_struct(each, level=3) for each in SHAPES]
    return "\n".join(parts)


def _event(event: type[msgspec.Struct]) -> str:
    return _struct(event, level=2, more=f"In the book: {_effect(event)}")


def _effect(event: type) -> str:
    handler = _HANDLERS.get(event)
    if handler is None:
        return CHANGES_NOTHING
    text = inspect.getdoc(handler)
    return ENDS if text is None else text[0].lower() + _paragraph(text)[1:]


def _struct(kind: type, *, level: int, more: str = "") -> str:
    said = _paragraph(inspect.getdoc(kind) or "")
    if not said:
        raise ValueError(f"Expected a docstring of {kind.__name__}, was none")
    parts = [f"{'#' * level} {kind.__name__}", said]
    if more:
        parts.append(more)
    rows = list(_rows(kind))
    if rows:
        parts.append("\n".join([TABLE_HEAD, *rows]))
    return "\n\n".join(parts) + "\n"


def _rows(kind: type) -> Iterator[str]:
    said = descriptions(kind)
    for field in msgspec.structs.fields(kind):
        meaning = said.get(field.name) or MEANINGS.get(field.name)
        if meaning is None:
            raise ValueError(f"Expected a meaning of {kind.__name__}.{field.name}, was none")
        default = "" if field.required else f"`{_default(field)}`"
        yield f"| `{field.name}` | {_annotation(kind, field.name)} | {default} | {meaning} |"


def _default(field: msgspec.structs.FieldInfo) -> str:
    """Return the default as it would stand in JSON."""
    value = field.default
    if value is msgspec.NODEFAULT:
        factory = typing.cast("Callable[[], object]", field.default_factory)
        value = factory()
    if isinstance(value, msgspec.Struct) and not value.__struct_config__.array_like:
        return "{}"
    return msgspec.json.encode(value).decode()


TABLE_HEAD = "| field | type | default | meaning |\n|---|---|---|---|"
WORDS = {"str": "text", "int": "integer", "bool": "true or false", "None": "null"}


def _annotation(kind: type, name: str) -> str:
    for owner in kind.__mro__:
        for node in _fields_of(owner):
            if ast.unparse(node.target) == name:
                return _readable(node.annotation)
    raise ValueError(f"Expected an annotation of {kind.__name__}.{name}, was none")


def _readable(node: ast.expr) -> str:
    """Return a type as people say it: `tuple[Finding, ...]` becomes `list of Finding`."""
    if isinstance(node, ast.BinOp):
        return f"{_readable(node.left)} or {_readable(node.right)}"
    if isinstance(node, ast.Subscript):
        owner = ast.unparse(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if owner == "dict":
            return f"object of {_readable(parts[1])}"
        if ast.unparse(parts[-1]) == "...":
            return f"list of {_readable(parts[0])}"
        return f"[{', '.join(_readable(part) for part in parts)}]"
    text = ast.unparse(node).replace("msgspec.Raw", "JSON")
    return WORDS.get(text, text)


def descriptions(kind: type) -> dict[str, str]:
    """Return what stands below each field of a class and of its bases, by the field's name."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        body = _body_of(owner)
        for node, following in itertools.pairwise(body):
            if not isinstance(node, ast.AnnAssign) or not isinstance(following, ast.Expr):
                continue
            if isinstance(following.value, ast.Constant) and isinstance(following.value.value, str):
                text = _paragraph(inspect.cleandoc(following.value.value))
                found[ast.unparse(node.target)] = text.replace("|", "\\|")
    return found


def _fields_of(owner: type) -> Iterator[ast.AnnAssign]:
    for node in _body_of(owner):
        if isinstance(node, ast.AnnAssign):
            yield node


def _body_of(owner: type) -> list[ast.stmt]:
    if not owner.__module__.startswith("arbees."):
        return []
    source = inspect.getsource(importlib.import_module(owner.__module__))
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == owner.__name__:
            return node.body
    return []


def _paragraph(text: str) -> str:
    """Return a docstring's first paragraphs as one line: what follows `Args:` is for programs."""
    return " ".join(text.split())


# Safeguards ------------------------------------------------------------------------------------


def safeguards_page() -> str:
    """Return the text of the list of safeguards, in the order of evaluation."""
    rows = ["| | safeguard | | codes |", "|---|---|---|---|"]
    for number, safeguard in enumerate(ALL, 1):
        name, codes = SAFEGUARDS[number - 1], getattr(safeguard, "codes", ())
        said = _paragraph(inspect.getdoc(safeguard) or "")
        listed = ", ".join(f"`{code}`" for code in codes)
        rows.append(f"| {number} | [{name}]({name}.md) | {said} | {listed} |")
    tree = "\n".join(["```{toctree}", ":hidden:", "", *SAFEGUARDS, "```"])
    return _SAFEGUARDS_HEAD + "\n".join(rows) + f"\n\n{tree}\n"


# Files -----------------------------------------------------------------------------------------

PAGES = {
    CODES_PAGE: codes_page,
    EVENTS_PAGE: events_page,
    SAFEGUARDS_PAGE: safeguards_page,
    METRICS_PAGE: metrics_page,
    HTTP_PAGE: http_page,
}


def write(folder: Path) -> None:
    """Write all pages below a folder."""
    for path, page in PAGES.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path())
    sys.stdout.write("".join(f"{path}\n" for path in PAGES))
