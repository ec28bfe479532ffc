"""Collects everything that is wrong with the settings, so that one start names it all.

Guarantees that a refusal carries each problem with setting, value and fix, and that no secret is
among the values. Refuses by raising `SettingsRefused`, which ends the process with 78.
"""

from collections.abc import Sequence

from arbees.core.language.setting import HIDDEN
from arbees.errors import ConfigurationError, without_login

"""What stands for a secret wherever it would be shown."""
_SHOWN_MAX = 80


class SettingsRefused(ConfigurationError):  # noqa: N818 - a refusal, not an error of ours
    """Expected valid settings.

    Attributes:
        problems: all of them, in the order in which they were found; never empty.
    """

    problems: tuple[ConfigurationError, ...]

    def __init__(self, problems: Sequence[ConfigurationError]) -> None:
        """Keep all problems; the parts of the first stand for the whole."""
        first = problems[0]
        super().__init__(first.message, setting=first.setting, value=first.value, fix=first.fix)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return one line a problem."""
        return "\n".join(str(problem) for problem in self.problems)


def problem(
    message: str,
    *,
    setting: str | None,
    value: str | None,
    fix: str,
    place: str | None = None,
    is_secret: bool = False,
) -> ConfigurationError:
    """
    Describe one problem.

    Args:
        message: what was expected.
        setting: exact name as the operator wrote it.
        value: the offending text; None where it was missing.
        fix: what to write instead, an imperative sentence.
        place: where it stands, e.g. `.env line 3`.
        is_secret: whether the value must not be shown.
    """
    if value is not None:
        value = HIDDEN if is_secret and value else bounded(without_login(value))
    where = f" (in {place})" if place else ""
    return ConfigurationError(f"{message}{where}", setting=setting, value=value, fix=fix)


def bounded(text: str) -> str:
    """Return a text short enough for a message."""
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
