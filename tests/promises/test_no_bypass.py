"""P10 and P5: one way leads to a venue, through every safeguard, and none can be skipped.

The source itself is read for what no run can show: that nothing else makes an approved order, and
that nothing else hands one to a venue.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import arbees
from arbees import safeguards
from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import ApprovedOrder
from arbees.core.deciding.verdicts import Verdict, verdicts_of
from arbees.core.language.words import (
    Action,
    Mode,
    Platform,
    Side,
    TimeInForce,
)
from arbees.settings import SettingsRefused, load
from tests.safeguards.build import BUFFER, TERMS, book_with, facts, request

SOURCE = Path(arbees.__file__).parent
DECIDE = "core/deciding/decide.py"
OUTCOMES = "core/deciding/outcomes.py"
DISPATCHER = "runtime/sending/dispatcher.py"
VENUE_CALLS = {"submit": 2, "cancel": 3}
"""Methods of a venue that send, and how many arguments they take: no other method has these."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module with its name."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8"))


def places(is_meant: type[ast.AST], name: str) -> set[str]:
    """Return the modules in which a name is used in a kind of node."""
    found: set[str] = set()
    for module, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, is_meant) and name in _names(node):
                found.add(module)
    return found


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.ImportFrom | ast.Import):
        return {alias.name for alias in node.names}
    return set()


def test_only_decide_makes_approved_orders() -> None:
    """No other module calls the class, and none but the two has the seal."""
    assert places(ast.Call, "ApprovedOrder") == {DECIDE}
    assert places(ast.Name, "_SEAL") == {DECIDE, OUTCOMES}
    assert places(ast.ImportFrom, "_SEAL") == {DECIDE}
    assert places(ast.Attribute, "_SEAL") == set()


def test_only_one_function_of_decide_uses_the_seal() -> None:
    """The seal is used where every safeguard has passed, and there alone."""
    tree = dict(trees())[DECIDE]
    users = [
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.Name) and node.id == "_SEAL" for node in ast.walk(function))
    ]
    assert users == ["_seal"]
    callers = [
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and any(
            isinstance(node, ast.Call) and "_seal" in _names(node) for node in ast.walk(function)
        )
    ]
    assert callers == ["_approve"]


def test_no_approved_order_without_the_seal() -> None:
    """Whoever has no seal gets no order."""
    with pytest.raises(TypeError, match="Only a decision"):
        ApprovedOrder(
            object(),
            client_order_id="arb-1",
            request_id="r",
            leg=0,
            platform=Platform.KALSHI,
            market_id="M",
            market_key="M",
            side=Side.YES,
            action=Action.BUY,
            quantity=1,
            limit_price=1,
            time_in_force=TimeInForce.IOC,
            expires_ns=None,
        )


@pytest.mark.parametrize(("method", "arguments"), VENUE_CALLS.items())
def test_only_the_dispatcher_sends(method: str, arguments: int) -> None:
    """Outside of the dispatcher no venue's `submit` or `cancel` is called by what is shipped."""
    found = {
        module
        for module, tree in trees()
        if module.partition("/")[0] in {"runtime", "wiring"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        and len(node.args) + len(node.keywords) == arguments
    }
    assert found == {DISPATCHER}


SAFEGUARDS: tuple[Any, ...] = safeguards.ALL
ALL = ",".join(each.name for each in SAFEGUARDS)


@pytest.mark.parametrize(
    "off",
    [
        {"DISABLED_SAFEGUARDS": ALL, "DISABLED_SAFEGUARDS_REASON": "a drill"},
        {"DISABLED_SAFEGUARDS": "holding"},
        {"DISABLED_SAFEGUARDS": "holdng", "DISABLED_SAFEGUARDS_REASON": "a drill"},
        {"DISABLED_SAFEGUARDS": "idempotency", "DISABLED_SAFEGUARDS_REASON": "a drill"},
        {"DISABLED_SAFEGUARDS": "journal", "DISABLED_SAFEGUARDS_REASON": "a drill"},
        {
            "DISABLED_SAFEGUARDS": "kill_switch",
            "DISABLED_SAFEGUARDS_REASON": "a drill",
            "PAPER_TRADING": "0",
            "LIVE_TRADING_AUTHORIZED": "true",
        },
        {
            "DISABLED_SAFEGUARDS": "authorization",
            "DISABLED_SAFEGUARDS_REASON": "a drill",
            "PAPER_TRADING": "0",
            "LIVE_TRADING_AUTHORIZED": "true",
        },
    ],
    ids=["all", "no reason", "misspelt", "key", "journal", "live kill switch", "live authority"],
)
def test_what_may_not_be_switched_off_refuses(off: dict[str, str]) -> None:
    """Never all, never without a reason, never what has no switch, never the vital ones in live."""
    with pytest.raises(SettingsRefused):
        load(off)


class Broken:
    """A safeguard with a bug."""

    name = "broken"
    codes = ("MARKET_UNKNOWN",)

    def check(self, order: object, book: object, facts: object) -> tuple[Verdict, ...]:
        """Fail."""
        raise ZeroDivisionError


def test_a_broken_safeguard_approves_nothing() -> None:
    """An error inside a safeguard ends the decision; it is never taken for a pass (P5)."""
    others = load({}).safeguards
    rules = commands.Rules(
        mode=Mode.PAPER,
        account="main",
        environment="test",
        safeguards=(*others, Broken()),  # type: ignore[arg-type]
        terms=TERMS,
        balance_buffer=BUFFER,
    )
    submit = commands.Submit(request=request(), received_ns=facts().now_ns)
    with pytest.raises(ZeroDivisionError):
        decide(book_with(), facts(), submit, rules)


def test_every_safeguard_speaks_of_every_decision() -> None:
    """All codes of all safeguards are in the receipt of a decision, in their order."""
    rules = commands.Rules(
        mode=Mode.PAPER,
        account="main",
        environment="test",
        safeguards=load({}).safeguards,
        terms=TERMS,
        balance_buffer=BUFFER,
    )
    seen: Facts = facts()
    decision = decide(book_with(), seen, commands.Submit(request=request(), received_ns=0), rules)
    event = decision.events[0]
    assert isinstance(event, events.RequestDenied)
    verdicts = verdicts_of(event.verdicts)
    assert [each[1] for each in verdicts] == [code for each in SAFEGUARDS for code in each.codes]
