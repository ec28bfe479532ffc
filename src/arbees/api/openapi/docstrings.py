"""What a class says of its fields: the sentence below each.

Guarantees that what people read about a field is what stands in its class. Without the source (a
build that ships byte code alone) there is nothing to read, and nothing is said.
"""

import ast
import importlib
import inspect
import itertools
from functools import cache


def descriptions(kind: type) -> dict[str, str]:
    """Return what stands below each field of a class and of its bases, by the field's name."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        for node, following in itertools.pairwise(body_of(owner)):
            if not isinstance(node, ast.AnnAssign) or not isinstance(following, ast.Expr):
                continue
            if isinstance(following.value, ast.Constant) and isinstance(following.value.value, str):
                found[ast.unparse(node.target)] = one_line(following.value.value)
    return found


def body_of(owner: type) -> list[ast.stmt]:
    """Return the statements of a class of ours."""
    if not owner.__module__.startswith("arbees."):
        return []
    for node in _tree(owner.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == owner.__name__:
            return node.body
    return []


@cache
def _tree(module: str) -> ast.Module:
    try:
        return ast.parse(inspect.getsource(importlib.import_module(module)))
    except OSError:
        return ast.Module(body=[], type_ignores=[])


def one_line(text: str) -> str:
    """Return a docstring as one line."""
    return " ".join(inspect.cleandoc(text).split())


def prose_of(thing: object) -> str:
    """Return the docstring of a function or class without the sections for programs."""
    text = inspect.getdoc(thing) or ""
    for title in ("Args:", "Returns:", "Raises:", "Attributes:"):
        text = text.partition(f"\n{title}\n")[0]
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)
