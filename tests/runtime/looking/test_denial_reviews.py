"""Reviews of denials at a running gateway."""

from pathlib import Path

import pytest

from arbees.core import events
from arbees.interface.denial_reviews import NoDenial
from tests.runtime.evenings import Evening
from verification.simulation import simulate


def review(request_id: str, sequence: int, verdict: str = "confirmed") -> events.DenialReviewed:
    """Return what is said of a denial."""
    return events.DenialReviewed(
        request_id=request_id, sequence=sequence, verdict=verdict, reason="r", actor="ann"
    )


def test_a_denial_is_reviewed(tmp_path: Path) -> None:
    """It stands with the request's records, changes no result, and no other request's life."""

    async def act(evening: Evening) -> None:
        await evening.quote()
        result = await evening.ask("large", contracts=90)
        gateway = evening.assembly.gateway
        book = gateway.desk.book.total_worst
        answer = await gateway.review_denials((review(result.request_id, result.sequence),))
        assert answer.recorded == 1
        assert answer.sequence == gateway.desk.journal.head.sequence
        execution = gateway.execution(result.request_id)
        assert execution is not None
        assert execution.result == result
        assert [each.kind for each in execution.events] == ["RequestDenied", "DenialReviewed"]
        assert gateway.desk.book.total_worst == book
        again = await evening.ask("large", contracts=90)
        assert again.code == "DUPLICATE_REQUEST"

    simulate(Evening(tmp_path).live(act))


def test_what_is_no_denial_is_refused(tmp_path: Path) -> None:
    """Another record, another request, a record to come: nothing is recorded, of none of them."""

    async def act(evening: Evening) -> None:
        await evening.quote()
        denied = await evening.ask("large", contracts=90)
        filled = await evening.ask("good")
        gateway = evening.assembly.gateway
        good = review(denied.request_id, denied.sequence)
        before = gateway.desk.journal.head.sequence
        for wrong in (
            review(filled.request_id, filled.sequence),
            review("other", denied.sequence),
            review(denied.request_id, 10**6),
        ):
            with pytest.raises(NoDenial):
                await gateway.review_denials((good, wrong))
        assert gateway.desk.journal.head.sequence == before

    simulate(Evening(tmp_path).live(act))
