"""Bad requests are refused, and cost a gateway nothing."""

import pytest

from tools.attacks import CLOSING, KEEPING, Attack
from tools.hostile import Broken, Tally, check, report, siege, storms
from tools.storms import STORMS

PROBLEM = "application/problem+json"
SEEN = Attack(name="seen", data=b"")


def test_names_are_distinct() -> None:
    """Every attack is told apart in the figures."""
    names = [attack.name for attack in (*KEEPING, *CLOSING)]
    assert len(names) == len(set(names)) >= 40


def test_every_attack_is_refused() -> None:
    """A gateway refuses each clearly, decides nothing, and keeps neither memory nor descriptors."""
    said = siege(4_000, slow=0)
    for attack in (*KEEPING, *CLOSING):
        assert f" {attack.name}" in said, attack.name


@pytest.mark.parametrize("name", STORMS)
def test_a_stop_is_in_force_during_each_storm(name: str) -> None:
    """Whatever strangers hold or pour in, a stop with a key comes through; memory is bounded."""
    said = storms((name,), seconds=3)
    assert said.startswith(f"storm of {name}: ")


@pytest.mark.parametrize(
    ("status", "media_type", "body", "said"),
    [
        (200, PROBLEM, b'{"code":"MALFORMED"}', "expected (400,), was 200"),
        (400, "text/plain", b"no", "expected a problem"),
        (400, PROBLEM, b'{"code":"OTHER"}', "of a known code"),
        (400, PROBLEM, b'{"code":"MALFORMED","detail":"' + b"x" * 3_000 + b'"}', "short"),
        (400, PROBLEM, b'{"code":"MALFORMED","detail":"Traceback"}', "tells of the inside"),
    ],
    ids=["taken", "text", "code", "long", "inside"],
)
def test_what_is_no_clear_refusal_is_found(
    status: int, media_type: str, body: bytes, said: str
) -> None:
    """Another status, another type, an unknown code, an echo and a trace are told apart."""
    with pytest.raises(Broken) as found:
        check(SEEN, status, media_type, body)
    assert said in str(found.value)


def test_growth_is_a_leak() -> None:
    """More memory than an allocator keeps, or one more descriptor, is a finding."""
    tally = Tally()
    assert "descriptors 20 -> 20" in report(tally, (50_000_000, 20), (51_000_000, 20), 1)
    with pytest.raises(Broken):
        report(tally, (50_000_000, 20), (60_000_000, 20), 1)
    with pytest.raises(Broken):
        report(tally, (50_000_000, 20), (50_000_000, 21), 1)
