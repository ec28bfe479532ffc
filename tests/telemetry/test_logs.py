"""Logs: JSON and console, secrets hidden in both, no colour where no terminal is."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from arbees.core.language.key_secret import make_secret
from arbees.telemetry import logs
from arbees.telemetry.redaction import HIDDEN, Redactor

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAtopsecret0\n-----END RSA PRIVATE KEY-----"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raises
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_json_by_default_away_from_a_terminal() -> None:
    """Each entry is one JSON object with time, level, logger and what was said."""
    stream = io.StringIO()
    logs.set_up(stream=stream)
    structlog.get_logger("arbees.x").info("Ready", orders=3)
    structlog.get_logger("arbees.x").debug("Too detailed")
    logging.getLogger("library").warning("took %d s", 5)
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["level"], ours["logger"]) == ("Ready", "info", "arbees.x")
    assert ours["orders"] == 3
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"]) == ("took 5 s", "warning")


def test_level() -> None:
    """What is below the level is left out, of libraries too."""
    stream = io.StringIO()
    logs.set_up(level="error", stream=stream)
    structlog.get_logger("a").warning("no")
    logging.getLogger("b").warning("no")
    structlog.get_logger("a").error("yes")
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize(("terminal", "no_color"), [(False, False), (True, True), (True, False)])
def test_colour_only_on_a_terminal(
    *, terminal: bool, no_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console look has no colour elsewhere, nor where NO_COLOR is set."""
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal() if terminal else io.StringIO()
    logs.set_up(look="console", stream=stream)
    structlog.get_logger("a").warning("Careful", what="x")
    assert ("\x1b[" in stream.getvalue()) is (terminal and not no_color)
    assert "Careful" in stream.getvalue()


def test_no_text_can_forge_a_line() -> None:
    """Line breaks and escape sequences in what others said are shown, not obeyed."""
    stream = io.StringIO()
    logs.set_up(look="console", stream=stream)
    structlog.get_logger("a").info("said\nFORGED \x1b[31m", text="a\r\nb\u2028c")
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\\nFORGED" in text


@pytest.mark.parametrize("look", ["json", "console"])
def test_secrets_are_hidden(look: str) -> None:
    """No secret gets through: by name, value, shape or URL, nested or in a traceback."""
    stream = io.StringIO()
    logs.set_up(look=look, secrets=["s3cr3t-value", PEM], secret_names=["REDIS_URL"], stream=stream)
    log = structlog.get_logger("a")
    log.info("token is s3cr3t-value", headers={"Authorization": "Bearer abcdefghijkl"})
    log.info("Authorization: Bearer abcdefghijkl", redis_url="redis://h", api_key=["abcdefghijkl"])
    log.info("connect redis://user:abcdefghijkl@host/0", nested=[{"a": ({"x": PEM},)}])
    log.info(
        "raw", body=b"KALSHI-ACCESS-SIGNATURE: abcdefghijkl", part="MIIEowIBAAKCAQEAtopsecret0"
    )
    try:
        int(PEM)
    except ValueError:
        log.exception("failed with s3cr3t-value")
    logging.getLogger("aiohttp").warning("sent {'Authorization': 'Bearer abcdefghijkl'}")
    text = stream.getvalue()
    for secret in ("s3cr3t", "abcdefghijkl", "topsecret", "redis://h"):
        assert secret not in text
    assert text.count(HIDDEN) >= 9
    assert "Traceback" in text


def test_api_keys_are_hidden() -> None:
    """By their shape, wherever they stand; their id stays, so that one knows which to revoke."""
    key_id, secret = make_secret(bytes(range(6)), bytes(range(32)))
    text = Redactor().text(f"made {secret}, then GET /v1/status?key={secret}&x={secret[:-20]}")
    assert secret.split("_")[2][:16] not in text
    assert text.count(f"arb_{key_id}_{HIDDEN}") == 3


def test_words_are_not_hidden() -> None:
    """Ordinary facts stay: token ids, order ids, short texts, absent secrets."""
    hide = Redactor(["ab"], ["KALSHI_PRIVATE_KEY"])
    entry = {"token_id": "71321", "order_id": "ab12", "event": "absent", "private_key": None}
    assert hide(None, "info", dict(entry)) == entry


def audit_line(**changes: object) -> bytes:
    """Return an audit line with what a copy of it reads."""
    fields: dict[str, object] = {
        "timestamp": "2026-01-28T20:30:00.123Z",
        "event_type": "OrderFilled",
        "request_id": "r1",
        "platform": "Kalshi",
        "market_id": "KXNBAGAME-26JAN28LALBOS-LAL",
        "side": "Yes",
        "price": 0.65,
        "size": 50.0,
        "status": "Filled",
        "rejection_reason": None,
        "metadata": {"strategy": "alpha", "code": None},
    }
    return json.dumps(fields | changes).encode() + b"\n"


@pytest.mark.parametrize("look", ["json", "console"])
def test_a_whole_copy_is_the_line_itself(look: str) -> None:
    """With `AUDIT_LOG_CONSOLE=json` each line stands on the channel `audit`, its numbers exact."""
    stream = io.StringIO()
    logs.set_up(look=look, stream=stream)
    logs.AuditConsole("json")([audit_line(), audit_line(event_type="OrderPlaced")])
    assert audit_line().decode().strip() in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2
    if look == "json":
        entry = json.loads(stream.getvalue().splitlines()[0])
        assert (entry["logger"], entry["line"]["price"]) == ("audit", 0.65)


def test_a_short_copy_says_what_became_of_an_order() -> None:
    """One line a result, and none of what was only asked for; a fill stands for its placing."""
    stream = io.StringIO()
    logs.set_up(look="json", stream=stream)
    asked = audit_line(event_type="ExecutionRequested", status="Pending")
    placed = audit_line(event_type="OrderPlaced", status="Pending")
    denied = audit_line(
        event_type="OrderRejected", request_id="r2", status="Rejected", rejection_reason="Halted"
    )
    logs.AuditConsole("short")([asked, placed, audit_line(), denied])
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(each["logger"], each["level"]) for each in entries] == [("audit", "info")] * 2
    market = "Kalshi KXNBAGAME-26JAN28LALBOS-LAL 50.0 Yes at 0.65"
    assert [each["event"] for each in entries] == [
        f"Filled {market} r1 (alpha)",
        f"Rejected {market} r2 (alpha): Halted",
    ]
    assert len(stream.getvalue().splitlines()[0]) < 200


@pytest.mark.parametrize("look", ["json", "console"])
@pytest.mark.parametrize("copy", ["short", "json"])
def test_a_copy_hides_secrets_and_is_one_line(look: str, copy: str) -> None:
    """A secret in a venue's words, or a line break in a name, goes no further than the file."""
    stream = io.StringIO()
    logs.set_up(look=look, secrets=["s3cr3t-value"], stream=stream)
    bad = audit_line(rejection_reason="token s3cr3t-value\nFORGED", status="Rejected")
    logs.AuditConsole(copy)([bad])
    assert "s3cr3t" not in stream.getvalue()
    assert HIDDEN in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


def test_a_copy_is_information() -> None:
    """Where only warnings are logged there is no copy; a stream that is gone loses it."""
    stream = io.StringIO()
    logs.set_up("warning", stream=stream)
    logs.AuditConsole("short")([audit_line()])
    assert not stream.getvalue()
    logs.set_up(stream=stream)
    stream.close()
    logs.AuditConsole("short")([audit_line()])


def test_closed_stream_is_no_failure() -> None:
    """Logging to a stream that is gone neither raises nor stops anything."""
    stream = io.StringIO()
    logs.set_up(stream=stream)
    stream.close()
    structlog.get_logger("a").error("nobody hears")
