"""What the tests of the paper exchange begin with."""

from pathlib import Path

import pytest

from tests.venues.paper.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Return a fresh inline exchange with $1000 at each venue."""
    return Rig(tmp_path / "paper.db")
