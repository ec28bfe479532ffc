"""Where the client goes: never elsewhere than the command line without saying so."""

from pathlib import Path

import pytest

from arbees.client.place import find
from arbees.errors import ConfigurationError


@pytest.mark.parametrize(
    "line",
    [
        "HTTP_PORT=9000",
        "export HTTP_PORT='9000' # ours",
        "HTTP_HOST=10.0.0.5",
        'ARBEES_URL="http://x"',
    ],
)
def test_an_address_in_env_alone_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client does not read `.env`: it says so at once, and goes to no other gateway."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text(f"LOG_LEVEL=info\n{line}\n")
    with pytest.raises(ConfigurationError, match=r"\.env"):
        find(None, None, {})
    assert find("http://127.0.0.1:9000", None, {}).port == 9000


@pytest.mark.parametrize("line", ["HTTP_PORT=8321", "#HTTP_PORT=9000", "HTTP_PORT=", ""])
def test_what_names_no_other_address_is_no_matter(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default, a comment or nothing is where the client goes anyway."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text(f"{line}\n")
    assert find(None, None, {}).port == 8321


def test_the_environment_comes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is set in the environment is not looked for in `.env`."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("HTTP_PORT=9000\n")
    assert find(None, None, {"HTTP_PORT": "9001"}).port == 9001
