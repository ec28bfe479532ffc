"""`arbees init`: questions, then `.env` and `arbees.toml` for a gateway on paper.

Guarantees that the mode is paper, that both files are written or neither, that what they say passes
`arbees config check` before it is written, that nothing is overwritten unasked, and that a file
with secrets is for its owner alone. A key stays in its own file; where alerts go may hold a secret,
and is asked for, since a gateway that tells nobody is found out too late.
"""

import os
import shlex
import stat
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arbees.cli.shared.console import out, say
from arbees.cli.shared.exits import Exit
from arbees.cli.shared.file_set import NewFile, place
from arbees.cli.shared.prompts import (
    GivenUp,
    Question,
    ask,
    given,
)
from arbees.core.language.setting import Setting
from arbees.errors import ConfigurationError
from arbees.safeguards.sport_exposure import SportLimits
from arbees.settings import SettingsRefused, all_sections, load
from arbees.settings.catalog import Catalog
from arbees.settings.general import PROFILES
from arbees.settings.parse import BadValue, parse
from arbees.settings.starting import dotenv_text, toml_text

DATA, PROFILE, NO_PROFILE = "var", "day1", "none"
KEY_BYTES_MAX = 65_536
_OPERATOR = "--scope admin --scope read --scope halt --scope resume --scope cancel"
_STRATEGY = "--scope submit --scope read"

app = App(name="init")


@app.default
def init(
    *,
    data: Annotated[str | None, Parameter(help="Folder of the journal and the paper book.")] = None,
    audit_log: Annotated[str | None, Parameter(help="The audit log, a file.")] = None,
    profile: Annotated[
        str | None, Parameter(help="Limits: day1, week1, week2, month1, or none for the defaults.")
    ] = None,
    sports: Annotated[
        str | None, Parameter(help="Limits of sports in dollars, such as NBA=500,NHL=250.")
    ] = None,
    kill_file: Annotated[
        str | None, Parameter(help="The kill-switch file, which halts while it exists.")
    ] = None,
    port: Annotated[str | None, Parameter(help="Port of the gateway.")] = None,
    kalshi_key_id: Annotated[str | None, Parameter(help="Id of an API key at Kalshi.")] = None,
    kalshi_key_file: Annotated[
        str | None, Parameter(help="File with the private key of it, for you alone (0600).")
    ] = None,
    strategies: Annotated[
        str | None, Parameter(help="Names of the strategies to come, with commas between.")
    ] = None,
    alert_urls: Annotated[
        str | None, Parameter(help="Where alerts go, as Apprise reads it, such as ntfy://topic.")
    ] = None,
    folder: Annotated[Path, Parameter(help="Where to write, and to run from.")] = Path(),
    yes: Annotated[
        bool, Parameter(name=("--yes", "-y"), negative="", help="Ask nothing; take the defaults.")
    ] = False,
    force: Annotated[
        bool, Parameter(negative="", help="Move what is there to .env.old and arbees.toml.old.")
    ] = False,
) -> int:
    """Write .env and arbees.toml for paper trading, by asking.

    Each question has a flag; what is given is not asked. The mode is paper: what live trading takes
    besides, `arbees preflight` lists when it is time. Both files are written, or neither.

    Ends with 1 where a file is there already and --force is not given, 2 where an answer is not
    understood or there is no terminal to ask at.

    Example: `arbees init`

    Example: `arbees init --yes --profile week1 --sports NBA=500,NHL=250 --port 8400`
    """
    targets = (folder / ".env", folder / "arbees.toml")
    if not force and (there := [str(path) for path in targets if os.path.lexists(path)]):
        say(f"There is already {' and '.join(there)}. Look at it, or write anew with --force")
        return Exit.FAILURE
    flags = {
        "data": data,
        "audit_log": audit_log,
        "profile": profile,
        "sports": sports,
        "kill_file": kill_file,
        "port": port,
        "kalshi_key_id": kalshi_key_id,
        "kalshi_key_file": kalshi_key_file,
        "strategies": strategies,
        "alert_urls": alert_urls,
    }
    try:
        answers = _answers(flags, is_asking=not yes)
    except ValueError as error:
        say(error)
        return Exit.USAGE
    except GivenUp as error:
        say(f"{error}. Nothing was written")
        return Exit.USAGE
    return _write(folder, answers, overwrite=force)


# Questions -------------------------------------------------------------------------------------


def _answers(flags: dict[str, str | None], *, is_asking: bool) -> dict[str, str]:
    """Return an answer to everything, as it was given, asked for, or by default."""
    answers: dict[str, str] = {}
    if is_asking and not sys.stdin.isatty():
        raise ValueError(
            "There is no terminal to ask at. Take the defaults with --yes, and flags for the rest"
        )
    if is_asking:
        say("Arbees asks, Enter takes what stands in brackets. The mode is paper.", style="bold")
    for name, flag in flags.items():
        question = _question(name, answers)
        if name == "kalshi_key_file" and not answers["kalshi_key_id"]:
            if flag:
                raise ValueError("--kalshi-key-file: Expected --kalshi-key-id with it, was missing")
            answers[name] = ""
        elif flag is not None:
            answers[name] = given(question, flag)
        elif is_asking:
            answers[name] = ask(question)
        else:
            answers[name] = given(question, question.default)
    if answers["kalshi_key_id"] and not answers["kalshi_key_file"]:
        raise ValueError("--kalshi-key-id: Expected --kalshi-key-file with it, was missing")
    return answers


def _question(name: str, answers: dict[str, str]) -> Question:
    data = answers.get("data", DATA)
    return {
        "data": Question("--data", "Folder of journal and paper book", DATA, _read_folder),
        "audit_log": Question(
            "--audit-log",
            "Audit log",
            f"{data}/execution_audit.jsonl",
            lambda text: _read_setting("AUDIT_LOG_PATH", text),
        ),
        "profile": Question(
            "--profile", f"Limits ({', '.join(PROFILES)} or none)", PROFILE, _read_profile
        ),
        "sports": Question(
            "--sports", "Limits of sports in dollars, such as NBA=500,NHL=250", "", _read_sports
        ),
        "kill_file": Question(
            "--kill-file",
            "Kill-switch file",
            _setting("KILL_SWITCH_FILE").default,
            lambda text: _read_setting("KILL_SWITCH_FILE", text),
        ),
        "port": Question(
            "--port",
            "Port",
            _setting("HTTP_PORT").default,
            lambda text: _read_setting("HTTP_PORT", text),
        ),
        "kalshi_key_id": Question(
            "--kalshi-key-id",
            "Id of an API key at Kalshi, for later (Enter = none)",
            "",
            lambda text: _read_setting("KALSHI_API_KEY_ID", text),
        ),
        "kalshi_key_file": Question(
            "--kalshi-key-file", "File of its private key", "", _read_key_file
        ),
        "strategies": Question(
            "--strategies", "Strategies that will send requests (Enter = none)", "", _read_names
        ),
        "alert_urls": Question(
            "--alert-urls",
            "Where alerts go, such as ntfy://topic (Enter = the log alone)",
            "",
            _read_addresses,
        ),
    }[name]


def _setting(name: str) -> Setting:
    return Catalog(all_sections()).settings[name]


def _read_setting(name: str, text: str) -> str:
    try:
        parse(_setting(name), text)
    except BadValue as error:
        raise ValueError(f"{error.expected}, was {text!r}. {error.fix}") from None
    return text


def _read_folder(text: str) -> str:
    folder = text.rstrip("/") or "/"
    _read_setting("JOURNAL_PATH", f"{folder}/arbees.db")
    if Path(folder).exists() and not Path(folder).is_dir():
        raise ValueError(f"Expected a folder, {folder} is a file")
    return folder


def _read_profile(text: str) -> str:
    word = text.lower()
    if word not in {*PROFILES, NO_PROFILE}:
        raise ValueError(f"Expected one of {', '.join(PROFILES)} or {NO_PROFILE}, was {text!r}")
    return word


def _sports(text: str) -> dict[str, str]:
    """Read `NBA=500,NHL=250`. Raises ValueError."""
    found: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        sport, mark, dollars = (part.strip() for part in item.partition("="))
        if not sport or not mark or not sport.isprintable():
            raise ValueError(f"Expected SPORT=DOLLARS, was {item!r}. Write it like NBA=500")
        if sport.casefold() in {name.casefold() for name in found}:
            raise ValueError(f"Expected each sport once, was {sport!r} twice")
        try:
            SportLimits.parse({sport: dollars})
        except ValueError:
            raise ValueError(
                f"Expected dollars from 0 to 1000000000 for {sport}, was {dollars!r}"
            ) from None
        found[sport] = dollars
    return found


def _read_sports(text: str) -> str:
    _sports(text)
    return text


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _read_names(text: str) -> str:
    for name in _names(text):
        if not (name.isascii() and name.isprintable() and len(name) <= 128):
            raise ValueError(f"Expected names of 1 to 128 printable ASCII characters, was {name!r}")
    return text


def _read_addresses(text: str) -> str:
    from arbees.telemetry.alerts.sinks import apprise_of

    try:
        apprise_of(text)
    except ConfigurationError as error:
        raise ValueError(f"{error.message}. {error.fix}") from None
    return text


def _read_key_file(text: str) -> str:
    """Check that a file holds a private key and is for its owner alone."""
    path = Path(text).expanduser().absolute()
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ValueError(f"Expected a file, {path} is none")
        with path.open("rb") as file:
            start = file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise ValueError(f"Cannot read {path}: {error.strerror}") from None
    if mode & 0o077:
        raise ValueError(
            f"Expected {path} to be for you alone (0600), was {stat.S_IMODE(mode):04o}. "
            f"Mend it: chmod 600 {path}"
        )
    if not start.lstrip().startswith(b"-----BEGIN"):
        raise ValueError(f"Expected a private key in PEM (-----BEGIN ...) in {path}")
    return str(path)


# Files -----------------------------------------------------------------------------------------


def _write(folder: Path, answers: dict[str, str], *, overwrite: bool) -> int:
    data, audit_log = Path(answers["data"]), Path(answers["audit_log"])
    values = {
        "JOURNAL_PATH": f"{answers['data']}/arbees-{{mode}}.db",
        "PAPER_BOOK_PATH": f"{answers['data']}/paper.db",
        "AUDIT_LOG_PATH": answers["audit_log"],
        "KILL_SWITCH_FILE": answers["kill_file"],
        "HTTP_PORT": answers["port"],
        "KALSHI_API_KEY_ID": answers["kalshi_key_id"],
        "KALSHI_PRIVATE_KEY_FILE": answers["kalshi_key_file"],
        "ALERT_URLS": answers["alert_urls"],
    }
    profile = None if answers["profile"] == NO_PROFILE else answers["profile"]
    names = _names(answers["strategies"])
    files = (
        NewFile(folder / ".env", dotenv_text({k: v for k, v in values.items() if v}), 0o600),
        NewFile(
            folder / "arbees.toml", toml_text(profile, _sports(answers["sports"]), names), 0o644
        ),
    )
    try:
        _check(files)
        folder.mkdir(parents=True, exist_ok=True)
        for made in (folder / data, (folder / audit_log).parent):
            made.mkdir(mode=0o750, parents=True, exist_ok=True)
        moved = place(files, overwrite=overwrite)
    except SettingsRefused as error:
        say(error, style="red")
        say("Nothing was written")
        return error.exit_code
    except FileExistsError as error:
        say(f"There is already {error.filename2 or error.filename}. Nothing was written")
        return Exit.FAILURE
    out(f"Written: {files[0].path} and {files[1].path}")
    for path in moved:
        say(f"What was there is {path}")
    _tell_next(folder, names)
    return Exit.OK


def _check(files: tuple[NewFile, ...]) -> None:
    """Load what will be written, as a gateway would. Raises SettingsRefused."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        dotenv, toml = (Path(name) / file.path.name for file in files)
        for path, file in zip((dotenv, toml), files, strict=True):
            path.touch(mode=file.mode)
            path.write_text(file.text, encoding="utf-8")
        load({}, dotenv, toml)


def _tell_next(folder: Path, strategies: list[str]) -> None:
    try:
        load(os.environ, folder / ".env", folder / "arbees.toml")
    except ConfigurationError as error:
        say("The environment overrides what was written, and is refused:", style="yellow")
        say(error, style="yellow")
    here = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    say("Next:", style="bold")
    say(f"  {here}arbees doctor")
    say(f"  {here}arbees alerts test")
    say(f"  {here}arbees run")
    if strategies:
        say("Once there is a key, all need one; yours first:")
        say(f"  {here}arbees keys create --name operator {_OPERATOR}")
    for name in map(shlex.quote, strategies):
        say(f"  {here}arbees keys create --name {name} --strategy {name} {_STRATEGY}")
