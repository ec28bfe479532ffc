"""The house's style as functions: each takes text or a syntax tree and returns its complaints.

Guarantees that a rule is written once and is itself tested on what it must catch (`test_rules.py`);
`test_tidy.py` applies them to the checkout. A complaint is `line: what was expected`. What linters
say already is not said again. It fails by complaining, never by changing anything.
"""

import ast
import graphlib
import re
from collections.abc import Callable, Iterable, Iterator

LINE_MAX = 100
MODULE_LINES_MAX = 600
CLASS_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
FOLDER_MODULES_MAX = 15
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
"""Names of files that could hold anything."""
VAGUE_WORDS = {
    *("again", "asked", "came", "keyless", "mending", "past", "placing", "premises", "said"),
    *("somebody", "story", "told", "worth"),
}
"""Words that are in no name of a module, a class or a function: the field has its own."""

Rule = Callable[[ast.Module], Iterator[str]]


def long_lines(text: str) -> Iterator[str]:
    """Complain about lines over 100 columns."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LINE_MAX:
            yield f"{number}: Expected at most {LINE_MAX} columns, was {len(line)}"


def long_module(text: str) -> Iterator[str]:
    """Complain about a module that is likely to have two responsibilities."""
    lines = text.count("\n")
    if lines > MODULE_LINES_MAX:
        yield f"1: Expected at most {MODULE_LINES_MAX} lines, was {lines}"


def unfinished(text: str) -> Iterator[str]:
    """Complain about marks of work left undone."""
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"))
    yield from _found(text, rf"\b({marks})\b", "Expected finished work")


def machine_paths(text: str) -> Iterator[str]:
    """Complain about paths of one machine and about hosts of package registries."""
    places = (
        r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/",
        r"(?:pypi\.org/simple|pythonhosted\.org)",
    )
    yield from _found(text, "|".join(places), "Expected no path or host of one machine")


def _found(text: str, pattern: str, complaint: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.search(pattern, line):
            yield f"{number}: {complaint}, was {match[0]!r}"


def titles(text: str) -> Iterator[str]:
    """Complain about a page that has not exactly one `# Title`, on its first line of text."""
    prose = re.sub(r"(?ms)^(`{3,}|~{3,}).*?^\1\s*$", "", text)
    found = re.findall(r"(?m)^# \S", prose)
    if len(found) != 1:
        yield f"1: Expected exactly one `# Title`, was {len(found)}"


def module_docstring(tree: ast.Module) -> Iterator[str]:
    """Complain about a module that does not say what it guarantees."""
    if not ast.get_docstring(tree):
        yield "1: Expected a module docstring"


def long_classes(tree: ast.Module) -> Iterator[str]:
    """Complain about classes that are likely to have two responsibilities."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > CLASS_LINES_MAX:
                expected = f"Expected {node.name} of at most {CLASS_LINES_MAX} lines"
                yield f"{node.lineno}: {expected}, was {lines}"


def vague_names(tree: ast.Module) -> Iterator[str]:
    """Complain about classes and functions that are not called as the field calls them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found = VAGUE_WORDS & set(re.findall(r"[a-z]+", snake(node.name)))
            if found:
                yield f"{node.lineno}: Expected a name of the field, was {node.name}"


def snake(name: str) -> str:
    """Return a name in small letters with an underscore before each word."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def short_aliases(tree: ast.Module) -> Iterator[str]:
    """Complain about modules that are called by one letter."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.asname and len(alias.asname) == 1:
                    yield f"{node.lineno}: Expected a name, was {alias.asname} for {alias.name}"


def circles(imports: dict[str, set[str]]) -> Iterator[str]:
    """Complain about modules that need each other before either is there; by whom each imports."""
    sorter = graphlib.TopologicalSorter(imports)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        yield "Expected no circle of imports, was " + " <- ".join(error.args[1])


def long_functions(tree: ast.Module) -> Iterator[str]:
    """Complain about functions that are likely to do two things."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno
            if lines > FUNCTION_LINES_MAX:
                expected = f"Expected {node.name} of at most {FUNCTION_LINES_MAX} lines"
                yield f"{node.lineno}: {expected}, was {lines}"


def untold_tests(tree: ast.Module) -> Iterator[str]:
    """Complain about test functions whose docstring does not state the behaviour."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("test_") and not ast.get_docstring(node):
            yield f"{node.lineno}: Expected {node.name} to state the behaviour in a docstring"


def swallowed_errors(tree: ast.Module) -> Iterator[str]:
    """Complain about handlers that do nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and all(_is_idle(step) for step in node.body):
            yield f"{node.lineno}: Expected the handler to do something about the error"


def _is_idle(step: ast.stmt) -> bool:
    is_constant = isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)
    return isinstance(step, ast.Pass) or is_constant


def broad_handlers(tree: ast.Module) -> Iterator[str]:
    """Complain about handlers of everything, but for a clean-up that raises the error again."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = {part.id for part in ast.walk(node.type or node) if isinstance(part, ast.Name)}
        is_cleanup = node.type is not None and ast.unparse(node.body[-1]) == "raise"
        if (
            node.type is None
            or "Exception" in names
            or ("BaseException" in names and not is_cleanup)
        ):
            yield f"{node.lineno}: Expected the errors that are meant, not all of them"


def late_parts(tree: ast.Module) -> Iterator[str]:
    """
    Complain about what is put into a part after it was made, and about hooks that do nothing.

    A field of a record that a function holds by its name may change; a part of a part may not, nor
    may anything that is called.
    """
    for place, value in _stored(tree):
        is_lambda = isinstance(value, ast.Lambda)
        if not _is_own(place):
            if isinstance(place.value, ast.Attribute) or is_lambda or _is_own(value):
                yield f"{place.lineno}: Expected {place.attr} to be given when its part is made"
        elif isinstance(value, ast.Lambda) and not isinstance(value.body, ast.Call):
            yield f"{place.lineno}: Expected a hook to be given, was a default: {place.attr}"


def _stored(tree: ast.Module) -> Iterator[tuple[ast.Attribute, ast.expr | None]]:
    """Yield each attribute that is assigned, with what is assigned to it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            pairs: list[tuple[ast.expr, ast.expr | None]] = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for place, value in pairs:
                if isinstance(place, ast.Attribute):
                    yield place, value


def _is_own(node: ast.AST | None) -> bool:
    """Tell whether something is an attribute of the object itself."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    return node.value.id == "self"


def floats(tree: ast.Module) -> Iterator[str]:
    """Complain about numbers that are not exact: literals, `/` and `float()`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{node.lineno}: Expected an integer in millionths, was {node.value}"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{node.lineno}: Expected an exact division of core/language/units.py, was /"
        if isinstance(node, ast.Call) and _name(node.func) == "float":
            yield f"{node.lineno}: Expected an integer in millionths, was float()"


def divisions(tree: ast.Module) -> Iterator[str]:
    """Complain about divisions that do not say how they round, as `core/language/units` does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.FloorDiv):
            yield f"{node.lineno}: Expected a division of core/language/units.py, was //"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Mod):
            yield f"{node.lineno}: Expected a division of core/language/units.py, was %"
        if isinstance(node, ast.Call) and _name(node.func) == "divmod":
            yield f"{node.lineno}: Expected a division of core/language/units.py, was divmod()"


CLOCKS = {
    *("now", "utcnow", "today", "time_ns", "monotonic", "monotonic_ns", "perf_counter"),
    *("perf_counter_ns", "localtime", "gmtime", "getenv", "urandom", "uuid1", "uuid4"),
}
AMBIENT_MODULES = {"time", "random", "secrets", "uuid", "os", "asyncio", "threading"}


def ambient(tree: ast.Module) -> Iterator[str]:
    """Complain about clocks, chance and surroundings: time and ids come in as data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in CLOCKS:
            yield f"{node.lineno}: Expected time and ids as data, was {ast.unparse(node.func)}()"
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in sorted(_imported(node) & AMBIENT_MODULES):
                yield f"{node.lineno}: Expected no import of {name} in what decides"


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module or ""}


def _name(node: ast.AST) -> str:
    """Return the last part of a dotted name, or nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


ORDERLESS = {"sorted", "set", "frozenset", "len", "sum", "min", "max", "any", "all"}
ORDERED = {"list", "tuple", "iter", "enumerate", "next", "join", "zip", "map", "filter", "reversed"}


def set_order(tree: ast.Module) -> Iterator[str]:
    """
    Complain about the order of a set reaching an output: sort it first.

    Knows a set by its display, by `set()` and `frozenset()`, by set operators on those, and by a
    name or attribute that this module annotates or assigns as one.
    """
    known = set(_names_of_sets(tree))
    orderless = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) in ORDERLESS
        for argument in node.args
    }
    for node in ast.walk(tree):
        for iterated in _iterated(node, orderless):
            if _is_set(iterated, known):
                expected = f"Expected sorted({ast.unparse(iterated)})"
                yield f"{iterated.lineno}: {expected}, a set has no order"


def _iterated(node: ast.AST, orderless: set[int]) -> Iterable[ast.expr]:
    """Return the expressions whose order this node lets through."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter]
    if (
        isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp)
        and id(node) not in orderless
    ):
        return [part.iter for part in node.generators]
    if isinstance(node, ast.Call) and _name(node.func) in ORDERED:
        return node.args
    if isinstance(node, ast.Starred):
        return [node.value]
    return []


SET_TYPE = re.compile(r"(typing\.)?(Abstract|Mutable|frozen)?set\b", re.IGNORECASE)


def _names_of_sets(tree: ast.Module) -> Iterator[str]:
    """Return the names and attributes that a module annotates or assigns as sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            target = node.arg if isinstance(node, ast.arg) else _name(node.target)
            if SET_TYPE.match(ast.unparse(node.annotation)):
                yield target
        if isinstance(node, ast.Assign) and _is_set(node.value, set()):
            yield from (_name(target) for target in node.targets)


SET_OPERATORS = ast.BitOr | ast.BitAnd | ast.BitXor | ast.Sub


def _is_set(node: ast.expr, known: set[str]) -> bool:
    """Return whether an expression is surely a set."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return _name(node.func) in {"set", "frozenset"}
    if isinstance(node, ast.BinOp) and isinstance(node.op, SET_OPERATORS):
        return _is_set(node.left, known) or _is_set(node.right, known)
    return _name(node) in known
