"""The rehearsal as a demonstration: the whole gateway, live, at the simulated Kalshi.

Guarantees that gateway and exchange are two real processes which speak Kalshi's protocol, that
every command shown is one that can be typed, that the crash is a real one (`kill -9`), and that it
ends with 1 if anything does not hold. `make demo-kalshi` prints it. No money is anywhere near it.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from arbees.rehearsal.demo import (
    Unmet,
    require,
    say,
    title,
)

MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"
SEED = 28
READY_SECONDS = 20.0
WAIT_SECONDS = 15.0
SHOWN_MAX = 14


class Rehearsed:
    """A gateway and an exchange in processes of their own, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        """Name what is needed; nothing runs yet."""
        self._folder = folder
        self._exchange: subprocess.Popen[str] | None = None
        self._gateway: subprocess.Popen[bytes] | None = None
        self.control = ""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "PAPER_TRADING": "0",
            "LIVE_TRADING_AUTHORIZED": "true",
            "LIVE_PLATFORMS": "Kalshi",
            "JOURNAL_PATH": str(folder / "arbees-{mode}.db"),
            "PAPER_BOOK_PATH": str(folder / "paper.db"),
            "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
            "KILL_SWITCH_FILE": str(folder / "kill"),
            "HTTP_PORT": str(_free_port()),
            "CANCEL_ON_SHUTDOWN": "true",
            "LOG_LEVEL": "ERROR",
            "NO_COLOR": "1",
        }

    def start_exchange(self) -> None:
        """Start the exchange, and learn where it is."""
        words = self._words("exchange", "kalshi", "--seed", str(SEED))
        self._exchange = subprocess.Popen(  # noqa: S603 - our own command
            words, cwd=self._folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert self._exchange.stdout is not None
        told = json.loads(self._exchange.stdout.readline())
        self.control = told["control"]
        self.environment |= {
            "KALSHI_BASE_URL": told["rest"],
            "KALSHI_WS_URL": told["ws"],
            "KALSHI_API_KEY_ID": told["key_id"],
            "KALSHI_PRIVATE_KEY_FILE": str(self._folder / told["private_key_file"]),
        }

    def start_gateway(self) -> None:
        """Start the gateway, and wait until it is ready."""
        with (self._folder / "run.log").open("a") as log:
            self._gateway = subprocess.Popen(  # noqa: S603 - our own command
                self._words("run"), cwd=self._folder, env=self.environment, stdout=log, stderr=log
            )
        gateway, end = self._gateway, time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > end or gateway.poll() is not None:
                raise Unmet("the gateway starts: " + (self._folder / "run.log").read_text())
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        url = f"http://127.0.0.1:{self.environment['HTTP_PORT']}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=1.0) as answer:
                return bool(json.load(answer)["ready"])
        except (OSError, ValueError):
            return False

    def kill_gateway(self) -> None:
        """End the gateway as a power cut would."""
        assert self._gateway is not None
        self._gateway.send_signal(signal.SIGKILL)
        self._gateway.wait()

    def stop(self) -> None:
        """End both, in order."""
        for process in (self._gateway, self._exchange):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process is not None and process.stdout is not None:
                process.stdout.close()

    def type(self, *words: str, given: str | None = None, shown: bool = True) -> str:
        """Type a command, show it with what it says, and return that."""
        if shown:
            say(f"$ arbees {shlex.join(words)}", indent=2)
        done = subprocess.run(  # noqa: S603 - our own command
            self._words(*words),
            cwd=self._folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if shown:
            lines = (done.stdout or done.stderr).splitlines()
            for line in lines[:SHOWN_MAX]:
                sys.stdout.write("  " + line.rstrip()[:76] + "\n")
            if len(lines) > SHOWN_MAX:
                say(f"... and {len(lines) - SHOWN_MAX} more lines", indent=2)
        return done.stdout

    def ask(self, name: str, **more: object) -> dict[str, Any]:
        """Submit one request, show what became of it, and return its result."""
        body = {
            "request_id": name,
            "idempotency_key": f"key-{name}",
            "platform": "Kalshi",
            "market_id": MARKET,
            "side": "Yes",
            "size": "5",
            "strategy": "demo",
        } | more
        self.type("submit", "-", given=json.dumps(body) + "\n")
        return self.result(name)

    def result(self, request_id: str) -> dict[str, Any]:
        """Return the result of a request as the gateway knows it now."""
        url = f"http://127.0.0.1:{self.environment['HTTP_PORT']}/v1/executions/{request_id}"
        asked = urllib.request.Request(url)
        asked.add_header("Authorization", f"Bearer {self.environment['ARBEES_API_KEY']}")
        with urllib.request.urlopen(asked, timeout=5.0) as answer:  # noqa: S310 - loopback
            found: dict[str, Any] = json.load(answer)
        return found

    def fault(self, kind: str, **more: object) -> None:
        """Let something go wrong at the exchange."""
        body = json.dumps({"kind": kind, **more})
        say(f"$ curl -d '{body}' .../control/faults", indent=2)
        self._control("faults", body.encode())

    def state(self) -> dict[str, Any]:
        """Return all that happened at the exchange."""
        return self._control("state")

    def book(self) -> tuple[str, str]:
        """Return the best bid and ask of the market, as the exchange shows them to anybody."""
        url = f"{self.environment['KALSHI_BASE_URL']}/markets/{MARKET}"
        with urllib.request.urlopen(url, timeout=5.0) as answer:  # noqa: S310 - loopback
            market = json.load(answer)["market"]
        return market["yes_bid_dollars"], market["yes_ask_dollars"]

    def _control(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(  # noqa: S310 - loopback
            f"{self.control}/{path}", data=body, timeout=5.0
        ) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    @staticmethod
    def _words(*words: str) -> list[str]:
        return [sys.executable, "-m", "arbees", *words]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def main() -> int:
    """Show everything; return the exit code."""
    say("Arbees: live trading, rehearsed at a simulated Kalshi")
    say("=" * 53)
    say(
        "Two processes on this machine: an exchange that speaks Kalshi's protocol to the letter, "
        "and the gateway with both live flags on. Only the address is another one than Kalshi's."
    )
    with tempfile.TemporaryDirectory(prefix="arbees-demo-kalshi-") as folder:
        made = Rehearsed(Path(folder))
        try:
            _go_live(made)
            _trade(made)
            _lose_an_answer(made)
            _crash(made)
            _compare(made)
            _stop_everything(made)
        except Unmet as claim:
            say()
            say(f"This did not hold: {claim}")
            return 1
        finally:
            made.stop()
        return _prove(made)


def _go_live(made: Rehearsed) -> None:
    title(1, "Authority, a key, and two processes")
    say("$ arbees exchange kalshi &", indent=2)
    made.start_exchange()
    made.type("authorize", "--reason", "rehearsal")
    scopes = [
        word
        for name in ("submit", "cancel", "read", "halt", "resume", "admin")
        for word in ("--scope", name)
    ]
    key = made.type("keys", "create", "--name", "demo", *scopes, shown=False).strip()
    say("$ arbees keys create --name demo --scope submit ... --scope admin", indent=2)
    require(key.startswith("arb_"), "a key is made")
    made.environment["ARBEES_API_KEY"] = key
    say("$ arbees run &", indent=2)
    made.start_gateway()
    made.type("status")


def _trade(made: Rehearsed) -> None:
    title(2, "An order, a resting one, and one that is denied")
    bid, ask = made.book()
    say(f"The exchange shows {bid} bid, {ask} offered for Yes of {MARKET}.")
    filled = made.ask("filled", limit_price=ask)
    require(_status(filled) == "Filled", "an order at the offer fills")
    resting = made.ask("resting", limit_price="0.06", time_in_force="GTC")
    require(_status(resting) == "Pending", "a low bid rests at the exchange")
    denied = made.ask("denied", limit_price="0.99")
    require(_status(denied) == "Rejected", "a bid of 99 cents is denied by the gateway")
    require(len(made.state()["orders"]) == 2, "the denied one never reached the exchange")


def _lose_an_answer(made: Rehearsed) -> None:
    title(3, "The exchange takes an order, and its answer is lost")
    made.fault("lost_after")
    _, ask = made.book()
    found = made.ask("lost", limit_price=ask)
    require(made.state()["happened"].get("lost_after") == 1, "the answer was lost")
    require(_status(found) == "Filled", "asking the exchange finds the fill")
    say("Nobody sent it again: the gateway asked for it by the id that it had derived before.")


def _crash(made: Rehearsed) -> None:
    title(4, "kill -9 while an answer is on its way")
    made.fault("late", seconds=3.0)
    _, ask = made.book()
    line = {
        "request_id": "crash",
        "idempotency_key": "key-crash",
        "platform": "Kalshi",
        "market_id": MARKET,
        "side": "Yes",
        "size": "5",
        "limit_price": ask,
        "strategy": "demo",
    }
    say("$ arbees submit - --wait 0", indent=2)
    made.type("submit", "-", "--wait", "0", given=json.dumps(line) + "\n", shown=False)
    end = time.monotonic() + WAIT_SECONDS
    while len(made.state()["orders"]) < 4 and time.monotonic() < end:
        time.sleep(0.02)
    say("$ kill -9 (the gateway)", indent=2)
    made.kill_gateway()
    say("$ arbees run &", indent=2)
    made.start_gateway()
    status = ""
    while status != "Filled" and time.monotonic() < end + WAIT_SECONDS:
        status = _status(made.result("crash"))
        time.sleep(0.1)
    require(status == "Filled", "recovery finds the order by asking, and sends nothing")
    say("Recovery asked the exchange, found the fill, and sent nothing again.")


def _compare(made: Rehearsed) -> None:
    title(5, "Gateway and exchange agree to the micro-dollar")
    made.type("reconcile")
    made.type("positions")
    state = made.state()
    ids = [order["client_order_id"] for order in state["orders"]]
    require(len(ids) == len(set(ids)) == 4, "no order was sent twice")
    require(state["repeated_signatures"] == 0, "no signature was used twice")
    require(state["over_limit"] == 0, "the rate budget was kept")


def _stop_everything(made: Rehearsed) -> None:
    title(6, "Stop")
    made.type("kill", "on", "--reason", "end of the rehearsal")
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        rows = made.state()["orders"]
        if not any(row["status"] == "resting" for row in rows):
            break
        time.sleep(0.05)
    require(not any(row["status"] == "resting" for row in rows), "nothing rests any more")
    say(
        "The exchange has no order of ours left. The one call that cancels everything may reach "
        "orders of the next minute too: so the gateway sends none before that is over."
    )


def _prove(made: Rehearsed) -> int:
    title(7, "The record verifies")
    said = made.type("audit", "verify")
    return 0 if "Intact" in said else 1


def _status(result: dict[str, Any]) -> str:
    return str(result["status"])


if __name__ == "__main__":
    sys.exit(main())
