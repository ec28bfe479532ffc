"""`arbees kill`: after `on` something is in force, or it says loudly that nothing is."""

import json
import os
import stat
from pathlib import Path

import msgspec
import pytest

from arbees.cli.main import main
from arbees.interface.views import Undecided
from tests.api.fake import halt, receipt
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]


def test_on(served: Served, capsys: Capture) -> None:
    """The gateway halts, who and why are handed on, and no file is made."""
    assert main(["kill", "on", "--scope", "sport:NBA", "--reason", "the model is wrong"]) == 0
    said = served.gateway.switched[0]
    assert said["action"] == "ENABLE"
    assert (said["scope"], said["reason"]) == ("sport:NBA", "the model is wrong")
    assert said["source"] == "command"
    assert "@" in said["actor"]
    assert "HALTED" in capsys.readouterr().out.splitlines()[0]
    assert not served.kill_file.exists()


def test_on_needs_no_reason(served: Served) -> None:
    """In an emergency nobody is asked why; the record says who."""
    assert main(["kill", "on"]) == 0
    assert served.gateway.switched[0]["reason"].startswith("arbees kill by ")


def test_on_tells_what_became_of_orders(served: Served, capsys: Capture) -> None:
    """The receipt is followed for a moment."""
    served.gateway.receipts["receipt-1"] = msgspec.structs.replace(receipt(), complete=True)
    main(["kill", "on"])
    said = capsys.readouterr().out
    assert "Receipt receipt-1: 1 cancelled, 0 still in flight, 1 filled meanwhile" in said


def test_on_as_json(served: Served, capsys: Capture) -> None:
    """With --json the gateway's own answer is the data."""
    assert main(["kill", "on", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["in_force"], found["durable"]) == (True, True)


def test_on_without_a_gateway_makes_the_file(nobody: str, kill_file: Path, capsys: Capture) -> None:
    """Without a gateway the file is made, readable by every gateway, and the exit code is 69."""
    assert main(["kill", "on", "--reason", "smoke"]) == 69
    assert kill_file.read_text().startswith("smoke (")
    assert stat.S_IMODE(kill_file.stat().st_mode) & 0o044 == 0o044
    said = capsys.readouterr()
    assert said.out == ""
    assert f"The kill-switch file {kill_file} was made." in said.err.replace("\n", " ")
    assert f"rm {kill_file}" in said.err


def test_on_without_a_gateway_as_json(nobody: str, kill_file: Path, capsys: Capture) -> None:
    """A script learns of the file."""
    assert main(["kill", "on", "--json"]) == 69
    assert json.loads(capsys.readouterr().out)["kill_switch_file"] == str(kill_file)


def test_file_that_is_there_stays_as_it_is(nobody: str, kill_file: Path, capsys: Capture) -> None:
    """The reason of the first is not overwritten."""
    kill_file.write_text("first")
    assert main(["kill", "on"]) == 69
    assert kill_file.read_text() == "first"
    assert "is there already" in capsys.readouterr().err


def test_link_that_is_there_halts_as_it_is(nobody: str, kill_file: Path, tmp_path: Path) -> None:
    """Nobody makes us write through a link; that it is there halts."""
    kill_file.symlink_to(tmp_path / "elsewhere")
    assert main(["kill", "on"]) == 69
    assert not (tmp_path / "elsewhere").exists()


def test_folder_of_the_file_is_made(nobody: str, tmp_path: Path) -> None:
    """A folder that is missing is no reason not to stop."""
    path = tmp_path / "a" / "b" / "kill"
    os.environ["KILL_SWITCH_FILE"] = str(path)
    assert main(["kill", "on"]) == 69
    assert path.exists()


def test_file_that_cannot_be_made_says_so(nobody: str, tmp_path: Path, capsys: Capture) -> None:
    """When nothing could be done it says so in the first word."""
    (tmp_path / "plain").write_text("")
    os.environ["KILL_SWITCH_FILE"] = str(tmp_path / "plain" / "kill")
    assert main(["kill", "on"]) == 1
    assert "NOT STOPPED" in capsys.readouterr().err


def test_on_while_starting_makes_the_file(starting: str, kill_file: Path) -> None:
    """A gateway that cannot halt yet finds the file when it can trade."""
    assert main(["kill", "on"]) == 69
    assert kill_file.exists()


def test_on_that_is_not_durable_makes_the_file(served: Served, capsys: Capture) -> None:
    """A halt that would not survive the end of the process is made to."""
    served.gateway.kill_error = Undecided("JOURNAL_FAILED", "the journal failed")
    assert main(["kill", "on"]) == 69
    assert served.kill_file.exists()
    assert "JOURNAL_FAILED" in capsys.readouterr().err


def test_on_with_a_scope_that_is_none_is_2(served: Served, capsys: Capture) -> None:
    """A gateway that is well and refuses is not worked around."""
    served.gateway.kill_error = ValueError("Expected all or kind:name")
    assert main(["kill", "on", "--scope", "galaxy"]) == 2
    assert "scope" in capsys.readouterr().err
    assert not served.kill_file.exists()


def test_on_with_malformed_settings(served: Served, capsys: Capture) -> None:
    """In an emergency a malformed limit does not stand in the way."""
    os.environ["MAX_ORDER_SIZE"] = "abc"
    Path(".env").unlink(missing_ok=True)
    assert main(["kill", "on"]) == 0
    assert served.gateway.switched[0]["action"] == "ENABLE"
    assert "malformed" in capsys.readouterr().err


def test_on_with_a_malformed_address_uses_the_file(kill_file: Path, tmp_path: Path) -> None:
    """What can be read is used, also from `.env`; what cannot takes its default."""
    os.chdir(tmp_path)
    del os.environ["KILL_SWITCH_FILE"]
    Path(".env").write_text(f"KILL_SWITCH_FILE={kill_file}\nHTTP_PORT=1\nMAX_ORDER_SIZ=5\n")
    assert main(["kill", "on"]) == 69
    assert kill_file.exists()


def test_reduce(served: Served) -> None:
    """Only reducing orders pass."""
    assert main(["kill", "reduce"]) == 0
    assert served.gateway.switched[0]["action"] == "REDUCE"


def test_reduce_without_a_gateway_changes_nothing(
    nobody: str, kill_file: Path, capsys: Capture
) -> None:
    """There is no file for reducing."""
    assert main(["kill", "reduce"]) == 69
    assert not kill_file.exists()
    assert "nothing was changed" in capsys.readouterr().err


def test_off(served: Served, capsys: Capture) -> None:
    """Trading resumes."""
    served.gateway.halts = (halt(),)
    assert main(["kill", "off", "--acknowledge"]) == 0
    assert served.gateway.switched[0]["acknowledge"] is True
    assert "State: ACTIVE" in capsys.readouterr().out


def test_off_resumes_nothing_at_a_guess(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the address is what is malformed, another gateway could be meant: nobody is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARBEES_URL", raising=False)
    Path(".env").write_text("ARBEES_URL=here\n")
    assert main(["kill", "off", "--reason", "fixed"]) == 78
    assert served.gateway.switched == []


def test_reduce_at_a_guess_is_no_success(
    served: Served, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers there reduces, but it may be another gateway than the one that is meant."""
    monkeypatch.setenv("HTTP_PORT", os.environ["ARBEES_URL"].rpartition(":")[2])
    monkeypatch.delenv("ARBEES_URL")
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("ARBEES_URL=here\n")
    assert main(["kill", "reduce"]) == 1
    assert served.gateway.switched[0]["action"] == "REDUCE"
    assert "PERHAPS NOT YOURS" in capsys.readouterr().err


def test_off_over_an_automatic_halt_is_4(served: Served, capsys: Capture) -> None:
    """What the gateway halted by itself needs an acknowledgement."""
    served.gateway.remaining = (halt("daily_loss", automatic=True),)
    assert main(["kill", "off", "--json"]) == 4
    said = capsys.readouterr()
    assert "ACKNOWLEDGE_REQUIRED" in said.err
    assert json.loads(said.out)["code"] == "ACKNOWLEDGE_REQUIRED"


def test_off_names_the_file_that_remains(served: Served, capsys: Capture) -> None:
    """The file is not the gateway's to remove: the operator is told how."""
    served.kill_file.write_text("")
    assert main(["kill", "off"]) == 4
    assert f"rm {served.kill_file}" in capsys.readouterr().err
    assert served.kill_file.exists()


def test_off_without_a_gateway(nobody: str, kill_file: Path, capsys: Capture) -> None:
    """Without a gateway nothing resumes, and a file that halts the next one is named."""
    kill_file.write_text("")
    assert main(["kill", "off"]) == 69
    assert f"rm {kill_file}" in capsys.readouterr().err


def test_status(served: Served, capsys: Capture) -> None:
    """The halts in force are shown; halted is no failure of the question."""
    served.gateway.halts = (halt("signal", "platform:Kalshi"),)
    assert main(["kill", "status"]) == 0
    said = capsys.readouterr().out
    assert "State: HALTED" in said
    assert "platform:Kalshi" in said


def test_status_as_json(served: Served, capsys: Capture) -> None:
    """With --json it is the gateway's own answer."""
    assert main(["kill", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "ACTIVE"


def test_status_sees_the_file_without_a_gateway(
    nobody: str, kill_file: Path, capsys: Capture
) -> None:
    """The file is seen from here too."""
    kill_file.write_text("")
    assert main(["kill", "status"]) == 69
    assert f"{kill_file} exists" in capsys.readouterr().err
