"""Denials for an operator to confirm or dispute: the part of `arbees replay --check-false-denials`.

Guarantees that every answer stands in the journal before it says so: through the gateway while one
writes it, straight into it otherwise. Only denials that are open are asked about; an answer may be
changed by name.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from arbees.cli.commands.prove import explain
from arbees.cli.shared import connection
from arbees.cli.shared.console import (
    out,
    pairs,
    plain,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import GatewayClient, Unreachable
from arbees.cli.shared.who import actor
from arbees.core.book.api_keys import REASON_MAX
from arbees.core.events import DenialReviewed, encode, kind
from arbees.core.language.codes import CODES, message
from arbees.core.language.ids import own
from arbees.core.language.strict_json import format_time
from arbees.core.orders.result import encode as encode_json
from arbees.core.orders.result import in_unit
from arbees.core.ports import Entry
from arbees.errors import JournalCorrupt, LeaseLost
from arbees.history.receipt import make_receipt
from arbees.interface.denial_reviews import (
    CONFIRMED,
    DISPUTED,
    KINDS,
    REVIEWS_MAX,
    Denial,
    Denials,
    fold,
)
from arbees.journal import JournalReader, SqliteJournal

PATH = "/v1/denials/reviews"
QUESTION = "[c]onfirm, [d]ispute, confirm the whole [g]roup, [s]kip, [q]uit? "


class Answers(NamedTuple):
    """What was given on the command line."""

    confirm: Sequence[str]
    dispute: Sequence[str]
    reason: str | None

    @property
    def are_given(self) -> bool:
        """Whether there is anything to record."""
        return bool(self.confirm or self.dispute)


class Journaled(NamedTuple):
    """Where answers were kept."""

    recorded: int
    sequence: int
    by: str


class _Failed(Exception):  # noqa: N818 - an expected outcome
    """Answers could not be kept, which was said."""

    def __init__(self, code: Exit) -> None:
        self.code = code
        super().__init__(code)


def read(path: Path) -> Denials:
    """Return the denials of a journal. Raises JournalCorrupt."""
    with JournalReader(path) as reader:
        try:
            return fold(reader.records_of_kinds(KINDS))
        except msgspec.MsgspecError as error:
            raise JournalCorrupt(f"Expected denials, one cannot be read: {error}") from error


def check(path: Path, answers: Answers, *, lines: int, as_json: bool) -> int:
    """
    List denials, take answers, ask where somebody sits at a terminal.

    Args:
        path: the journal.
        answers: as given on the command line.
        lines: how many open denials to list.
        as_json: print JSON; nothing is asked.
    """
    denials = read(path)
    kept: list[Journaled] = []
    try:
        if answers.are_given:
            kept = _keep_given(path, denials, answers)
            denials = read(path)
        elif not as_json and sys.stdin.isatty() and denials.where(None):
            _show(denials, 0)
            _ask(path, denials)
            denials = read(path)
    except _Failed as failed:
        return failed.code
    if as_json:
        print_json(_as_json(denials, kept))
    else:
        for each in kept:
            out(f"{each.recorded} recorded {each.by}, up to record {each.sequence}")
        _show(denials, lines)
    return Exit.OK


# Answers ---------------------------------------------------------------------------------------


def _keep_given(path: Path, denials: Denials, answers: Answers) -> list[Journaled]:
    reason = _reason(answers.reason)
    chosen: dict[int, tuple[Denial, str]] = {}
    for names, verdict in ((answers.confirm, CONFIRMED), (answers.dispute, DISPUTED)):
        for name in names:
            found = denials.named(name)
            if not found:
                say(f"There is no denial {plain(name)}: name a record, a request or a group")
                raise _Failed(Exit.USAGE)
            if "/" in name and any(each.group == name for each in found):
                found = [each for each in found if each.verdict is None]
            for denial in found:
                if chosen.setdefault(denial.sequence, (denial, verdict))[1] != verdict:
                    say(f"Record {denial.sequence} is confirmed and disputed: choose one of them")
                    raise _Failed(Exit.USAGE)
    return [keep(path, list(chosen.values()), reason)]


def keep(path: Path, chosen: Sequence[tuple[Denial, str]], reason: str) -> Journaled:
    """Record what is said of some denials; say what went wrong, and raise, if that fails."""
    who = actor()
    reviews = [
        DenialReviewed(
            request_id=denial.request_id,
            sequence=denial.sequence,
            verdict=verdict,
            reason=reason,
            actor=who,
        )
        for denial, verdict in chosen
    ]
    if not reviews:
        return Journaled(0, 0, "anywhere: none of them is open")
    try:
        return _append(path, reviews)
    except LeaseLost:
        return _send(path, reviews)


def _reason(text: str | None) -> str:
    reason = "" if text is None else text.strip()
    if not (0 < len(reason) <= REASON_MAX and reason.isprintable()):
        say(f"--reason: Expected printable text of 1 to {REASON_MAX} characters: why?")
        raise _Failed(Exit.USAGE)
    return reason


def _append(path: Path, reviews: Sequence[DenialReviewed]) -> Journaled:
    """Append to a journal that nobody writes. Raises LeaseLost: a gateway does."""
    with JournalReader(path) as reader:
        binding = reader.binding
    journal = SqliteJournal.open(
        path, account=binding.account, environment=binding.environment, mode=binding.mode
    )
    try:
        time_ns = max(journal.head.time_ns + 1, time.time_ns())
        head = journal.append(
            [
                Entry(time_ns + number, kind(review), encode(review), review.request_id)
                for number, review in enumerate(reviews)
            ]
        )
    finally:
        journal.close()
    return Journaled(len(reviews), head.sequence, "in the journal")


def _send(path: Path, reviews: Sequence[DenialReviewed]) -> Journaled:
    """Hand reviews to the gateway that writes the journal."""
    where = connection.find()
    client = GatewayClient(where)
    try:
        _require_same(path, client)
        sequence = 0
        for verdict in (CONFIRMED, DISPUTED):
            alike = [review for review in reviews if review.verdict == verdict]
            for begin in range(0, len(alike), REVIEWS_MAX):
                sequence = _post(client, alike[begin : begin + REVIEWS_MAX])
    except Unreachable as error:
        doubt = "whether it heard is not known" if error.is_sent else "nothing more was recorded"
        say(f"A gateway writes {path}, but at {where.url} none answers, {doubt}: {error}")
        raise _Failed(Exit.UNREACHABLE) from None
    return Journaled(len(reviews), sequence, f"by the gateway at {where.url}")


def _require_same(path: Path, client: GatewayClient) -> None:
    """Refuse to tell one gateway about the journal of another."""
    answer = client.get("/v1/status")
    if not answer.is_ok:
        say(answer.problem, style="red")
        raise _Failed(of_problem(answer.status))
    head = answer.json["journal"]
    with JournalReader(path) as reader:
        stored = reader.record(int(head["sequence"]))
    if stored is None or stored.hash.hex() != head["hash"]:
        say(
            f"The gateway at {client.url} writes another journal than {path}. Set ARBEES_URL to "
            "the one that writes it.",
            style="red",
        )
        raise _Failed(Exit.FAILURE)


def _post(client: GatewayClient, reviews: Sequence[DenialReviewed]) -> int:
    body = {
        "denials": [
            {"request_id": own(review.request_id), "sequence": review.sequence}
            for review in reviews
        ],
        "verdict": reviews[0].verdict,
        "reason": reviews[0].reason,
        "actor": reviews[0].actor,
    }
    answer = client.post(PATH, encode_json(body))
    if not answer.is_ok:
        say(answer.problem, style="red")
        raise _Failed(of_problem(answer.status))
    return int(answer.json["sequence"])


# At a terminal ---------------------------------------------------------------------------------


def _ask(path: Path, denials: Denials) -> None:
    """Ask about each open denial, with its explanation, until there is none or enough."""
    for denial in denials.where(None):
        if denial.verdict is not None:
            continue  # with its group, meanwhile
        _explain(path, denial)
        word = _answer(QUESTION)
        if word == "q":
            return
        if word == "s" or not word:
            continue
        group = [each for each in denials.where(None) if each.group == denial.group]
        chosen = group if word == "g" else [denial]
        verdict = DISPUTED if word == "d" else CONFIRMED
        reason = _answer(f"Why ({len(chosen)} {verdict})? ", is_word=False) or verdict
        kept = keep(path, [(each, verdict) for each in chosen], _reason(reason))
        for each in chosen:
            each.verdict = verdict
        say(f"{kept.recorded} recorded {kept.by}")


def _explain(path: Path, denial: Denial) -> None:
    with JournalReader(path) as reader:
        receipt = make_receipt(reader, denial.request_id)
    out("")
    if receipt is None:
        pairs(_pairs(denial))
    else:
        explain.show(receipt, [])


def _pairs(denial: Denial) -> list[tuple[str, object]]:
    return [
        ("Record", denial.sequence),
        ("Request", own(denial.request_id)),
        ("Denied by", denial.group),
        ("Why", sentence_of(denial)),
    ]


def _answer(question: str, *, is_word: bool = True) -> str:
    """Read one line from the terminal; the end of input is an end."""
    while True:
        sys.stderr.write(question)
        sys.stderr.flush()
        line = sys.stdin.readline(REASON_MAX + 2)
        if not line:
            return "q" if is_word else ""
        text = line.strip()
        if not is_word:
            return text
        if text.lower()[:1] in {"c", "d", "g", "s", "q", ""}:
            return text.lower()[:1]


# Looks -----------------------------------------------------------------------------------------


def sentence_of(denial: Denial) -> str:
    """Return the sentence of a denial."""
    if denial.message is not None:
        return denial.message
    if denial.code not in CODES:
        return denial.code
    return message(denial.code, denial.observed, denial.limit)


def _as_json(denials: Denials, kept: list[Journaled]) -> dict[str, Any]:
    return {
        "open": len(denials.where(None)),
        "confirmed": len(denials.where(CONFIRMED)),
        "disputed": len(denials.where(DISPUTED)),
        "recorded": [each._asdict() for each in kept],
        "groups": denials.groups(),
        "denials": [_line(each) for each in denials.all.values()],
    }


def _line(denial: Denial) -> dict[str, Any]:
    unit = CODES[denial.code].unit if denial.code in CODES else None
    return {
        "sequence": denial.sequence,
        "time": format_time(denial.time_ns),
        "request_id": own(denial.request_id),
        "safeguard": denial.safeguard,
        "code": denial.code,
        "observed": denial.observed if unit is None else in_unit(unit, denial.observed),
        "limit": denial.limit if unit is None else in_unit(unit, denial.limit),
        "message": sentence_of(denial),
        "verdict": denial.verdict,
        "reason": denial.reason or None,
        "actor": denial.actor or None,
    }


def _show(denials: Denials, lines: int) -> None:
    waiting = denials.where(None)
    if not denials.all:
        out(styled("Nothing was denied.", "green"))
        return
    rows = [
        (each.name, each.total, each.open, each.confirmed, each.disputed, each.first)
        for each in denials.groups()
    ]
    table(("Group", "All", "Open", "Confirmed", "Disputed", "First"), rows)
    listed = waiting[:lines]
    if listed:
        table(
            ("Record", "Request", "Why"),
            [(each.sequence, own(each.request_id), sentence_of(each)) for each in listed],
            "Open",
        )
    if waiting:
        more = f"; {len(waiting) - len(listed)} more" if len(waiting) > len(listed) else ""
        out(styled(f"{len(waiting)} open{more if listed else ''}", "yellow"))
        say("Answer at a terminal, or with --confirm or --dispute RECORD|REQUEST|GROUP --reason")
    else:
        out(styled("None is open.", "green"))
