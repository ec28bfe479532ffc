"""The commands there are: a name, what it is for, a sentence.

Guarantees that whoever adds a command adds one line here and a module of that name in the room of
its group (`commands/watch/`), which holds an `app`; help, completion, the man page and the
reference follow. Nothing is imported before it is used.

What a command's docstring says is what all of them show: its first paragraph is the sentence, a
paragraph that begins with `Ends with` tells its exit codes, and each paragraph of the form
``Example: `arbees ...` `` is an example (one at least; more are paragraphs of their own).
"""

from typing import NamedTuple

START, TRADE, WATCH, STOP, PROVE, ADMINISTER = (
    *("Start", "Trade", "Watch"),
    *("Stop", "Prove", "Administer"),
)
GROUPS = (START, TRADE, WATCH, STOP, PROVE, ADMINISTER)
"""What a command is for, in the order in which the overview shows it."""


class Command(NamedTuple):
    """What a command is for, and a sentence about it."""

    group: str
    about: str

    def module(self, name: str) -> str:
        """Return the module that holds the command of a name."""
        return f"arbees.cli.commands.{self.group.lower()}.{name}"


COMMANDS: dict[str, Command] = {
    "init": Command(START, "Write .env and arbees.toml by asking."),
    "doctor": Command(START, "Examine this machine and the settings; say how to mend them."),
    "demo": Command(START, "Show it all: an evening of generated basketball."),
    "run": Command(START, "Run the gateway."),
    "submit": Command(TRADE, "Send requests to the gateway."),
    "cancel": Command(TRADE, "Cancel one order, or all of a scope."),
    "status": Command(WATCH, "Show how the gateway is."),
    "orders": Command(WATCH, "Show the open orders; end an unknown one by hand."),
    "executions": Command(WATCH, "Show what became of requests, the newest first."),
    "fills": Command(WATCH, "Show what was bought and sold, fill by fill."),
    "pnl": Command(WATCH, "Show profit and loss, by strategy or by anything else."),
    "positions": Command(WATCH, "Show what is held, and what it may still cost."),
    "balances": Command(WATCH, "Show the money at each venue."),
    "safeguards": Command(WATCH, "Show the safeguards, and how much of each limit is used."),
    "alerts": Command(WATCH, "Show the alerts that were raised."),
    "report": Command(WATCH, "Report on a day: orders, fill rate, slippage, P&L, denials."),
    "top": Command(WATCH, "Show the gateway live."),
    "flatten": Command(STOP, "Cancel what is open and sell what is held, inside the collar."),
    "kill": Command(STOP, "Stop trading, reduce, resume: the kill switch."),
    "play": Command(PROVE, "Play recorded quotes and requests in recorded time."),
    "explain": Command(PROVE, "Explain what became of a request, and why; print its receipt."),
    "replay": Command(PROVE, "Rebuild the book from a journal; ask what other limits had done."),
    "audit": Command(PROVE, "Verify the journal; follow and export the audit log."),
    "exchange": Command(PROVE, "Run a simulated exchange to rehearse against."),
    "drill": Command(PROVE, "Prove each safeguard alive on this host, with the settings of now."),
    "reconcile": Command(PROVE, "Compare with the venues now; list and end breaks."),
    "cashflow": Command(ADMINISTER, "Record a deposit or a withdrawal."),
    "preflight": Command(PROVE, "Show whether the evidence is there that live trading asks for."),
    "backup": Command(ADMINISTER, "Back up the journal, while trading goes on."),
    "restore": Command(ADMINISTER, "Go on from a backup, halted until somebody has looked."),
    "config": Command(ADMINISTER, "Look at the settings: check them, show them."),
    "authorize": Command(ADMINISTER, "Allow live trading under the settings of now."),
    "keys": Command(ADMINISTER, "Make, list and revoke API keys."),
    "completion": Command(ADMINISTER, "Let the shell complete commands and options."),
    "man": Command(ADMINISTER, "Print the manual page."),
}
"""By name, in each group in the order in which the overview shows them."""
