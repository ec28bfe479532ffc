"""Blocks that are not typed: settings load, JSON parses, Python compiles."""

import ast
import json
import re
from pathlib import Path

import msgspec
import pytest

from arbees.settings import load
from tests.docs.pages import Block, blocks_of, name_of, pages

EVERYTHING = [(name_of(page), block) for page in pages() for block in blocks_of(page)]


def of(*languages: str) -> list[Block]:
    """Return all blocks of some languages."""
    return [block for _, block in EVERYTHING if block.language in languages]


def test_every_block_says_what_it_is() -> None:
    """A block without a language is neither checked nor coloured."""
    known = {"sh", "text", "python", "json", "toml", "dotenv", "sql", "yaml", "{toctree}"}
    wrong = {(page, block.language) for page, block in EVERYTHING if block.language not in known}
    assert not wrong, wrong


@pytest.mark.parametrize("block", of("toml"), ids=lambda block: block.text.split("\n")[0])
def test_examples_of_arbees_toml_load(block: Block, tmp_path: Path) -> None:
    """What a page shows of `arbees.toml` would be taken by a gateway."""
    path = tmp_path / "arbees.toml"
    path.write_text(block.text)
    load({}, toml_path=path)


@pytest.mark.parametrize("block", of("dotenv"), ids=lambda block: block.text.split("\n")[0])
def test_examples_of_dotenv_load(block: Block, tmp_path: Path) -> None:
    """What a page shows of `.env` would be taken by a gateway."""
    path = tmp_path / ".env"
    path.write_text(block.text)
    load({}, dotenv_path=path)


def test_json_parses() -> None:
    """Every example in JSON is JSON; a line `...` stands for more."""
    assert of("json")
    for block in of("json"):
        text = re.sub(r"(?m)^\s*\.\.\.,?\s*$", "", block.text)
        decoder, place = json.JSONDecoder(), 0
        while place < len(text.rstrip()):
            _, place = decoder.raw_decode(text, place)
            place += len(text[place:]) - len(text[place:].lstrip())


def test_yaml_parses() -> None:
    """Every example of other programs' settings parses."""
    for block in of("yaml"):
        assert msgspec.yaml.decode(block.text)


def test_python_compiles() -> None:
    """Every example in Python is Python; that it runs is tested with the commands."""
    assert of("python")
    for block in of("python"):
        ast.parse(block.text)
