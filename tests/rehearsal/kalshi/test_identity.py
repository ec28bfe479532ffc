"""Who is let in at the simulated Kalshi, and in which words the others are not."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from arbees.core.language.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.rules import ExchangeRefusal
from arbees.rehearsal.kalshi.rest.identity import Doorman, parse_public_key
from tests.venues.kalshi.keypairs import ed25519_key, rsa_key

NOW_NS = 1_750_000_000 * NS_PER_SECOND
PATH = "/trade-api/v2/portfolio/balance"
Headers = dict[str, str]


def doorman() -> Doorman:
    """Return one who knows two keys."""
    found = Doorman(lambda: NOW_NS)
    found.admit("rsa", rsa_key().public_key(), "ann")
    found.admit("ed", ed25519_key().public_key(), "bob")
    return found


def signed(key_id: str = "rsa", late_ms: int = 0, text: str = f"GET{PATH}") -> Headers:
    """Return headers as Kalshi wants them."""
    stamp = str(NOW_NS // NS_PER_MILLISECOND - late_ms)
    data = f"{stamp}{text}".encode()
    if key_id == "rsa":
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        signature = rsa_key().sign(data, pss, hashes.SHA256())
    else:
        signature = ed25519_key().sign(data)
    return {
        "KALSHI-ACCESS-KEY": key_id,
        "KALSHI-ACCESS-TIMESTAMP": stamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


@pytest.mark.parametrize(("key_id", "owner"), [("rsa", "ann"), ("ed", "bob")])
def test_either_kind_of_key_is_let_in(key_id: str, owner: str) -> None:
    """RSA by PSS and Ed25519 sign the same text; the account is that of the key."""
    assert doorman().owner(signed(key_id), "GET", PATH) == owner


@pytest.mark.parametrize(
    ("late_ms", "passes"),
    [(5_000, True), (-5_000, True), (10_000, True), (30_000, False), (300_000, False)],
)
def test_a_timestamp_may_be_some_seconds_off(late_ms: int, *, passes: bool) -> None:
    """As recorded: 5 and 10 seconds pass, 30 seconds and five minutes do not."""
    if passes:
        assert doorman().owner(signed(late_ms=late_ms), "GET", PATH) == "ann"
    else:
        with pytest.raises(ExchangeRefusal) as caught:
            doorman().owner(signed(late_ms=late_ms), "GET", PATH)
        assert (caught.value.status, caught.value.code) == (401, "header_timestamp_expired")


def _without(name: str) -> Callable[[Headers], Headers]:
    return lambda headers: {key: value for key, value in headers.items() if key != name}


def _with(**changes: str) -> Callable[[Headers], Headers]:
    return lambda headers: (
        headers | {f"KALSHI-ACCESS-{key.upper()}": value for key, value in changes.items()}
    )


@pytest.mark.parametrize(
    ("change", "code", "details"),
    [
        (_without("KALSHI-ACCESS-SIGNATURE"), "signature_is_missing_from_headers", ""),
        (_without("KALSHI-ACCESS-KEY"), "signature_is_missing_from_headers", ""),
        (_without("KALSHI-ACCESS-TIMESTAMP"), "signature_is_missing_from_headers", ""),
        (_with(key="nobody"), "authentication_error", "NOT_FOUND"),
        (_with(timestamp="now"), "authentication_error", "INVALID_PARAMETER"),
        (_with(timestamp="1" * 30), "authentication_error", "INVALID_PARAMETER"),
        (_with(timestamp="1750000000"), "header_timestamp_expired", ""),
        (_with(signature="AAAA"), "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
        (_with(signature="ä"), "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
        (_with(key="ed"), "authentication_error", "INCORRECT_API_KEY_SIGNATURE"),
    ],
)
def test_others_are_turned_away(
    change: Callable[[Headers], Headers], code: str, details: str
) -> None:
    """401 in the recorded words, for each thing that can be wrong."""
    with pytest.raises(ExchangeRefusal) as caught:
        doorman().owner(change(signed()), "GET", PATH)
    assert (caught.value.status, caught.value.code, caught.value.details) == (401, code, details)


@pytest.mark.parametrize("text", [f"POST{PATH}", f"GET{PATH}?limit=1", "GET/portfolio/balance"])
def test_a_signature_is_of_method_and_whole_path(text: str) -> None:
    """Another method, a query or a path without its root is another text."""
    with pytest.raises(ExchangeRefusal, match="INCORRECT_API_KEY_SIGNATURE"):
        doorman().owner(signed(text=text), "GET", PATH)


def test_a_signature_that_comes_twice_is_counted() -> None:
    """Whether Kalshi takes it is not known; that ours never comes twice can be proven."""
    found = doorman()
    headers = signed()
    assert [found.owner(headers, "GET", PATH) for _ in range(3)] == ["ann"] * 3
    found.owner(signed(late_ms=1), "GET", PATH)
    assert found.repeats == 2


def test_a_clock_that_is_off_is_the_exchanges_own() -> None:
    """Skewed by a minute, it refuses who is right, and says its own time."""
    found = doorman()
    found.skew_ns = 60 * NS_PER_SECOND
    assert found.now_ns() == NOW_NS + 60 * NS_PER_SECOND
    with pytest.raises(ExchangeRefusal, match="header_timestamp_expired"):
        found.owner(signed(), "GET", PATH)


def test_other_kinds_of_keys_are_refused() -> None:
    """What Kalshi takes is RSA or Ed25519."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="Expected an RSA or Ed25519 key"):
        parse_public_key(pem)
    with pytest.raises(ValueError, match=r"."):
        parse_public_key(b"no key")
