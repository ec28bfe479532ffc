"""`.env` is read strictly: assignments, comments and quotes, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.settings.sources.dotenv import read_dotenv

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE+/=\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=1", "1"),
        ("A=1\n", "1"),
        ("A=1\r\n", "1"),
        ("\ufeffA=1", "1"),
        ("  A=1  ", "1"),
        ("export A=1", "1"),
        ("export\tA=1", "1"),
        ("A=0                    # Disable paper trading", "0"),
        ("A=0\t# tab", "0"),
        ('A=0 # don\'t "quote" here', "0"),
        ("A=a#b", "a#b"),
        ("A=a b", "a b"),
        ("A=$HOME", "$HOME"),
        ("A=a=b", "a=b"),
        ("A=", ""),
        ("A=    ", ""),
        ("A=    # nothing", ""),
        ("A=''", ""),
        ('A=""', ""),
        ("A='# no comment'", "# no comment"),
        ("A=' blanks '  # comment", " blanks "),
        ("A='$x \\n'", "$x \\n"),
        ('A="a\\nb"', "a\nb"),
        ('A="a\\"b\\\\c\\$d"', 'a"b\\c$d'),
        (f"A='{PEM}'", PEM),
        (f'A="{PEM}"  # key', PEM),
        ("# comment\n\n   # another\nA=1", "1"),
    ],
)
def test_assignments(text: str, value: str) -> None:
    """An assignment has one reading; comments, quotes and `export` are understood."""
    lines, bad = read_dotenv(text)
    assert bad == []
    assert [(line.name, line.text) for line in lines] == [("A", value)]


@pytest.mark.parametrize(
    ("text", "word", "fix"),
    [
        ("A", "A", "Write NAME=value"),
        ("A 1", "A", "Write NAME=value"),
        ("A = 1", "A", "Write NAME=value"),
        ("A: 1", "A", "Write NAME=value"),
        ("=1", "", "Write NAME=value"),
        ("1A=2", "", "Write NAME=value"),
        ("A-B=1", "A-B", "Write NAME=value"),
        ("Ä=1", "", "Write NAME=value"),
        ("export", "export", "Write NAME=value"),
        ("A= 1", "A", "Write NAME=value."),
        ("A=#1", "A", "Put a blank before #"),
        ("A='1", "A", "Close the quote"),
        ('A="1', "A", "Close the quote"),
        ("A='1' 2", "A", "Close the quote"),
        ("A='a'b'", "A", "Close the quote"),
        ("A=it's", "A", "Quote the whole value"),
        ('A=a"b"', "A", "Quote the whole value"),
        ('A="a\\qb"', "A", r"Write \\ for a backslash"),
    ],
)
def test_bad_lines(text: str, word: str, fix: str) -> None:
    """A line that is no assignment is told by number, first word and fix; the next one is read."""
    lines, bad = read_dotenv(f"# head\n{text}\nB=2\n")
    (found,) = bad
    assert (found.number, found.word) == (2, word)
    assert found.fix.startswith(fix)
    assert [(line.number, line.name, line.text) for line in lines] == [(3, "B", "2")]


def test_open_quote_swallows_nothing() -> None:
    """An unclosed quote is told; the settings behind it stand."""
    lines, bad = read_dotenv("A='x\nMAX_ORDER_SIZE=1\nB='y'\n")
    assert [found.number for found in bad] == [1]
    assert [line.name for line in lines] == ["MAX_ORDER_SIZE", "B"]


def test_lines_behind_a_block_are_counted() -> None:
    """A value over several lines does not shift the numbers of the lines behind it."""
    lines, _ = read_dotenv(f"A='{PEM}'\nB=1\n")
    assert [(line.number, line.name) for line in lines] == [(1, "A"), (4, "B")]


@given(st.text(alphabet=st.sampled_from("AB=#'\"\\ \t\n\r\ufeff$-x1ä\0"), max_size=60))
def test_never_raises(text: str) -> None:
    """Whatever the text, every line is an assignment, a comment or told; nothing raises."""
    lines, bad = read_dotenv(text)
    numbers = [line.number for line in lines] + [found.number for found in bad]
    assert len(set(numbers)) == len(numbers)
    assert all(1 <= number <= text.count("\n") + 1 for number in numbers)


@given(st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"), max_size=40))
def test_quoted_text_comes_back(text: str) -> None:
    """Any text of one line survives double quotes with backslash and quote escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    lines, bad = read_dotenv(f'A="{escaped}"\n')
    assert bad == []
    assert [line.text for line in lines] == [text]
