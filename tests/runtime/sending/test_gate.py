"""The gate: the last look before the first byte, from memory and not only from the journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import ApprovedOrder, Refusal
from arbees.core.language.words import (
    Action,
    HaltSource,
    Side,
    TradingState,
)
from arbees.runtime.sending.gate import Gate, KillFile
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import KALSHI, NOW, SECOND, request

HALTED, REDUCING = TradingState.HALTED, TradingState.REDUCING


class Place:
    """A book with an approved order, and the gate before it."""

    def __init__(self, file: Path | None = None, until_ns: int | None = None) -> None:
        self.scene = Scene()
        self.gate = Gate(
            self.scene.book,
            KillFile(None if file is None else str(file)),
            lambda: self.scene.now,
            until_ns,
        )

    def approve(self, key: str = "k-1", **changes: Any) -> ApprovedOrder:
        """Return an order that passed every safeguard."""
        asked = request(idempotency_key=key, request_id=f"r-{key}", **changes)
        decision = self.scene.do(commands.Submit(request=asked, received_ns=self.scene.now))
        send = decision.effects[-1]
        assert isinstance(send, commands.SendOrder)
        return send.order

    def reducing(self) -> ApprovedOrder:
        """Return an approved Sell of what is held."""
        bought = self.scene.resting("held")
        self.scene.fill(bought, 10 * MICRO, 650_000)
        return self.approve("close", action=Action.SELL)

    def code(self, order: ApprovedOrder) -> str | None:
        """Return the code with which an order is held back."""
        refusal = self.gate.check(order)
        return None if refusal is None else refusal.code

    def raised(
        self, state: TradingState = HALTED, *, source: str = "http", scope: str = "all"
    ) -> events.HaltRaised:
        """Return a halt as it is journaled."""
        return events.HaltRaised(
            source=source, scope=scope, state=state, reason="drill", actor="a", receipt_id="1"
        )

    def lifted(self, *, source: str = "http", scope: str = "all") -> events.HaltLifted:
        """Return the end of a halt as it is journaled."""
        return events.HaltLifted(source=source, scope=scope, reason="over", actor="a")

    def durable(self, event: events.Event) -> None:
        """Apply an event and commit it."""
        self.scene.write(event)
        self.gate.follow(event, self.scene.now)


@pytest.fixture
def place() -> Place:
    """Return an open gate."""
    return Place()


def test_open_gate_lets_through(place: Place) -> None:
    """Nothing speaks against it: the order may leave."""
    assert place.gate.check(place.approve()) is None


def test_halt_is_in_force_before_it_is_journaled(place: Place) -> None:
    """From the moment that it arrives a halt holds back, whatever the disk does."""
    order = place.approve()
    place.gate.halt("http", "all", HALTED, "odd fills")
    assert place.gate.check(order) == Refusal(
        code="HALTED", message="Trading halted: http: odd fills"
    )


def test_halt_that_never_became_durable_stays(place: Place) -> None:
    """What the journal never took is in force all the same."""
    order = place.approve()
    place.gate.halt("http", "all", HALTED, "odd fills")
    place.durable(place.raised(source="command"))
    place.durable(place.lifted(source="command"))
    assert place.code(order) == "HALTED"


def test_journaled_halt_needs_no_memory(place: Place) -> None:
    """Once the book has it the halt holds by itself, and is told with its source."""
    order = place.approve()
    place.gate.halt("http", "all", HALTED, "drill")
    place.durable(place.raised())
    assert place.gate.pending == {}
    refusal = place.gate.check(order)
    assert refusal == Refusal(code="HALTED", message="Trading halted: http: drill")


def test_decided_halt_holds_before_it_is_durable(place: Place) -> None:
    """What the writer decided by itself, as the file's halt, is in force while it is written."""
    order = place.approve()
    place.scene.write(place.raised(source="file"))
    refusal = place.gate.check(order)
    assert refusal == Refusal(code="HALTED", message="Trading halted: file: drill")


def test_halt_of_an_earlier_life_holds() -> None:
    """A halt that a book brings along holds from the first moment."""
    scene = Scene()
    scene.write(Place().raised())
    gate = Gate(scene.book, KillFile(None), lambda: scene.now, None)
    refusal = gate.check(_approved_there(scene))
    assert refusal is not None
    assert refusal.code == "HALTED"


def _approved_there(scene: Scene) -> ApprovedOrder:
    decision = scene.do(commands.Submit(request=request(), received_ns=scene.now))
    send = decision.effects[-1]
    assert isinstance(send, commands.SendOrder)
    return send.order


def test_lifting_takes_effect_once_it_is_durable(place: Place) -> None:
    """Until the end of a halt is on disk nothing leaves: a crash would bring the halt back."""
    place.durable(place.raised())
    lifted = place.lifted()
    place.scene.write(lifted)
    order = place.approve()
    assert place.code(order) == "HALTED"
    place.gate.follow(lifted, place.scene.now)
    assert place.code(order) is None


def test_loosening_takes_effect_once_it_is_durable(place: Place) -> None:
    """A source that halts no more but only reduces loosens; that waits for the disk, too."""
    order = place.reducing()
    place.durable(place.raised())
    reduced = place.raised(REDUCING)
    place.gate.halt("http", "all", REDUCING, "drill")
    place.scene.write(reduced)
    assert place.code(order) == "HALTED"
    place.gate.follow(reduced, place.scene.now)
    assert place.code(order) is None


def test_a_weaker_word_does_not_replace_a_stricter_one_in_memory(place: Place) -> None:
    """Halted and then reduced, nothing journaled yet: halted."""
    order = place.reducing()
    place.gate.halt("http", "all", HALTED, "stop")
    place.gate.halt("http", "all", REDUCING, "reduce")
    assert place.code(order) == "HALTED"


def test_an_older_word_does_not_settle_a_stricter_one(place: Place) -> None:
    """Reduced, then halted: that the first became durable does not take the second away."""
    order = place.reducing()
    place.gate.halt("http", "all", HALTED, "stop")
    place.durable(place.raised(REDUCING))
    assert place.code(order) == "HALTED"
    place.durable(place.raised(HALTED))
    assert place.gate.pending == {}
    assert place.code(order) == "HALTED"


def test_two_sources_halt_apart(place: Place) -> None:
    """The end of one source's halt leaves the other's."""
    place.durable(place.raised())
    place.durable(place.raised(source="redis"))
    order = place.approve()
    place.durable(place.lifted())
    assert place.code(order) == "HALTED"
    place.durable(place.lifted(source="redis"))
    assert place.code(order) is None


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("all", "HALTED"),
        ("platform:Kalshi", "HALTED"),
        ("platform:Polymarket", None),
        ("sport:NBA", "HALTED"),
        ("sport:NHL", None),
        (f"market:{KALSHI}", "HALTED"),
        ("market:KX", None),
        ("strategy:edge", "HALTED"),
        ("strategy:other", None),
        ("model_version:v1", "HALTED"),
        ("model_version:v2", None),
    ],
)
def test_scopes(place: Place, scope: str, code: str | None) -> None:
    """A halt holds back what its scope covers, in memory as in the journal."""
    order = place.approve(strategy="edge", model_version="v1")
    place.gate.halt("http", scope, HALTED, "drill")
    assert place.code(order) == code
    place.durable(place.raised(scope=scope))
    assert place.gate.pending == {}
    assert place.code(order) == code


def test_reducing_orders_pass_under_reducing(place: Place) -> None:
    """Under REDUCING what closes may leave; what opens is told so."""
    closes, opens = place.reducing(), place.approve("open", side=Side.NO, size="11")
    place.gate.halt("http", "all", REDUCING, "calm down")
    assert place.gate.check(closes) is None
    assert place.gate.check(opens) == Refusal(
        code="REDUCE_ONLY", message="Only reducing orders pass: http: calm down"
    )
    place.durable(place.raised(REDUCING))
    assert (place.code(closes), place.code(opens)) == (None, "REDUCE_ONLY")
    place.gate.halt("file", "all", HALTED, "stop")
    assert (place.code(closes), place.code(opens)) == ("HALTED", "HALTED")


def test_read_only_holds_back_like_a_halt(place: Place) -> None:
    """At a venue that takes nothing, nothing is sent."""
    order = place.approve()
    place.durable(place.raised(TradingState.READ_ONLY, scope="platform:Kalshi"))
    assert place.code(order) == "HALTED"


def test_repeated_execution_latch(place: Place) -> None:
    """The halt of a strategy that went in and out lets it close, and opens for nobody of it."""
    closes = place.reducing()
    strategy = place.scene.book.orders[closes.client_order_id].strategy
    opens = place.approve("open")
    other = place.approve("other", strategy="calm")
    source = HaltSource.REPEATED_EXECUTION
    place.durable(place.raised(REDUCING, source=source, scope=f"strategy:{strategy}"))
    assert place.code(closes) is None
    assert place.code(opens) == "REDUCE_ONLY"
    assert place.code(other) is None


# What is not a halt ----------------------------------------------------------------------------


def test_closed_gate_lets_nothing_through(place: Place) -> None:
    """Stopping, or with a failed journal, nothing leaves, reducing or not; it says why."""
    closes = place.reducing()
    place.gate.close(Refusal(code="SHUTTING_DOWN", message="stopping"))
    assert place.gate.check(closes) == place.gate.closed


def test_expiry_is_the_latest_moment_to_send(place: Place) -> None:
    """At that moment it still passes; a nanosecond later it does not."""
    order = place.approve(expires_ns=place.scene.now + SECOND)
    place.scene.now += SECOND
    assert place.code(order) is None
    place.scene.now += 1
    assert place.code(order) == "EXPIRED"


def test_authority_that_ended_holds_back_what_opens() -> None:
    """At its last moment authority still covers; after it only reducing orders leave."""
    place = Place(until_ns=NOW)
    closes, opens = place.reducing(), place.approve("open")
    assert place.scene.now == NOW
    assert (place.code(closes), place.code(opens)) == (None, None)
    place.scene.now += 1
    assert (place.code(closes), place.code(opens)) == (None, "AUTHORIZATION_EXPIRED")


def test_order_that_is_closed_does_not_leave(place: Place) -> None:
    """Whatever ended it meanwhile: it is not open any more."""
    approved = place.approve()
    order: Order = place.scene.book.orders[approved.client_order_id]
    place.scene.write(
        events.OrderDenied(
            client_order_id=order.client_order_id,
            request_id=order.request_id,
            code="HALTED",
            message="m",
        )
    )
    assert place.code(approved) == "HALTED"


def test_order_whose_cancel_was_asked_for_does_not_leave(place: Place) -> None:
    """A halt cancels what waits to be sent; that the halt was lifted soon does not send it."""
    order = place.approve()
    place.gate.halt("http", "all", HALTED, "drill")
    raised = commands.RaiseHalt(
        source="http",
        scope="all",
        state=HALTED,
        reason="drill",
        actor="a",
        receipt_id="1",
    )
    for event in place.scene.do(raised).events:
        place.gate.follow(event, place.scene.now)
    place.durable(place.lifted())
    refusal = place.gate.check(order)
    assert refusal is not None
    assert "cancel" in refusal.message
    assert "drill" in refusal.message


# The kill-switch file --------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Name a kill-switch file that is not there."""
    yield tmp_path / "kill"
    tmp_path.chmod(0o700)


def test_no_file_is_watched() -> None:
    """Where no path is set no file halts."""
    assert KillFile(None).reason() is None


def test_file_halts_while_it_exists(file: Path) -> None:
    """The file halts from its creation to its removal, and is named."""
    place = Place(file)
    order = place.approve()
    assert place.code(order) is None
    file.touch()
    refusal = place.gate.check(order)
    assert refusal is not None
    assert refusal.code == "HALTED"
    assert str(file) in refusal.message
    file.unlink()
    assert place.code(order) is None


def test_file_holds_reducing_orders_too(file: Path) -> None:
    """The file halts; it does not only reduce."""
    place = Place(file)
    closes = place.reducing()
    file.touch()
    assert place.code(closes) == "HALTED"


def test_directory_halts(file: Path) -> None:
    """Whatever lies under the name halts."""
    file.mkdir()
    reason = KillFile(str(file)).reason()
    assert reason is not None
    assert "entry" in reason


def test_dangling_link_halts(file: Path) -> None:
    """A link to nowhere was put there by somebody: it halts."""
    file.symlink_to(file.parent / "nowhere")
    assert KillFile(str(file)).reason() is not None


def test_file_below_a_file_halts(file: Path) -> None:
    """A path that cannot be, because its folder is a file, cannot be looked at: it halts."""
    file.touch()
    reason = KillFile(str(file / "kill")).reason()
    assert reason is not None
    assert "cannot be looked at" in reason


def test_loop_of_links_halts(file: Path) -> None:
    """A folder that leads round in circles cannot be looked at: it halts."""
    file.symlink_to(file)
    reason = KillFile(str(file / "kill")).reason()
    assert reason is not None
    assert "cannot be looked at" in reason


def test_name_that_is_too_long_halts(file: Path) -> None:
    """What the system refuses to look at halts."""
    reason = KillFile(str(file) + "x" * 300).reason()
    assert reason is not None
    assert "cannot be looked at" in reason
