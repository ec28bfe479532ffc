"""Keep secrets out of whatever is printed: by the names of values, by their shape, by themselves.

Guarantees that a value under a secret's name, a private key, an authorization header, credentials
in a URL and every configured secret are replaced before a text leaves, nested ones too. Hides
rather too much than too little; it does not fail.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "***"
SECRET_BYTES_MIN = 4
"""Shorter secrets are hidden by name only: as text they would hide ordinary words."""
_DEPTH_MAX = 8
_LINE_MIN = 16

_NAMES = re.compile(
    r"authorization|api[-_]?key|private[-_]?key|passphrase|password|passwd|secret|signature"
    r"|cookie|(?:access|auth|bearer|refresh)[-_]?token",
    re.IGNORECASE,
)
_SHAPES = (
    (
        re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    (
        re.compile(
            r"(?i)\b(authorization|proxy-authorization|x-api-key|kalshi-access-[a-z]+|poly_[a-z_]+"
            r"|cookie|set-cookie)(['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic)\s+)?[^\s'\",;}]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(arb_[0-9a-f]{12}_)[\w-]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(://)[^/\s@]*:[^/\s@]*@"), rf"\1{HIDDEN}@"),
)


class Redactor:
    """Hides secrets in log entries; a structlog processor."""

    def __init__(self, secrets: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        """
        Learn what to hide.

        Args:
            secrets: values of settings that are secret.
            names: names of such settings; values under them are hidden whatever they are.
        """
        texts: set[str] = set()
        for secret in secrets:
            if len(secret.encode()) >= SECRET_BYTES_MIN:
                texts |= {secret, secret.strip(), repr(secret)[1:-1]}
                texts |= {line for line in secret.splitlines() if len(line) >= _LINE_MIN}
        longest_first = sorted(texts - {""}, key=lambda text: (-len(text), text))
        self._secrets = (
            re.compile("|".join(re.escape(text) for text in longest_first)) if texts else None
        )
        self._names = frozenset(name.lower() for name in names)

    def __call__(self, _logger: object, _method: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Return a log entry without secrets."""
        return {name: self._value(name, value, 0) for name, value in entry.items()}

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        for shape, shown in _SHAPES:
            text = shape.sub(shown, text)
        return text

    def _value(self, name: str, value: Any, depth: int) -> Any:  # noqa: ANN401 (a log value)
        if name.lower() in self._names or _NAMES.search(name):
            return value if value is None or isinstance(value, bool) else HIDDEN
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth < _DEPTH_MAX and isinstance(value, Mapping):
            return {str(key): self._value(str(key), each, depth + 1) for key, each in value.items()}
        if depth < _DEPTH_MAX and isinstance(value, list | tuple | set | frozenset):
            return [self._value("", each, depth + 1) for each in value]
        return self.text(
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        )
