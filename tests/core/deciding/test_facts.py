"""Facts: kept with a decision, at no cost where nothing was there."""

import msgspec

from arbees.core.deciding.facts import Facts, Touch, VenueHealth


def test_facts_keep_only_what_was_there() -> None:
    """Facts at their defaults cost no bytes; what was consulted stays."""
    assert msgspec.json.encode(Facts(now_ns=7)) == b'{"now_ns":7}'
    full = Facts(
        now_ns=7,
        touch=Touch(6, 640_000),
        venue=VenueHealth(
            is_open=False,
            reason="errors",
            until_ns=9,
            is_heartbeat_late=True,
            is_blind=True,
            is_paused=True,
        ),
        unrealized=-5,
        balance_ns=4,
        clock_offset_ns=-3,
    )
    assert msgspec.json.encode(full).decode() == (
        '{"now_ns":7,"touch":{"ts_ns":6,"bid":640000},"venue":{"is_open":false,"reason":"errors",'
        '"until_ns":9,"is_heartbeat_late":true,"is_blind":true,"is_paused":true},'
        '"unrealized":-5,"balance_ns":4,"clock_offset_ns":-3}'
    )
    assert msgspec.json.decode(msgspec.json.encode(full), type=Facts) == full


def test_a_venue_is_healthy_unless_something_is_said() -> None:
    """No monitor has spoken yet: open, on time, seeing, not paused."""
    assert VenueHealth() == VenueHealth(
        is_open=True,
        reason=None,
        until_ns=None,
        is_heartbeat_late=False,
        is_blind=False,
        is_paused=False,
    )
    assert Facts(now_ns=7) == Facts(
        now_ns=7,
        touch=None,
        venue=VenueHealth(),
        unrealized=0,
        balance_ns=0,
        clock_offset_ns=0,
    )
    assert Touch(6) == Touch(6, None, None)
