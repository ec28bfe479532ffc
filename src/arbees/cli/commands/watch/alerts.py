"""`arbees alerts`: what somebody should look at, or should have looked at, the newest first.

`alerts test` sends one through each sink of the settings, without a gateway, and says what came
back: whoever relies on an alert has seen one arrive.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from cyclopts import App, Parameter

from arbees.cli.shared.console import (
    Json,
    plain,
    print_bytes,
    say,
    styled,
    table,
)
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.gateway import look
from arbees.core.orders.result import encode
from arbees.settings import Settings, load_here
from arbees.telemetry.alerts.board import Alert, AlertName
from arbees.telemetry.alerts.sinks import SEND_SECONDS, Failed

_STYLES = {"critical": "bold red", "warning": "yellow"}

app = App(name="alerts")


@app.default
def alerts(
    *,
    standing: Annotated[bool, Parameter(negative="", help="Only those that are not over.")] = False,
    as_json: Json = False,
) -> int:
    """Show the alerts that were raised lately, also before a restart.

    Example: `arbees alerts`

    Example: `arbees alerts --standing`
    """

    def show_some(found: dict[str, Any]) -> None:
        show(found, is_standing=standing)

    return look("/v1/alerts", show_some, as_json=as_json)


@app.command(name="test")
def try_sinks(*, as_json: Json = False) -> int:
    """Send an alert through each sink of the settings, and say what came back.

    Needs no gateway; Redis is a sink as well. Ends with 1 where one does not take it, or where
    there is none: nobody would be told.

    Example: `arbees alerts test`
    """
    settings = load_here()
    found = asyncio.run(_try_all(settings))
    if as_json:
        print_bytes(encode({"items": found}))
    elif found:
        table(("Sink", "Taken", "What came back"), [tuple(each.values()) for each in found])
    if not found:
        say("Alerts go to the log alone: set ALERT_URLS, ALERT_WEBHOOK_URL or ALERT_COMMAND")
    return Exit.OK if found and all(each["taken"] for each in found) else Exit.FAILURE


async def _try_all(settings: Settings) -> list[dict[str, Any]]:
    from arbees.api.redis.outbox import tell_once
    from arbees.wiring.alerting import alert_sinks, heartbeat_of

    now_ns = time.time_ns()
    alert = Alert(
        alert_id="TEST",
        name=AlertName.ALERT_TEST,
        severity=AlertName.ALERT_TEST.severity,
        message="This is a test by `arbees alerts test`: nothing is wrong",
        since_ns=now_ns,
        last_ns=now_ns,
    )
    tried: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        (each.name, partial(each.deliver, alert)) for each in alert_sinks(settings, time.time_ns)
    ]
    if (beat := heartbeat_of(settings, lambda: True)) is not None:
        tried.append((beat.name, beat.beat))
    if settings.gateway.redis_url is not None:
        tried.append(("redis", partial(tell_once, settings.gateway.redis_url, alert)))
    return [{"sink": name, **await _try(work)} for name, work in tried]


async def _try(work: Callable[[], Awaitable[str]]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return {"taken": True, "answer": await work()}
    except TimeoutError:
        return {"taken": False, "answer": f"no answer within {SEND_SECONDS:g} s"}
    except Failed as error:
        return {"taken": False, "answer": str(error)}


def show(found: dict[str, Any], *, is_standing: bool) -> None:
    """Print alerts for people; `is_standing` leaves those out that are over."""
    items = [each for each in found["items"] if not is_standing or each["cleared_at"] is None]
    if not items:
        say("No alert stands." if is_standing else "No alert was raised.")
        return
    table(
        ("Alert", "Since", "Over", "Times", "What"),
        [
            (
                styled(each["name"], _style(each)),
                each["raised_at"],
                each["cleared_at"],
                each["count"],
                plain(each["message"]),
            )
            for each in items
        ],
    )


def _style(alert: dict[str, Any]) -> str:
    return "" if alert["cleared_at"] is not None else _STYLES.get(alert["severity"], "")
