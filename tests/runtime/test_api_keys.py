"""API keys of a running gateway: in force once durable, ended at once, and after a crash."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.api_keys import (
    ApiKey,
    CreatedKey,
    KeyAsk,
    KeyRefused,
)
from arbees.core.deciding.outcomes import Filled
from arbees.core.language.key_secret import make_secret
from arbees.core.language.words import (
    KeyScope,
    OrderStatus,
    ResultStatus,
    TimeInForce,
)
from arbees.core.ports import Entry, Stored
from arbees.errors import JournalUnavailable
from arbees.interface.views import Undecided
from arbees.runtime.api_keys import KEY_KINDS, has_key
from tests.runtime.rig import Rig, fill, running

pytestmark = pytest.mark.anyio
MICRO = 1_000_000
ASK = KeyAsk(name="alpha", scopes=(KeyScope.SUBMIT, KeyScope.READ))


async def create(rig: Rig, name: str = "alpha", **more: Any) -> CreatedKey:
    """Make a key."""
    ask = KeyAsk(name=name, scopes=(KeyScope.SUBMIT,), **more)
    return await rig.gateway.create_key(ask, actor="ann")


async def revoke(rig: Rig, made: CreatedKey) -> None:
    """End a key."""
    await rig.gateway.revoke_key(made.key.key_id, reason="lost", actor="ann")


async def test_a_key_is_told_once_and_is_in_force() -> None:
    """Its secret opens; nothing that is stored or shown holds the secret."""
    async with running() as rig:
        assert not rig.gateway.is_keyed
        made = await create(rig, strategy="s")
        assert rig.gateway.is_keyed
        key = rig.gateway.authenticate(made.secret)
        assert isinstance(key, ApiKey)
        assert (key.name, key.strategy) == ("alpha", "s")
        assert made.sequence == rig.journal.head.sequence
        everything = b"".join(stored.body for stored in rig.journal.stored).decode()
        everything += repr(rig.gateway.keys()) + repr(rig.book.keys) + repr(made) + repr(key)
        assert made.secret[-20:] not in everything


async def test_nobody_comes_with_a_key_before_it_is_durable() -> None:
    """While its commit is under way nothing shows that there is one."""
    async with running() as rig:
        seen: list[object] = []

        def look(entries: Sequence[Entry]) -> None:
            if entries[0].kind == "KeyCreated":
                seen.append((rig.gateway.is_keyed, rig.gateway.keys(), len(rig.book.keys)))

        rig.journal.before_append = look
        await create(rig)
        assert seen == [(False, (), 1)]


async def test_a_key_whose_commit_failed_is_none() -> None:
    """Whoever asked hears that it is not known; after the restart there is no key."""
    async with running() as rig:
        rig.journal.failure = JournalUnavailable("the disk is full")
        with pytest.raises(Undecided) as caught:
            await create(rig)
        assert caught.value.code == "JOURNAL_FAILED"
        assert not rig.gateway.is_keyed
        journal = rig.journal
    journal.failure = None
    async with running(journal=journal) as again:
        assert not again.gateway.is_keyed
        assert again.gateway.keys() == ()


async def test_a_crash_between_creation_and_answer_leaves_a_key_that_nobody_has() -> None:
    """It is listed, can be revoked by whoever has another, and its name with it."""
    async with running() as rig:
        creating = asyncio.ensure_future(create(rig))

        def crash() -> None:
            creating.cancel()

        rig.journal.after_append = crash
        with pytest.raises(asyncio.CancelledError):
            await creating
        journal = rig.journal
        journal.after_append = lambda: None
    async with running(journal=journal) as again:
        (lost,) = again.gateway.keys()
        assert (lost.name, lost.revoked_at) == ("alpha", None)
        with pytest.raises(KeyRefused):
            await create(again)
        await again.gateway.revoke_key(lost.key_id, reason="never told", actor="ann")
        assert (await create(again)).key.name == "alpha"


async def test_two_at_once_of_one_name_are_one() -> None:
    """The writer decides; the other hears that the name is taken."""
    async with running() as rig:
        made = await asyncio.gather(create(rig), create(rig), return_exceptions=True)
        assert sorted(type(each).__name__ for each in made) == ["CreatedKey", "KeyRefused"]
        assert len(rig.gateway.keys()) == 1


async def test_a_wrong_secret_is_nobody() -> None:
    """Of the right id, of another one, of no form at all."""
    async with running() as rig:
        made, other = await create(rig), await create(rig, "beta")
        stranger = make_secret(bytes(6), bytes(32))[1]
        swapped = made.secret[:17] + other.secret[17:]
        for secret in (stranger, swapped, made.secret[:-2] + "00", "", "arb_", "x" * 10_000):
            assert rig.gateway.authenticate(secret) is None
        assert rig.gateway.authenticate(other.secret) is not None


async def test_a_revoked_key_is_out_at_once() -> None:
    """In memory before anything is awaited; durable when it is answered, and after a restart."""
    async with running() as rig:
        made = await create(rig)
        ending = asyncio.ensure_future(revoke(rig, made))
        await asyncio.sleep(0)
        assert rig.gateway.authenticate(made.secret) is None
        assert not rig.gateway.is_in_force(made.key.key_id)
        await ending
        assert rig.gateway.authenticate(made.secret) is None
        assert rig.gateway.is_keyed
        (view,) = rig.gateway.keys()
        assert view.revoked_at is not None
        journal = rig.journal
    async with running(journal=journal) as again:
        assert again.gateway.authenticate(made.secret) is None
        assert again.gateway.is_keyed


async def test_ending_a_key_twice_is_as_good_as_once() -> None:
    """And one that is not there is none."""
    async with running() as rig:
        made = await create(rig)
        await revoke(rig, made)
        await revoke(rig, made)
        assert len(rig.events(events.KeyRevoked)) == 1
        assert await rig.gateway.revoke_key("nobody", reason="m", actor="ann") is None


async def test_a_request_that_waits_when_its_key_ends_is_denied() -> None:
    """The revocation overtakes it: it is decided after, by nothing else than that."""
    async with running() as rig:
        made = await create(rig)
        key_id = made.key.key_id
        waiting = asyncio.ensure_future(rig.gateway.submit(rig.request(), 0, key_id))
        await asyncio.sleep(0)
        await revoke(rig, made)
        result = await waiting
        assert (result.status, result.code) == (ResultStatus.REJECTED, "KEY_REVOKED")
        assert result.rejected_by == "gateway"
        assert rig.events(events.OrderApproved) == []


async def test_orders_of_a_revoked_key_go_on() -> None:
    """What rests still fills, and can be cancelled."""
    async with running() as rig:
        made = await create(rig)
        asked = rig.request(time_in_force=TimeInForce.GTC)
        await rig.gateway.submit(asked, 0, made.key.key_id)
        await rig.settle()
        order = rig.order()
        assert order.key_id == made.key.key_id
        await revoke(rig, made)
        assert rig.order().status is OrderStatus.WORKING
        rig.kalshi.report(Filled(fill=fill(order, 4 * MICRO)))
        await rig.settle()
        assert rig.order().filled == 4 * MICRO


async def test_a_revocation_that_is_not_durable_holds_while_the_process_lives() -> None:
    """Who revokes in an emergency is safe from then on, and hears that it must be done again."""
    async with running() as rig:
        made = await create(rig)
        rig.journal.failure = JournalUnavailable("the disk is full")
        with pytest.raises(Undecided):
            await revoke(rig, made)
        assert rig.gateway.authenticate(made.secret) is None
        journal = rig.journal
    journal.failure = None
    async with running(journal=journal) as again:
        assert again.gateway.authenticate(made.secret) is not None


async def test_ten_thousand_wrong_secrets_leave_nothing_behind() -> None:
    """Whoever guesses fills no memory."""
    async with running() as rig:
        await create(rig)
        before = (len(rig.gateway.key_ring.all()), len(rig.book.keys), rig.journal.head)
        for number in range(10_000):
            secret = make_secret(number.to_bytes(6, "big"), bytes(32))[1]
            assert rig.gateway.authenticate(secret) is None
        assert before == (len(rig.gateway.key_ring.all()), len(rig.book.keys), rig.journal.head)


async def test_the_ring_forgets_what_the_book_forgets() -> None:
    """Keys that ended long ago are in the journal alone."""
    async with running() as rig:
        for number in range(260):
            await revoke(rig, await create(rig, f"n{number}"))
        views = rig.gateway.keys()
        assert len(views) == len(rig.book.keys) == 256
        assert {view.key_id for view in views} == set(rig.book.keys)


# Who may resume --------------------------------------------------------------------------------


async def test_to_reduce_what_is_halted_is_to_loosen() -> None:
    """Of the same source and scope; whatever spelling of it, and durable or not yet."""
    async with running() as rig:

        def loosens(action: str, scope: str = "sport:NBA", source: str = "http") -> bool:
            return rig.gateway.is_loosening(action, scope=scope, source=source)

        assert not loosens("ENABLE")
        assert not loosens("REDUCE")
        assert loosens("DISABLE")
        halting = asyncio.ensure_future(rig.halt(scope="sport:NBA"))
        await asyncio.sleep(0)
        assert loosens("REDUCE")
        await halting
        assert loosens("REDUCE")
        assert loosens("REDUCE", "sport:nba")
        assert not loosens("REDUCE", "sport:NFL")
        assert not loosens("REDUCE", source="command")
        assert not loosens("ENABLE")
        await rig.halt("REDUCE", scope="sport:NBA")
        assert loosens("REDUCE"), "what is halted harder stays so unless it is acknowledged"
        await rig.halt("REDUCE", scope="sport:NBA", acknowledge=True)
        assert not loosens("REDUCE")
        with pytest.raises(ValueError, match="Expected all"):
            loosens("REDUCE", "everything")


# Before anything listens -----------------------------------------------------------------------


async def test_a_key_in_force_is_found_in_the_journal() -> None:
    """A gateway listens to other machines only then."""
    async with running() as rig:

        def found() -> bool:
            stored: list[Stored] = [each for each in rig.journal.stored if each.kind in KEY_KINDS]
            return has_key(stored)

        assert not found()
        first, second = await create(rig), await create(rig, "beta")
        assert found()
        await revoke(rig, first)
        assert found()
        await revoke(rig, second)
        assert not found()
