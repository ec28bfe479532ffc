"""Coming again: never at once, never too late, never all together."""

from hypothesis import given
from hypothesis import strategies as st

from arbees.client.pace import ASKED_SECONDS_MAX, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, Pace


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_pauses_are_bounded(failures: int, drawn: float) -> None:
    """However often it failed and whatever is drawn, a pause stays between its bounds."""
    pause = Pace(lambda: drawn).pause(failures)
    assert PAUSE_SECONDS_MIN <= pause <= PAUSE_SECONDS_MAX


def test_pauses_grow() -> None:
    """Each failure in a row doubles the pause, up to the bound."""
    pauses = [Pace(lambda: 1.0).pause(failures) for failures in range(1, 12)]
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == PAUSE_SECONDS_MAX
    assert pauses == sorted(pauses)


def test_chance_spreads_them() -> None:
    """Clients that failed together come again over half of the pause."""
    assert Pace(lambda: 0.0).pause(5) == Pace(lambda: 1.0).pause(5) / 2


@given(st.text(max_size=12))
def test_what_the_gateway_asks_for(text: str) -> None:
    """Whole seconds are kept to, within a bound; anything else is as if nothing was asked."""
    pause = Pace(lambda: 0.0).pause(1, text)
    is_number = text.isascii() and text.isdigit()
    assert pause == (min(float(text), ASKED_SECONDS_MAX) if is_number else 0.05) or (
        is_number and float(text) < 0.05 and pause == 0.05
    )
