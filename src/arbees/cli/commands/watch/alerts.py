"""`arbees alerts`: what somebody should look at, or should have looked at, the newest first."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from arbees.cli.shared.console import (
    Json,
    plain,
    say,
    styled,
    table,
)
from arbees.cli.shared.gateway import look

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
