"""The table of endpoints leaves nothing out."""

import pkgutil

from arbees.api import endpoints
from arbees.api.table import ENDPOINTS, SUBJECTS


def test_every_module_of_endpoints_is_a_subject() -> None:
    """An endpoint that is declared is served: its module stands in the table."""
    modules = {
        f"{endpoints.__name__}.{each.name}" for each in pkgutil.iter_modules(endpoints.__path__)
    }
    assert modules <= {subject.__name__ for subject in SUBJECTS}


def test_a_fixed_path_is_tried_before_one_with_a_part() -> None:
    """Where a path with a part would take it too, the fixed one comes first."""
    for number, fixed in enumerate(ENDPOINTS):
        for earlier in ENDPOINTS[:number]:
            prefix, is_open, _ = earlier.path.partition("{")
            assert not is_open or not fixed.path.startswith(prefix), f"{earlier.path}, {fixed.path}"
