"""Gives each test a recorder of its own."""

from pathlib import Path

import pytest

from tests.acceptance.recorded import Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """Return what plays lines, in an empty folder."""
    return Recorder(tmp_path)
