"""Loading: which source counts, what the sections get, what is shown, what stays hidden."""

import os
import traceback
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
import pytest

from arbees import safeguards
from arbees.core.language.setting import Setting, SettingKind, settings_of
from arbees.core.language.units import MICRO
from arbees.core.language.words import Mode
from arbees.errors import InvariantViolation
from arbees.safeguards.freshness import Freshness
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.venue_health import VenueHealth
from arbees.settings import Settings, SettingsRefused, all_sections, load
from arbees.settings.general import GENERAL
from arbees.venues.kalshi.spec import Kalshi

SECRET = "hunter2-correct-horse"
SECRETS = {
    "KALSHI_API_KEY_ID": SECRET,
    "KALSHI_PRIVATE_KEY": SECRET,
    "POLYMARKET_PRIVATE_KEY": SECRET,
    "ARBEES_API_KEY": SECRET,
    "REDIS_URL": f"redis://:{SECRET}@host/0",
}


class Colour(msgspec.Struct, frozen=True):
    """A section of two settings that is no safeguard."""

    colour: Annotated[
        str,
        Setting(
            name="COLOUR_OF_IT", kind=SettingKind.CHOICE, doc="x", choices=("red",), default="red"
        ),
    ] = "red"
    shade: Annotated[str | None, Setting(name="SHADE_OF_IT", kind=SettingKind.TEXT, doc="x")] = None


class Other(msgspec.Struct, frozen=True):
    """Declares a setting of `Colour` with another meaning."""

    name: ClassVar[str] = "other"
    shade: Annotated[str | None, Setting(name="SHADE_OF_IT", kind=SettingKind.PATH, doc="x")] = None


def write(path: Path, text: str) -> Path:
    """Write a file that only its owner may read."""
    path.write_text(text)
    path.chmod(0o600)
    return path


def everything_said(settings: Settings) -> str:
    """Return all that settings say of themselves."""
    said = [settings, settings.shown(), settings.recorded(), settings.warnings, settings.hash]
    said += [settings.section(section) for section in (*GENERAL, *safeguards.ALL)]
    said += [found for name, found in vars(settings).items() if name.startswith("_v")]
    return " ".join(f"{each!r} {each}" for each in said)


@pytest.mark.parametrize("section", all_sections(), ids=lambda section: section.__name__)
def test_defaults_are_the_class_defaults(section: type) -> None:
    """Without any setting a section is what its class says: text and value do not drift apart."""
    got: object = load({}).section(section)
    expected = section()
    for field, setting in settings_of(section).items():
        if setting.name != "JOURNAL_PATH":
            assert getattr(got, field) == getattr(expected, field), field


def test_precedence(tmp_path: Path) -> None:
    """Flags beat the environment, that .env, that arbees.toml, and that the defaults."""
    toml = write(tmp_path / "arbees.toml", "MAX_ORDER_SIZE = 10.5\n")
    dotenv = write(tmp_path / ".env", "MAX_ORDER_SIZE=20\n")
    environ, flags = {"MAX_ORDER_SIZE": "30"}, {"MAX_ORDER_SIZE": "40"}
    steps = [
        (load({}), "100", "default"),
        (load({}, None, toml), "10.5", "toml"),
        (load({}, dotenv, toml), "20", ".env"),
        (load(environ, dotenv, toml), "30", "environment"),
        (load(environ, dotenv, toml, flags), "40", "flag"),
        (load({}, None, toml, flags), "40", "flag"),
    ]
    for settings, text, origin in steps:
        assert settings.shown()["MAX_ORDER_SIZE"] == (text, origin)
        size = settings.section(OrderSize).max_order_size
        assert size == int(float(text) * 10) * MICRO // 10


def test_overridden_value_must_be_good_too(tmp_path: Path) -> None:
    """A malformed value refuses though another source overrides it: it would lie in wait."""
    dotenv = write(tmp_path / ".env", "MAX_ORDER_SIZE=abc\n")
    with pytest.raises(SettingsRefused, match="line 1"):
        load({"MAX_ORDER_SIZE": "30"}, dotenv)


def test_empty_text_means_unset(tmp_path: Path) -> None:
    """An empty text, list, time, zone, path or URL leaves what lower sources say."""
    dotenv = write(tmp_path / ".env", "ACCOUNT=second\nMODEL_VERSIONS_DENIED=v1\n")
    empty = dict.fromkeys(
        (
            *("ACCOUNT", "JOURNAL_PATH", "MODEL_VERSIONS_DENIED", "REDIS_URL", "LIMIT_PROFILE"),
            *("TRADING_DAY_TIMEZONE", "LIVE_TRADING_AUTHORIZED_UNTIL", "KALSHI_PRIVATE_KEY"),
            *("KALSHI_PRIVATE_KEY_FILE", "QUOTE_POLICY"),
        ),
        "",
    )
    assert load(empty, dotenv).shown() == load({}, dotenv).shown()


def test_shared_setting_reaches_both_classes() -> None:
    """A setting that two classes declare has one value in both."""
    settings = load({"MAX_CLOCK_SKEW_SECS": "1.5"})
    assert settings.section(Freshness).max_clock_skew == 1_500_000_000
    assert settings.section(VenueHealth).max_clock_skew == 1_500_000_000


def test_contradicting_declarations_crash() -> None:
    """One name with two descriptions is a bug, found at once."""
    with pytest.raises(InvariantViolation, match="SHADE_OF_IT"):
        load({}, sections=(Colour, Other))


def test_any_classes_may_be_sections() -> None:
    """Sections are whatever classes are given; a name of others is then a stranger."""
    settings = load({"SHADE_OF_IT": "dark", "MAX_ORDER_SIZ": "1"}, sections=(Colour,))
    assert settings.section(Colour) == Colour(shade="dark")
    assert settings.safeguards == ()
    with pytest.raises(SettingsRefused, match="COLOUR_OF_IT"):
        load({"COLOUR_OF_IT": ""}, sections=(Colour,))


def test_safeguards_come_in_order_without_disabled_ones() -> None:
    """Enabled safeguards come in the order of evaluation; one that is off keeps its settings."""
    environ = {
        "DISABLED_SAFEGUARDS": "order_size, price_range",
        "DISABLED_SAFEGUARDS_REASON": "false positives, see 12",
        "MAX_ORDER_SIZE": "5",
    }
    settings = load(environ)
    names = [section.name for section in safeguards.ALL]  # type: ignore[attr-defined]
    on = [name for name in names if name not in {"order_size", "price_range"}]
    assert [safeguard.name for safeguard in settings.safeguards] == on
    assert settings.disabled == dict.fromkeys(
        ("order_size", "price_range"), "false positives, see 12"
    )
    assert settings.section(OrderSize).max_order_size == 5 * MICRO
    assert load({}).disabled == {}


def test_mode_and_journal() -> None:
    """PAPER_TRADING decides the mode, and each mode has a journal of its own."""
    paper, live = load({}), load({"PAPER_TRADING": "0"})
    assert (paper.mode, live.mode) == (Mode.PAPER, Mode.LIVE)
    assert paper.gateway.journal_path == "var/arbees-paper.db"
    assert live.gateway.journal_path == "var/arbees-live.db"
    assert paper.journal_path() == Path("var/arbees-paper.db")
    assert paper.journal_path(Mode.LIVE) == live.journal_path()
    assert load({"LIVE_TRADING_AUTHORIZED": "true"}).mode is Mode.PAPER
    assert load({"JOURNAL_PATH": "j.db"}).journal_path(Mode.LIVE) == Path("j.db")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8321"),
        ({"HTTP_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HTTP_HOST": "0.0.0.0"}, "http://127.0.0.1:8321"),  # noqa: S104
        ({"HTTP_HOST": "::"}, "http://[::1]:8321"),
        ({"HTTP_HOST": "10.0.0.1"}, "http://10.0.0.1:8321"),
        ({"ARBEES_URL": "https://gateway/", "HTTP_PORT": "9000"}, "https://gateway"),
    ],
)
def test_url_of_the_gateway(environ: dict[str, str], url: str) -> None:
    """The command line finds the gateway by ARBEES_URL, else by HTTP_HOST and HTTP_PORT."""
    assert load(environ).url == url


def test_hash_is_of_meaning_not_of_spelling(tmp_path: Path) -> None:
    """The hash changes with any effective setting, not with spelling, source or order."""
    base = load({})
    assert base.hash == load({"MAX_ORDER_SIZE": "1e2", "PAPER_TRADING": "yes"}).hash
    dotenv = write(tmp_path / ".env", "MAX_DAILY_LOSS=400\nMAX_ORDER_SIZE=50\n")
    assert load({}, dotenv).hash == load({"MAX_ORDER_SIZE": "50", "MAX_DAILY_LOSS": "400"}).hash
    changed = [
        {"MAX_ORDER_SIZE": "99.999999"},
        {"PAPER_TRADING": "0"},
        {"LOG_LEVEL": "debug"},
        {"KALSHI_PRIVATE_KEY": SECRET},
        {"LIMIT_PROFILE": "day1"},
        {"DISABLED_SAFEGUARDS": "market", "DISABLED_SAFEGUARDS_REASON": "x"},
    ]
    hashes = [load(environ).hash for environ in changed]
    assert len({base.hash, *hashes}) == len(changed) + 1
    assert all(len(each) == 64 for each in hashes)


def test_hash_leaves_out_secrets_and_the_command_line() -> None:
    """A key may be changed, and the operator may have another key than the gateway."""
    one = load({"KALSHI_PRIVATE_KEY": "one"})
    two = load({"KALSHI_PRIVATE_KEY": "two", "ARBEES_API_KEY": "x", "ARBEES_URL": "http://h"})
    assert one.hash == two.hash
    assert one.recorded() == two.recorded()


def test_hash_covers_tables(tmp_path: Path) -> None:
    """A table of arbees.toml changes the hash, and is recorded as it was written."""
    toml = write(tmp_path / "arbees.toml", "[sport_exposure.limits]\nNBA = 500.50\n")
    settings = load({}, None, toml)
    assert settings.hash != load({}).hash
    assert settings.recorded()["sport_exposure.limits"] == '{"NBA":"500.50"}'


def test_secrets_are_hidden(tmp_path: Path) -> None:
    """Nothing that settings say of themselves holds a secret, but the sections have it."""
    dotenv = write(tmp_path / ".env", "".join(f"{k}={v}\n" for k, v in SECRETS.items()))
    for settings in (load(SECRETS), load({}, dotenv)):
        assert SECRET not in everything_said(settings)
        assert settings.shown()["KALSHI_PRIVATE_KEY"].text == "***"
        assert settings.section(Kalshi).private_key == SECRET
        assert settings.api_key == SECRET
        assert settings.gateway.redis_url == SECRETS["REDIS_URL"]


def test_secrets_are_hidden_in_refusals(tmp_path: Path) -> None:
    """Neither a refusal nor its traceback repeats a secret, however it was mangled."""
    dotenv = tmp_path / ".env"
    lines = [
        f"KALSHI_PRIVATE_KEY {SECRET}",
        f"KALSHI_PRIVATE_KY={SECRET}",
        f"KALSHI_API_KEY_ID='{SECRET}",
        f"POLYMARKET_PRIVATE_KEY={SECRET}",
        f"POLYMARKET_PRIVATE_KEY={SECRET}",
        f"SOME_TOKEN={SECRET}",
        SECRET,
        f"REDIS_URL=http://:{SECRET}@host",
    ]
    write(dotenv, "\n".join(lines))
    toml = write(
        tmp_path / "arbees.toml",
        f'KALSHI_PRIVATE_KEYS = "{SECRET}"\nARBEES_API_KEY = ["{SECRET}", {{}}]\n'
        f'[order_size]\nPOLYMARKET_PRIVATE_KEY = "{SECRET}"\n',
    )
    with pytest.raises(SettingsRefused) as caught:
        load({"KALSHI_PRIVATE_KEYY": SECRET}, dotenv, toml)
    assert len(caught.value.problems) == len(lines) - 1 + 4
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)
    write(toml, f'KALSHI_PRIVATE_KEY = "{SECRET}" "{SECRET}"')
    with pytest.raises(SettingsRefused, match="line 1") as caught:
        load({}, None, toml)
    assert SECRET not in str(caught.value)


def test_secret_from_a_file(tmp_path: Path) -> None:
    """NAME_FILE reads a secret, less the last line end, wherever it is set."""
    file = write(tmp_path / "key", f"{SECRET}\n")
    toml = write(tmp_path / "arbees.toml", f'KALSHI_PRIVATE_KEY_FILE = "{file}"\n')
    dotenv = write(tmp_path / ".env", f"KALSHI_PRIVATE_KEY_FILE={file}\n")
    for settings in (
        load({"KALSHI_PRIVATE_KEY_FILE": str(file)}),
        load({}, dotenv),
        load({}, None, toml),
    ):
        assert settings.section(Kalshi).private_key == SECRET
        assert settings.shown()["KALSHI_PRIVATE_KEY"].text == "***"
        assert settings.warnings == ()
        assert SECRET not in everything_said(settings)


def test_secret_twice_refuses(tmp_path: Path) -> None:
    """A secret that is set both itself and by file refuses, in whatever sources."""
    file = write(tmp_path / "key", SECRET)
    dotenv = write(tmp_path / ".env", f"KALSHI_PRIVATE_KEY={SECRET}\n")
    for environ, path in (
        ({"KALSHI_PRIVATE_KEY_FILE": str(file)}, dotenv),
        ({"KALSHI_PRIVATE_KEY_FILE": str(file), "KALSHI_PRIVATE_KEY": SECRET}, None),
    ):
        with pytest.raises(SettingsRefused) as caught:
            load(environ, path)
        (found,) = caught.value.problems
        assert found.setting == "KALSHI_PRIVATE_KEY_FILE"
        assert found.value == str(file)
        assert found.fix == "Remove one of the two."


@pytest.mark.parametrize("case", ["missing", "empty", "folder", "writable", "binary", "nul"])
def test_bad_secret_file_refuses(tmp_path: Path, case: str) -> None:
    """A secret's file that is not there, empty, no file or open to writing by others refuses."""
    file = tmp_path / "key"
    if case == "folder":
        file.mkdir()
    elif case != "missing":
        content = {"empty": b"\n", "binary": b"\xff\xfe", "nul": b"a\0b"}
        file.write_bytes(content.get(case, b"secret"))
        file.chmod(0o620 if case == "writable" else 0o600)
    with pytest.raises(SettingsRefused) as caught:
        load({"KALSHI_PRIVATE_KEY_FILE": str(file)})
    (found,) = caught.value.problems
    assert (found.setting, found.value) == ("KALSHI_PRIVATE_KEY_FILE", str(file))
    assert found.message.startswith("Expected a readable file with a secret (")


def test_files_that_others_can_read_are_told(tmp_path: Path) -> None:
    """A secret that others can read is used, with a warning; one of mode 600 has none."""
    file = write(tmp_path / "key", SECRET)
    dotenv = write(tmp_path / ".env", f"ARBEES_API_KEY={SECRET}\n")
    file.chmod(0o644)
    dotenv.chmod(0o640)
    warnings = load({"KALSHI_PRIVATE_KEY_FILE": str(file)}, dotenv).warnings
    assert [warning.partition(" can be read")[0] for warning in warnings] == [
        str(dotenv),
        str(file),
    ]
    write(dotenv, "MAX_ORDER_SIZE=5\n").chmod(0o644)
    assert load({}, dotenv).warnings == ()


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    """`NAME_FILE` of a setting that is no secret refuses and says so; strangers are left alone."""
    for name in ("MAX_ORDER_SIZE_FILE", "HTTP_PORT_FILE"):
        with pytest.raises(SettingsRefused, match="Only secrets are read from files"):
            load({name: "/run/x"})
    assert load({"ENVIRONMENT_FILE": "/etc/environment", "MY_FILE": "x"}).mode is Mode.PAPER


@pytest.mark.parametrize("content", [b"\xff\xfeA", b"A=1\0", b"#" * 1_048_577])
def test_unreadable_files_refuse(tmp_path: Path, content: bytes) -> None:
    """A settings file that is no text in UTF-8, or is huge, refuses by its path."""
    path = tmp_path / "file"
    path.write_bytes(content)
    for dotenv, toml in ((path, None), (None, path)):
        with pytest.raises(SettingsRefused) as caught:
            load({}, dotenv, toml)
        assert [found.setting for found in caught.value.problems] == [str(path)]
    with pytest.raises(SettingsRefused, match="Is a directory"):
        load({}, tmp_path)


def test_missing_files_are_none(tmp_path: Path) -> None:
    """A file that is not there sets nothing."""
    assert load({}, tmp_path / ".env", tmp_path / "arbees.toml").hash == load({}).hash


def test_unknown_flag_crashes() -> None:
    """A flag that is no setting is a bug of the command, not of the operator."""
    with pytest.raises(InvariantViolation):
        load({}, flags={"MAX_ORDER_SIZ": "1"})


@pytest.mark.parametrize("kind", [SettingKind.TEXT, SettingKind.URL])
def test_unknown_name_in_dotenv_is_told_by_line(tmp_path: Path, kind: SettingKind) -> None:
    """A stranger in .env refuses with its line; one that looks like a secret hides its value."""
    name, shown = ("STRANGER", "x") if kind is SettingKind.TEXT else ("STRANGER_URL", "***")
    dotenv = write(tmp_path / ".env", f"# head\n{name}=x\n")
    with pytest.raises(SettingsRefused, match="line 2") as caught:
        load({}, dotenv)
    (found,) = caught.value.problems
    assert (found.setting, found.value) == (name, shown)
    assert str(found.fix).startswith("Remove it")


def test_duplicate_name_in_dotenv_refuses(tmp_path: Path) -> None:
    """A name that stands twice refuses and names both lines."""
    dotenv = write(tmp_path / ".env", "MAX_ORDER_SIZE=5\n\nMAX_ORDER_SIZE=5\n")
    with pytest.raises(SettingsRefused, match=r"\.env line 1 sets it too \(in \.env line 3\)"):
        load({}, dotenv)


LOGINS = (
    "https://u:hunter2secret@h/x",
    "https://hunter2secret@h/x",
    "https://u:p@hunter2secret/@h/x",
    "ftp://u:hunter2secret@h",
    "u:hunter2secret@h/x",
    "https://u:hunter2secret@h:99999/x",
    "https://h/x?token=hunter2secret and more",
    "  https://u:hunter2secret@h",
    "https://u:" + "x" * 70 + "hunter2secret@h",
)


@pytest.mark.parametrize("text", LOGINS)
@pytest.mark.parametrize(
    "name", ["KALSHI_BASE_URL", "ARBEES_URL", "POLYMARKET_WS_URL", "HTTP_PORT", "KALSHI_BSE_URL"]
)
def test_a_password_in_a_url_is_not_repeated(name: str, text: str, tmp_path: Path) -> None:
    """Neither a refusal nor its fix repeats what stands in front of a host, or behind a `?`."""
    file = tmp_path / ".env"
    file.write_text(f"{name}='{text}'\n")
    sources: list[tuple[dict[str, str], Path | None]] = [({}, file), ({name: text}, None)]
    for environ, dotenv in sources:
        with pytest.raises(SettingsRefused) as refused:
            load(environ, dotenv)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", [".env", "arbees.toml"])
def test_a_pipe_is_no_file(name: str, tmp_path: Path) -> None:
    """A pipe that nobody fills is refused at once, not waited for."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(SettingsRefused, match="it is no regular file"):
        load({}, tmp_path / ".env", tmp_path / "arbees.toml")
