"""P10: nothing but a decision approves an order, nothing but the dispatcher sends one."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from arbees.core.deciding import outcomes
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.ports import Venue
from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.venues.paper.venue import PaperVenue

SOURCE = Path(__file__).resolve().parents[1] / "src" / "arbees"


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax trees of the package, by path below it."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text())
        for path in sorted(SOURCE.rglob("*.py"))
    }


def files_naming(name: str) -> set[str]:
    """Return the modules that use a name, import it or reach for it."""
    found: set[str] = set()
    for file, tree in trees().items():
        for node in ast.walk(tree):
            names = {
                getattr(node, "id", None),
                getattr(node, "attr", None),
                *(
                    alias.name
                    for alias in getattr(node, "names", ())
                    if isinstance(alias, ast.alias)
                ),
            }
            if name in names:
                found.add(file)
    return found


def files_calling(method: str) -> set[str]:
    """Return the modules that call a method of this name."""
    return {
        file
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
    }


def test_the_seal_is_known_to_decisions_alone() -> None:
    """Besides the module that keeps it, only `decide` names the seal of approved orders."""
    assert files_naming("_SEAL") == {"core/deciding/outcomes.py", "core/deciding/decide.py"}


def test_only_a_decision_makes_an_approved_order() -> None:
    """No other module builds one, and one without the seal cannot be built."""
    makers = {
        file
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ApprovedOrder")
    }
    assert makers == {"core/deciding/decide.py"}
    with pytest.raises(TypeError, match="Only a decision"):
        outcomes.ApprovedOrder(
            object(),
            client_order_id="arb-1",
            request_id="r",
            leg=0,
            platform=Platform.KALSHI,
            market_id="m",
            market_key="m",
            side=Side.YES,
            action=Action.BUY,
            quantity=1,
            limit_price=1,
            time_in_force=TimeInForce.IOC,
            expires_ns=None,
        )


def test_venues_accept_nothing_else() -> None:
    """What a venue is handed to send is an approved order, by its type."""
    for venue in (Venue, PaperVenue):
        order = list(inspect.signature(venue.submit).parameters.values())[1]
        assert order.annotation in {outcomes.ApprovedOrder, "ApprovedOrder"}


def test_only_the_dispatcher_sends() -> None:
    """Venues are asked to take or cancel an order in one module; others ask the gateway."""
    sends = files_calling("submit") & {file for file in trees() if file.startswith("runtime/")}
    assert sends == {"runtime/sending/dispatcher.py"}
    cancels = files_calling("cancel") & {file for file in trees() if file.startswith("runtime/")}
    assert cancels <= {"runtime/sending/dispatcher.py", "runtime/supervisor.py"}


def test_no_setting_switches_everything_off() -> None:
    """There is no setting whose name promises to go around the safeguards."""
    names = Catalog(all_sections()).names
    pattern = r"BYPASS|SKIP|FORCE|IGNORE|NO_CHECK|UNSAFE|DISABLE_ALL"
    assert not [name for name in names if re.search(pattern, name)]
