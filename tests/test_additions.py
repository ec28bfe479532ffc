"""What CONTRIBUTING lists is enough: one throw-away part of each kind, added by its list alone.

Each is added to a copy of the source, in no more files than the list has, and then used.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

Edits = dict[str, tuple[tuple[str, str], ...] | str]
"""By file below `src/arbees`: the text of a new one, or what comes right before what is there."""

VENUE: Edits = {
    "core/language/words.py": (('    POLYMARKET = "Polymarket"\n', '    TOYS = "Toys"\n'),),
    "venues/registry.py": (
        ("from arbees.venues.spec import", "from arbees.venues.toys.spec import TOYS\n"),
        ("POLYMARKET)}", "TOYS, "),
    ),
    "venues/toys/__init__.py": '"""A venue of toys."""\n',
    "venues/toys/spec.py": '''
from typing import Annotated

from arbees.core.book.market import Terms
from arbees.core.language.setting import Section, Setting, SettingKind
from arbees.core.language.words import Platform
from arbees.venues.spec import VenueSpec


class Toys(Section, frozen=True, kw_only=True):
    """The account at Toys."""

    token: Annotated[
        str | None,
        Setting(name="TOYS_TOKEN", kind=SettingKind.TEXT, doc="Its token.", is_secret=True),
    ] = None


TOYS = VenueSpec(
    platform=Platform.TOYS,
    terms=Terms(is_netting=True, taker_rate=0, maker_rate=0, fee_grid=1, tick=10_000, lot=10_000),
    account=Toys,
    credentials=("token",),
)
''',
}
USE_VENUE = """
import json, subprocess, sys, tempfile
from pathlib import Path
from arbees.settings import load
from arbees.settings.authority import refusals
live = load({"PAPER_TRADING": "0", "LIVE_TRADING_AUTHORIZED": "1", "TOYS_TOKEN": "t"})
assert "no live adapter for Toys" in refusals(live)[-1], refusals(live)
folder = Path(tempfile.mkdtemp())
quote = {"ts": "2026-01-28T20:00:00Z", "platform": "Toys", "market_id": "CAR",
         "bids": [["0.48", "50"]], "asks": [["0.50", "50"]]}
request = {"request_id": "r", "idempotency_key": "k", "platform": "toys", "market_id": "CAR",
           "side": "Yes", "size": 10, "limit_price": 0.5, "created_at": "2026-01-28T20:00:01Z"}
(folder / "q.jsonl").write_text(json.dumps(quote))
(folder / "r.jsonl").write_text(json.dumps(request))
command = [sys.executable, "-m", "arbees", "play", "--json", "--quotes", folder / "q.jsonl",
           "--requests", folder / "r.jsonl"]
done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
assert '"status":"Filled"' in done.stdout.replace(" ", ""), done
"""

SAFEGUARD: Edits = {
    "safeguards/even_contracts.py": '''
from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Deny, Pass, Verdict
from arbees.core.language.setting import Setting, SettingKind


class EvenContracts(msgspec.Struct, frozen=True):
    """Numbers that may not be bought."""

    name: ClassVar[str] = "even_contracts"
    codes: ClassVar[tuple[str, ...]] = ("UNLUCKY",)

    unlucky_contracts: Annotated[
        int,
        Setting(name="UNLUCKY", kind=SettingKind.CONTRACTS, doc="Not so many.", default="13"),
    ] = 13_000_000

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Deny one number."""
        if order.quantity == self.unlucky_contracts:
            return (Deny("UNLUCKY", order.quantity),)
        return (Pass("UNLUCKY", order.quantity),)
''',
    "safeguards/__init__.py": (
        (
            "from arbees.safeguards.freshness",
            "from arbees.safeguards.even_contracts import EvenContracts\n",
        ),
        ("    Balance,\n", "    EvenContracts,\n"),
    ),
    "core/language/codes.py": (
        (
            '    "VENUE_REJECTED": Code(',
            '    "UNLUCKY": Code("even_contracts", Unit.CONTRACTS, "Was {observed}", "No."),\n',
        ),
    ),
    "rehearsal/drills/orders.py": (
        (
            "async def holding(",
            '''async def even_contracts(theatre: Theatre) -> None:
    """Ask for thirteen, and for one more."""
    async with theatre.stage(theatre.settings) as stage:
        await stage.quote()
        await stage.denies("thirteen", stage.request(size=13 * MICRO), "UNLUCKY")
        await stage.passes("fourteen", stage.request(size=14 * MICRO))


''',
        ),
    ),
}
USE_SAFEGUARD = """
import asyncio
from arbees.rehearsal.drills import drill
from arbees.settings import load
shown = asyncio.run(drill("even_contracts", load({"UNLUCKY": "13"}), 1_769_630_400 * 10**9))
assert shown.is_passed and len(shown.steps) >= 2, shown
"""

ALERT: Edits = {
    "telemetry/alerts/board.py": (
        ('    DAILY_DIGEST = "DAILY_DIGEST"\n', '    FULL_MOON = "FULL_MOON"\n'),
        ('    AlertName.ALERT_SINK_FAILED: ("sink",),', '    AlertName.FULL_MOON: ("month",),\n'),
    ),
    "telemetry/alerts/rules.py": (
        (
            "        case events.DayOpened():",
            """        case events.DayOpened(day="2026-12-24"):
            data = {"month": "December"}
            return (AlertChange(name=AlertName.FULL_MOON, message="full", data=data),)
""",
        ),
    ),
}
USE_ALERT = """
from arbees.core import events
from arbees.telemetry.alerts.board import AlertName
from arbees.telemetry.alerts.rules import alerts_of
fields = {name: 0 for name in events.DayOpened.__struct_fields__}
(change,) = alerts_of(events.DayOpened(**{**fields, "day": "2026-12-24"}))
assert (change.name, change.name.severity, change.name.subject) == (
    AlertName.FULL_MOON, "warning", ("month",))
"""

COMMAND: Edits = {
    "cli/command_list.py": (
        ('    "top": Command', '    "moon": Command(WATCH, "Show the moon."),\n'),
    ),
    "cli/commands/watch/moon.py": '''"""`arbees moon`: the moon."""

from cyclopts import App

app = App(name="moon")


@app.default
def moon() -> int:
    """Show the moon.

    Example: `arbees moon`
    """
    print("O")
    return 0
''',
}
USE_COMMAND = """
import subprocess, sys
arbees = [sys.executable, "-m", "arbees"]
assert subprocess.run([*arbees, "moon"], capture_output=True, text=True).stdout == "O\\n"
for words in ("--help", "man"):
    shown = subprocess.run([*arbees, words], capture_output=True, text=True).stdout
    assert "Show the moon." in shown
"""

ENDPOINT: Edits = {
    "api/endpoints/status.py": (
        (
            """@partial(
    Endpoint,
    method="GET",
    path="/healthz",
""",
            '''@partial(
    Endpoint,
    method="GET",
    path="/v1/moon",
    operation="getMoon",
    summary="Show the moon",
    tag="Requests",
    scopes=("read",),
    sight="shared",
    answers={200: Alive},
)
async def moon(context: Context, _request: Request) -> Reply:
    """Show the moon."""
    return json_reply(Alive(alive=True))


''',
        ),
    ),
}
USE_ENDPOINT = """
import asyncio, msgspec
from arbees.api.table import ENDPOINTS
from arbees.api.openapi.document import document
(made,) = [each for each in ENDPOINTS if each.path == "/v1/moon"]
reply = asyncio.run(made.handler(None, None))
assert reply.body == b'{"alive":true}', reply.body
assert "/v1/moon" in msgspec.json.encode(document(ENDPOINTS)).decode()
"""

ADDITIONS = {
    "venue": (VENUE, USE_VENUE, 4),
    "safeguard": (SAFEGUARD, USE_SAFEGUARD, 4),
    "alert": (ALERT, USE_ALERT, 2),
    "command": (COMMAND, USE_COMMAND, 2),
    "endpoint": (ENDPOINT, USE_ENDPOINT, 2),
}


@pytest.mark.parametrize("kind", ADDITIONS)
def test_a_throw_away_one(kind: str, tmp_path: Path) -> None:
    """It is added by its list alone, and works."""
    edits, use, most = ADDITIONS[kind]
    assert len([path for path in edits if not path.endswith("toys/__init__.py")]) <= most
    listed = (ROOT / "CONTRIBUTING.md").read_text().partition(f" {kind}**: ")[2]
    source = tmp_path / "src" / "arbees"
    shutil.copytree(ROOT / "src" / "arbees", source, ignore=shutil.ignore_patterns("__pycache__"))
    for name, change in edits.items():
        own = name.rpartition("/")[2]
        assert own in listed.partition("\n\n")[0] or own == "__init__.py", f"{name} is not listed"
        path = source / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(change, str):
            assert not path.exists()
            path.write_text(change)
            continue
        text = path.read_text()
        for place, added in change:
            assert text.count(place) == 1, f"{name}: {place}"
            text = text.replace(place, added + place)
        path.write_text(text)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'src'}:{ROOT}"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import arbees; assert {str(tmp_path)!r} in arbees.__file__\n{use}",
        ],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
