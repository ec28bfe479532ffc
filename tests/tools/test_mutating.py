"""Which mutants there are: every expression that runs, but for what the rules leave out."""

from pathlib import Path

import pytest

from tools.mutating import Source, sources


def made(text: str) -> list[str]:
    """Return the changed lines of all mutants of a module."""
    source = Source(Path("m.py"), "m", text)
    before = text.splitlines()
    changes = []
    for mutant in source.mutants:
        after = source.changed(mutant.number).splitlines()
        compile("\n".join(after), "m.py", "exec")
        changes += [line.strip() for line in after if line not in before]
    return changes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a, b):\n    return a < b\n", ["return a <= b"]),
        ("def f(a):\n    return a + 1\n", ["return a - 1", "return a + 2"]),
        ("@property\ndef f(a):\n    return a is None\n", ["return a is not None"]),
        ("class A:\n    x: int = 3\n", ["x: int = None", "x: int = 4"]),
        ("LIMIT = 3\n", ["LIMIT = None", "LIMIT = 4"]),
        (
            "def f():\n    return 'ab'\n",
            ["return 'XXabXX'", "return 'AB'"],
        ),
    ],
)
def test_what_is_changed(text: str, expected: list[str]) -> None:
    """Functions, also decorated ones, values of classes and of modules."""
    assert made(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '"""About 1 < 2."""\n',
        'def f():\n    """Return 1 < 2."""\n',
        "from a import b\nimport c\n",
        "def f(a: 'int | None') -> 'list[1]':\n    pass\n",
        "class A(B, frozen=True, gc=False):\n    pass\n",
        "@cache(maxsize=3)\ndef f():\n    pass\n",
        "Id = NewType('Id', str)\nT = TypeVar('T')\n",
        "Either = A | B\nPair = tuple[int, int]\n",
        "if TYPE_CHECKING:\n    x = 1\n",
        "def f(a):\n    return len(a)\n",
    ],
)
def test_what_is_left_out(text: str) -> None:
    """What no behaviour hangs on, or what the type checker looks after."""
    assert made(text) == []


def test_no_comment_keeps_a_line_from_being_changed() -> None:
    """What is left out is left out by rule."""
    assert made("LIMIT = 3  # pragma: no mutate\n") != []


def test_prose_is_changed_once() -> None:
    """Its case is not worth two more mutants."""
    assert made("def f():\n    return 'Some text'\n") == ["return 'XXSome textXX'"]


def test_a_remedy_is_advice() -> None:
    """The sentence of a code is changed, what to do about it is not."""
    text = "x = Code('a', U, 'Sentence here', 'Do this now.')\n"
    changes = made(text)
    assert "x = Code('a', U, 'XXSentence hereXX', 'Do this now.')" in changes
    assert not any("XXDo this" in change for change in changes)


def test_a_mutant_knows_its_place() -> None:
    """Its own line, those of its statement, and those of its function."""
    text = "x = 1\n\n\ndef f(a):\n    g(\n        a,\n        2,\n    )\n    return a\n"
    source = Source(Path("m.py"), "m", text)
    (two,) = [each for each in source.mutants if each.line == 7]
    assert (two.place, two.lines) == ("m.py:7", (5, 8))
    assert source.functions[two.number] == (4, 9)
    assert source.mutants[0].lines == (1, 1)
    assert source.mutants[0].number not in source.functions
    assert source.difference(two.number) == "2,  ->  3,"


def test_the_modules_of_a_folder(tmp_path: Path) -> None:
    """In order, each by its name and its path; the same again for the same text."""
    package = tmp_path / "src" / "arbees" / "x"
    package.mkdir(parents=True)
    for name in ("b.py", "a.py", "__init__.py"):
        (package / name).write_text("LIMIT = 3\n", encoding="utf-8")
    first, second = (sources(Path("src/arbees/x"), tmp_path) for _ in range(2))
    assert [source.module for source in first] == ["arbees.x", "arbees.x.a", "arbees.x.b"]
    assert first[1].path == Path("src/arbees/x/a.py")
    assert [source.mutants for source in first] == [source.mutants for source in second]
    assert [len(source.mutants) for source in first] == [2, 2, 2]
