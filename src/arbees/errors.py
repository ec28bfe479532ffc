"""Draw the one tree of faults, so that whoever catches knows what each branch proves.

Guarantees that every exception Arbees raises on purpose stands here, that each reads well without
a message of its own, and that the process ends with the exit code that its class documents.
Expected outcomes (a denial, a venue's answer to an order) are values and do not appear; a broken
invariant is no `ArbeesError`, so that no handler of faults can take it for one.

    ArbeesError
     +- ConfigurationError           exit 78; refuse to start
     +- JournalError
     |   +- JournalUnavailable       cannot append: stop admitting
     |   +- JournalCorrupt           chain broken: refuse to start, exit 65
     +- VenueError                   reads only: what became of an order is a value
     |   +- VenueNotSent             provably never left
     |   +- VenueRateLimited         retry_after_ns
     |   +- VenueRefused             the venue said no: an event, not an incident
     |   +- VenueOutcomeUnknown      never retried; the reservation stays
     +- LeaseLost                    another writer holds the fence: stop at once
     +- GatewayError                 what a client hears instead of an answer
     |   +- GatewayUnreachable       no answer; is_sent says whether it may have been heard
     |   +- GatewayRefused           a problem, with its code: correct the call
     |   |   +- AccessRefused        no key, a wrong one, or one that may not; exit 77
     |   +- GatewayBusy              undecided for as long as was waited; the same key is as good
    InvariantViolation(AssertionError)   crash; replay proves or disproves

Imports nothing of ours, so that any package may import it. It fails only by being incomplete.
"""

import re
from typing import ClassVar


def _default_message(cls: type[BaseException]) -> str:
    """Return the first line of a class docstring without its full stop."""
    return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class ArbeesError(Exception):
    """A fault that Arbees detected."""

    exit_code: ClassVar[int] = 1
    """What the process returns when this ends it (sysexits where one fits)."""

    message: str
    """What went wrong, in the form `Expected a multiple of the tick 10000, was 12345`."""

    def __init__(self, message: str | None = None) -> None:
        """
        Keep the message, or take the class docstring's first line.

        Args:
            message: what was expected and what was seen; None for the default.
        """
        self.message = _default_message(type(self)) if message is None else message
        super().__init__(self.message)


def without_login(text: str) -> str:
    """
    Return a text as it may be shown: of a URL without the name and password in front of its host.

    What stands behind `?` may be a token, and a password may hold any character, so nothing up to
    the last @ is shown.
    """
    found = re.match(r"['\"\s]*[A-Za-z][A-Za-z0-9+.-]*://", text)
    head = found[0] if found else ""
    rest = text[len(head) :]
    if "@" in rest and (found or ":" in rest):
        rest = "***@" + rest.rpartition("@")[2]
    if found and "?" in rest:
        rest = rest.partition("?")[0] + "?***"
    return head + rest


class ConfigurationError(ArbeesError):
    """Expected valid settings.

    Ends the process before it admits anything, with exit code 78 (EX_CONFIG).
    """

    exit_code: ClassVar[int] = 78

    setting: str | None
    """Exact name of the setting, as the operator wrote it; None where no single one is meant."""
    value: str | None
    """The offending text, already hidden where it is secret; None where it was missing."""
    fix: str | None
    """What to write instead, as an imperative sentence."""

    def __init__(
        self,
        message: str | None = None,
        *,
        setting: str | None = None,
        value: str | None = None,
        fix: str | None = None,
    ) -> None:
        """
        Keep the parts apart; `str()` joins them: `NAME: message, was 'value'. Fix`.

        Args:
            message: what was expected, without name and value: `Expected a whole number`.
            setting: exact name of the setting.
            value: the text that was found. A secret must be hidden by the caller.
            fix: what to do about it.
        """
        super().__init__(message)
        self.setting = setting
        self.value = None if value is None else without_login(value)
        self.fix = fix

    def __str__(self) -> str:
        """Return one line that names the setting, the value and the fix, as far as given."""
        name = "" if self.setting is None else f"{self.setting}: "
        was = "" if self.value is None else f", was {self.value!r}"
        fix = "" if self.fix is None else f". {self.fix}"
        return f"{name}{self.message}{was}{fix}"


class JournalError(ArbeesError):
    """The journal could not be used."""


class JournalUnavailable(JournalError):
    """The journal cannot append.

    Nothing more is admitted; what was waiting has an outcome that is not known.
    """


class JournalCorrupt(JournalError):
    """The journal is not what was written.

    Refuses to start, or halts, with exit code 65 (EX_DATAERR); never repaired silently.
    """

    exit_code: ClassVar[int] = 65

    sequence: int | None
    """First bad record; None where the file as a whole is unreadable."""

    def __init__(self, message: str | None = None, *, sequence: int | None = None) -> None:
        """
        Keep the place of the break.

        Args:
            message: what was expected there and what was found.
            sequence: number of the first bad record.
        """
        super().__init__(message)
        self.sequence = sequence

    def __str__(self) -> str:
        """Return the message behind the record's number."""
        return self.message if self.sequence is None else f"record {self.sequence}: {self.message}"


class VenueError(ArbeesError):
    """A venue could not be read.

    Raised by reads and cancels only. What became of an order is a value, never an exception.
    """

    exit_code: ClassVar[int] = 5

    is_health: bool = True
    """Whether it says that the venue is ill: no connection, no answer, its own error (5xx). Our own
    budget, a refusal, or what cannot be read of one market or row says nothing of it."""


class VenueNotSent(VenueError):
    """The request provably never left."""


class VenueRateLimited(VenueError):
    """The venue asks to wait."""

    is_health: bool = False

    retry_after_ns: int | None
    """How long to wait, in nanoseconds; None where the venue does not say."""

    def __init__(self, message: str | None = None, *, retry_after_ns: int | None = None) -> None:
        """
        Keep the wait.

        Args:
            message: what the venue said.
            retry_after_ns: the wait it asks for, a duration in nanoseconds.
        """
        super().__init__(message)
        self.retry_after_ns = retry_after_ns


class VenueRefused(VenueError):
    """The venue said no.

    An event, not an incident: the answer is documented and nothing was changed.
    """

    is_health: bool = False

    venue_code: str | None
    """The venue's own word for the reason; None where it gave none."""

    def __init__(self, message: str | None = None, *, venue_code: str | None = None) -> None:
        """
        Keep the venue's word.

        Args:
            message: what the venue said.
            venue_code: its code, unchanged.
        """
        super().__init__(message)
        self.venue_code = venue_code


class VenueOutcomeUnknown(VenueError):
    """What the venue did is not known.

    Never retried; whatever is reserved stays reserved until there is evidence.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, message: str | None = None, *, is_health: bool = True) -> None:
        """
        Keep whether it says anything of the venue's health.

        Args:
            message: what went wrong.
            is_health: False where an answer came, and only cannot be read.
        """
        super().__init__(message)
        self.is_health = is_health


class LeaseLost(ArbeesError):
    """Another writer holds the fence.

    Stop at once: nothing may be appended or sent any more.
    """


class GatewayError(ArbeesError):
    """The gateway did not answer as asked.

    Raised to those who call the gateway from Python. A denial is no error but a result.
    """


class GatewayUnreachable(GatewayError):
    """The gateway did not answer.

    What was asked may have been done, if it was sent. Ask again with the same key.
    """

    exit_code: ClassVar[int] = 69

    is_sent: bool
    """Whether the gateway may have heard; otherwise nothing happened for certain."""

    def __init__(self, message: str | None = None, *, is_sent: bool = True) -> None:
        """
        Keep whether it may have been heard.

        Args:
            message: what went wrong.
            is_sent: whether a byte of the request may have arrived.
        """
        super().__init__(message)
        self.is_sent = is_sent


class GatewayRefused(GatewayError):
    """The gateway refused the call as it stands.

    Nothing was decided and no key was spent; the same call would be refused again.
    """

    status: int
    """Of HTTP."""
    code: str
    """What programs match, as in `MALFORMED`."""
    field: str | None
    """The field meant, None where there is none."""

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int = 400,
        code: str = "",
        field: str | None = None,
    ) -> None:
        """
        Keep the parts of the problem.

        Args:
            message: what was expected and what came.
            status: of HTTP.
            code: the problem's own.
            field: the field meant.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field

    def __str__(self) -> str:
        """Return code, field and message, as far as given."""
        field = "" if self.field is None else f" ({self.field})"
        return f"{self.code}{field}: {self.message}" if self.code else self.message


class AccessRefused(GatewayRefused):
    """The API key is missing, unknown, revoked, or may not do this."""

    exit_code: ClassVar[int] = 77


class GatewayBusy(GatewayError):
    """The gateway decides nothing now.

    Come again with the same key: nothing was spent, or the answer will say what was done.
    """

    code: str
    """`STARTING`, `SHUTTING_DOWN`, `QUEUE_FULL`, `JOURNAL_FAILED`, `KEY_LIMIT` ..."""
    is_doubtful: bool
    """Whether what was asked may have been decided all the same."""

    def __init__(
        self, message: str | None = None, *, code: str = "", is_doubtful: bool = False
    ) -> None:
        """
        Keep why, and whether anything may have been decided.

        Args:
            message: what the gateway said.
            code: the problem's own.
            is_doubtful: whether an earlier try may have been decided.
        """
        super().__init__(message)
        self.code = code
        self.is_doubtful = is_doubtful


class InvariantViolation(AssertionError):
    """A promise of the design does not hold.

    Crashes the process on purpose. Restart replays the journal, which proves or disproves it.
    """

    def __init__(self, message: str | None = None) -> None:
        """
        Keep the message, or take the class docstring's first line.

        Args:
            message: which invariant, with the numbers that break it.
        """
        super().__init__(_default_message(type(self)) if message is None else message)
