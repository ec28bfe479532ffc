"""A caller in a loop: each duplicate is on record, and none costs more than the one before."""

from arbees.core import events
from arbees.core.language.words import TimeInForce
from arbees.safeguards.kill_switch import KillSwitch
from tests.runtime.rig import running


async def test_duplicates_make_no_life_longer() -> None:
    """Of many duplicates under one id none is found under it; the original's records are."""
    async with running() as rig:
        await rig.ask(time_in_force=TimeInForce.GTC)
        await rig.settle()
        before = rig.desk.lookups.records("r-k-1")
        answers = [await rig.ask(time_in_force=TimeInForce.GTC) for _ in range(5)]
        assert {answer.code for answer in answers} == {"DUPLICATE_REQUEST"}
        assert len(rig.events(events.DuplicateRefused)) == 5
        assert rig.desk.lookups.records("r-k-1") == before
        assert [stored.sequence for stored in rig.journal.records_of("r-k-1")] == [
            sequence for sequence, _, _ in before
        ]


async def test_a_duplicate_under_an_id_of_its_own_is_found_with_its_original() -> None:
    """Asked for by that id, it says what became of the first request under the key."""
    async with running() as rig:
        await rig.ask()
        for _ in range(3):
            await rig.ask(request_id="r-2")
        found = rig.gateway.execution("r-2")
        assert found is not None
        assert found.result.code == "DUPLICATE_REQUEST"
        assert found.result.original.request_id == "r-k-1"  # type: ignore[union-attr]
        assert len(found.events) == 1


async def test_a_conflict_names_the_fields() -> None:
    """Whoever used a key for something else is told in which fields it differs; no value is."""
    async with running() as rig:
        await rig.ask()
        found = await rig.ask(size=2_000_000, limit_price=510_000)
        assert found.code == "IDEMPOTENCY_CONFLICT"
        assert str(found.rejection_reason).endswith("These differ: size, limit_price")
        assert found.denials[0].message == found.rejection_reason


async def test_a_duplicate_of_a_denial_says_how_to_come_again() -> None:
    """The key of what never reached a venue takes another attempt, and the answer says which."""
    async with running(KillSwitch()) as rig:
        await rig.halt("ENABLE")
        assert (await rig.ask()).code == "HALTED"
        again = await rig.ask()
        assert again.code == "DUPLICATE_REQUEST"
        assert "send attempt 2 with a fresh request_id and created_at" in str(
            again.rejection_reason
        )


async def test_a_duplicate_of_an_execution_offers_no_other_attempt() -> None:
    """A key that was executed is spent: nobody is told to try once more."""
    async with running() as rig:
        await rig.ask()
        again = await rig.ask()
        assert again.code == "DUPLICATE_REQUEST"
        assert "attempt" not in str(again.rejection_reason)
