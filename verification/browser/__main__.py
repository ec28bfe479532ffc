"""Set up a gateway and a browser, and let `visit.py` walk through the control room.

Needs Chromium, as Debian's package `chromium` brings it; Playwright and axe are installed into
`var/browser`, apart from everything else. Screenshots lie there afterwards. `--write` copies those
of the first screen to the docs.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path

HERE = Path(__file__).parent
PLACE = Path("var/browser")
SHOTS = PLACE / "shots"
DOCS = Path("docs/_static")
MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"
START_SECONDS = 20.0


def tools() -> Path:
    """Return the Python of an environment with Playwright in it, made where it is missing."""
    folder = (PLACE / "venv").resolve()
    python, wanted = folder / "bin" / "python", HERE / "requirements.txt"
    ready = folder / wanted.name
    if not ready.exists() or ready.read_text() != wanted.read_text():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", wanted], check=True)
        shutil.copy(wanted, ready)
    return python


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class GatewayOnStage:
    """A gateway on paper in a folder of its own, with a position, a resting order and a denial."""

    def __init__(self, folder: Path) -> None:
        """Make the keys, start it, and trade a little."""
        self.url = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "ARBEES_URL": self.url,
            "HTTP_PORT": self.url.rpartition(":")[2],
            "KILL_SWITCH_FILE": str(folder / "kill"),
            "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
            "LOG_LEVEL": "error",
        }
        scopes = [
            word
            for each in ("read", "submit", "halt", "resume", "cancel", "admin")
            for word in ("--scope", each)
        ]
        self.key = self._arbees("keys", "create", "--name", "eva", *scopes, "--json")["secret"]
        self._environment["ARBEES_API_KEY"] = self.key
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arbees", "run"],
            cwd=folder,
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < end, "the gateway does not start"
            time.sleep(0.1)
        self.trade()

    def _arbees(self, *words: str, data: str | None = None) -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "arbees", *words],
            cwd=self._folder,
            env=self._environment,
            input=data,
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, str] = json.loads(done.stdout or "{}")
        return found

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def trade(self) -> None:
        """Fill something, rest something, be denied."""
        quote = {
            "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "platform": "Kalshi",
            "market_id": MARKET,
            "bids": [["0.59", "500"]],
            "asks": [["0.61", "500"]],
            "sport": "NBA",
        }
        asked = urllib.request.Request(
            f"{self.url}/v1/quotes",
            json.dumps(quote).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"},
        )
        urllib.request.urlopen(asked, timeout=5).close()
        for number, (size, price, how) in enumerate(
            ((40, 0.61, "IOC"), (20, 0.55, "GTC"), (5_000, 0.61, "IOC"))
        ):
            request = {
                "request_id": f"stage-{number}",
                "idempotency_key": f"stage-{number}",
                "platform": "Kalshi",
                "market_id": MARKET,
                "side": "Yes",
                "size": size,
                "limit_price": price,
                "time_in_force": how,
                "strategy": "model-edge",
            }
            self._arbees("submit", "-", "--json", data=json.dumps(request))

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(20)


def main() -> int:
    """Walk through; return 0 where nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="copy two screenshots to the docs")
    is_written = parser.parse_args().write
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Expected Chromium on this machine: apt-get install chromium")
    python = tools()
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="arbees-browser-") as folder:
        stage = GatewayOnStage(Path(folder))
        try:
            walked = subprocess.run(
                [
                    python,
                    HERE / "visit.py",
                    chromium,
                    stage.url,
                    stage.key,
                    SHOTS,
                    str(stage.process.pid),
                ],
                check=False,
                timeout=300,
            )
        finally:
            stage.stop()
    if is_written and not walked.returncode:
        for theme in ("light", "dark"):
            shutil.copy(SHOTS / f"{theme}-1440-first.png", DOCS / f"control-room-{theme}.png")
    return walked.returncode


if __name__ == "__main__":
    sys.exit(main())
