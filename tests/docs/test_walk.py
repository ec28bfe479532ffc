"""The walk of one request: the files that the page lists are those that run, in that order."""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec
import pytest

import arbees
from arbees.api.http.context import Context
from arbees.client.steps import Call, Heard
from arbees.rehearsal.scene import Scene, stage
from arbees.wiring.embedding import InProcess, Trusted

SOURCE = Path(arbees.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "walk-of-a-request.md"
MOST = {"Deny": 8, "Send": 12}
Place = tuple[str, str]
"""A file below the source, and a function in it."""
STAGE = ("rehearsal/", "wiring/", "runtime/clock.py")
"""What plays the strategy, the exchange's time and the wiring here: none of it is a request's."""


def section(title: str) -> str:
    """Return what the page says under a title."""
    return PAGE.read_text().split(f"\n## {title}\n")[1].partition("\n## ")[0]


def steps_of(title: str) -> list[Place]:
    """Return the steps of a walk: the file and the function of each line."""
    return re.findall(r"^\d+\. `([^`]+)`, `([^`]+)`: \S", section(title), re.MULTILINE)


def rooms() -> list[str]:
    """Return what may stay shut, by the beginning of its name."""
    return re.findall(r"`([a-z_/]+(?:\.py|/))`", section("What may stay shut"))


@contextmanager
def traced(ran: dict[Place, None]) -> Iterator[None]:
    """Note each function of the source that is called, in the order of its first call."""

    def note(frame: FrameType, event: str, _value: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and frame.f_code.co_name[0] != "<" and path.is_relative_to(SOURCE):
            name = path.relative_to(SOURCE).as_posix()
            if not name.startswith(STAGE):
                ran.setdefault((name, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


async def walk(size: str) -> tuple[str, list[Place]]:
    """Ask for an order over the HTTP interface; return its end, and what ran."""
    ran: dict[Place, None] = {}
    async with stage({"MAX_ORDER_SIZE": "40"}) as scene:
        await scene.quote()
        context = Context(
            scene.assembly.gateway, scene.clock.now_ns, scene.assembly.follower, access=Trusted()
        )
        transport = InProcess(context)
        with traced(ran):
            heard = await ask(scene, transport, size)
    assert isinstance(heard, Heard), heard
    result = msgspec.json.decode(heard.body)
    return result["code"] or result["status"], list(ran)


async def ask(scene: Scene, transport: InProcess, size: str) -> object:
    """Submit an order and wait for its end, while the exchange's time passes."""
    body = {
        "request_id": "r",
        "idempotency_key": "k",
        "platform": "Kalshi",
        "market_id": scene.request().market_id,
        "side": "Yes",
        "size": float(size),
        "limit_price": 0.7,
    }
    call = Call("POST", "/v1/executions?wait=5", msgspec.json.encode(body))
    asked = asyncio.ensure_future(transport.ask(call))
    await scene.player.settle()
    await scene.wait(1)
    return await asked


@pytest.mark.parametrize(
    ("title", "size", "end"), [("Deny", "60", "MAX_ORDER_SIZE"), ("Send", "10", "Filled")]
)
async def test_the_walk_is_what_runs(title: str, size: str, end: str) -> None:
    """Each file of the list runs, in its order; whatever else runs is in a room said to be shut."""
    status, ran = await walk(size)
    assert status == end
    steps = steps_of(title)
    files = {name for name, _ in steps}
    assert 0 < len(files) == len(steps) <= MOST[title]
    assert [place for place in ran if place in steps] == steps
    besides = {name for name, _ in ran if name not in files}
    unheard = {name for name in besides if not name.startswith(tuple(rooms()))}
    assert unheard <= {name for name, _ in steps_of("Send")}


async def test_nothing_is_said_of_what_does_not_run() -> None:
    """Each room that may stay shut is passed by one of the two."""
    ran = {name for size in ("60", "10") for name, _ in (await walk(size))[1]}
    steps = {name for title in MOST for name, _ in steps_of(title)}
    for room in rooms():
        assert any(name.startswith(room) for name in ran - steps), f"nothing of {room} runs"
