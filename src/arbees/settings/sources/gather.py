"""Gathers what was set, from `arbees.toml`, `.env`, the environment and the command's flags.

Guarantees that every name is either known or refused: in the files any unknown one, in the
environment (which is full of strangers) one that is nearly a setting's. Nothing is parsed here but
the files' own formats. Fails by listing problems; it never raises for input.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from arbees.settings.catalog import Catalog
from arbees.settings.problems import problem
from arbees.settings.sources.dotenv import Assignment, read_dotenv
from arbees.settings.sources.given import (
    DOTENV,
    ENVIRONMENT,
    FLAG,
    IN_ENVIRONMENT,
    Gathered,
    Given,
    Layer,
    is_no_secret_file,
    twice,
    unknown,
)
from arbees.settings.sources.spelling import misspelt, nearest
from arbees.settings.sources.structured import read_structured

_BYTES_MAX = 1_048_576


def gather(
    catalog: Catalog,
    environ: Mapping[str, str],
    dotenv_path: Path | None,
    toml_path: Path | None,
    flags: Mapping[str, str],
) -> Gathered:
    """
    Read all sources.

    Args:
        catalog: what may be set.
        environ: the environment.
        dotenv_path: the `.env` file; None or a file that is not there = none.
        toml_path: the `arbees.toml` file, likewise.
        flags: what the command line sets, by setting name.
    """
    found = Gathered()
    found.layers = [
        _from_toml(catalog, toml_path, found),
        _from_dotenv(catalog, dotenv_path, found),
        _from_environment(catalog, environ, found),
        {name: Given(name, text, FLAG, "a flag") for name, text in flags.items()},
    ]
    for layer in found.layers:
        _read_secret_files(catalog, layer, found)
    _refuse_both(catalog, found)
    for layer in found.layers:
        for name in catalog.files:
            layer.pop(name, None)
    return found


def _read(path: Path | None, found: Gathered) -> str | None:
    """
    Return the text of a file, None if there is none or nothing of it can be read.

    What is wrong is a problem; the lines that can be read are returned all the same, for who must
    act on them. Something that is no file (a pipe) is never waited for.
    """
    if path is None:
        return None
    try:
        data = _bytes_of(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        _refuse_file(path, f"Expected a readable file ({error.strerror})", found)
        return None
    text = data[:_BYTES_MAX].decode("utf-8", "replace")
    if data.decode("utf-8", "ignore").encode() != data:
        _refuse_file(path, "Expected a readable file (it is not UTF-8)", found)
    elif len(data) > _BYTES_MAX or "\0" in text:
        _refuse_file(path, f"Expected a text file of at most {_BYTES_MAX} bytes", found)
    return text


def _bytes_of(path: Path) -> bytes:
    """Return what a regular file begins with. Raises OSError, also for what is no file."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return file.read(_BYTES_MAX + 1)


def _refuse_file(path: Path, expected: str, found: Gathered) -> None:
    fix = "Make it a readable text file in UTF-8, or remove it."
    found.problems.append(problem(expected, setting=str(path), value=None, fix=fix))


def _from_toml(catalog: Catalog, path: Path | None, found: Gathered) -> Layer:
    known = len(found.problems)
    text = _read(path, found)
    if path is None or text is None or len(found.problems) > known:
        return {}
    layer = read_structured(catalog, text, path.name, found)
    if any(catalog.is_secret(name) for name in layer):
        found.warnings += _readable_by_others(path, "it holds a secret")
    return layer


# .env and the environment ----------------------------------------------------------------------


def _from_dotenv(catalog: Catalog, path: Path | None, found: Gathered) -> Layer:
    known = len(found.problems)
    text = _read(path, found)
    if path is None or text is None:
        return {}
    layer: Layer = {}
    lines, bad = read_dotenv(text)
    if len(found.problems) > known:  # refused as a whole: what is on its lines is no news
        return {line.name: _given(line, path) for line in lines if line.name in catalog.names}
    for wrong in bad:
        # The first word of a bad line may be a piece of a secret, unless it looks like a name.
        is_name = wrong.word in catalog.names or nearest(wrong.word, catalog.ordered)
        found.problems.append(
            problem(
                wrong.expected,
                setting=wrong.word if is_name else path.name,
                value=None,
                fix=wrong.fix,
                place=f"{path.name} line {wrong.number}",
            )
        )
    for line in lines:
        place = f"{path.name} line {line.number}"
        if line.name not in catalog.names:
            found.problems.append(unknown(catalog, line.name, line.text, place))
        elif line.name in layer:
            other = layer[line.name].place
            found.problems.append(twice(catalog, line.name, line.text, place, other))
        else:
            layer[line.name] = _given(line, path)
    if any(catalog.is_secret(name) for name in layer):
        found.warnings += _readable_by_others(path, "it holds a secret")
    return layer


def _given(line: Assignment, path: Path) -> Given:
    return Given(line.name, line.text, DOTENV, f"{path.name} line {line.number}")


def _from_environment(catalog: Catalog, environ: Mapping[str, str], found: Gathered) -> Layer:
    layer: Layer = {}
    for name, text in sorted(environ.items()):
        if name in catalog.names:
            layer[name] = Given(name, text, ENVIRONMENT, IN_ENVIRONMENT)
        elif misspelt(name, catalog.ordered) or is_no_secret_file(catalog, name):
            found.problems.append(unknown(catalog, name, text, IN_ENVIRONMENT))
    return layer


# Secrets from files ----------------------------------------------------------------------------


def _read_secret_files(catalog: Catalog, layer: Layer, found: Gathered) -> None:
    for name, secret in catalog.files.items():
        given = layer.get(name)
        if given is None or not given.raw or secret in layer:
            continue
        text = _secret_in(given, found)
        if text is not None:
            layer[secret] = Given(secret, text, given.origin, f"{name} of {given.place}")


def _secret_in(given: Given, found: Gathered) -> str | None:
    path = Path(given.raw)
    why: str | None = None
    text = ""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            why = "it is no regular file"
        elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            why = "others may write it: chmod go-w"
        else:
            with path.open("rb") as file:
                text = file.read(_BYTES_MAX).decode("utf-8")
            why = None if text.strip() and "\0" not in text else "it is empty or no text"
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such path"
    if why is not None:
        found.problems.append(
            problem(
                f"Expected a readable file with a secret ({why})",
                setting=given.name,
                value=str(given.raw),
                fix="Name a file that only you can write and the gateway can read.",
                place=given.place,
            )
        )
        return None
    found.warnings += _readable_by_others(path, f"{given.name} names it")
    return text.removesuffix("\n").removesuffix("\r")


def _readable_by_others(path: Path, why: str) -> Iterator[str]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        yield f"{path} can be read by other users ({why}): chmod go-r"


def _refuse_both(catalog: Catalog, found: Gathered) -> None:
    for name, secret in catalog.files.items():
        with_file = [layer[name] for layer in found.layers if name in layer and layer[name].raw]
        direct = [
            layer[secret]
            for layer in found.layers
            if secret in layer and layer[secret].raw and not layer[secret].place.startswith(name)
        ]
        if with_file and direct:
            found.problems.append(
                problem(
                    f"Expected either {secret} ({direct[0].place}) or {name}, both are set",
                    setting=name,
                    value=str(with_file[0].raw),
                    fix="Remove one of the two.",
                    place=with_file[0].place,
                )
            )
