"""`arbees audit verify|head|tail|export`: prove journal and receipts, follow the audit log.

Guarantees that it only reads, beside a running gateway or without one, and that a journal that is
not what was written ends with 65 and the number of the first bad record.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from arbees.cli.commands.prove import receipts
from arbees.cli.shared.console import (
    Json,
    out,
    pairs,
    plain,
    print_bytes,
    print_json,
    say,
    styled,
)
from arbees.cli.shared.exits import Exit
from arbees.core.language.strict_json import format_time, parse_time
from arbees.journal import JournalReader, Verification, VerifierReport, implied_by_events
from arbees.journal.proof.witness import NotedRecord, parse_known
from arbees.settings import load_here
from arbees.telemetry.audit.files import AuditFiles
from arbees.telemetry.audit.line import encode as encode_line
from arbees.telemetry.audit.proof import AuditReport as Completeness
from arbees.telemetry.audit.proof import export as lines_of
from arbees.telemetry.audit.proof import missing
from arbees.telemetry.audit.reading import AuditTail, last_lines

LINES = 20
POLL_SECONDS = 0.2

Journal = Annotated[Path | None, Parameter(help="The journal; by default the one of the settings.")]

app = App(name="audit", help="Verify the journal; follow and export the audit log.")


@app.command
def verify(
    journal: Journal = None,
    *,
    log: Annotated[
        Path | None, Parameter(help="Compare this audit log (and its rotated files) too.")
    ] = None,
    receipt: Annotated[
        Path | None,
        Parameter(
            help="Verify this receipt of `arbees explain --json` instead; - reads stdin.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    head: Annotated[
        str | None,
        Parameter(
            help="SEQUENCE:HASH of a record, as noted elsewhere: it must be there, unchanged."
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Verify a journal: every record's hash, the witness, the tables, the file itself.

    Says what that proves and what it does not, and names the first bad record where something does
    not fit. Works beside a running
    gateway. With --receipt it is the receipt that is verified: by itself, and against the journal
    too if one is named.

    Ends with 65 where the journal, the audit log that is compared with it, or the receipt is not
    whole.

    Example: `arbees audit verify`

    Example: `arbees audit verify --receipt receipt.json`

    Example: `arbees audit verify --receipt receipt.json --journal var/arbees-paper.db`

    Example: `arbees audit verify var/arbees-paper.db --log var/execution_audit.jsonl`

    Example: `arbees audit verify --head 1042:HASH`
    """
    if receipt is not None:
        return receipts.verify(receipt, journal=journal, head=head, as_json=as_json)
    path = journal or load_here().journal_path()
    report = _verify(path, None if head is None else parse_known(head))
    compared = _compare(path, log) if log is not None and report.is_intact else None
    if as_json:
        print_json(_as_json(report, compared))
    else:
        _show(report)
        if compared is not None:
            _show_compared(compared)
    is_good = report.is_intact and (compared is None or compared.is_complete)
    return Exit.OK if is_good else Exit.CORRUPT


def _verify(path: Path, known: NotedRecord | None) -> VerifierReport:
    walk = Verification(path, index_of=implied_by_events(), known=known)
    console = Console(file=sys.stderr)
    bar = Progress(
        TextColumn("Verifying"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task("verify", total=None)
    with bar:
        for step in walk.steps():
            bar.update(task, completed=step.done, total=step.total)
    return walk.report()


def _compare(path: Path, log: Path) -> Completeness:
    files = AuditFiles(log).all()
    with JournalReader(path) as reader:
        return missing(reader, files)


def _as_json(report: VerifierReport, compared: Completeness | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "intact": report.is_intact,
        "path": report.path,
        "records": report.records,
        "sequence": report.head.sequence,
        "hash": report.head.hash.hex(),
        "epoch": report.epoch,
        "binding": report.binding,
        "snapshots": report.snapshots,
        "first_bad_record": report.first_bad,
        "findings": report.findings,
        "findings_omitted": report.findings_omitted,
        "notes": report.notes,
        "proved": report.proved,
        "not_proved": report.not_proved,
        "index_proved": report.is_index_proved,
    }
    if compared is not None:
        found["audit_log"] = {"complete": compared.is_complete} | msgspec.structs.asdict(compared)
    return found


def _show(report: VerifierReport) -> None:
    binding = report.binding
    bound = "-" if binding is None else f"{binding.account}@{binding.environment}, {binding.mode}"
    last = format_time(report.head.time_ns) if report.records else "-"
    pairs(
        [
            ("Journal", report.path),
            ("Bound to", bound),
            ("Records", f"{report.records}, the last of {last}"),
            ("Hash", report.head.hash.hex()),
            ("Snapshots", report.snapshots),
        ]
    )
    for note in report.notes:
        say(f"Note: {note}", style="yellow")
    if report.is_intact:
        out(styled("Intact: nothing in it contradicts anything else.", "green"))
        for claim in report.proved:
            out(styled(f"Proved: {claim}", "green"))
        for claim in report.not_proved:
            out(styled(f"Not proved: {claim}", "yellow"))
        return
    bad = "no record in particular" if report.first_bad is None else f"record {report.first_bad}"
    say(f"CORRUPT, first bad: {bad}", style="bold red")
    for finding in report.findings:
        where = "" if finding.sequence is None else f"record {finding.sequence}: "
        say(f"  {finding.code}: {where}{finding.message}", style="red")
    if report.findings_omitted:
        say(f"  and {report.findings_omitted} more", style="red")


def _show_compared(compared: Completeness) -> None:
    if compared.is_complete:
        out(styled("The audit log holds every line of it, each once.", "green"))
        return
    say(
        f"The audit log is not complete: {compared.missing} missing, {compared.twice} twice, "
        f"{compared.changed} changed, {compared.foreign} foreign",
        style="bold red",
    )
    for finding in compared.findings:
        say(f"  {finding.kind}: record {finding.sequence}: {finding.text}", style="red")


@app.command(name="head")
def show_head(journal: Journal = None, /, *, as_json: Json = False) -> int:
    """Print number and hash of the newest record: what to keep elsewhere, and compare with later.

    Example: `arbees audit head var/arbees-paper.db`
    """
    path = journal or load_here().journal_path()
    with JournalReader(path) as reader:
        head = reader.head
    if as_json:
        time = format_time(head.time_ns)
        print_json({"sequence": head.sequence, "hash": head.hash.hex(), "time": time})
    else:
        out(f"{head.sequence} {head.hash.hex()}")
    return Exit.OK


@app.command
def tail(
    *,
    lines: Annotated[
        int, Parameter(name=("--lines", "-n"), help="How many to begin with.")
    ] = LINES,
    follow: Annotated[bool, Parameter(name=("--follow", "-f"), negative="", help="Go on.")] = False,
    log: Annotated[Path | None, Parameter(help="The audit log; by default the settings'.")] = None,
    as_json: Json = False,
) -> int:
    """Show the end of the audit log, and follow it as it grows.

    Example: `arbees audit tail -n 50 --follow`
    """
    path = log or load_here().audit_log_path()
    follower = AuditTail(path) if follow else None
    try:
        _print_lines(last_lines(path, lines), as_json=as_json)
        while follower is not None:
            _print_lines(follower.poll(), as_json=as_json)
            sys.stdout.flush()
            time.sleep(POLL_SECONDS)
    except FileNotFoundError:
        say(f"There is no audit log at {path}", style="red")
        return Exit.FAILURE
    finally:
        if follower is not None:
            follower.close()
    return Exit.OK


def _print_lines(found: list[bytes], *, as_json: bool) -> None:
    for line in found:
        if as_json:
            print_bytes(line)
        else:
            out(readable(line))


def readable(line: bytes) -> str:
    """Return an audit line for people."""
    try:
        found = msgspec.json.decode(line, type=dict[str, Any])
        why = found["rejection_reason"]
        return (
            f"{found['timestamp']} {found['event_type']:<18} {found['status']:<9} "
            f"{plain(found['request_id'])} {found['platform']} {plain(found['market_id'])} "
            f"{found['side']} {found['size']} at {found['price']}"
            + (f": {plain(why)}" if why else "")
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        return line.decode("utf-8", "replace").rstrip("\n")


@app.command
def export(
    journal: Journal = None,
    /,
    *,
    since: Annotated[str | None, Parameter(help="From this time on, RFC 3339.")] = None,
    until: Annotated[str | None, Parameter(help="Before this time, RFC 3339.")] = None,
    as_json: Json = False,  # noqa: ARG001 - taken everywhere; here it is JSON in any case
) -> int:
    """Print the audit lines of a journal, one JSON object a line, whatever the log still holds.

    Ends with 2 where a time has no zone or is none.

    Example: `arbees audit export --since 2026-01-28T00:00:00Z > day.jsonl`
    """
    try:
        start_ns, end_ns = _time("--since", since), _time("--until", until)
    except ValueError as error:
        say(error)
        return Exit.USAGE
    path = journal or load_here().journal_path()
    with JournalReader(path) as reader:
        for line in _exported(reader, start_ns, end_ns):
            print_bytes(line)
    return Exit.OK


def _time(flag: str, text: str | None) -> int | None:
    """Read a time. Raises ValueError, which names the flag."""
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise ValueError(f"{flag}: {error}") from None


def _exported(reader: JournalReader, start_ns: int | None, end_ns: int | None) -> Iterator[bytes]:
    for line in lines_of(reader, start_ns=start_ns, end_ns=end_ns):
        yield encode_line(line)
