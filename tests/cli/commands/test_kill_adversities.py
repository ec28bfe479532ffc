"""`arbees kill on` under whatever may go wrong around it: it stops, or its exit code says no.

Each adversity runs the command itself in a process of its own, through a shell that spoils its
surroundings, beside a gateway by hand, or something else that listens in its place. The rule is one
for all: with 0 the gateway was halted, with 69 the kill-switch file is there, and with any other
code nothing claims to be stopped.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from arbees.cli.commands.stop.kill import _stop
from arbees.cli.shared import connection as place
from arbees.core.language.words import KeyScope
from tests.api.fake import FakeGateway, receipt
from tests.cli.conftest import serving

SECONDS = 20.0
PYTHON = sys.executable
TRUE_LIES = (
    b'{"in_force":true,"durable":true,"state":"HALTED","halts":[],"sequence":1,"receipt_id":"r"}'
)
EARNEST_LIES = (
    b'{"in_force":true,"durable":true,"state":"HALTED","sequence":1,"receipt_id":"r","halts":'
    b'[{"source":"command","scope":"all","state":"HALTED","reason":"","since":"","automatic":false}'
    b"]}"
)


class Scene(NamedTuple):
    """The folder in which the command runs, its environment, and what its file is."""

    folder: Path
    environment: dict[str, str]

    @property
    def kill_file(self) -> Path:
        return self.folder / "kill"

    def dotenv(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        (self.folder / ".env").write_bytes(data)

    def run(self, line: str = "$KILL", limits: Callable[[], None] | None = None) -> int:
        """Run a line of the shell in which $KILL is the command; return its exit code."""
        environment = {**self.environment, "KILL": f"{PYTHON} -m arbees kill on"}
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            preexec_fn=limits,
        )
        assert b"Traceback" not in ended.stderr, ended.stderr.decode()
        return ended.returncode


def scene(folder: Path, url: str | None, **environment: str) -> Scene:
    """Return a scene whose environment names a gateway and the file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARBEES")}
    named = {"KILL_SWITCH_FILE": str(folder / "kill"), **environment}
    return Scene(folder, {**kept, **named, **({} if url is None else {"ARBEES_URL": url})})


# Spoilt surroundings, a gateway that is well ---------------------------------------------------


def nothing(_scene: Scene) -> None:
    """Spoil nothing."""


def typo(scene: Scene) -> None:
    """Misspell and break lines."""
    scene.dotenv("MAX_ORDER_SIZE=abc\nMAX_ORDR_SIZE=5\n= nonsense =\n")


def no_text(scene: Scene) -> None:
    """Write bytes that are no text."""
    scene.dotenv(b"ACCOUNT=caf\xe9\n\0\0\n")


def fifo(scene: Scene) -> None:
    """Put a pipe that nobody fills."""
    os.mkfifo(scene.folder / ".env")


def fifo_toml(scene: Scene) -> None:
    """Likewise, in the place of the other file."""
    os.mkfifo(scene.folder / "arbees.toml")


def folder_as_env(scene: Scene) -> None:
    """Put a folder."""
    (scene.folder / ".env").mkdir()


def endless(scene: Scene) -> None:
    """Put a file without end."""
    (scene.folder / ".env").symlink_to("/dev/zero")


def broken_toml(scene: Scene) -> None:
    """Break the other file."""
    (scene.folder / "arbees.toml").write_text("[[[\nMAX = ")


def no_home(scene: Scene) -> None:
    """Tell nobody who types."""
    for name in ("HOME", "USER", "LOGNAME"):
        scene.environment.pop(name, None)


SPOILT: dict[str, tuple[Callable[[Scene], None], str]] = {
    "stdout closed": (nothing, "$KILL >&-"),
    "stdout full": (nothing, "$KILL >/dev/full"),
    "stderr closed": (typo, "$KILL 2>&-"),
    "stderr full": (typo, "$KILL 2>/dev/full"),
    "both full": (typo, "$KILL >/dev/full 2>&1"),
    "stdin closed": (nothing, "$KILL <&-"),
    "all closed": (typo, "$KILL <&- >&- 2>&-"),
    "pipe that ended": (typo, "$KILL 2>&1 | true; exit ${PIPESTATUS[0]}"),
    "typo in .env": (typo, "$KILL"),
    ".env that is no text": (no_text, "$KILL"),
    ".env that is a pipe": (fifo, "$KILL"),
    "arbees.toml that is a pipe": (fifo_toml, "$KILL"),
    ".env that is a folder": (folder_as_env, "$KILL"),
    ".env that never ends": (endless, "$KILL"),
    "broken arbees.toml": (broken_toml, "$KILL"),
    "no HOME": (no_home, "$KILL"),
    "plain locale": (nothing, "LC_ALL=C PYTHONIOENCODING=ascii $KILL --reason $'caf\\xc3\\xa9'"),
    "reason that is no text": (nothing, "$KILL --reason $'\\xff\\xfe'"),
    "reason without end": (nothing, '$KILL --reason "$(printf %05000d 1)"'),
    "folder that is gone": (nothing, "mkdir x && cd x && rmdir ../x && $KILL"),
    "terminal that is closed": (nothing, "trap '' HUP; $KILL"),
}


@pytest.fixture
def gateway() -> Iterator[tuple[FakeGateway, str]]:
    """Serve a gateway that halts."""
    found = FakeGateway()
    found.receipts["receipt-1"] = replace(receipt(), complete=True)
    with serving(found) as address:
        yield found, address


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_surroundings(name: str, gateway: tuple[FakeGateway, str], tmp_path: Path) -> None:
    """Whatever is wrong around it, a gateway that is well is halted, and the code is 0."""
    fake, address = gateway
    spoil, line = SPOILT[name]
    there = scene(tmp_path, address)
    spoil(there)
    assert there.run(line) == 0
    assert [each["action"] for each in fake.switched] == ["ENABLE"]
    assert not there.kill_file.exists()


@pytest.mark.parametrize("name", [name for name in SPOILT if name != "folder that is gone"])
def test_spoilt_surroundings_without_a_gateway(name: str, tmp_path: Path) -> None:
    """The same without a gateway: the file is there, and the code is 69."""
    spoil, line = SPOILT[name]
    there = scene(tmp_path, "http://127.0.0.1:1")
    spoil(there)
    assert there.run(line) == 69
    assert there.kill_file.exists()


def test_lines_that_can_be_read_count(gateway: tuple[FakeGateway, str], tmp_path: Path) -> None:
    """A broken line and one that is no text do not hide the port of the line beside them."""
    fake, address = gateway
    there = scene(tmp_path, None)
    there.dotenv(f"ACCOUNT=caf\xe9\nBROKEN\nHTTP_PORT={address.rpartition(':')[2]}\n")
    assert there.run() == 0
    there.dotenv(b"ACCOUNT=caf\xe9\nHTTP_PORT=" + address.rpartition(":")[2].encode() + b"\n")
    assert there.run() == 0
    assert len(fake.switched) == 2


def test_file_that_a_broken_env_names(tmp_path: Path) -> None:
    """The file is made where a line that can be read says, beside lines that cannot."""
    there = scene(tmp_path, "http://127.0.0.1:1")
    del there.environment["KILL_SWITCH_FILE"]
    there.dotenv(b"ACCOUNT=caf\xe9\nMAX_ORDER_SIZE=abc\nKILL_SWITCH_FILE=" + bytes(tmp_path / "k"))
    assert there.run() == 69
    assert (tmp_path / "k").exists()


@pytest.mark.parametrize(
    ("dotenv", "toml"),
    [
        ("HTTP_PORT=90x00\n", ""),
        ("HTP_PORT=9000\n", ""),
        ("HTTP_PORT 9000\n", ""),
        ("", "[[[\nHTTP_PORT = 9000"),
        (b"ACCOUNT=caf\xe9\n", ""),
        ("ARBEES_URL=here\n", ""),
    ],
)
def test_another_gateway_at_the_default_address(
    dotenv: str | bytes, toml: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what names the gateway cannot be read, the word of whoever answers proves nothing."""
    fake = FakeGateway()
    fake.receipts["receipt-1"] = replace(receipt(), complete=True)
    with serving(fake) as address:
        there = scene(tmp_path, None)
        there.dotenv(dotenv)
        if toml:
            (tmp_path / "arbees.toml").write_text(toml)
        monkeypatch.chdir(tmp_path)
        for name in ("ARBEES_URL", "HTTP_PORT", "HTTP_HOST"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("KILL_SWITCH_FILE", str(there.kill_file))
        where = place.find_to_stop()
        assert where.is_guess
        found = _stop(where._replace(url=address), "all", None)
        assert not found.is_proved
        assert there.kill_file.exists()
        assert len(fake.switched) == 1


@pytest.mark.parametrize("name", ["HTTP_PORT", "ARBEES_URL"])
def test_an_address_that_can_be_read_is_no_guess(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong elsewhere: the environment names the gateway."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / ".env")
    for each in ("ARBEES_URL", "HTTP_PORT", "HTTP_HOST"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "9000" if name == "HTTP_PORT" else "http://127.0.0.1:9000/")
    where = place.find_to_stop()
    assert (where.url, where.is_guess, where.is_doubtful) == ("http://127.0.0.1:9000", False, True)


# Gateways that are none ------------------------------------------------------------------------


def _answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def hung(link: socket.socket) -> None:
    """Say nothing."""
    time.sleep(SECONDS)


def slow(link: socket.socket) -> None:
    """Say a byte now and then."""
    for byte in _answer(EARNEST_LIES):
        link.sendall(bytes([byte]))
        time.sleep(0.5)


def without_end(link: socket.socket) -> None:
    """Say more and more."""
    link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        link.sendall(b"x" * 65_536)


def says(data: bytes) -> Callable[[socket.socket], None]:
    """Return what says something at once."""
    return lambda link: link.sendall(data)


OTHERS: dict[str, Callable[[socket.socket], None]] = {
    "hung": hung,
    "slow": slow,
    "without end": without_end,
    "closes": says(b""),
    "no HTTP": says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a page": says(_answer(b"<html>welcome</html>")),
    "an empty object": says(_answer(b"{}")),
    "yes to everything": says(_answer(b'{"ok":true,"in_force":true,"durable":true}')),
    "a halt without the halt": says(_answer(TRUE_LIES)),
    "a halt of something else": says(_answer(EARNEST_LIES.replace(b'"all"', b'"sport:NBA"'))),
    "a halt of somebody else": says(_answer(EARNEST_LIES.replace(b'"command"', b'"http"'))),
    "a reduction": says(
        _answer(EARNEST_LIES.replace(b'"HALTED","reason"', b'"REDUCING","reason"'))
    ),
    "not durable": says(_answer(EARNEST_LIES.replace(b'"durable":true', b'"durable":false'))),
    "nothing but numbers": says(_answer(b'{"in_force":1,"durable":1,"halts":7,"sequence":"9"}')),
    "halts of nothing": says(_answer(b'{"in_force":true,"durable":true,"halts":[null,3]}')),
    "elsewhere": says(_answer(b"", b"307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/")),
    "not found": says(_answer(b'{"code":"NOT_FOUND"}', b"404 Not Found")),
    "broken": says(_answer(b"", b"500 Internal Server Error")),
    "a proxy without a key": says(_answer(b"<html>", b"401 Unauthorized")),
    "refused as if by rule": says(_answer(b'{"code":"NONSENSE"}', b"400 Bad Request")),
}


@contextlib.contextmanager
def listening(act: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Listen in the place of a gateway; yield the address, and what was heard."""
    heard: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = listener.accept()
                with link, contextlib.suppress(OSError):
                    heard.append(link.recv(65_536))
                    act(link)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_gateway_is_not_believed(name: str, tmp_path: Path) -> None:
    """Who hangs, dawdles or answers nonsense has halted nothing: the file does, within seconds."""
    begun = time.monotonic()
    with listening(OTHERS[name]) as (address, _):
        there = scene(tmp_path, address)
        assert there.run("$KILL 2>/dev/full") == 69
    assert there.kill_file.exists()
    assert time.monotonic() - begun < 10


def test_a_wrong_key(gateway: tuple[FakeGateway, str], tmp_path: Path) -> None:
    """Whoever has the wrong key, or none, is told so by the code, and that the file needs none."""
    fake, address = gateway
    fake.hold("operator", KeyScope.HALT)
    for key in ({}, {"ARBEES_API_KEY": "secret-of-another"}):
        there = scene(tmp_path, address, **key)
        assert there.run("$KILL 2>words") == 77
        assert f"touch {there.kill_file}" in (tmp_path / "words").read_text()
        assert not there.kill_file.exists()
    assert fake.switched == []


@pytest.mark.parametrize("place", ["/proc/arbees-kill", "/sys/arbees-kill", "/dev/null/kill"])
def test_a_folder_that_takes_no_file(place: str, tmp_path: Path) -> None:
    """Where nothing could be done, the code is neither 0 nor 69."""
    there = scene(tmp_path, "http://127.0.0.1:1")
    there.environment["KILL_SWITCH_FILE"] = place
    assert there.run("$KILL 2>/dev/full") in {1, 77}


def test_a_folder_that_takes_no_file_beside_a_gateway(
    gateway: tuple[FakeGateway, str], tmp_path: Path
) -> None:
    """The file is not needed where the gateway halts."""
    fake, address = gateway
    there = scene(tmp_path, address)
    there.environment["KILL_SWITCH_FILE"] = "/proc/arbees-kill"
    assert there.run() == 0
    assert len(fake.switched) == 1


def test_a_disk_that_takes_no_byte(tmp_path: Path) -> None:
    """An empty file halts as well."""
    import resource

    there = scene(tmp_path, "http://127.0.0.1:1")
    limits = (resource.RLIMIT_FSIZE, (0, 0))
    assert there.run(limits=lambda: resource.setrlimit(*limits)) == 69
    assert there.kill_file.read_bytes() == b""


# Whose address, whose key ----------------------------------------------------------------------


def test_a_key_does_not_go_where_only_the_folder_says(tmp_path: Path) -> None:
    """The key of the environment is not sent to an address of `.env`, whose yes proves nothing."""
    with listening(says(_answer(EARNEST_LIES))) as (address, heard):
        there = scene(tmp_path, None, ARBEES_API_KEY="the-secret-of-the-operator")
        there.dotenv(f"ARBEES_URL={address}\n")
        assert there.run() == 69
        status = f"{PYTHON} -m arbees status; {PYTHON} -m arbees positions"
        there.run(f"({status}) 2>/dev/null")
    assert there.kill_file.exists()
    assert len(heard) == 3
    assert not any(b"the-secret" in each for each in heard)


def test_a_key_file_named_by_the_folder_stays_too(tmp_path: Path) -> None:
    """A file that names somebody's key file and an address gets no key there."""
    (tmp_path / "operator.key").write_text("the-secret-of-the-operator\n")
    (tmp_path / "operator.key").chmod(0o600)
    with listening(says(_answer(EARNEST_LIES))) as (address, heard):
        there = scene(tmp_path, None)
        there.dotenv(f"ARBEES_URL={address}\nARBEES_API_KEY_FILE={tmp_path / 'operator.key'}\n")
        assert there.run() == 69
    assert heard
    assert not any(b"the-secret" in each for each in heard)


def test_a_key_goes_with_its_own_address(tmp_path: Path) -> None:
    """One file that holds both address and key means them for each other."""
    with listening(says(_answer(EARNEST_LIES))) as (address, heard):
        there = scene(tmp_path, None)
        there.dotenv(f"ARBEES_URL={address}\nARBEES_API_KEY=the-secret-of-this-gateway\n")
        there.run()
    assert b"the-secret-of-this-gateway" in heard[0]
    assert not there.kill_file.exists()


def test_a_port_of_the_folder_is_of_this_machine(
    gateway: tuple[FakeGateway, str], tmp_path: Path
) -> None:
    """`HTTP_PORT` in `.env` is the gateway's own setting: the key goes to this machine."""
    fake, address = gateway
    secret = fake.hold("operator", KeyScope.HALT, KeyScope.READ)
    there = scene(tmp_path, None, ARBEES_API_KEY=secret)
    there.dotenv(f"HTTP_PORT={address.rpartition(':')[2]}\n")
    assert there.run() == 0
    assert len(fake.switched) == 1
