"""Records what operators say of denials at a running gateway: the port `Reviewer`.

Guarantees that only a denial that stands in the journal is reviewed, and that what is answered
stands there too.
"""

from collections.abc import Sequence

from arbees.core.deciding import commands
from arbees.core.events import DenialReviewed
from arbees.core.language.ids import own
from arbees.core.ports import Journal
from arbees.interface.denial_reviews import NoDenial, ReviewView, denial_of
from arbees.runtime.intake.key_lookup import recorded
from arbees.runtime.intake.writer import Lane, Writer


class Reviews:
    """Takes reviews; implements `interface.denial_reviews.Reviewer`."""

    def __init__(self, writer: Writer, journal: Journal) -> None:
        """Take what makes reviews durable, and where the denials stand."""
        self._writer = writer
        self._journal = journal

    async def review_denials(self, reviews: Sequence[DenialReviewed]) -> ReviewView:
        """Journal reviews, all or none; see the port."""
        for review in reviews:
            self._require_denial(review)
        committed = await self._writer.put(commands.Record(events=tuple(reviews)), Lane.FACTS)
        return ReviewView(recorded=len(reviews), sequence=committed.records[-1][0])

    def _require_denial(self, review: DenialReviewed) -> None:
        stored = next(iter(self._journal.records(review.sequence - 1)), None)
        if stored is not None and stored.sequence == review.sequence:
            denial = denial_of(recorded(stored))
            if denial is not None and own(denial.request_id) == review.request_id:
                return
        raise NoDenial(f"Record {review.sequence} is no denial of request {review.request_id}")
