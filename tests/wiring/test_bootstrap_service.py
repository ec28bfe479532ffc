"""The service: a live start names each obstacle, and a process ends as it was told to."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from arbees.cli.shared.offline_keys import KeyJournal
from arbees.core import events
from arbees.core.book.api_keys import KeyAsk
from arbees.core.language.key_secret import make_secret
from arbees.core.language.words import KeyScope
from arbees.core.ports import Entry
from arbees.errors import ConfigurationError
from arbees.journal import JournalReader, SqliteJournal
from arbees.settings import Settings, load
from arbees.wiring.bootstrap import Assembly, run
from tests.cli.commands.test_run import free_port
from tests.cli.test_main import SOURCE

FLAGS = {"PAPER_TRADING": "0", "LIVE_TRADING_AUTHORIZED": "true"}
KALSHI = {"KALSHI_API_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "key"}
POLYMARKET = {"POLYMARKET_PRIVATE_KEY": "0x1", "POLYMARKET_FUNDER_ADDRESS": "0x2"}
EVIDENCE = {"LIVE_REQUIRES_PREFLIGHT": "false", "LIVE_PREFLIGHT_OVERRIDE_REASON": "rehearsal"}


def live(folder: Path, *more: Mapping[str, str], **changes: str) -> Settings:
    """Return live settings whose journal lies in a folder."""
    environ: dict[str, str] = {**FLAGS, "JOURNAL_PATH": str(folder / "live.db")}
    for each in more:
        environ |= each
    return load({**environ, **changes})


def refused(settings: Settings) -> str:
    """Return why a live start is refused."""
    with pytest.raises(ConfigurationError) as error:
        run(settings)
    return str(error.value)


def authorize(folder: Path, settings: Settings, **changes: Any) -> None:
    """Put an authorization for these settings on record."""
    fields: dict[str, Any] = {
        "actor": "ann@desk",
        "reason": "first day",
        "settings_hash": settings.hash,
        "settings": settings.recorded(),
        **changes,
    }
    event = events.Authorized(**fields)
    general = settings.gateway
    with SqliteJournal.open(
        folder / "live.db", account=general.account, environment=general.environment, mode="live"
    ) as journal:
        journal.append(
            [Entry(journal.head.time_ns, events.kind(event), events.encode(event), None)]
        )


# Keys ------------------------------------------------------------------------------------------


class Passed(Exception):  # noqa: N818 - an end of a test
    """The start went on beyond the port."""


def passes(_assembly: Assembly) -> None:
    """Stop a start that goes on."""
    raise Passed


def test_beyond_this_machine_needs_a_key_in_force(tmp_path: Path) -> None:
    """API keys are looked up in the journal before anything listens; a revoked one is none."""
    host = {"HTTP_HOST": "0.0.0.0", "HTTP_PORT": str(free_port())}  # noqa: S104
    names = ("JOURNAL_PATH", "PAPER_BOOK_PATH", "AUDIT_LOG_PATH", "KILL_SWITCH_FILE")
    settings = load({**host, **{name: str(tmp_path / name) for name in names}})
    assert "HTTP_HOST" in refused(settings)
    assert not (tmp_path / "JOURNAL_PATH").exists()
    ask = KeyAsk(name="alpha", scopes=(KeyScope.READ,))
    key_id, secret = make_secret(bytes(6), bytes(32))
    with KeyJournal(settings) as journal:
        journal.create(key_id, secret, ask, "ann")
    with pytest.raises(Passed):
        run(settings, prepare=passes)
    with KeyJournal(settings) as journal:
        journal.revoke(key_id, "lost", "ann")
    assert "arbees keys create" in refused(settings)


# Live ------------------------------------------------------------------------------------------


def test_the_second_flag_is_missing(tmp_path: Path) -> None:
    """PAPER_TRADING=0 alone: the requirements' three facts, and no word of anything else."""
    text = refused(live(tmp_path, LIVE_TRADING_AUTHORIZED="false"))
    assert text.startswith("CRITICAL: PAPER_TRADING=0 but LIVE_TRADING_AUTHORIZED not set")
    assert len(text.splitlines()) == 3


def test_credentials_are_missing(tmp_path: Path) -> None:
    """Without credentials of any venue there is nobody to trade with."""
    assert "Expected credentials" in refused(live(tmp_path))


def test_nobody_authorized_it(tmp_path: Path) -> None:
    """Without a record of an operator's authority a live start is refused."""
    text = refused(live(tmp_path, KALSHI, EVIDENCE))
    assert "Expected an authorization on record, there is none" in text
    assert "arbees authorize" in text


def test_something_changed_since_it_was_authorized(tmp_path: Path) -> None:
    """Other settings than those that were authorized: what changed is named."""
    authorize(tmp_path, live(tmp_path, KALSHI, EVIDENCE))
    text = refused(live(tmp_path, KALSHI, EVIDENCE, MAX_ORDER_SIZE="90"))
    assert "MAX_ORDER_SIZE: was 100" in text
    assert "is 90" in text
    assert "ann@desk" in text


def test_the_authority_ended(tmp_path: Path) -> None:
    """An authority that is over covers nothing, and says since when."""
    settings = live(tmp_path, KALSHI, EVIDENCE)
    authorize(tmp_path, settings, until_ns=1_700_000_000_000_000_000)
    assert "2023-11-14" in refused(settings)


def test_evidence_is_missing(tmp_path: Path) -> None:
    """Without pre-flight evidence, and without its override, a live start is refused."""
    settings = live(tmp_path, KALSHI)
    authorize(tmp_path, settings)
    text = refused(settings)
    assert "Expected pre-flight evidence" in text
    assert "authorization on record" not in text


def test_there_is_no_live_adapter_for_polymarket_yet(tmp_path: Path) -> None:
    """With everything in order, what is left is that one of the venues has no live adapter."""
    settings = live(tmp_path, KALSHI, POLYMARKET, EVIDENCE)
    authorize(tmp_path, settings)
    text = refused(settings)
    assert text.startswith("There is no live adapter for Polymarket in this version")


def test_a_refused_live_start_leaves_no_file(tmp_path: Path) -> None:
    """A start that is refused creates no journal and takes no lock."""
    refused(live(tmp_path, KALSHI))
    assert list(tmp_path.iterdir()) == []


def test_no_terminal_is_no_confirmation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """LIVE_CONFIRM asks at a terminal: where there is none the answer is no, and the end is 1."""
    assert run(live(tmp_path, KALSHI, EVIDENCE, LIVE_CONFIRM="true")) == 1
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "code"),
    [("CONFIRM LIVE TRADING", 78), ("confirm live trading", 1), ("yes", 1), ("", 1)],
)
def test_the_words_are_typed_exactly(tmp_path: Path, typed: str, code: int) -> None:
    """Exactly the words go on (to the other obstacles); anything else ends with 1."""
    ours, theirs = os.openpty()
    os.write(ours, typed.encode() + b"\n")
    done = subprocess.run(
        [sys.executable, "-m", "arbees", "run"],
        check=False,
        stdin=theirs,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        env=environment(
            tmp_path, FLAGS, KALSHI, EVIDENCE, LIVE_CONFIRM="true", LIVE_PLATFORMS="Kalshi"
        ),
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code
    assert "Kalshi live: yes" in done.stderr
    assert "Polymarket live: no" in done.stderr


# A process -------------------------------------------------------------------------------------


def environment(folder: Path, *more: Mapping[str, str], **changes: str) -> dict[str, str]:
    """Return what a process sees: settings whose files lie in a folder."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": SOURCE,
        "HTTP_PORT": str(free_port()),
        "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
        "JOURNAL_PATH": str(folder / "journal.db"),
        "PAPER_BOOK_PATH": str(folder / "paper.db"),
        "KILL_SWITCH_FILE": str(folder / "kill"),
        **{name: value for each in more for name, value in each.items()},
        **changes,
    }


SCRIPT = """
import asyncio, os, signal, sys
from arbees.wiring.bootstrap import run
from arbees.settings import load

def prepare(assembly):
    loop, gateway = asyncio.get_running_loop(), assembly.gateway
    def act():
        if not gateway.readiness().ready:
            loop.call_later(0.01, act)
            return
        {act}
    loop.call_soon(act)

sys.exit(run(load(dict(os.environ)), prepare=prepare))
"""


def serve(folder: Path, act: str) -> "subprocess.CompletedProcess[str]":
    """Run a gateway in a process of its own, and do something once it is ready."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("{act}", act)],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        cwd=folder,
        env=environment(folder),
    )


def records(folder: Path) -> list[events.Event]:
    """Return what is on record."""
    reader = JournalReader(folder / "journal.db")
    found = [events.decode(stored.body) for stored in reader.records()]
    reader.close()
    return found


def test_signals(tmp_path: Path) -> None:
    """SIGUSR1 halts, durable; SIGTERM ends in order, by its name."""
    act = "os.kill(os.getpid(), signal.SIGUSR1); loop.call_later("
    done = serve(tmp_path, act + "0.2, os.kill, os.getpid(), signal.SIGTERM)")
    assert done.returncode == 0, done.stderr
    found = records(tmp_path)
    (raised,) = [each for each in found if isinstance(each, events.HaltRaised)]
    assert (raised.source, raised.scope, raised.reason) == ("signal", "all", "SIGUSR1")
    assert found[-1] == events.Stopped(reason="SIGTERM")


def test_a_part_that_dies_ends_the_process(tmp_path: Path) -> None:
    """A gateway that can promise nothing any more ends with 1, and says why."""
    done = serve(tmp_path, "gateway.desk.writer.abandon('a drill')")
    assert done.returncode == 1
    assert "Ended: the journal failed: a drill" in done.stderr
    assert not any(isinstance(each, events.Stopped) for each in records(tmp_path))


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Whoever does not want to wait for the orderly end sends the signal again."""
    act = "gateway._lifecycle.stop = lambda reason: asyncio.sleep(600); "
    again = "[loop.call_later(n / 10, os.kill, os.getpid(), signal.SIGTERM) for n in (1, 3)]"
    done = serve(tmp_path, act + again)
    assert done.returncode == 1
