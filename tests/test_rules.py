"""Each rule of the house catches what it must and leaves alone what it may."""

import ast

import pytest

from tests import rules

BITES = [
    (rules.module_docstring, "x = 1"),
    (rules.untold_tests, "def test_x():\n    assert True"),
    (rules.untold_tests, "class TestX:\n    async def test_x(self): ..."),
    (rules.long_functions, "def f():\n" + "    x = 1\n" * 71),
    (rules.long_classes, "class A:\n" + "    x = 1\n" * 300),
    (rules.vague_names, "class StoryLine: ..."),
    (rules.vague_names, "def _ask_again(): ..."),
    (rules.short_aliases, "from arbees.core import events as e"),
    (rules.swallowed_errors, "try: f()\nexcept KeyError: pass"),
    (rules.swallowed_errors, "try: f()\nexcept KeyError: ..."),
    (rules.swallowed_errors, "try: f()\nexcept KeyError:\n    'reason'"),
    (rules.broad_handlers, "try: f()\nexcept Exception: g()"),
    (rules.broad_handlers, "try: f()\nexcept: g()"),
    (rules.broad_handlers, "try: f()\nexcept (KeyError, Exception) as e: raise X from e"),
    (rules.broad_handlers, "try: f()\nexcept BaseException: g()"),
    (rules.late_parts, "gateway.on_end = lambda reason: ends.ask(reason)"),
    (rules.late_parts, "def f(self, desk):\n    desk.on_records = self.take"),
    (rules.late_parts, "desk.writer.on_records = watch"),
    (rules.late_parts, "worker = gateway.desk.writer.worker = Worker()"),
    (rules.late_parts, "def f(self):\n    self.groups.note, self.groups.closed = note, closed"),
    (rules.late_parts, "def f(self):\n    self.writer.count += 1"),
    (rules.late_parts, "def f(self):\n    self.note = lambda name: None"),
    (rules.late_parts, "def f(self):\n    self.health: Health = lambda: OPEN"),
    (rules.floats, "x = 0.5"),
    (rules.floats, "x = a / b"),
    (rules.floats, "x /= 2"),
    (rules.floats, "x = float(y)"),
    (rules.divisions, "x = a // b"),
    (rules.divisions, "x %= 2"),
    (rules.divisions, "x = divmod(a, b)"),
    (rules.ambient, "x = datetime.now(UTC)"),
    (rules.ambient, "x = date.today()"),
    (rules.ambient, "x = time.time_ns()"),
    (rules.ambient, "import random"),
    (rules.ambient, "def f():\n    from time import time"),
    (rules.set_order, "for x in {1, 2}: f(x)"),
    (rules.set_order, "x = list({1, 2})"),
    (rules.set_order, "x = [y for y in set(z)]"),
    (rules.set_order, "x = (*frozenset(z), 1)"),
    (rules.set_order, "x = ','.join({y for y in z})"),
    (rules.set_order, "x = tuple(a - set(b))"),
    (rules.set_order, "def f(names: frozenset[str]):\n    return tuple(names)"),
    (rules.set_order, "class A:\n    names: set[str]\ndef f(a):\n    for x in a.names: g(x)"),
    (rules.set_order, "OPEN = frozenset(x) - {1}\ny = {z: 1 for z in OPEN}"),
]

LEAVES = [
    (rules.module_docstring, '"""Guarantee."""'),
    (rules.untold_tests, 'def test_x():\n    """It holds."""'),
    (rules.long_functions, "def f():\n" + "    x = 1\n" * 70),
    (rules.long_classes, "class A:\n" + "    x = 1\n" * 299),
    (rules.vague_names, "class History:\n    def against(self): ..."),
    (rules.short_aliases, "from arbees.core import events as ev"),
    (rules.swallowed_errors, "try: f()\nexcept KeyError: return_it()"),
    (rules.broad_handlers, "try: f()\nexcept (KeyError, ValueError): g()"),
    (rules.broad_handlers, "try: f()\nexcept BaseException:\n    g()\n    raise"),
    (rules.late_parts, "def f(self, note):\n    self.note = note"),
    (rules.late_parts, "known.due_ns = min(known.due_ns, now_ns)"),
    (rules.late_parts, "def f(self):\n    self.look = lambda: watch(self)"),
    (rules.floats, "x: float = seconds"),
    (rules.divisions, "x = a * b - c"),
    (rules.ambient, "x = moment.timestamp(); import datetime"),
    (rules.set_order, "for x in sorted({1, 2}): f(x)"),
    (rules.set_order, "x = any(y for y in {1, 2})"),
    (rules.set_order, "x = {y for y in set(z)}"),
    (rules.set_order, "x = [y for y in z if y in {1, 2}]"),
    (rules.set_order, "for x in settings: f(x)"),
]


@pytest.mark.parametrize(("rule", "code"), BITES)
def test_rule_bites(rule: rules.Rule, code: str) -> None:
    """What a rule forbids is found."""
    assert list(rule(ast.parse(code)))


@pytest.mark.parametrize(("rule", "code"), LEAVES)
def test_rule_leaves_alone(rule: rules.Rule, code: str) -> None:
    """What a rule allows is not complained about."""
    assert not list(rule(ast.parse(code)))


def test_text_rules_bite() -> None:
    """Long lines and modules, unfinished work, machine paths and missing titles are found."""
    assert list(rules.long_lines("x" * 101)) == ["1: Expected at most 100 columns, was 101"]
    assert not list(rules.long_lines("x" * 100))
    assert list(rules.long_module("\n" * 601))
    assert not list(rules.long_module("\n" * 600))
    assert list(rules.unfinished("# TO" + "DO later"))
    assert list(rules.machine_paths("see /ro" + "ot/x"))
    assert not list(rules.machine_paths("GET /v1/work/ and ./work/ and var/root/"))


def test_titles() -> None:
    """A page has one title; a comment in a block of code is none."""
    assert not list(rules.titles("# A\n\n```sh\n# not a title\n```\n\n## B\n"))
    assert list(rules.titles("## B\n"))
    assert list(rules.titles("# A\n\n# B\n"))


def test_circles_are_found() -> None:
    """Modules that import each other are named; a chain is none."""
    assert list(rules.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}))
    assert not list(rules.circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}))
