"""Draws what `arbees top` shows: lines of text for a terminal of a given size.

Guarantees that it fits, from 80 columns by 24 lines upwards, that what an operator must not miss
(mode, halts, safeguards that are off, unknown orders) comes first and is never cut away by what is
only nice to see, and that text from outside reaches no terminal as a command. Pure: what is drawn
comes in as data.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.text import Text

from arbees.cli.commands.prove.decisions import WORD_WIDTH, RecordLine
from arbees.cli.shared.console import STATE_STYLES, plain

BANNERS = {
    "ACTIVE": "bold white on green",
    "REDUCING": "bold black on yellow",
    "HALTED": "bold white on red",
    "READ_ONLY": "bold white on red",
}
HALTS_MAX, REFUSES_MAX, ALERTS_MAX, BARS_MAX, WARNINGS_MAX = 4, 3, 3, 8, 2
_OF_HALTS = {"HALTED", "REDUCE_ONLY"}
DECISIONS_MIN = 3
"""What is kept free for the last decisions, however much there is to say of limits."""


class Seen(msgspec.Struct):
    """What is known of a gateway."""

    url: str
    every: float
    """Seconds between two looks."""
    error: str = ""
    """Why the gateway did not answer the last time; empty = it did."""
    trouble: str = "UNREACHABLE"
    """The same in a word."""
    at: str = ""
    """When it was reached last."""
    status: dict[str, Any] | None = None
    safeguards: tuple[dict[str, Any], ...] = ()
    alerts: tuple[dict[str, Any], ...] = ()
    told: tuple[RecordLine, ...] = ()
    """The last decisions, oldest first."""
    note: str = ""
    """What cannot be shown, and why."""
    keys: bool = True
    """Whether somebody can press a key."""


def lines(seen: Seen, width: int, height: int) -> list[Text]:
    """Return what is shown: at most `height` lines of at most `width` columns."""
    head = [_banner(seen, width), *_state(seen)]
    foot = _foot(seen)
    bars = list(_bars(seen, width))
    room = height - len(head) - 1
    alerts = list(_alerts(seen))[: max(0, room - DECISIONS_MIN - 1)]
    room -= len(alerts)
    bars = bars[: max(0, min(BARS_MAX + 1, room - DECISIONS_MIN - 1))]
    room -= len(bars)
    decisions = list(_decisions(seen, max(0, room - 1)))
    drawn = [*head[: height - 1], *bars, *alerts, *decisions]
    drawn += [Text()] * (height - 1 - len(drawn))
    drawn.append(foot)
    for line in drawn:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis")
    return drawn[:height]


def _banner(seen: Seen, width: int) -> Text:
    """Return mode and state over the whole width, in the state's colour."""
    if seen.status is None or seen.error:
        text = f"  {seen.trouble}  {plain(seen.error)}"
        return Text(text.ljust(width), "bold white on red")
    status = seen.status
    mode, state = str(status["mode"]).upper(), str(status["state"])
    place = f"{plain(status.get('account'))}@{plain(status.get('environment'))}"
    left = f"  {mode}   {state}  "
    right = f"{place}  {plain(status['version'])}  "
    line = Text(
        left.ljust(max(0, width - len(right))) + right, BANNERS.get(state, BANNERS["HALTED"])
    )
    if mode == "LIVE":
        line.stylize("bold white on magenta", 0, len(mode) + 3)
    return line


def _state(seen: Seen) -> Iterator[Text]:
    if seen.status is None:
        yield Text(f"No gateway has answered at {seen.url} yet; trying again")
        return
    status = seen.status
    if seen.error:
        yield Text(f"What follows is of {seen.at}, when it answered last", "red")
    journal = status["journal"]
    pnl = Decimal(status["pnl_today"])
    unknown = status.get("unknown_orders", 0)
    yield Text.assemble(
        "P&L today ",
        (_dollars(pnl), "red" if pnl < 0 else "green"),
        f"   exposure {_dollars(status.get('total_exposure', 0))}",
        f"   open orders {status.get('open_orders', 0)}",
        "   unknown ",
        (str(unknown), "bold red" if unknown else ""),
    )
    venues = Text(f"Journal {journal['sequence']} {journal['hash'][:8]}")
    for each in status["venues"]:
        why = f" ({plain('; '.join(each['reasons']))})" if each["reasons"] else ""
        venues.append(f"   {plain(each['platform'])} ")
        venues.append(plain(each["state"]), STATE_STYLES.get(each["state"], "bold red"))
        venues.append(why)
    yield venues
    yield from _halts(status["halts"])
    yield from _refuses(status.get("refuses", ()))
    for name in status["disabled_safeguards"]:
        yield Text(f"OFF    {plain(name)}: {plain(status.get('disabled_reason'))}", "bold red")
    for text in tuple(status.get("warnings", ()))[:WARNINGS_MAX]:
        yield Text(f"Look   {plain(text)}", "yellow")


def _halts(halts: Sequence[dict[str, Any]]) -> Iterator[Text]:
    for each in halts[:HALTS_MAX]:
        by = f"{plain(each['source'])}{' (automatic)' if each['automatic'] else ''}"
        what = (
            f"{each['state']:<8} {plain(each['scope'])} by {by} since {plain(each['since'])[11:19]}"
        )
        yield Text(f"{what}: {plain(each['reason'])}", STATE_STYLES.get(each["state"], "bold red"))
    if len(halts) > HALTS_MAX:
        yield Text(f"and {len(halts) - HALTS_MAX} more halts: arbees kill status", "bold red")


def _refuses(refuses: Sequence[dict[str, Any]]) -> Iterator[Text]:
    """Yield what would be refused now besides the halts, which stand above."""
    shown = [each for each in refuses if each["code"] not in _OF_HALTS]
    for each in shown[:REFUSES_MAX]:
        until = f" until {plain(each['until'])[11:19]}" if each["until"] else ""
        what = f"NO     {plain(each['scope'])}{until}: {plain(each['reason'])}"
        yield Text(what, "bold red" if each["scope"] == "all" else "yellow")
    if len(shown) > REFUSES_MAX:
        yield Text(f"and {len(shown) - REFUSES_MAX} more refusals: arbees status", "yellow")


def _bars(seen: Seen, width: int) -> Iterator[Text]:
    """Yield a bar for each limit, the fullest first."""
    used = [
        (Decimal(use["value"]), Decimal(use["limit"]), each["name"], use)
        for each in seen.safeguards
        for use in each["used"]
        if use["limit"] is not None
    ]
    if not used:
        return
    used.sort(key=lambda found: (-_share(found[0], found[1]), found[2], found[3]["scope"]))
    yield Text("Limits", "bold")
    size = max(10, width - 66)
    for value, limit, name, use in used:
        share = _share(value, limit)
        full = min(size, max(int(share * size), 1 if value > 0 else 0))
        style = "bold red" if share >= 1 else "yellow" if share >= Decimal("0.8") else "green"
        yield Text.assemble(
            f"{plain(use.get('code') or name)[:24]:<24} {plain(use['scope'])[:16]:<16} ",
            ("█" * full, style),
            ("░" * (size - full), "dim"),
            f" {_short(value):>8} of {_short(limit):<8}",
        )


def _share(value: Decimal, limit: Decimal) -> Decimal:
    if limit > 0:
        return max(Decimal(0), value / limit)
    return Decimal(1) if value > 0 else Decimal(0)


def _alerts(seen: Seen) -> Iterator[Text]:
    standing = [each for each in seen.alerts if each.get("cleared_at") is None]
    for each in standing[:ALERTS_MAX]:
        style = "bold red" if each["severity"] == "critical" else "yellow"
        yield Text(f"ALERT  {plain(each['name'])}: {plain(each['message'])}", style)
    if len(standing) > ALERTS_MAX:
        yield Text(f"and {len(standing) - ALERTS_MAX} more alerts: arbees alerts", "bold red")


def _decisions(seen: Seen, room: int) -> Iterator[Text]:
    """Yield the last decisions, the newest at the bottom."""
    if room < 1:
        return
    yield Text("Last decisions", "bold")
    shown = seen.told[-room:]
    if not shown:
        yield Text("none yet", "dim")
    for each in shown:
        yield Text.assemble(
            f"{each.time} ", (f"{each.word:<{WORD_WIDTH}}", each.style), f" {each.text}"
        )


def _foot(seen: Seen) -> Text:
    keys = "q quits   " if seen.keys else ""
    note = f"   {plain(seen.note)}" if seen.note else ""
    return Text(f"{keys}{plain(seen.url)}   every {seen.every:g} s   {seen.at}{note}", "dim")


def _dollars(value: object) -> str:
    number = Decimal(str(value))
    return f"{'-' if number < 0 else ''}${abs(number):,.2f}"


def _short(value: Decimal) -> str:
    """Return a number without the zeros that a limit does not need."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
