"""The promises P2, P3, P4 and P6 to P9 on the core alone, under random histories."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.promises.machine import Promises


def test_promises_hold() -> None:
    """Whatever is asked, answered, lost, repeated or interrupted, the promises hold."""
    run_state_machine_as_test(
        Promises,
        settings=settings(
            max_examples=100,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
