"""Secrets of API keys: their form, what is stored of them, and who is taken for whom."""

import pytest

from arbees.core.language.key_secret import (
    digest_of,
    id_of,
    is_of,
    make_secret,
)

KEY_ID, SECRET = make_secret(bytes(range(6)), bytes(range(32)))


def test_a_secret_names_its_key() -> None:
    """It begins with `arb_` and the id, so that a leaked one is found, and revoked, by its text."""
    assert KEY_ID == "000102030405"
    assert SECRET == "arb_000102030405_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert id_of(SECRET) == KEY_ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arb_",
        SECRET[:-1],
        SECRET + "A",
        SECRET + "=",
        SECRET + "\n",
        " " + SECRET,
        SECRET.upper(),
        SECRET.replace("arb", "arx"),
        SECRET.replace("_0", "-0"),
        SECRET[:-1] + "é",
        SECRET[:-1] + "+",
        SECRET.replace("000102030405", "00010203040\u0665"),
    ],
)
def test_what_has_not_the_form_names_nobody(text: str) -> None:
    """Nothing is trimmed, and nothing guessed at."""
    assert id_of(text) is None


def test_what_is_stored_is_a_digest_of_all_of_it() -> None:
    """Hex of SHA-256, also over the id: a secret does not fit another key."""
    assert len(digest_of(SECRET)) == 64
    other = SECRET.replace(KEY_ID, "000102030406")
    assert digest_of(other) != digest_of(SECRET)


def test_only_the_very_secret_is_taken() -> None:
    """One bit off, another key's, and none at all are nobody's."""
    assert is_of(SECRET, digest_of(SECRET))
    assert not is_of(SECRET[:-1] + "9", digest_of(SECRET))
    assert not is_of(SECRET, digest_of(SECRET)[:-1])
    assert not is_of(SECRET, "")
    assert not is_of(SECRET, None)


def test_ids_and_secrets_have_their_lengths() -> None:
    """A shorter secret is a bug of the caller."""
    with pytest.raises(AssertionError):
        make_secret(bytes(6), bytes(31))
    with pytest.raises(AssertionError):
        make_secret(bytes(5), bytes(32))
