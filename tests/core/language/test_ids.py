"""Client order ids: the same for ever, another one for every other key, account or environment."""

import string

from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX, client_order_id

texts = st.text(alphabet=string.printable, max_size=6)


def test_the_id_of_a_key_never_changes() -> None:
    """Orders of old journals must still be found at the venue."""
    assert client_order_id("main", "local", "k-1") == "arb-ae43a0b8a1c85c19d6384d3bde32e253e63bc73d"
    assert client_order_id("main", "prod", "é") == "arb-40f0459c22512432005004dd90d636037379c616"


def test_the_prefix_is_fixed() -> None:
    """By it an order of ours is known from others."""
    assert CLIENT_ORDER_ID_PREFIX == "arb-"
    found = client_order_id("main", "local", "k-1")
    assert found.startswith("arb-")
    assert len(found) == 44
    assert set(found) <= set(string.ascii_lowercase + string.digits + "-")


def test_parts_stay_apart() -> None:
    """No end of one part looks like the beginning of the next."""
    assert client_order_id("ab", "c", "d") != client_order_id("a", "bc", "d")
    assert client_order_id("a", "bc", "d") != client_order_id("a", "b", "cd")
    assert client_order_id("a", "b", "") != client_order_id("a", "", "b")


@given(st.tuples(texts, texts, texts), st.tuples(texts, texts, texts))
def test_ids_are_as_different_as_their_parts(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """The same parts give the same id, any other ones another id."""
    assert (client_order_id(*one) == client_order_id(*other)) is (one == other)
