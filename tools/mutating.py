"""Makes mutants: copies of one module with one small change, by the operators of mutmut.

Guarantees that the same source gives the same mutants in the same order. Every expression that
runs is changed, in functions (also decorated ones), in classes and in modules; what is left out is
left out by the rules below and by those of mutmut, never one by one: no comment in the source
keeps a line from being changed. A file that mutmut cannot read fails with its error.

Left out, since no behaviour hangs on it or since mypy looks after it:

- annotations (so also what a `Setting` in them says; `tests/settings` compare those with the
  documentation), docstrings, imports, blocks under `TYPE_CHECKING`, decorators, `len(...)` and
  `isinstance(...)` (mutmut's own rules);
- bases and keywords of a class (`frozen=True`, `gc=False`): the shape of a type;
- aliases of types (`Verdict = Pass | Deny`), `NewType` and `TypeVar`;
- the remedy of a code: advice in prose for the documentation;
- of the three changes that mutmut makes to a text, all but one where the text is prose (has a
  blank): its case is not worth two more.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import libcst as cst
from libcst import matchers
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import file_mutation
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

_SHOWN_MAX = 110
_REMEDY = 3
"""Position of the remedy among the arguments of `Code`."""
_TYPE_MAKERS = matchers.Call(func=matchers.Name("NewType") | matchers.Name("TypeVar"))
_IS_TYPE = (
    matchers.BinaryOperation(operator=matchers.BitOr())
    | matchers.Subscript(
        value=matchers.Name("tuple")
        | matchers.Name("list")
        | matchers.Name("dict")
        | matchers.Name("Callable")
    )
    | _TYPE_MAKERS
)


@dataclass(frozen=True)
class Mutant:
    """One change; `lines` are those of the statement that it is in, first and last."""

    path: Path
    module: str
    number: int
    line: int
    lines: tuple[int, int]

    @property
    def place(self) -> str:
        """Return file and line."""
        return f"{self.path}:{self.line}"


class _Visitor(file_mutation.MutationVisitor):
    """mutmut's visitor with the rules of this module."""

    METADATA_DEPENDENCIES = (  # type: ignore[assignment]  # one more than the base
        *file_mutation.MutationVisitor.METADATA_DEPENDENCIES,
        ParentNodeProvider,
    )

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            # mutmut leaves out decorated functions, since its trampolines do not go with them.
            return False
        if isinstance(node, cst.Decorator | cst.Annotation | cst.ImportFrom | cst.Import):
            return True
        if matchers.matches(node, matchers.If(test=matchers.Name("TYPE_CHECKING"))):
            return True
        if isinstance(node, cst.Assign) and self._is_alias(node):
            return True
        if isinstance(node, cst.Arg) and self._is_shape_or_remedy(node):
            return True
        return super()._skip_node_and_children(node)

    def _is_alias(self, node: cst.Assign) -> bool:
        line = self.get_metadata(ParentNodeProvider, node)
        is_top = isinstance(self.get_metadata(ParentNodeProvider, line), cst.Module)
        return is_top and matchers.matches(node.value, _IS_TYPE)

    def _is_shape_or_remedy(self, node: cst.Arg) -> bool:
        parent = self.get_metadata(ParentNodeProvider, node)
        if isinstance(parent, cst.ClassDef):
            return True
        return (
            isinstance(parent, cst.Call)
            and matchers.matches(parent.func, matchers.Name("Code"))
            and node is parent.args[_REMEDY]
        )


@dataclass
class Source:
    """One module and its mutants."""

    path: Path
    module: str
    text: str
    tree: cst.Module = field(init=False, repr=False)
    mutants: list[Mutant] = field(init=False, repr=False)
    functions: dict[int, tuple[int, int]] = field(init=False, repr=False)
    """First and last line of the outermost function that a mutant is in, by its number."""
    _changes: list[file_mutation.Mutation] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the mutants."""
        wrapper = MetadataWrapper(cst.parse_module(self.text))
        visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
        self.tree = wrapper.visit(visitor)
        positions = wrapper.resolve(PositionProvider)
        parents = wrapper.resolve(ParentNodeProvider)
        self._changes = list(_one_of_prose(visitor.mutations))
        self.mutants, self.functions = [], {}
        for number, change in enumerate(self._changes):
            statement = _statement(change.original_node, parents)
            span = positions[statement]
            line = positions.get(change.original_node, span).start.line
            lines = span.start.line, max(span.end.line, line)
            self.mutants.append(Mutant(self.path, self.module, number, line, lines))
            function = change.contained_by_top_level_function
            if isinstance(function, cst.FunctionDef):
                whole = positions[function]
                self.functions[number] = (whole.start.line, whole.end.line)

    def changed(self, number: int) -> str:
        """Return the text of the module with one change."""
        change = self._changes[number]
        tree = file_mutation.deep_replace(self.tree, change.original_node, change.mutated_node)
        assert isinstance(tree, cst.Module)
        return tree.code

    @cached_property
    def _text_lines(self) -> list[str]:
        return self.text.splitlines()

    def difference(self, number: int) -> str:
        """Return a change as the lines that go and the lines that come."""
        found = difflib.ndiff(self._text_lines, self.changed(number).splitlines())
        gone, come = [], []
        for line in found:
            if line.startswith("- "):
                gone.append(line[2:].strip())
            elif line.startswith("+ "):
                come.append(line[2:].strip())
        return f"{_shown(gone)}  ->  {_shown(come)}"


def _shown(lines: list[str]) -> str:
    text = " ".join(lines) or "(nothing)"
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."


def _statement(node: cst.CSTNode, parents: Mapping[cst.CSTNode, cst.CSTNode]) -> cst.CSTNode:
    """Return the simple statement that a node is in, or the head's expression of a compound one."""
    while True:
        parent = parents.get(node)
        if parent is None or isinstance(
            parent, cst.SimpleStatementLine | cst.BaseCompoundStatement | cst.IndentedBlock
        ):
            return node
        node = parent


def _one_of_prose(
    changes: Iterable[file_mutation.Mutation],
) -> Iterator[file_mutation.Mutation]:
    """Leave out all but the first change of a text that has blanks."""
    last: cst.CSTNode | None = None
    for change in changes:
        node = change.original_node
        if isinstance(node, cst.SimpleString) and " " in node.value and node is last:
            continue
        last = node
        yield change


def sources(folder: Path, root: Path) -> list[Source]:
    """Return all modules of a folder below `src`, in order."""
    found = []
    for path in sorted((root / folder).glob("**/*.py")):
        name = path.relative_to(root / "src").with_suffix("").as_posix().replace("/", ".")
        module = name.removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found.append(Source(path.relative_to(root), module, text))
    return found
