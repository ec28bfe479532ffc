"""Text from outside, shown: nothing of it drives a terminal, and programs read what was written."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.visible_text import harmless, visible

HIDDEN = [
    *("\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9b", "\xad"),
    *("\u061c", "\u200b", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e"),
    *("\u2060", "\u2066", "\u2069", "\u206f", "\ufeff", "\ufff9", "\U000e0041"),
]


@pytest.mark.parametrize("character", HIDDEN)
def test_what_cannot_be_seen_is_escaped(character: str) -> None:
    """Controls, directions, widthless ones and separators, in text and in JSON."""
    assert visible(f"a{character}b").isascii()
    assert visible(f"a{character}b", has_lines=True).isascii()
    data = json.dumps({"reason": f"a{character}b"}, ensure_ascii=False).encode()
    assert harmless(data).isascii()
    assert json.loads(harmless(data)) == {"reason": f"a{character}b"}


def test_what_can_be_seen_stays() -> None:
    """Every script, accents and emoji are read as they were written."""
    text = "Zürich ≥ 5 % · 東京 · قطر · 🏀"
    assert visible(text) == text
    assert harmless(text.encode()) == text.encode()


def test_lines_stay_only_where_they_are_ours() -> None:
    """A line feed of somebody else cannot begin a line of ours."""
    assert visible("a\nState: ACTIVE\tb") == "a\\nState: ACTIVE\\tb"
    assert visible("a\n\tb", has_lines=True) == "a\n\tb"


@given(st.text())
def test_nothing_hidden_comes_through(text: str) -> None:
    """No character of Unicode's control, format or separating kind is left."""
    for shown in (visible(text), json.loads(harmless(json.dumps(visible(text)).encode()))):
        kinds = {unicodedata.category(character) for character in shown}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_says_the_same(text: str) -> None:
    """Whatever was written is what a program reads."""
    data = json.dumps([text], ensure_ascii=False).encode()
    assert json.loads(harmless(data)) == [text]
    assert harmless(harmless(data)) == harmless(data)


def test_every_directing_or_widthless_character_is_known() -> None:
    """Of the format characters of Unicode none is let through but those inside of scripts."""
    scripts = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2}
    for code in range(0x20000):
        if unicodedata.category(chr(code)) == "Cf" and code not in scripts and code < 0x11000:
            assert visible(chr(code)) != chr(code), hex(code)
