"""Compares a worst case with its limit, the same way for market, game, sport and account.

Guarantees that no approval takes a worst case from inside its limit to outside (P3). What is
outside already got there by venue truth or a lowered limit; then reducing orders pass, no others.
"""

from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)


def judge(
    order: Candidate, before: int, after: int, limit: int, reducing: tuple[Skipped]
) -> tuple[Verdict]:
    """
    Return the verdict of one exposure limit.

    A reducing order is let through, unless it is what takes the worst case over the limit: selling
    one leg of a hedge reduces a position and adds to what can be lost.

    Args:
        order: under judgement.
        before: worst case without the order, in micro-dollars.
        after: worst case with it.
        limit: inclusive.
        reducing: the verdict of a reducing order that passes; it names the code.
    """
    is_reducing = order.is_reducing
    if after > limit and not (is_reducing and before > limit):
        return (Deny(reducing[0].code, after, limit),)
    if is_reducing:
        return reducing
    return (Pass(reducing[0].code, after, limit, limit - after),)
