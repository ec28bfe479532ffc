"""`arbees explain`: the life of a request on one screen; as JSON, its receipt.

Guarantees that it only reads the journal, beside a running gateway or without one, and that what it
shows is told from the records. A request that the journal does not know ends with 1.
"""

import re
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

from arbees.cli.shared.console import (
    Json,
    dollars,
    out,
    pairs,
    plain,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES
from arbees.core.language.ids import own, scoped
from arbees.core.language.strict_json import format_time
from arbees.core.language.words import Platform
from arbees.history.receipt import RequestReceipt, make_receipt
from arbees.history.timeline_shapes import Decided, Judged, Timeline
from arbees.journal import JournalReader
from arbees.settings import load_here

STYLES = {"deny": "bold red", "warn": "yellow"}
_HASH_SHOWN = 12
WIDTH = 79
_UNITS = {Unit.SECONDS: " s", Unit.POINTS: " points"}

app = App(name="explain")


@app.default
def explain(
    name: Annotated[
        str | None, Parameter(help="A request_id, or an order's id, the venue's or ours.")
    ] = None,
    /,
    *,
    key: Annotated[
        str | None, Parameter(help="An idempotency key instead; its last attempt is explained.")
    ] = None,
    journal: Annotated[
        Path | None, Parameter(help="The journal; by default the one of the settings.")
    ] = None,
    links: Annotated[
        bool,
        Parameter(
            negative="",
            help="With --json: every record up to the head too, which proves that the records lead "
            "there. They are of other requests as well.",
        ),
    ] = False,
    as_json: Json = False,
) -> int:
    """Explain what became of a request, and why: verdicts, what was sent, what came back.

    With --json it prints the receipt, which `arbees audit verify --receipt FILE` checks, without
    the journal too.

    Ends with 1 where the journal knows no such request.

    Example: `arbees explain req_abc123`

    Example: `arbees explain --key nba-2026-01-28-17 --json > receipt.json`
    """
    if (name is None) == (key is None):
        say("Expected a request_id (or an order's id), or --key KEY, one of the two")
        return Exit.USAGE
    path = journal or load_here().journal_path()
    with JournalReader(path) as reader:
        found = find(reader, name, key)
        if found is None:
            return _unknown(reader, name, key)
        request_id, how = found
        receipt = make_receipt(reader, request_id, has_links=links)
        attempts = [] if receipt is None else _attempts(reader, receipt.story)
    if receipt is None:
        return _unknown(reader, name, key)
    if as_json:
        print_json(receipt.document)
    else:
        if how:
            say(how)
        show(receipt, attempts)
    return Exit.OK


def find(reader: JournalReader, name: str | None, key: str | None) -> tuple[str, str] | None:
    """Return the id of the request that is meant, and how it was found if not by that."""
    if key is not None:
        row = reader.key(key) or reader.key(_scoped(reader, "idempotency_key", key) or key)
        return None if row is None else (row.request_id, "")
    assert name is not None
    if reader.request(name) is not None:
        return name, ""
    of_strategy = _scoped(reader, "request_id", name)
    if of_strategy is not None:
        return of_strategy, ""
    order = reader.order(name)
    if order is None:
        by_venue = (reader.order_by_venue_id(platform, name) for platform in Platform)
        order = next((each for each in by_venue if each is not None), None)
    if order is not None:
        return order.request_id, f"{name} is an order of request {order.request_id}"
    row = reader.key(name)
    if row is not None:
        return row.request_id, f"{name} is a key; its last attempt is request {row.request_id}"
    return None


def _scoped(reader: JournalReader, column: str, text: str) -> str | None:
    """Return the id of a strategy's own that is written like this, if there is one."""
    query = f"SELECT {column} FROM requests WHERE {column} LIKE ? ESCAPE ? ORDER BY 1"  # noqa: S608
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", scoped("", text))
    rows = reader.ask(query, (pattern, "\\"))
    return next((str(row[0]) for row in rows if own(row[0]) == text), None)


def _unknown(reader: JournalReader, name: str | None, key: str | None) -> int:
    what = f"key {key}" if name is None else f"request, order or key {name}"
    say(f"The journal {reader.path} knows no {what}", style="red")
    say("A malformed or undecided request leaves no record; --journal PATH names another journal")
    return Exit.FAILURE


def _attempts(reader: JournalReader, story: Timeline) -> list[str]:
    """Return the ids of all requests under the key, as far as the tables know them."""
    rows = reader.ask(
        "SELECT request_id FROM requests WHERE idempotency_key = ?",
        (story.request["idempotency_key"],),
    )
    return [own(row[0]) for row in rows if row[0] != story.request["request_id"]]


# On the screen ---------------------------------------------------------------------------------


def show(receipt: RequestReceipt, attempts: list[str]) -> None:
    """Print a story."""
    story = receipt.story
    pairs(_head(story, attempts))
    for decided in story.decisions:
        _show_decision(decided, is_only=len(story.decisions) == 1)
    _show_life(receipt)
    _show_around(story)


def _head(story: Timeline, attempts: list[str]) -> list[tuple[str, object]]:
    result, request = story.result, story.request
    asked = (
        f"{result.action} {result.requested_size} {result.side} of {result.market_id} at "
        f"{result.limit_price} on {result.platform}, {request.get('time_in_force', 'IOC')}"
    )
    named = f"{result.request_id}, key {result.idempotency_key}, attempt {result.attempt}"
    rows: list[tuple[str, object]] = [
        ("Request", named),
        ("Asked for", asked),
        ("By", ", ".join(_by(result.strategy, result.model_version, request))),
        ("Result", _result(story)),
    ]
    if result.rejection_reason:
        rows.append(("Why", styled(result.rejection_reason, "red")))
    if result.code in CODES:
        rows.append(("What to do", CODES[result.code].remedy))
    if story.original_request_id:
        rows.append(("Original", f"request {story.original_request_id}"))
    if attempts:
        rows.append(("Same key", ", ".join(sorted(attempts))))
    return rows


def _by(strategy: str | None, model: str | None, request: dict[str, Any]) -> list[str]:
    found = []
    if strategy:
        found.append(f"strategy {strategy}")
    if model:
        found.append(f"model {model}")
    if request.get("signal_id"):
        found.append(f"signal {request['signal_id']}")
    return found or ["nobody who gave a name"]


def _result(story: Timeline) -> Text:
    result = story.result
    parts = [str(result.status)]
    if result.filled_qty:
        parts.append(
            f"{result.filled_qty} filled at {result.avg_price}, fees {dollars(result.fees)}"
        )
    if result.code:
        parts.append(
            f"{result.code} by the {result.rejected_by}" if result.rejected_by else result.code
        )
    parts.append(f"{'final' if result.final else 'not final'} at record {result.sequence}")
    if isinstance(result.corrects, int):
        parts.append(f"corrects record {result.corrects}")
    style = "green" if result.filled_qty else "red" if result.code else "yellow"
    return styled(", ".join(parts), style)


def _show_decision(decided: Decided, *, is_only: bool) -> None:
    where = "" if is_only else f" of leg {decided.leg} ({decided.platform} {decided.market_id})"
    title = f"Decision{where} at record {decided.sequence}: {decided.outcome}"
    numbers = [each for each in decided.verdicts if _has_numbers(each)]
    numbers.sort(key=lambda each: each.verdict not in STYLES)
    rows = [
        (
            styled(each.verdict, STYLES.get(each.verdict, "green")),
            styled(each.code, STYLES.get(each.verdict, "")),
            _amount(each.code, each.observed),
            _amount(each.code, each.limit),
            _amount(each.code, each.headroom) or each.until or "",
        )
        for each in numbers
    ]
    if rows:
        table(("", "Test", "Value", "Limit", "Headroom or until"), rows, title)
    else:
        out(styled(title, "italic"))
    passed = [each for each in decided.verdicts if each.verdict == "pass" and each not in numbers]
    if passed:
        _lines(f"Also passed: {', '.join(each.code for each in passed)}")
    skipped: dict[str, list[str]] = {}
    for each in decided.verdicts:
        if each.verdict == "skipped":
            skipped.setdefault(each.why or "", []).append(each.code)
    if skipped:
        told = [f"{', '.join(codes)} ({why})" for why, codes in skipped.items()]
        _lines(f"Not applicable: {'; '.join(told)}", style="dim")


def _lines(text: str, *, style: str | None = None, indent: int = 2) -> None:
    """Print a text that may be long, folded at the edge of the screen."""
    for line in textwrap.wrap(
        plain(text), WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False
    ):
        out(line, style=style)


def _has_numbers(each: Judged) -> bool:
    return each.verdict in STYLES or each.observed is not None


def _amount(code: str, value: object) -> str:
    if value is None:
        return ""
    unit = CODES[code].unit if code in CODES else Unit.TEXT
    if isinstance(value, str):
        return value
    if unit is Unit.DOLLARS and isinstance(value, Decimal):
        return dollars(value)
    return f"{value}{_UNITS.get(unit, '')}"


def _show_life(receipt: RequestReceipt) -> None:
    """Print what happened, record by record, with its place in the journal."""
    story = receipt.story
    reserved = {each.sequence: each for each in story.reserved}
    came = {each.sequence: each for each in story.came}
    decided = {each.sequence: each for each in story.decisions}
    out(styled("Life", "italic"))
    for record in receipt.document["records"]:
        sequence = record["sequence"]
        held, says = reserved.get(sequence), ""
        if sequence in came:
            says = came[sequence].says
        elif sequence in decided:
            says = decided[sequence].code or decided[sequence].outcome
        if held is not None:
            says += (
                f"; reserved {dollars(held.cash)}" if held.cash or held.closing else "; released"
            )
        place = f"{sequence:>8} {_clock(record['time_ns'])} {record['hash'][:_HASH_SHOWN]}"
        told = says.removeprefix("; ")
        _lines(f"{place} {record['kind']}{': ' if told else ''}{told}", indent=11)
    head = receipt.document["head"]
    _lines(f"Head of the journal: record {head['sequence']}, {head['hash']}", style="dim")


def _clock(time_ns: int) -> str:
    return format_time(time_ns)[5:-1].replace("T", " ")


def _show_around(story: Timeline) -> None:
    for sent in story.sent:
        derived = "derived from account and key" if sent.is_derived else "NOT DERIVED from the key"
        _lines(f"Sent as {sent.client_order_id} ({derived})")
    for halt in story.halts:
        by = f"by {halt.source} ({halt.actor}): {halt.reason}"
        _lines(f"Halt at record {halt.sequence}: {halt.state} {halt.scope} {by}", style="red")
    for again in story.duplicates:
        _lines(f"Asked for again at record {again.sequence} as {again.request_id}: {again.code}")
    for review in story.reviews:
        _lines(f"{review.verdict.capitalize()} by {review.actor}: {review.reason}")
    if story.version:
        settings = (story.settings_hash or "")[:_HASH_SHOWN]
        _lines(f"Decided by version {story.version}, settings {settings}", style="dim")
