"""`arbees audit verify --receipt FILE`: what a receipt proves, and the first thing that is wrong.

Guarantees that what was not proved is said as plainly as what was: a receipt that agrees with
itself is not yet one that a journal holds.
"""

import sys
from pathlib import Path

from arbees.cli.shared.console import (
    out,
    print_json,
    say,
    styled,
)
from arbees.cli.shared.exits import Exit
from arbees.history.receipt_proof import IN_WORDS, Proof, prove

BYTES_MAX = 256 * 1_048_576
"""Of a receipt, links included."""


def verify(receipt: Path, *, journal: Path | None, head: str | None, as_json: bool) -> int:
    """
    Verify a receipt and print what was proved.

    Args:
        receipt: the file; `-` reads standard input.
        journal: a journal to hold it against.
        head: the hash of the head, as known from elsewhere.
        as_json: print JSON.
    """
    if str(receipt) == "-":
        text = sys.stdin.buffer.read(BYTES_MAX + 1)
    else:
        with receipt.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
    if len(text) > BYTES_MAX:
        say(f"Expected a receipt of at most {BYTES_MAX} bytes", style="red")
        return Exit.USAGE
    proof = prove(text, journal=journal, head=head)
    if as_json:
        print_json(proof)
    else:
        _show(proof)
    return Exit.OK if proof.is_good else Exit.CORRUPT


def _show(proof: Proof) -> None:
    if proof.request_id is not None:
        out(f"Receipt of request {proof.request_id}")
    if not proof.is_good:
        say(f"DOES NOT HOLD, first at {proof.place}: {proof.problem}", style="bold red")
        return
    for each in proof.proved:
        out(styled(f"Proved: {IN_WORDS[each]}", "green"))
    for each in proof.not_proved:
        out(styled(f"Not proved: {IN_WORDS[each]}", "yellow"))
    out(f"Head that it states: {proof.head}", style="dim")
