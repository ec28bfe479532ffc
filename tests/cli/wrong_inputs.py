"""What people type wrongly, and what they are told: the table of the tests and of the page.

Guarantees that each message stands here as it is said; `docs/reference/wrong-inputs.md` is made of
this table. Names of files are those that `lay_out` puts into a folder.
"""

import json
import shlex
import sqlite3
from pathlib import Path
from typing import NamedTuple

from tests.api.fake import BODY


class Wrong(NamedTuple):
    """One mistake."""

    title: str
    """What people did."""
    typed: str
    """As it is typed, settings in front."""
    message: str
    """What is said, less what differs from machine to machine."""
    code: int
    """How the command ends."""

    @property
    def words(self) -> list[str]:
        """The words behind `arbees`."""
        words = shlex.split(self.typed)
        return words[words.index("arbees") + 1 :]

    @property
    def environ(self) -> dict[str, str]:
        """The settings in front."""
        words = shlex.split(self.typed)
        pairs = (word.partition("=") for word in words[: words.index("arbees")])
        return {name: value.replace("\\n", "\n") for name, _, value in pairs}


def lay_out(folder: Path) -> None:
    """Put the files there that the commands name."""
    requests = [
        BODY | {"request_id": f"req-{number}", "idempotency_key": f"key-{number}"}
        for number in range(1, 7)
    ]
    lines = [json.dumps(each) for each in requests]
    (folder / "requests.jsonl").write_text("\n".join([*lines, '{"request_id": "req-7",', ""]))
    (folder / "requests.json").write_text(json.dumps(requests))
    (folder / "requests.csv").write_text("request_id,side,size\nreq-1,Yes,50\n")
    (folder / "request.json").write_text(lines[0])
    quote = {
        "platform": "Kalshi",
        "market_id": "NBA-BOS",
        "ts": "2026-01-28T20:30:00Z",
        "bids": [["0.64", "100"]],
        "asks": [["0.66", "100"]],
    }
    (folder / "quotes.jsonl").write_text(json.dumps(quote) + "\n")
    (folder / "journal.db").write_bytes(b"")
    (folder / "requests").mkdir()
    with sqlite3.connect(folder / "paper.db") as book:
        book.execute("CREATE TABLE orders (client_order_id TEXT)")
    book.close()


CASES = (
    Wrong(
        "A command misspelt",
        "arbees kil on",
        "Expected a command after `arbees`, was 'kil'. Did you mean `arbees kill`?",
        2,
    ),
    Wrong(
        "A word that is no command",
        "arbees stop",
        "Expected a command after `arbees`, was 'stop'. Did you mean `arbees kill on`?",
        2,
    ),
    Wrong(
        "`kill` without what to do",
        "arbees kill",
        "Expected a command after `arbees kill`, was nothing. There are: on, reduce, off, status",
        2,
    ),
    Wrong(
        "An option misspelt",
        'arbees kill on --resaon "the model is wrong"',
        "Unknown option: --resaon. Did you mean --reason?",
        2,
    ),
    Wrong(
        "An option before its command",
        "arbees --json status",
        "Expected a command after `arbees`, was '--json'. Options stand behind the command",
        2,
    ),
    Wrong(
        "A text with blanks without quotes",
        "arbees kill on --reason the model is wrong",
        "Expected nothing more after `arbees kill on`, was 'model is wrong'; text with blanks "
        "needs quotes",
        2,
    ),
    Wrong(
        "A setting as an option of `run`",
        "arbees run --port 8400",
        "Unknown option: --port. It takes settings instead, from the environment too: "
        "HTTP_PORT=8400 arbees run",
        2,
    ),
    Wrong(
        "A file that is not there",
        "arbees submit nowhere.json",
        "Cannot read nowhere.json: No such file or directory. Name a file of requests, or - for "
        "stdin",
        2,
    ),
    Wrong(
        "A folder for a file",
        "arbees submit requests",
        "Cannot read requests: Is a directory. Name a file of requests, or - for stdin",
        2,
    ),
    Wrong(
        "JSON lines of which line 7 is broken",
        "arbees submit requests.jsonl",
        "line 7: MALFORMED: Expected a JSON object, was unreadable: Input data was truncated",
        2,
    ),
    Wrong(
        "The same, played",
        "arbees play --quotes quotes.jsonl --requests requests.jsonl",
        "line 7: Expected a JSON object, was unreadable: Input data was truncated",
        0,
    ),
    Wrong(
        "CSV instead of JSON lines",
        "arbees submit requests.csv",
        "requests.csv: This looks like CSV. Expected JSON lines: one object {...} a line",
        2,
    ),
    Wrong(
        "A list of requests instead of lines",
        "arbees submit requests.json",
        "line 1: MALFORMED: Expected `object`, was `array`: send one request a call, not a list",
        2,
    ),
    Wrong(
        "`play` without its quotes",
        "arbees play --requests requests.jsonl",
        "arbees play: Expected --quotes PATH, was missing. It means: Recorded quotes, JSON lines",
        2,
    ),
    Wrong(
        "A word for a speed",
        "arbees play --quotes quotes.jsonl --speed fast",
        "--speed: Expected a number above 0, or max, was 'fast'",
        2,
    ),
    Wrong(
        "A journal that is there already",
        "arbees play --quotes quotes.jsonl --journal journal.db",
        "--journal: Expected no file at journal.db, there is one; choose another",
        2,
    ),
    Wrong(
        "A time without a zone",
        'arbees authorize --reason "a week of paper" --until 2099-01-28T20:30:00',
        "--until: Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z), was "
        "'2099-01-28T20:30:00'",
        2,
    ),
    Wrong(
        "A day for a time",
        "arbees audit export --since 2026-01-28",
        "--since: Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z), was '2026-01-28'",
        2,
    ),
    Wrong(
        "No reason where one is journaled",
        "arbees authorize --until 2099-01-28T20:30:00Z",
        "arbees authorize: Expected --reason STR, was missing. It means: Why; kept in the journal",
        2,
    ),
    Wrong(
        "A scope misspelt",
        "arbees kill on --scope sprt:NBA",
        "NOT STOPPED: MALFORMED (scope): Expected all, platform:X, sport:X, game:X, market:X, "
        "strategy:X or model_version:X, was 'sprt:NBA'",
        2,
    ),
    Wrong(
        "A sport for a scope",
        "arbees kill reduce --scope NBA",
        "MALFORMED (scope): Expected all, platform:X, sport:X, game:X, market:X, strategy:X or "
        "model_version:X, was 'NBA'",
        2,
    ),
    Wrong(
        "The paper book for the journal",
        "arbees audit verify paper.db",
        "Expected a journal of Arbees, was a database of another program",
        78,
    ),
    Wrong(
        "A journal looked for in another folder",
        "arbees audit verify var/arbees-paper.db",
        "there is no such file. Name another, or go to the folder that the gateway runs in",
        1,
    ),
    Wrong(
        "A port that is no number",
        "HTTP_PORT=83x21 arbees run",
        "HTTP_PORT: Expected a whole number from 1 to 65535 (in the environment), was '83x21'. "
        "Set a number from 1 to 65535, such as 8321.",
        78,
    ),
    Wrong(
        "An address without http://",
        "ARBEES_URL=localhost:8321 arbees submit request.json",
        "ARBEES_URL: Expected a URL with https:// or http:// (in the environment), was "
        "'localhost:8321'. Write it like http://localhost:8321.",
        78,
    ),
    Wrong(
        "An API key with a line break",
        "ARBEES_API_KEY='abc\\ndef' arbees submit request.json",
        "ARBEES_API_KEY: Expected a key without blanks and line breaks, was '***'. Set the one "
        "line that `arbees keys create` printed, or name a file that holds it in "
        "ARBEES_API_KEY_FILE.",
        78,
    ),
    Wrong(
        "A setting misspelt",
        "MAX_ORDR_SIZE=50 arbees config check",
        "MAX_ORDR_SIZE: Expected the name of a setting (in the environment), was '50'. Did you "
        "mean MAX_ORDER_SIZE? Rename it, or unset MAX_ORDR_SIZE.",
        78,
    ),
    Wrong(
        "Cents for dollars",
        "MAX_SAFE_PRICE=95 arbees config check",
        "MAX_SAFE_PRICE: Expected a number from 0 to 1 (dollars a contract) (in the environment), "
        "was '95'. 95 cents is 0.95: set 0.95.",
        78,
    ),
    Wrong(
        "Per cent for a share",
        "DAILY_LOSS_ALERT_THRESHOLD=80 arbees config check",
        "DAILY_LOSS_ALERT_THRESHOLD: Expected a number from 0 to 1 (a share, 0.1 meaning 10 %) "
        "(in the environment), was '80'. 80 % is 0.8: set 0.8.",
        78,
    ),
    Wrong(
        "A dollar sign in a number",
        "MAX_ORDER_SIZE='$100' arbees config check",
        "was '$100'. Set a number from 0.01 to 1000000000, such as 100.0.",
        78,
    ),
    Wrong(
        "A flag misspelt",
        "LIVE_TRADING_AUTHORIZED=ture arbees config check",
        "LIVE_TRADING_AUTHORIZED: Expected 1, true, yes, 0, false or no (in the environment), was "
        "'ture'. Set true or false.",
        78,
    ),
    Wrong(
        "A limit above the one that contains it",
        "MAX_ORDER_SIZE=500 arbees config check",
        "MAX_POSITION_PER_MARKET",
        78,
    ),
    Wrong(
        "Half of what live trading takes",
        "PAPER_TRADING=0 arbees run",
        "To enable live trading, set LIVE_TRADING_AUTHORIZED=true in .env",
        78,
    ),
)
