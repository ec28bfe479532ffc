"""Text from outside as it may be shown: no character of it drives a terminal or turns a line.

Guarantees that control characters, what changes the direction of text, what has no width, and what
separates lines or paragraphs, comes out as an escape that says what it was. In JSON the escape is
JSON's own, so that programs read the same text. One place for terminals, logs, the audit log and
answers: whatever is let in by somebody else, a venue too, comes out harmless.
"""

import re

_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ANY = re.compile(f"[{_HIDDEN}]")
_IN_LINES = re.compile(f"(?![\t\n])[{_HIDDEN}]")


def visible(text: str, *, has_lines: bool = False) -> str:
    """
    Return a text for people, what cannot be seen escaped.

    Args:
        text: from wherever.
        has_lines: whether tabs and line feeds are ours, and stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return (_IN_LINES if has_lines else _ANY).sub(_escape, text)


def harmless(data: bytes) -> bytes:
    """Return JSON that says the same, with what cannot be seen escaped as JSON has it."""
    if data.isascii() and b"\x7f" not in data:
        return data  # what is below the blank is escaped in JSON anyway, or stands between values
    return _IN_LINES.sub(_json_escape, data.decode("utf-8", "surrogatepass")).encode()


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
