"""Killed at any moment, the exchange keeps every order that it acknowledged, and its sums."""

import sqlite3
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

from arbees.core.language.units import mul_ceil
from arbees.core.language.words import Platform
from tests.venues.paper.rig import Rig, micro

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 6
FLOWS = """
SELECT o.platform, o.market_id, f.price, f.quantity, f.fee
FROM fills f JOIN orders o USING (order_id)
"""


def acknowledged_until_killed(path: Path, prefix: str, lines: int) -> list[list[str]]:
    """Run the child, kill it after some acknowledgements, return all that it wrote."""
    command = [sys.executable, "-m", "tests.venues.paper.crash_child", str(path), prefix]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdout is not None
        heard = b"".join(child.stdout.readline() for _ in range(lines))
        child.kill()
        heard += child.stdout.read()
    whole, _, _ = heard.rpartition(b"\n")
    return [line.split() for line in whole.decode().splitlines()]


def check_sums(path: Path) -> None:
    """Cash and positions are exactly what the fills and deposits of the file explain."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    cash: dict[str, int] = dict(
        reader.execute("SELECT platform, sum(amount) FROM cash_moves GROUP BY 1")
    )
    held: dict[str, int] = defaultdict(int)
    for platform, _, price, quantity, fee in reader.execute(FLOWS):
        cash[platform] -= mul_ceil(price, quantity) + fee
        held[platform] += quantity
    assert dict(reader.execute("SELECT platform, cash FROM accounts")) == cash
    assert dict(reader.execute("SELECT platform, yes_held FROM markets")) == held
    mismatched = """
        SELECT o.client_order_id FROM orders o LEFT JOIN fills f USING (order_id)
        GROUP BY o.client_order_id HAVING o.filled_quantity != coalesce(sum(f.quantity), 0)
    """
    assert reader.execute(mismatched).fetchall() == []
    assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    reader.close()


async def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After each kill -9 the book has every acknowledged order with its fills, and adds up."""
    path = tmp_path / "paper.db"
    random = Random(20260128)
    for number in range(ROUNDS):
        answers = acknowledged_until_killed(path, f"r{number}", random.randint(5, 400))
        rig = Rig(path)
        rows = rig.order_rows()
        for name, filled, ended in answers:
            status, kept = rows[name]
            assert isinstance(kept, int)
            assert kept >= int(filled)
            if ended != "working":
                expected = {"killed": "cancelled"}.get(ended, ended)
                assert (status, kept) == (expected, int(filled))
        if number == 0:
            first = answers[0][0]
            assert await rig.refuse(first) == "order_already_exists"
        for platform in Platform:
            assert await rig.available(platform) > micro("1000")
        await rig.exchange.close()
        check_sums(path)
