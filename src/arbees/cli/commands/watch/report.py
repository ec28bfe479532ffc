"""`arbees report`: a day, or any period, for people.

Guarantees that it only reads, beside a running gateway or without one; where there is no journal
here it asks the gateway, which knows quality but not the P&L of other days.
"""

import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from cyclopts import App, Parameter

from arbees.cli.shared.connection import place_of
from arbees.cli.shared.console import (
    Json,
    dollars,
    out,
    pairs,
    print_bytes,
    print_json,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit, of_problem
from arbees.cli.shared.http import GatewayClient, Unreachable, encoded
from arbees.core.language.strict_json import format_time, parse_time
from arbees.history.report import PeriodReport, ReportedAlert
from arbees.history.report import report as report_of
from arbees.interface.measures import By, QualityRow, QualityView
from arbees.journal import JournalReader
from arbees.safeguards.daily_loss import DailyLoss
from arbees.settings import Settings, load_here
from arbees.telemetry.days import day_bounds, day_start

app = App(name="report")

_TABLE_MAX = 20


@app.default
def report(
    journal: Annotated[
        Path | None, Parameter(help="The journal; by default the one of the settings.")
    ] = None,
    /,
    *,
    since: Annotated[
        str | None, Parameter(help="From this time on, RFC 3339, or a trading day (2026-01-28).")
    ] = None,
    until: Annotated[
        str | None, Parameter(help="Before this time, or up to the end of a trading day.")
    ] = None,
    by: Annotated[By | None, Parameter(help="Group by this, besides the sum over all.")] = None,
    as_json: Json = False,
) -> int:
    """Report on a day: orders, fill rate, slippage, latency, fees, P&L, denials, alerts.

    Without times it is the trading day of now, with --since a day alone it is that day. Counted are
    the requests that were decided in the period, with what became of them in it. P&L is realized
    less fees plus the change of what is held, at journaled prices.

    Example: `arbees report`

    Example: `arbees report --since 2026-01-28 --by strategy`

    Example: `arbees report old.db --since 2026-01-26 --until 2026-01-30 --json`
    """
    settings = load_here()
    zone = ZoneInfo(settings.section(DailyLoss).trading_day_timezone)
    try:
        period = _period(since, until, zone, time.time_ns())
    except ValueError as error:
        say(error)
        return Exit.USAGE
    path = journal or settings.journal_path()
    if journal is None and not path.exists():
        return _ask(settings, since and format_time(period[0]), by, as_json=as_json)
    with JournalReader(path) as reader:
        found = report_of(reader, *period, by)
    if as_json:
        print_json(found)
    else:
        _show(found)
    return Exit.OK


def _period(since: str | None, until: str | None, zone: ZoneInfo, now_ns: int) -> tuple[int, int]:
    """Return beginning and end. Raises ValueError, which says what was expected."""
    begins, ends = day_start(now_ns, zone), now_ns + 1
    if since is not None:
        begins, day_ends = _moment("--since", since, zone)
        ends = ends if day_ends is None else day_ends
    if until is not None:
        moment, day_ends = _moment("--until", until, zone)
        ends = moment if day_ends is None else day_ends
    if ends <= begins:
        raise ValueError("--until: Expected a time after --since")
    return begins, ends


def _moment(flag: str, text: str, zone: ZoneInfo) -> tuple[int, int | None]:
    """Return a moment; of a trading day also its end."""
    if len(text) == len("2026-01-28"):
        try:
            return day_bounds(text, zone)
        except ValueError:
            raise ValueError(f"{flag}: Expected a day such as 2026-01-28, was {text!r}") from None
    try:
        return parse_time(text), None
    except ValueError as error:
        raise ValueError(f"{flag}: {error}") from None


def _ask(settings: Settings, since: str | None, by: By | None, *, as_json: bool) -> int:
    """Show what the gateway says of the quality, where there is no journal here."""
    asked = [f"{name}={encoded(text)}" for name, text in (("since", since), ("by", by)) if text]
    try:
        answer = GatewayClient(place_of(settings)).get(
            "/v1/quality" + "?" * bool(asked) + "&".join(asked)
        )
    except Unreachable as error:
        say(f"There is no journal at {settings.journal_path()}, and no gateway: {error}")
        return Exit.UNREACHABLE
    if not answer.is_ok:
        say(answer.problem, style="red")
        return of_problem(answer.status)
    if as_json:
        print_bytes(answer.body)
    else:
        show_quality(msgspec.convert(answer.json, QualityView))
    return Exit.OK


# What is shown ---------------------------------------------------------------------------------


def _show(found: PeriodReport) -> None:
    pnl = found.pnl
    out(styled(f"From {found.since} to before {found.until}", "bold"))
    pairs(
        [
            ("P&L", styled(dollars(pnl.total), "red" if pnl.total < 0 else "green")),
            ("  realized", dollars(pnl.realized)),
            ("  fees", dollars(pnl.fees)),
            ("  unrealized", f"{dollars(pnl.unrealized)} (change)"),
        ]
    )
    show_quality(found.quality)
    if found.pnl_by:
        table(
            ("P&L of orders", "realized", "unrealized", "fees", "total", "fills"),
            [
                (
                    each.name or "-",
                    *map(_amount, (each.realized, each.unrealized)),
                    *map(_amount, (each.fees, each.total)),
                    each.fills,
                )
                for each in found.pnl_by[:_TABLE_MAX]
            ],
        )
    _alert_line("Halts", found.halts, found.halts_raised)
    _alert_line("Alerts", found.alerts, found.alerts_raised)


def show_quality(view: QualityView) -> None:
    """Print the quality of execution for people."""
    row = view.total
    pairs(
        [
            ("Requests", f"{row.requests}, {row.denied} denied, {row.duplicates} duplicates"),
            ("Orders", f"{row.approved} approved, {row.placed} placed"),
            ("", _ends(row)),
            ("Fill rate", f"{_percent(row.fill_rate)} of contracts, {row.fills} fills"),
            (
                "Volume",
                f"{dollars(row.volume)}, {row.filled_qty} contracts, fees {dollars(row.fees)}",
            ),
            ("Slippage", f"{_per(row.slippage_quote.per_contract)} against the quote"),
            ("", f"{_per(row.slippage_limit.per_contract)} against the limit"),
        ]
    )
    table(
        ("Latency, ms", "count", "p50", "p95", "p99", "max"),
        [
            (
                each.stage,
                each.count,
                *map(_ms, (each.p50_ms, each.p95_ms, each.p99_ms, each.max_ms)),
            )
            for each in row.latency
        ],
    )
    _counts("Denials by safeguard", ((each.safeguard, each.count) for each in row.denials))
    _counts("Denials by code", ((each.code, each.count) for each in row.codes))
    rejects = ((f"{each.platform} {each.venue_code}", each.count) for each in row.rejects)
    _counts("Rejects of venues", rejects)
    if view.by is not None:
        table(
            (
                view.by.replace("_", " ").capitalize(),
                "requests",
                "denied",
                "placed",
                "fill rate",
                "slippage",
                "fees",
            ),
            [
                (
                    each.name,
                    each.requests,
                    each.denied,
                    each.placed,
                    _percent(each.fill_rate),
                    _per(each.slippage_quote.per_contract),
                    dollars(each.fees),
                )
                for each in view.groups
            ],
        )


def _ends(row: QualityRow) -> str:
    names = ("filled", "partial", "unfilled", "rejected", "not_sent", "stopped", "open", "unknown")
    counts = ((name.replace("_", " "), getattr(row, name)) for name in names)
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "-"


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate * 100:.1f} %"


def _amount(amount: Decimal | None) -> str:
    return "-" if amount is None else dollars(amount)


def _per(amount: Decimal | None) -> str:
    return "-" if amount is None else f"{dollars(amount)} a contract"


def _ms(amount: Decimal | None) -> str:
    return "-" if amount is None else f"{amount:.3f}"


def _counts(title: str, rows: Iterable[tuple[str, int]]) -> None:
    found = list(rows)
    if found:
        table((title, "count"), found[:_TABLE_MAX])


def _alert_line(title: str, told: tuple[ReportedAlert, ...], count: int) -> None:
    if not told:
        return
    table(
        (title, "", "What"),
        [(each.time, each.name, each.message) for each in told[:_TABLE_MAX]],
    )
    if count > _TABLE_MAX:
        out(f"and {count - _TABLE_MAX} more")
