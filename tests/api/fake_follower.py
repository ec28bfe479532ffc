"""A follower by hand: the quality of a random evening, and a page of metrics."""

from collections.abc import AsyncIterator

from arbees.core.orders.result import Result
from arbees.interface.history import FillView, HistoryPage, HistoryQuery, PnlBy, PnlView
from arbees.interface.measures import By, QualityView
from arbees.telemetry.quality.fold import QualityFold
from arbees.telemetry.quality.quality import view_of
from tests.api.fake import NOW_NS
from tests.telemetry.quality.test_quality import evening


class FakeFollower:
    """Answers what a test tells it to."""

    def __init__(self) -> None:
        self.asked: list[tuple[int | None, By | None]] = []
        self.queries: list[object] = []
        self.error: Exception | None = None

    async def quality(self, since_ns: int | None, by: By | None) -> QualityView:
        self.asked.append((since_ns, by))
        if self.error is not None:
            raise self.error
        journal = evening(1)
        fold = QualityFold(journal)
        for each in journal.stored:
            fold.take(each)
        return view_of(fold, 0, NOW_NS, by)

    def events(self, after: int) -> AsyncIterator[bytes]:
        raise AssertionError(f"nobody follows, was {after}")

    async def executions(self, query: HistoryQuery) -> HistoryPage[Result]:
        return HistoryPage(items=(), cursor=None, sequence=self._note(query))

    async def fills(self, query: HistoryQuery) -> HistoryPage[FillView]:
        return HistoryPage(items=(), cursor="7", sequence=self._note(query))

    async def pnl(self, by: PnlBy, since_ns: int | None, strategy: str | None) -> PnlView:
        self._note((by, since_ns, strategy))
        return PnlView(by=by, since=None, rows=(), sequence=1)

    def _note(self, query: object) -> int:
        self.queries.append(query)
        if self.error is not None:
            raise self.error
        return 1

    async def metrics(self) -> bytes:
        return b"# HELP x y.\n"
