"""The gateway as a process that is made to be killed: `python -m verification.victim`.

Guarantees that it is the service itself (`bootstrap.run`, with settings from its environment), with
one difference: its paper exchange loses answers where that is asked for. It ends as the service
does: with 78 where the settings refuse, 65 where the journal is not whole, 69 where another
process writes it.
"""

import argparse
import sys
from collections.abc import Sequence

from arbees.core.language.units import parse_micro
from arbees.errors import ArbeesError, ConfigurationError, JournalCorrupt, LeaseLost
from arbees.settings import load_here
from arbees.venues.paper.faults import Fault
from arbees.wiring.bootstrap import Assembly, run

REFUSALS: dict[type[ArbeesError], int] = {ConfigurationError: 78, JournalCorrupt: 65, LeaseLost: 69}


def main(arguments: Sequence[str]) -> int:
    """Run until stopped or killed."""
    parser = argparse.ArgumentParser(prog="python -m verification.victim")
    parser.add_argument(
        "--lost-answers",
        default="0",
        help="chance that the exchange's answer to an order is lost, 0 to 1; half of those orders"
        " never arrived",
    )
    chance = parse_micro(parser.parse_args(arguments).lost_answers) // 2

    def prepare(assembly: Assembly) -> None:
        if chance:
            assembly.exchange.faults.set(Fault.LOST_AFTER, chance=chance)
            assembly.exchange.faults.set(Fault.LOST_BEFORE, chance=chance)

    try:
        return run(load_here(), prepare=prepare)
    except ArbeesError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return REFUSALS.get(type(error), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
