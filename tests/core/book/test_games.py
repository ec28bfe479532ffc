"""Games: a market's is the venue's own; labels join games, and nothing parts them again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.book.market import Terms
from arbees.core.deciding import commands
from arbees.core.language.quote import Quote
from arbees.core.language.words import Platform, Side, TradingState
from arbees.safeguards.game_exposure import GameExposure
from arbees.venues.paper.terms import TERMS
from tests.core.scene import MICRO, Scene, check_sums
from tests.safeguards.build import NOW, listing, request

EVENT = "KXNBAGAME-26JAN28BOSHOU"
BOS, HOU = f"{EVENT}-BOS", f"{EVENT}-HOU"
SPREAD = "KXNBASPREAD-26JAN28BOSHOU-BOS4"
FIFTY = 50 * MICRO


def named(market_id: str, **changes: Any) -> commands.ListMarket:
    """Return a venue's word on a market, which names its event."""
    fields = {"game_id": None, "event_id": market_id.rpartition("-")[0], **changes}
    return commands.ListMarket(listing=listing(market_id=market_id, market_key=market_id, **fields))


def stage(*markets: commands.ListMarket, limit: int = 59 * MICRO - 1) -> Scene:
    """Return a scene that knows markets and judges games."""
    scene = Scene(GameExposure(limit), is_bare=True)
    for market in markets:
        scene.do(market)
    return scene


def codes(decision: commands.Decision) -> list[str]:
    """Return the codes of a denial; none for an approval."""
    return [
        finding.code
        for event in decision.events
        if isinstance(event, events.RequestDenied)
        for finding in event.findings
    ]


def buy(scene: Scene, key: str, market_id: str, size: int = FIFTY, **more: Any) -> list[str]:
    """Ask to buy; return the codes of a denial."""
    asked = request(
        idempotency_key=key,
        request_id=f"r-{key}",
        market_id=market_id,
        size=size,
        time_in_force="GTC",
        **more,
    )
    return codes(scene.do(commands.Submit(request=asked, received_ns=scene.now)))


def test_both_sides_of_one_event_are_one_game() -> None:
    """Yes of one team and No of the other are the same opinion: 32.50 and 26.50 dollars."""
    scene = stage(named(BOS), named(HOU))
    assert buy(scene, "a", BOS) == []
    assert buy(scene, "b", HOU, side=Side.NO, limit_price="0.53") == ["MAX_GAME_EXPOSURE"]
    assert scene.book.game_worst == {EVENT: 32_500_000}


@pytest.mark.parametrize("first", ["label", None])
def test_a_label_joins_and_never_parts(first: str | None) -> None:
    """Two labels on one event are one game; one label on two events makes them one."""
    scene = stage(named(BOS), named(HOU), named(SPREAD))
    assert buy(scene, "a", BOS, game_id=first) == []
    assert buy(scene, "b", HOU, game_id="another") == ["MAX_GAME_EXPOSURE"]
    spread = buy(scene, "c", SPREAD, game_id="label")
    assert spread == ([] if first is None else ["MAX_GAME_EXPOSURE"])
    check_sums(scene.book)


def test_joins_are_transitive_and_recorded() -> None:
    """A label on a second event brings all that is held in the first."""
    scene = stage(named(BOS), named(SPREAD))
    assert buy(scene, "a", BOS, game_id="bos-hou") == []
    assert buy(scene, "b", SPREAD, size=MICRO, game_id="bos-hou") == []
    joined = [event for _, _, event in scene.records if isinstance(event, events.GamesJoined)]
    spread_event = SPREAD.rpartition("-")[0]
    assert joined == [
        events.GamesJoined(game=EVENT, names=("bos-hou",)),
        events.GamesJoined(game=spread_event, names=(EVENT,)),
    ]
    assert scene.book.games == {"bos-hou": spread_event, EVENT: spread_event}
    assert scene.book.game_worst == {spread_event: 33_150_000}
    scene.do(named(HOU))
    assert buy(scene, "c", HOU) == ["MAX_GAME_EXPOSURE"]
    check_sums(scene.book)


def test_a_milestone_joins_events_whenever_it_comes() -> None:
    """It is the venue's own word of a game: what was bought before counts."""
    scene = stage(named(BOS), named(SPREAD))
    assert buy(scene, "a", BOS) == []
    for market_id in (BOS, SPREAD):
        scene.do(named(market_id, milestone_id="m-1"))
    assert scene.book.game_worst == {"m-1": 32_500_000}
    assert buy(scene, "b", SPREAD) == ["MAX_GAME_EXPOSURE"]
    assert scene.do(named(SPREAD, milestone_id="m-1")) == commands.NO_DECISION
    scene.do(named(HOU))
    assert scene.book.markets[HOU].game_id == "m-1"
    check_sums(scene.book)


def test_a_market_that_loses_its_milestone_keeps_its_game() -> None:
    """An identity is never unlearnt."""
    scene = stage(named(BOS, milestone_id="m-1"))
    assert scene.do(named(BOS)) == commands.NO_DECISION


def test_a_denied_request_joins_nothing() -> None:
    """Only an order that was approved says what belongs together."""
    scene = stage(named(BOS), named(SPREAD), limit=MICRO)
    assert buy(scene, "a", BOS, game_id="x") == ["MAX_GAME_EXPOSURE"]
    assert scene.book.games == {}


def test_a_halt_of_a_game_covers_it_by_every_name() -> None:
    """By the label, by the event and by the milestone: its open orders are cancelled."""
    for name in ("x", EVENT, "m-1"):
        scene = stage(named(BOS, milestone_id="m-1"), named(HOU))
        assert buy(scene, "a", BOS, size=MICRO, game_id="x") == []
        scene.wait(1)
        halted = scene.do(
            commands.RaiseHalt(
                source="http",
                scope=f"game:{name}",
                state=TradingState.HALTED,
                reason="r",
                actor="a",
                receipt_id="i",
            )
        )
        assert [effect.__class__.__name__ for effect in halted.effects] == ["CancelOrder"]
        subject = next(iter(scene.book.markets.values()))
        assert subject.game_id == "m-1"


@pytest.mark.parametrize(
    ("market_id", "event"),
    [
        (BOS, EVENT),
        ("KXNBAGAME-26JAN28BOSHOU", None),
        ("M", None),
        ("", None),
        ("A-B-", None),
        ("-B-C", "-B"),
        (f"KX{'-' * 5}", None),
    ],
)
def test_the_name_of_a_market_names_its_event(market_id: str, event: str | None) -> None:
    """Where the venue builds them so: series, event, market."""
    assert TERMS[Platform.KALSHI].event_of(market_id) == event
    assert TERMS[Platform.POLYMARKET].event_of(market_id) is None
    assert isinstance(TERMS[Platform.KALSHI], Terms)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["x", "y", "z", "E0", "E1", "E2"])),
        max_size=12,
    )
)
def test_what_is_joined_is_what_a_slow_union_says(labels: list[tuple[int, str]]) -> None:
    """Any labels in any order: groups are the connected ones, and the sums are theirs."""
    ids = [f"S-E{number // 2}-{number}" for number in range(6)]
    scene = stage(
        *(named(each, event_id=f"E{number // 2}") for number, each in enumerate(ids)),
        limit=10**12,
    )
    groups = [{f"E{number}"} for number in range(3)]
    for at, (number, label) in enumerate(labels):
        assert buy(scene, f"k-{at}", ids[number], size=MICRO, game_id=label) == []
        touching = [g for g in groups if label in g or f"E{number // 2}" in g]
        groups = [g for g in groups if g not in touching] + [set().union({label}, *touching)]
    for one in range(6):
        for two in range(6):
            is_same = any({f"E{one // 2}", f"E{two // 2}"} <= group for group in groups)
            games = [scene.book.markets[ids[each]].game_id for each in (one, two)]
            assert (games[0] == games[1]) is is_same
    check_sums(scene.book)


def test_a_quote_that_names_a_game_joins_it_with_the_event() -> None:
    """On paper the feed's word and the ticker's event are one game."""
    scene = stage(named(BOS), named(HOU))
    quote = Quote(ts_ns=NOW, platform=Platform.KALSHI, market_id=BOS, bids=(), asks=(), game_id="g")
    said = listing(market_id=BOS, market_key=BOS, game_id="g")
    scene.do(commands.ListMarket(listing=said, quote=quote))
    assert {market.game_id for market in scene.book.markets.values()} == {"g"}
