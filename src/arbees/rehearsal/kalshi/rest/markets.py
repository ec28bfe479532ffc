"""Reads of the simulated Kalshi about markets: markets, books, events, series, games, fees."""

from typing import Any

from aiohttp import web

from arbees.rehearsal.kalshi.engine.catalogue import ScheduledFeeChange
from arbees.rehearsal.kalshi.engine.rules import ExchangeMarket, ExchangeRefusal
from arbees.rehearsal.kalshi.rest import bodies
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.reading import page


class MarketReads:
    """Calls that read what everybody may know."""

    def __init__(self, desk: CallContext) -> None:
        """Serve a desk."""
        self._desk = desk

    def _row(self, market: ExchangeMarket) -> dict[str, Any]:
        return bodies.market_row(market, self._desk.exchange.catalogue)

    def _market(self, request: web.Request, *, is_archived: bool = False) -> ExchangeMarket:
        market = self._desk.exchange.markets.get(request.match_info["ticker"])
        if market is None or market.is_archived is not is_archived:
            raise ExchangeRefusal(404, "not_found")
        return market

    async def markets(self, request: web.Request, owner: str) -> web.Response:
        """`GET /markets`; what is in the archive is not here."""
        tickers = set(request.query.get("tickers", "").split(",")) - {""}
        rows = [
            self._row(market)
            for market in self._desk.exchange.markets.values()
            if (not tickers or market.ticker in tickers) and not market.is_archived
        ]
        return page(request, "markets", rows)

    async def market(self, request: web.Request, owner: str) -> web.Response:
        """`GET /markets/{ticker}`."""
        return web.json_response({"market": self._row(self._market(request))})

    async def archived(self, request: web.Request, owner: str) -> web.Response:
        """`GET /historical/markets/{ticker}`."""
        found = self._market(request, is_archived=True)
        return web.json_response({"market": self._row(found)})

    async def orderbook(self, request: web.Request, owner: str) -> web.Response:
        """`GET /markets/{ticker}/orderbook`: bids of both outcomes."""
        market = self._market(request)
        book = {
            "yes_dollars": bodies.levels(market.bids, of_no=False),
            "no_dollars": bodies.levels(market.asks, of_no=True),
        }
        return web.json_response({"orderbook_fp": book})

    async def event(self, request: web.Request, owner: str) -> web.Response:
        """`GET /events/{event_ticker}`."""
        event = self._desk.exchange.catalogue.events.get(request.match_info["event_ticker"])
        if event is None or event.is_missing:
            raise ExchangeRefusal(404, "not_found")
        return web.json_response({"event": bodies.event_row(event), "markets": []})

    async def series(self, request: web.Request, owner: str) -> web.Response:
        """`GET /series/{ticker}`."""
        series = self._desk.exchange.catalogue.series.get(request.match_info["ticker"])
        if series is None:
            raise ExchangeRefusal(404, "not_found")
        return web.json_response(
            {
                "series": {
                    "ticker": series.ticker,
                    "frequency": "custom",
                    "title": series.ticker,
                    "category": "Sports",
                    "categories": ["Sports"],
                    "tags": ["Basketball"],
                    "settlement_sources": [],
                    "contract_url": "",
                    "contract_terms_url": "",
                    "fee_type": series.fee_type,
                    "fee_multiplier": bodies.factor(series.multiplier),
                    "additional_prohibitions": [],
                }
            }
        )

    async def milestones(self, request: web.Request, owner: str) -> web.Response:
        """`GET /milestones`: the games, and the events that each of them joins."""
        related = request.query.get("related_event_ticker")
        if not request.query.get("limit"):
            raise ExchangeRefusal(400, "invalid_parameters", "limit")
        rows = [
            bodies.milestone_row(milestone)
            for milestone in self._desk.exchange.catalogue.milestones.values()
            if related in {None, *milestone.events}
        ]
        return page(request, "milestones", rows)

    async def series_fees(self, request: web.Request, owner: str) -> web.Response:
        """`GET /series/fee_changes`: announced ones, past ones only if they are asked for."""
        wanted = request.query.get("series_ticker")
        catalogue = self._desk.exchange.catalogue
        past = request.query.get("show_historical", "false").lower() == "true"
        found = [*catalogue.announced, *(catalogue.applied if past else ())]
        rows = [
            {
                "id": each.change_id,
                "series_ticker": each.series_ticker,
                "fee_type": each.fee_type,
                "fee_multiplier": bodies.factor(each.multiplier),
                "scheduled_ts": bodies.time(each.at_ns),
            }
            for each in found
            if each.event_ticker is None and wanted in {None, each.series_ticker}
        ]
        return web.json_response({"series_fee_change_arr": rows})

    async def event_fees(self, request: web.Request, owner: str) -> web.Response:
        """`GET /events/fee_changes`: announced ones."""
        wanted = request.query.get("event_ticker")
        rows = [
            _event_fee(each)
            for each in self._desk.exchange.catalogue.announced
            if each.event_ticker is not None and wanted in {None, each.event_ticker}
        ]
        return page(request, "event_fee_changes", rows)


def _event_fee(change: ScheduledFeeChange) -> dict[str, Any]:
    return {
        "id": change.change_id,
        "event_ticker": change.event_ticker,
        "series_ticker": change.series_ticker,
        "fee_type_override": change.fee_type,
        "fee_multiplier_override": bodies.factor(change.multiplier),
        "scheduled_ts": bodies.time(change.at_ns),
    }
