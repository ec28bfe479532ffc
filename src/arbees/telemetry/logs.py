"""Set up logging: one handler on standard error, JSON or console, secrets hidden.

Guarantees that our own entries and those of libraries take the same way, that no secret gets
through (see `redaction`), that one entry is one line unless it shows a traceback, and that there is
no colour where no terminal is. Logs are for people; what counts stands in the journal. A standard
error that is closed loses entries and nothing else.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, TextIO

import msgspec
import structlog

from arbees.core.language.visible_text import harmless, visible
from arbees.telemetry.redaction import Redactor

AUDIT_CHANNEL = "audit"
"""Name of the logger that gets a copy of each audit line."""

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
    handler = logging.StreamHandler(stream)
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


def copy_to_console(lines: Sequence[bytes]) -> None:
    """Copy audit lines to the log's `audit` channel; a copy for `AuditLog`."""
    log = structlog.get_logger(AUDIT_CHANNEL)
    for line in lines:
        log.info("execution", line=msgspec.Raw(line.rstrip(b"\n")))


def _as_json(_logger: object, _method: str, entry: Entry) -> str:
    """Render an entry as one line of JSON; audit lines stay JSON inside it."""
    return harmless(_ENCODER.encode(dict(entry))).decode()


def _one_line(_logger: object, _method: str, entry: Entry) -> Entry:
    """Escape control characters, so that no text can forge a line or drive a terminal."""
    for name, value in entry.items():
        if isinstance(value, msgspec.Raw):
            entry[name] = visible(bytes(value).decode("utf-8", "replace"))
        elif isinstance(value, str):
            entry[name] = visible(value, has_lines=name in {"exception", "stack"})
    return entry
