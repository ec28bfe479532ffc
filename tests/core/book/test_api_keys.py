"""API keys in the book: how they are made and end, and what a request with one is decided by."""

import json
from decimal import Decimal
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.api_keys import (
    KEYS_MAX,
    NO_CAPS,
    REVOKED_MAX,
    Caps,
    CreatedKey,
    KeyAsk,
    obstacle,
    parse_ask,
    view_of,
)
from arbees.core.book.book import decode, encode
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import NotSent
from arbees.core.language.request import Alternate
from arbees.core.language.strict_json import Malformed
from arbees.core.language.words import KeyScope, Platform, Side
from arbees.safeguards.order_size import OrderSize
from tests.core.scene import Scene
from tests.safeguards.build import NOW, request

MICRO = 1_000_000
ASK = KeyAsk(name="alpha", scopes=(KeyScope.SUBMIT,))


def create(scene: Scene, key_id: str = "k1", name: str = "alpha", **more: Any) -> commands.Decision:
    """Ask for a key."""
    ask = KeyAsk(name=name, scopes=(KeyScope.SUBMIT,), **more)
    return scene.do(commands.CreateKey(key_id=key_id, digest="d" * 64, ask=ask, actor="ann"))


def revoke(scene: Scene, key_id: str = "k1") -> commands.Decision:
    """Ask for the end of a key."""
    return scene.do(commands.RevokeKey(key_id=key_id, reason="lost", actor="ann"))


def submit(scene: Scene, key_id: str | None, number: int = 1, **changes: Any) -> events.Event:
    """Submit a request with a key; return what was decided."""
    asked = request(request_id=f"r-{number}", idempotency_key=f"k-{number}", **changes)
    command = commands.Submit(request=asked, received_ns=NOW, key_id=key_id)
    return scene.do(command).events[-1]


# What is asked for -----------------------------------------------------------------------------


def asked(**fields: Any) -> bytes:
    """Return a body; a change to None leaves the field out."""
    known = {"name": "alpha", "scopes": ["submit"]} | fields
    return json.dumps({name: value for name, value in known.items() if value is not None}).encode()


def test_an_ask_is_read_exactly() -> None:
    """Amounts in millionths, scopes in any case, each once, in their own order."""
    body = asked(
        scopes=["Read", "SUBMIT", "read"],
        strategy="s 1",
        max_order_size="20.5",
        max_order_contracts=7,
        max_orders_per_minute=2,
        max_orders_per_hour=2,
        requests_per_minute=60_000,
    )
    assert parse_ask(body) == KeyAsk(
        name="alpha",
        scopes=(KeyScope.SUBMIT, KeyScope.READ),
        strategy="s 1",
        caps=Caps(
            max_order_size=20_500_000,
            max_order_contracts=7 * MICRO,
            max_orders_per_minute=2,
            max_orders_per_hour=2,
        ),
        requests_per_minute=60_000,
    )
    assert parse_ask(asked()) == ASK
    assert parse_ask(asked()).caps is NO_CAPS


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "-a"}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "ä"}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"scopes": None}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["all"]}, "scopes"),
        ({"scopes": ["admin"], "strategy": "s"}, "scopes"),
        ({"strategy": ""}, "strategy"),
        ({"strategy": "\u00e4"}, "strategy"),
        ({"max_order_size": 0}, "max_order_size"),
        ({"max_order_size": -1}, "max_order_size"),
        ({"max_order_size": " 5"}, "max_order_size"),
        ({"max_order_size": 0.0000001}, "max_order_size"),
        ({"max_order_size": 1_000_000_001}, "max_order_size"),
        ({"max_order_contracts": True}, "max_order_contracts"),
        ({"max_orders_per_minute": 0}, "max_orders_per_minute"),
        ({"max_orders_per_hour": 1_000_001}, "max_orders_per_hour"),
        ({"max_orders_per_minute": 3, "max_orders_per_hour": 2}, "max_orders_per_minute"),
        ({"requests_per_minute": 60_001}, "requests_per_minute"),
        ({"secret": "x"}, "secret"),
        ({"digest": "x"}, "digest"),
    ],
)
def test_what_cannot_be_read_names_its_field(fields: dict[str, Any], field: str) -> None:
    """Nobody gets another key than the one that was meant, and nobody chooses the secret."""
    with pytest.raises(Malformed) as caught:
        parse_ask(asked(**fields))
    assert (caught.value.field or "").startswith(field)


# Keys in the book ------------------------------------------------------------------------------


def test_a_key_is_in_the_book_and_in_its_snapshot() -> None:
    """With everything that decides, and the digest alone of its secret."""
    scene = Scene()
    caps = Caps(max_order_size=5 * MICRO)
    decision = create(scene, strategy="s", caps=caps, requests_per_minute=9)
    assert [type(event) for event in decision.events] == [events.KeyCreated]
    key = decode(encode(scene.book)).keys["k1"]
    assert key == scene.book.keys["k1"]
    assert (key.name, key.strategy, key.caps, key.requests_per_minute) == ("alpha", "s", caps, 9)
    assert (key.digest, key.scopes, key.actor) == ("d" * 64, ("submit",), "ann")
    assert key.is_active
    assert key.created_ns == NOW


def test_a_name_in_force_is_taken() -> None:
    """Records name keys by it; once it is revoked the name is free again."""
    scene = Scene()
    create(scene)
    assert create(scene, "k2") == commands.NO_DECISION
    assert obstacle(scene.book.keys, "alpha").code == "KEY_NAME_TAKEN"  # type: ignore[union-attr]
    revoke(scene)
    assert create(scene, "k2").events
    assert [key.is_active for key in scene.book.keys.values()] == [False, True]


def test_an_id_is_never_used_twice() -> None:
    """Not after its end either: whoever holds the old secret must stay out."""
    scene = Scene()
    create(scene)
    revoke(scene)
    assert create(scene, "k1", "beta") == commands.NO_DECISION


def test_of_a_revoked_key_only_name_and_times_stay() -> None:
    """The digest goes too, and its window; ending it twice, or what is not there, does nothing."""
    scene = Scene()
    create(scene, strategy="s")
    submit(scene, "k1")
    assert "key:k1" in scene.book.opened_by
    scene.wait(1)
    assert revoke(scene).events
    key = scene.book.keys["k1"]
    assert (key.name, key.created_ns, key.revoked_ns) == ("alpha", NOW, scene.now)
    assert (key.digest, key.scopes, key.strategy) == ("", (), None)
    assert "key:k1" not in scene.book.opened_by
    assert revoke(scene) == revoke(scene, "nobody") == commands.NO_DECISION


def test_the_book_stays_bounded() -> None:
    """So many in force at once, so many ended ones; but never again as if there were none."""
    scene = Scene()
    for number in range(KEYS_MAX):
        assert create(scene, f"k{number}", f"n{number}").events
    assert create(scene, "one more", "more") == commands.NO_DECISION
    assert obstacle(scene.book.keys, "more").code == "TOO_MANY_KEYS"  # type: ignore[union-attr]
    for number in range(KEYS_MAX):
        revoke(scene, f"k{number}")
    for number in range(5):
        create(scene, f"l{number}", f"n{number}")
        revoke(scene, f"l{number}")
    assert len(scene.book.keys) == REVOKED_MAX
    assert "k4" not in scene.book.keys
    assert {"k5", "l0", "l4"} <= set(scene.book.keys)


# Requests with a key ---------------------------------------------------------------------------


def test_a_decision_says_with_which_key() -> None:
    """Approved, denied and refused as a duplicate; without keys nothing is said."""
    scene = Scene(OrderSize(max_order_size=50 * MICRO))
    create(scene)
    approved = submit(scene, "k1", size=MICRO)
    assert isinstance(approved, events.OrderApproved)
    assert approved.key_id == "k1"
    assert scene.book.orders[approved.client_order_id].key_id == "k1"
    denied = submit(scene, "k1", 2, size=1000 * MICRO)
    assert isinstance(denied, events.RequestDenied)
    assert denied.key_id == "k1"
    asked_again = request(request_id="r-9", idempotency_key="k-1", attempt=3)
    command = commands.Submit(request=asked_again, received_ns=NOW, key_id="k1")
    refused = scene.ask(command).events[0]
    assert isinstance(refused, events.DuplicateRefused)
    assert refused.key_id == "k1"
    assert getattr(submit(scene, None, 3, size=MICRO), "key_id", "") is None


@pytest.mark.parametrize("is_known", [True, False])
def test_a_revoked_key_is_denied_before_any_safeguard(is_known: bool) -> None:
    """What waited when it was revoked is decided after that, and says so."""
    scene = Scene(OrderSize(max_order_size=1))
    if is_known:
        create(scene)
        revoke(scene)
    denied = submit(scene, "k1")
    assert isinstance(denied, events.RequestDenied)
    name = "alpha" if is_known else "k1"
    assert denied.findings == (events.Finding("access", "KEY_REVOKED", name),)
    assert bytes(denied.verdicts) == b"[]"
    assert scene.book.denials == {"access": 1}


def test_orders_of_a_revoked_key_go_on_but_open_no_other() -> None:
    """The one in flight may fill; its alternate would be a new order, and is denied."""
    scene = Scene()
    create(scene)
    other = Alternate(
        platform=Platform.POLYMARKET, market_id="1111", side=Side.YES, limit_price=500_000
    )
    asked = request(alternates=(other,))
    approved = scene.do(commands.Submit(request=asked, received_ns=NOW, key_id="k1")).events[-1]
    assert isinstance(approved, events.OrderApproved)
    revoke(scene)
    assert approved.client_order_id in scene.book.orders
    decision = scene.do(
        commands.TakeOutcome(
            client_order_id=approved.client_order_id,
            outcome=NotSent(message="no route"),
            request=asked,
        )
    )
    assert decision.effects == (commands.TryAlternate(asked, 1, "k1"),)
    follow = commands.Submit(request=asked, received_ns=NOW, leg=1, key_id="k1")
    denied = scene.do(follow).events[-1]
    assert isinstance(denied, events.RequestDenied)
    assert [finding.code for finding in denied.findings] == ["KEY_REVOKED"]


# What is shown ---------------------------------------------------------------------------------


def test_a_view_has_exact_numbers_and_no_digest() -> None:
    """Dollars and contracts as decimals; of what is not said, null."""
    scene = Scene()
    create(scene, caps=Caps(max_order_size=20_500_000, max_orders_per_hour=7))
    view = view_of(scene.book.keys["k1"])
    assert view.max_order_size == Decimal("20.5")
    assert (view.max_order_contracts, view.max_orders_per_hour) == (None, 7)
    assert (view.created_by, view.revoked_at) == ("ann", None)
    assert "digest" not in view.__struct_fields__
    revoke(scene)
    ended = view_of(scene.book.keys["k1"])
    assert ended.revoked_at == view.created_at
    assert (ended.scopes, ended.created_by) == ((), None)


def test_a_secret_is_in_no_repr() -> None:
    """A repr ends up in logs and in failing tests."""
    scene = Scene()
    create(scene)
    made = CreatedKey(key=view_of(scene.book.keys["k1"]), secret="arb_very_secret", sequence=1)
    assert "very" not in repr(made)
    assert "very" not in str(made)
    assert "very" not in f"{(made,)}"
