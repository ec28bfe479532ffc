"""`arbees submit`: what it sends, prints, and how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from arbees.cli.commands.trade.submit import requests_of
from arbees.cli.main import main
from arbees.core.language.request import Request
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Line, Result
from tests.api.fake import BODY, body, denied, result, undecided
from tests.cli.conftest import Served
from tests.cli.test_main import SOURCE

Capture = pytest.CaptureFixture[str]


def write(tmp_path: Path, *lines: bytes) -> str:
    """Write a file of requests."""
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b"\n".join(lines))
    return str(path)


def test_filled(served: Served, tmp_path: Path, capsys: Capture) -> None:
    """A request that is filled ends with 0 and tells size, price and fees."""
    assert main(["submit", write(tmp_path, body())]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "Filled" in said.out
    assert "req-1: Buy 50 Yes of NBA-BOS at 0.65" in said.out
    assert "filled 50 at 0.64" in said.out


def test_json_is_the_gateways_own(served: Served, tmp_path: Path, capsys: Capture) -> None:
    """With --json the result is printed as the gateway sent it, one line a request."""
    code = main(["submit", write(tmp_path, body(), body(request_id="req-2")), "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [each["request_id"] for each in found] == ["req-1", "req-2"]
    assert found[0]["avg_price"] == 0.64


def test_wait_is_handed_on(served: Served, tmp_path: Path) -> None:
    """How long to wait is the caller's choice."""
    main(["submit", write(tmp_path, body()), "--wait", "0"])
    main(["submit", write(tmp_path, body()), "--wait", "2.5"])
    assert [wait for _, wait in served.gateway.requests] == [0, 2.5]


@pytest.mark.parametrize("wait", ["-1", "61", "nan"])
def test_wait_has_a_range(served: Served, tmp_path: Path, wait: str, capsys: Capture) -> None:
    """A wait that the gateway would refuse is refused before anything is sent."""
    assert main(["submit", write(tmp_path, body()), f"--wait={wait}"]) == 2
    assert served.gateway.requests == []


def _unknown(request: Request) -> Result:
    return result(request, ResultStatus.UNKNOWN)


def _pending(request: Request) -> Result:
    return result(request, ResultStatus.PENDING)


def _rejected(request: Request) -> Result:
    more = {"rejected_by": "venue", "code": "VENUE_REJECTED", "rejection_reason": "no"}
    return result(request, ResultStatus.REJECTED, **more)


def _failed(request: Request) -> Result:
    return result(request, ResultStatus.FAILED, code="NOT_SENT", rejection_reason="no way")


def _fault(_request: Request) -> Result:
    raise OSError("broken")


ENDS: list[tuple[Callable[[Request], Result], int, str]] = [
    (denied, 3, "denied by order_size: Order value $120.00 exceeds maximum $100.00"),
    (lambda request: denied(request, "DUPLICATE_REQUEST"), 3, "denied by"),
    (lambda request: denied(request, "HALTED"), 4, "denied by"),
    (lambda request: denied(request, "REDUCE_ONLY"), 4, "denied by"),
    (_unknown, 6, "Unknown"),
    (_pending, 0, "Pending"),
    (_rejected, 0, "VENUE_REJECTED: no"),
    (_failed, 0, "NOT_SENT: no way"),
    (undecided("QUEUE_FULL"), 5, "QUEUE_FULL: Come again"),
    (undecided("JOURNAL_FAILED"), 5, "JOURNAL_FAILED"),
    (_fault, 6, "INTERNAL"),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end[2])
def test_exit_codes(
    served: Served,
    tmp_path: Path,
    capsys: Capture,
    end: tuple[Callable[[Request], Result], int, str],
) -> None:
    """The exit code tells a script what became of the request."""
    answer, code, text = end
    served.gateway.answer = answer
    assert main(["submit", write(tmp_path, body())]) == code
    said = capsys.readouterr()
    assert text in said.out + said.err


def test_malformed_is_2_and_names_the_field(
    served: Served, tmp_path: Path, capsys: Capture
) -> None:
    """What the gateway cannot read ends with 2."""
    assert main(["submit", write(tmp_path, body(size="abc"))]) == 2
    assert "line 1: MALFORMED (size)" in capsys.readouterr().err


def test_denial_that_lifts_says_when(served: Served, tmp_path: Path, capsys: Capture) -> None:
    """Warnings and the time at which a denial lifts are shown."""
    until = Line("rate_limit", "RATE_LIMIT_MINUTE", Decimal(20), Decimal(20), "20:31", "too many")
    warning = Line("price_reference", "QUOTE_STALE", None, None, None, "old quote")

    def answer(request: Request) -> Result:
        found = denied(request)
        found.denials, found.warnings = (until,), (warning,)
        return found

    served.gateway.answer = answer
    assert main(["submit", write(tmp_path, body())]) == 3
    said = capsys.readouterr().out
    assert "denied by rate_limit: too many (until 20:31)" in said
    assert "warning of price_reference: old quote" in said


def test_duplicate_tells_of_the_first(served: Served, tmp_path: Path, capsys: Capture) -> None:
    """A duplicate says what became of the first under its key."""
    served.gateway.answer = lambda request: denied(
        request, "DUPLICATE_REQUEST", original=result(request)
    )
    main(["submit", write(tmp_path, body())])
    assert "the first under this key: Filled" in capsys.readouterr().out


def test_worst_of_several_counts(served: Served, tmp_path: Path, capsys: Capture) -> None:
    """Of several lines the worst decides; empty lines are none, malformed ones stop nothing."""

    def answer(request: Request) -> Result:
        return denied(request) if request.request_id == "b" else result(request)

    served.gateway.answer = answer
    lines = [body(request_id="a"), b"", body(request_id="b"), b"{", body(request_id="c")]
    assert main(["submit", write(tmp_path, *lines)]) == 2
    assert [each.request_id for each, _ in served.gateway.requests] == ["a", "b", "c"]
    assert "line 4: MALFORMED" in capsys.readouterr().err
    lines.remove(b"{")
    assert main(["submit", write(tmp_path, *lines)]) == 3


def test_bytes_are_sent_as_they_stand(served: Served, tmp_path: Path) -> None:
    """Numbers are not read and written again on the way."""
    exact = body(size=None)[:-1] + b', "size": 0.100001}'
    assert main(["submit", write(tmp_path, exact)]) == 0
    assert served.gateway.requests[0][0].size == 100_001


def test_unreachable_is_69(nobody: str, tmp_path: Path, capsys: Capture) -> None:
    """Without a gateway nothing was sent, and the command says so."""
    assert main(["submit", write(tmp_path, body(), body())]) == 69
    said = capsys.readouterr()
    assert said.out == ""
    assert "line 1: not sent" in said.err


def test_starting_is_5(starting: str, tmp_path: Path, capsys: Capture) -> None:
    """A gateway that is starting decided nothing."""
    assert main(["submit", write(tmp_path, body())]) == 5
    assert "STARTING" in capsys.readouterr().err


@pytest.mark.parametrize("text", [b"", b"\n \n"])
def test_nothing_to_send_is_2(served: Served, tmp_path: Path, text: bytes, capsys: Capture) -> None:
    """A file without a request is a mistake."""
    assert main(["submit", write(tmp_path, text)]) == 2


def test_missing_file_is_2(served: Served, capsys: Capture) -> None:
    """A file that cannot be read is a mistake."""
    assert main(["submit", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_stdin(served: Served) -> None:
    """A dash reads stdin."""
    found = subprocess.run(
        [sys.executable, "-m", "arbees", "submit", "-", "--json"],
        env={**os.environ, "PYTHONPATH": SOURCE},
        input=body() + b"\n",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert json.loads(found.stdout)["status"] == "Filled"


def test_requests_of() -> None:
    """One object may span lines; otherwise each line is one, broken or not."""
    pretty = json.dumps(BODY, indent=1).encode()
    assert list(requests_of(pretty.splitlines(keepends=True))) == [
        (1, b"\n".join(line.strip() for line in pretty.splitlines()))
    ]
    assert list(requests_of([b"{}\n", b"\n", b"{\n"])) == [(1, b"{}"), (3, b"{")]
    assert list(requests_of([b"{\n", b"{}\n"])) == [(1, b"{"), (2, b"{}")]
    assert list(requests_of([b"\n", b"{\n"])) == [(2, b"{")]
    assert list(requests_of([])) == []


def test_requests_come_as_they_are_written() -> None:
    """A stream is not read to its end before the first line is sent."""
    read: list[int] = []

    def stream() -> Iterator[bytes]:
        for number in range(3):
            read.append(number)
            yield b"{}\n"

    first = next(requests_of(stream()))
    assert (first, read) == ((1, b"{}"), [0])
