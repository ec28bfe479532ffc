"""Reads `.env` strictly: what it does not understand it refuses, by line.

The format is the one of the requirements: `NAME=value`, `#` comments on a line of their own or
behind a value, quotes, an `export` in front. Guarantees that nothing is guessed and nothing is
expanded (`$` stands for itself), that a name stands there once, and that a refusal never repeats
what may be a secret. Only a quoted `-----BEGIN` block may span lines: an unclosed quote must not
swallow the settings that follow it.
"""

import re

import msgspec

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=", re.ASCII)
_WORD = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)", re.ASCII)
_PLAIN = re.compile(r"([^\s#'\"][^\n'\"]*?)?(?:[ \t]+#[^\n]*|[ \t]*)(?=\n|\Z)")
_SINGLE = re.compile(r"'([^'\n]*|-----BEGIN [^']*)'[ \t]*(?:#[^\n]*)?(?=\n|\Z)")
_DOUBLE = re.compile(r'"((?:[^"\\\n]|\\.)*|-----BEGIN (?:[^"\\]|\\.)*)"[ \t]*(?:#[^\n]*)?(?=\n|\Z)')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "$": "$", "`": "`"}


class Assignment(msgspec.Struct, frozen=True):
    """One assignment: where it begins, the name, the text."""

    number: int
    name: str
    text: str


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no assignment: the first word on it (may be secret), and what is wrong."""

    number: int
    word: str
    expected: str
    fix: str


def read_dotenv(text: str) -> tuple[list[Assignment], list[BadLine]]:
    """
    Read the text of a `.env` file.

    Args:
        text: the whole file; a byte order mark and Windows line ends are taken.

    Returns:
        The assignments in order, and the lines that are none. Never raises for input.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines: list[Assignment] = []
    bad: list[BadLine] = []
    position, number = 0, 1
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        found = _assignment(text, position, end, number)
        if isinstance(found, tuple):
            line, end = found
            lines.append(line)
        elif found is not None:
            bad.append(found)
        number += text.count("\n", position, end) + 1
        position = end + 1
    return lines, bad


def _assignment(
    text: str, position: int, end: int, number: int
) -> tuple[Assignment, int] | BadLine | None:
    """Read one line: an assignment and where it ends, a bad line, or nothing (a comment)."""
    while position < end and text[position] in " \t":
        position += 1
    if position == end or text[position] == "#":
        return None
    name = _NAME.match(text, position, end)
    if name is None:
        word = _WORD.match(text, position, end)
        return BadLine(
            number,
            word[1] if word else "",
            "Expected NAME=value without blanks around the `=`",
            "Write NAME=value, or begin the line with # to make it a comment.",
        )
    start = name.end()
    quote = text[start : start + 1]
    pattern = {"'": _SINGLE, '"': _DOUBLE}.get(quote, _PLAIN)
    value = pattern.match(text, start)
    if value is None:
        return BadLine(number, name[1], *_what_is_wrong(quote, text[start:end]))
    content = value[1] or ""
    if quote == '"':
        unknown = re.search(r"\\([^nrt\"'\\$`\n])", re.sub(r"\\\\", "", content))
        if unknown:
            return BadLine(
                number,
                name[1],
                "Expected a known escape after the backslash",
                r"Write \\ for a backslash, or use single quotes.",
            )
        content = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), content)
    return Assignment(number, name[1], content), value.end()


def _what_is_wrong(quote: str, rest: str) -> tuple[str, str]:
    if quote in {"'", '"'}:
        return (
            f"Expected a value that ends with the quote {quote} it begins with",
            "Close the quote, and put only a # comment behind it.",
        )
    if rest[:1] in {" ", "\t"}:
        return "Expected no blank after the `=`", "Write NAME=value."
    if rest[:1] == "#":
        return (
            "Expected a value, or a blank before the comment",
            "Put a blank before #, or quote the value.",
        )
    return "Expected no quote inside a value without quotes", "Quote the whole value."
