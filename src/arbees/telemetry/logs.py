"""Set up logging: one handler on standard error, JSON or console, secrets hidden.

Guarantees that our own entries and those of libraries take the same way, that no secret gets
through (see `redaction`), that one entry is one line unless it shows a traceback, and that there is
no colour where no terminal is. Logs are for people; what counts stands in the journal. A standard
error that is closed loses entries and nothing else.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, TextIO

import msgspec
import structlog

from arbees.core.language.visible_text import harmless, visible
from arbees.telemetry.redaction import Redactor

AUDIT_CHANNEL = "audit"
"""Name of the log's channel that has a copy of the audit log."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_ENCODER = msgspec.json.Encoder(enc_hook=str)

Entry = MutableMapping[str, Any]


def set_up(
    level: str = "info",
    look: str = "auto",
    *,
    secrets: Iterable[str] = (),
    secret_names: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """
    Set up all logging of this process; may be called again.

    Args:
        level: `LOG_LEVEL`: debug, info, warning or error.
        look: `LOG_FORMAT`: json, console, or auto = console on a terminal, json elsewhere.
        secrets: values that must never be shown.
        secret_names: names of settings whose values must never be shown.
        stream: where to; None = standard error.
    """
    stream = sys.stderr if stream is None else stream
    is_terminal = stream.isatty()
    is_console = look == "console" or (look == "auto" and is_terminal)
    shared: list[Callable[..., Any]] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[Callable[..., Any]] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.StackInfoRenderer(),
        Redactor(secrets, secret_names),
    ]
    if is_console:
        colors = is_terminal and not os.environ.get("NO_COLOR")
        final += [_one_line, structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0)]
    else:
        final.append(_as_json)
    handler = _Handler(stream, Redactor(secrets, secret_names), is_console=is_console)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()], processors=final
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class _Handler(logging.StreamHandler[TextIO]):
    """Writes entries, and copies of audit lines without the way that entries go."""

    def __init__(self, stream: TextIO, redactor: Redactor, *, is_console: bool) -> None:
        super().__init__(stream)
        self.redactor = redactor
        self.is_console = is_console

    def copy(self, entries: Iterable[tuple[str, str]]) -> None:
        """Write copies, each with its time, at once; what a stream cannot take is lost."""
        look = "{} [audit] {}\n" if self.is_console else _AUDIT_ENTRY
        text = "".join(look.format(time, each) for time, each in entries)
        with self.lock or contextlib.nullcontext(), contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()


_AUDIT_ENTRY = f'{{{{"timestamp":"{{}}","level":"info","logger":"{AUDIT_CHANNEL}",{{}}}}}}\n'


class _AuditMetadata(msgspec.Struct):
    strategy: str | None = None
    code: str | None = None


class _AuditLine(msgspec.Struct):
    """What a short line tells of an audit line."""

    timestamp: str
    event_type: str
    request_id: str
    platform: str
    market_id: str
    side: str
    price: msgspec.Raw
    size: msgspec.Raw
    status: str
    rejection_reason: str | None
    metadata: _AuditMetadata

    def text(self) -> str:
        """Return it as people read it."""
        terms = f"{bytes(self.size).decode()} {self.side} at {bytes(self.price).decode()}"
        whose = f" ({self.metadata.strategy})" if self.metadata.strategy else ""
        why = f": {self.rejection_reason}" if self.rejection_reason else ""
        return (
            f"{self.status} {self.platform} {self.market_id} {terms} {self.request_id}{whose}{why}"
        )


_read_audit_line = msgspec.json.Decoder(_AuditLine).decode


class AuditConsole:
    """The copy of the audit log among the log lines, as `AUDIT_LOG_CONSOLE` has it."""

    def __init__(self, look: str) -> None:
        """Show `short`: what became of each order, in a line; or `json`: each line whole."""
        self._is_short = look == "short"

    def __call__(self, lines: Sequence[bytes]) -> None:
        """Copy lines of one step."""
        root = logging.getLogger()
        if not root.isEnabledFor(logging.INFO):
            return
        for handler in root.handlers:
            if isinstance(handler, _Handler):
                handler.copy((self._short if self._is_short else self._whole)(lines, handler))

    def _short(self, lines: Sequence[bytes], handler: _Handler) -> Iterator[tuple[str, str]]:
        """Yield what became of orders; one that filled in the same step is not told as placed."""
        last: dict[str, _AuditLine] = {}
        for each in map(_read_audit_line, lines):
            if each.event_type != "ExecutionRequested":
                last[each.request_id] = each
        for each in last.values():
            text = handler.redactor.text(visible(each.text()))
            yield each.timestamp, text if handler.is_console else f'"event":{_quoted(text)}'

    def _whole(self, lines: Sequence[bytes], handler: _Handler) -> Iterator[tuple[str, str]]:
        for line in lines:
            time = _read_audit_line(line).timestamp
            text = line.rstrip(b"\n").decode("utf-8", "replace")
            shown = handler.redactor.text(text)
            if handler.is_console:
                yield time, visible(shown)
            else:
                yield time, f'"line":{shown if shown == text else _quoted(shown)}'


def _quoted(text: str) -> str:
    return harmless(_ENCODER.encode(text)).decode()


def _as_json(_logger: object, _method: str, entry: Entry) -> str:
    """Render an entry as one line of JSON."""
    return harmless(_ENCODER.encode(dict(entry))).decode()


def _one_line(_logger: object, _method: str, entry: Entry) -> Entry:
    """Escape control characters, so that no text can forge a line or drive a terminal."""
    for name, value in entry.items():
        if isinstance(value, str):
            entry[name] = visible(value, has_lines=name in {"exception", "stack"})
    return entry
