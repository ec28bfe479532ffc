"""Where the gateway is, and with which key: as given, else by the command line's variables.

Guarantees that a key is read from the environment or a file and is never shown. Why `.env` is not
read: a library goes by its caller's environment, not by what lies in the folder. Where that would
go to another gateway than the command line does, it says so and goes nowhere.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from arbees import __version__
from arbees.errors import ConfigurationError

HOST, PORT = "127.0.0.1", "8321"
_EVERYWHERE = {"0.0.0.0": HOST, "::": "::1"}  # noqa: S104 - it is read
"""Where to go to a gateway that listens at every address."""

_ADDRESS = re.compile(
    r"(?m)^(?:export[ \t]+)?(HTTP_HOST|HTTP_PORT|ARBEES_URL)=[ \t]*['\"]?([^\s'\"#]*)"
)
"""An address in a `.env` file."""


class ClientAddress(NamedTuple):
    """A gateway's address, and what every call to it carries."""

    is_secure: bool
    host: str
    port: int
    prefix: str
    headers: Mapping[str, str]

    @property
    def url(self) -> str:
        """Address without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}{self.prefix}"


def find(
    url: str | None, api_key: str | None, environ: Mapping[str, str] = os.environ
) -> ClientAddress:
    """
    Return the place.

    Args:
        url: of the gateway; None = `ARBEES_URL`, else `HTTP_HOST` and `HTTP_PORT`, else the
            default.
        api_key: None = `ARBEES_API_KEY`, or what is in the file `ARBEES_API_KEY_FILE`.
        environ: the environment.

    Raises:
        ConfigurationError: no such address, a key file that cannot be read, or an address that
            stands in `.env` alone.
    """
    if url is None:
        url = environ.get("ARBEES_URL") or _local(environ)
        _require_no_other(environ)
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port:
        raise ConfigurationError(
            "Expected an address",
            setting="ARBEES_URL",
            value=url,
            fix=f"Write it as http://{HOST}:{PORT}.",
        )
    headers = {"User-Agent": f"arbees/{__version__}", "Accept": "application/json"}
    key = _key(environ) if api_key is None else api_key
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return ClientAddress(
        parts.scheme == "https", parts.hostname, port, parts.path.rstrip("/"), headers
    )


def _local(environ: Mapping[str, str]) -> str:
    host = environ.get("HTTP_HOST") or HOST
    host = _EVERYWHERE.get(host, host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{environ.get('HTTP_PORT') or PORT}"


def _require_no_other(environ: Mapping[str, str]) -> None:
    """Refuse to go to the default address where `.env` in this folder names another."""
    try:
        text = Path(".env").read_text("utf-8")
    except (OSError, ValueError):
        return
    defaults = {"HTTP_HOST": HOST, "HTTP_PORT": PORT, "ARBEES_URL": ""}
    for name, value in _ADDRESS.findall(text):
        if name not in environ and value not in {"", defaults[name]}:
            raise ConfigurationError(
                "Expected an address from the environment or as `url`: this client does not read "
                ".env, which names one",
                setting=name,
                value=value,
                fix=f"Pass url=, or export {name} (`set -a; . ./.env`).",
            )


def _key(environ: Mapping[str, str]) -> str:
    path = environ.get("ARBEES_API_KEY_FILE")
    if path and not environ.get("ARBEES_API_KEY"):
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"Expected a file that can be read: {error}",
                setting="ARBEES_API_KEY_FILE",
                value=path,
                fix="Put the key into it, or set ARBEES_API_KEY.",
            ) from None
    return environ.get("ARBEES_API_KEY", "")
