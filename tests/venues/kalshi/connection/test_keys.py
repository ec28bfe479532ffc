"""Private keys: the kind is told by the key itself, and nothing shows any of it."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arbees.errors import ConfigurationError
from arbees.venues.kalshi.connection.keys import parse_key
from tests.venues.kalshi.keypairs import ed25519_key, pem_of, rsa_key

PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


@pytest.mark.parametrize("is_pkcs1", [True, False])
def test_an_rsa_key_signs_with_pss(*, is_pkcs1: bool) -> None:
    """Either armour of an RSA key gives PSS signatures with a salt as long as the digest."""
    key = parse_key(pem_of(rsa_key(), is_pkcs1=is_pkcs1))
    assert key.kind == "RSA"
    signature = base64.b64decode(key.sign(b"1700000000000GET/trade-api/v2/portfolio/balance"))
    public = rsa_key().public_key()
    text = b"1700000000000GET/trade-api/v2/portfolio/balance"
    public.verify(signature, text, PSS, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, text + b"?limit=1", PSS, hashes.SHA256())


def test_an_ed25519_key_signs_the_same_text() -> None:
    """An Ed25519 key is known as one, and signs without a hash of its own."""
    key = parse_key(pem_of(ed25519_key()))
    assert key.kind == "Ed25519"
    ed25519_key().public_key().verify(base64.b64decode(key.sign(b"text")), b"text")


def test_a_line_end_may_be_written_out() -> None:
    """PEM in one line of a `.env`, with written-out line ends, is the same key."""
    text = pem_of(rsa_key(), is_pkcs1=True).replace("\n", "\\n")
    assert parse_key(text).kind == "RSA"


def test_bare_base64_is_a_key() -> None:
    """The body without its armour is a key too."""
    der = ed25519_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert parse_key(base64.b64encode(der).decode()).kind == "Ed25519"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "private key in PEM"),
        ("not a key", "private key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key in PEM"),
        (pem_of(rsa_key(), password=b"secret"), "without a password"),
        (pem_of(rsa_key(1_024)), "RSA key of 2048 bits, was 1024"),
    ],
)
def test_what_is_no_key_of_kalshi_is_refused(text: str, expected: str) -> None:
    """The refusal says what was expected, and never shows what came."""
    with pytest.raises(ConfigurationError, match=expected) as caught:
        parse_key(text)
    assert text[30:60] == "" or text[30:60] not in str(caught.value)


def test_another_kind_of_key_is_refused() -> None:
    """An elliptic key of another curve is named as what it is."""
    key = ec.generate_private_key(ec.SECP256K1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ConfigurationError, match="RSA or Ed25519"):
        parse_key(text)


def test_a_key_shows_nothing_of_itself() -> None:
    """Its `repr` is its kind."""
    assert repr(parse_key(pem_of(ed25519_key()))) == "<Ed25519 key>"
