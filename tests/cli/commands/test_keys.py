"""`arbees keys`: through the gateway, and in the journal where there is none."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from arbees.cli.main import main
from arbees.cli.shared.exits import Exit
from arbees.core import events
from arbees.core.book.api_keys import key_of
from arbees.core.language.key_secret import digest_of, id_of
from arbees.core.language.words import KeyScope
from arbees.journal import JournalReader, SqliteJournal, verify
from tests.cli.conftest import Served

CREATE = ["keys", "create", "--name", "alpha", "--scope", "submit", "--scope", "read"]
LIVE = {"PAPER_TRADING": "0", "LIVE_TRADING_AUTHORIZED": "true"}
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, nobody: str) -> Path:
    """Stand in an empty folder, with no gateway."""
    os.chdir(tmp_path)
    os.environ["JOURNAL_PATH"] = "arbees-{mode}.db"
    return tmp_path


def recorded(path: Path) -> list[events.Event]:
    """Return the events of a journal."""
    with JournalReader(path) as reader:
        return [events.decode(stored.body) for stored in reader.records()]


# With a gateway --------------------------------------------------------------------------------


def test_the_gateway_makes_it(served: Served, capsys: Captured) -> None:
    """The secret is the one line of stdout; who it is for, and what to do, is on stderr."""
    more = ["--strategy", "s", "--max-order-size", "20.5", "--max-orders-per-minute", "3"]
    assert main([*CREATE, *more]) == Exit.OK
    key = served.gateway.held["id-alpha"]
    assert (key.scopes, key.strategy) == (("submit", "read"), "s")
    assert (key.caps.max_order_size, key.caps.max_orders_per_minute) == (20_500_000, 3)
    said = capsys.readouterr()
    assert said.out == "secret-id-alpha\n"
    assert "secret-id-alpha" not in said.err
    assert "once" in said.err


def test_the_first_key_is_needed_by_everything_after(served: Served, capsys: Captured) -> None:
    """Every command says what to do about it, and ends with 77; with the key it goes on."""
    assert main(CREATE) == Exit.OK
    capsys.readouterr()
    commands = (["status"], ["keys", "list"], ["kill", "on"], ["kill", "status"])
    for words in commands:
        assert main(words) == Exit.NO_PERMISSION
        assert "ARBEES_API_KEY" in capsys.readouterr().err
    os.environ["ARBEES_API_KEY"] = "secret-id-alpha"
    assert main(["status"]) == Exit.OK
    capsys.readouterr()
    assert main(["kill", "on"]) == Exit.NO_PERMISSION
    said = capsys.readouterr().err
    assert "halt" in said
    assert f"touch {served.kill_file}" in said
    assert not served.kill_file.exists()
    assert served.gateway.switched == []


def test_submit_says_what_to_do_about_its_key(
    served: Served, tmp_path: Path, capsys: Captured
) -> None:
    """77, and nothing was decided."""
    served.gateway.hold("other", KeyScope.READ)
    request = tmp_path / "request.json"
    request.write_text("{}")
    assert main(["submit", str(request)]) == Exit.NO_PERMISSION
    assert "ARBEES_API_KEY" in capsys.readouterr().err
    os.environ["ARBEES_API_KEY"] = "secret-id-other"
    assert main(["submit", str(request)]) == Exit.NO_PERMISSION
    assert "submit" in capsys.readouterr().err
    assert served.gateway.requests == []


def test_a_key_from_a_file(served: Served, tmp_path: Path) -> None:
    """So that it need not stand in the environment of everything."""
    file = tmp_path / "operator.key"
    file.write_text(served.gateway.hold("operator", KeyScope.READ) + "\n")
    os.environ["ARBEES_API_KEY_FILE"] = str(file)
    assert main(["status"]) == Exit.OK


def test_it_is_revoked_by_name_or_id(served: Served, capsys: Captured) -> None:
    """Of one in force; what is not there is 1."""
    os.environ["ARBEES_API_KEY"] = served.gateway.hold("boss", KeyScope.ADMIN)
    for name in ("alpha", "beta"):
        served.gateway.hold(name, KeyScope.READ)
    assert main(["keys", "revoke", "alpha", "--reason", "it was lost"]) == Exit.OK
    assert main(["keys", "revoke", "id-beta", "--json"]) == Exit.OK
    assert served.gateway.revoked[0] == ("id-alpha", "it was lost", "key:boss")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["key"]["name"] == "beta"
    assert main(["keys", "revoke", "alpha"]) == Exit.FAILURE
    assert main(["keys", "revoke", "nobody"]) == Exit.FAILURE
    assert main(["keys", "revoke", "alpha", "--reason", ""]) == Exit.USAGE


def test_the_list_is_a_table_or_json(served: Served, capsys: Captured) -> None:
    """With caps, and without secrets."""
    os.environ["ARBEES_API_KEY"] = served.gateway.hold("boss", KeyScope.ADMIN)
    served.gateway.hold("alpha", KeyScope.READ, requests_per_minute=5)
    assert main(["keys", "list"]) == Exit.OK
    text = capsys.readouterr().out
    assert "boss" in text
    assert "requests/min" in text
    assert main(["keys", "list", "--json"]) == Exit.OK
    items = json.loads(capsys.readouterr().out)["items"]
    assert [item["name"] for item in items] == ["boss", "alpha"]
    assert "secret" not in json.dumps(items)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--name", "a b", "--scope", "read"], "--name"),
        (["--name", "a", "--scope", "all"], "--scope"),
        (["--name", "a", "--scope", "admin", "--strategy", "s"], "--scope"),
        (["--name", "a", "--scope", "read", "--max-order-size", "$20"], "--max-order-size"),
        (["--name", "a", "--scope", "read", "--max-orders-per-hour", "0"], "--max-orders-per-hour"),
    ],
)
def test_what_is_typed_wrong_names_its_option(
    served: Served, capsys: Captured, words: list[str], option: str
) -> None:
    """Nothing is asked for."""
    assert main(["keys", "create", *words]) == Exit.USAGE
    assert capsys.readouterr().err.startswith(option)
    assert served.gateway.held == {}


# Without one -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_the_first_key_is_made_in_the_journal(folder: Path, capsys: Captured, mode: str) -> None:
    """Of the mode that the settings mean; the journal verifies, and holds the digest alone."""
    if mode == "live":
        os.environ.update(LIVE)
    assert main([*CREATE, "--json"]) == Exit.OK
    made = json.loads(capsys.readouterr().out)
    path = folder / f"arbees-{mode}.db"
    bound, created = recorded(path)
    assert isinstance(bound, events.Bound)
    assert bound.mode == mode
    assert isinstance(created, events.KeyCreated)
    assert created.digest == digest_of(made["secret"])
    assert created.key_id == id_of(made["secret"]) == made["key"]["key_id"]
    assert made["sequence"] == 2
    assert verify(path).is_intact
    stored = b"".join(each.read_bytes() for each in folder.iterdir() if each.is_file())
    assert made["secret"][-40:].encode() not in stored


def test_keys_in_the_journal_are_listed_and_revoked(folder: Path, capsys: Captured) -> None:
    """As with a gateway; a name in force is taken, and free again after."""
    assert main(CREATE) == Exit.OK
    assert main(CREATE) == Exit.FAILURE
    assert "KEY_NAME_TAKEN" in capsys.readouterr().err
    assert main(["keys", "revoke", "alpha"]) == Exit.OK
    assert main(CREATE) == Exit.OK
    capsys.readouterr()
    assert main(["keys", "list", "--json"]) == Exit.OK
    listed = json.loads(capsys.readouterr().out)
    assert [item["revoked_at"] is None for item in listed["items"]] == [False, True]
    assert listed["sequence"] == 4
    kinds = [type(event).__name__ for event in recorded(folder / "arbees-paper.db")]
    assert kinds == ["Bound", "KeyCreated", "KeyRevoked", "KeyCreated"]


def test_a_list_of_nothing_makes_no_journal(folder: Path, capsys: Captured) -> None:
    """To look leaves nothing behind."""
    assert main(["keys", "list"]) == Exit.OK
    assert "no keys" in capsys.readouterr().err
    assert list(folder.glob("*.db*")) == []


def test_a_gateway_that_starts_has_the_journal(folder: Path, capsys: Captured) -> None:
    """It does not answer yet, and its journal is not ours: come again."""
    journal = SqliteJournal.open(
        folder / "arbees-paper.db", account="main", environment="local", mode="paper"
    )
    assert main(CREATE) == Exit.UNAVAILABLE
    assert "again" in capsys.readouterr().err
    journal.close()
    assert main(CREATE) == Exit.OK


def test_another_machines_journal_is_not_ours(folder: Path, capsys: Captured) -> None:
    """A gateway elsewhere that is not reached has no journal here."""
    os.environ["ARBEES_URL"] = "http://gateway.invalid:8321"
    assert main(CREATE) == Exit.UNREACHABLE
    assert main(["keys", "list"]) == Exit.UNREACHABLE
    assert list(folder.glob("*.db*")) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "gateway.invalid"])  # noqa: S104
def test_a_gateway_that_is_to_listen_elsewhere_gets_its_first_key(folder: Path, host: str) -> None:
    """It would not start without one, so that nobody can answer at that address."""
    del os.environ["ARBEES_URL"]
    os.environ.update({"HTTP_HOST": host, "HTTP_PORT": "1"})
    assert main(CREATE) == Exit.OK
    assert main(["keys", "list"]) == Exit.OK
    assert len(recorded(folder / "arbees-paper.db")) == 2


def test_what_is_made_offline_is_what_the_gateway_would_make(folder: Path) -> None:
    """Caps and strategy included, so that the book is the same."""
    more = ["--strategy", "s", "--max-order-contracts", "7", "--requests-per-minute", "60"]
    assert main([*CREATE, *more]) == Exit.OK
    _, created = recorded(folder / "arbees-paper.db")
    assert isinstance(created, events.KeyCreated)
    key: Any = key_of(created, 1)
    assert (key.scopes, key.strategy, key.requests_per_minute) == (("submit", "read"), "s", 60)
    assert key.caps.max_order_contracts == 7_000_000
    assert "@" in created.actor
