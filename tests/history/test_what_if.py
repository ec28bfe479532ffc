"""The walk over a journal under other rules; exactness on whole journals is in tests/cli."""

import msgspec

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.redecide import watched
from arbees.core.deciding.verdicts import Deny, Pass, Safeguard
from arbees.history.what_if import (
    ChangedDecision,
    Mismatch,
    Turn,
    Walk,
    share,
)
from tests.core.scene import Says, Scene
from tests.safeguards.build import request

STARTED = events.Started(version="1", settings_hash="h", settings={})


def walked(
    scene: Scene, others: commands.Rules, records: list[tuple[int, int, events.Event]] | None = None
) -> tuple[Walk, list[ChangedDecision], list[Mismatch]]:
    """Walk over the records of a scene."""
    walk = Walk(lambda _started: (scene.rules, others), watched([]))
    changed: list[ChangedDecision] = []
    mismatches: list[Mismatch] = []
    walk.on_change, walk.on_mismatch = changed.append, mismatches.append
    for record in scene.records if records is None else records:
        walk.take(*record)
    assert records is not None or walk.finish() == scene.book
    return walk, changed, mismatches


def rules(scene: Scene, *safeguards: Safeguard) -> commands.Rules:
    """Return the rules of a scene with other safeguards."""
    return msgspec.structs.replace(scene.rules, safeguards=safeguards)


def asked(*says: Safeguard) -> Scene:
    """Return a scene in which one request was judged."""
    scene = Scene(*says)
    scene.write(STARTED)
    scene.do(commands.Submit(request=request(), received_ns=scene.now))
    return scene


FREE, NEVER = Says("one", Pass("A")), Says("one", Deny("A", 2, 1))
OTHER = Says("two", Deny("B", 2, 1))


def test_each_way_of_coming_out_otherwise() -> None:
    """Approved to denied, denied to approved, another headline; else nothing."""
    for then, now, turn in (
        ((FREE,), (NEVER,), Turn.DENIED),
        ((NEVER,), (FREE,), Turn.APPROVED),
        ((NEVER,), (OTHER,), Turn.HEADLINE),
        ((FREE,), (Says("one", Pass("A")),), None),
    ):
        scene = asked(*then)
        walk, changed, mismatches = walked(scene, rules(scene, *now))
        assert [each.turn for each in changed] == ([] if turn is None else [turn])
        assert mismatches == []
        assert walk.counts.decisions == 1


def test_more_reasons_behind_the_same_headline_are_counted() -> None:
    """They change no outcome, but somebody may want to know."""
    scene = asked(NEVER)
    walk, changed, _ = walked(scene, rules(scene, NEVER, OTHER))
    assert changed == []
    assert walk.counts.other_findings == 1


def test_before_any_settings_nothing_is_judged() -> None:
    """Decisions before the first start are counted apart."""
    scene = Scene(FREE)
    scene.do(commands.Submit(request=request(), received_ns=scene.now))
    walk, changed, _ = walked(scene, rules(scene, NEVER))
    assert changed == []
    assert walk.counts.unjudged == 1


def test_a_decision_that_is_not_made_again_is_named() -> None:
    """Another approval, other verdicts, or a halt that should have followed."""
    scene = asked(FREE)
    *before, (sequence, time_ns, approved) = scene.records
    assert isinstance(approved, events.OrderApproved)
    forged = msgspec.structs.replace(approved, verdicts=msgspec.Raw(b"[]"))
    records = [*before, (sequence, time_ns, forged)]
    _, _, mismatches = walked(scene, scene.rules, records)
    assert [(each.sequence, each.again) for each in mismatches] == [
        (sequence, "approved, with other verdicts")
    ]
    scene = asked(Says("repeated_execution", Deny("REPEATED_EXECUTION", 11, 10)))
    assert isinstance(scene.records[-1][2], events.HaltRaised)
    assert walked(scene, scene.rules)[2] == []
    stopped: events.Event = events.Stopped(reason="x")
    records = [*scene.records[:-1], (*scene.records[-1][:2], stopped)]
    (mismatch,) = walked(scene, scene.rules, records)[2]
    assert (mismatch.was, mismatch.again[:10]) == ("Stopped", "HaltRaised")


def test_what_is_the_same_is_asked_once() -> None:
    """A safeguard that both rules have is not asked again; what it said counts for both."""
    same, then, now = Says("same", Pass("A")), Says("x", Pass("B")), Says("x", Deny("B", 2, 1))
    scene = asked(same, then)
    same.asked.clear()
    _, changed, _ = walked(scene, rules(scene, same, now))
    assert [each.turn for each in changed] == [Turn.DENIED]
    assert len(same.asked) == 1
    assert len(now.asked) == 1


def test_rules_that_work_an_order_out_otherwise_share_nothing() -> None:
    """With another fee allowance the order itself is another one."""
    scene = asked(FREE)
    others = msgspec.structs.replace(scene.rules, balance_buffer=7)
    assert share(scene.rules, others) == (scene.rules, others)
    assert share(scene.rules, scene.rules)[1] is scene.rules
